"""What does a table lose when every hole gets its column's commonest answer?

The mean of a numeric column, the most frequent level of a categorical one (the first of equals), over the training
cells that are there. It is the floor: no column is used to complete another. All draws are equal.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from synthcohort.imputers.base import Imputer
from synthcohort.imputers.parts.design import Design
from synthcohort.rng import Rng


class MeanMode(Imputer):
    """The mean or the mode of each column."""

    def _fit(self, train: pd.DataFrame, rng: Rng, device: str) -> None:
        self.design = Design.standardised(train, self.schema)
        self.row = np.nanmean(self.design.matrix(train), axis=0)  # [D]; the mean of indicators is a frequency

    def _impute(self, rows: pd.DataFrame, rng: Rng, draws: int) -> list[pd.DataFrame]:
        return [self.design.frame(np.tile(self.row, (len(rows), 1)))] * draws
