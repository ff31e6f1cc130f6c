"""Cardiovascular Disease: which of these examined persons has a cardiovascular disease?

70,000 persons, 11 columns, half of them cases. Source: [Ulianova, Kaggle]. Cells are separated by semicolons; the
id is dropped. Blood pressures, heights and weights that no living adult has are read as missing, cell by cell; where
the diastolic pressure is not below the systolic one nobody knows which is wrong, and both are.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from synthcohort.datasets.catalogue import CATALOGUE
from synthcohort.datasets.raw_text import within
from synthcohort.datasets.table import Parsed, Table, assemble, categorical, numeric
from synthcohort.schema import Role

TARGET = "cardio"
POSSIBLE = {"height": (100, 230), "weight": (30, 250), "ap_hi": (50, 300), "ap_lo": (25, 250)}
_PRESSURES = ["ap_hi", "ap_lo"]
_NUMERIC = {
    "age": ("days", "age"),
    "height": ("cm", "height"),
    "weight": ("kg", "weight"),
    "ap_hi": ("mmHg", "systolic blood pressure"),
    "ap_lo": ("mmHg", "diastolic blood pressure"),
}
_GRADES = "1 = normal, 2 = above normal, 3 = well above normal"
_CATEGORICAL: dict[str, tuple[Role, str]] = {
    "gender": ("sensitive", "gender"),
    "cholesterol": ("feature", f"cholesterol, {_GRADES}"),
    "gluc": ("feature", f"glucose, {_GRADES}"),
    "smoke": ("feature", "1 = smokes"),
    "alco": ("feature", "1 = drinks alcohol"),
    "active": ("feature", "1 = physically active"),
    TARGET: ("target", "1 = has a cardiovascular disease"),
}
_GENDERS = {"1": "female", "2": "male"}


def read(folder: Path) -> Table:
    """Return the table in `folder`: [70000, 12], the last column is the target."""
    entry = CATALOGUE["cardio"]
    raw = pd.read_csv(folder / entry.files[0].name, sep=";", dtype="str", keep_default_na=False).drop(columns="id")
    raw["gender"] = raw["gender"].replace(_GENDERS)
    for name, (low, high) in POSSIBLE.items():
        raw[name] = within(raw[name], low, high)
    systolic, diastolic = (pd.to_numeric(raw[name]) for name in _PRESSURES)
    raw.loc[diastolic >= systolic, _PRESSURES] = ""
    return assemble([_parse(name, raw[name]) for name in raw.columns], "1", entry.card)


def _parse(name: str, text: pd.Series) -> Parsed:
    if name in _NUMERIC:
        unit, meaning = _NUMERIC[name]
        return numeric(name, text, unit=unit, meaning=meaning)
    role, meaning = _CATEGORICAL[name]
    return categorical(name, text, role=role, meaning=meaning)
