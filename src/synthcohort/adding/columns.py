"""What is each column of a file: a number, a set of levels, or nothing to learn from?

A verdict is a kind and a reason, or a reason to leave the column out, with whatever else a block of params.yaml has to
say about it. Reasons hold no cell. The kinds are those that reading the file would infer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from synthcohort.adding import evidence, words
from synthcohort.datasets.csv_cells import COMMA_NUMBER, POINT_NUMBER
from synthcohort.datasets.csv_table import MOST_LEVELS, many_values
from synthcohort.datasets.table import NUMBER, natural_order
from synthcohort.schema import Kind

NEARLY_UNIQUE = 0.9  # share of different texts above which each stands for its row
FREE_TEXT = 0.5  # share of different texts above which they are no levels
MOST_TEXTS = 10  # different texts among numbers that are taken for missing ones
LONGEST_TEXT = 20
MOST_GROUPS = 20  # levels of a column that may define groups of patients
_FEW_PATIENTS = 0.05  # share of different identifiers below which a column is hardly one


@dataclass(frozen=True)
class Verdict:
    """What is proposed for one column.

    Args:
        name: the column.
        kind: its kind, None to leave it out.
        why: the reason.
        codes: text -> why it stands for "missing".
        bounds: round numbers its cells lie between, None for an open end.
        levels: its levels in order, where natural order is another.
        groups: whether its values may stand for patients with several rows.
        sensitive: whether its name says that it defines groups for fairness.
        few: whether it has so few levels that it can.
    """

    name: str
    kind: Kind | None
    why: str
    codes: Mapping[str, str] = field(default_factory=dict)
    bounds: tuple[float | None, float | None] = (None, None)
    levels: tuple[str, ...] = ()
    groups: bool = False
    sensitive: bool = False
    few: bool = False


def judge(name: str, text: pd.Series, decimal: str) -> Verdict:
    """Return the verdict on a feature.

    Args:
        text: [n] its cells, "" where missing.
        decimal: the file's decimal sign.
    """
    present = text[text != ""]
    if present.empty:
        return Verdict(name, None, "every cell is missing")
    if len(present.unique()) == 1 and len(present) == len(text):
        return Verdict(name, None, "constant: the same in every row")
    moment = evidence.dates(present)
    if moment:
        return Verdict(name, None, f"{moment}: neither numbers nor levels; to keep one, write days since another")
    numbers = as_numbers(present, decimal)
    if 2 * numbers.notna().sum() > len(present):
        return _among_numbers(name, text, numbers, decimal)
    return _by_level(name, text, present)


def judge_target(name: str, text: pd.Series, decimal: str) -> Verdict:
    """Return the verdict on the target, which is never left out.

    Args:
        text: [n] its cells, "" where missing.
    """
    present = text[text != ""]
    numbers = as_numbers(present, decimal)
    if 2 * numbers.notna().sum() <= len(present):
        return Verdict(name, "categorical", _task(present))
    codes = _codes(present, numbers, decimal)
    left = numbers[~present.isin(list(codes))].dropna()
    if not many_values(set(left)):
        return Verdict(name, "categorical", _task(present[left.index]), codes)
    return Verdict(name, "numeric", "numbers: the task is regression", codes)


def decimal_sign(cells: pd.DataFrame) -> tuple[str, str]:
    """Return the decimal sign and, if it is the comma, why.

    The comma only if some column holds nothing but whole numbers and numbers with a comma, no column the same with a
    point, and not every such number has three digits behind it, as thousands have.
    """
    commas: list[pd.Series] = []
    points: list[pd.Series] = []
    for name in cells.columns:
        different = pd.Series(cells[name].unique())
        different = different[different != ""]
        whole = different.str.fullmatch(r"[+-]?\d+")
        for found, sign in ((commas, COMMA_NUMBER), (points, POINT_NUMBER)):
            matched = different.str.match(sign)
            if (whole | matched).all() and matched.any():
                found.append(different[matched])
    thousands = all(column.str.fullmatch(r"[+-]?\d{1,3},\d{3}").all() for column in commas)
    if points or not commas or thousands:
        return ".", ""
    return ",", f"{len(commas)} column(s) of numbers have a comma, none has a point"


def as_numbers(text: pd.Series, decimal: str) -> pd.Series:
    """Return [m] finite numbers, NaN where a text is none."""
    pointed = text.map(lambda t: t.replace(",", ".") if COMMA_NUMBER.match(t) else t) if decimal == "," else text
    sound = {t: float(t) for t in pointed.unique() if NUMBER.match(t)}
    return pointed.map(lambda t: sound.get(t, np.nan)).astype("float64").replace([np.inf, -np.inf], np.nan)


def _among_numbers(name: str, text: pd.Series, numbers: pd.Series, decimal: str) -> Verdict:
    """Judge a column of which most cells are numbers; `numbers` are labelled as the rows."""
    present = text[numbers.index]
    codes = _codes(present, numbers, decimal)
    left = numbers[~present.isin(list(codes))]
    if left.isna().any() and not _has_both_signs(present[left[left.isna()].index], decimal):
        strange = evidence.count(int(left.isna().sum()))
        return Verdict(name, None, f"numbers, but {strange} cells hold other texts: correct them to keep the column")
    left = left.dropna()
    counted = evidence.row_number(left) or _by_name(name, left)
    if counted and len(left) == len(text):
        return Verdict(name, None, counted)
    if not (left % 1).any() and _numbers_patients(name, left.nunique(), len(left)):
        return _patients(name, left.nunique(), len(text))
    return _number_or_level(name, left, codes)


def _by_name(name: str, numbers: pd.Series) -> str:
    alone = words.is_identifier(name) and numbers.is_unique and not (numbers % 1).any()
    return "whole numbers, none twice, and the name of an identifier" if alone else ""


def _number_or_level(name: str, numbers: pd.Series, codes: Mapping[str, str]) -> Verdict:
    different, sensitive = numbers.nunique(), words.is_sensitive(name)
    if different == 1:
        return Verdict(name, "categorical", "one number, and cells that are missing", codes)
    if not many_values(set(numbers)):
        why = "binary" if different == 2 else f"{different} whole numbers: write numeric if they count or measure"
        return Verdict(name, "categorical", why, codes, sensitive=sensitive, few=True)
    whole = "numbers" if (numbers % 1).any() else "whole numbers"
    return Verdict(
        name, "numeric", f"{different:,} different {whole}", codes, evidence.bounds(numbers), sensitive=sensitive
    )


def _codes(present: pd.Series, numbers: pd.Series, decimal: str) -> dict[str, str]:
    """Return text -> why it is missing: codes by evidence, and few short texts among numbers."""
    found = evidence.spellings(present, numbers, evidence.missing_codes(numbers.dropna()))
    strangers = present[numbers.isna()]
    short = strangers.nunique() <= MOST_TEXTS and strangers.str.len().max() <= LONGEST_TEXT
    if short and many_values(set(numbers.dropna())) and not _has_both_signs(strangers, decimal):
        why = f"text among numbers, in {evidence.count(len(strangers))} cells together: taken for missing"
        found |= {str(t): why for t in strangers.unique()}
    return found


def _has_both_signs(strangers: pd.Series, decimal: str) -> bool:
    """Return whether a number with a point stands in a file of commas: reading it says where, and refuses."""
    return decimal == "," and bool(strangers.str.match(POINT_NUMBER).any())


def _by_level(name: str, text: pd.Series, present: pd.Series) -> Verdict:
    counts = present.value_counts()
    share = len(counts) / len(present)
    if share > NEARLY_UNIQUE:
        return Verdict(name, None, "a text of its own in nearly every row: an identifier or free text")
    if _numbers_patients(name, len(counts), len(present)):
        return _patients(name, len(counts), len(text))
    if len(counts) > MOST_LEVELS or (share > FREE_TEXT and len(counts) > MOST_GROUPS):
        return Verdict(name, None, f"{len(counts):,} different texts: free text or a code of too many levels")
    ordered = words.in_order(set(counts.index)) if counts.min() >= evidence.SMALL else []
    levels = tuple(ordered) if ordered != natural_order(counts.index) else ()
    said = "binary" if len(counts) == 2 else f"{len(counts):,} levels" if len(counts) > 1 else "one level and holes"
    return Verdict(
        name, "categorical", said, levels=levels, sensitive=words.is_sensitive(name), few=len(counts) <= MOST_GROUPS
    )


def _numbers_patients(name: str, different: int, rows: int) -> bool:
    return words.is_identifier(name) and different > max(MOST_GROUPS, _FEW_PATIENTS * rows)


def _patients(name: str, different: int, rows: int) -> Verdict:
    why = f"the name of an identifier, {different:,} different in {rows:,} rows"
    return Verdict(name, None, why, groups=different < rows)


def _task(present: pd.Series) -> str:
    levels = present.nunique()
    return "two levels: the task is binary" if levels == 2 else f"{levels} levels: the task is multi-class"
