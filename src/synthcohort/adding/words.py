"""Which words give a column or a cell away, in a few languages?

Words of a column's name are compared without accents, case and punctuation; words of a cell without case. A list finds
what is on it and nothing else: the proposal is for a person to read.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Set

_UNSPACED = "\u2e80"  # Chinese, Japanese and Korean letters come after it


def words(name: str) -> set[str]:
    """Return the words of a name: PatientID, patient_id and `Âge (années)` give patient, id, age, annees."""
    apart = re.sub(r"([a-z])([A-Z])", r"\1 \2", name)
    plain = "".join(c for c in unicodedata.normalize("NFKD", apart) if not unicodedata.combining(c))
    return set(re.findall(r"[^\W\d_]+", plain.casefold()))


MISSING = frozenset({"?", "na", "n/a", "#n/a", "nan", "<na>", "null", "#null!", ".", "-", "--", "k.a."})

SENSITIVE = words("""
    sex gender race ethnicity ethnic age religion nationality sexe genre ethnie geschlecht alter herkunft sexo genero
    etnia raza raca edad idade sesso eta geslacht leeftijd kön kjønn køn ålder alder plec wiek пол возраст
    性别 性別 年龄 年齢 年齡 民族 种族 種族 성별 나이 الجنس جنس العمر عمر
""")

IDENTIFIER = words("""
    id ids pid mrn uid uuid guid key patient patients patientid subject subjectid case record identifier identifiant
    nummer numero fallnummer fallnr patnr patienten patientennr patientennummer paciente paziente patiente patientin
    pacjent pacient hadm icustay encounter ssn 编号 患者 病人 病历号 番号 رقم
""")

SCALES = (
    ("none", "very low", "low", "medium", "moderate", "high", "very high"),
    ("none", "no", "minimal", "mild", "moderate", "severe", "very severe"),
    ("never", "rarely", "seldom", "sometimes", "often", "usually", "always"),
    ("xs", "s", "m", "l", "xl"),
    ("small", "medium", "large"),
    ("poor", "fair", "good", "very good", "excellent"),
    ("keine", "gering", "leicht", "mittel", "mäßig", "hoch", "schwer"),
    ("nul", "faible", "léger", "moyen", "modéré", "élevé", "sévère"),
    ("nulo", "bajo", "leve", "medio", "moderado", "alto", "grave"),
    ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x"),
)


def is_missing(cell: str) -> bool:
    """Return whether a cell's text says that nothing is known."""
    return cell.casefold() in MISSING


def is_sensitive(name: str) -> bool:
    """Return whether a column's name says that it holds what people are discriminated by."""
    return _names(name, SENSITIVE)


def is_identifier(name: str) -> bool:
    """Return whether a column's name says that it numbers patients, stays or records; `patient_age` does not."""
    return _names(name, IDENTIFIER) and not is_sensitive(name)


def in_order(levels: set[str]) -> list[str]:
    """Return three or more levels that lie on a known scale, in its order; else nothing."""
    for scale in SCALES:
        rank = {word: place for place, word in enumerate(scale)}
        folded = {level: level.casefold() for level in levels}
        if len(levels) > 2 and set(folded.values()) <= set(scale) and len(set(folded.values())) == len(levels):
            return sorted(levels, key=lambda level: rank[folded[level]])
    return []


def _names(name: str, listed: Set[str]) -> bool:
    """Return whether a listed word is one of a name, or is inside it in scripts that put no blanks between words."""
    own = words(name)
    return bool(own & listed) or any(word in whole for word in listed if word[0] >= _UNSPACED for whole in own)
