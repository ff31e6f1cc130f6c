"""How far is each row from the nearest row of another table?

Gower's distance without its mean [Gower 1971]: d(a, b) = sum over numeric columns |a - b| / range + number of
categorical columns in which a and b differ, with the range of the training table. A shift across the whole range of a
numeric column weighs as much as a different level. The target is a column like any other.

Queries go in blocks, so memory is `BLOCK` x candidates whatever the number of queries; arithmetic is in float32.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthcohort.metrics.matrix import level_codes, unit_numeric
from synthcohort.schema import Schema

BLOCK = 128


@dataclass(frozen=True)
class Rows:
    """Rows ready for distances.

    Args:
        numeric: [P, n] float32, scaled by the training table's range; one contiguous row a column.
        codes: [Q, n] int16 codes of the levels.
    """

    numeric: np.ndarray
    codes: np.ndarray

    def __len__(self) -> int:
        return int(self.numeric.shape[1])

    def take(self, index: np.ndarray) -> Rows:
        """Return the rows at these positions."""
        return Rows(np.ascontiguousarray(self.numeric[:, index]), np.ascontiguousarray(self.codes[:, index]))


@dataclass(frozen=True)
class Nearest:
    """What is nearest to each query.

    Args:
        distance: [n] distance to the nearest candidate.
        ties: [n] how many candidates lie at that distance.
    """

    distance: np.ndarray
    ties: np.ndarray


def distance_rows(frame: pd.DataFrame, train: pd.DataFrame, schema: Schema) -> Rows:
    """Return the rows of `frame` on the scale of `train`."""
    numeric = unit_numeric(frame, train, schema).astype(np.float32).T  # [P, n]
    codes = level_codes(frame, schema).astype(np.int16).T  # [Q, n]
    return Rows(np.ascontiguousarray(numeric), np.ascontiguousarray(codes))


def nearest(queries: Rows, candidates: Rows) -> Nearest:
    """Return the distance from each query to its nearest candidate, and the number of candidates that share it."""
    distances, ties = np.empty(len(queries), np.float32), np.empty(len(queries), np.int64)
    for start in range(0, len(queries), BLOCK):
        part = slice(start, min(start + BLOCK, len(queries)))
        block = _distances(queries, part, candidates)  # [b, candidates]
        distances[part] = block.min(axis=1)
        ties[part] = (block == distances[part, None]).sum(axis=1)
    return Nearest(distances.astype(np.float64), ties)


def _distances(queries: Rows, part: slice, candidates: Rows) -> np.ndarray:
    total = np.zeros((part.stop - part.start, len(candidates)), np.float32)  # [b, candidates]
    gap = np.empty_like(total)
    for ours, theirs in zip(queries.numeric, candidates.numeric):
        np.subtract(ours[part, None], theirs[None, :], out=gap)
        total += np.abs(gap, out=gap)
    for ours, theirs in zip(queries.codes, candidates.codes):
        total += ours[part, None] != theirs[None, :]
    return total
