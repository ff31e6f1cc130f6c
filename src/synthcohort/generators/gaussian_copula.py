r"""How far does one correlation matrix go?

Every column stands for a standard normal variable, the correlation matrix R of these variables is estimated, and rows
are drawn as z ~ N(0, R) and mapped back [Nelsen 2006; Patki 2016]. Numeric columns use the encoder's normal scores. A
categorical column with cumulative level frequencies F_0 = 0 < F_1 < ... < F_K = 1 owns the interval
(a_k, b_k) = (Phi^-1(F_{k-1}), Phi^-1(F_k)) for level k, so its z is seen only through the interval's mean

    m_k = (phi(a_k) - phi(b_k)) / (F_k - F_{k-1}).

Correlations of such interval means are too small; each is corrected for what the intervals hide:

    numeric i, categorical j      rho = E[z_i m_j] / Var(m_j)                                   [Olsson 1982, eq. 3]
    categorical i, categorical j  rho solves E[m_i m_j] = sum_k rho^k h_ik h_jk,
                                  h_jk = E[m_j He_k(z)] / sqrt(k!)  (Mehler's expansion)        [Olsson 1979]

The matrix of corrected correlations is moved to the nearest one with positive eigenvalues. Conditioning on the target
draws z_y inside the asked level's interval and the rest from the conditional normal law.

Departs: levels are ordered as in the schema, not by their association with other columns.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from scipy.stats import norm, rankdata

from synthcohort.encoding import Encoded, Encoder
from synthcohort.generators.base import Generator
from synthcohort.rng import Rng


class GaussianCopula(Generator):
    """Normal scores joined by one correlation matrix.

    Args:
        shrinkage: weight of the identity in R, in [0, 1); keeps R well conditioned when n is small.
    """

    abilities: ClassVar[frozenset[str]] = frozenset({"condition-target"})

    def __init__(self, *, shrinkage: float = 0.01) -> None:
        super().__init__()
        if not 0 <= shrinkage < 1:
            raise ValueError(f"gaussian_copula: shrinkage={shrinkage} must be in [0, 1)")
        self.shrinkage = shrinkage

    def _fit(self, train: pd.DataFrame, validation: pd.DataFrame | None, rng: Rng, device: str) -> None:
        self.encoder = Encoder.fit(train, self.schema)
        encoded = self.encoder.encode(train)
        self.edges = [_edges(encoded.codes[:, j], k) for j, k in enumerate(self.encoder.levels)]
        numeric = norm.ppf((rankdata(encoded.numeric, axis=0) - 0.5) / len(train))  # [n, P]
        self.correlation = _positive(latent_correlation(numeric, encoded.codes, self.edges), self.shrinkage)

    def _sample(self, n: int, conditions: pd.DataFrame | None, rng: Rng, options: Mapping[str, Any]) -> pd.DataFrame:
        width = len(self.correlation)
        z = rng.branch("rows").numpy().standard_normal((n, width)) @ np.linalg.cholesky(self.correlation).T
        if conditions is not None:
            z = self._condition(z, conditions, rng.branch("target"))
        p = len(self.schema.numeric)
        uniform = norm.cdf(z[:, p:])
        codes = [np.searchsorted(e[1:-1], uniform[:, j], side="right") for j, e in enumerate(self.edges)]
        stacked = np.stack(codes, axis=1) if codes else np.empty((n, 0), dtype=np.int64)
        return self.encoder.decode(Encoded(z[:, :p], stacked.astype(np.int64)))

    def _condition(self, z: np.ndarray, conditions: pd.DataFrame, rng: Rng) -> np.ndarray:
        """Move z [n, P + Q] to the asked class: the regression on z_y is linear, so z + R_.y (z_y' - z_y) is exact."""
        target = self.schema.target
        j = [c.name for c in self.schema.categorical].index(target.name)
        codes = conditions[target.name].cat.codes.to_numpy(dtype=np.int64)
        edges = self.edges[j]
        uniform = edges[codes] + rng.numpy().random(len(codes)) * (edges[codes + 1] - edges[codes])
        asked = norm.ppf(np.clip(uniform, 1e-12, 1 - 1e-12))
        column = len(self.schema.numeric) + j
        return z + (asked - z[:, column])[:, None] * self.correlation[:, column]

    def _state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        edges = {f"edges_{j}": e for j, e in enumerate(self.edges)}
        return {"correlation": self.correlation, **edges, **self.encoder.state()}, {}

    def _restore(self, arrays: dict[str, np.ndarray], record: dict[str, Any]) -> None:
        self.encoder = Encoder.restore(self.schema, arrays)
        self.correlation = arrays["correlation"]
        self.edges = [arrays[f"edges_{j}"] for j in range(len(self.schema.categorical))]


def _edges(codes: np.ndarray, levels: int) -> np.ndarray:
    """Return cumulative level frequencies [K + 1], from 0 to 1."""
    counts = np.bincount(codes, minlength=levels)
    edges = np.concatenate([[0.0], np.cumsum(counts) / counts.sum()])
    edges[-1] = 1.0
    return edges


def latent_correlation(numeric: np.ndarray, codes: np.ndarray, edges: list[np.ndarray]) -> np.ndarray:
    """Return the correlations of the normal variables behind the columns.

    Args:
        numeric: [n, P] normal scores.
        codes: [n, Q] level numbers.
        edges: for each categorical column its cumulative level frequencies [K + 1].

    Returns:
        [P + Q, P + Q], unit diagonal, entries in [-0.99, 0.99]; a constant column correlates 0 with every other.
    """
    means = [_interval_means(e) for e in edges]
    seen = np.column_stack([numeric, *[m[codes[:, j]] for j, m in enumerate(means)]])  # [n, P + Q]
    moment = seen.T @ seen / max(len(seen), 1)
    variance = np.diag(moment).copy()
    variance[variance < 1e-12] = np.inf
    p = numeric.shape[1]
    rho = moment / np.sqrt(np.outer(variance, variance))
    rho[:p, p:] = moment[:p, p:] / (np.sqrt(variance[:p, None]) * variance[None, p:])
    rho[p:, :p] = rho[:p, p:].T
    hermite = np.array([_hermite_coefficients(e) for e in edges]).reshape(len(edges), _ORDER)
    for i in range(len(edges)):
        rho[p + i, p:] = _solve_mehler(moment[p + i, p:], hermite[i] * hermite)
    rho = np.clip((rho + rho.T) / 2, -0.99, 0.99)
    np.fill_diagonal(rho, 1.0)
    return rho


_ORDER = 40
_GRID = np.linspace(-0.99, 0.99, 397)
_POWERS = _GRID[:, None] ** np.arange(1, _ORDER + 1)  # [G, order]


def _solve_mehler(moments: np.ndarray, products: np.ndarray) -> np.ndarray:
    """Return rho [Q] such that sum_k rho^k products[:, k] equals moments; the sum grows with rho."""
    curves = products @ _POWERS.T  # [Q, G]
    flat = np.ptp(curves, axis=1) < 1e-12
    solved = [
        0.0 if f else np.interp(m, c, _GRID) for m, c, f in zip(moments, np.sort(curves, axis=1), flat, strict=True)
    ]
    return np.array(solved)


def _normal_edges(edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the interval ends [K + 1] on the normal scale and the density there; 0 at the infinite ends."""
    ends = norm.ppf(edges)
    return np.where(np.isfinite(ends), ends, 0.0), np.where(np.isfinite(ends), norm.pdf(ends), 0.0)


def _interval_means(edges: np.ndarray) -> np.ndarray:
    """Return m_k [K]; 0 for a level that never occurs."""
    _, density = _normal_edges(edges)
    width = np.diff(edges)
    return np.divide(density[:-1] - density[1:], width, out=np.zeros(len(width)), where=width > 0)


def _hermite_coefficients(edges: np.ndarray) -> np.ndarray:
    """Return h_k = E[m He_k(z)] / sqrt(k!) for k = 1 ... order, from int_a^b He_k phi = [-He_{k-1} phi]_a^b."""
    ends, density = _normal_edges(edges)
    previous, current = np.zeros(len(ends)), density.copy()  # He_{k-1} phi / sqrt((k-1)!), starting at k = 1
    means, coefficients = _interval_means(edges), []
    for k in range(1, _ORDER + 1):
        coefficients.append(float(means @ (current[:-1] - current[1:])) / np.sqrt(k))
        previous, current = current, (ends * current - np.sqrt(k - 1) * previous) / np.sqrt(k)
    return np.array(coefficients)


def _positive(rho: np.ndarray, shrinkage: float) -> np.ndarray:
    """Return a correlation matrix near rho whose eigenvalues are positive, mixed with the identity."""
    values, vectors = np.linalg.eigh(rho)
    fixed = (vectors * np.maximum(values, 1e-6)) @ vectors.T
    scale = np.sqrt(np.diag(fixed))
    fixed = fixed / np.outer(scale, scale)
    return (1 - shrinkage) * fixed + shrinkage * np.eye(len(rho))
