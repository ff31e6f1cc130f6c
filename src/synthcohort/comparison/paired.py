"""Do two generators differ on one table, when many pairs are asked at once?

Over k splits the paired differences d have mean m and variance s^2 (k - 1 in the denominator). The corrected resampled
t-test [Nadeau & Bengio 2003, eq. 9] refers

    t = m / sqrt((1/k + n_test / n_train) * s^2)

to Student's t with k - 1 degrees of freedom, on both sides; p < 1 - confidence exactly where the interval of
`intervals.corrected_interval` leaves 0 out. Without variance (s = 0) the statistic is its limit: p = 1 if all
differences are 0, p = 0 if all are one other number. That p of 0 says only that k splits agree, and k splits that agree
are no proof. Fewer than two splits give no test: p is missing.

All pairs of M tests are read together after Holm's step-down adjustment [Holm 1979]: with p_(1) <= ... <= p_(M),

    adjusted p_(i) = max over j <= i of min(1, (M - j + 1) p_(j)),

which keeps the chance of any false difference among the pairs of one table and metric below the level. It does not
reach over tables or metrics.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.stats import t

from synthcohort.comparison.intervals import OBSERVED, Resampling, corrected_interval, goodness

COLUMNS = ["dataset", "first", "second", "difference", "low", "high", "p", "p_holm", "splits"]


def p_value(differences: Sequence[float] | np.ndarray, resampling: Resampling) -> float:
    """Return the two-sided p-value of the corrected resampled t-test that the mean difference is 0.

    Args:
        differences: [k] one paired difference a split, finite; fewer than two give NaN.
        resampling: the ratio of test to training rows (its confidence is not read).
    """
    values = np.asarray(differences, dtype=float)
    k = len(values)
    if k < 2:
        return math.nan
    if np.ptp(values) == 0:  # np.var of equal numbers need not be exactly 0
        return 1.0 if values[0] == 0 else 0.0
    scale = math.sqrt((1.0 / k + resampling.test_to_train) * float(np.var(values, ddof=1)))
    return float(2.0 * t.sf(abs(float(np.mean(values))) / scale, k - 1))


def holm(p_values: Sequence[float] | np.ndarray) -> np.ndarray:
    """Return Holm's adjusted p-values in the order given.

    Args:
        p_values: [M] each in [0, 1]; NaN where there was no test, which takes no part and stays NaN.

    Raises:
        ValueError: if a p-value lies outside [0, 1].
    """
    p = np.asarray(p_values, dtype=float)
    known = np.flatnonzero(~np.isnan(p))
    wrong = p[known][(p[known] < 0) | (p[known] > 1)]
    if len(wrong):
        raise ValueError(f"a p-value is {wrong[0]}; it must lie between 0 and 1, or be NaN where there was no test")
    ranked = known[np.argsort(p[known], kind="stable")]
    steps = np.minimum(1.0, p[ranked] * np.arange(len(ranked), 0, -1))
    adjusted = np.full(len(p), np.nan)
    adjusted[ranked] = np.maximum.accumulate(steps)
    return adjusted


def pairwise(frame: pd.DataFrame, metric: str, resampling: Resampling, *, condition: str = OBSERVED) -> pd.DataFrame:
    """Test every pair of generators on each dataset, split by split; "real" is no generator and takes no part.

    Args:
        frame: tidy scores; leave out the generators that are not to be compared, as each pair costs power.
        metric: the metric.
        resampling: confidence and the ratio of test to training rows.
        condition: the condition of the scores.

    Returns:
        `dataset`, `first`, `second` (by name), `difference` (mean over splits, positive favours `first`), `low`,
        `high`, `p`, `p_holm` (adjusted among the pairs of the dataset), `splits` (in which both have a value; below 2
        there is no interval and no test).

    Raises:
        ValueError: if no generator has a score of the metric under the condition.
    """
    own = frame[(frame["metric"] == metric) & (frame["condition"] == condition) & (frame["generator"] != "real")]
    if own.empty:
        raise ValueError(f"no score of {metric!r} under {condition!r}; there are {sorted(set(frame['metric']))}")
    rows = [row for _, table in own.groupby("dataset", sort=True) for row in _tests(table, resampling)]
    found = pd.DataFrame(rows, columns=[name for name in COLUMNS if name != "p_holm"])
    found["p_holm"] = found.groupby("dataset")["p"].transform(lambda p: holm(p.to_numpy()))
    return found[COLUMNS]


def _tests(table: pd.DataFrame, resampling: Resampling) -> list[dict[str, object]]:
    turned = table.assign(goodness=goodness(table["value"], table["direction"]))
    wide = turned.pivot_table(index="split", columns="generator", values="goodness", dropna=False)  # [k, generators]
    rows = []
    for first, second in combinations(sorted(wide.columns), 2):
        known = (wide[first] - wide[second]).dropna().to_numpy()
        interval = corrected_interval(known, resampling)
        rows.append(
            {
                "dataset": table["dataset"].iloc[0], "first": first, "second": second, "difference": interval.mean,
                "low": interval.low, "high": interval.high, "p": p_value(known, resampling), "splits": interval.splits,
            }
        )  # fmt: skip
    return rows
