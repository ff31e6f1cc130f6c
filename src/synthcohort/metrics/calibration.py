"""Do predicted risks mean what they say?

Brier score: mean (p - y)^2. Logistic recalibration on the rows that judge [Cox 1958; Van Calster 2019]:

    slope b of      logit P(y = 1) = a + b logit(p),   reported as |b - 1|;
    intercept a of  logit P(y = 1) = a + logit(p)      (calibration in the large),

both by maximum likelihood. b < 1: risks are too extreme, as after overfitting; a < 0: risks are too high on average,
as after balancing the classes [van den Goorbergh 2022]. Risks that rank at random have a slope near 0, an error near 1.

A probability of exactly 0 or 1, which forests and nearest neighbours state, has no logit: probabilities are first moved
into [`EDGE`, 1 - `EDGE`]. A risk below one in a thousand is not told from one in a thousand: a forest of 100 trees and
hundreds to thousands of test rows cannot tell them apart either. It bounds |logit(p)| by 6.9, so that one miss at
"probability 0" is a strong miss and not an infinite one.

Departs: calibration curves are left out; the Brier score is the mean over rows of the squared error of the positive
level, half of [Brier 1950], which sums over both levels.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import brentq, minimize
from scipy.special import expit, logit

from synthcohort.metrics.matrix import DataProblem

EDGE = 1e-3


def brier(truth: np.ndarray, probability: np.ndarray) -> float:
    """Return the mean squared error of a probability; 0 is perfect.

    Args:
        truth: [n] of 0 and 1.
        probability: [n] predicted probability of 1.
    """
    return float(np.mean((probability - truth) ** 2))


def calibration_slope(truth: np.ndarray, probability: np.ndarray) -> float:
    """Return the slope of logistic recalibration; 1 is ideal.

    Args:
        truth: [n] of 0 and 1.
        probability: [n] predicted probability of 1.

    Raises:
        DataProblem: if one class only is present, the probabilities are constant, or they separate the classes: no
            finite slope is the most likely one [Albert & Anderson 1984].
    """
    risk = _logit(truth, probability)  # [n]
    if np.ptp(risk) == 0:
        raise DataProblem(f"all {len(risk)} predicted probabilities are equal, so they have no calibration slope")
    ones, zeros = risk[truth == 1], risk[truth == 0]
    if ones.min() >= zeros.max() or ones.max() <= zeros.min():
        raise DataProblem("the predicted probabilities separate the classes, so the calibration slope is infinite")
    scale = risk.std()
    design = np.stack([np.ones_like(risk), risk / scale], axis=1)  # [n, 2]

    def loss(w: np.ndarray) -> float:
        return float(np.mean(np.logaddexp(0.0, design @ w) - truth * (design @ w)))

    def gradient(w: np.ndarray) -> np.ndarray:
        return design.T @ (expit(design @ w) - truth) / len(truth)

    def hessian(w: np.ndarray) -> np.ndarray:
        p = expit(design @ w)
        return (design * (p * (1 - p))[:, None]).T @ design / len(truth)

    found = minimize(loss, np.zeros(2), jac=gradient, hess=hessian, method="trust-exact", options={"gtol": 1e-8})
    return float(found.x[1] / scale)


def calibration_slope_error(truth: np.ndarray, probability: np.ndarray) -> float:
    """Return |calibration slope - 1|; 0 is ideal. Arguments and refusals as in `calibration_slope`."""
    return abs(calibration_slope(truth, probability) - 1.0)


def calibration_intercept(truth: np.ndarray, probability: np.ndarray) -> float:
    """Return the shift of the logits that makes predicted and observed rates agree; 0 is ideal.

    Args:
        truth: [n] of 0 and 1.
        probability: [n] predicted probability of 1.

    Raises:
        DataProblem: if one class only is present.
    """
    risk = _logit(truth, probability)  # [n]
    rate = truth.mean()
    low, high = logit(rate) - risk.max() - 1.0, logit(rate) - risk.min() + 1.0  # one too low, one too high for sure
    return float(brentq(lambda a: np.mean(expit(a + risk)) - rate, low, high, xtol=1e-12))


def _logit(truth: np.ndarray, probability: np.ndarray) -> np.ndarray:
    if np.ptp(truth) == 0:
        raise DataProblem(f"all {len(truth)} rows are of one class, so calibration is undefined")
    return logit(np.clip(probability, EDGE, 1.0 - EDGE))
