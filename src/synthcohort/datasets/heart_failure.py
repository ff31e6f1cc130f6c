"""Heart Failure Clinical Records: which patients die during follow-up?

299 patients of Faisalabad, 11 columns, 96 deaths (32.1 %). Source: [Chicco & Jurman 2020, doi:10.24432/C5Z89R]. The
length of the follow-up is dropped: it ends at death and gives the outcome away.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from synthcohort.datasets.catalogue import CATALOGUE
from synthcohort.datasets.table import Parsed, Table, assemble, categorical, numeric
from synthcohort.schema import Role

TARGET = "DEATH_EVENT"
LEAK = "time"
_NUMERIC = {
    "age": ("years", "age"),
    "creatinine_phosphokinase": ("µg/L", "creatinine phosphokinase in the blood"),
    "ejection_fraction": ("%", "share of the blood that leaves the heart at a contraction"),
    "platelets": ("1/µL", "platelets"),
    "serum_creatinine": ("mg/dL", "serum creatinine"),
    "serum_sodium": ("mEq/L", "serum sodium"),
}
_CATEGORICAL: dict[str, tuple[Role, str]] = {
    "anaemia": ("feature", "1 = anaemia"),
    "diabetes": ("feature", "1 = diabetes"),
    "high_blood_pressure": ("feature", "1 = hypertension"),
    "sex": ("sensitive", "sex"),
    "smoking": ("feature", "1 = smokes"),
    TARGET: ("target", "1 = died during follow-up"),
}
_SEXES = {"0": "female", "1": "male"}


def read(folder: Path) -> Table:
    """Return the table in `folder`: [299, 12], the last column is the target."""
    entry = CATALOGUE["heart_failure"]
    raw = pd.read_csv(folder / entry.files[0].name, dtype="str", keep_default_na=False).drop(columns=LEAK)
    raw["sex"] = raw["sex"].replace(_SEXES)
    return assemble([_parse(name, raw[name]) for name in raw.columns], "1", entry.card)


def _parse(name: str, text: pd.Series) -> Parsed:
    if name in _NUMERIC:
        unit, meaning = _NUMERIC[name]
        return numeric(name, text, unit=unit, meaning=meaning)
    role, meaning = _CATEGORICAL[name]
    return categorical(name, text, role=role, meaning=meaning)
