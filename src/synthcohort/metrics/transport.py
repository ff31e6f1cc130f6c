"""How far must rows be moved to turn the real table into the synthetic one?

The Wasserstein-1 distance of two samples of equally many rows,

    W = min over matchings pi of (1 / n) sum_i c(x_i, y_pi(i))   [Peyre & Cuturi 2019, section 2.2],

exact, by linear assignment. The cost c is the sum over numeric columns of |difference| / range, with the range of the
training table, and of 1 for every categorical column that differs: the L1 distance of range-scaled numeric columns
beside halved one-hot levels. W is therefore in columns: 0.5 is half a range, or a changed level in every second row.

- `wasserstein_train`: W from training to synthetic rows.
- `wasserstein_test`: W from test to synthetic rows.

Two samples of one law are not at distance 0 but at a floor that falls slowly with n, about as n^(-1/P) for P > 2
numeric columns. Hence all three tables give equally many rows, and for fresh rows the two scores have one mean; a
`wasserstein_train` that is the smaller one says that rows lie closer to patients that were seen. Values of different
n are not comparable: judge a generator beside fresh rows at the same n. Copies of the training table beat fresh rows
on `wasserstein_train` and only there, the more so the larger the share of the training table that n is.

Values outside the training range cost more than 1 a column, in proportion; a column constant in the training table
counts in its own unit.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from synthcohort.metrics.matrix import one_hot, require_rows, sample_rows, unit_numeric
from synthcohort.metrics.release import Release
from synthcohort.rng import Rng
from synthcohort.schema import Schema
from synthcohort.scores import Score

METRICS = ("wasserstein_train", "wasserstein_test")


def transport_scores(release: Release, *, max_rows: int = 1000, rng: Rng) -> list[Score]:
    """Return `wasserstein_train` and `wasserstein_test`.

    Args:
        release: what is judged.
        max_rows: use at most so many rows of each table, and of each as many as the smallest has. Time grows with the
            cube of this number.
        rng: draws the subsamples.

    Raises:
        DataProblem: if fewer than `MIN_ROWS` rows of a table are allowed.
    """
    tables = {"train": release.train, "test": release.test, "synthetic": release.synthetic}
    size = min(max_rows, *map(len, tables.values()))
    kept = {name: sample_rows(frame, size, rng.branch(name)) for name, frame in tables.items()}
    for name, frame in kept.items():
        require_rows(frame, name)
    rows = {name: transport_rows(frame, release.train, release.schema) for name, frame in kept.items()}
    return [
        Score("fidelity", f"wasserstein_{name}", wasserstein(rows[name], rows["synthetic"]), size, "down")
        for name in ("train", "test")
    ]


def transport_rows(frame: pd.DataFrame, train: pd.DataFrame, schema: Schema) -> np.ndarray:
    """Return the rows whose L1 distance is the cost, [n, P + sum K]."""
    return np.concatenate([unit_numeric(frame, train, schema), one_hot(frame, schema) / 2.0], axis=1)


def wasserstein(x: np.ndarray, y: np.ndarray) -> float:
    """Return the least mean L1 distance of a matching of x [n, D] and y [n, D], >= 0."""
    cost = cdist(x, y, "cityblock")  # [n, n]
    return float(cost[linear_sum_assignment(cost)].mean())
