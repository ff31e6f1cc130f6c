"""Does any generator rank ahead of the others over all tables, and which cannot be told apart?

On each of N tables the k generators are ranked (1 is best, ties share the average), r[i, j] for table i. With R_j the
sum over tables, A = sum r[i, j]^2 and C = N k (k + 1)^2 / 4, Friedman's statistic with its correction for ties
[Friedman 1937; Conover 1999]

    chi^2 = (k - 1) (sum_j R_j^2 - N C) / (A - C)

has k - 1 degrees of freedom if no generator is better than another. Two generators differ [Nemenyi 1963; Demsar 2006,
sec. 3.2.2] if their mean ranks are at least the critical difference apart,

    CD = q sqrt(k (k + 1) / (6 N)),    q = Q / sqrt(2),

Q the quantile of the studentised range of k means with infinitely many degrees of freedom. The tables are the sample:
splits of one table only make its score more exact. Both are large-sample approximations; with six tables CD is wide,
and not to be told apart is then no evidence of being equal.

With several metrics a table's ranks are those of the generators' mean rank over the metrics (`intervals.mean_ranks`).
Every generator is judged on the splits that all have, so none gains by failing where the table is hard; a table on
which a metric has scores but no such split is left out and named.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import chi2, rankdata, studentized_range

from synthcohort.comparison.intervals import OBSERVED, mean_ranks

FEWEST_TABLES = 3


@dataclass(frozen=True)
class RankTest:
    """How the generators rank over tables.

    Args:
        generators: best mean rank first.
        mean_ranks: of each, over the tables; empty if no table counts.
        tables: the N tables that count.
        left_out: why each other table does not, a sentence a table.
        confidence: of the critical difference.
        statistic, p: Friedman's chi-square and its p-value; NaN if there is no test.
        critical_difference: of two mean ranks; NaN if there is no test.
        cliques: maximal groups of two or more neighbours in rank that do not differ, best first.
        reason: why there is no test, else "".
    """

    generators: tuple[str, ...]
    mean_ranks: tuple[float, ...]
    tables: tuple[str, ...]
    left_out: tuple[str, ...]
    confidence: float
    statistic: float
    p: float
    critical_difference: float
    cliques: tuple[tuple[str, ...], ...]
    reason: str


def over_tables(
    frame: pd.DataFrame, metrics: Sequence[str], *, confidence: float, condition: str = OBSERVED
) -> RankTest:
    """Rank the generators of the frame over its tables; "real" is no generator and takes no part.

    Args:
        frame: tidy scores of several tables; leave out generators that are not to be compared.
        metrics: one metric, or several whose ranks are averaged within a table.
        confidence: in (0, 1).
        condition: the condition of the scores.

    Raises:
        ValueError: if there are no metrics or no score of one of them.
    """
    chosen = frame[frame["metric"].isin(metrics) & (frame["condition"] == condition) & (frame["generator"] != "real")]
    absent = sorted(set(metrics) - set(chosen["metric"]))
    if not metrics:
        raise ValueError("no metric was named; name at least one to rank by")
    if absent:
        raise ValueError(f"no score of {absent} under {condition!r}; there are {sorted(set(frame['metric']))}")
    generators = sorted(chosen["generator"].unique())
    shared, left_out = [], []
    for dataset, table in chosen.groupby("dataset", sort=True):
        rows, lost = _shared_splits(table, generators)
        if lost:
            left_out.append(f"{dataset}: {lost}")
        else:
            shared.append(rows)
    if not shared:
        return _untested(generators, (), (), left_out, confidence, f"no table has all scores: {'; '.join(left_out)}")
    kept = pd.concat(shared, ignore_index=True)
    known = [metric for metric in metrics if (kept["metric"] == metric).any()]
    ranked = mean_ranks(kept, known, condition=condition)
    wide = -ranked.pivot_table(index="dataset", columns="generator", values="mean_rank")
    return rank_test(wide, confidence=confidence, left_out=left_out)


def rank_test(wide: pd.DataFrame, *, confidence: float, left_out: Sequence[str] = ()) -> RankTest:
    """Return Friedman's test and Nemenyi's cliques.

    Args:
        wide: [N, k] one row a table, one column a generator, larger is better, nothing missing.
        confidence: in (0, 1).
        left_out: tables that do not count and why, for the record.

    Raises:
        ValueError: if a number is missing or the confidence is not in (0, 1).
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence is {confidence}; it must lie between 0 and 1, such as 0.95")
    if wide.isna().to_numpy().any():
        raise ValueError("a table has no number for some generator; leave the table or the generator out")
    tables = tuple(str(name) for name in wide.index)
    ranks = rankdata(-wide.to_numpy(dtype=float), axis=1)  # [N, k]
    means = ranks.mean(axis=0) if len(wide) else np.full(wide.shape[1], np.nan)
    best_first = np.lexsort((np.asarray(wide.columns, dtype=str), means))
    names, means = [str(wide.columns[j]) for j in best_first], means[best_first]
    n, k = ranks.shape
    if n < FEWEST_TABLES or k < 2:
        reason = f"{n} table(s) and {k} generator(s); the test needs {FEWEST_TABLES} tables and 2 generators"
        return _untested(names, means, tables, left_out, confidence, reason)
    statistic = _friedman(ranks)
    gap = critical_difference(k, n, confidence=confidence)
    return RankTest(
        generators=tuple(names),
        mean_ranks=tuple(float(m) for m in means),
        tables=tables,
        left_out=tuple(left_out),
        confidence=confidence,
        statistic=statistic,
        p=float(chi2.sf(statistic, k - 1)),
        critical_difference=gap,
        cliques=cliques(names, means, gap),
        reason="",
    )


def critical_difference(generators: int, tables: int, *, confidence: float) -> float:
    """Return Nemenyi's critical difference of two mean ranks."""
    q = float(studentized_range.ppf(confidence, generators, np.inf)) / math.sqrt(2.0)
    return q * math.sqrt(generators * (generators + 1) / (6.0 * tables))


def cliques(names: Sequence[str], means: Sequence[float] | np.ndarray, gap: float) -> tuple[tuple[str, ...], ...]:
    """Return the maximal runs of two or more names whose mean ranks (ascending) span less than `gap`."""
    ends = [max(j for j in range(i, len(names)) if j == i or means[j] - means[i] < gap) for i in range(len(names))]
    starts = [i for i, end in enumerate(ends) if end > i and (i == 0 or ends[i - 1] < end)]
    return tuple(tuple(names[i : ends[i] + 1]) for i in starts)


def _friedman(ranks: np.ndarray) -> float:
    n, k = ranks.shape
    centre = n * k * (k + 1) ** 2 / 4.0
    spread = float((ranks**2).sum()) - centre
    if spread == 0:  # every table ties all generators: nothing speaks for a difference
        return 0.0
    return (k - 1) * (float((ranks.sum(axis=0) ** 2).sum()) - n * centre) / spread


def _shared_splits(table: pd.DataFrame, generators: Sequence[str]) -> tuple[pd.DataFrame, str]:
    """Return the rows of the splits that all generators have, and which generator lacks which metric, else ""."""
    kept = []
    for metric, rows in table.groupby("metric", sort=True):
        known = rows[rows["value"].notna()]
        if known.empty:  # not defined on this table for anyone
            continue
        counts = known.groupby("split")["generator"].nunique()
        whole = known[known["split"].isin(counts.index[counts == len(generators)])]
        if whole.empty:
            have = known.groupby("generator")["split"].nunique().reindex(list(generators), fill_value=0)
            least = f"{have.idxmin()} has {have.min()} of {len(counts)}"
            return whole, f"no split of {metric} is shared by all generators; {least}"
        kept.append(whole)
    return (pd.concat(kept), "") if kept else (table.head(0), "no generator has a score")


def _untested(
    names: Sequence[str],
    means: Sequence[float] | np.ndarray,
    tables: tuple[str, ...],
    left_out: Sequence[str],
    confidence: float,
    reason: str,
) -> RankTest:
    ranks, nan = tuple(float(m) for m in means), math.nan
    return RankTest(tuple(names), ranks, tables, tuple(left_out), confidence, nan, nan, nan, (), reason)
