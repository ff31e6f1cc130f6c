r"""How are tables over some of the columns multiplied, summed out and drawn from?

A table over the columns c_1 < c_2 < ... is an array whose axes are these columns in ascending order. `spread` lines it
up with a table over more columns, so that a product is `spread(a) * b` and a sum of logarithms `spread(a) + b`.
"""

from __future__ import annotations

import math

import numpy as np

Clique = tuple[int, ...]  # column numbers, ascending


def spread(table: np.ndarray, own: Clique, wanted: Clique) -> np.ndarray:
    """Return `table` over columns `own` with an axis of length one for each other column of `wanted`, a superset."""
    held = iter(table.shape)
    return table.reshape([next(held) if c in own else 1 for c in wanted])


def total(table: np.ndarray, own: Clique, kept: Clique) -> np.ndarray:
    """Return the sum over all columns but `kept`."""
    return table.sum(axis=tuple(i for i, c in enumerate(own) if c not in kept))


def log_total(table: np.ndarray, own: Clique, kept: Clique) -> np.ndarray:
    """Return the logarithm of the sum of exp(table) over all columns but `kept`."""
    axes = tuple(i for i, c in enumerate(own) if c not in kept)
    if not axes:
        return table
    top = table.max(axis=axes, keepdims=True)
    return np.log(np.exp(table - top).sum(axis=axes)) + top.reshape(
        [s for i, s in enumerate(table.shape) if i not in axes]
    )


def given(log_table: np.ndarray, own: Clique, known: Clique) -> np.ndarray:
    """Return P(other columns | known columns) as a matrix [cells of the known, cells of the others]."""
    order = [own.index(c) for c in known] + [i for i, c in enumerate(own) if c not in known]
    cells = math.prod(log_table.shape[own.index(c)] for c in known)
    rows = log_table.transpose(order).reshape(cells, -1)
    odds = np.exp(rows - rows.max(axis=1, keepdims=True))
    return odds / odds.sum(axis=1, keepdims=True)


def count(codes: np.ndarray, columns: Clique, levels: list[int]) -> np.ndarray:
    """Return how many of the rows [d, n] fall on each cell of the columns, as a table of floats."""
    shape = tuple(levels[c] for c in columns)
    key = np.zeros(codes.shape[1], dtype=np.int64)
    for c in columns:
        key = key * levels[c] + codes[c]
    return np.bincount(key, minlength=math.prod(shape)).reshape(shape).astype(np.float64)


def cells(columns: Clique, levels: list[int]) -> int:
    """Return how many cells a table over the columns has."""
    return math.prod(levels[c] for c in columns)
