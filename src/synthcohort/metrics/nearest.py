"""How far is each row from the nearest row of another table?

Gower's distance without its mean [Gower 1971]: d(a, b) = sum over numeric columns |a - b| / range + number of
categorical columns in which a and b differ, with the range of the training table. A shift across the whole range of a
numeric column weighs as much as a different level. The target is a column like any other.

Queries go in blocks, so memory is `BLOCK` x candidates whatever the number of queries; arithmetic is in float32.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthcohort.metrics.matrix import level_codes, unit_numeric
from synthcohort.schema import Schema

BLOCK = 32  # a block of 34,000 candidates stays in a core's cache, which halves the time


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
        second: [n] distance to the next candidate, equal to `distance` if that is tied; inf if there is one candidate.
    """

    distance: np.ndarray
    ties: np.ndarray
    second: np.ndarray


def distance_rows(frame: pd.DataFrame, train: pd.DataFrame, schema: Schema) -> Rows:
    """Return the rows of `frame` on the scale of `train`."""
    numeric = unit_numeric(frame, train, schema).astype(np.float32).T  # [P, n]
    codes = level_codes(frame, schema).astype(np.int16).T  # [Q, n]
    return Rows(np.ascontiguousarray(numeric), np.ascontiguousarray(codes))


def nearest(queries: Rows, candidates: Rows) -> Nearest:
    """Return the two smallest distances of each query to a candidate, and how many candidates share the smallest."""
    smallest, ties = np.empty((len(queries), 2), np.float32), np.empty(len(queries), np.int64)
    for part, block in _blocks(queries, candidates):
        place = block.argmin(axis=1)[:, None]  # [b, 1]
        smallest[part, 0] = np.take_along_axis(block, place, axis=1)[:, 0]
        ties[part] = (block == smallest[part, :1]).sum(axis=1)
        np.put_along_axis(block, place, np.inf, axis=1)
        smallest[part, 1] = block.min(axis=1)
    return Nearest(smallest[:, 0].astype(np.float64), ties, smallest[:, 1].astype(np.float64))


def neighbour_distance(queries: Rows, candidates: Rows, k: int) -> np.ndarray:
    """Return the distance from each query to its k-th nearest candidate, [n]; 1 <= k <= number of candidates."""
    parts = [np.partition(block, k - 1, axis=1)[:, k - 1] for _, block in _blocks(queries, candidates)]
    return np.concatenate(parts).astype(np.float64)


def closeness_within(queries: Rows, candidates: Rows, radius: float) -> np.ndarray:
    """Return (1 / m) sum_j -log(d_j / columns) over the m candidates with d_j <= radius, [n]; +inf where a d_j is 0.

    Args:
        queries, candidates: rows on one scale, of at least one column.
        radius: of the ball around a query; queries without a candidate in theirs get 0.
    """
    columns = len(queries.numeric) + len(queries.codes)
    parts = []
    for _, block in _blocks(queries, candidates):
        with np.errstate(divide="ignore"):
            closeness = -np.log(block.astype(np.float64) / columns)
        parts.append(np.where(block <= np.float32(radius), closeness, 0.0).mean(axis=1))
    return np.concatenate(parts)


def _blocks(queries: Rows, candidates: Rows) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield consecutive positions of queries and their distances to every candidate, [b, candidates] float32."""
    for start in range(0, len(queries), BLOCK):
        part = slice(start, min(start + BLOCK, len(queries)))
        yield part, _distances(queries, part, candidates)


def _distances(queries: Rows, part: slice, candidates: Rows) -> np.ndarray:
    total = np.zeros((part.stop - part.start, len(candidates)), np.float32)  # [b, candidates]
    gap = np.empty_like(total)
    for ours, theirs in zip(queries.numeric, candidates.numeric):
        np.subtract(ours[part, None], theirs[None, :], out=gap)
        total += np.abs(gap, out=gap)
    for ours, theirs in zip(queries.codes, candidates.codes):
        total += ours[part, None] != theirs[None, :]
    return total
