"""Which predictors stand in for the analysts who will use the table?

The seven families of the study of mixed-type health records [Ceritli 2023]: random forest, gradient-boosted trees,
logistic regression, k nearest neighbours, support vector machine, multilayer perceptron, decision tree. Settings are
fixed for every table and every generator, so that a difference between two scores is a difference between two training
tables and not between two searches. One thread each: equal runs give equal bytes.

Trees see every column as a number (`tree_features`), indifferent to its scale. The other families see numeric columns
in standard deviations of their own training rows beside one 0/1 column a level; a column or level that is constant
there can teach nothing and weighs 0, whatever later rows hold. The target is never among the features.

The regressor of logistic regression is ridge regression; the other families have one of their own name.

Departs: the sources print no settings, so these are ours; two families learn in a way of their own (`learners`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.neural_network import MLPRegressor
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.utils.validation import has_fit_parameter
from xgboost import XGBClassifier, XGBRegressor

from synthcohort.metrics.learners import NETWORK, CappedSVR, Perceptron, SupportVectors
from synthcohort.metrics.matrix import DataProblem, one_hot_features, require_rows, target_codes, tree_features
from synthcohort.schema import Column, Schema

_FOREST: dict[str, Any] = {"n_estimators": 100, "min_samples_leaf": 2, "max_features": "sqrt", "n_jobs": 1}
_BOOST: dict[str, Any] = {"n_estimators": 150, "max_depth": 4, "learning_rate": 0.1, "tree_method": "hist", "n_jobs": 1}
_TREE: dict[str, Any] = {"min_samples_leaf": 5}
_NEIGHBOURS: dict[str, Any] = {"n_neighbors": 9, "algorithm": "brute", "n_jobs": 1}  # no more than MIN_ROWS
_STOP: dict[str, Any] = {"early_stopping": True, "max_iter": 300}

Scaling = Callable[[np.ndarray], np.ndarray]  # numbers [n, F] -> features [n, F]


@dataclass(frozen=True)
class Predictor:
    """A family of predictors.

    Args:
        name: how metrics and params.yaml call it.
        classifier: seed -> an unfitted classifier.
        regressor: seed -> an unfitted regressor.
        encode: rows, columns -> those columns as numbers, [n, F].
        scale: numbers of the training rows [n, F], columns -> the scaling of any rows' numbers, learned on those.
    """

    name: str
    classifier: Callable[[int], Any]
    regressor: Callable[[int], Any]
    encode: Callable[[pd.DataFrame, Sequence[Column]], np.ndarray]
    scale: Callable[[np.ndarray, Sequence[Column]], Scaling]


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
        result[:, self.seen[self.model.classes_]] = self.model.predict_proba(features)
        return result


@dataclass(frozen=True)
class Classifier:
    """A fitted classifier of rows.

    Args:
        fitted: the classifier of features.
        features: turns rows into those features.
    """

    fitted: Fitted
    features: Callable[[pd.DataFrame], np.ndarray]

    def probabilities(self, frame: pd.DataFrame) -> np.ndarray:
        """Return P(level | row), [n, K]."""
        return self.fitted.probabilities(self.features(frame))


def standardise(numbers: np.ndarray, columns: Sequence[Column]) -> Scaling:
    """Return the scaling of a family that measures distances: standard deviations of numeric columns, levels as is.

    Args:
        numbers: [n, F] as `one_hot_features` gives them: the rows whose mean and standard deviation are taken.
        columns: theirs.
    """
    constant = np.ptp(numbers, axis=0) == 0  # the sd of equal floats can round to a tiny positive number
    numeric = np.concatenate([[c.numeric] * (1 if c.numeric else len(c.levels)) for c in columns])  # [F]
    centre = np.where(numeric, numbers.mean(axis=0), 0.0)
    weight = np.where(numeric, 1.0 / np.where(constant, 1.0, numbers.std(axis=0)), 1.0) * ~constant
    return lambda others: (others - centre) * weight


def unscaled(numbers: np.ndarray, columns: Sequence[Column]) -> Scaling:
    """Return the scaling of a tree, which is none."""
    return lambda others: others


def learned_features(
    predictor: Predictor, train: pd.DataFrame, columns: Sequence[Column]
) -> tuple[np.ndarray, Callable[[pd.DataFrame], np.ndarray]]:
    """Return the features of the training rows, [n, F], and what gives those of any rows on the same scale."""
    numbers = predictor.encode(train, columns)
    scale = predictor.scale(numbers, columns)
    return scale(numbers), lambda frame: scale(predictor.encode(frame, columns))


def fit_classifier(
    predictor: Predictor,
    features: np.ndarray,
    codes: np.ndarray,
    *,
    levels: int,
    seed: int,
    weights: np.ndarray | None = None,
) -> Fitted:
    """Fit a classifier to features.

    Args:
        predictor: its family.
        features: [n, F] training features.
        codes: [n] codes of the target's level, 0 .. levels - 1.
        levels: number of levels K of the target.
        seed: seed of the fit.
        weights: [n] weights of the rows; None weighs them equally.

    Raises:
        DataProblem: if the training rows hold fewer than two levels, or the family cannot weigh rows.
    """
    seen, compact = np.unique(codes, return_inverse=True)  # gradient boosting wants codes without gaps
    if len(seen) < 2:
        raise DataProblem(f"the training target has one level only over its {len(codes)} rows: nothing to learn")
    model = predictor.classifier(seed)
    if weights is None:
        return Fitted(model.fit(features, compact), seen, levels)
    if not has_fit_parameter(model, "sample_weight"):
        raise DataProblem(f"{predictor.name} cannot weigh its training rows")
    return Fitted(model.fit(features, compact, sample_weight=weights), seen, levels)


def train_classifier(
    predictor: Predictor,
    train: pd.DataFrame,
    codes: np.ndarray,
    *,
    schema: Schema,
    levels: int,
    seed: int,
    weights: np.ndarray | None = None,
) -> Classifier:
    """Fit a classifier to rows.

    Args:
        predictor: its family.
        train: [n, P + Q] training rows; their target column is not read.
        codes: [n] what to tell apart, 0 .. levels - 1.
        schema: the schema of the rows.
        levels, seed, weights: as in `fit_classifier`.

    Raises:
        DataProblem: as in `fit_classifier`, or if the training rows are too few.
    """
    require_rows(train, "training")
    known, features = learned_features(predictor, train, schema.features)
    return Classifier(fit_classifier(predictor, known, codes, levels=levels, seed=seed, weights=weights), features)


def classify_target(predictor: Predictor, train: pd.DataFrame, *, schema: Schema, seed: int) -> Classifier:
    """Fit a classifier of the table's target, all its levels.

    Raises:
        DataProblem: as in `train_classifier`.
    """
    codes, levels = target_codes(train, schema), len(schema.target.levels)
    return train_classifier(predictor, train, codes, schema=schema, levels=levels, seed=seed)


def _scaled(regressor: Any) -> Any:
    return TransformedTargetRegressor(regressor, transformer=StandardScaler())  # else its settings depend on the unit


PREDICTORS: Mapping[str, Predictor] = {
    predictor.name: predictor
    for predictor in (
        Predictor(
            "random_forest",
            lambda seed: RandomForestClassifier(**_FOREST, random_state=seed),
            lambda seed: RandomForestRegressor(**_FOREST, random_state=seed),
            tree_features,
            unscaled,
        ),
        Predictor(
            "xgboost",
            lambda seed: XGBClassifier(**_BOOST, random_state=seed),
            lambda seed: XGBRegressor(**_BOOST, random_state=seed),
            tree_features,
            unscaled,
        ),
        Predictor(
            "decision_tree",
            lambda seed: DecisionTreeClassifier(**_TREE, random_state=seed),
            lambda seed: DecisionTreeRegressor(**_TREE, random_state=seed),
            tree_features,
            unscaled,
        ),
        Predictor(
            "logistic_regression",
            lambda seed: LogisticRegression(solver="newton-cholesky", max_iter=1000),
            lambda seed: Ridge(),
            one_hot_features,
            standardise,
        ),
        Predictor(
            "k_nearest_neighbours",
            lambda seed: KNeighborsClassifier(**_NEIGHBOURS),
            lambda seed: KNeighborsRegressor(**_NEIGHBOURS),
            one_hot_features,
            standardise,
        ),
        Predictor(
            "support_vector_machine",
            SupportVectors,
            lambda seed: _scaled(CappedSVR(seed)),
            one_hot_features,
            standardise,
        ),
        Predictor(
            "multilayer_perceptron",
            Perceptron,
            lambda seed: _scaled(MLPRegressor(**NETWORK, **_STOP, random_state=seed)),
            one_hot_features,
            standardise,
        ),
    )
}
