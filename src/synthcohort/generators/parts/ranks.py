r"""Where among the training rows does a numeric cell lie?

The encoder's distribution function F runs from 0 to 1 over a column's training range and jumps where values repeat. A
drawn number is rounded to the column's decimals, so a cell x stands for the window x -+ h of all numbers that come back
as x, h half a unit of the last decimal, and for the ranks F(x - h) ... F(x + h). Windows of different cells never
overlap, so a law of the rank gives every cell an exact probability. A column without declared decimals has windows of
a millionth of its range: its "probability" divided by 2h is its density, averaged over the window.

A cut lies between two neighbouring training values and never inside a window of a column with decimals: which side of
a cut a cell is on can be asked of its value or of its rank, with the same answer.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri

from synthcohort.encoding import Encoder


def half_widths(encoder: Encoder) -> np.ndarray:
    """Return h of every numeric column, [P]; 0 for a constant column without decimals."""
    reach = encoder.quantiles[-1] - encoder.quantiles[0]
    columns = encoder.schema.numeric
    return np.array([5e-7 * r if c.decimals is None else 0.5 * 10.0**-c.decimals for c, r in zip(columns, reach)])


def log_measure(encoder: Encoder) -> float:
    """Return the sum of log 2h over columns without decimals: what turns probabilities of windows into densities."""
    half = half_widths(encoder)
    free = np.array([c.decimals is None for c in encoder.schema.numeric], dtype=bool) & (half > 0)
    return float(np.log(2 * half[free]).sum())


def windows(encoder: Encoder, values: np.ndarray) -> np.ndarray:
    """Return the ranks [n, P, 2] at the ends of each cell's window, in [0, 1].

    Args:
        encoder: the table's encoder.
        values: [n, P] cells; a cell outside the training range has a window of no ranks.
    """
    out = np.empty((*values.shape, 2))
    half = half_widths(encoder)
    for j in range(values.shape[1]):
        out[:, j, 0] = _below(encoder, j, values[:, j] - half[j])
        out[:, j, 1] = rank(encoder, j, values[:, j] + half[j])
    return out


def rank(encoder: Encoder, j: int, values: np.ndarray) -> np.ndarray:
    """Return F [m] of values [m] of numeric column j, an atom included."""
    q = encoder.quantiles[:, j]
    return np.interp(values, q, np.linspace(0, 1, len(q)))


def _below(encoder: Encoder, j: int, values: np.ndarray) -> np.ndarray:
    """Return F [m] just below values [m], an atom excluded."""
    q = encoder.quantiles[:, j]
    return -np.interp(-values, -q[::-1], -np.linspace(0, 1, len(q))[::-1])


def scores(encoder: Encoder, ranks: np.ndarray) -> np.ndarray:
    """Return the normal scores of ranks of any shape; ranks 0 and 1 are the ends of the training range."""
    return ndtri(encoder.lo + (1 - 2 * encoder.lo) * ranks)


def cuts(values: np.ndarray, decimals: int | None) -> np.ndarray:
    """Return the cuts [U - 1] between the U different values of a column, ascending."""
    unique = np.unique(values)
    if decimals is None:
        return (unique[:-1] + unique[1:]) / 2
    units = np.rint(unique * 10.0**decimals).astype(np.int64)
    return ((units[:-1] + units[1:]) // 2 + 0.5) / 10.0**decimals


def codes(values: np.ndarray, column_cuts: np.ndarray) -> np.ndarray:
    """Return for each value [n] the number of cuts below it, [n] int64."""
    return np.searchsorted(column_cuts, values, side="left").astype(np.int64)
