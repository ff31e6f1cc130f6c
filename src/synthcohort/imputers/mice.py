"""What do chained linear regressions draw?

Multiple imputation by chained equations [van Buuren 2011, sec. 2]: column after column is regressed on all the others,
its holes are drawn from the posterior predictive distribution, and the round is repeated, so that the draws approach
the joint law that the conditionals have in common. Each conditional is Bayesian ridge regression [MacKay 1992],

    x_j | x_-j ~ N( w'x_-j, 1/alpha + x_-j' S x_-j ),

S the posterior covariance of w and alpha the noise precision, both learned with the ridge penalty from the cells that
are there; scikit-learn's `IterativeImputer` runs the rounds. The draws of `impute` share the fitted conditionals and
differ in every random number of their chain.

A categorical column enters as indicators of its levels but the commonest one: with all of them each would be decided by
the others, and no chain could leave the level it starts from. The level whose indicator is largest is taken, that of
the commonest level being 1 - sum of the others.

Departs: the source draws levels from logistic regressions; the library has one kind of conditional for all columns, and
rounding a Gaussian draw is a known bias for rare levels [Horton 2003].
"""

from __future__ import annotations

import copy

import numpy as np
import pandas as pd
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer
from sklearn.linear_model import BayesianRidge

from synthcohort.imputers.base import Imputer
from synthcohort.imputers.parts.design import Design
from synthcohort.rng import Rng


class MICE(Imputer):
    """Chained Bayesian ridge regressions.

    Args:
        rounds: over all columns, >= 1.
    """

    def __init__(self, *, rounds: int = 10) -> None:
        if rounds < 1:
            raise ValueError(f"mice: rounds={rounds} must be at least 1")
        self.rounds = rounds

    def _fit(self, train: pd.DataFrame, rng: Rng, device: str) -> None:
        self.design = Design.standardised(train, self.schema)
        whole = self.design.matrix(train)
        commonest = [g.start + int(np.nanmean(whole[:, g], axis=0).argmax()) for g in self.design.groups]
        self.kept = np.setdiff1d(np.arange(whole.shape[1]), commonest)
        chain = IterativeImputer(
            BayesianRidge(), sample_posterior=True, max_iter=self.rounds, random_state=rng.integer()
        )
        self.chain = chain.fit(whole[:, self.kept])

    def _impute(self, rows: pd.DataFrame, rng: Rng, draws: int) -> list[pd.DataFrame]:
        matrix = self.design.matrix(rows)[:, self.kept]
        return [self.design.frame(self._whole(self._draw(matrix, rng.branch("draw", i)))) for i in range(draws)]

    def _draw(self, matrix: np.ndarray, rng: Rng) -> np.ndarray:
        chain = copy.copy(self.chain)  # the fitted regressions are shared, the random state is this draw's
        chain.random_state_ = np.random.RandomState(np.random.MT19937(rng.integer()))
        return chain.transform(matrix)

    def _whole(self, drawn: np.ndarray) -> np.ndarray:
        """Return the indicators of all levels beside the numbers, [n, kept] -> [n, D]."""
        whole = np.zeros((len(drawn), len(self.design.centre) + sum(len(c.levels) for c in self.schema.categorical)))
        whole[:, self.kept] = drawn
        for group in self.design.groups:
            left_out = np.setdiff1d(np.arange(group.start, group.stop), self.kept)
            whole[:, left_out] = 1 - whole[:, group].sum(axis=1, keepdims=True)
        return whole
