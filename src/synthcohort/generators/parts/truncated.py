r"""How is a normal law cut to an interval fitted, weighed and drawn, many at once?

X ~ N(mu, sigma^2) given a < X < b. With alpha = (a - mu) / sigma, beta = (b - mu) / sigma, Z = Phi(beta) - Phi(alpha),
r_a = phi(alpha) / Z and r_b = phi(beta) / Z [Johnson 1994, sec. 13.10]:

    E X   = mu + sigma (r_a - r_b)
    Var X = sigma^2 (1 + alpha r_a - beta r_b - (r_a - r_b)^2).

The law is an exponential family in (x, x^2), so maximum likelihood asks that mean and variance equal the sample's.
Intervals far in a tail are mirrored to the left one, where Phi does not round to 1.
"""

from __future__ import annotations

import numpy as np
from scipy.special import log_ndtr, ndtr, ndtri

_LOG_ROOT_2PI = 0.5 * np.log(2 * np.pi)
_WIDEST = 3.0  # sigma in interval widths beyond which the law is flat to a percent
_FARTHEST = 6.0  # how far outside the interval, in sigma, mu may lie


def log_mass(alpha: np.ndarray, beta: np.ndarray) -> np.ndarray:
    """Return log(Phi(beta) - Phi(alpha)); -inf where beta <= alpha."""
    mirrored = alpha + beta > 0
    low, high = np.where(mirrored, -beta, alpha), np.where(mirrored, -alpha, beta)
    log_low, log_high = log_ndtr(low), log_ndtr(high)
    with np.errstate(divide="ignore", invalid="ignore"):
        mass = log_high + np.log(-np.expm1(np.minimum(log_low - log_high, 0.0)))
    return np.where(low < high, mass, -np.inf)


def moments(mu: np.ndarray, sigma: np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and variance of the cut laws; all arguments of one shape."""
    alpha, beta = (low - mu) / sigma, (high - mu) / sigma
    log_z = log_mass(alpha, beta) + _LOG_ROOT_2PI
    r_a, r_b = np.exp(-0.5 * alpha**2 - log_z), np.exp(-0.5 * beta**2 - log_z)
    gap = r_a - r_b
    return mu + sigma * gap, sigma**2 * (1 + alpha * r_a - beta * r_b - gap**2)


def fit(
    mean: np.ndarray, variance: np.ndarray, low: np.ndarray, high: np.ndarray, *, rounds: int = 25
) -> tuple[np.ndarray, np.ndarray]:
    """Return mu and sigma whose cut law has the given mean and variance, as nearly as the family allows.

    Each round moves mu by the error of the mean and log sigma by half the error of the log variance. A sample more
    spread than the flat law has no maximum: sigma stops at 3 interval widths. mu stops 6 sigma outside the interval.

    Args:
        mean: sample means, inside (low, high).
        variance: sample variances, > 0.
        low: lower ends.
        high: upper ends, > low.
        rounds: fixed-point rounds.
    """
    width = high - low
    mu, sigma = mean.copy(), np.minimum(np.sqrt(variance), _WIDEST * width)
    floor = np.minimum(sigma, 1e-3 * width)
    for _ in range(rounds):
        m, v = moments(mu, sigma, low, high)
        log_step = 0.5 * np.log(variance / np.maximum(v, 1e-12 * width**2))
        sigma = np.clip(sigma * np.exp(np.clip(log_step, -0.7, 0.7)), floor, _WIDEST * width)
        mu = np.clip(
            mu + (mean - m) * np.clip(sigma**2 / np.maximum(v, 1e-12), 1.0, 4.0),
            low - _FARTHEST * sigma,
            high + _FARTHEST * sigma,
        )
    return mu, sigma


def draw(mu: np.ndarray, sigma: np.ndarray, low: np.ndarray, high: np.ndarray, uniform: np.ndarray) -> np.ndarray:
    """Return one draw of each cut law by inverting its distribution function at `uniform` in (0, 1)."""
    alpha, beta = (low - mu) / sigma, (high - mu) / sigma
    mirrored = alpha + beta > 0
    left, right = np.where(mirrored, -beta, alpha), np.where(mirrored, -alpha, beta)
    upto = np.where(mirrored, 1 - uniform, uniform)
    inside = ndtri(ndtr(left) + upto * (ndtr(right) - ndtr(left)))
    return np.clip(mu + sigma * np.where(mirrored, -inside, inside), low, high)
