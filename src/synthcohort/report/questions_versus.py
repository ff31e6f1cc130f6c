"""How does a generator whose minority rows are added fare against an arm that needs no generator?

The arms of the real table are no rows added, the moved threshold and the like; both sides share their splits.
Per table the paired difference has its interval over splits, over tables the mean of these its interval over tables.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from synthcohort.comparison.intervals import Arm, corrected_interval, pairs
from synthcohort.comparison.standing import Across, across
from synthcohort.figures import style
from synthcohort.report.questions import Evidence


@dataclass(frozen=True)
class Versus:
    """One generator against one arm that needs none.

    Args:
        gain: mean over tables of the paired difference; positive favours the generator.
        better, worse, open: tables on which the interval over splits lies above 0, below 0, or neither.
    """

    gain: Across
    better: tuple[str, ...]
    worse: tuple[str, ...]
    open: tuple[str, ...]

    @property
    def tables(self) -> int:
        """Number of tables."""
        return len(self.better) + len(self.worse) + len(self.open)


def versus(evidence: Evidence, metric: str, *, one: Arm, arm: str) -> Versus:
    """Return how the generator of `one` fares against an arm of the real table, such as "threshold"."""
    rows = differences(evidence, metric, one=one, arm=arm)
    better, worse = rows[rows["low"] > 0]["dataset"], rows[rows["high"] < 0]["dataset"]
    unsure = [d for d in rows["dataset"] if d not in {*better, *worse}]
    gain = across(rows["mean"].to_numpy(), evidence.resampling.confidence)
    return Versus(gain, tuple(better), tuple(worse), tuple(unsure))


def differences(evidence: Evidence, metric: str, *, one: Arm, arm: str) -> pd.DataFrame:
    """Return the paired difference on each table: dataset, generator, mean, low, high, splits."""
    paired = pairs(evidence.frame, metric, better=one, worse=Arm(style.REAL, arm))
    rows = []
    for dataset, own in paired[paired["difference"].notna()].groupby("dataset"):
        found = corrected_interval(own["difference"].to_numpy(), evidence.resampling)
        rows.append({"dataset": dataset, "generator": one.generator, **vars(found)})
    return pd.DataFrame(rows, columns=["dataset", "generator", "mean", "low", "high", "splits"])


def verdict(plain: Versus, rival: Versus) -> str:
    """Return whether a generator helps (`plain`: against no rows added) and beats the moved threshold (`rival`)."""
    helps = plain.gain.low > 0
    beats = rival.gain.low > 0
    if beats:
        return "It helps, and it beats moving the threshold." if helps else "It beats moving the threshold."
    if rival.gain.high < 0:
        return "It helps, but moving the threshold helps more." if helps else "Moving the threshold is better."
    if helps:
        return "It helps, but it is not shown to beat moving the threshold."
    return "Neither is shown: that it helps, nor that it beats moving the threshold."
