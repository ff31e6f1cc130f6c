"""Can a classifier tell synthetic rows from real rows it has never seen?

The classifier two-sample test [Lopez-Paz 2017]: label unseen real rows 0 and synthetic rows 1, train on four fifths,
score the last fifth by the area under the ROC curve, average over the five. 0.5: indistinguishable; 1: every row
gives itself away.

- `c2st_xgboost`: gradient-boosted trees.
- `c2st_logistic`: logistic regression on numeric columns, standardised by the training folds, beside one-hot levels.
  A linear classifier cannot see missing dependence, so independent columns pass it; trees can. The two stand
  together: what passes the first and fails the second has the margins right and little else.

Departs: the real side holds test rows, not training rows, so that a copied training row is no evidence either way;
both sides have the same size, so that the score means the same on every table; and equal rows share a fold, since
otherwise a row drawn twice is recognised by its twin and not by its law. Both classifiers see the same rows in the same
folds if they are given the same `Rng`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from synthcohort.metrics.classifiers import PREDICTORS, Predictor, fit_classifier
from synthcohort.metrics.matrix import DataProblem, sample_rows, tree_features
from synthcohort.rng import Rng
from synthcohort.schema import Column, Schema
from synthcohort.scores import Score

FOLDS = 5
FAMILIES = {"c2st_xgboost": "xgboost", "c2st_logistic": "logistic_regression"}
METRICS = tuple(FAMILIES)

Probability = Callable[[np.ndarray], np.ndarray]  # features [n, F] -> P(synthetic) [n]
Learner = Callable[[np.ndarray, np.ndarray, int], Probability]  # training features, labels, seed -> fitted


@dataclass(frozen=True)
class TwoSamples:
    """As many unseen real as synthetic rows, ready to be told apart.

    Args:
        parts: the real and the synthetic rows, [size, P + Q] each.
        labels: [2 size] 0 for the real, then 1 for the synthetic rows.
        folds: [2 size] fold of each row, 0 .. FOLDS - 1.
    """

    parts: tuple[pd.DataFrame, pd.DataFrame]
    labels: np.ndarray
    folds: np.ndarray

    @property
    def size(self) -> int:
        """Rows of each side."""
        return len(self.parts[0])


def c2st_scores(unseen: pd.DataFrame, synthetic: pd.DataFrame, schema: Schema, rng: Rng) -> list[Score]:
    """Return the scores named in `METRICS`: AUROC of telling synthetic from unseen real rows; 0.5 is ideal.

    Args:
        unseen: [n, P + Q] real rows the generator never saw.
        synthetic: [m, P + Q] rows of the generator.
        schema: the schema of both.
        rng: draws the subsamples, the folds and the classifiers.

    Raises:
        DataProblem: if too few distinct rows leave a fold with one label only.
    """
    samples = two_samples(unseen, synthetic, schema, rng)
    return [_score(metric, samples, schema, rng) for metric in METRICS]


def c2st_xgboost(unseen: pd.DataFrame, synthetic: pd.DataFrame, schema: Schema, rng: Rng) -> list[Score]:
    """Return `c2st_xgboost` alone; arguments and errors as in `c2st_scores`."""
    return [_score("c2st_xgboost", two_samples(unseen, synthetic, schema, rng), schema, rng)]


def two_samples(unseen: pd.DataFrame, synthetic: pd.DataFrame, schema: Schema, rng: Rng) -> TwoSamples:
    """Return equally many rows of both tables with their labels and folds."""
    size = min(len(unseen), len(synthetic))
    parts = (sample_rows(unseen, size, rng.branch("real")), sample_rows(synthetic, size, rng.branch("synthetic")))
    whole = np.concatenate([tree_features(part, schema.columns) for part in parts])  # [2 size, P + Q]
    labels = np.repeat([0, 1], size)  # [2 size]
    return TwoSamples(parts, labels, stratified_folds(whole, labels, rng.branch("folds")))


def of_family(predictor: Predictor, columns: Sequence[Column]) -> Learner:
    """Return a `Learner` of this family from the numbers of these columns, which it scales by its training rows."""

    def learn(numbers: np.ndarray, labels: np.ndarray, seed: int) -> Probability:
        scale = predictor.scale(numbers, columns)
        fitted = fit_classifier(predictor, scale(numbers), labels, levels=2, seed=seed)
        return lambda rows: fitted.probabilities(scale(rows))[:, 1]

    return learn


def cross_fitted_auroc(
    learn: Learner, features: np.ndarray, labels: np.ndarray, *, folds: np.ndarray, rng: Rng
) -> float:
    """Return the mean AUROC over the folds, each scored by a classifier trained on the others.

    Args:
        learn: fits a classifier.
        features: [n, F].
        labels: [n] of 0 and 1.
        folds: [n] of 0 .. FOLDS - 1.
        rng: seeds the classifiers.

    Raises:
        DataProblem: if too few distinct rows leave a fold with one label only.
    """
    areas = []
    for number in range(FOLDS):
        outer = folds == number
        if np.unique(labels[outer]).size < 2 or np.unique(labels[~outer]).size < 2:
            distinct = [len(np.unique(features[labels == label], axis=0)) for label in (0, 1)]
            raise DataProblem(
                f"only {distinct[0]} distinct real and {distinct[1]} distinct synthetic rows: "
                f"too few for {FOLDS} folds in which no row stands twice"
            )
        probability = learn(features[~outer], labels[~outer], rng.branch("fit", number).integer())
        areas.append(roc_auc_score(labels[outer], probability(features[outer])))
    return float(np.mean(areas))


def stratified_folds(features: np.ndarray, labels: np.ndarray, rng: Rng) -> np.ndarray:
    """Return the fold of each row, [n] of 0 .. FOLDS - 1: equal rows share a fold, labels are spread evenly.

    Args:
        features: [n, F].
        labels: [n] of 0 and 1.
        rng: shuffles the distinct rows.
    """
    _, group = np.unique(features, axis=0, return_inverse=True)  # [n]
    share = np.bincount(group, weights=labels) / np.bincount(group)  # [distinct]
    order = np.lexsort((rng.numpy().permutation(len(share)), share))
    fold = np.empty(len(share), dtype=np.int64)
    fold[order] = np.arange(len(share)) % FOLDS
    return fold[group]  # [n]


def _score(metric: str, samples: TwoSamples, schema: Schema, rng: Rng) -> Score:
    predictor, columns = PREDICTORS[FAMILIES[metric]], schema.columns
    numbers = np.concatenate([predictor.encode(part, columns) for part in samples.parts])
    learn = of_family(predictor, columns)
    value = cross_fitted_auroc(learn, numbers, samples.labels, folds=samples.folds, rng=rng)
    return Score("fidelity", metric, value, samples.size, "half")
