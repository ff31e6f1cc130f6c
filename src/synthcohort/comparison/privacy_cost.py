"""How much does a budget of differential privacy cost, and who pays?

Scores of one table under the conditions `epsilon=E` and, for groups of patients, `epsilon=E COLUMN=LEVEL`; E = inf is
the method without privacy. All differences are taken split by split and have the corrected resampled t interval of
`intervals`.

The gap of a budget is the AUROC at epsilon less that at inf. With a tolerance c a budget is, as in `claims`, within it
(supported) if the whole interval of its gap lies above -c, outside it (contradicted) if it lies below, else undecided.
The smallest epsilon within the tolerance is

- estimated by the smallest one tried whose mean gap is -c or more;
- bounded by the smallest one that is not surely outside, and by the smallest one that is surely inside: the epsilons
  that a test of each, at the level of the intervals, cannot tell from the threshold. It is not adjusted for the number
  of epsilons, and says nothing of budgets between those tried.

A group's loss is its AUROC at inf less that at epsilon. Of every sensitive column the group with the fewest test rows
is set against the one with the most: the excess is the difference of their losses, a mean over the finite epsilons.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthcohort.comparison.claims import Word, decide
from synthcohort.comparison.intervals import Interval, Resampling, corrected_interval

GAPS = ["generator", "epsilon", "difference", "low", "high", "splits", "verdict"]
_CONDITION = r"^epsilon=(?P<epsilon>\S+)(?: (?P<group>.+))?$"


@dataclass(frozen=True)
class Reach:
    """The smallest epsilon whose AUROC is within a tolerance of that without privacy.

    Args:
        generator: the private family.
        epsilon: the estimate; infinite if no epsilon tried is within.
        low, high: its bounds; infinite where no epsilon tried is.
        gap: at the estimate, or at the largest epsilon tried where that is infinite.
    """

    generator: str
    epsilon: float
    low: float
    high: float
    gap: Interval


@dataclass(frozen=True)
class Excess:
    """How much more the smallest group loses than the largest.

    Args:
        generator: the private family.
        column: the sensitive column.
        small, large: the two groups, as levels.
        rows_small, rows_large: their test rows, means over splits.
        by_split: split -> excess, where both groups have scores.
        interval: of the excess; positive where the small group loses more.
        verdict: on "the small group loses more".
    """

    generator: str
    column: str
    small: str
    large: str
    rows_small: float
    rows_large: float
    by_split: pd.Series
    interval: Interval
    verdict: Word


def with_budgets(frame: pd.DataFrame) -> pd.DataFrame:
    """Return tidy scores with the columns `epsilon` and `group` ("" for all rows) that their conditions name."""
    parts = frame["condition"].str.extract(_CONDITION)
    return frame.assign(epsilon=parts["epsilon"].astype(float), group=parts["group"].fillna(""))


def gaps(frame: pd.DataFrame, metric: str, resampling: Resampling, *, tolerance: float) -> pd.DataFrame:
    """Return the gap of every budget of every family.

    Args:
        frame: scores of one table, `with_budgets`.
        metric: a score of all test rows, larger is better.
        resampling: confidence and the ratio of test to training rows.
        tolerance: c, > 0.

    Returns:
        `generator`, `epsilon`, `difference`, `low`, `high`, `splits` (paired), `verdict`; inf left out.
    """
    rows = []
    own = frame[(frame["metric"] == metric) & (frame["group"] == "")]
    for generator, part in own.groupby("generator", sort=False):
        wide = part.pivot_table(index="split", columns="epsilon", values="value", dropna=False)
        for epsilon in [e for e in wide.columns if math.isfinite(e)]:
            found = corrected_interval((wide[epsilon] - wide[math.inf]).dropna().to_numpy(), resampling)
            verdict = decide(found, -tolerance)
            rows.append([generator, epsilon, found.mean, found.low, found.high, found.splits, verdict])
    return pd.DataFrame(rows, columns=GAPS)


def reaches(found: pd.DataFrame, *, tolerance: float) -> list[Reach]:
    """Return the smallest epsilon within the tolerance, for each family of what `gaps` returned that has a gap."""
    return [
        _reach(str(generator), part.sort_values("epsilon"), tolerance)
        for generator, part in found[found["splits"] > 0].groupby("generator", sort=False)
    ]


def excesses(frame: pd.DataFrame, metric: str, resampling: Resampling) -> list[Excess]:
    """Return the excess of every family and sensitive column that has two groups or more.

    Args:
        frame: scores of one table, `with_budgets`.
        metric: a score of groups, larger is better, whose n counts the group's test rows.
        resampling: confidence and the ratio of test to training rows.
    """
    own = frame[(frame["metric"] == metric) & (frame["group"] != "")]
    named = own["group"].str.extract(r"^(?P<column>[^=]+)=(?P<level>.*)$")
    own = own.assign(column=named["column"], level=named["level"])
    keys = [(str(g), str(c)) for g, c in own[["generator", "column"]].drop_duplicates().itertuples(index=False)]
    found = [_excess(own[(own["generator"] == g) & (own["column"] == c)], g, c, resampling) for g, c in keys]
    return [excess for excess in found if excess is not None]


def together(found: list[Excess], resampling: Resampling) -> Interval:
    """Return the mean excess over families and columns, which are averaged on each split first."""
    if not found:
        return Interval(math.nan, math.nan, math.nan, 0)
    each = pd.concat([excess.by_split for excess in found], axis=1).mean(axis=1)
    return corrected_interval(each.to_numpy(), resampling)


def _reach(generator: str, rows: pd.DataFrame, tolerance: float) -> Reach:
    def first(held: pd.Series) -> float:
        return float(rows["epsilon"][held].min()) if held.any() else math.inf

    epsilon = first(rows["difference"] >= -tolerance)
    at = rows[rows["epsilon"] == min(epsilon, rows["epsilon"].max())].iloc[0]
    return Reach(
        generator,
        epsilon,
        low=first(rows["verdict"] != "contradicted"),
        high=first(rows["verdict"] == "supported"),
        gap=Interval(float(at["difference"]), float(at["low"]), float(at["high"]), int(at["splits"])),
    )


def _excess(rows: pd.DataFrame, generator: str, column: str, resampling: Resampling) -> Excess | None:
    sizes = rows[rows["value"].notna()].groupby("level")["n"].mean().sort_values(kind="stable")
    if len(sizes) < 2 or not np.isfinite(rows["epsilon"]).any():
        return None
    small, large = str(sizes.index[0]), str(sizes.index[-1])
    values = _differences(rows, small, large)
    found = corrected_interval(values.to_numpy(), resampling)
    sides = float(sizes.iloc[0]), float(sizes.iloc[-1])
    return Excess(generator, column, small, large, *sides, by_split=values, interval=found, verdict=decide(found, 0.0))


def _differences(rows: pd.DataFrame, small: str, large: str) -> pd.Series:
    """Return split -> loss of the small group less that of the large one, a mean over the finite epsilons."""
    own = rows[rows["level"].isin([small, large])]
    wide = own.pivot_table(index="split", columns=["level", "epsilon"], values="value", dropna=False)
    losses = {level: wide[level].rsub(wide[level][math.inf], axis=0) for level in (small, large)}  # [split, epsilon]
    apart = losses[small] - losses[large]
    return apart.drop(columns=math.inf).mean(axis=1).dropna()
