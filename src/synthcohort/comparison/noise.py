"""Is one way to draw as good as another, as far as the splits can tell?

One generator on one table; the condition of a score names the way, one of them is the reference. On every split d is
the goodness of a way less that of the reference, with its corrected resampled t interval [low, high] over splits
(`intervals`). Split noise is half the width of the reference's own interval: what other splits would make of the
reference itself. A test of non-inferiority with that margin says of a way that it is within noise,

- supported: low > -noise;
- contradicted: high < -noise;
- undecided: otherwise, or with fewer than two splits.

To gain counts as no loss. The margin is itself estimated, and intervals are not adjusted for the number of ways.
"""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from synthcohort.comparison.claims import Word, decide
from synthcohort.comparison.intervals import Resampling, corrected_interval, goodness
from synthcohort.comparison.paired import p_value

COLUMNS = ["condition", "metric", "difference", "low", "high", "splits", "noise", "p", "verdict"]


def within_noise(frame: pd.DataFrame, reference: str, resampling: Resampling) -> pd.DataFrame:
    """Judge every way against the reference by every metric.

    Args:
        frame: tidy scores of one generator on one table.
        reference: condition of the reference.
        resampling: confidence and the ratio of test to training rows.

    Returns:
        `condition`, `metric`, `difference` (mean of d), `low`, `high`, `splits` (paired), `noise`, `p` (two-sided, that
        the mean of d is 0), `verdict`; the reference left out.

    Raises:
        ValueError: if the reference has no score.
    """
    turned = frame.assign(goodness=goodness(frame["value"], frame["direction"]))
    own = turned["condition"] == reference
    if not own.any():
        raise ValueError(f"no score of the reference {reference!r}; there are {sorted(set(frame['condition']))}")
    level = turned[own].set_index(["metric", "split"])["goodness"]
    rows = []
    for (condition, metric), way in turned[~own].groupby(["condition", "metric"], sort=True):
        values = level[level.index.get_level_values("metric") == metric].dropna()
        alone = corrected_interval(values.to_numpy(), resampling)
        noise = (alone.high - alone.low) / 2
        gains = (way.set_index(["metric", "split"])["goodness"] - values).dropna().to_numpy()
        found = corrected_interval(gains, resampling)
        test, verdict = p_value(gains, resampling), decide(found, -noise)
        rows.append([condition, metric, found.mean, found.low, found.high, found.splits, noise, test, verdict])
    return pd.DataFrame(rows, columns=COLUMNS)


def together(verdicts: Iterable[Word]) -> Word:
    """Return the verdict over several metrics: supported if by every one, contradicted if by any."""
    words = set(verdicts)
    if words == {"supported"}:
        return "supported"
    return "contradicted" if "contradicted" in words else "undecided"
