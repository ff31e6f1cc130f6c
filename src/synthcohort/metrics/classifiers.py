"""Which predictors stand in for the analysts who will use the table?

A random forest and gradient-boosted trees: strong on tables, indifferent to the scale of a column, and of two different
characters. Settings are fixed for every table and every generator, so that a difference between two scores is a
difference between two training tables and not between two searches. One thread each: equal runs give equal bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from xgboost import XGBClassifier, XGBRegressor

from synthcohort.metrics.matrix import DataProblem


@dataclass(frozen=True)
class Predictor:
    """A family of predictors.

    Args:
        name: how metrics and params.yaml call it.
        classifier: seed -> an unfitted classifier.
        regressor: seed -> an unfitted regressor.
    """

    name: str
    classifier: Callable[[int], Any]
    regressor: Callable[[int], Any]


_FOREST: dict[str, Any] = {"n_estimators": 100, "min_samples_leaf": 2, "max_features": "sqrt", "n_jobs": 1}
_BOOST: dict[str, Any] = {"n_estimators": 150, "max_depth": 4, "learning_rate": 0.1, "tree_method": "hist", "n_jobs": 1}

PREDICTORS: Mapping[str, Predictor] = {
    "random_forest": Predictor(
        "random_forest",
        lambda seed: RandomForestClassifier(**_FOREST, random_state=seed),
        lambda seed: RandomForestRegressor(**_FOREST, random_state=seed),
    ),
    "xgboost": Predictor(
        "xgboost",
        lambda seed: XGBClassifier(**_BOOST, random_state=seed),
        lambda seed: XGBRegressor(**_BOOST, random_state=seed),
    ),
}


@dataclass(frozen=True)
class Fitted:
    """A fitted classifier whose probabilities cover every level of the target.

    Args:
        model: the fitted classifier.
        seen: codes of the levels present in training, ascending.
        levels: number of levels K of the target.
    """

    model: Any
    seen: np.ndarray
    levels: int

    def probabilities(self, features: np.ndarray) -> np.ndarray:
        """Return P(level | row), [n, K]; a level absent from training has probability 0, as the model believes."""
        result = np.zeros((len(features), self.levels))
        result[:, self.seen] = self.model.predict_proba(features)
        return result


def fit_classifier(
    predictor: Predictor,
    features: np.ndarray,
    codes: np.ndarray,
    *,
    levels: int,
    seed: int,
    weights: np.ndarray | None = None,
) -> Fitted:
    """Fit a classifier.

    Args:
        predictor: its family.
        features: [n, F] training features.
        codes: [n] codes of the target's level, 0 .. levels - 1.
        levels: number of levels K of the target.
        seed: seed of the fit.
        weights: [n] weights of the rows; None weighs them equally.

    Raises:
        DataProblem: if the training rows hold fewer than two levels.
    """
    seen, compact = np.unique(codes, return_inverse=True)  # gradient boosting wants codes without gaps
    if len(seen) < 2:
        raise DataProblem(f"the training target has one level only over its {len(codes)} rows: nothing to learn")
    model = predictor.classifier(seed).fit(features, compact, sample_weight=weights)
    return Fitted(model, seen, levels)
