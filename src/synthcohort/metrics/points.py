"""How far apart are rows among standardised numeric columns beside one-hot levels?

Euclidean distances in float32. The numeric part is summed in float64 and then rounded, so that equal steps on a lattice
(ages in years) are equal distances; rows differ in Q - (levels shared) categorical columns, and each adds 2 to the
square. Distances come in blocks of rows, so memory does not grow with the number of rows asked about.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.spatial.distance import cdist

from synthcohort.metrics.matrix import standardised
from synthcohort.schema import Schema

BLOCK = 128

Blocks = Iterable[tuple[slice, np.ndarray]]  # some rows of a table, and their distances to all rows of another, [b, n]


@dataclass(frozen=True)
class Points:
    """Rows ready for distances.

    Args:
        numeric: [n, P] float64, standardised.
        levels: [n, sum K] float32, one-hot.
        columns: number Q of categorical columns.
    """

    numeric: np.ndarray
    levels: np.ndarray
    columns: int

    def __len__(self) -> int:
        return len(self.numeric)

    def take(self, index: np.ndarray) -> Points:
        """Return the rows at these positions."""
        return Points(self.numeric[index], self.levels[index], self.columns)


def points(frame: pd.DataFrame, reference: pd.DataFrame, schema: Schema) -> Points:
    """Return the rows of `frame` on the scale of `reference`."""
    matrix, numeric = standardised(frame, reference, schema), len(schema.numeric)
    return Points(matrix[:, :numeric], matrix[:, numeric:].astype(np.float32), len(schema.categorical))


def distance_blocks(x: Points, y: Points) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield the rows of x in parts with their distances to all rows of y, [b, n] float32."""
    for start in range(0, len(x), BLOCK):
        part = slice(start, min(start + BLOCK, len(x)))
        shared = x.levels[part] @ y.levels.T  # [b, n]
        squared = 2.0 * (x.columns - shared)
        if x.numeric.shape[1]:
            squared = squared + cdist(x.numeric[part], y.numeric, "sqeuclidean")
        yield part, np.sqrt(squared).astype(np.float32, copy=False)


def other_rows(x: Points, rows: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield the distances from the rows of x at these positions [b] to all rows of x, to themselves infinite."""
    for part, distances in distance_blocks(x.take(rows), x):
        distances[np.arange(len(distances)), rows[part]] = np.inf
        yield part, distances
