"""Stroke Prediction Dataset: which patients have had a stroke?

5,110 patients, 10 columns, 249 strokes (4.9 %). Source: [fedesoriano 2021, Kaggle]. The patient number is dropped, a
missing body mass index is written N/A, an unknown smoking status is a level of its own.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from synthcohort.datasets.catalogue import CATALOGUE
from synthcohort.datasets.table import Parsed, Table, assemble, categorical, numeric
from synthcohort.schema import Role

TARGET = "stroke"
_NUMERIC = {
    "age": ("years", "age"),
    "avg_glucose_level": ("mg/dL", "average blood glucose"),
    "bmi": ("kg/m²", "body mass index"),
}
_CATEGORICAL: dict[str, tuple[Role, str]] = {
    "gender": ("sensitive", "gender"),
    "hypertension": ("feature", "1 = hypertension"),
    "heart_disease": ("feature", "1 = heart disease"),
    "ever_married": ("feature", "ever married"),
    "work_type": ("feature", "kind of work"),
    "Residence_type": ("feature", "residence"),
    "smoking_status": ("feature", "smoking status"),
    TARGET: ("target", "1 = had a stroke"),
}


def read(folder: Path) -> Table:
    """Return the table in `folder`: [5110, 11], the last column is the target."""
    entry = CATALOGUE["stroke"]
    raw = pd.read_csv(folder / entry.files[0].name, dtype="str", keep_default_na=False).drop(columns="id")
    return assemble([_parse(name, raw[name]) for name in raw.columns], "1", entry.card)


def _parse(name: str, text: pd.Series) -> Parsed:
    if name in _NUMERIC:
        unit, meaning = _NUMERIC[name]
        return numeric(name, text, unit=unit, meaning=meaning, missing=("", "N/A"))
    role, meaning = _CATEGORICAL[name]
    return categorical(name, text, role=role, meaning=meaning)
