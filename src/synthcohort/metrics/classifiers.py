"""Which predictors stand in for the analysts who will use the table?

The seven families of the study of mixed-type health records [Ceritli 2023]: random forest, gradient-boosted trees,
logistic regression, k nearest neighbours, support vector machine, multilayer perceptron, decision tree. Settings are
fixed for every table and every generator, so that a difference between two scores is a difference between two training
tables and not between two searches. One thread each: equal runs give equal bytes.

Trees see every column as a number (`tree_features`), indifferent to its scale. The other families see numeric columns
in standard deviations of their own training rows beside one 0/1 column a level; a column or level that is constant
there can teach nothing and weighs 0, whatever later rows hold. The target is never among the features.

The regressor of logistic regression is ridge regression; the other families have one of their own name.

Departs: the sources print no settings, so these are ours. The support vector machine learns from at most
`MOST_SUPPORT_ROWS` rows, since its cost grows with their square; the perceptron spends a tenth of its rows on deciding
when to stop, by log loss: accuracy, the library's criterion, does not move on a rare class and stops at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.utils.validation import has_fit_parameter
from xgboost import XGBClassifier, XGBRegressor

from synthcohort.metrics.matrix import DataProblem, require_rows, target_codes, tree_features
from synthcohort.schema import Schema

MOST_SUPPORT_ROWS = 3000

_FOREST: dict[str, Any] = {"n_estimators": 100, "min_samples_leaf": 2, "max_features": "sqrt", "n_jobs": 1}
_BOOST: dict[str, Any] = {"n_estimators": 150, "max_depth": 4, "learning_rate": 0.1, "tree_method": "hist", "n_jobs": 1}
_TREE: dict[str, Any] = {"min_samples_leaf": 5}
_NEIGHBOURS: dict[str, Any] = {"n_neighbors": 9, "algorithm": "brute", "n_jobs": 1}  # no more than MIN_ROWS
_NETWORK: dict[str, Any] = {"hidden_layer_sizes": (32,), "learning_rate_init": 0.005, "alpha": 1e-3}
_STOP: dict[str, Any] = {"early_stopping": True, "max_iter": 300}

View = Callable[[pd.DataFrame], np.ndarray]


@dataclass(frozen=True)
class Predictor:
    """A family of predictors.

    Args:
        name: how metrics and params.yaml call it.
        classifier: seed -> an unfitted classifier.
        regressor: seed -> an unfitted regressor.
        features: training rows, schema -> the view that turns any rows into features [n, F]; learned on those rows.
    """

    name: str
    classifier: Callable[[int], Any]
    regressor: Callable[[int], Any]
    features: Callable[[pd.DataFrame, Schema], View]


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
        view: turns rows into those features.
    """

    fitted: Fitted
    view: View

    def probabilities(self, frame: pd.DataFrame) -> np.ndarray:
        """Return P(level | row), [n, K]."""
        return self.fitted.probabilities(self.view(frame))


def tree_view(train: pd.DataFrame, schema: Schema) -> View:
    """Return the view of a tree, which learns nothing from `train`."""
    return lambda frame: tree_features(frame, schema)


def standardised_view(train: pd.DataFrame, schema: Schema) -> View:
    """Return the view of a family that measures distances: standardised numeric columns beside one-hot levels.

    Args:
        train: the rows that give mean, standard deviation and the levels that occur.
        schema: their schema.
    """
    raw = _numbers(train, schema)  # [n, F]
    constant = np.ptp(raw, axis=0) == 0  # the sd of equal floats can round to a tiny positive number
    numeric = np.concatenate([[c.numeric] * (1 if c.numeric else len(c.levels)) for c in schema.features])  # [F]
    centre = np.where(numeric, raw.mean(axis=0), 0.0)
    weight = np.where(numeric, 1.0 / np.where(constant, 1.0, raw.std(axis=0)), 1.0) * ~constant
    return lambda frame: (_numbers(frame, schema) - centre) * weight


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
    view = predictor.features(train, schema)
    return Classifier(fit_classifier(predictor, view(train), codes, levels=levels, seed=seed, weights=weights), view)


def classify_target(predictor: Predictor, train: pd.DataFrame, *, schema: Schema, seed: int) -> Classifier:
    """Fit a classifier of the table's target, all its levels.

    Raises:
        DataProblem: as in `train_classifier`.
    """
    codes, levels = target_codes(train, schema), len(schema.target.levels)
    return train_classifier(predictor, train, codes, schema=schema, levels=levels, seed=seed)


class SupportVectors:
    """A support vector machine with radial kernel and Platt's probabilities, on a capped number of rows.

    Platt's sigmoid is fitted to decision values of rows left out in three folds [Platt 1999], the machine itself to
    all drawn rows.

    Args:
        seed: draws the rows and the folds.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def fit(self, features: np.ndarray, codes: np.ndarray, sample_weight: np.ndarray | None = None) -> SupportVectors:
        """Fit to at most `MOST_SUPPORT_ROWS` of the rows, drawn without replacement.

        Raises:
            DataProblem: if a drawn level has fewer than two rows, so that no fold can leave it out and know it.
        """
        rows = _capped(len(codes), self.seed)
        seen, counts = np.unique(codes[rows], return_counts=True)
        if len(seen) < 2 or counts.min() < 2:
            raise DataProblem(f"a support vector machine needs two rows of every level; it has {counts.tolist()}")
        folds = StratifiedKFold(min(3, int(counts.min())), shuffle=True, random_state=self.seed)
        weights = None if sample_weight is None else sample_weight[rows]
        self.model = CalibratedClassifierCV(SVC(), method="sigmoid", cv=folds, ensemble=False)
        self.model.fit(features[rows], codes[rows], sample_weight=weights)
        return self

    @property
    def classes_(self) -> np.ndarray:
        """Codes of the levels it was trained on."""
        return self.model.classes_

    def predict_proba(self, features: np.ndarray) -> np.ndarray:
        """Return P(level | row), [n, K]."""
        return self.model.predict_proba(features)


class CappedSVR(RegressorMixin, BaseEstimator):
    """A support vector regression on at most `MOST_SUPPORT_ROWS` rows.

    Args:
        seed: draws the rows.
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def fit(self, features: np.ndarray, target: np.ndarray) -> CappedSVR:
        """Fit to the drawn rows."""
        rows = _capped(len(target), self.seed)
        self.model_ = SVR().fit(features[rows], target[rows])
        return self

    def predict(self, features: np.ndarray) -> np.ndarray:
        """Return the predicted target, [n]."""
        return self.model_.predict(features)


class Perceptron:
    """A multilayer perceptron that keeps the weights of its least log loss on a tenth of its training rows.

    Args:
        seed: draws the tenth, the first weights and the batches.
    """

    EPOCHS = 100
    PATIENCE = 8

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def fit(self, features: np.ndarray, codes: np.ndarray, sample_weight: np.ndarray | None = None) -> Perceptron:
        """Fit until the log loss has not fallen for `PATIENCE` epochs, at most `EPOCHS`."""
        features, weights = features.astype(np.float32), np.ones(len(codes)) if sample_weight is None else sample_weight
        order = np.lexsort((np.random.default_rng(self.seed).random(len(codes)), codes))
        checked = np.zeros(len(codes), dtype=bool)
        checked[order[5::10]] = True  # every tenth row of every level
        self.classes_ = np.unique(codes)
        # a generator, not an integer: `partial_fit` would shuffle every epoch alike
        source = np.random.RandomState(np.random.MT19937(self.seed))
        model = MLPClassifier(**_NETWORK, random_state=source)
        learn = (features[~checked], codes[~checked], weights[~checked])
        least, stale = np.inf, 0
        for _ in range(self.EPOCHS):
            model.partial_fit(*learn, classes=self.classes_)
            stated = model.predict_proba(features[checked])[np.arange(checked.sum()), codes[checked]]
            loss = -np.average(np.log(np.maximum(stated, 1e-7)), weights=weights[checked])
            if loss < least:
                least, stale = loss, 0
                best = [w.copy() for w in model.coefs_], [b.copy() for b in model.intercepts_]
            elif (stale := stale + 1) == self.PATIENCE:
                break
        model.coefs_, model.intercepts_ = best
        self.model = model
        return self

    def predict_proba(self, features: np.ndarray) -> np.ndarray:
        """Return P(level | row), [n, K]."""
        return self.model.predict_proba(features.astype(np.float32)).astype(np.float64)


def _numbers(frame: pd.DataFrame, schema: Schema) -> np.ndarray:
    parts = [
        frame[[c.name]].to_numpy(np.float64) if c.numeric else np.eye(len(c.levels))[frame[c.name].cat.codes.to_numpy()]
        for c in schema.features
    ]
    return np.concatenate(parts, axis=1)  # [n, F]


def _capped(n: int, seed: int) -> np.ndarray:
    if n <= MOST_SUPPORT_ROWS:
        return np.arange(n)
    return np.sort(np.random.default_rng(seed).choice(n, size=MOST_SUPPORT_ROWS, replace=False))


def _scaled(regressor: Any) -> Any:
    return TransformedTargetRegressor(regressor, transformer=StandardScaler())  # else its settings depend on the unit


PREDICTORS: Mapping[str, Predictor] = {
    predictor.name: predictor
    for predictor in (
        Predictor(
            "random_forest",
            lambda seed: RandomForestClassifier(**_FOREST, random_state=seed),
            lambda seed: RandomForestRegressor(**_FOREST, random_state=seed),
            tree_view,
        ),
        Predictor(
            "xgboost",
            lambda seed: XGBClassifier(**_BOOST, random_state=seed),
            lambda seed: XGBRegressor(**_BOOST, random_state=seed),
            tree_view,
        ),
        Predictor(
            "decision_tree",
            lambda seed: DecisionTreeClassifier(**_TREE, random_state=seed),
            lambda seed: DecisionTreeRegressor(**_TREE, random_state=seed),
            tree_view,
        ),
        Predictor(
            "logistic_regression",
            lambda seed: LogisticRegression(solver="newton-cholesky", max_iter=1000),
            lambda seed: Ridge(),
            standardised_view,
        ),
        Predictor(
            "k_nearest_neighbours",
            lambda seed: KNeighborsClassifier(**_NEIGHBOURS),
            lambda seed: KNeighborsRegressor(**_NEIGHBOURS),
            standardised_view,
        ),
        Predictor("support_vector_machine", SupportVectors, lambda seed: _scaled(CappedSVR(seed)), standardised_view),
        Predictor(
            "multilayer_perceptron",
            Perceptron,
            lambda seed: _scaled(MLPRegressor(**_NETWORK, **_STOP, random_state=seed)),
            standardised_view,
        ),
    )
}
