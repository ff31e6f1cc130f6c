"""Diabetes in 130 hospitals: who is back in hospital within 30 days?

101,766 stays of 71,518 patients, 35 columns, 11,357 early readmissions (11.2 %). Source: [Strack 2014, BioMed Research
International 781670; UCI 296]. A question mark is a missing cell. Each patient's stays belong together; the number of
the patient says so and is no column. What is joined and what is left out:

- codes of admission and discharge: to what they mean, by the publisher's list of codes; those that mean not available,
  NULL, not mapped or unknown are missing cells;
- diagnoses (ICD-9): to nine groups, as [Strack 2014] does;
- payers and specialties that fewer than 1 % of the stays have: to the level "other";
- weight (97 % missing), and drugs noted in fewer than 100 stays: left out.

Departs: [Strack 2014] keeps the first stay of each patient and leaves out those that end in death or in a hospice.
Here all are kept, since the splits are by patient; both ends are levels of the discharge.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from synthcohort.datasets.catalogue import CATALOGUE
from synthcohort.datasets.grouped import GroupedTable, grouped
from synthcohort.datasets.raw_text import categorical_with_holes
from synthcohort.datasets.table import Parsed, assemble, categorical, numeric
from synthcohort.schema import Role

PATIENT = "patient_nbr"
TARGET = "readmitted"
MISSING = "?"
DIAGNOSES = ["diag_1", "diag_2", "diag_3"]
EARLY = "<30"
RARE = 0.01  # of the stays
FEWEST_STAYS = 100
_OTHER = "other"
_NUMERIC = {
    "time_in_hospital": ("d", "length of the stay"),
    "num_lab_procedures": ("", "laboratory tests during the stay"),
    "num_procedures": ("", "other procedures during the stay"),
    "num_medications": ("", "different drugs given during the stay"),
    "number_outpatient": ("", "outpatient visits in the year before"),
    "number_emergency": ("", "emergency visits in the year before"),
    "number_inpatient": ("", "stays in hospital in the year before"),
    "number_diagnoses": ("", "diagnoses noted"),
}
_SENSITIVE = {"race": "race", "gender": "gender", "age": "age in bands of ten years"}
_LABORATORY = {"max_glu_serum": "serum glucose", "A1Cresult": "haemoglobin A1c"}
_FLAGS = {"change": "Ch = diabetic drugs were changed", "diabetesMed": "any diabetic drug was prescribed"}
_MANY = {"payer_code": "who pays", "medical_specialty": "specialty of the admitting physician"}
DRUGS = [
    *("metformin", "repaglinide", "nateglinide", "chlorpropamide", "glimepiride", "acetohexamide", "glipizide"),
    *("glyburide", "tolbutamide", "pioglitazone", "rosiglitazone", "acarbose", "miglitol", "troglitazone"),
    *("tolazamide", "examide", "citoglipton", "insulin", "glyburide-metformin", "glipizide-metformin"),
    *("glimepiride-pioglitazone", "metformin-rosiglitazone", "metformin-pioglitazone"),
]
_MEANING = {
    "admission_type": "kind of admission",
    "discharge_disposition": "where the patient went from hospital",
    "admission_source": "where the patient came from",
}
CODES: dict[str, Mapping[str, tuple[int, ...]]] = {
    "admission_type": {"emergency": (1, 7), "urgent": (2,), "elective": (3,), "newborn": (4,), MISSING: (5, 6, 8)},
    "discharge_disposition": {
        "home": (1,),
        "home, with further care": (6, 8, 12, 16, 17),
        "nursing facility": (3, 4, 15, 24),
        "other hospital": (2, 5, 9, 10, 22, 23, 27, 28, 29, 30),
        "left against advice": (7,),
        "hospice": (13, 14),
        "died": (11, 19, 20, 21),
        MISSING: (18, 25, 26),
    },
    "admission_source": {
        "referral": (1, 2, 3),
        "transfer": (4, 5, 6, 10, 18, 19, 22, 25, 26),
        "emergency room": (7,),
        "law enforcement": (8,),
        "birth": (11, 12, 13, 14, 23, 24),
        MISSING: (9, 15, 17, 20, 21),
    },
}
GROUPS = {
    "circulatory": ((390, 459), (785, 785)),
    "respiratory": ((460, 519), (786, 786)),
    "digestive": ((520, 579), (787, 787)),
    "diabetes": ((250, 250),),
    "injury": ((800, 999),),
    "musculoskeletal": ((710, 739),),
    "genitourinary": ((580, 629), (788, 788)),
    "neoplasms": ((140, 239),),
}


def read(folder: Path) -> GroupedTable:
    """Return the table in `folder`: [101766, 35], one group a patient, the last column is the target."""
    raw = read_raw(folder)
    return grouped(assemble(_columns(raw), "1", CATALOGUE["diabetes130"].card), raw[PATIENT], by=PATIENT)


def read_raw(folder: Path) -> pd.DataFrame:
    """Return the text of the publisher's file, [101766, 50]."""
    return pd.read_csv(folder / CATALOGUE["diabetes130"].files[0].name, dtype="str", keep_default_na=False)


def _columns(raw: pd.DataFrame) -> list[Parsed]:
    early = (raw[TARGET] == EARLY).map({True: "1", False: "0"})
    return [
        *(_holes(name, raw[name].replace("Unknown/Invalid", MISSING), _SENSITIVE[name]) for name in _SENSITIVE),
        *(_admission(name, raw[f"{name}_id"]) for name in CODES),
        *(_holes(name, _joined(raw[name]), meaning) for name, meaning in _MANY.items()),
        *(numeric(name, raw[name], unit=unit, meaning=meaning) for name, (unit, meaning) in _NUMERIC.items()),
        *(_diagnosis(name, raw[name]) for name in DIAGNOSES),
        *(
            categorical(name, raw[name].replace("None", "not measured"), meaning=meaning)
            for name, meaning in _LABORATORY.items()
        ),
        *(
            categorical(name, raw[name], meaning=f"{name}: given, and changed how")
            for name in DRUGS
            if (raw[name] != "No").sum() >= FEWEST_STAYS
        ),
        *(categorical(name, raw[name], meaning=meaning) for name, meaning in _FLAGS.items()),
        categorical(
            TARGET, early, levels=("0", "1"), role="target", meaning="1 = readmitted within 30 days of discharge"
        ),
    ]


def _holes(name: str, text: pd.Series, meaning: str) -> Parsed:
    role: Role = "sensitive" if name in _SENSITIVE else "feature"
    return categorical_with_holes(name, text, missing=(MISSING,), meaning=meaning, role=role)


def _admission(name: str, codes: pd.Series) -> Parsed:
    """Parse n codes of the publisher's list as what they mean; a code that is not in it is refused as a level."""
    meanings = {str(code): level for level, known in CODES[name].items() for code in known}
    levels = tuple(level for level in CODES[name] if level != MISSING)
    text = codes.map(lambda code: meanings.get(code, code))
    return categorical_with_holes(name, text, missing=(MISSING,), levels=levels, meaning=_MEANING[name])


def _joined(text: pd.Series) -> pd.Series:
    """Return n levels with those that fewer than `RARE` of the cells have written as one; a missing cell stays one."""
    shares = text.value_counts(normalize=True)
    return text.where(text.isin([MISSING, *shares.index[shares >= RARE]]), _OTHER)


def _diagnosis(name: str, codes: pd.Series) -> Parsed:
    place = {"diag_1": "first", "diag_2": "second", "diag_3": "third"}[name]
    text = codes.map({code: diagnosis_group(code) for code in codes.unique()})
    return categorical_with_holes(
        name, text, missing=(MISSING,), levels=(*GROUPS, _OTHER), meaning=f"{place} diagnosis, in nine groups"
    )


def diagnosis_group(code: str) -> str:
    """Return the group of an ICD-9 code, "other" for V and E codes; a missing cell stays one."""
    if code == MISSING:
        return MISSING
    number = int(code.split(".")[0]) if code[0].isdigit() else -1
    return next((g for g, spans in GROUPS.items() if any(low <= number <= high for low, high in spans)), _OTHER)
