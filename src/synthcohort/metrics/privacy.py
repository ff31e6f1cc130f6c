"""Are the synthetic rows new, or are they the training rows again?

- `exact_copies`: share of synthetic rows equal in every column to a training row.
- `memorisation` = (share - p0) / (1 - p0), share = fraction of synthetic rows whose nearest real row, among training
  and test rows together, is a training row; p0 = n_train / (n_train + n_test). Fresh rows of the same law have mean 0
  whatever the sizes, because their nearest row is equally likely to be any of the n_train + n_test; copies have 1.
- `dcr_share`: the same fraction with a random training subsample as large as the test table; ideal 0.5, copying 1.
- `dcr_train_median`, `dcr_holdout_median`: median distance to the closest record (DCR) [Zhao 2021] of that subsample
  and of the test table; the two have equal sizes, so for fresh rows they agree.
- `nndr_train_median`, `nndr_holdout_median`: median nearest neighbour distance ratio d1 / d2 (NNDR) [Zhao 2021], the
  distance to the nearest row over that to the second nearest, of the same two tables, in [0, 1]; near 0 a row singles
  out one record. Ideal: the two agree, as they do for fresh rows.
- `near_copies_excess`: share of synthetic rows at most r from their nearest training row, less the same share of test
  rows; r is the 1 % quantile of the distances of training rows to their nearest other training row. Ideal 0: fresh rows
  come as near as test rows do (a share of about 1 %); exact copies have about 0.99.
- `replicas`: share of synthetic rows with d1 / d2 < 1/3 to the training rows, the rule of a replica [TabCutMix 2024];
  its ideal is `replicas_holdout`, the share among test rows, which is no memory but the shape of the table.

Distances are those of `nearest`, on training ranges. Of several rows at the smallest distance each is equally near, so
a tie counts as the training rows' share of the tied rows; ties given to either side, or halved, would bias the score
of a table of few categorical columns, where most nearest rows are tied. Where two records tie, at distance 0 too, their
ratio is 1: the row singles out neither. Hence a copy of a training row that stands twice is no replica; `exact_copies`
and `near_copies_excess` count it.

A small distance is no proof of a leak and a large one no proof of safety: tables that pass these tests fall to
membership attacks [Yao 2025], for which see `membership`. They find gross copying, which is what they are used for
here.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from synthcohort.metrics.matrix import DataProblem, sample_rows
from synthcohort.metrics.nearest import Nearest, Rows, distance_rows, nearest, nearest_of_first
from synthcohort.rng import Rng
from synthcohort.schema import Schema
from synthcohort.scores import Score

METRICS = (
    *("exact_copies", "memorisation", "dcr_share", "dcr_train_median", "dcr_holdout_median"),
    *("nndr_train_median", "nndr_holdout_median", "near_copies_excess", "replicas", "replicas_holdout"),
)
NEAR_QUANTILE = 0.01
REPLICA_RATIO = 1 / 3


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
        max_rows: use at most so many rows of each table as queries for distances.
        rng: draws the subsamples.

    Raises:
        DataProblem: if there is one training or test row only, so that no row has a second neighbour.
    """
    judged = distance_rows(sample_rows(synthetic, max_rows, rng.branch("synthetic")), train, schema)
    members, holdout = distance_rows(train, train, schema), distance_rows(test, train, schema)
    size = min(len(members), len(holdout))
    to_train, to_train_equal = _nearest_of(judged, members, size, rng.branch("members"))
    to_holdout, to_holdout_equal = _nearest_of(judged, holdout, size, rng.branch("holdout"))
    fresh = nearest(_some(holdout, max_rows, rng.branch("fresh")), members)
    others = nearest(_some(members, max_rows, rng.branch("others")), members)  # itself first, then the next row
    chance = len(members) / (len(members) + len(holdout))
    excess = (nearer_share(to_train, to_holdout) - chance) / (1.0 - chance)
    equal, n = nearer_share(to_train_equal, to_holdout_equal), len(judged)
    radius = near_radius(others.second)
    near = float((to_train.distance <= radius).mean() - (fresh.distance <= radius).mean())
    ratio, fresh_ratio = distance_ratio(to_train), distance_ratio(fresh)
    return [
        Score("privacy", "exact_copies", exact_copies(train, synthetic), len(synthetic), "down"),
        Score("privacy", "memorisation", excess, n, "down"),
        Score("privacy", "dcr_share", equal, n, "half"),
        Score("privacy", "dcr_train_median", float(np.median(to_train_equal.distance)), n, "up"),
        Score("privacy", "dcr_holdout_median", float(np.median(to_holdout_equal.distance)), n, "down"),
        Score("privacy", "nndr_train_median", float(np.median(distance_ratio(to_train_equal))), n, "up"),
        Score("privacy", "nndr_holdout_median", float(np.median(distance_ratio(to_holdout_equal))), n, "down"),
        Score("privacy", "near_copies_excess", near, n, "down"),
        Score("privacy", "replicas", float((ratio < REPLICA_RATIO).mean()), n, "down"),
        Score("privacy", "replicas_holdout", float((fresh_ratio < REPLICA_RATIO).mean()), len(fresh_ratio), "down"),
    ]


def near_radius(spacing: np.ndarray) -> float:
    """Return the smallest distance that `NEAR_QUANTILE` of the rows do not exceed.

    Args:
        spacing: [n] distance of each training row to its nearest other training row.
    """
    return float(np.quantile(spacing, NEAR_QUANTILE, method="inverted_cdf"))


def distance_ratio(found: Nearest) -> np.ndarray:
    """Return d1 / d2 of each query, [n] in [0, 1]; 1 where the two nearest rows tie, at distance 0 too.

    Raises:
        DataProblem: if there was one candidate only.
    """
    if np.isinf(found.second).any():
        raise DataProblem("a table of one row has no second nearest row, which a distance ratio needs; add rows")
    return np.divide(found.distance, found.second, out=np.ones_like(found.distance), where=found.second > 0)


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


def _nearest_of(queries: Rows, rows: Rows, size: int, rng: Rng) -> list[Nearest]:
    """Return what is nearest to each query among all rows, and among `size` of them drawn at random."""
    drawn = _subset(len(rows), size, rng)
    order = np.concatenate([drawn, np.setdiff1d(np.arange(len(rows)), drawn)])
    return nearest_of_first(queries, rows.take(order), len(rows), size)


def _some(rows: Rows, most: int, rng: Rng) -> Rows:
    return rows.take(_subset(len(rows), min(most, len(rows)), rng))


def _subset(size: int, wanted: int, rng: Rng) -> np.ndarray:
    return rng.numpy().choice(size, size=wanted, replace=False)
