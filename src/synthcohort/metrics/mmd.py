"""How far apart are the joint laws of two tables, seen through a kernel, and could chance alone put them so far?

The squared maximum mean discrepancy with k(x, y) = exp(-|x - y|^2 / (2 s^2)), by the unbiased estimator
[Gretton 2012, eq. 3]:

    MMD^2 = sum_{i != j} k(x_i, x_j) / (n (n - 1)) + sum_{i != j} k(y_i, y_j) / (m (m - 1))
            - 2 sum_{i, j} k(x_i, y_j) / (n m).

It averages 0 when both samples have one law, so single values may be negative. The bandwidth s is the median distance
between real rows [Gretton 2012, section 8]. Rows are standardised numeric columns beside one-hot levels, both scaled on
the real table.

- `mmd`: s is the median; `mmd_narrow`: half of it, for what is wrong in detail; `mmd_wide`: twice, for what is wrong at
  large.
- `mmd_p_value` = (1 + #{b: MMD_b^2 >= MMD^2}) / (1 + B), with MMD_b^2 the value of `mmd` after the b-th of B = 200
  random redistributions of all rows over the two tables [Phipson & Smyth 2010]. For two samples of one law it
  is uniform on 1/201 .. 1; one below 0.05 says that the tables differ, a large one only that these rows do not show it.
  For two laws it falls as rows are added: compare it between tables of equally many rows only.

The test takes rows for independent draws. Copies are not: resampled training rows against the training table itself
lie closer than chance would put them, and the p-value is too large (conservative); resampled or nearly copied rows
against unseen real rows carry the chance of the training table and their own, and it is too small (anti-conservative).

Departs: the median is taken over pairs at a positive distance, since more than half of the pairs of a table of few
categorical columns can coincide, which would make s zero; and the bandwidth stays that of the real rows when rows are
redistributed, since one kernel serves all redistributions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.spatial.distance import cdist, pdist

from synthcohort.metrics.matrix import DataProblem, sample_rows, standardised
from synthcohort.rng import Rng
from synthcohort.schema import Schema
from synthcohort.scores import Score

METRICS = ("mmd", "mmd_narrow", "mmd_wide", "mmd_p_value")
BANDWIDTH_ROWS = 1000  # about half a million pairs: their median is known to a fraction of a percent
BLOCK = 512
PERMUTATIONS = 200
TIE = 1e-9  # statistics closer than this are equal: above the rounding of sums, far below any MMD^2 of interest


@dataclass(frozen=True)
class Pairs:
    """A number for every pair of rows of two tables x [n, D] and y [m, D], n and m >= 2.

    Args:
        xx: [n, n] within x.
        yy: [m, m] within y.
        xy: [n, m] between them.
    """

    xx: np.ndarray
    yy: np.ndarray
    xy: np.ndarray


def mmd_score(real: pd.DataFrame, synthetic: pd.DataFrame, schema: Schema, *, max_rows: int, rng: Rng) -> list[Score]:
    """Return the scores named in `METRICS` on at most `max_rows` rows of each table, `mmd` first.

    Raises:
        DataProblem: if all real rows are equal, so that the kernel has no scale.
    """
    x = standardised(sample_rows(real, max_rows, rng.branch("real")), real, schema)  # [n, D]
    y = standardised(sample_rows(synthetic, max_rows, rng.branch("synthetic")), real, schema)  # [m, D]
    median = median_distance(x[:BANDWIDTH_ROWS])
    squared = squared_distances(x, y)
    kernel = gaussian(squared, median)
    values = [squared_mmd(one) for one in (kernel, gaussian(squared, median / 2.0), gaussian(squared, median * 2.0))]
    return [
        *(Score("fidelity", name, value, len(y), "down") for name, value in zip(METRICS, values)),
        Score("fidelity", "mmd_p_value", permutation_p_value(kernel, rng.branch("permutations")), len(y), "up"),
    ]


def squared_distances(x: np.ndarray, y: np.ndarray) -> Pairs:
    """Return the squared Euclidean distances of x [n, D] and y [m, D]."""
    return Pairs(*(cdist(a, b, "sqeuclidean") for a, b in ((x, x), (y, y), (x, y))))


def gaussian(squared: Pairs, bandwidth: float) -> Pairs:
    """Return the Gaussian kernel of squared distances."""
    scale = -2.0 * bandwidth**2
    return Pairs(np.exp(squared.xx / scale), np.exp(squared.yy / scale), np.exp(squared.xy / scale))


def squared_mmd(kernel: Pairs) -> float:
    """Return the unbiased estimate of MMD^2; may be negative."""
    n, m = kernel.xy.shape  # the diagonal of a table against itself holds ones
    within_x, within_y = (_sum(kernel.xx) - n) / (n * (n - 1)), (_sum(kernel.yy) - m) / (m * (m - 1))
    return within_x + within_y - 2.0 * _sum(kernel.xy) / (n * m)


def permutation_p_value(kernel: Pairs, rng: Rng) -> float:
    """Return the p-value of MMD^2 over `PERMUTATIONS` redistributions of the rows of x and y.

    All sums that MMD^2 needs follow from the row sums of the kernel matrix K of all N rows and from K 1_b, 1_b the
    indicator of the n rows that count as x: one matrix product serves all redistributions.
    """
    n, m = kernel.xy.shape
    member = np.zeros((n + m, 1 + PERMUTATIONS))  # column 0: the tables as they are
    member[:n] = 1.0
    member[:, 1:] = rng.numpy().permuted(member[:, 1:], axis=0)
    values = squared_mmd_of_members(kernel, member)  # [1 + B]
    return (1.0 + float((values[1:] >= values[0] - TIE).sum())) / (1.0 + PERMUTATIONS)


def squared_mmd_of_members(kernel: Pairs, member: np.ndarray) -> np.ndarray:
    """Return the unbiased estimate of MMD^2, [B], of the rows with member [n + m, B] 1 against those with 0.

    Every column of `member` has the same number of ones; rows of x come first.
    """
    of_x, of_y = np.split(member, [len(kernel.xx)])  # [n, B], [m, B]
    rows_x = kernel.xx.sum(axis=1) + kernel.xy.sum(axis=1)  # [n]
    rows_y = kernel.yy.sum(axis=1) + kernel.xy.sum(axis=0)  # [m]
    total, from_x = rows_x.sum() + rows_y.sum(), rows_x @ of_x + rows_y @ of_y  # from_x: [B] members against all rows
    within_x = (of_x * (kernel.xx @ of_x + 2.0 * (kernel.xy @ of_y))).sum(axis=0)
    within_x += (of_y * (kernel.yy @ of_y)).sum(axis=0)  # [B] members against members
    within_y = total - 2.0 * from_x + within_x
    n = float(member[:, 0].sum())
    m = len(member) - n
    return (within_x - n) / (n * (n - 1)) + (within_y - m) / (m * (m - 1)) - 2.0 * (from_x - within_x) / (n * m)


def median_distance(x: np.ndarray) -> float:
    """Return the median Euclidean distance over the pairs of rows of x [n, D] that differ."""
    distances = pdist(x)  # [n (n - 1) / 2]
    apart = distances[distances > 0]
    if not apart.size:
        raise DataProblem(f"all {len(x)} real rows are equal, so the kernel of the MMD has no bandwidth")
    return float(np.median(apart))


def _sum(kernel: np.ndarray) -> float:
    return sum(float(kernel[start : start + BLOCK].sum()) for start in range(0, len(kernel), BLOCK))
