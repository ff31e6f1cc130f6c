"""How is one answer about the rows given with noise?

With D_1 and D_2 the largest change of an answer, in L1 and L2, when one row becomes blank [Dwork 2014, ch. 3]:

    Gaussian:     a + N(0, s^2 I)           is D_2^2 / (2 s^2)-zCDP                       [Bun 2016, prop. 1.6]
    Laplace:      a + Laplace(b)            is D_1 / b-DP
    exponential:  P(i) ~ e^{e u_i / (2 D)}  is e-DP and e^2 / 8-zCDP, D the change of any u_i   [Cesar 2021, cor. 3]

The exponential mechanism is drawn by adding Gumbel noise and taking the largest. Sensitivities are stated by the
caller, who knows the question and writes the cost into a `dp.budget.Ledger` before it asks.
"""

from __future__ import annotations

import math

import numpy as np

from synthcohort.dp.accountant import PrivacyError
from synthcohort.dp.randomness import Noise


def gaussian(answer: np.ndarray, *, sensitivity: float, rho: float, noise: Noise) -> np.ndarray:
    """Return `answer` with Gaussian noise that makes it rho-zCDP; as it is for an infinite rho.

    Args:
        answer: of any shape.
        sensitivity: D_2, L2 change of the whole answer when one row becomes blank, > 0.
        rho: cost, > 0.
        noise: its source.
    """
    scale = gaussian_scale(sensitivity=sensitivity, rho=rho)
    answer = np.asarray(answer, dtype=np.float64)
    return answer + scale * noise.normal(answer.shape) if scale else answer.copy()


def gaussian_scale(*, sensitivity: float, rho: float) -> float:
    """Return the standard deviation of the noise that makes an answer rho-zCDP."""
    _check(sensitivity, "rho", rho)
    return sensitivity / math.sqrt(2 * rho)


def laplace(answer: np.ndarray, *, sensitivity: float, epsilon: float, noise: Noise) -> np.ndarray:
    """Return `answer` with Laplace noise that makes it epsilon-DP; as it is for an infinite epsilon.

    Args:
        answer: of any shape.
        sensitivity: D_1, L1 change of the whole answer when one row becomes blank, > 0.
        epsilon: cost, > 0.
        noise: its source.
    """
    _check(sensitivity, "epsilon", epsilon)
    answer = np.asarray(answer, dtype=np.float64)
    if math.isinf(epsilon):
        return answer.copy()
    up, down = -np.log(noise.uniform((2, *answer.shape)))
    return answer + sensitivity / epsilon * (up - down)


def exponential(utility: np.ndarray, *, sensitivity: float, epsilon: float, noise: Noise) -> int:
    """Return the place of a choice with a high utility, epsilon-DP; the best one for an infinite epsilon.

    Args:
        utility: [k] of each choice, k >= 1.
        sensitivity: D, largest change of any utility when one row becomes blank, > 0.
        epsilon: cost, > 0; `exponential_rho` gives it in zCDP.
        noise: its source.
    """
    _check(sensitivity, "epsilon", epsilon)
    utility = np.asarray(utility, dtype=np.float64)
    if utility.ndim != 1 or not len(utility):
        raise ValueError(f"utility has shape {utility.shape}; give one number for each choice")
    if math.isinf(epsilon):
        return int(utility.argmax())
    gumbel = -np.log(-np.log(noise.uniform(len(utility))))
    return int((epsilon * utility / (2 * sensitivity) + gumbel).argmax())


def exponential_rho(epsilon: float) -> float:
    """Return the zCDP of an exponential mechanism that is epsilon-DP."""
    return epsilon**2 / 8


def exponential_epsilon(rho: float) -> float:
    """Return the epsilon of the exponential mechanism that costs `rho` of zCDP."""
    return math.sqrt(8 * rho)


def _check(sensitivity: float, name: str, cost: float) -> None:
    if not 0 < sensitivity < math.inf:
        raise PrivacyError(f"sensitivity={sensitivity} must be positive and finite")
    if not cost > 0:
        raise PrivacyError(f"{name}={cost} must be positive")
