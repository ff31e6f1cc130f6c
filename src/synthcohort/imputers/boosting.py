"""Which patient with a like prediction lends the missing cell?

Chained equations with gradient-boosted trees and predictive mean matching [Little 1988; van Buuren 2018, sec. 3.4]: the
chain of `parts.chained`, in which a numeric hole takes the value of a donor, drawn evenly from the `donors` training
rows whose predicted value is nearest to the hole's, and a categorical hole takes a level drawn from the predicted
probabilities. Numbers are therefore values that somebody has, and the spread of the donors is that of the residuals.

The draws of `impute` share the fitted models. So that they do not share the donors, each of them has a pool of its own,
drawn with replacement: the approximate Bayesian bootstrap [Rubin 1986].

A boosted model has seen its donors: their predictions lie closer to their values than those of new rows do, and the
donors of a hole would be too much alike. So the training rows are cut into `FOLDS` parts, a donor is predicted by the
model fitted without its part, and a hole by the mean of all models.

Departs: the popular programs predict donors with the model that has seen them, for the reason above, and lend from 5;
draws that share their models then repeat the same few values, and their intervals are too narrow (on the normal law of
the tests 19 draws cover 0.77 with 5 donors and 0.87 with 20). With fewer than `LEAST` training cells, or one level,
cells are drawn evenly from those that are there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import xgboost
from sklearn.model_selection import KFold

from synthcohort.imputers.base import Imputer
from synthcohort.imputers.parts.chained import Chain, ColumnModel
from synthcohort.rng import Rng
from synthcohort.schema import Column

FOLDS = 3
LEAST = 20


class Boosting(Imputer):
    """Gradient-boosted trees for each column, with donors.

    Args:
        trees: boosting steps of a model, >= 1.
        depth: of a tree, >= 1.
        learning_rate: share of a tree that is added, in (0, 1].
        donors: from which a number is drawn, >= 1; at most a tenth of the cells that are there.
        rounds: over all columns, >= 1.
    """

    def __init__(
        self, *, trees: int = 50, depth: int = 3, learning_rate: float = 0.1, donors: int = 20, rounds: int = 5
    ) -> None:
        if min(trees, depth, donors, rounds) < 1:
            raise ValueError(
                f"boosting: trees={trees}, depth={depth}, donors={donors} and rounds={rounds} must be at least 1"
            )
        if not 0 < learning_rate <= 1:
            raise ValueError(f"boosting: learning_rate={learning_rate} is not in (0, 1]")
        self.trees = trees
        self.depth = depth
        self.learning_rate = learning_rate
        self.donors = donors
        self.rounds = rounds

    def _fit(self, train: pd.DataFrame, rng: Rng, device: str) -> None:
        self.chain = Chain.fit(train, self.schema, self._learn, rounds=self.rounds, rng=rng)

    def _impute(self, rows: pd.DataFrame, rng: Rng, draws: int) -> list[pd.DataFrame]:
        return [self.chain.complete(rows, rng.branch("draw", i)) for i in range(draws)]

    def _learn(self, column: Column, features: np.ndarray, cells: np.ndarray, rng: Rng) -> ColumnModel:
        if len(cells) < LEAST or np.ptp(cells) == 0:
            return _Cells(cells)
        task = {"objective": "reg:squarederror"}
        if not column.numeric:
            task = {"objective": "multi:softprob", "num_class": str(len(column.levels))}
        settings = {"max_depth": self.depth, "learning_rate": self.learning_rate, "nthread": 1, **task}
        models, unseen = [], []
        for fit, held in KFold(FOLDS, shuffle=True, random_state=rng.integer()).split(features):
            rows = xgboost.DMatrix(features[fit], cells[fit], nthread=1)
            models.append(xgboost.train(settings, rows, self.trees))
            unseen.append(held)
        if not column.numeric:
            return _Levels(models)
        predicted = np.empty(len(cells))
        for model, held in zip(models, unseen, strict=True):
            predicted[held] = _predict(model, features[held])
        return _Donors(models, predicted, cells, max(1, min(self.donors, len(cells) // 10)))


@dataclass(frozen=True)
class _Cells:
    """Draws from the cells [n] that are there."""

    cells: np.ndarray

    def draw(self, features: np.ndarray, rng: Rng) -> np.ndarray:
        return rng.numpy().choice(self.cells, size=len(features))


@dataclass(frozen=True)
class _Levels:
    """Draws codes from the mean of the models' probabilities."""

    models: list[xgboost.Booster]

    def draw(self, features: np.ndarray, rng: Rng) -> np.ndarray:
        p = np.mean([_predict(model, features) for model in self.models], axis=0).astype(np.float64)  # [m, K]
        total = p.cumsum(axis=1)
        return (rng.numpy().random((len(p), 1)) * total[:, -1:] >= total).sum(axis=1).astype(np.float64)


@dataclass(frozen=True)
class _Donors:
    """Draws the value of one of the `count` donors with the nearest predictions, among n drawn with replacement.

    Args:
        models: their mean predicts a hole.
        predicted: [n] predictions of the donors.
        values: [n] their values.
        count: of donors to draw from.
    """

    models: list[xgboost.Booster]
    predicted: np.ndarray
    values: np.ndarray
    count: int

    def draw(self, features: np.ndarray, rng: Rng) -> np.ndarray:
        wanted: np.ndarray = np.mean([_predict(model, features) for model in self.models], axis=0)  # [m]
        draw, n = rng.numpy(), len(self.values)
        pool = draw.integers(n, size=n)
        pool = pool[np.argsort(self.predicted[pool], kind="stable")]
        predicted, values = self.predicted[pool], self.values[pool]
        start = np.searchsorted(predicted, wanted) - self.count
        near = np.clip(start, 0, max(n - 2 * self.count, 0))[:, None] + np.arange(min(2 * self.count, n))  # [m, 2 c]
        gap = np.abs(predicted[near] - wanted[:, None])
        nearest = np.take_along_axis(near, gap.argsort(axis=1, kind="stable")[:, : self.count], axis=1)  # [m, c]
        chosen = draw.integers(nearest.shape[1], size=(len(wanted), 1))
        return values[np.take_along_axis(nearest, chosen, axis=1)[:, 0]]


def _predict(model: xgboost.Booster, features: np.ndarray) -> np.ndarray:
    return model.predict(xgboost.DMatrix(features, nthread=1))
