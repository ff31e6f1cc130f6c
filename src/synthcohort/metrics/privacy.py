"""Are the synthetic rows new, or are they the training rows again?

- `exact_copies`: share of synthetic rows equal in every column to a training row.
- `memorisation` = (share - p0) / (1 - p0), share = fraction of synthetic rows whose nearest real row, among training
  and test rows together, is a training row; p0 = n_train / (n_train + n_test). Fresh rows of the same law have mean 0
  whatever the sizes, because their nearest row is equally likely to be any of the n_train + n_test; copies have 1.
- `dcr_share`: the same fraction with a random training subsample as large as the test table; ideal 0.5, copying 1.
- `dcr_train_median`, `dcr_holdout_median`: median distance to the closest record (DCR) [Zhao 2021] of that subsample
  and of the test table; the two have equal sizes, so for fresh rows they agree.

Distances are those of `nearest`, on training ranges. Of several rows at the smallest distance each is equally near, so
a tie counts as the training rows' share of the tied rows; ties given to either side, or halved, would bias the score
of a table of few categorical columns, where most nearest rows are tied.

A small distance is no proof of a leak and a large one no proof of safety: tables that pass these tests fall to
membership attacks [Yao 2025]. They find gross copying, which is what they are used for here.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from synthcohort.metrics.matrix import sample_rows
from synthcohort.metrics.nearest import Nearest, distance_rows, nearest
from synthcohort.rng import Rng
from synthcohort.schema import Schema
from synthcohort.scores import Score

METRICS = ("exact_copies", "memorisation", "dcr_share", "dcr_train_median", "dcr_holdout_median")


def privacy_scores(
    train: pd.DataFrame,
    test: pd.DataFrame,
    synthetic: pd.DataFrame,
    schema: Schema,
    *,
    max_rows: int,
    rng: Rng,
) -> list[Score]:
    """Return the scores named in `METRICS`.

    Args:
        train: [n_train, P + Q] rows the generator learned from.
        test: [n_test, P + Q] real rows it never saw, no row of which is also in `train`.
        synthetic: [m, P + Q] rows of the generator.
        schema: the schema of all three.
        max_rows: use at most so many synthetic rows for distances.
        rng: draws the subsamples.
    """
    judged = distance_rows(sample_rows(synthetic, max_rows, rng.branch("synthetic")), train, schema)
    members, holdout = distance_rows(train, train, schema), distance_rows(test, train, schema)
    size = min(len(members), len(holdout))
    to_train, to_holdout = nearest(judged, members), nearest(judged, holdout)
    to_train_equal = nearest(judged, members.take(_subset(len(members), size, rng.branch("members"))))
    to_holdout_equal = nearest(judged, holdout.take(_subset(len(holdout), size, rng.branch("holdout"))))
    chance = len(members) / (len(members) + len(holdout))
    excess = (nearer_share(to_train, to_holdout) - chance) / (1.0 - chance)
    equal, n = nearer_share(to_train_equal, to_holdout_equal), len(judged)
    return [
        Score("privacy", "exact_copies", exact_copies(train, synthetic), len(synthetic), "down"),
        Score("privacy", "memorisation", excess, n, "down"),
        Score("privacy", "dcr_share", equal, n, "half"),
        Score("privacy", "dcr_train_median", float(np.median(to_train_equal.distance)), n, "up"),
        Score("privacy", "dcr_holdout_median", float(np.median(to_holdout_equal.distance)), n, "down"),
    ]


def nearer_share(first: Nearest, second: Nearest) -> float:
    """Return the share of queries whose nearest row lies in the first table, in [0, 1].

    Rows tied at the smallest distance share the query equally, so that the expectation for exchangeable rows is the
    first table's share of all rows.
    """
    tied = first.ties / (first.ties + second.ties)
    won = np.where(first.distance == second.distance, tied, first.distance < second.distance)
    return float(won.mean())


def exact_copies(train: pd.DataFrame, synthetic: pd.DataFrame) -> float:
    """Return the share of synthetic rows that equal a training row in every column."""
    return float(np.isin(_row_keys(synthetic), _row_keys(train)).mean())


def _row_keys(frame: pd.DataFrame) -> np.ndarray:
    return pd.util.hash_pandas_object(frame, index=False).to_numpy()  # [n] uint64


def _subset(size: int, wanted: int, rng: Rng) -> np.ndarray:
    return rng.numpy().choice(size, size=wanted, replace=False)
