"""What do the most similar patients have in the cells that are missing?

A cell is completed with the mean (numeric) or the commonest level (categorical) of the `neighbours` nearest training
rows that have it [Troyanskaya 2001], by scikit-learn's `KNNImputer`: rows are compared in the columns that both have,
and the squared distance is scaled up by the share of columns they lack. Numeric columns are in standard deviations and
levels are indicators: two rows drawn at random differ by 2 in the square of a standardised column, as do two unlike
levels. All draws are equal.
"""

from __future__ import annotations

import pandas as pd
from sklearn.impute import KNNImputer

from synthcohort.imputers.base import Imputer
from synthcohort.imputers.parts.design import Design
from synthcohort.rng import Rng


class KNearestNeighbours(Imputer):
    """The nearest training rows that have the cell.

    Args:
        neighbours: how many, >= 1.
    """

    def __init__(self, *, neighbours: int = 5) -> None:
        if neighbours < 1:
            raise ValueError(f"k_nearest_neighbours: neighbours={neighbours} must be at least 1")
        self.neighbours = neighbours

    def _fit(self, train: pd.DataFrame, rng: Rng, device: str) -> None:
        self.design = Design.standardised(train, self.schema)
        self.model = KNNImputer(n_neighbors=self.neighbours).fit(self.design.matrix(train))

    def _impute(self, rows: pd.DataFrame, rng: Rng, draws: int) -> list[pd.DataFrame]:
        return [self.design.frame(self.model.transform(self.design.matrix(rows)))] * draws
