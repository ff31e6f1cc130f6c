"""Can a strong classifier tell synthetic rows from real rows it has never seen?

The classifier two-sample test [Lopez-Paz 2017]: label unseen real rows 0 and synthetic rows 1, train on four fifths,
score the last fifth by the area under the ROC curve, average over the five. 0.5: indistinguishable; 1: every row
gives itself away. A linear classifier cannot see missing dependence (independent columns pass it), gradient-boosted
trees can.

Departs: the real side holds test rows, not training rows, so that a copied training row is no evidence either way;
both sides have the same size, so that the score means the same on every table; and equal rows share a fold, since
otherwise a row drawn twice is recognised by its twin and not by its law.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from synthcohort.metrics.classifiers import PREDICTORS, Predictor, fit_classifier
from synthcohort.metrics.matrix import DataProblem, sample_rows, tree_features
from synthcohort.rng import Rng
from synthcohort.schema import Schema
from synthcohort.scores import Score

FOLDS = 5
METRICS = ("c2st_xgboost",)


def c2st_xgboost(unseen: pd.DataFrame, synthetic: pd.DataFrame, schema: Schema, rng: Rng) -> list[Score]:
    """Return `c2st_xgboost`: AUROC of telling synthetic from unseen real rows; 0.5 is ideal.

    Args:
        unseen: [n, P + Q] real rows the generator never saw.
        synthetic: [m, P + Q] rows of the generator.
        schema: the schema of both.
        rng: draws the subsamples, the folds and the classifier.
    """
    size = min(len(unseen), len(synthetic))
    parts = [sample_rows(unseen, size, rng.branch("real")), sample_rows(synthetic, size, rng.branch("synthetic"))]
    features = np.concatenate([tree_features(part, schema, with_target=True) for part in parts])  # [2 size, P + Q]
    labels = np.repeat([0, 1], size)  # [2 size]
    value = cross_fitted_auroc(PREDICTORS["xgboost"], features, labels, rng)
    return [Score("fidelity", "c2st_xgboost", value, size, "half")]


def cross_fitted_auroc(predictor: Predictor, features: np.ndarray, labels: np.ndarray, rng: Rng) -> float:
    """Return the mean AUROC over `FOLDS` stratified folds, each scored by a classifier trained on the others.

    Args:
        predictor: family of the classifier.
        features: [n, F].
        labels: [n] of 0 and 1.
        rng: draws the folds and the classifiers.

    Raises:
        DataProblem: if too few distinct rows leave a fold with one label only.
    """
    folds = stratified_folds(features, labels, rng.branch("folds"))
    areas = []
    for number in range(FOLDS):
        outer = folds == number
        if np.unique(labels[outer]).size < 2 or np.unique(labels[~outer]).size < 2:
            distinct = [len(np.unique(features[labels == label], axis=0)) for label in (0, 1)]
            raise DataProblem(
                f"only {distinct[0]} distinct real and {distinct[1]} distinct synthetic rows: "
                f"too few for {FOLDS} folds in which no row stands twice"
            )
        seed = rng.branch("fit", number).integer()
        fitted = fit_classifier(predictor, features[~outer], labels[~outer], levels=2, seed=seed)
        areas.append(roc_auc_score(labels[outer], fitted.probabilities(features[outer])[:, 1]))
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
