"""PhysioNet Challenge 2012: who dies in hospital, judged from the first 48 hours of intensive care?

8,000 stays, 112 columns, 1,122 deaths (14.0 %), a quarter of all cells missing. Source: [Silva 2012], one row a patient
as prepared and published by [Johnson 2012]; sets a and b are joined. A row holds five descriptors at admission, five
aggregates of each of eleven measures taken mostly at the bedside, the first and last value of 24 others, mostly of the
laboratory, and three columns about mechanical ventilation. Nothing later than 48 hours after admission is among them:
the length of the stay, the survival and the severity scores, -1 where unknown, are left out.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from synthcohort.datasets.catalogue import CATALOGUE
from synthcohort.datasets.raw_text import categorical_with_holes, shortest, within
from synthcohort.datasets.table import Parsed, Table, assemble, categorical, numeric

TARGET = "In-hospital_death"
TALLEST = 250  # cm
_UNITS = ["CCU", "CSRU", "SICU"]
_REMAINING_UNIT = "MICU"
_DESCRIPTORS = {
    "Age": ("years", "age; above 89 recorded as 90"),
    "Height": ("cm", "height"),
    "Weight": ("kg", "weight at admission"),
}
_BEDSIDE = {
    "DiasABP": ("mmHg", "invasive diastolic arterial pressure"),
    "GCS": ("", "Glasgow Coma Scale"),
    "Glucose": ("mg/dL", "serum glucose"),
    "HR": ("1/min", "heart rate"),
    "MAP": ("mmHg", "invasive mean arterial pressure"),
    "NIDiasABP": ("mmHg", "non-invasive diastolic pressure"),
    "NIMAP": ("mmHg", "non-invasive mean pressure"),
    "NISysABP": ("mmHg", "non-invasive systolic pressure"),
    "RespRate": ("1/min", "respiration rate"),
    "SaO2": ("%", "oxygen saturation"),
    "Temp": ("°C", "temperature"),
}
_OTHER = {
    "ALP": ("U/L", "alkaline phosphatase"),
    "ALT": ("U/L", "alanine aminotransferase"),
    "AST": ("U/L", "aspartate aminotransferase"),
    "Albumin": ("g/dL", "albumin"),
    "BUN": ("mg/dL", "blood urea nitrogen"),
    "Bilirubin": ("mg/dL", "bilirubin"),
    "Cholesterol": ("mg/dL", "cholesterol"),
    "Creatinine": ("mg/dL", "serum creatinine"),
    "FiO2": ("", "fraction of inspired oxygen"),
    "HCO3": ("mmol/L", "serum bicarbonate"),
    "HCT": ("%", "haematocrit"),
    "K": ("mEq/L", "serum potassium"),
    "Lactate": ("mmol/L", "lactate"),
    "Mg": ("mmol/L", "serum magnesium"),
    "Na": ("mEq/L", "serum sodium"),
    "PaCO2": ("mmHg", "partial pressure of arterial carbon dioxide"),
    "PaO2": ("mmHg", "partial pressure of arterial oxygen"),
    "Platelets": ("10^9/L", "platelets"),
    "SysABP": ("mmHg", "invasive systolic arterial pressure"),
    "TroponinI": ("µg/L", "troponin I"),
    "TroponinT": ("µg/L", "troponin T"),
    "WBC": ("10^9/L", "white blood cell count"),
    "Weight": ("kg", "weight"),
    "pH": ("", "arterial pH"),
}
_VENTILATION = {
    "MechVentStartTime": ("min", "start of mechanical ventilation after admission"),
    "MechVentDuration": ("min", "first to last record of mechanical ventilation"),
}
_AGGREGATES = ("first", "last", "lowest", "highest", "median")
_NUMERIC = {
    **_DESCRIPTORS,
    **{f"{m}_{a}": (unit, f"{what}, {a}") for m, (unit, what) in _BEDSIDE.items() for a in _AGGREGATES},
    **{f"{m}_{a}": (unit, f"{what}, {a}") for m, (unit, what) in _OTHER.items() for a in _AGGREGATES[:2]},
    **_VENTILATION,
}
_GENDERS = {"0.0": "female", "1.0": "male"}
_VENTILATED_LATE = {"": "never", "0.0": "no", "1.0": "yes"}


def read(folder: Path) -> Table:
    """Return the table in `folder`: [8000, 112], set a first, the last column is the target."""
    entry = CATALOGUE["physionet2012"]
    sets = [pd.read_csv(folder / file.name, dtype="str", keep_default_na=False) for file in entry.files]
    return assemble(_columns(pd.concat(sets, ignore_index=True)), "1", entry.card)


def _columns(raw: pd.DataFrame) -> list[Parsed]:
    gender = raw["Gender"].replace(_GENDERS)
    late = raw["MechVentLast8Hour"].replace(_VENTILATED_LATE)
    return [
        categorical_with_holes(
            "Gender", gender, missing=("",), levels=("female", "male"), meaning="gender", role="sensitive"
        ),
        categorical("ICUType", _unit(raw), levels=(*_UNITS, _REMAINING_UNIT), meaning="kind of intensive care unit"),
        *(_number(name, raw[name]) for name in _NUMERIC),
        categorical(
            "MechVentLast8Hour", late, levels=("never", "no", "yes"), meaning="ventilated in the last 8 of 48 hours"
        ),
        categorical(TARGET, raw[TARGET], levels=("0", "1"), role="target", meaning="1 = died in hospital"),
    ]


def _unit(raw: pd.DataFrame) -> pd.Series:
    """Return the level of the three indicator columns, [n]; the medical unit is the one that has none."""
    flags = raw[_UNITS] == "1"
    return flags.idxmax(axis=1).where(flags.any(axis=1), _REMAINING_UNIT)


def _number(name: str, text: pd.Series) -> Parsed:
    unit, meaning = _NUMERIC[name]
    plain = shortest(text)
    return numeric(name, within(plain, 0, TALLEST) if name == "Height" else plain, unit=unit, meaning=meaning)
