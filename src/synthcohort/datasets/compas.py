"""COMPAS: who is arrested again within two years?

6,172 persons screened in Broward County, 10 columns, 2,809 of them arrested again (45.5 %). Source: [Larson 2016]. Rows
pass the publisher's own filter. The file names the persons: what identifies them, and every date, is not even read, so
that it can reach no message, page or synthetic row. Left out besides: what is known only after the two years, text of
charges (hundreds of levels), and what repeats another column.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from synthcohort.datasets.catalogue import CATALOGUE
from synthcohort.datasets.table import Parsed, Table, assemble, categorical, numeric
from synthcohort.schema import Role

TARGET = "two_year_recid"
DAYS = 30  # between arrest and screening, at most
_FILTER = ["days_b_screening_arrest", "is_recid", "score_text"]
_NUMERIC = {
    "age": ("years", "age"),
    "juv_fel_count": ("", "juvenile felonies"),
    "juv_misd_count": ("", "juvenile misdemeanours"),
    "juv_other_count": ("", "other juvenile offences"),
    "priors_count": ("", "earlier offences"),
    "decile_score": ("", "COMPAS score of re-offence, 1 to 10"),
    "v_decile_score": ("", "COMPAS score of violent re-offence, 1 to 10"),
}
_CATEGORICAL: dict[str, tuple[Role, str]] = {
    "sex": ("sensitive", "sex"),
    "race": ("sensitive", "race as recorded by the county"),
    "c_charge_degree": ("feature", "F = felony, M = misdemeanour"),
    TARGET: ("target", "1 = arrested again within two years"),
}
NAMES = [
    *("sex", "age", "race", "juv_fel_count", "juv_misd_count", "juv_other_count", "priors_count"),
    *("c_charge_degree", "decile_score", "v_decile_score", TARGET),
]


def read(folder: Path) -> Table:
    """Return the table in `folder`: [6172, 11], the last column is the target."""
    entry = CATALOGUE["compas"]
    read_only = [*NAMES, *_FILTER]
    raw = pd.read_csv(folder / entry.files[0].name, dtype="str", keep_default_na=False, usecols=read_only)
    kept = raw[_passes(raw)].reset_index(drop=True)
    return assemble([_parse(name, kept[name]) for name in NAMES], "1", entry.card)


def _passes(raw: pd.DataFrame) -> pd.Series:
    """Return which rows pass the publisher's filter; an empty number of days does not."""
    days = pd.to_numeric(raw["days_b_screening_arrest"])
    known = (raw["is_recid"] != "-1") & (raw["c_charge_degree"] != "O") & (raw["score_text"] != "N/A")
    return days.between(-DAYS, DAYS) & known


def _parse(name: str, text: pd.Series) -> Parsed:
    if name in _NUMERIC:
        unit, meaning = _NUMERIC[name]
        return numeric(name, text, unit=unit, meaning=meaning)
    role, meaning = _CATEGORICAL[name]
    return categorical(name, text, role=role, meaning=meaning)
