"""Which learners does the library not have as we need them?

The support vector machine learns from at most `MOST_SUPPORT_ROWS` rows, since its cost grows with their square; the
perceptron spends a tenth of its rows on deciding when to stop, by log loss: accuracy, the library's criterion, does not
move on a rare class and stops at once.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.model_selection import StratifiedKFold
from sklearn.neural_network import MLPClassifier
from sklearn.svm import SVC, SVR

from synthcohort.metrics.matrix import DataProblem

MOST_SUPPORT_ROWS = 3000
NETWORK: dict[str, Any] = {"hidden_layer_sizes": (32,), "learning_rate_init": 0.005, "alpha": 1e-3}


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
        model = MLPClassifier(**NETWORK, random_state=source)
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


def _capped(n: int, seed: int) -> np.ndarray:
    if n <= MOST_SUPPORT_ROWS:
        return np.arange(n)
    return np.sort(np.random.default_rng(seed).choice(n, size=MOST_SUPPORT_ROWS, replace=False))
