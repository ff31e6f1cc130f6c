"""What would SDMetrics say of this table?

The scores under which generators are reported elsewhere, computed as the package computes them (0.32), so that this
study's figures can be laid beside printed ones:

- `trend_sdmetrics`: Column Pair Trends of the quality report. Two numeric columns: 1 - |rho_real - rho_synthetic| / 2,
  Pearson's rho. Any other pair: 1 - TV of the contingency tables, numeric columns cut into ten cells of equal width
  over *each table's own* range, its largest value a cell of its own. The mean is over strongly associated pairs of the
  real table alone: |rho_real| > 0.5 for numeric pairs, Cramer's V > 0.3 for the others (0.11 averaged over all).
- `logistic_detection` = 1 - mean over 3 stratified folds of (2 max(0.5, AUROC) - 1): a logistic regression (penalty
  C = 1, at most 100 steps) on columns divided by their interquartile range tells real from synthetic rows; the
  same in 0.11 and 0.32. 1: it cannot. An AUROC below 0.5 counts as 0.5, so fresh real rows score a little below 1,
  and independent columns score near 1: the classifier sees margins only.

There is no `shape_sdmetrics`: Column Shapes of the report and `shape` of `fidelity` are the same number, and a test
says so.

The package shuffles its folds by numpy's global generator; seeding that with s equals `StratifiedKFold` with
random_state = s, which is what is drawn from the `Rng` here.

As in the package, a numeric pair with a constant synthetic column leaves the mean, although a collapsed column is the
generator's fault; the score then says nothing about that pair, which `trend` does count.
Departs: above 50,000 rows the package counts contingencies on a random subsample, here on all rows; a level absent
from the real table, on which the package's detection stops with an error, is a column of the classifier like any other.
"""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import RobustScaler

from synthcohort.metrics.combinations import Levels, block_sums, cramers_v, pair_counts
from synthcohort.metrics.fidelity import correlations
from synthcohort.metrics.matrix import DataProblem, level_codes, numeric_values, one_hot, sample_rows
from synthcohort.rng import Rng
from synthcohort.schema import Schema
from synthcohort.scores import Score

METRICS = ("trend_sdmetrics", "logistic_detection")
BINS = 10
MIN_CORRELATION = 0.5
MIN_ASSOCIATION = 0.3
FOLDS = 3


def trend_sdmetrics(real: pd.DataFrame, synthetic: pd.DataFrame, schema: Schema) -> list[Score]:
    """Return `trend_sdmetrics`, in [0, 1].

    Args:
        real: [n, P + Q] rows the generator was asked to imitate.
        synthetic: [m, P + Q] rows of the generator.
        schema: the schema of both.

    Raises:
        DataProblem: if no pair of columns is strongly associated in the real table.
    """
    pairs = strong_pairs(real, synthetic, schema)
    if not len(pairs):
        raise DataProblem(
            f"no pair of columns is strongly associated in the real table (|rho| > {MIN_CORRELATION}, "
            f"Cramer's V > {MIN_ASSOCIATION}), so the mean over such pairs is empty"
        )
    return [Score("fidelity", "trend_sdmetrics", float(pairs["trend"].mean()), len(synthetic), "up")]


def strong_pairs(real: pd.DataFrame, synthetic: pd.DataFrame, schema: Schema) -> pd.DataFrame:
    """Return the pairs that count: `first`, `second`, `trend` in [0, 1], in the schema's order."""
    trend = np.zeros((len(schema.columns), len(schema.columns)))  # numeric columns first
    counts = np.zeros(trend.shape, dtype=bool)
    ours, theirs = own_range_levels(real, schema), own_range_levels(synthetic, schema)
    cells, other_cells = pair_counts(ours), pair_counts(theirs)  # [L, L]
    trend[:] = 1.0 - block_sums(np.abs(cells / len(real) - other_cells / len(synthetic)), ours) / 2.0
    counts[:] = cramers_v(cells, ours) > MIN_ASSOCIATION
    p = len(schema.numeric)
    rho, other_rho = correlations(real, schema), correlations(synthetic, schema)  # [P, P]
    varies = np.ptp(numeric_values(synthetic, schema), axis=0) > 0
    trend[:p, :p] = 1.0 - np.abs(rho - other_rho) / 2.0
    counts[:p, :p] = (np.abs(rho) > MIN_CORRELATION) & np.logical_and.outer(varies, varies)
    place = {c.name: i for i, c in enumerate((*schema.numeric, *schema.categorical))}
    rows = [
        {"first": first, "second": second, "trend": trend[place[first], place[second]]}
        for first, second in itertools.combinations(schema.names, 2)
        if counts[place[first], place[second]]
    ]
    return pd.DataFrame(rows, columns=["first", "second", "trend"])


def own_range_levels(frame: pd.DataFrame, schema: Schema) -> Levels:
    """Return numeric columns cut over the frame's own range, the largest value apart, beside the categorical ones."""
    values = numeric_values(frame, schema)
    parts = [np.digitize(column, np.histogram_bin_edges(column, bins=BINS))[:, None] - 1 for column in values.T]
    codes = np.concatenate([*parts, level_codes(frame, schema)], axis=1)
    sizes = [BINS + 1] * values.shape[1] + [len(c.levels) for c in schema.categorical]
    return Levels(codes.astype(np.int64), np.array(sizes, dtype=np.int64))


def logistic_detection(
    real: pd.DataFrame, synthetic: pd.DataFrame, schema: Schema, *, max_rows: int, rng: Rng
) -> list[Score]:
    """Return `logistic_detection`, in [0, 1], on at most `max_rows` rows of each table.

    Args:
        real, synthetic, schema: as in `trend_sdmetrics`.
        max_rows: cap on the rows of each table; the package has none.
        rng: draws the subsamples and the folds.

    Raises:
        DataProblem: if a table has fewer rows than folds.
    """
    parts = [sample_rows(real, max_rows, rng.branch("real")), sample_rows(synthetic, max_rows, rng.branch("synthetic"))]
    features = np.concatenate([np.hstack([numeric_values(part, schema), one_hot(part, schema)]) for part in parts])
    labels = np.repeat([0, 1], [len(part) for part in parts])
    value = folded_detection(features, labels, rng.branch("folds").integer())
    return [Score("fidelity", "logistic_detection", value, len(parts[1]), "up")]


def folded_detection(features: np.ndarray, labels: np.ndarray, seed: int) -> float:
    """Return 1 - mean over folds of (2 max(0.5, AUROC) - 1).

    Args:
        features: [n, F] numeric columns beside one-hot levels, real rows first.
        labels: [n] of 0 (real) and 1 (synthetic).
        seed: shuffles the folds.
    """
    fewest = int(np.bincount(labels, minlength=2).min())
    if fewest < FOLDS:
        raise DataProblem(f"{FOLDS} folds need at least {FOLDS} rows of each table; one has {fewest}")
    excess = []
    for train, test in StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(features, labels):
        model = make_pipeline(RobustScaler(), LogisticRegression()).fit(features[train], labels[train])
        area = roc_auc_score(labels[test], model.predict_proba(features[test])[:, 1])
        excess.append(2.0 * max(0.5, float(area)) - 1.0)
    return float(1.0 - np.mean(excess))
