r"""How much privacy do noisy answers cost together?

Two tables are neighbours if one row of the one is blank in the other; the number of rows n is public. A mechanism M is
(epsilon, delta)-private if P(M(D) in S) <= e^epsilon P(M(D') in S) + delta for all neighbours and all S [Dwork 2006].

A *Gaussian step* adds N(0, sigma^2 C^2) to a sum whose rows have length C at most, over rows each of which takes part
with probability q, independently of all others (Poisson sampling); sigma is the noise multiplier. Steps are composed by
numerical convolution of their privacy loss [Gopi 2021; the PRV accountant of Opacus], whose upper bound is returned.
Where every row takes part (q = 1) T steps are one of sigma / sqrt(T) and the cost is exact [Balle 2018, theorem 8]:

    delta(epsilon) = Phi(mu / 2 - epsilon / mu) - e^epsilon Phi(-mu / 2 - epsilon / mu),    mu = sqrt(T) / sigma.

A mechanism is rho-zCDP if its Renyi divergence of every order alpha > 1 is at most rho alpha [Bun 2016]. It is
(epsilon, delta)-private for every alpha > 1 with [Canonne 2020, corollary 13]

    delta = e^{(alpha - 1)(alpha rho - epsilon)} / (alpha - 1) (1 - 1 / alpha)^alpha.

Gaussian steps and zCDP together are composed by adding their Renyi divergences, or by spending half of delta on each,
whichever says less: both are upper bounds.
"""

from __future__ import annotations

import functools
import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from opacus.accountants.analysis import rdp
from opacus.accountants.prv import PRVAccountant
from scipy.optimize import brentq, minimize_scalar
from scipy.special import log_ndtr

_EXACT = 0.006  # relative error that the numerical convolution may add to epsilon
_SLACK = 0.01  # share of epsilon that may be left over by a noise multiplier, so that few looks find it
_MOST_LOOKS = 40
_TOO_LARGE = 100.0  # epsilon from which the Renyi bound, some percent above, has to do: convolving takes too long
_ORDERS = np.array([1.25, 1.5, 1.75, *range(2, 65), *range(72, 257, 8)], dtype=np.float64)


class PrivacyError(ValueError):
    """A privacy parameter is out of its range; the message names it, what was found and what is allowed."""


@dataclass(frozen=True)
class GaussianSteps:
    """Equal steps of the Poisson-subsampled Gaussian mechanism.

    Args:
        noise_multiplier: sigma, standard deviation of the noise in units of the longest row, >= 0; 0 is no privacy.
        sampling_rate: q, the chance of a row to take part in a step, in (0, 1].
        steps: T, >= 1.
    """

    noise_multiplier: float
    sampling_rate: float = 1.0
    steps: int = 1

    def __post_init__(self) -> None:
        if not self.noise_multiplier >= 0:
            raise PrivacyError(f"noise_multiplier={self.noise_multiplier} must be 0 or more")
        if not 0 < self.sampling_rate <= 1:
            raise PrivacyError(f"sampling_rate={self.sampling_rate} is not in (0, 1]")
        if self.steps < 1:
            raise PrivacyError(f"steps={self.steps} must be at least 1")


def gaussian_epsilon(mechanisms: Sequence[GaussianSteps], delta: float) -> float:
    """Return an epsilon that all Gaussian steps together do not exceed at `delta`; 0 for none of them."""
    _check_delta(delta)
    if any(m.noise_multiplier == 0 for m in mechanisms):
        return math.inf
    if all(m.sampling_rate == 1 for m in mechanisms):
        return _exact_epsilon(math.sqrt(sum(m.steps / m.noise_multiplier**2 for m in mechanisms)), delta)
    return _convolved_epsilon(tuple(mechanisms), delta)


def zcdp_epsilon(rho: float, delta: float) -> float:
    """Return the smallest epsilon with which rho-zCDP is (epsilon, delta)-private [Canonne 2020, corollary 13]."""
    _check_delta(delta)
    if rho < 0 or math.isnan(rho):
        raise PrivacyError(f"rho={rho} must be 0 or more")
    if rho == 0 or math.isinf(rho):
        return rho

    def epsilon(log_order: float) -> float:  # of alpha - 1
        less = math.exp(log_order)
        alpha = 1 + less
        return alpha * rho + (math.log(1 / (delta * less)) + alpha * math.log1p(-1 / alpha)) / less

    best = minimize_scalar(epsilon, bounds=(math.log(1e-3), math.log(1e7)), method="bounded", options={"xatol": 1e-8})
    return max(0.0, float(best.fun))


def zcdp_rho(epsilon: float, delta: float) -> float:
    """Return the largest rho whose `zcdp_epsilon` is at most `epsilon`."""
    if not epsilon > 0:
        raise PrivacyError(f"epsilon={epsilon} must be positive")
    if math.isinf(epsilon):
        return math.inf

    def excess(log_rho: float) -> float:
        return zcdp_epsilon(math.exp(log_rho), delta) - epsilon

    lowest = math.log(epsilon**2 / (8 * (epsilon + math.log(1 / delta))))
    return math.exp(brentq(excess, lowest - 1, math.log(epsilon) + 2, xtol=1e-9)) * (1 - 1e-8)


def mixed_epsilon(mechanisms: Sequence[GaussianSteps], rho: float, delta: float) -> float:
    """Return an epsilon that Gaussian steps and a rho-zCDP mechanism together do not exceed at `delta`."""
    if not mechanisms:
        return zcdp_epsilon(rho, delta)
    if rho == 0:
        return gaussian_epsilon(mechanisms, delta)
    halves = gaussian_epsilon(mechanisms, delta / 2) + zcdp_epsilon(rho, delta / 2)
    if math.isinf(halves):
        return halves
    if all(m.sampling_rate == 1 for m in mechanisms):
        whole = rho + sum(m.steps / (2 * m.noise_multiplier**2) for m in mechanisms)
        return min(halves, zcdp_epsilon(whole, delta))
    return min(halves, _renyi_epsilon(mechanisms, rho, delta))


def noise_multiplier(
    *,
    epsilon: float,
    delta: float,
    sampling_rate: float,
    steps: int,
    cost: Callable[[GaussianSteps], float] | None = None,
) -> float:
    """Return a noise multiplier that uses 99 % or more of (epsilon, delta) in `steps` steps; 0 for an infinite epsilon.

    Args:
        epsilon: > 0.
        delta: in (0, 1).
        sampling_rate: q, in (0, 1].
        steps: T, >= 1.
        cost: epsilon of the steps together with what was spent before; default: of the steps alone.

    Raises:
        PrivacyError: if an argument is out of its range or no noise is enough.
    """
    if not epsilon > 0:
        raise PrivacyError(f"epsilon={epsilon} must be positive")
    GaussianSteps(0.0, sampling_rate, steps)
    _check_delta(delta)
    if math.isinf(epsilon):
        return 0.0

    def own(mechanism: GaussianSteps) -> float:
        return gaussian_epsilon([mechanism], delta)

    whole = cost or own

    def of(log_sigma: float) -> float:
        return whole(GaussianSteps(math.exp(log_sigma), sampling_rate, steps))

    return math.exp(_solve(of, epsilon, math.log(_central_noise(epsilon, delta, sampling_rate, steps))))


def _central_noise(epsilon: float, delta: float, sampling_rate: float, steps: int) -> float:
    """Return about the noise multiplier, by the central limit theorem [Bu 2020, cor. 2]: where the search starts."""
    mu = math.sqrt(2 * zcdp_rho(epsilon, delta))
    return 1 / math.sqrt(math.log1p(mu * mu / (sampling_rate**2 * steps)))


def _exact_epsilon(mu: float, delta: float) -> float:
    """Return the epsilon of one Gaussian mechanism of sensitivity mu and unit noise [Balle 2018, theorem 8]."""
    if mu == 0:
        return 0.0

    def excess(epsilon: float) -> float:
        rest = epsilon + log_ndtr(-mu / 2 - epsilon / mu)
        return math.exp(log_ndtr(mu / 2 - epsilon / mu)) - math.exp(rest) - delta

    if excess(0.0) <= 0:
        return 0.0
    high = mu * mu / 2 + mu * math.sqrt(2 * math.log(1 / delta)) + 1
    return float(brentq(excess, 0.0, high, xtol=1e-10)) * (1 + 1e-9)


@functools.lru_cache(maxsize=256)
def _convolved_epsilon(mechanisms: tuple[GaussianSteps, ...], delta: float) -> float:
    """Return the PRV accountant's upper bound, within `_EXACT` of the truth."""
    rough = _central_epsilon(mechanisms, delta)
    if rough > _TOO_LARGE:
        return _renyi_epsilon(mechanisms, 0.0, delta)
    accountant = PRVAccountant()
    accountant.history = [(m.noise_multiplier, m.sampling_rate, m.steps) for m in mechanisms]
    with np.errstate(divide="ignore", over="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the Renyi orders that say how far to convolve: farther than needed
        bound = float(accountant.get_epsilon(delta, eps_error=_EXACT * max(rough, 0.02)))
    if not math.isfinite(bound):
        raise PrivacyError(f"the PRV accountant gave {bound} for {list(mechanisms)} at delta={delta}")
    return bound


def _central_epsilon(mechanisms: Sequence[GaussianSteps], delta: float) -> float:
    """Return about the epsilon of many steps, by the central limit theorem: how fine to convolve [Bu 2020, cor. 2]."""
    if min(m.noise_multiplier for m in mechanisms) < 0.1:
        return math.inf
    squared = [m.sampling_rate**2 * m.steps * math.expm1(m.noise_multiplier**-2) for m in mechanisms]
    mu = math.sqrt(sum(squared))
    return math.inf if mu > 50 else _exact_epsilon(mu, delta)


def _renyi_epsilon(mechanisms: Sequence[GaussianSteps], rho: float, delta: float) -> float:
    """Return the epsilon of the sum of Renyi divergences, the best of `_ORDERS`."""
    divergence = rho * _ORDERS
    for m in mechanisms:
        divergence = divergence + rdp.compute_rdp(
            q=m.sampling_rate, noise_multiplier=m.noise_multiplier, steps=m.steps, orders=_ORDERS
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that the best order is the last one: the bound holds all the same
        return float(rdp.get_privacy_spent(orders=_ORDERS, rdp=divergence, delta=delta)[0])


def _solve(of: Callable[[float], float], limit: float, start: float) -> float:
    """Return an x with (1 - _SLACK) limit <= of(x) <= limit, for a falling function, by secants of its logarithm.

    An evaluation of `of` can take a second, so the search stops as soon as it is close enough on the safe side.
    """
    aim = math.log(limit * (1 - _SLACK / 2))
    low, high = -math.inf, math.inf  # of(low) > limit >= of(high)
    x, slope = start, -1.0
    last: tuple[float, float] | None = None
    for _ in range(_MOST_LOOKS):
        value = of(x)
        if limit * (1 - _SLACK) <= value <= limit:
            return x
        low, high = (x, high) if value > limit else (low, x)
        here = math.log(min(max(value, 1e-12), 1e12))
        if last is not None and last[1] != here:
            slope = min(-0.05, (here - last[1]) / (x - last[0]))
        last = (x, here)
        x += min(2.0, max(-2.0, (aim - here) / slope))
        if not low < x < high:
            x = (low + high) / 2 if math.isfinite(high - low) else x
    if math.isfinite(high):
        return high
    raise PrivacyError(f"no noise is enough for epsilon={limit:g}; take a larger epsilon or fewer steps")


def _check_delta(delta: float) -> None:
    if not 0 < delta < 1:
        raise PrivacyError(f"delta={delta} is not in (0, 1)")
