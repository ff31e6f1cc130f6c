"""What do the pages that put one question to all tables share?

They read nothing but the score files. A method is a generator that is no sentinel; methods are compared over the tables
(`comparison.standing`), and every sentence is computed from what it speaks about.
"""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from synthcohort.comparison.intervals import OBSERVED, Resampling, summarise
from synthcohort.comparison.ranks import RankTest
from synthcohort.comparison.standing import Across, Standing, level_by_table, standing
from synthcohort.figures import labels, style
from synthcohort.report import gathering
from synthcohort.report.tables import Cell, interval
from synthcohort.report.verdicts import estimate, listed
from synthcohort.study import Study

NOTHING = "No method has a score, so there is nothing to compare."


@dataclass(frozen=True)
class Evidence:
    """The scores of the whole study.

    Args:
        frame: tidy scores of all tables and generators, "real" among them.
        methods: the generators that are no sentinels, in the study's order.
        resampling: how the splits were made.
        skipped: table -> why it was not run on this machine.
    """

    frame: pd.DataFrame
    methods: list[str]
    resampling: Resampling
    skipped: dict[str, str]

    def known(self, metrics: Sequence[str], condition: str | None = OBSERVED) -> list[str]:
        """Return those of `metrics` that have a value under the condition (None: under any), in their order."""
        own = self.frame[self.frame["value"].notna()]
        own = own if condition is None else own[own["condition"] == condition]
        found = set(own["metric"])
        return [metric for metric in metrics if metric in found]

    def standing(self, metric: str, *, condition: str = OBSERVED, beside: Sequence[str] = ()) -> Standing | None:
        """Return how the methods, and the generators `beside` them, stand on a metric over the tables."""
        return standing(
            self.frame,
            metric,
            candidates=[*self.methods, *beside],
            confidence=self.resampling.confidence,
            condition=condition,
        )

    def means(self, metrics: Sequence[str], condition: str = OBSERVED) -> pd.DataFrame:
        """Return means and intervals over splits of every generator and table that has a value."""
        own = self.frame[self.frame["metric"].isin(metrics) & (self.frame["condition"] == condition)]
        found = summarise(own, self.resampling)
        return self.ordered(found[found["mean"].notna()])

    def ordered(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Return the rows with tables in the order of the score files and generators in the study's."""
        tables = {name: place for place, name in enumerate(dict.fromkeys(self.frame["dataset"]))}
        names = {name: place for place, name in enumerate([style.REAL, *style.SENTINELS, *self.methods])}
        first = rows.assign(_table=rows["dataset"].map(tables), _name=rows["generator"].map(names))
        return first.sort_values(["_table", "_name"], kind="stable", ignore_index=True)[list(rows.columns)]

    def over_tables(self, means: pd.DataFrame) -> pd.DataFrame:
        """Return means and intervals over tables of what `means` gave."""
        return level_by_table(means, self.resampling.confidence)


@dataclass(frozen=True)
class Page(ABC):
    """A page whose answer one metric gives.

    Args:
        evidence: the scores.
        metric: the metric that gives the answer.
        found: how the methods stand by it; None without a score.
    """

    evidence: Evidence
    metric: str
    found: Standing | None

    @property
    def classifier(self) -> str:
        """The classifier of the metric, as metrics name it."""
        return next(name for name in labels.CLASSIFIERS if self.metric.endswith(f"_{name}"))

    def answer(self) -> str:
        """Return the answer in a few sentences."""
        return absent(self.metric) if self.found is None else self._answer(self.found)

    def changes(self) -> list[str]:
        """Return what would have changed the answer."""
        return [NOTHING] if self.found is None else self._changes(self.found)

    @abstractmethod
    def _answer(self, found: Standing) -> str: ...

    @abstractmethod
    def _changes(self, found: Standing) -> list[str]: ...


def gather(study: Study) -> Evidence:
    """Read the score files of the study."""
    asked = {name for dataset in study.params.datasets for name in study.generators(dataset)}
    methods = [name for name in study.params.generators if name in asked - {*style.SENTINELS}]
    return Evidence(gathering.all_scores(study), methods, gathering.resampling(study), gathering.skipped(study))


def named(metric: str) -> str:
    """Return a metric's name without a comma, for lists: its classifier or attack in brackets."""
    name = labels.short_label(metric).removeprefix("augmented ")
    return re.sub(r"^(.+?), (.+)$", r"\1 (\2)", name)


def measured(found: Across) -> str:
    """Return a mean over tables with its interval, if it has one."""
    return estimate(found, "one table")


def entry(means: pd.DataFrame, key: tuple[str, ...]) -> Cell:
    """Return the mean with its interval at `key` of an index of means, a dash where there is none."""
    return interval(*means.loc[key, ["mean", "low", "high"]]) if key in means.index else Cell("–")


def of_methods(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows whose generator is a method: neither a sentinel nor the real table."""
    return rows[~rows["generator"].isin([*style.SENTINELS, style.REAL])]


def extent(found: Standing) -> str:
    """Return how much stands behind a standing."""
    return f"over {counted(len(found.record.tables), 'table')}, {splits_each(*found.splits)}"


def splits_each(low: int, high: int) -> str:
    """Return how many splits tables have: the one with the fewest and the one with the most."""
    return f"{low if low == high else f'{low} to {high}'} split{'' if high == 1 else 's'} each"


def counted(number: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def absent(metric: str) -> str:
    """Return what is said where a metric has no score."""
    return f"No answer: the score files hold no value of `{metric}` that every method shares on any table."


def margin(found: Standing) -> str:
    """Return how far the first in rank is ahead of the second, and whether they are told apart."""
    if found.second is None:
        return f"{style.label(found.best)} is the only method with a score: there is nobody to be ahead of."
    gap = found.margin(found.best, found.second)
    verdict = (
        "told apart" if gap.low > 0 else "not told apart" if math.isfinite(gap.low) else "one table cannot tell them"
    )
    clique = next((c for c in found.record.cliques if found.best in c), ())
    tied = [name for name in clique if name != found.best]
    ranks = f" By mean ranks it is not told from {listed(tied)}." if tied else ""
    return (
        f"Margin: {style.label(found.best)} over the runner-up {style.label(found.second)}, {named(found.metric)} "
        f"paired by table: {measured(gap)}, {verdict}.{ranks}"
    )


def flips(found: Standing) -> str:
    """Return on which tables another generator has the better mean."""
    others: dict[str, list[str]] = {}
    for table, name in found.ahead_on.items():
        if name != found.best:
            others.setdefault(name, []).append(table)
    lost, tables = sum(len(t) for t in others.values()), len(found.record.tables)
    if not lost:
        return f"Tables: {style.label(found.best)} has the best mean on {_every(tables)}."
    named = "; ".join(f"{style.label(name)} on {', '.join(t)}" for name, t in others.items())
    return f"Tables: on {lost} of {tables} another method has the best mean ({named})."


def others(found: Standing, rivals: Mapping[str, Standing | None], what: str) -> str:
    """Return which other choices (metrics, classifiers) would have named another winner, and which the same.

    Args:
        found: the standing that gave the answer.
        rivals: name of the choice -> the standing it gives; None where it has no score.
        what: what is chosen, such as "metric".
    """
    by_winner: dict[str, list[str]] = {}
    for name, rival in rivals.items():
        if rival is not None:
            by_winner.setdefault(rival.best, []).append(name)
    same = by_winner.pop(found.best, [])
    asked = len(same) + sum(len(names) for names in by_winner.values())
    if not asked:
        return f"Other {what}s: none has a score."
    kept = f"{len(same)} of {asked} other {what}s give the same winner" + (f" ({', '.join(same)})" if same else "")
    if not by_winner:
        return f"Other {what}s: {kept}."
    changed = "; ".join(f"{style.label(winner)} by {', '.join(names)}" for winner, names in by_winner.items())
    return f"Other {what}s: {kept}. The winner would have been {changed}."


def over_tables_note(points: pd.DataFrame, confidence: float) -> str:
    """Return the caption of a figure of points per table and intervals over tables."""
    tables = points["dataset"].nunique()
    if tables < 2:
        return "One table, its mean over splits: no interval over tables."
    return (
        f"Points: {tables} tables, each its mean over splits. Bars: mean over tables with its {100 * confidence:g} % t "
        "interval. The frame fits most methods: an arrow tells where a mean lies beyond it, and points may be cut."
    )


def ranks_note(record: RankTest) -> str:
    """Return the caption of a critical difference diagram."""
    left = f" Left out: {'; '.join(record.left_out)}." if record.left_out else ""
    if record.reason:
        return f"No test: {record.reason}.{left}"
    if not record.cliques:
        return f"Every pair of neighbours differs by the critical difference or more.{left}"
    joined = "; ".join(listed(list(clique)) for clique in record.cliques)
    verdict = "some method differs" if record.p < 1 - record.confidence else "no difference is shown"
    return (
        f"Friedman's test over {len(record.tables)} tables: p = {record.p:.2g}, {verdict}. "
        f"Not told apart: {joined}.{left}"
    )


def by_table_note(evidence: Evidence) -> str:
    """Return the caption of a table with one row per table."""
    return f"Means over splits with their {100 * evidence.resampling.confidence:g} % interval (corrected resampled t)."


def _every(tables: int) -> str:
    return "the only table" if tables == 1 else f"all {tables} tables"
