"""Churn Modelling: which customers leave the bank?

10,000 customers, 10 columns, 2,037 of them left (20.4 %). Source: [shrutimechlearn, Kaggle]. The number of the row, the
number of the customer and the surname are dropped.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from synthcohort.datasets.catalogue import CATALOGUE
from synthcohort.datasets.table import Parsed, Table, assemble, categorical, numeric
from synthcohort.schema import Role

TARGET = "Exited"
_NUMERIC = {
    "CreditScore": ("", "credit score"),
    "Age": ("years", "age"),
    "Tenure": ("years", "years as a customer"),
    "Balance": ("", "balance of the account"),
    "NumOfProducts": ("", "products of the bank in use"),
    "EstimatedSalary": ("", "estimated salary"),
}
_CATEGORICAL: dict[str, tuple[Role, str]] = {
    "Geography": ("feature", "country"),
    "Gender": ("sensitive", "gender"),
    "HasCrCard": ("feature", "1 = has a credit card"),
    "IsActiveMember": ("feature", "1 = active customer"),
    TARGET: ("target", "1 = left the bank"),
}
_IDENTIFIERS = ["RowNumber", "CustomerId", "Surname"]


def read(folder: Path) -> Table:
    """Return the table in `folder`: [10000, 11], the last column is the target."""
    entry = CATALOGUE["churn"]
    raw = pd.read_csv(folder / entry.files[0].name, dtype="str", keep_default_na=False).drop(columns=_IDENTIFIERS)
    return assemble([_parse(name, raw[name]) for name in raw.columns], "1", entry.card)


def _parse(name: str, text: pd.Series) -> Parsed:
    if name in _NUMERIC:
        unit, meaning = _NUMERIC[name]
        return numeric(name, text, unit=unit, meaning=meaning)
    role, meaning = _CATEGORICAL[name]
    return categorical(name, text, role=role, meaning=meaning)
