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

from collections.abc import Iterator

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


def mmd_score(real: pd.DataFrame, synthetic: pd.DataFrame, schema: Schema, *, max_rows: int, rng: Rng) -> list[Score]:
    """Return the scores named in `METRICS` on at most `max_rows` rows of each table, `mmd` first.

    Raises:
        DataProblem: if all real rows are equal, so that the kernel has no scale.
    """
    x = standardised(sample_rows(real, max_rows, rng.branch("real")), real, schema)  # [n, D]
    y = standardised(sample_rows(synthetic, max_rows, rng.branch("synthetic")), real, schema)  # [m, D]
    median = median_distance(x[:BANDWIDTH_ROWS])
    value, narrow, wide = squared_mmds(x, y, (median, median / 2.0, median * 2.0))
    p_value = permutation_p_value(x, y, median, rng.branch("permutations"))
    return [
        Score("fidelity", "mmd", value, len(y), "down"),
        Score("fidelity", "mmd_narrow", narrow, len(y), "down"),
        Score("fidelity", "mmd_wide", wide, len(y), "down"),
        Score("fidelity", "mmd_p_value", p_value, len(y), "up"),
    ]


def squared_mmd(x: np.ndarray, y: np.ndarray, bandwidth: float) -> float:
    """Return the unbiased estimate of MMD^2 of x [n, D] and y [m, D], n and m >= 2; may be negative."""
    return squared_mmds(x, y, (bandwidth,))[0]


def squared_mmds(x: np.ndarray, y: np.ndarray, bandwidths: tuple[float, ...]) -> list[float]:
    """Return the unbiased estimate of MMD^2 of x [n, D] and y [m, D] for each bandwidth; distances are taken once."""
    n, m = len(x), len(y)
    sums = zip(_kernel_sums(x, x, bandwidths), _kernel_sums(y, y, bandwidths), _kernel_sums(x, y, bandwidths))
    return [  # the diagonal of a table against itself holds ones
        (within_x - n) / (n * (n - 1)) + (within_y - m) / (m * (m - 1)) - 2.0 * between / (n * m)
        for within_x, within_y, between in sums
    ]


def permutation_p_value(x: np.ndarray, y: np.ndarray, bandwidth: float, rng: Rng) -> float:
    """Return the p-value of MMD^2 over `PERMUTATIONS` redistributions of the rows of x [n, D] and y [m, D].

    All sums that MMD^2 needs follow from the row sums of the kernel matrix K of all N rows and from K 1_b, 1_b the
    indicator of the n rows that count as x: one pass over K in blocks serves all redistributions.
    """
    z = np.concatenate([x, y])  # [N, D]
    member = np.zeros((len(z), 1 + PERMUTATIONS))  # column 0: the tables as they are
    member[: len(x)] = 1.0
    member[:, 1:] = rng.numpy().permuted(member[:, 1:], axis=0)
    values = squared_mmd_of_members(z, member, bandwidth)  # [1 + B]
    return (1.0 + float((values[1:] >= values[0] - TIE).sum())) / (1.0 + PERMUTATIONS)


def squared_mmd_of_members(z: np.ndarray, member: np.ndarray, bandwidth: float) -> np.ndarray:
    """Return the unbiased estimate of MMD^2, [B], of the rows of z [N, D] with member [N, B] 1 against those with 0.

    Every column of `member` has the same number of ones.
    """
    n = float(member[:, 0].sum())
    m = len(z) - n
    total, from_x, within_x = 0.0, np.zeros(member.shape[1]), np.zeros(member.shape[1])
    for part, squared in _squared_distances(z, z):
        kernel = np.exp(squared / (-2.0 * bandwidth**2))  # [b, N]
        sums = kernel.sum(axis=1)  # [b]
        total += float(sums.sum())
        from_x += sums @ member[part]  # [B] members against all rows
        within_x += np.einsum("nb,nb->b", member[part], kernel @ member)  # [B] members against members
    within_y = total - 2.0 * from_x + within_x
    return (within_x - n) / (n * (n - 1)) + (within_y - m) / (m * (m - 1)) - 2.0 * (from_x - within_x) / (n * m)


def median_distance(x: np.ndarray) -> float:
    """Return the median Euclidean distance over the pairs of rows of x [n, D] that differ."""
    distances = pdist(x)  # [n (n - 1) / 2]
    apart = distances[distances > 0]
    if not apart.size:
        raise DataProblem(f"all {len(x)} real rows are equal, so the kernel of the MMD has no bandwidth")
    return float(np.median(apart))


def _kernel_sums(x: np.ndarray, y: np.ndarray, bandwidths: tuple[float, ...]) -> list[float]:
    totals = [0.0] * len(bandwidths)
    for _, squared in _squared_distances(x, y):
        for place, bandwidth in enumerate(bandwidths):
            totals[place] += float(np.exp(squared / (-2.0 * bandwidth**2)).sum())
    return totals


def _squared_distances(x: np.ndarray, y: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    for start in range(0, len(x), BLOCK):
        part = slice(start, start + BLOCK)
        yield part, cdist(x[part], y, "sqeuclidean")  # [b, m]
