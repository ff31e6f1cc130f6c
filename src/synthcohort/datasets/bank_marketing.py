"""Bank Marketing: which clients subscribe to a term deposit when a bank calls?

45,211 clients, 17 columns, 5,289 of them subscribed (11.7 %). Source: [Moro 2014, doi:10.24432/C5K306], bank-full.csv.
The group of 25 years or younger, which [Yang 2024] calls young, is a column of its own beside the age.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from synthcohort.datasets.catalogue import CATALOGUE
from synthcohort.datasets.table import Parsed, Table, assemble, categorical, numeric
from synthcohort.schema import Role

TARGET = "y"
YOUNG = 25  # years, at most
GROUPS = ("25 or younger", "over 25")
_NUMERIC = {
    "age": ("years", "age"),
    "balance": ("EUR", "mean balance of the year"),
    "day": ("", "day of the month of the last call"),
    "duration": ("s", "length of the last call"),
    "campaign": ("", "calls in this campaign"),
    "pdays": ("d", "days since the call of an earlier campaign, -1 = none"),
    "previous": ("", "calls before this campaign"),
}
_CATEGORICAL: dict[str, tuple[Role, str]] = {
    "age_group": ("sensitive", "age in two groups"),
    "job": ("feature", "kind of job"),
    "marital": ("feature", "marital status"),
    "education": ("feature", "education"),
    "default": ("feature", "has credit in default"),
    "housing": ("feature", "has a housing loan"),
    "loan": ("feature", "has a personal loan"),
    "contact": ("feature", "kind of telephone"),
    "month": ("feature", "month of the last call"),
    "poutcome": ("feature", "outcome of an earlier campaign"),
    TARGET: ("target", "subscribed to a term deposit"),
}


def read(folder: Path) -> Table:
    """Return the table in `folder`: [45211, 18], the last column is the target."""
    entry = CATALOGUE["bank_marketing"]
    raw = pd.read_csv(folder / entry.files[0].name, sep=";", dtype="str", keep_default_na=False)
    young = raw["age"].astype(int) <= YOUNG
    raw.insert(1, "age_group", young.map({True: GROUPS[0], False: GROUPS[1]}))
    return assemble([_parse(name, raw[name]) for name in raw.columns], "yes", entry.card)


def _parse(name: str, text: pd.Series) -> Parsed:
    if name in _NUMERIC:
        unit, meaning = _NUMERIC[name]
        return numeric(name, text, unit=unit, meaning=meaning)
    role, meaning = _CATEGORICAL[name]
    return categorical(name, text, role=role, meaning=meaning)
