"""What does each of the three ideas of MTabGen bring, and does it bring more where columns depend on each other?

An idea is taken away by putting something plainer in its place; the two generators are compared split by split, in
filling hidden cells and in drawing rows. That an idea brings something is a claim like any other (`comparison.claims`):
on one table it is supported if the whole interval of the paired gain lies above 0.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import pandas as pd
from scipy.stats import kendalltau

from synthcohort.comparison.claims import TableVerdict, Verdict, Word, judge_claim
from synthcohort.comparison.intervals import OBSERVED, Resampling, load_scores, summarise
from synthcohort.report import gathering
from synthcohort.report.captions_study import measured_on
from synthcohort.scores import COLUMNS
from synthcohort.study import ClaimBlock, Scenario, Study

BASE = "mtabgen"
Task = Literal["imputation", "generation"]
TASKS: tuple[Task, ...] = ("imputation", "generation")
METRICS: Mapping[Task, tuple[str, ...]] = {
    "imputation": ("impute_mae_median", "impute_accuracy", "impute_crps", "impute_coverage_gap"),
    "generation": ("shape", "trend", "c2st_xgboost", "tstr_auroc_xgboost", "tstr_r2_xgboost"),
}
COSTS: Mapping[Task, tuple[str, str]] = {
    "imputation": ("fit_cpu_seconds", "impute_cpu_seconds"),
    "generation": ("train_cpu_seconds", "sample_cpu_seconds"),
}


@dataclass(frozen=True)
class Idea:
    """An idea, and what stands in its place.

    Args:
        name: of the idea.
        instead: what is put in its place.
        rivals: task -> the generator without the idea; fixed masks take one for each task.
    """

    name: str
    instead: str
    rivals: Mapping[Task, str]

    @property
    def title(self) -> str:
        """Idea and replacement."""
        return f"{self.name} instead of {self.instead}"


IDEAS = (
    Idea("Transformer", "a perceptron", dict.fromkeys(TASKS, "mtabgen_mlp")),
    Idea("Dynamic masks", "fixed ones", {"imputation": "mtabgen_fixed_share", "generation": "mtabgen_fixed_mask"}),
    Idea("Cross-attention", "addition", dict.fromkeys(TASKS, "mtabgen_addition")),
    Idea("Cross-attention", "concatenation", dict.fromkeys(TASKS, "mtabgen_concatenation")),
)


@dataclass(frozen=True)
class Trend:
    """How a gain goes with the dependence of the columns, over tables.

    Args:
        tau: Kendall's rank correlation; NaN with fewer than two tables.
        p: its two-sided p-value, exact without ties.
        tables: how many.
        word: supported if the gain surely grows with dependence, contradicted if it surely falls.
    """

    tau: float
    p: float
    tables: int
    word: Word


@dataclass(frozen=True)
class Found:
    """The scores of MTabGen and its ablations.

    Args:
        scores: task -> tidy scores; may be empty.
        costs: task -> tidy CPU seconds; may be empty.
        dependence: dataset -> mean over splits, where it is known.
        datasets: the tables of the imputation study.
        scenarios: how cells were hidden, the one that was fitted first.
        resampling: how the splits were made.
        machine: what CPU seconds were measured on, in words.
        judged: the verdicts so far, since a page asks for each several times.
    """

    scores: Mapping[Task, pd.DataFrame]
    costs: Mapping[Task, pd.DataFrame]
    dependence: Mapping[str, float]
    datasets: tuple[str, ...]
    scenarios: tuple[Scenario, ...]
    resampling: Resampling
    machine: str
    judged: dict[tuple[str, str, str, str], Verdict] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def ideas(self, task: Task) -> list[Idea]:
        """Return the ideas that some table says something about."""
        return [idea for idea in IDEAS if any(self.tables(idea, task, m) for m in METRICS[task])]

    @property
    def leading(self) -> list[str]:
        """The scores, of either task, that some idea is judged by."""
        return [m for task in TASKS for m in METRICS[task] if any(self.tables(i, task, m) for i in IDEAS)]

    @property
    def titles(self) -> list[str]:
        """Every idea's title."""
        return [idea.title for idea in IDEAS]

    def condition(self, task: Task) -> str:
        """Return the condition of a task's scores: the fitted holes, or rows as they are."""
        return self.scenarios[0].name if task == "imputation" else OBSERVED

    def tables(self, idea: Idea, task: Task, metric: str, condition: str = "") -> list[str]:
        """Return the tables on which both generators have the score on some split."""
        return [one.dataset for one in self.verdict(idea, task, metric, condition).tables]

    def verdict(self, idea: Idea, task: Task, metric: str, condition: str = "") -> Verdict:
        """Return whether the idea improves a score, over the tables on which both generators have it."""
        key = (idea.title, task, metric, condition or self.condition(task))
        if key not in self.judged:
            self.judged[key] = self._judge(idea, task, metric, key[-1])
        return self.judged[key]

    def _judge(self, idea: Idea, task: Task, metric: str, condition: str) -> Verdict:
        claim = ClaimBlock(
            source="", text=idea.title, metric=metric, better=BASE, worse=idea.rivals[task], condition=condition
        )
        whole = judge_claim(self.scores[task], idea.title, claim, self.datasets, self.resampling)
        known = tuple(one for one in whole.tables if one.splits)
        return replace(whole, tables=known, undecided=sum(one.verdict == "undecided" for one in known))

    def points(self, metric: str) -> pd.DataFrame:
        """Return a row for every idea and table: title, dataset, dependence, difference, low, high, verdict."""
        told = [
            (idea.title, dataset, self.dependence[dataset], one.difference, one.low, one.high, one.verdict)
            for idea in IDEAS
            for dataset, one in self.by_table(idea, metric).items()
            if dataset in self.dependence
        ]
        return pd.DataFrame(told, columns=["title", "dataset", "dependence", "difference", "low", "high", "verdict"])

    def by_table(self, idea: Idea, metric: str) -> dict[str, TableVerdict]:
        """Return dataset -> what the table says about an idea."""
        return {one.dataset: one for one in self.verdict(idea, task_of(metric), metric).tables}

    def trend(self, idea: Idea, metric: str) -> Trend:
        """Return whether the idea's gain grows with the dependence of the columns."""
        points = self.points(metric)
        own = points[points["title"] == idea.title]
        if len(own) < 2:
            return Trend(math.nan, math.nan, len(own), "undecided")
        tau, p = kendalltau(own["dependence"], own["difference"])
        return Trend(float(tau), float(p), len(own), _word(tau) if p < 1 - self.resampling.confidence else "undecided")


def find(study: Study) -> Found:
    """Read the scores of MTabGen and its ablations on the tables of the imputation study."""
    block, paths = study.params.imputation, study.paths
    filled = [(d, n) for d in block.tables for n in arms("imputation") if n in block.imputers]
    drawn = [(d, n) for d in block.tables for n in arms("generation") if n in study.generators(d)]
    told = {(d, f"{n}, holes"): paths.impute_machine(d, n) for d, n in filled if paths.impute(d, n).is_file()}
    told |= {(d, f"{n}, rows"): paths.machine(d, n) for d, n in drawn if paths.scores(d, n).is_file()}
    return Found(
        scores={
            "imputation": _read([paths.impute(*cell) for cell in filled]),
            "generation": _read([paths.scores(*cell) for cell in drawn]),
        },
        costs={
            "imputation": _read([paths.impute_cost(*cell) for cell in filled]),
            "generation": _read([paths.cost(*cell) for cell in drawn]),
        },
        dependence=_dependence(study),
        datasets=tuple(block.tables),
        scenarios=(block.fitted, *(s for s in block.scenarios if s != block.fitted)),
        resampling=gathering.resampling(study),
        machine=" ".join(measured_on({cell: gathering.machine(path) for cell, path in told.items()})),
    )


def arms(task: Task) -> list[str]:
    """Return MTabGen and its ablations in a task."""
    return list(dict.fromkeys([BASE, *(idea.rivals[task] for idea in IDEAS)]))


def task_of(metric: str) -> Task:
    """Return the task a score belongs to."""
    return "imputation" if metric in METRICS["imputation"] else "generation"


def _word(tau: float) -> Word:
    return "supported" if tau > 0 else "contradicted"


def _read(paths: Sequence) -> pd.DataFrame:
    there = [path for path in paths if path.is_file()]
    return load_scores(there) if there else pd.DataFrame(columns=COLUMNS).astype({"value": float, "split": int})


def _dependence(study: Study) -> dict[str, float]:
    frame = _read([study.paths.dependence(dataset) for dataset in study.params.imputation.tables])
    found = summarise(frame, gathering.resampling(study))
    return {str(row.dataset): float(row.mean) for row in found.itertuples() if math.isfinite(row.mean)}
