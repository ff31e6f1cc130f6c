"""Who fills missing cells best, and does one model that also generates do it as well? What the page says and shows.

Imputers are compared on each table by the scores of one scenario, the holes they were fitted with. The first has the
best mean; one whose paired difference to the first has an interval that reaches 0 is not told from it (`trust.choose`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from synthcohort.comparison.intervals import Arm, Resampling, corrected_interval, load_scores, pairs, summarise
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
NEAREST = "impute_min_mae"
NOTABLE = 0.01  # of coverage: nearer to its level draws are as wide as they should be
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

    @property
    def judged(self) -> list[str]:
        """The scores by which imputers are told apart: the leading ones and the best of a cell's draws."""
        return [*self.leading, *self.known([NEAREST])]

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


@dataclass(frozen=True)
class Place:
    """How an imputer stands by one score.

    Args:
        first: tables on which it has the best mean.
        among: tables on which it is first or not told from the first.
        tables: tables on which the score was compared.
    """

    first: int
    among: int
    tables: int

    def __add__(self, other: Place) -> Place:
        return Place(self.first + other.first, self.among + other.among, self.tables + other.tables)


def places(cases: Sequence[Case]) -> dict[str, dict[str, Place]]:
    """Return imputer -> score -> how it stands, for the leading scores of all tables."""
    found: dict[str, dict[str, Place]] = {}
    for case in cases:
        for metric in case.judged:
            choice = case.first(metric)
            if choice is None:
                continue
            for name in case.names:
                own = found.setdefault(name, {})
                own[metric] = own.get(metric, Place(0, 0, 0)) + _place(choice, name)
    return found


def headline(cases: Sequence[Case]) -> str:
    """Return in a few sentences who fills best over all tables, and whether a model that generates does."""
    totals = {name: sum(own.values(), Place(0, 0, 0)) for name, own in places(cases).items()}
    models = [name for name in totals if any(name in case.models for case in cases)]
    rivals = [name for name in totals if name not in models]
    return (
        f"Who is first, or not told from the first, by {listed(_short(cases))}, on {counted(len(cases), 'table')} with "
        f"{hidden(cases[0].block.fitted)}? Models that also generate: {_standing(totals, models)}. Imputers alone: "
        f"{_standing(totals, rivals)}."
    )


def behind(cases: Sequence[Case]) -> list[str]:
    """Return of every generator that imputes on which table and by which score it is surely behind, and by how much."""
    models = dict.fromkeys(name for case in cases for name in case.models)
    found = {name: [told for case in cases for told in _behind(case, name)] for name in models}
    return [
        f"{style.label(name)}: {'; '.join(told) if told else 'nowhere'}{_narrow(cases, name) if told else ''}."
        for name, told in found.items()
    ]


def hidden(scenario: Scenario) -> str:
    """Return how many cells are missing, and by which mechanism."""
    return f"{100 * scenario.rate:g} % {scenario.mechanism.upper()}"


def _place(choice: Choice, name: str) -> Place:
    first = choice.best.generator == name
    return Place(int(first), int(first or name in choice.ties), 1)


def _short(cases: Sequence[Case]) -> list[str]:
    return [labels.short_label(metric) for metric in dict.fromkeys(m for case in cases for m in case.judged)]


def _standing(totals: Mapping[str, Place], names: Sequence[str]) -> str:
    """Return the best few of these imputers, by how often they are among the first."""
    ordered = sorted(names, key=lambda name: (-totals[name].among, -totals[name].first))[:MOST]
    each = [
        f"{style.label(n)} {totals[n].among} of {totals[n].tables} times (first {totals[n].first})" for n in ordered
    ]
    return ", ".join(each) or "none"


def _behind(case: Case, name: str) -> list[str]:
    told = []
    for metric in case.judged:
        choice = case.first(metric)
        if choice is None or name not in case.names or _place(choice, name).among:
            continue
        own, best = (Arm(one, case.block.fitted.name) for one in (name, choice.best.generator))
        both = pairs(case.scores, metric, better=best, worse=own)
        lead = corrected_interval(both["difference"], case.resampling)
        told.append(f"{case.dataset}, {labels.short_label(metric)}: {said(lead)} behind {style.label(best.generator)}")
    return told


def _narrow(cases: Sequence[Case], name: str) -> str:
    """Return how wide the imputer's draws are: a law that is too narrow or too wide costs every score of the draws."""
    gaps = pd.concat([case.scores[case.scores["condition"] == case.block.fitted.name] for case in cases])
    own = gaps[(gaps["generator"] == name) & (gaps["metric"] == GAP)]["value"].dropna()
    if own.empty:
        return ""
    word = (
        "too narrow" if own.mean() < -NOTABLE else "too wide" if own.mean() > NOTABLE else "as wide as they should be"
    )
    return f" (its draws are {word}: {100 * (0.9 + own.mean()):.1f} % of the cells lie in their 90 % interval)"


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
