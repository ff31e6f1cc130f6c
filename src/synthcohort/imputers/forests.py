"""What do random forests expect in a cell, given all the others?

missForest [Stekhoven 2012]: the chain of `parts.chained` with a random forest a column [Breiman 2001], a regression
forest for a numeric column (mean of the trees), a classification forest for a categorical one (majority of the trees).
Settings are the source's program's: 100 trees, sqrt(d) columns tried a split, nodes of more than 1 row split; in
regression nodes of more than 5. It is a single imputation: all draws are equal.

Departs: d / 3 columns are tried in regression, as is usual there [Hastie 2009, sec. 15.3]: with sqrt(d) the trees of
wide tables seldom see the few columns that decide.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

from synthcohort.imputers.base import Imputer
from synthcohort.imputers.parts.chained import Chain
from synthcohort.rng import Rng
from synthcohort.schema import Column


class Forests(Imputer):
    """A random forest for each column.

    Args:
        trees: of a forest, >= 1.
        rounds: over all columns, >= 1.
    """

    def __init__(self, *, trees: int = 100, rounds: int = 5) -> None:
        if trees < 1 or rounds < 1:
            raise ValueError(f"forests: trees={trees} and rounds={rounds} must be at least 1")
        self.trees = trees
        self.rounds = rounds

    def _fit(self, train: pd.DataFrame, rng: Rng, device: str) -> None:
        self.chain = Chain.fit(train, self.schema, self._learn, rounds=self.rounds, rng=rng)

    def _learn(self, column: Column, features: np.ndarray, cells: np.ndarray, rng: Rng) -> _Forest:
        shared: dict[str, Any] = {"n_estimators": self.trees, "random_state": rng.integer(), "n_jobs": 1}
        if column.numeric:
            forest = RandomForestRegressor(min_samples_split=6, max_features=1 / 3, **shared)
        else:
            forest = RandomForestClassifier(max_features="sqrt", **shared)
        return _Forest(forest.fit(features, cells))

    def _impute(self, rows: pd.DataFrame, rng: Rng, draws: int) -> list[pd.DataFrame]:
        return [self.chain.complete(rows, rng)] * draws


@dataclass(frozen=True)
class _Forest:
    forest: Any

    def draw(self, features: np.ndarray, rng: Rng) -> np.ndarray:
        """Return the prediction; nothing is drawn."""
        return self.forest.predict(features)
