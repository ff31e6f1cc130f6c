"""How far is each row from the nearest row of another table?

Gower's distance without its mean [Gower 1971]: d(a, b) = sum over numeric columns |a - b| / range + number of
categorical columns in which a and b differ, with the range of the training table. A shift across the whole range of a
numeric column weighs as much as a different level. The target is a column like any other.

Queries go in parts, so memory does not grow with their number; arithmetic is in float32, one column after the other, so
that equal steps are equal distances.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthcohort.metrics.matrix import level_codes, unit_numeric
from synthcohort.schema import Schema

CELLS = 1 << 19  # distances at a time: two megabytes, near a core's cache whatever the number of candidates


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


class Gaps:
    """The terms of the distances from every query to every candidate, column by column, numeric columns first.

    Args:
        queries, candidates: rows on one scale.
    """

    def __init__(self, queries: Rows, candidates: Rows) -> None:
        self.queries = queries
        self.candidates = candidates
        self.columns = range(len(queries.numeric) + len(queries.codes))

    def parts(self) -> Iterator[slice]:
        """Yield consecutive positions of queries, about `CELLS` distances each."""
        size = max(1, CELLS // len(self.candidates))
        for start in range(0, len(self.queries), size):
            yield slice(start, min(start + size, len(self.queries)))

    def distances(self, part: slice, columns: Iterable[int]) -> np.ndarray:
        """Return the distances of a part of the queries over these columns, [b, candidates] float32."""
        return self.add(np.zeros((part.stop - part.start, len(self.candidates)), np.float32), part, columns)

    def add(self, distance: np.ndarray, part: slice, columns: Iterable[int]) -> np.ndarray:
        """Add the terms of these columns to distances [b, candidates], in place, and return them."""
        gap, numeric = np.empty_like(distance), len(self.queries.numeric)
        for column in columns:
            if column < numeric:
                np.subtract(self.queries.numeric[column, part, None], self.candidates.numeric[column], out=gap)
                distance += np.abs(gap, out=gap)
            else:
                levels = self.queries.codes[column - numeric, part, None]
                distance += levels != self.candidates.codes[column - numeric]
        return distance


def column_positions(schema: Schema) -> dict[str, int]:
    """Return where each column stands in the `Rows` of a table: numeric columns first, then categorical ones."""
    return {column.name: j for j, column in enumerate([*schema.numeric, *schema.categorical])}


def is_nearest(distance: np.ndarray) -> np.ndarray:
    """Return which candidates lie at the smallest distance from each query, [queries, candidates] bool."""
    return distance == distance.min(axis=1, keepdims=True)


def nearest(queries: Rows, candidates: Rows) -> Nearest:
    """Return the two smallest distances of each query to a candidate, and how many candidates share the smallest."""
    return nearest_of_first(queries, candidates, len(candidates))[0]


def nearest_of_first(queries: Rows, candidates: Rows, *sizes: int) -> list[Nearest]:
    """Return what is nearest to each query among the first so many candidates, for each of these numbers."""
    parts: dict[int, list[Nearest]] = {size: [] for size in sizes}
    for _, block in _blocks(queries, candidates):
        for size, found in parts.items():
            found.append(_two_smallest(block[:, :size]))
    return [_joined(parts[size]) for size in sizes]


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
        closeness, within = np.zeros(block.shape), block <= np.float32(radius)
        with np.errstate(divide="ignore"):
            closeness[within] = -np.log(block[within].astype(np.float64) / columns)
        parts.append(closeness.mean(axis=1))
    return np.concatenate(parts)


def _blocks(queries: Rows, candidates: Rows) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield consecutive positions of queries and their distances to every candidate, [b, candidates] float32."""
    gaps = Gaps(queries, candidates)
    for part in gaps.parts():
        yield part, gaps.distances(part, gaps.columns)


def _two_smallest(block: np.ndarray) -> Nearest:
    place = block.argmin(axis=1)[:, None]  # [b, 1]
    least = np.take_along_axis(block, place, axis=1)
    ties = np.array([np.count_nonzero(row) for row in block == least])
    np.put_along_axis(block, place, np.inf, axis=1)
    second = block.min(axis=1)
    np.put_along_axis(block, place, least, axis=1)
    return Nearest(least[:, 0].astype(np.float64), ties, second.astype(np.float64))


def _joined(parts: list[Nearest]) -> Nearest:
    return Nearest(
        np.concatenate([part.distance for part in parts]),
        np.concatenate([part.ties for part in parts]),
        np.concatenate([part.second for part in parts]),
    )
