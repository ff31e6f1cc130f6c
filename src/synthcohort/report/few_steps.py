"""How few evaluations of the network draw a good row, or fill a hidden cell well? What the page says.

The reference is ancestral sampling with very many evaluations; a draw with few is good if it is within split noise of
the reference (`comparison.noise`) by every score. Filling hidden cells is judged in the same way, by scores of its own
(`few_steps_impute`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from synthcohort.comparison.claims import Word
from synthcohort.comparison.intervals import Interval, Resampling, load_scores, summarise
from synthcohort.comparison.noise import together, within_noise
from synthcohort.comparison.paired import holm
from synthcohort.report import gathering
from synthcohort.report.captions_study import measured_on
from synthcohort.report.questions import counted
from synthcohort.report.tables import number
from synthcohort.report.verdicts import said
from synthcohort.study import FewStepsBlock, Study

SECOND, ANCESTRAL = "second_order", "ancestral"  # what conditions of the score file begin with
SOLVERS = {SECOND: "second-order steps", ANCESTRAL: "ancestral steps"}  # the study's first
TITLES = {
    "shape": "Shape, all columns",
    "shape_numeric": "Shape, numeric columns",
    "shape_categorical": "Shape, categorical columns",
    "trend": "Trend, pairs of columns",
    "c2st_xgboost": "C2ST AUROC, XGBoost",
}


@dataclass(frozen=True)
class Task:
    """What one generator did on one table, in words.

    Args:
        name: of both together.
        solvers, titles: name of each solver and of each score.
        drawn: what every kind of draw is, and what it is judged by.
        timed: what the seconds are of, such as "a draw of 60 rows".
    """

    name: str
    solvers: Mapping[str, str]
    titles: Mapping[str, str]
    drawn: str
    timed: str


@dataclass(frozen=True)
class Case:
    """What one task says; every frame has the columns solver and evaluations.

    Args:
        task: whose.
        asked, ancestral: evaluations asked about, evaluations of the reference.
        means: as `comparison.intervals.summarise` gives them.
        judged: as `comparison.noise.within_noise` gives them.
        seconds: means of the CPU seconds, as `summarise` gives them.
        confidence: of every interval.
        machine: what the seconds were measured on, in one sentence.
    """

    task: Task
    asked: int
    ancestral: int
    means: pd.DataFrame
    judged: pd.DataFrame
    seconds: pd.DataFrame
    confidence: float
    machine: str

    @property
    def name(self) -> str:
        """Generator and table."""
        return self.task.name

    @property
    def metrics(self) -> dict[str, str]:
        """The scores there are, with their titles."""
        return {metric: title for metric, title in self.task.titles.items() if metric in set(self.judged["metric"])}

    @property
    def reference(self) -> pd.DataFrame:
        """The rows of `means` of the reference."""
        own = self.means
        return own[(own["solver"] == ANCESTRAL) & (own["evaluations"] == self.ancestral)]

    def at(self, solver: str, evaluations: int) -> pd.DataFrame:
        """Return the rows of `judged` of one draw."""
        own = self.judged
        return own[(own["solver"] == solver) & (own["evaluations"] == evaluations)]

    def word(self, solver: str, evaluations: int) -> Word:
        """Return whether a draw is within noise by every score."""
        return together(self.at(solver, evaluations)["verdict"])

    def fewest(self, solver: str) -> str:
        """Return the smallest number of evaluations within noise by every score, in words."""
        numbers = sorted(self.judged["evaluations"].unique())
        small = next((n for n in numbers if self.word(solver, n) == "supported"), None)
        named = "no number tried is" if small is None else f"{small:,} is the smallest number tried that is"
        return f"{named} within noise by every score"

    def nearest(self) -> pd.Series:
        """Return, at the number asked about, the score whose interval uses up most of its noise."""
        own = self.at(SECOND, self.asked).reset_index(drop=True)
        used = (-own["low"] / own["noise"]).where(own["noise"] > 0).fillna(0.0)
        return own.loc[used.idxmax()]

    def answer(self) -> str:
        """Return the verdict in a few sentences."""
        own, word, least = self.at(SECOND, self.asked), self.word(SECOND, self.asked), self.nearest()
        verb = {"supported": "are", "contradicted": "are not", "undecided": "may or may not be"}[word]
        counts = own["verdict"].value_counts()
        tally = ", ".join(f"{counts[w]} {w}" for w in ("supported", "contradicted", "undecided") if w in counts)
        gain = said(Interval(least["difference"], least["low"], least["high"], least["splits"]))
        return (
            f"{self.name}: {word}. {self.asked:,} evaluations {verb} within split noise of {self.ancestral:,} "
            f"ancestral steps ({len(own)} scores over {splits_of(own)}: {tally}). Nearest to a loss: "
            f"{self.task.titles[least['metric']]}, gain {gain}, noise {number(least['noise'])}. Of the evaluations, "
            f"{self.fewest(SECOND)}.{self._speed()}"
        )

    def changes(self) -> list[str]:
        """Return what would have changed the answer."""
        return [f"{self.name}: {sentence}" for sentence in (self._noise(), self._zero(), self._solver(), self._alone())]

    def _noise(self) -> str:
        least = self.nearest()
        if not math.isfinite(least["low"]):
            return "more splits. A verdict takes intervals, and an interval takes two splits."
        reached = number(max(0.0, -least["low"]))
        return (
            f"another noise. Up to half the width of the reference's own interval may be lost; in "
            f"{self.task.titles[least['metric']]} the interval reaches a loss of {reached}, allowed is "
            f"{number(least['noise'])}."
        )

    def _zero(self) -> str:
        own, level = self.at(SECOND, self.asked), 1 - self.confidence
        told = own[holm(own["p"].to_numpy()) < level]
        which = "; ".join(f"{self.task.titles[row.metric]} {row.difference:+.3f}" for row in told.itertuples())
        return (
            f"any difference counted as one. After Holm's adjustment at the {100 * level:.0f} % level, of {len(own)} "
            f"scores {len(told)} differ{'s' if len(told) == 1 else ''} from the reference"
            f"{f' ({which})' if which else ', which proves no equality'}."
        )

    def _solver(self) -> str:
        others = [solver for solver in self.task.solvers if solver != SECOND]
        return "another solver. " + " ".join(
            f"With {self.asked:,} {self.task.solvers[solver]} the verdict is {self.word(solver, self.asked)}; "
            f"{self.fewest(solver)}."
            for solver in others
        )

    def _alone(self) -> str:
        known = self.judged[(self.judged["solver"] == SECOND) & (self.judged["verdict"] == "supported")]
        least = known.groupby("metric")["evaluations"].min()
        each = [f"{title}: {f'{least[m]:,}' if m in least else 'none'}" for m, title in self.metrics.items()]
        return f"a single score. Smallest number of evaluations within noise by each: {'; '.join(each)}."

    def _speed(self) -> str:
        known = self.seconds.set_index(["solver", "evaluations"])["mean"]
        few, many = known[SECOND, self.asked], known[ANCESTRAL, self.ancestral]
        timed = self.task.timed[0].upper() + self.task.timed[1:]
        return f" {timed} takes {number(few, 2)} CPU seconds instead of {number(many, 2)}."


def find(study: Study) -> list[Case]:
    """Return a case for every table and generator that has scores, in the study's order."""
    block, how, found = study.params.few_steps, gathering.resampling(study), []
    for dataset in block.tables:
        for generator in block.generators:
            scores = scores_of(study.paths.few_steps(dataset, generator))
            if scores is None:
                continue
            costs = load_scores([study.paths.few_steps_cost(dataset, generator)])
            machine = machine_of(study.paths.few_steps_machine(dataset, generator), dataset, generator)
            found.append(case(scores, costs, block, how, machine=machine))
    return found


def case(
    scores: pd.DataFrame, costs: pd.DataFrame, block: FewStepsBlock, resampling: Resampling, *, machine: str
) -> Case:
    """Judge the tidy scores and costs of one cell."""
    rows = int(costs["n"].max())
    task = Task(
        name=f"{scores['generator'].iloc[0]} on {scores['dataset'].iloc[0]}",
        solvers=SOLVERS,
        titles=TITLES,
        drawn=f"{counted(block.rows // rows, 'draw')} of {rows:,} rows a split, judged against test rows",
        timed=f"a draw of {rows:,} rows",
    )
    return judge(task, scores, costs, block=block, resampling=resampling, machine=machine)


def judge(
    task: Task, scores: pd.DataFrame, costs: pd.DataFrame, *, block: FewStepsBlock, resampling: Resampling, machine: str
) -> Case:
    """Return what the tidy scores and costs of a task say."""
    return Case(
        task=task,
        asked=block.asked,
        ancestral=block.ancestral,
        means=_named(summarise(scores, resampling)),
        judged=_named(within_noise(scores, f"{ANCESTRAL}_{block.ancestral}", resampling)),
        seconds=_named(summarise(costs, resampling)),
        confidence=resampling.confidence,
        machine=machine,
    )


def scores_of(path: Path) -> pd.DataFrame | None:
    """Return the tidy scores of a cell, None if there are none or not one has a value."""
    scores = load_scores([path]) if path.is_file() else None
    return None if scores is None or scores["value"].isna().all() else scores


def machine_of(path: Path, dataset: str, generator: str) -> str:
    """Return what the costs of a cell were measured on, in one sentence."""
    return measured_on({(dataset, generator): gathering.machine(path)})[0]


def _named(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with the solver and the number of evaluations that its conditions name."""
    parts = frame["condition"].str.extract(r"^(?P<solver>.+)_(?P<evaluations>\d+)$")
    return frame.assign(solver=parts["solver"], evaluations=parts["evaluations"].astype(int))


def splits_of(rows: pd.DataFrame) -> str:
    """Return how many splits the rows are from, in words."""
    low, high = int(rows["splits"].min()), int(rows["splits"].max())
    return counted(low, "split") if low == high else f"{low} to {high} splits"
