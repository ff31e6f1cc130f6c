"""How far along is a generator, between what needs no learning and what fresh real rows achieve?

With g the goodness of a metric (`intervals.goodness`), per split s: a_s = g(generator) - g(floor) and
w_s = g(ceiling) - g(floor). The position is mean(a) / mean(w): 0 at the floor, 1 at the ceiling.

- floor: `independent`, which knows every marginal and no dependence; for privacy `bootstrap`, which copies.
- ceiling: the real table itself ("real": fresh real rows judged by the same metric); for `tstr_*` the real table's
  `trtr_*` of the same predictor, since models trained on real rows are what synthetic rows stand in for.

Below 0 is worse than the floor. Above 1 is not better than reality: the fresh real rows are few and carry noise of
their own, and some metrics reward smoothness; `noise`, the standard deviation of the ceiling over splits, says how
much noise.

The interval is Fieller's [Fieller 1954], with the corrected resampled variance [Nadeau & Bengio 2003]: all P for which
the mean of a_s - P w_s is not told from 0. With c^2 = t_{k-1}^2 (1/k + n_test / n_train) it lies between the roots of

    P^2 (mean(w)^2 - c^2 var(w)) - 2 P (mean(a) mean(w) - c^2 cov(a, w)) + mean(a)^2 - c^2 var(a) = 0,

so it leaves 0 (or 1) out exactly where the paired test tells the generator from the floor (or the ceiling). It is
bounded exactly where the interval of w leaves 0 out. Where it does not, or where the ceiling is below the floor, there
is no scale to stand on: no position, and a reason.

Departs: mean(a) / mean(w), not the mean of a_s / w_s, which a split with w_s near 0 would rule alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import t

from synthcohort.comparison.intervals import OBSERVED, Arm, Interval, Resampling, corrected_interval, goodness

FLOOR, PRIVACY_FLOOR, CEILING = "independent", "bootstrap", "real"
COLUMNS = [
    *("dataset", "generator", "axis", "metric", "position", "low", "high"),
    *("splits", "floor", "ceiling", "noise", "reason"),
]


@dataclass(frozen=True)
class Ends:
    """What a metric's positions lie between.

    Args:
        floor: whose score of the metric is position 0.
        ceiling: whose score of `ceiling_metric` is position 1.
        ceiling_metric: the metric itself, or the real table's own score of the same predictor.
    """

    floor: Arm
    ceiling: Arm
    ceiling_metric: str


def ends(metric: str, axis: str) -> Ends:
    """Return the floor and the ceiling of a metric."""
    floor = Arm(PRIVACY_FLOOR if axis == "privacy" else FLOOR)
    ceiling_metric = f"trtr_{metric.removeprefix('tstr_')}" if metric.startswith("tstr_") else metric
    return Ends(floor, Arm(CEILING), ceiling_metric)


def positions(frame: pd.DataFrame, metrics: Sequence[str], resampling: Resampling) -> pd.DataFrame:
    """Return the position of every generator on each metric and dataset, on the splits that it and both ends have.

    Args:
        frame: tidy scores, the floors and "real" among them.
        metrics: the metrics, such as those of one axis.
        resampling: confidence and the ratio of test to training rows.

    Returns:
        `dataset`, `generator`, `axis`, `metric`; `position`, `low`, `high` (NaN with a reason); `splits`; `floor`,
        `ceiling` (means over those splits, in the metric's unit); `noise`; `reason` ("" where there is a position).

    Raises:
        ValueError: if a metric has no score.
    """
    observed = frame[frame["condition"] == OBSERVED]
    observed = observed.assign(goodness=goodness(observed["value"], observed["direction"]))
    by_metric = dict(list(observed.groupby("metric")))
    absent = [metric for metric in metrics if metric not in by_metric]
    if absent:
        raise ValueError(f"no score of {absent} under {OBSERVED!r}; there are {sorted(by_metric)}")
    rows = []
    for metric in metrics:
        axis = str(by_metric[metric]["axis"].iloc[0])
        of = ends(metric, axis)
        above = by_metric.get(of.ceiling_metric, observed.head(0))
        ceilings = above[above["generator"] == of.ceiling.generator]
        for dataset, table in by_metric[metric].groupby("dataset", sort=True):
            found = _table(table, ceilings[ceilings["dataset"] == dataset], of, resampling)
            rows += [{"dataset": dataset, "axis": axis, "metric": metric, **row} for row in found]
    return pd.DataFrame(rows, columns=COLUMNS)


def noise(frame: pd.DataFrame, metric: str) -> pd.Series:
    """Return dataset -> standard deviation over splits of the metric's ceiling, in its unit; NaN below two splits."""
    own = frame[(frame["metric"] == metric) & (frame["condition"] == OBSERVED)]
    if own.empty:
        raise ValueError(f"no score of {metric!r} under {OBSERVED!r}; there are {sorted(set(frame['metric']))}")
    of = ends(metric, str(own["axis"].iloc[0]))
    above = frame[(frame["metric"] == of.ceiling_metric) & (frame["condition"] == OBSERVED)]
    spread = above[above["generator"] == of.ceiling.generator].groupby("dataset")["value"].std(ddof=1)
    return spread.reindex(sorted(own["dataset"].unique())).rename("noise")


def ratio_interval(above_floor: np.ndarray, span: np.ndarray, resampling: Resampling) -> Interval:
    """Return mean(above_floor) / mean(span) with Fieller's interval, corrected for overlapping splits.

    Args:
        above_floor, span: [k] paired by split, k >= 2; the interval of `span` must leave 0 out.

    Raises:
        ValueError: if it does not: the ratio's interval would have no end.
    """
    k = len(span)
    a, w = float(np.mean(above_floor)), float(np.mean(span))
    (var_a, cov), (_, var_w) = np.cov(above_floor, span, ddof=1)
    quantile = float(t.ppf((1.0 + resampling.confidence) / 2.0, k - 1))
    c = quantile**2 * (1.0 / k + resampling.test_to_train)
    square, cross, constant = w**2 - c * var_w, a * w - c * cov, a**2 - c * var_a
    if not square > 0:
        raise ValueError("the span of floor and ceiling is not told from 0; a position on it has no bounded interval")
    half = math.sqrt(max(cross**2 - square * constant, 0.0))  # never negative but for rounding: a / w is between
    return Interval(a / w, float((cross - half) / square), float((cross + half) / square), k)


def _table(table: pd.DataFrame, ceilings: pd.DataFrame, of: Ends, resampling: Resampling) -> list[dict[str, object]]:
    """Return one row for every generator of one table and metric."""
    arms = {str(name): _by_split(own) for name, own in table.groupby("generator", sort=True)}
    floor, ceiling = arms.get(of.floor.generator, _by_split(table.head(0))), _by_split(ceilings)
    spread = float(ceiling["value"].std(ddof=1))
    rows = []
    for generator, own in arms.items():
        if generator == of.ceiling.generator:
            continue
        shared = own.index.intersection(floor.index).intersection(ceiling.index)
        low_end, high_end = floor.loc[shared], ceiling.loc[shared]
        above_floor = (own.loc[shared, "goodness"] - low_end["goodness"]).to_numpy()
        span = (high_end["goodness"] - low_end["goodness"]).to_numpy()
        sizes = (len(own), len(floor), len(ceiling))
        reason = _reason(generator, of, sizes, corrected_interval(span, resampling))
        place = _nowhere(len(span)) if reason else ratio_interval(above_floor, span, resampling)
        rows.append(
            {
                "generator": generator, "position": place.mean, "low": place.low, "high": place.high,
                "splits": place.splits, "floor": float(low_end["value"].mean()),
                "ceiling": float(high_end["value"].mean()), "noise": spread, "reason": reason,
            }
        )  # fmt: skip
    return rows


def _reason(generator: str, of: Ends, sizes: tuple[int, int, int], span: Interval) -> str:
    arms = (generator, f"the floor {of.floor.generator}", f"the ceiling {of.ceiling.generator} ({of.ceiling_metric})")
    lost = [arm for arm, size in zip(arms, sizes, strict=True) if size == 0]
    if lost:
        return f"no score of {' and '.join(lost)}"
    if span.splits < 2:
        return f"{span.splits} split(s) with scores of the generator and both ends; an interval needs 2"
    if span.high < 0:
        return (
            f"the ceiling is below the floor by {-span.mean:.3g}: no scale between {of.floor.generator} and real rows"
        )
    if not span.low > 0:
        return "floor and ceiling do not differ beyond noise"
    return ""


def _by_split(rows: pd.DataFrame) -> pd.DataFrame:
    """Return split -> value and goodness of one arm, splits without a value left out."""
    return rows.loc[rows["value"].notna(), ["split", "value", "goodness"]].set_index("split")


def _nowhere(splits: int) -> Interval:
    return Interval(math.nan, math.nan, math.nan, splits)
