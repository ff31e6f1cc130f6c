"""What must be said of raw cells before they are numbers and levels?

Which of them no person can have, which digits were recorded and which a program added, which levels are holes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from synthcohort.datasets.table import Parsed, categorical
from synthcohort.schema import Role


def within(text: pd.Series, low: float, high: float) -> pd.Series:
    """Return n numbers written as text, those below `low` or above `high` emptied; other text stays as it is."""
    values = pd.to_numeric(text, errors="coerce")
    return text.mask((values < low) | (values > high), "")


def shortest(text: pd.Series) -> pd.Series:
    """Return n numbers written as text in their shortest form to ten digits; empty cells stay empty.

    For sources that write 41 as 41.0 and 37.85 as 37.849999999999994, so that the decimals are those recorded.
    """
    return text.map({t: f"{float(t):.10g}" if t else "" for t in text.unique()})


def categorical_with_holes(
    name: str,
    text: pd.Series,
    *,
    missing: Sequence[str],
    levels: Sequence[str] = (),
    meaning: str = "",
    role: Role = "feature",
) -> Parsed:
    """Parse n levels written as text; the texts in `missing` become NaN, of which `categorical` would make a level.

    Raises:
        TableError: if a cell is neither in `missing` nor among `levels`, where these are given.
    """
    present = ~text.isin(list(missing)).to_numpy()
    parsed = categorical(name, text[present], levels=levels, meaning=meaning, role=role)
    codes = np.full(len(text), -1)
    codes[present] = parsed.cells.cat.codes
    cells = pd.Categorical.from_codes(codes, categories=list(parsed.column.levels))
    return Parsed(pd.Series(cells, name=name), parsed.column)
