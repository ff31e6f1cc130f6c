"""How far apart are the joint laws of two tables, seen through a kernel?

The squared maximum mean discrepancy with k(x, y) = exp(-|x - y|^2 / (2 s^2)), by the unbiased estimator
[Gretton 2012, eq. 3]:

    MMD^2 = sum_{i != j} k(x_i, x_j) / (n (n - 1)) + sum_{i != j} k(y_i, y_j) / (m (m - 1))
            - 2 sum_{i, j} k(x_i, y_j) / (n m).

It averages 0 when both samples have one law, so single values may be negative. The bandwidth s is the median distance
between real rows [Gretton 2012, section 8]. Rows are standardised numeric columns beside one-hot levels, both scaled on
the real table.

Departs: the median is taken over pairs at a positive distance, since more than half of the pairs of a table of few
categorical columns can coincide, which would make s zero.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.spatial.distance import cdist, pdist

from synthcohort.metrics.matrix import DataProblem, sample_rows, standardised
from synthcohort.rng import Rng
from synthcohort.schema import Schema
from synthcohort.scores import Score

METRICS = ("mmd",)
BANDWIDTH_ROWS = 1000  # about half a million pairs: their median is known to a fraction of a percent
BLOCK = 512


def mmd_score(real: pd.DataFrame, synthetic: pd.DataFrame, schema: Schema, *, max_rows: int, rng: Rng) -> list[Score]:
    """Return `mmd`, the unbiased estimate of MMD^2 on at most `max_rows` rows of each table.

    Raises:
        DataProblem: if all real rows are equal, so that the kernel has no scale.
    """
    x = standardised(sample_rows(real, max_rows, rng.branch("real")), real, schema)  # [n, D]
    y = standardised(sample_rows(synthetic, max_rows, rng.branch("synthetic")), real, schema)  # [m, D]
    bandwidth = median_distance(x[:BANDWIDTH_ROWS])
    return [Score("fidelity", "mmd", squared_mmd(x, y, bandwidth), len(y), "down")]


def squared_mmd(x: np.ndarray, y: np.ndarray, bandwidth: float) -> float:
    """Return the unbiased estimate of MMD^2 of x [n, D] and y [m, D], n and m >= 2; may be negative."""
    n, m = len(x), len(y)
    within_x = (_kernel_sum(x, x, bandwidth) - n) / (n * (n - 1))  # the diagonal holds n ones
    within_y = (_kernel_sum(y, y, bandwidth) - m) / (m * (m - 1))
    return within_x + within_y - 2.0 * _kernel_sum(x, y, bandwidth) / (n * m)


def median_distance(x: np.ndarray) -> float:
    """Return the median Euclidean distance over the pairs of rows of x [n, D] that differ."""
    distances = pdist(x)  # [n (n - 1) / 2]
    apart = distances[distances > 0]
    if not apart.size:
        raise DataProblem(f"all {len(x)} real rows are equal, so the kernel of the MMD has no bandwidth")
    return float(np.median(apart))


def _kernel_sum(x: np.ndarray, y: np.ndarray, bandwidth: float) -> float:
    blocks = (x[start : start + BLOCK] for start in range(0, len(x), BLOCK))
    return float(sum(np.exp(cdist(block, y, "sqeuclidean") / (-2.0 * bandwidth**2)).sum() for block in blocks))
