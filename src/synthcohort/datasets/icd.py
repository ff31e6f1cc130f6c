"""How do diagnosis codes become one row a patient?

A code is cut to its category and the table asks of each patient and category: was it ever recorded? The cut is that of
medGAN's script for MIMIC-III [Choi 2017, process_mimic.py]: the first three characters of an ICD-9 code, four of one
that starts with E, so that V58.67 becomes V58 and E934.2 becomes E934.

`pairs -> matrix -> columns`: any table that can name a patient and a code for each of its rows comes this way.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from synthcohort.datasets.table import Parsed, TableError
from synthcohort.schema import Column

LEVELS = ("0", "1")


def shorten(code: str) -> str:
    """Return the category of an ICD-9-CM diagnosis code, written with or without its point: 250.83 -> 250.

    A point lets a source leave the leading zeros out; they are put back: 8.45 is 008.
    """
    head = code.strip().upper().split(".")[0]
    if not head:
        return ""
    return head[:4] if head.startswith("E") else head.zfill(3)[:3]


def shorten_icd10(code: str) -> str:
    """Return the category of an ICD-10-CM diagnosis code, always three characters: E11.9 -> E11."""
    return code.strip().upper().replace(".", "")[:3]


def matrix(pairs: pd.DataFrame, patients: Sequence[object]) -> pd.DataFrame:
    """Return which codes each patient has: [n, K] booleans, a row for each of `patients` in their order.

    Args:
        pairs: columns patient and code, a row for each time a code was recorded; a pair may be repeated, an empty code
            says nothing.
        patients: the n different patients; one who has no code has a row of False.

    Returns:
        a column for each code that occurs, in the order of their texts.

    Raises:
        TableError: if a patient is repeated, or `pairs` names one who is not among them.
    """
    known = pairs[pairs["code"] != ""]
    rows = pd.Index(patients)
    if not rows.is_unique:
        raise TableError(f"{int(rows.duplicated().sum())} patient(s) are listed more than once; a row is one patient")
    places = rows.get_indexer(pd.Index(known["patient"]))
    if (places < 0).any():
        raise TableError(f"{int((places < 0).sum())} code(s) belong to no patient of the table")
    codes, names = pd.factorize(known["code"], sort=True)
    held = np.zeros((len(rows), len(names)), dtype=bool)  # [n, K]
    held[places, codes] = True
    return pd.DataFrame(held, columns=list(names))


def columns(held: pd.DataFrame, target: str, *, meaning: str) -> list[Parsed]:
    """Return a matrix of codes as columns of a table with the levels 0 and 1.

    Args:
        held: [n, K] booleans.
        target: which of its columns is the table's target.
        meaning: what a column says, with a place for its code: "diagnosis {}".
    """
    return [
        Parsed(
            pd.Series(pd.Categorical.from_codes(held[code].to_numpy().astype(np.int8), categories=list(LEVELS))),
            Column(
                str(code),
                "categorical",
                "target" if code == target else "feature",
                LEVELS,
                meaning=meaning.format(code),
            ),
        )
        for code in held
    ]


def commonest(held: pd.DataFrame) -> str:
    """Return the code that most patients have among those that at most half of them have; the first of equals.

    It is what such a table is asked to predict where the source names no outcome: the class of interest is then the
    smaller one, and as large as it can be.

    Raises:
        TableError: if every code is had by more than half of the patients.
    """
    shares = held.mean()
    eligible = shares[shares <= 0.5]
    if eligible.empty:
        raise TableError("every code is had by more than half of the patients, so none can be the target")
    return str(eligible.idxmax())
