"""How much better does an attack do on patients the generator learned from than on patients it never saw?

An attack on people of the same law as the training rows succeeds now and then whatever was published: what holds for
the population holds for them too. Only the excess on members is a leak. With a and c the success rates of the same
attack on members (training rows) and on controls (real rows the generator never saw) [Giomi 2023],

    risk = (a - c) / (1 - c): the share of the controls' failures that the table turns into successes.

Rates and errors are Wilson's [Wilson 1927]: with s successes in n attacks and z the normal quantile of the confidence,

    rate = (s + z^2 / 2) / (n + z^2),   error = z / (n + z^2) * sqrt(s (n - s) / n + z^2 / 4),

and the error of the risk is propagated, sqrt((da / (1 - c))^2 + (dc (1 - a) / (1 - c)^2)^2).

An attack of m tries on one row, or a guess drawn among equally near rows, succeeds by a share in [0, 1]. s is then the
sum of the shares and n the number of rows: a variable in [0, 1] with mean p has a variance of at most p (1 - p), so the
interval is at least as wide as it should be, and tries on the same patient are never counted as independent.

Departs: the risk and its interval are not forced into [0, 1]. Below 0 the attack did better on the controls, which
half of the safe tables do by chance; cut at 0, their mean over splits would be above 0.

Every attack has a baseline, the success rate of a random guess on the members, given by a function beside its scores.
Read it first: where a does not exceed the baseline the attack has learned nothing from the table, and a risk near 0
says that this attack is weak, not that the table is safe.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import norm

from synthcohort.metrics.matrix import DataProblem, sample_rows
from synthcohort.metrics.release import Release
from synthcohort.rng import Rng
from synthcohort.scores import Score

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Rate:
    """A success rate, or a risk, with the half-width of its interval.

    Args:
        value: the centre of the interval.
        error: its half-width at the confidence it was made for.
    """

    value: float
    error: float


@dataclass(frozen=True)
class Targets:
    """The rows to attack, equally many of both kinds.

    Args:
        members: rows of the training table.
        controls: rows the generator never saw.
    """

    members: pd.DataFrame
    controls: pd.DataFrame


def draw_targets(release: Release, *, attacks: int, rng: Rng) -> Targets:
    """Return equally many members and controls: at most `attacks`, and no more than the smaller table has."""
    size = min(attacks, len(release.train), len(release.test))
    members = sample_rows(release.train, size, rng.branch("members"))
    return Targets(members, sample_rows(release.test, size, rng.branch("controls")))


def success_rate(successes: float, attacks: int, confidence: float = CONFIDENCE) -> Rate:
    """Return Wilson's rate and error of `successes` among `attacks`; successes may be a sum of shares in [0, 1]."""
    z = float(norm.ppf((1.0 + confidence) / 2.0))
    weight = attacks + z * z
    spread = math.sqrt(successes * (attacks - successes) / attacks + z * z / 4.0)
    return Rate((successes + z * z / 2.0) / weight, z * spread / weight)


def residual_risk(attack: Rate, control: Rate) -> Rate:
    """Return the risk (a - c) / (1 - c) with its propagated error.

    Args:
        attack: rate of success on members, a.
        control: rate of success on controls, c.

    Raises:
        DataProblem: if the controls leave nothing to gain, c >= 1.
    """
    margin = 1.0 - control.value
    if margin <= 0.0:
        raise DataProblem(f"the attack's success rate on controls is {control.value:.3g}: members can add nothing to 1")
    slope = (1.0 - attack.value) / margin
    error = math.hypot(attack.error, slope * control.error) / margin
    return Rate((attack.value - control.value) / margin, error)


def attack_risk(
    metric: str,
    attack: Callable[[pd.DataFrame], np.ndarray],
    release: Release,
    *,
    attacks: int,
    rng: Rng,
    confidence: float,
) -> Score:
    """Return the risk of an attack on single rows, as a score whose n is the number of members attacked.

    Args:
        metric: its name.
        attack: rows [n, P + Q] -> how well it succeeds on each, [n] in [0, 1].
        release: what is attacked.
        attacks: attack at most so many members, and as many controls.
        rng: draws them.
        confidence: of the interval.
    """
    targets = draw_targets(release, attacks=attacks, rng=rng)
    members, controls = np.split(attack(pd.concat([targets.members, targets.controls])), 2)
    return risk_score(metric, members, controls, confidence)


def risk_score(metric: str, members: np.ndarray, controls: np.ndarray, confidence: float) -> Score:
    """Return the risk as a score on the axis privacy.

    Args:
        metric: its name.
        members: [n] success of the attack on each member, in [0, 1].
        controls: [n] the same for each control.
        confidence: of the interval.
    """
    rates = [success_rate(float(wins.sum()), len(wins), confidence) for wins in (members, controls)]
    return rate_score(metric, residual_risk(*rates), len(members))


def rate_score(metric: str, risk: Rate, n: int) -> Score:
    """Return a risk, measured by n attacks on members, as a score on the axis privacy."""
    low, high = risk.value - risk.error, risk.value + risk.error
    return Score("privacy", metric, risk.value, n, "down", low=low, high=high)
