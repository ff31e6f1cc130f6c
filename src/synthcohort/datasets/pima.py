"""Pima Indians Diabetes: who will be diagnosed with diabetes within five years?

768 women, 8 measures. Source: [Smith 1988]. Zero is written where a measurement is missing in five columns in which a
living patient cannot have it; those zeros are read as missing, a zero number of pregnancies is kept.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from synthcohort.datasets.catalogue import CATALOGUE
from synthcohort.datasets.table import Table, assemble, categorical, numeric

TARGET = "Outcome"
ZERO_IS_MISSING = ("Glucose", "BloodPressure", "SkinThickness", "Insulin", "BMI")
_COLUMNS = {
    "Pregnancies": ("", "times pregnant"),
    "Glucose": ("mg/dL", "plasma glucose two hours into an oral tolerance test"),
    "BloodPressure": ("mmHg", "diastolic blood pressure"),
    "SkinThickness": ("mm", "triceps skin fold thickness"),
    "Insulin": ("µU/mL", "two-hour serum insulin"),
    "BMI": ("kg/m²", "body mass index"),
    "DiabetesPedigreeFunction": ("", "diabetes among relatives, weighted by kinship"),
    "Age": ("years", "age"),
}


def read(folder: Path) -> Table:
    """Return the table in `folder`: [768, 9], the last column is the target."""
    entry = CATALOGUE["pima"]
    raw = pd.read_csv(folder / entry.files[0].name, dtype="str", keep_default_na=False)
    parts = []
    for name, (unit, meaning) in _COLUMNS.items():
        absent = ("", "0", "0.0") if name in ZERO_IS_MISSING else ("",)
        parts.append(numeric(name, raw[name], unit=unit, meaning=meaning, missing=absent))
    meaning = "1 = diabetes diagnosed within five years, 0 = not"
    parts.append(categorical(TARGET, raw[TARGET], levels=("0", "1"), role="target", meaning=meaning))
    return assemble(parts, "1", entry.card)
