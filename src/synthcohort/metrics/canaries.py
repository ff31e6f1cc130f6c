"""Which rows are put in to be found, and how are they looked for in a synthetic table?

Canaries are rows of the schema's domain that are like no patient: every cell is drawn uniformly and by itself, numbers
between the schema's bounds, levels among all levels. The attacker knows the canaries and the train rows they joined,
but not which of them did; every score is what the synthetic table gives beyond what those rows give anyway.

- `distance`: how much nearer the nearest synthetic row is than the nearest train row, in log distance (`shadow`).
- `marginals`: what the tables of all pairs of columns say of the coins b together. Of N rows, with m / 2 canaries
  expected among them, a cell has y = N s - n t more than its n t train rows, s and t the shares of the cell in the
  synthetic and in the train table. With y = A b + noise of variance n t + 1, A telling which canary is in which cell,
  and coins of mean 1/2 and variance 1/4, the scores are the linear estimate of least squared error of b - 1/2,

      (A' W A + 4 I)^-1 A' W (y - A 1/2),   W = 1 / (n t + 1).

  Numbers are in one cell if they are in the same of `BINS` equal parts between the bounds.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import combinations

import numpy as np
import pandas as pd

from synthcohort.metrics.matrix import DataProblem
from synthcohort.metrics.shadow import closeness
from synthcohort.rng import Rng
from synthcohort.schema import Column, Schema

BINS = 10
PRECISION = 4.0  # one over the variance of a coin


def draw(count: int, schema: Schema, rng: Rng) -> pd.DataFrame:
    """Return canaries, [count, P + Q].

    Raises:
        DataProblem: if a numeric column has no bounds in the schema.
    """
    cells = {c.name: _uniform(c, count, rng.branch(c.name).numpy()) for c in schema.columns}
    return schema.check(schema.cast(pd.DataFrame(cells)))


def attacks(
    canaries: pd.DataFrame, synthetic: pd.DataFrame, train: pd.DataFrame, schema: Schema
) -> dict[str, np.ndarray]:
    """Return the scores of every canary by every attack, [m] each, higher for more likely in.

    Args:
        canaries: [m, P + Q].
        synthetic: rows of the generator that was audited.
        train: [n, P + Q] the rows that some of the canaries joined.
        schema: the schema of all three.
    """
    near = [closeness(canaries, rows, train, schema) for rows in (synthetic, train)]
    return {"distance": near[0] - near[1], "marginals": _marginals(canaries, synthetic, train, schema)}


def _uniform(column: Column, count: int, draw: np.random.Generator) -> np.ndarray:
    if not column.numeric:
        return np.array(column.levels, dtype=object)[draw.integers(len(column.levels), size=count)]
    if column.low is None or column.high is None:
        raise DataProblem(f"column {column.name!r} has no bounds in the schema, so no canary can be drawn for it")
    if column.decimals is None:
        return draw.uniform(column.low, column.high, count)
    unit = 10.0**column.decimals
    first, last = math.ceil(round(column.low * unit, 6)), math.floor(round(column.high * unit, 6))
    return np.round(draw.integers(first, last + 1, size=count) / unit, column.decimals)


def _marginals(canaries: pd.DataFrame, synthetic: pd.DataFrame, train: pd.DataFrame, schema: Schema) -> np.ndarray:
    if len(schema.columns) < 2:
        raise DataProblem(f"column {schema.names[0]!r} stands alone: there is no pair of columns")
    coded = [_codes(frame, schema) for frame in (canaries, synthetic, train)]
    m, n = len(canaries), len(train)
    told, gram = np.zeros(m), PRECISION * np.eye(m)
    for cells, drawn, base in _pairs(coded, schema):
        size = int(max(cells.max(), drawn.max(), base.max())) + 1
        own, s, t = (np.bincount(rows, minlength=size)[cells] for rows in (cells, drawn, base))  # [m] counts
        weight = 1.0 / (t + 1.0)
        told += weight * ((n + m / 2) * s / len(synthetic) - t - own / 2)
        gram += weight * (cells[:, None] == cells)  # equal weights in one cell: symmetric
    return np.linalg.solve(gram, told)


def _pairs(coded: list[np.ndarray], schema: Schema) -> Iterator[list[np.ndarray]]:
    """Yield, for every pair of columns, the cell of each row of each frame, [n] int64."""
    sizes = [BINS if c.numeric else len(c.levels) for c in schema.columns]
    for a, b in combinations(range(len(sizes)), 2):
        yield [codes[:, a] * sizes[b] + codes[:, b] for codes in coded]


def _codes(frame: pd.DataFrame, schema: Schema) -> np.ndarray:
    """Return the part or the level of each cell, [n, P + Q] int64, columns in the schema's order."""
    return np.stack([_code(frame[c.name], c) for c in schema.columns], axis=1)


def _code(cells: pd.Series, column: Column) -> np.ndarray:
    if not column.numeric:
        return cells.cat.codes.to_numpy(np.int64)
    low, high = float(column.low or 0.0), float(column.high or 0.0)  # `draw` has refused a column without them
    place = (cells.to_numpy(np.float64) - low) / (high - low if high > low else 1.0)
    return np.clip(np.floor(place * BINS), 0, BINS - 1).astype(np.int64)
