"""What stands in for a missing cell until a better method is asked for?

The median of a numeric column, the most frequent level of a categorical one, learned on train rows alone. The target is
never filled.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthcohort.schema import Column, Schema


class ImputationError(ValueError):
    """Cells cannot be filled; the message says which or why, and the remedy."""


@dataclass(frozen=True)
class Filling:
    """Fills missing cells with what train rows show.

    Args:
        fills: column -> median (rounded to the column's decimals) or most frequent level, for every feature.
    """

    fills: Mapping[str, float | str]

    @classmethod
    def fit(cls, train: pd.DataFrame, schema: Schema) -> Filling:
        """Learn the fills from train rows.

        Raises:
            ImputationError: if a column has no cell in train.
        """
        return cls({column.name: _fill(train[column.name], column) for column in schema.features})

    def apply(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return a copy of the rows with their missing cells filled; cells that are there stay bit for bit."""
        return frame.fillna(dict(self.fills))


def _fill(cells: pd.Series, column: Column) -> float | str:
    present = cells.dropna()
    if not len(present):
        raise ImputationError(
            f"column {column.name!r}: every cell is missing in the train rows of a split; drop the column"
        )
    if not column.numeric:
        counts = present.value_counts(sort=False)
        return str(counts.index[int(counts.to_numpy().argmax())])
    median = float(present.median())
    return median if column.decimals is None else float(np.round(median, column.decimals))
