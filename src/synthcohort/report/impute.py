"""Who fills missing cells best, and does one model that also generates do it as well? What the page says and shows.

Imputers are compared on each table by the scores of one scenario, the holes they were fitted with. The first has the
best mean; one whose paired difference to the first has an interval that reaches 0 is not told from it (`trust.choose`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from synthcohort.comparison.intervals import Arm, Resampling, load_scores, summarise
from synthcohort.figures import labels, style
from synthcohort.generators import load as generators
from synthcohort.report import gathering
from synthcohort.report.captions_study import measured_on
from synthcohort.report.questions import counted
from synthcohort.report.trust import Choice, choose
from synthcohort.report.verdicts import listed, said
from synthcohort.study import ImputationBlock, Scenario, Study

POINTS = ("impute_mae_median", "impute_accuracy")  # error of the one best guess, by the kind of the cells
LAWS = ("impute_crps", "impute_brier")  # error of the draws as a law
GAP = "impute_coverage_gap"
OTHERS = (
    *("impute_min_mae", "impute_avg_mae", "impute_wasserstein_numeric", "impute_wasserstein_categorical"),
    *("impute_diversity_numeric", "impute_diversity_categorical"),
)
MOST = 3  # names in a list, before the others are counted


@dataclass(frozen=True)
class Case:
    """What one table says.

    Args:
        dataset: the table.
        block: settings.
        scores: tidy, of all its imputers.
        costs: tidy, of all its imputers.
        real: tidy scores of the real table; may be empty.
        models: the imputers that are generators, in the study's order.
        resampling: how the splits were made.
        machine: what the costs were measured on, in words.
    """

    dataset: str
    block: ImputationBlock
    scores: pd.DataFrame
    costs: pd.DataFrame
    real: pd.DataFrame
    models: tuple[str, ...]
    resampling: Resampling
    machine: str

    @property
    def names(self) -> list[str]:
        """Its imputers, as figures and tables list them."""
        return style.order([name for name in self.block.imputers if name in set(self.scores["generator"])])

    def known(self, metrics: Sequence[str]) -> list[str]:
        """Return those of `metrics` that have a value on this table."""
        there = set(self.scores.loc[self.scores["value"].notna(), "metric"])
        return [metric for metric in metrics if metric in there]

    @property
    def leading(self) -> list[str]:
        """The scores that the answer speaks of."""
        return self.known([*POINTS, *LAWS, GAP])

    @property
    def downstream(self) -> str:
        """The score of what learns from completed rows, "" if there is none."""
        return next((str(m) for m in self.scores["metric"].unique() if m.endswith(f"_{self.block.classifier}")), "")

    @property
    def metrics(self) -> list[str]:
        """The scores of the page's table."""
        return [*self.leading, *self.known([*OTHERS, self.downstream])]

    def first(self, metric: str, scenario: Scenario | None = None) -> Choice | None:
        """Return who is first under a scenario (None: the fitted one), and who is not told from that."""
        name = (scenario or self.block.fitted).name
        return choose(self.scores, metric, [Arm(imputer, name) for imputer in self.names], self.resampling)

    def shares(self) -> pd.DataFrame:
        """Return the means of the leading scores with the share of cells that are missing completely at random."""
        share = {s.name: s.rate for s in self.block.scenarios if s.mechanism == "mcar"}
        own = self.scores[self.scores["condition"].isin(share) & self.scores["metric"].isin(self.leading)]
        means = summarise(own, self.resampling)
        return means.assign(share=means["condition"].map(share))

    @property
    def compared(self) -> list[tuple[Scenario, list[Scenario]]]:
        """Every MCAR scenario that has others at its rate, with them."""
        others = [s for s in self.block.scenarios if s.mechanism != "mcar"]
        pairs = [(p, [s for s in others if s.rate == p.rate]) for p in self.block.scenarios if p.mechanism == "mcar"]
        return [(plain, same) for plain, same in pairs if same]

    def answer(self) -> str:
        """Return who is first by the leading scores, in a few sentences."""
        firsts = "; ".join(f"{labels.short_label(m)}: {_ranked(self.first(m))}" for m in self.leading)
        splits = self.scores["split"].nunique()
        return (
            f"{self.dataset}, {hidden(self.block.fitted)}, {counted(splits, 'split')}, "
            f"{counted(self.block.draws, 'draw')}. First by {firsts}."
        )

    def changes(self) -> list[str]:
        """Return what would have changed the answer."""
        metric = self.leading[0]
        shares = [s for s in self.block.scenarios if s.mechanism == "mcar" and s != self.block.fitted]
        others = [s for s in self.block.scenarios if s.mechanism != "mcar" and s != self.block.fitted]
        rest = [name for name in self.metrics if name not in self.leading]
        sentences = {
            "another share of missing cells": {f"{100 * s.rate:g} %": self.first(metric, s) for s in shares},
            "another mechanism": {hidden(s): self.first(metric, s) for s in others},
            "another score": {labels.short_label(m): self.first(m) for m in rest},
        }
        return [
            f"{self.dataset}: {what}. {'; '.join(f'{name}: {_ranked(one)}' for name, one in found.items())}."
            for what, found in sentences.items()
            if found
        ]


def find(study: Study) -> list[Case]:
    """Return a case for every table that has scores, in the study's order."""
    block, found = study.params.imputation, []
    for dataset in block.tables:
        names = [name for name in block.imputers if study.paths.impute(dataset, name).is_file()]
        scores = load_scores([study.paths.impute(dataset, name) for name in names]) if names else None
        if scores is None or scores[scores["metric"].isin([*POINTS, *LAWS, GAP])]["value"].isna().all():
            continue
        real = study.paths.scores(dataset, style.REAL)
        told = {(dataset, name): gathering.machine(study.paths.impute_machine(dataset, name)) for name in names}
        found.append(
            Case(
                dataset=dataset,
                block=block,
                scores=scores,
                costs=load_scores([study.paths.impute_cost(dataset, name) for name in names]),
                real=load_scores([real]) if real.is_file() else scores.head(0),
                models=tuple(name for name in names if name in generators.names()),
                resampling=gathering.resampling(study),
                machine=" ".join(measured_on(told)),
            )
        )
    return found


def headline(cases: Sequence[Case]) -> list[str]:
    """Return of every generator that imputes on how many tables it is first, or not told from the first."""
    models = dict.fromkeys(name for case in cases for name in case.models)
    return [
        f"{style.label(name)}, which also generates, is first or not told from the first by {_tally(cases, name)}."
        for name in models
    ]


def hidden(scenario: Scenario) -> str:
    """Return how many cells are missing, and by which mechanism."""
    return f"{100 * scenario.rate:g} % {scenario.mechanism.upper()}"


def _tally(cases: Sequence[Case], name: str) -> str:
    said_of = []
    for metric in dict.fromkeys(m for case in cases for m in case.leading):
        chosen = [choice for case in cases if (choice := case.first(metric)) is not None]
        first = sum(choice.best.generator == name for choice in chosen)
        whole = first + sum(name in choice.ties for choice in chosen)
        said_of.append(f"{labels.short_label(metric)} on {whole} of {counted(len(chosen), 'table')} (first on {first})")
    return ", ".join(said_of)


def _ranked(choice: Choice | None) -> str:
    if choice is None:
        return "nobody has it on every split"
    ties = f" (or {_few(choice.ties)})" if choice.ties else ""
    return f"{style.label(choice.best.generator)}{ties}, {said(choice.interval)}"


def _few(names: Sequence[str]) -> str:
    """Return the first few names, and how many more there are."""
    if len(names) <= MOST + 1:
        return listed(list(names))
    return f"{', '.join(style.label(name) for name in names[:MOST])} and {len(names) - MOST} others"
