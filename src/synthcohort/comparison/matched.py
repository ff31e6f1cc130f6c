"""Which of two arms is the fairer at the same AUROC?

On one split an arm has a point (AUROC, fairness) at every dial; neighbouring dials are joined by lines. Whoever can
have an AUROC can have a lower one, so what the arm offers at an AUROC of at least x is

    F(x) = max of the fairness on those lines where the AUROC is x or more.

Two arms are compared at x, the AUROC of the first at its last dial, where it is balanced in full: d = F_1(x) - F_2(x),
with its corrected resampled t interval over splits (`intervals`). The first is fairer: supported if the interval lies
above 0, contradicted if below, undecided otherwise or with fewer than two splits. A split on which the second reaches
no such AUROC, or a score that is needed is undefined, gives no d and is counted.

Of many comparisons read together, those count whose test survives Holm's adjustment (`paired`): the verdict is
supported if some of these are and none is contradicted, contradicted the other way round, undecided otherwise.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthcohort.comparison.claims import Word, decide
from synthcohort.comparison.intervals import Interval, Resampling, corrected_interval
from synthcohort.comparison.paired import holm, p_value

AUROC = "auroc"


@dataclass(frozen=True)
class Matched:
    """Two arms at the same AUROC, on one table.

    Args:
        first, second: the arms.
        metric: of fairness, larger is fairer.
        at: AUROC they are compared at, mean over the splits compared.
        gain: d over the splits compared.
        p: that the mean of d is 0, of two sides; NaN with fewer than two splits.
        lost: splits without a d.
    """

    first: str
    second: str
    metric: str
    at: float
    gain: Interval
    p: float
    lost: int

    @property
    def word(self) -> Word:
        """Whether the first arm is the fairer."""
        return decide(self.gain, 0.0)


def matched(
    frame: pd.DataFrame,
    metric: str,
    *,
    first: str,
    second: str,
    conditions: Sequence[str],
    resampling: Resampling,
) -> Matched:
    """Compare two arms at the AUROC of the first at its last dial.

    Args:
        frame: tidy scores of one table.
        metric: of fairness, larger is fairer.
        first, second: arms, by the column generator.
        conditions: of the curves, in the order of the dials.
        resampling: confidence and the ratio of test to training rows.
    """
    curves = [_curves(frame, metric, arm, conditions) for arm in (first, second)]
    splits = sorted({*curves[0], *curves[1]})
    found, at = [], []
    for split in splits:
        one, other = (own.get(split, np.empty((0, 2))) for own in curves)
        if not len(one) or np.isnan(one[-1]).any():
            continue
        x = float(one[-1, 0])
        gain = offered(one, x) - offered(other, x)
        if math.isfinite(gain):
            found.append(gain)
            at.append(x)
    gains, p = corrected_interval(found, resampling), p_value(found, resampling)
    return Matched(first, second, metric, float(np.mean(at)) if at else math.nan, gains, p, len(splits) - len(found))


def together(found: Sequence[Matched], confidence: float) -> Word:
    """Return the verdict of several comparisons, read together at the level 1 - confidence."""
    adjusted = holm([one.p for one in found])
    told = {one.word for one, p in zip(found, adjusted, strict=True) if p < 1 - confidence}
    if {"supported", "contradicted"} <= told:
        return "undecided"
    return next((word for word in ("supported", "contradicted") if word in told), "undecided")


def offered(curve: np.ndarray, x: float) -> float:
    """Return the best fairness of a curve at an AUROC of `x` or more; NaN if it has none.

    Args:
        curve: [k, 2] AUROC and fairness in the order of the dials; a dial without both takes no part.
        x: the AUROC asked for.
    """
    known = curve[~np.isnan(curve).any(axis=1)]
    best = [fairness for auroc, fairness in known if auroc >= x]
    for (left, low), (right, high) in itertools.pairwise(known):
        if min(left, right) < x < max(left, right):
            best.append(low + (high - low) * (x - left) / (right - left))
    return float(max(best)) if best else math.nan


def _curves(frame: pd.DataFrame, metric: str, arm: str, conditions: Sequence[str]) -> dict[int, np.ndarray]:
    """Return split -> AUROC and fairness of every condition, [k, 2], NaN where there is no value."""
    own = frame[(frame["generator"] == arm) & frame["metric"].isin([AUROC, metric])]
    wide = own.pivot_table(index=["split", "condition"], columns="metric", values="value", dropna=False)
    wide = wide.reindex(columns=[AUROC, metric])
    return {
        int(split): rows.droplevel("split").reindex(list(conditions)).to_numpy(dtype=float)
        for split, rows in wide.groupby(level="split")
    }
