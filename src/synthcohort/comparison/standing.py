"""Which generator is ahead over all tables, by how much, and on which tables is it not?

Tables are the sample. On each of N tables a generator's score is its mean over the splits that all candidates have; the
order is that of mean ranks over tables (`ranks.over_tables`). A number m over tables comes with Student's t interval

    mean +- t_{N-1, (1 + confidence) / 2} * s / sqrt(N),    s^2 the variance of the N numbers,

with no correction for overlap, since tables share no rows. It speaks of further tables of this kind, as far as these
are a sample of any: they were chosen, not drawn. One table has no interval.

The margin is the paired difference, table by table, of the first and the second in rank; positive favours the first.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import sem, t

from synthcohort.comparison.intervals import OBSERVED, goodness
from synthcohort.comparison.ranks import RankTest, over_tables


@dataclass(frozen=True)
class Across:
    """A mean over tables with its interval; NaN where there is none.

    Args:
        mean: over the tables that have a value.
        low, high: bounds; NaN with fewer than two tables.
        tables: how many tables have a value.
    """

    mean: float
    low: float
    high: float
    tables: int


@dataclass(frozen=True)
class Standing:
    """How generators stand on one metric over tables.

    Args:
        metric, condition: what they are compared by.
        record: their ranks, best first, and the test of them.
        values: [N, k] a row per table, a column per generator: means over shared splits, in the metric's unit.
        worth: [N, k] the same as goodness: larger is better.
        splits: shared splits of the table that has fewest, and of the one that has most.
    """

    metric: str
    condition: str
    record: RankTest
    values: pd.DataFrame
    worth: pd.DataFrame
    splits: tuple[int, int]

    @property
    def best(self) -> str:
        """The generator with the best mean rank."""
        return self.record.generators[0]

    @property
    def second(self) -> str | None:
        """The generator with the second best mean rank; None if there is only one."""
        return self.record.generators[1] if len(self.record.generators) > 1 else None

    @property
    def ahead_on(self) -> dict[str, str]:
        """Table -> the generator with the best mean there."""
        return {str(table): str(name) for table, name in self.worth.idxmax(axis=1).items()}

    def level(self, generator: str) -> Across:
        """Return a generator's mean over tables."""
        return across(self.values[generator].to_numpy(), self.record.confidence)

    def margin(self, first: str, second: str) -> Across:
        """Return the mean over tables of the paired difference in goodness, first minus second."""
        return across((self.worth[first] - self.worth[second]).to_numpy(), self.record.confidence)


def across(values: Sequence[float] | np.ndarray, confidence: float) -> Across:
    """Return the mean over tables and its t interval.

    Args:
        values: [N] one number a table; NaN where a table has none, which takes no part.
        confidence: in (0, 1).
    """
    known = np.asarray(values, dtype=float)
    known = known[~np.isnan(known)]
    n, mean = len(known), float(known.mean()) if len(known) else math.nan
    if n < 2:
        return Across(mean, math.nan, math.nan, n)
    half = float(t.ppf((1.0 + confidence) / 2.0, n - 1) * sem(known))
    return Across(mean, mean - half, mean + half, n)


def standing(
    frame: pd.DataFrame,
    metric: str,
    *,
    candidates: Sequence[str],
    confidence: float,
    condition: str = OBSERVED,
) -> Standing | None:
    """Return how the candidates stand on a metric over the tables; None if no table has a score of each of them.

    Args:
        frame: tidy scores of several tables.
        metric: what they are compared by.
        candidates: the generators to compare; those without any score of the metric take no part.
        confidence: of all intervals, in (0, 1).
        condition: the condition of the scores.
    """
    own = frame[(frame["metric"] == metric) & (frame["condition"] == condition) & frame["generator"].isin(candidates)]
    known = own[own["value"].notna()]
    own = own[own["generator"].isin(known["generator"])]
    if known.empty:
        return None
    record = over_tables(own, [metric], confidence=confidence, condition=condition)
    if not record.tables:
        return None
    rows, counts = [], []
    for table in record.tables:
        wide = known[known["dataset"] == table].pivot_table(index="split", columns="generator", values="value").dropna()
        rows.append(wide.mean().rename(table))
        counts.append(len(wide))
    values = pd.DataFrame(rows)[list(record.generators)]
    direction = pd.Series(known["direction"].iloc[0], index=values.index)
    worth = values.apply(lambda column: goodness(column, direction))
    return Standing(metric, condition, record, values, worth, (min(counts), max(counts)))


def level_by_table(means: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """Return the mean over tables of tables' means.

    Args:
        means: tidy, columns dataset, generator, metric, mean (of `intervals.summarise`).
        confidence: in (0, 1).

    Returns:
        `generator`, `metric`, `mean`, `low`, `high`, `tables`.
    """
    rows = []
    for (metric, generator), own in means.groupby(["metric", "generator"], sort=True):
        found = across(own["mean"].to_numpy(), confidence)
        rows.append({"generator": generator, "metric": metric, **vars(found)})
    return pd.DataFrame(rows, columns=["generator", "metric", "mean", "low", "high", "tables"])
