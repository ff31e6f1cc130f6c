"""How do diagnosis codes become a matrix of patients and codes?

As in medGAN [Choi 2017, arXiv 1703.06490]: ICD-9 codes are cut to their category, three characters, four for the E
codes (external causes), and a cell says whether the patient ever had a code of that category. Columns stand in the
order of the codes as text: the numeric ones, then E, then V.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd


def shorten(code: str) -> str:
    """Return the category of an ICD-9 diagnosis code, written with its point (250.83, 8.45) or without (25083, 00845).

    A point lets a source leave the leading zeros out; they are put back: 8.45 is 008.
    """
    head = code.strip().upper().split(".")[0]
    return head[:4] if head.startswith("E") else head.zfill(3)[:3]


def matrix(pairs: pd.DataFrame, patients: Sequence[str], *, fewest: int = 1) -> pd.DataFrame:
    """Return which patient had which code, [patients, codes] int8 of 0 and 1.

    Args:
        pairs: two columns, patient and code, in any order and number.
        patients: the rows, in order; a patient without a code is a row of zeros.
        fewest: codes of fewer different patients than this are left out.

    Raises:
        ValueError: if a patient of `pairs` is not among `patients`, or no code is left.
    """
    people, codes = pairs.iloc[:, 0], pairs.iloc[:, 1]
    names, column = np.unique(codes.to_numpy(dtype="object"), return_inverse=True)
    row = pd.Index(patients).get_indexer(people)
    if (row < 0).any():
        raise ValueError(
            f"{int((row < 0).sum())} codes belong to patients who are not among the rows; give all patients"
        )
    cells = np.zeros((len(patients), len(names)), dtype=np.int8)
    cells[row, column] = 1
    kept = cells.sum(axis=0, dtype=np.int64) >= fewest
    if not kept.any():
        raise ValueError(f"no code is had by {fewest} patients; lower fewest")
    return pd.DataFrame(cells[:, kept], index=pd.Index(patients), columns=list(names[kept]))
