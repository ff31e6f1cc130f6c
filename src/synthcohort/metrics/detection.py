"""Can a strong classifier tell synthetic rows from real rows it has never seen?

The classifier two-sample test [Lopez-Paz 2017]: label unseen real rows 0 and synthetic rows 1, train on four fifths,
score the last fifth by the area under the ROC curve, average over the five. 0.5: indistinguishable; 1: every row
gives itself away. A linear classifier cannot see missing dependence (independent columns pass it), gradient-boosted
trees can.

Departs: the real side holds test rows, not training rows, so that a copied training row is no evidence either way, and
both sides have the same size, so that the score means the same on every table.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold

from synthcohort.metrics.classifiers import PREDICTORS, Predictor, fit_classifier
from synthcohort.metrics.matrix import sample_rows, tree_features
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
        labels: [n] of 0 and 1, at least `FOLDS` of each.
        rng: draws the folds and the classifiers.
    """
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=rng.branch("folds").integer())
    areas = []
    for number, (inner, outer) in enumerate(folds.split(features, labels)):
        seed = rng.branch("fit", number).integer()
        fitted = fit_classifier(predictor, features[inner], labels[inner], levels=2, seed=seed)
        areas.append(roc_auc_score(labels[outer], fitted.probabilities(features[outer])[:, 1]))
    return float(np.mean(areas))
