r"""What does diffusion draw into holes when boosted trees take the network's place?

ForestDiffusion in its variance-preserving variant [Jolicoeur-Martineau 2024, sec. 3], conditioned by RePaint
[Lugmayr 2022, alg. 1]. A row is D numbers: its numeric cells standardised, and an indicator -1 or 1 for each level of a
categorical one. On T levels i, at t = i / T, they are noised to

    x_i = sqrt(ab_i) x_0 + sqrt(1 - ab_i) eps,    log ab(t) = -b_0 t - (b_1 - b_0) t^2 / 2,    b_0 = 0.1, b_1 = 8,

and one boosted forest for each level and number learns from noisy copies of the training rows. A row is not in the
forest of a number that is missing in it: a hole is never a target. As an input a hole stays a hole, for which trees
learn a branch. To fill holes, rows walk from level T to 0. In a step from i to i - 1, with a = ab_i / ab_{i-1},

    holes   x_{i-1} = ( sqrt(ab_{i-1}) (1 - a) E[x_0 | x_i] + sqrt(a) (1 - ab_{i-1}) x_i ) / (1 - ab_i) + sqrt(1 - a) z
                                                                  [Ho 2020, eq. 7, with the larger of its variances]
    others  x_{i-1} = sqrt(ab_{i-1}) x_0 + sqrt(1 - ab_{i-1}) z,

then all of it is noised back to level i and the step taken anew, `resamplings` times in all, so that holes come to
agree with what is there. The last step draws no z for holes. Finitely many resamplings leave a draw between the law of
a column and its law given the others; levels of a category, which part early on the walk, are left farther off than
numbers.

Departs, in that
- trees learn E[x_0 | x_i] in place of the noise, an error in which is multiplied on its way to x_0 at high levels; they
  start from what an independent normal number would have and learn what is left;
- a row's target is a number like any other, as it may be missing too, in place of forests for each label;
- T = 30 for 50, jumps of one level, each taken 10 times, for jumps of a tenth of them, each taken 5 times, `rows` noisy
  copies a level in all for 100 of every row, 30 trees of depth 4 for 100 of depth 7: a fraction of the time, paid with
  a coarser walk and forests that see less. Longer jumps brought nothing on the laws of the tests;
- a column of two levels has two indicators for one.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import xgboost

from synthcohort.imputers.base import Imputer
from synthcohort.imputers.parts.design import Design
from synthcohort.rng import Rng

BETA_FIRST, BETA_LAST = 0.1, 8.0


class ForestRepaint(Imputer):
    """Diffusion with one boosted forest per level and number.

    Args:
        levels: T, >= 2.
        rows: noisy rows that a forest learns from, >= 1.
        trees: of a forest, >= 1.
        depth: of a tree, in 1..12.
        learning_rate: weight of each tree, in (0, 1].
        resamplings: times each step is taken, >= 1.
    """

    def __init__(
        self,
        *,
        levels: int = 30,
        rows: int = 10_000,
        trees: int = 30,
        depth: int = 4,
        learning_rate: float = 0.2,
        resamplings: int = 10,
    ) -> None:
        if levels < 2:
            raise ValueError(f"forest_repaint: levels={levels} must be at least 2")
        if min(rows, trees, resamplings) < 1:
            raise ValueError(
                f"forest_repaint: rows={rows}, trees={trees} and resamplings={resamplings} must be at least 1"
            )
        if not 1 <= depth <= 12:
            raise ValueError(f"forest_repaint: depth={depth} is not in 1..12")
        if not 0 < learning_rate <= 1:
            raise ValueError(f"forest_repaint: learning_rate={learning_rate} is not in (0, 1]")
        self.rows = rows
        self.trees = trees
        self.settings = {"max_depth": depth, "learning_rate": learning_rate, "tree_method": "hist", "base_score": 0.0}
        self.resamplings = resamplings
        self.alpha_bar = variance_preserving(levels)

    def _fit(self, train: pd.DataFrame, rng: Rng, device: str) -> None:
        self.design = Design.standardised(train, self.schema)
        x = self._numbers(train)
        self.low, self.high = np.nanmin(x, axis=0), np.nanmax(x, axis=0)  # [D]
        self.mean, self.variance = np.nanmean(x, axis=0), np.nanvar(x, axis=0)
        self.forests: dict[tuple[int, int], xgboost.Booster] = {}
        for i in range(1, len(self.alpha_bar)):
            self._fit_level(i, x, rng.branch("level", i))

    def _fit_level(self, i: int, x: np.ndarray, rng: Rng) -> None:
        """Fit the forests of level i to noisy copies of training rows x [n, D]."""
        order = rng.branch("order").numpy().permutation(len(x))
        x_0 = x[order[np.arange(self.rows) % len(x)]]  # [rows, D]
        x_i = diffuse(x_0, self.alpha_bar[i], _normal(x_0.shape, [rng.branch("noise").numpy()]))
        left = x_0 - self._start(i, x_i)
        data = xgboost.QuantileDMatrix(x_i, max_bin=64, nthread=1)
        for d in np.flatnonzero(self.variance > 0):
            there = ~np.isnan(left[:, d])
            data.set_label(np.where(there, left[:, d], 0.0))
            data.set_weight(there.astype(np.float32))  # a hole is no target
            forest = xgboost.train({**self.settings, "max_bin": 64, "nthread": 1}, data, self.trees)
            self.forests[i, int(d)] = forest

    def _impute(self, rows: pd.DataFrame, rng: Rng, draws: int) -> list[pd.DataFrame]:
        x = self._numbers(rows)
        filled = np.tile(np.nan_to_num(x), (draws, 1, 1))  # [draws, n, D]
        holed = np.isnan(x).any(axis=1)
        generators = [rng.branch("draw", k).numpy() for k in range(draws)]
        filled[:, holed] = self._walk(np.tile(x[holed], (draws, 1)), generators).reshape(draws, -1, x.shape[1])
        return [self.design.frame(self._indicators(one)) for one in filled]

    def _walk(self, x: np.ndarray, generators: list[np.random.Generator]) -> np.ndarray:
        """Return rows x [n, D] with their holes drawn; each generator is for an equal share of the rows, in order."""
        ab = self.alpha_bar
        x_i = np.where(np.isnan(x), _normal(x.shape, generators), diffuse(x, ab[-1], _normal(x.shape, generators)))
        for i in range(len(ab) - 1, 0, -1):
            before = self._step(i, x, x_i, generators)
            for _ in range(self.resamplings - 1 if i > 1 else 0):
                again = diffuse(before, ab[i] / ab[i - 1], _normal(x.shape, generators))
                before = self._step(i, x, again, generators)
            x_i = before
        return x_i

    def _step(self, i: int, x: np.ndarray, x_i: np.ndarray, generators: list[np.random.Generator]) -> np.ndarray:
        """Return x_{i-1}, holes and others, [n, D]."""
        hole, now, before = np.isnan(x), self.alpha_bar[i], self.alpha_bar[i - 1]
        drawn = posterior_mean(self._estimate(i, x_i, hole), x_i, before=before, now=now)
        if i > 1:
            drawn = drawn + np.sqrt(1 - now / before) * _normal(x.shape, generators)
        return np.where(hole, drawn, diffuse(x, before, _normal(x.shape, generators)))

    def _estimate(self, i: int, x_i: np.ndarray, hole: np.ndarray) -> np.ndarray:
        """Return E[x_0 | x_i] of holes, within the range of the training cells, [n, D]; of others only its start."""
        x_0 = self._start(i, x_i)
        for d in np.flatnonzero(hole.any(axis=0)):
            if (i, int(d)) in self.forests:
                asked = hole[:, d]
                x_0[asked, d] += self.forests[i, int(d)].inplace_predict(x_i[asked])
        return x_0.clip(self.low, self.high)

    def _start(self, i: int, x_i: np.ndarray) -> np.ndarray:
        """Return E[x_0 | x_i] of independent normal numbers, [n, D]."""
        ab = self.alpha_bar[i]
        slope = np.sqrt(ab) * self.variance / (ab * self.variance + 1 - ab)
        return self.mean + slope * (x_i - np.sqrt(ab) * self.mean)

    def _numbers(self, frame: pd.DataFrame) -> np.ndarray:
        """Return rows as [n, D], NaN in holes, indicators -1 or 1."""
        matrix = self.design.matrix(frame)
        p = len(self.design.centre)
        return np.hstack([matrix[:, :p], 2 * matrix[:, p:] - 1])

    def _indicators(self, numbers: np.ndarray) -> np.ndarray:
        """Return what `_numbers` made of the design's matrix, [n, D] to [n, D]."""
        p = len(self.design.centre)
        return np.hstack([numbers[:, :p], (numbers[:, p:] + 1) / 2])


def variance_preserving(levels: int) -> np.ndarray:
    """Return ab_0 = 1, .., ab_T, [T + 1]."""
    t = np.arange(levels + 1) / levels
    return np.exp(-BETA_FIRST * t - (BETA_LAST - BETA_FIRST) * t**2 / 2)


def diffuse(x: np.ndarray, alpha_bar: float, z: np.ndarray) -> np.ndarray:
    """Return sqrt(alpha_bar) x + sqrt(1 - alpha_bar) z, [n, D]."""
    return np.sqrt(alpha_bar) * x + np.sqrt(1 - alpha_bar) * z


def posterior_mean(x_0: np.ndarray, x_i: np.ndarray, *, before: float, now: float) -> np.ndarray:
    """Return the mean of x one level before, given x_0 and x_i [Ho 2020, eq. 7], [n, D].

    Args:
        x_0: [n, D].
        x_i: [n, D] at the level whose ab is `now`.
        before: ab of the level before, > now.
        now: ab of this level.
    """
    ratio = now / before
    return (np.sqrt(before) * (1 - ratio) * x_0 + np.sqrt(ratio) * (1 - before) * x_i) / (1 - now)


def _normal(shape: tuple[int, ...], generators: list[np.random.Generator]) -> np.ndarray:
    """Return standard normal numbers [n, D], an equal share of the rows from each generator."""
    return np.concatenate([g.standard_normal((shape[0] // len(generators), shape[1])) for g in generators])
