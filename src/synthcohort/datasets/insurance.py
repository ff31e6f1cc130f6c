"""Medical Cost Personal: what does a year of medical care of an insured person cost?

1,338 insured persons, 6 columns, a numeric target. Source: [Lantz, Machine Learning with R], simulated by its author.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from synthcohort.datasets.catalogue import CATALOGUE
from synthcohort.datasets.table import Parsed, Table, assemble, categorical, numeric
from synthcohort.schema import Role

TARGET = "charges"
_NUMERIC: dict[str, tuple[Role, str, str]] = {
    "age": ("feature", "years", "age"),
    "bmi": ("feature", "kg/m²", "body mass index"),
    "children": ("feature", "", "children covered by the insurance"),
    TARGET: ("target", "USD", "medical costs billed to the insurance"),
}
_CATEGORICAL: dict[str, tuple[Role, str]] = {
    "sex": ("sensitive", "sex"),
    "smoker": ("feature", "smokes"),
    "region": ("feature", "region of the United States"),
}


def read(folder: Path) -> Table:
    """Return the table in `folder`: [1338, 7], the last column is the numeric target."""
    entry = CATALOGUE["insurance"]
    raw = pd.read_csv(folder / entry.files[0].name, dtype="str", keep_default_na=False)
    return assemble([_parse(name, raw[name]) for name in raw.columns], "", entry.card)


def _parse(name: str, text: pd.Series) -> Parsed:
    if name in _NUMERIC:
        role, unit, meaning = _NUMERIC[name]
        return numeric(name, text, unit=unit, meaning=meaning, role=role)
    role, meaning = _CATEGORICAL[name]
    return categorical(name, text, role=role, meaning=meaning)
