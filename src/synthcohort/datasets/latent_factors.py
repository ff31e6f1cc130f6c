r"""How wide may a table be whose every conditional law is known?

SIMULATED. C columns share R = 2 hidden factors u ~ N(0, I): with loadings l_j and s_j^2 = 1 - |l_j|^2,

    z_j = l_j . u + s_j e_j,        e_j ~ N(0, 1),

a normal law with unit variances and correlations l_j . l_k. |l_j|^2 is uniform in [0.3, 0.8], directions are uniform.
Two tables are made of it, of as many columns as asked:

- `Numbers`, a normal copula: x_j = z_j for even j, x_j = exp(z_j) for odd j. With A = I + sum over given j of
  l_j l_j' / s_j^2 and m = A^-1 sum of l_j z_j / s_j^2, a hidden z_k is normal with mean l_k . m given the others
  [Bishop 2006, eq. 2.116, of the posterior of u], and since medians go through increasing maps, the median of x_k is
  that mean, or its exponential: the point that errs least in absolute error.
- `Codes`, which stands for a matrix of diagnoses: code j is there where z_j > c_j, P(code j) = Phi(-c_j) log-uniform in
  [0.02, 0.5]. Given u codes are independent, P(code j | u) = Phi((l_j . u - c_j) / s_j), so that

      P(code k | given) = sum_g w_g P(code k | u_g),    w_g ~ phi(u_g) prod over given j of P(code_j | u_g),

  over a grid of u with spacing h = 0.1 in [-5, 5]^2: the trapezoid rule, whose error for a posterior as wide as h is
  exp(-2 pi^2) [Trefethen 2014, sec. 5]; at most 2e-6 of the prior lies beyond it. The likelier level errs least.

The last column is the target; to the law it is a column like any other.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import log_ndtr
from scipy.stats import norm

from synthcohort.rng import Rng
from synthcohort.schema import Column, Role, Schema

FACTORS = 2
SHARED = (0.3, 0.8)  # of a column's variance, by the factors
PREVALENCE = (0.02, 0.5)
REACH, SPACING = 5.0, 0.1  # of the grid of factors
ROWS = 64  # whose weights on the grid are held at a time


@dataclass(frozen=True)
class LatentFactors(ABC):
    """A law of C columns.

    Args:
        loadings: [C, R] l_j.
    """

    loadings: np.ndarray

    @property
    @abstractmethod
    def schema(self) -> Schema:
        """The schema of its tables."""

    @abstractmethod
    def best(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Return the rows with every missing cell at the point that errs least given the row's other cells."""

    @property
    def own(self) -> np.ndarray:
        """[C] s_j, the share of a column that is its own, as a standard deviation."""
        return np.sqrt(1 - (self.loadings**2).sum(1))

    def draw(self, n: int, rng: Rng) -> pd.DataFrame:
        """Return n rows, independent of each other."""
        normal = rng.numpy().standard_normal((n, FACTORS + len(self.loadings)))
        return self._shown(normal[:, :FACTORS] @ self.loadings.T + normal[:, FACTORS:] * self.own)

    @abstractmethod
    def _shown(self, z: np.ndarray) -> pd.DataFrame:
        """Return the frame of hidden values z [n, C]."""


@dataclass(frozen=True)
class Numbers(LatentFactors):
    """The normal copula."""

    @property
    def schema(self) -> Schema:
        """Numeric columns."""
        return Schema(tuple(Column(name, "numeric", role) for name, role in _columns(len(self.loadings))))

    def best(self, rows: pd.DataFrame) -> pd.DataFrame:
        x = rows.to_numpy()
        there = ~np.isnan(x)  # [n, C]
        with np.errstate(invalid="ignore"):
            z = np.where(there, np.where(self._bent, np.log(np.where(self._bent, x, 1.0)), x), 0.0)
        weighted = self.loadings / self.own[:, None] ** 2  # [C, R]
        precision = np.eye(FACTORS) + np.einsum("nc,cr,cs->nrs", there, weighted, self.loadings, optimize=True)
        mean = np.linalg.solve(precision, (z @ weighted)[:, :, None])[:, :, 0] @ self.loadings.T  # [n, C]
        told = self._shown(mean).set_axis(rows.index)
        return rows.where(there, told)

    @property
    def _bent(self) -> np.ndarray:
        return np.arange(len(self.loadings)) % 2 == 1

    def _shown(self, z: np.ndarray) -> pd.DataFrame:
        return pd.DataFrame(np.where(self._bent, np.exp(np.where(self._bent, z, 0.0)), z), columns=self.schema.names)


@dataclass(frozen=True)
class Codes(LatentFactors):
    """The matrix of codes.

    Args (beside the loadings):
        cuts: [C] c_j.
    """

    cuts: np.ndarray

    @property
    def schema(self) -> Schema:
        """Binary columns."""
        names = _columns(len(self.loadings))
        return Schema(tuple(Column(name, "categorical", role, ("0", "1")) for name, role in names), "1")

    def best(self, rows: pd.DataFrame) -> pd.DataFrame:
        codes = np.stack([rows[name].cat.codes.to_numpy() for name in rows], axis=1)  # [n, C], -1 where missing
        likely = (self.probabilities(codes) > 0.5).astype(np.int8)
        return self._frame(np.where(codes < 0, likely, codes)).set_axis(rows.index)

    def probabilities(self, codes: np.ndarray) -> np.ndarray:
        """Return P(code is there | the row's given cells) [n, C] for codes [n, C], 0, 1 or -1 where missing.

        For a given cell it is what factors that know of this very cell say: only those of missing cells mean anything.
        """
        line = np.arange(-REACH, REACH + SPACING / 2, SPACING)
        u = np.stack(np.meshgrid(line, line), axis=2).reshape(-1, FACTORS)  # [G, R]
        argument = (u @ self.loadings.T - self.cuts) / self.own  # [G, C]
        there, absent = log_ndtr(argument).T, log_ndtr(-argument).T  # [C, G]
        prior, present = -0.5 * (u**2).sum(1), np.exp(there).T  # [G], [G, C]
        found = []
        for start in range(0, len(codes), ROWS):
            part = codes[start : start + ROWS]
            log_weight = prior + (part == 1) @ there + (part == 0) @ absent  # [n, G]
            weight = np.exp(log_weight - log_weight.max(1, keepdims=True))
            found.append(weight / weight.sum(1, keepdims=True) @ present)  # [n, C]
        return np.concatenate(found) if found else np.zeros(codes.shape)

    def _shown(self, z: np.ndarray) -> pd.DataFrame:
        return self._frame((z > self.cuts).astype(np.int8))

    def _frame(self, codes: np.ndarray) -> pd.DataFrame:
        levels = pd.CategoricalDtype(["0", "1"])
        cells = {name: pd.Categorical.from_codes(codes[:, j], dtype=levels) for j, name in enumerate(self.schema.names)}
        return pd.DataFrame(cells)


def numbers(columns: int, rng: Rng) -> Numbers:
    """Return a normal copula of so many columns; `rng` draws the law, which narrower tables of it share."""
    return Numbers(_loadings(columns, rng))


def codes(columns: int, rng: Rng) -> Codes:
    """Return a matrix of so many codes; `rng` draws the law."""
    low, high = np.log(PREVALENCE)
    share = np.exp(rng.branch("prevalence").numpy().uniform(low, high, columns))
    return Codes(_loadings(columns, rng), norm.isf(share))


LAWS = {"numbers": numbers, "codes": codes}


def _loadings(columns: int, rng: Rng) -> np.ndarray:
    angle, share = rng.branch("loadings").numpy().random((columns, 2)).T  # row by row: a narrower law is its beginning
    length = np.sqrt(SHARED[0] + (SHARED[1] - SHARED[0]) * share)
    return length[:, None] * np.stack([np.cos(2 * np.pi * angle), np.sin(2 * np.pi * angle)], axis=1)


def _columns(count: int) -> list[tuple[str, Role]]:
    return [(f"column_{j}", "target" if j == count - 1 else "feature") for j in range(count)]
