"""Which of the papers' claims does this run support, contradict, or leave open?

A claim says that one arm is better than another on a metric by more than a margin. Per table, D is the mean over splits
of the paired difference better - worse, oriented so that positive favours the claim, with its corrected resampled t
interval [low, high] (`intervals`):

- supported: low > margin;
- contradicted: high < margin;
- undecided: otherwise, or with fewer than two paired splits.

Over tables: supported if it is supported on at least one table and contradicted on none; contradicted if it is
contradicted on at least one and supported on none; undecided otherwise. The counts stand beside the verdict, because
each table's interval is at the stated confidence by itself: over many tables some verdicts are due to chance.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal, Protocol

import pandas as pd

from synthcohort.comparison.intervals import Arm, Interval, Resampling, corrected_interval, pairs

Word = Literal["supported", "contradicted", "undecided"]


class Claim(Protocol):
    """A claim in a form a run can test; a block under `claims` in params.yaml has these fields."""

    @property
    def source(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def metric(self) -> str: ...
    @property
    def better(self) -> str: ...
    @property
    def worse(self) -> str: ...
    @property
    def condition(self) -> str: ...
    @property
    def better_condition(self) -> str | None: ...
    @property
    def worse_condition(self) -> str | None: ...
    @property
    def margin(self) -> float: ...
    @property
    def tables(self) -> Sequence[str]: ...
    @property
    def reported(self) -> str: ...


@dataclass(frozen=True)
class TableVerdict:
    """What one table says about a claim.

    Args:
        dataset: the table.
        verdict: supported, contradicted or undecided.
        difference, low, high: mean oriented difference over splits and its interval; NaN where there is none.
        splits: paired splits behind it.
        failed: splits in which an arm has no score.
        better_mean, worse_mean: the arms' means over the paired splits, in the metric's unit.
        reason: why it is undecided for lack of scores, else "".
    """

    dataset: str
    verdict: Word
    difference: float
    low: float
    high: float
    splits: int
    failed: int
    better_mean: float
    worse_mean: float
    reason: str


@dataclass(frozen=True)
class Verdict:
    """What the run says about a claim.

    Args:
        name: the claim's name.
        verdict: over all its tables.
        supported, contradicted, undecided: number of tables with each verdict.
        tables: the verdict of each.
        source, text, metric, margin, reported: as in the claim.
        better, worse: the two arms.
    """

    name: str
    verdict: Word
    supported: int
    contradicted: int
    undecided: int
    tables: tuple[TableVerdict, ...]
    source: str
    text: str
    metric: str
    margin: float
    reported: str
    better: Arm
    worse: Arm


def judge_claim(
    frame: pd.DataFrame, name: str, claim: Claim, datasets: Sequence[str], resampling: Resampling
) -> Verdict:
    """Return the verdict on one claim.

    Args:
        frame: tidy scores of all tables and generators, "real" among them.
        name: the claim's.
        claim: what is claimed.
        datasets: the tables that have both arms; a claim without tables of its own is tested on each.
        resampling: confidence and the ratio of test to training rows.
    """
    better = Arm(claim.better, claim.better_condition or claim.condition)
    worse = Arm(claim.worse, claim.worse_condition or claim.condition)
    paired = pairs(frame, claim.metric, better=better, worse=worse)
    tables = tuple(
        table_verdict(dataset, paired[paired["dataset"] == dataset], claim.margin, resampling)
        for dataset in (claim.tables or datasets)
    )
    counts = {
        word: sum(table.verdict == word for table in tables) for word in ("supported", "contradicted", "undecided")
    }
    return Verdict(
        name=name,
        verdict=overall(counts["supported"], counts["contradicted"]),
        supported=counts["supported"],
        contradicted=counts["contradicted"],
        undecided=counts["undecided"],
        tables=tables,
        source=claim.source,
        text=claim.text,
        metric=claim.metric,
        margin=claim.margin,
        reported=claim.reported,
        better=better,
        worse=worse,
    )


def overall(supported: int, contradicted: int) -> Word:
    """Return the verdict over tables from the number that support and that contradict the claim."""
    if supported and not contradicted:
        return "supported"
    if contradicted and not supported:
        return "contradicted"
    return "undecided"


def decide(interval: Interval, margin: float) -> Word:
    """Return the verdict of one interval; a missing bound decides nothing."""
    if interval.low > margin:
        return "supported"
    if interval.high < margin:
        return "contradicted"
    return "undecided"


def table_verdict(dataset: str, paired: pd.DataFrame, margin: float, resampling: Resampling) -> TableVerdict:
    """Return what one table says.

    Args:
        dataset: the table.
        paired: its rows of `intervals.pairs`.
        margin: smallest difference that counts, in the metric's unit.
        resampling: confidence and the ratio of test to training rows.
    """
    known = paired[paired["difference"].notna()]
    interval = corrected_interval(known["difference"].to_numpy(), resampling)
    return TableVerdict(
        dataset=dataset,
        verdict=decide(interval, margin),
        difference=interval.mean,
        low=interval.low,
        high=interval.high,
        splits=interval.splits,
        failed=len(paired) - len(known),
        better_mean=float(known["better"].mean()) if len(known) else math.nan,
        worse_mean=float(known["worse"].mean()) if len(known) else math.nan,
        reason=_reason(paired, interval),
    )


def verdict_frame(verdicts: Sequence[Verdict]) -> pd.DataFrame:
    """Return one row for every claim and table: `claim`, `overall`, then the fields of `TableVerdict`."""
    rows = [
        {"claim": verdict.name, "overall": verdict.verdict, **asdict(table)}
        for verdict in verdicts
        for table in verdict.tables
    ]
    return pd.DataFrame(rows, columns=["claim", "overall", *TableVerdict.__dataclass_fields__])


def _reason(paired: pd.DataFrame, interval: Interval) -> str:
    if interval.splits >= 2:
        return ""
    lost = [note for note in paired["note"] if note]
    why = f": {lost[0]}" if lost else ""
    if interval.splits == 1:
        return f"one paired split has no interval; raise study.splits to 2 or more{why}"
    return f"no split has scores of both arms{why}"
