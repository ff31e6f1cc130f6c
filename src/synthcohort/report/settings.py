"""What did the search for settings find, over all generators? Words and tables of its page, computed from the trials.

The objective is a mean of parts in [0, 1], higher is better (`tuning.objective`). What was found is the highest of many
noisy values, and so somewhat too high; where a search began is one of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from synthcohort.figures import style
from synthcohort.generators import load as generators
from synthcohort.report.questions import counted
from synthcohort.report.tables import Cell, number, table
from synthcohort.report.verdicts import listed
from synthcohort.study import Choice, Study
from synthcohort.tuning import trials


@dataclass(frozen=True)
class Searched:
    """One generator's search.

    Args:
        generator: its name.
        frame: trials, columns as in `trials.COLUMNS`.
        cpu_seconds: of all its fits and draws.
        setting: what the study runs it with, of the hyperparameters that were searched; None: it is not in the study.
        kept: why the study keeps another setting than the found one, "" if it does not.
    """

    generator: str
    frame: pd.DataFrame
    cpu_seconds: float
    setting: Mapping[str, Choice] | None
    kept: str

    @property
    def values(self) -> pd.Series:
        """The objective of every trial, in order; NaN where a trial failed."""
        return trials.objectives(self.frame)["value"]

    @property
    def began(self) -> float:
        """Where the search began; NaN if that trial failed."""
        return float(self.values.iloc[0])

    @property
    def found(self) -> float:
        """The highest objective."""
        return float(self.values.max())

    @property
    def chosen(self) -> Mapping[str, Choice]:
        """The setting with the highest objective."""
        return trials.setting_of(self.frame, trials.chosen(self.frame))

    @property
    def use(self) -> str:
        """Whether the study runs what was found."""
        if self.setting is None:
            return "not in the study"
        return "found" if self.setting == self.chosen else "kept"


def find(study: Study) -> list[Searched]:
    """Return every search that has trials, the highest objective first."""
    names = [name for name in study.params.search if study.paths.tuning(name).is_file()]
    return sorted((_searched(study, name) for name in names), key=lambda one: -one.found)


def _searched(study: Study, name: str) -> Searched:
    costs = pd.read_csv(study.paths.tuning_cost(name))
    block, setting = study.params.generators.get(name), None
    if block is not None:
        now = generators.build(name, block).hyperparameters()
        setting = {key: now[key] for key in study.params.search[name]}
    return Searched(
        generator=name,
        frame=trials.read(study.paths.tuning(name)),
        cpu_seconds=float(costs["fit_cpu_seconds"].sum()),
        setting=setting,
        kept=study.params.tuning.kept.get(name, ""),
    )


def answers(found: Sequence[Searched]) -> list[str]:
    """Return what the searches tell, in two sentences; nothing without a search."""
    if not found:
        return []
    gains = sorted((one for one in found if one.began == one.began), key=lambda one: one.began - one.found)
    first = found[0]
    sentences = [
        f"{style.label(first.generator)} reached the highest objective, {first.found:.3f}; lowest is "
        f"{style.label(found[-1].generator)} with {found[-1].found:.3f}."
    ]
    if gains:
        most, unmoved = gains[0], [one.generator for one in gains if one.found == one.began]
        sentences.append(
            f"The search changed {style.label(most.generator)} most, from {most.began:.3f} to {most.found:.3f}."
            + (f" It found nothing better than where it began for {listed(unmoved)}." if unmoved else "")
        )
    return sentences


def kept(found: Sequence[Searched]) -> list[str]:
    """Return a sentence for each generator that keeps another setting than its search found, with the reason."""
    return [
        f"{style.label(one.generator)} keeps another setting than its search found: {one.kept.rstrip('.')}."
        for one in found
        if one.use == "kept" and one.kept
    ]


def note(found: Sequence[Searched], study: Study) -> str:
    """Return the caption of the figure."""
    block = study.params.tuning
    return (
        f"{counted(block.trials, 'setting')} of each generator, one fit each on rows of {listed(list(block.tables))} "
        "that are in no split's test part; the objective is on rows the fit did not see. Small differences are noise, "
        f"and the highest of {block.trials} noisy values is too high."
    )


def settings(found: Sequence[Searched]) -> str:
    """Return where every search began, what it found, and whether the study runs that."""
    rows = [
        [
            style.label(one.generator),
            Cell(number(one.began)),
            Cell(number(one.found)),
            Cell(", ".join(f"{name.replace('_', ' ')} {choice}" for name, choice in one.chosen.items()), css="text"),
            one.use,
            Cell(f"{one.cpu_seconds:,.0f}"),
        ]
        for one in found
    ]
    head = [
        "generator",
        "objective where it began",
        "objective found",
        "setting found",
        "the study runs",
        "CPU seconds",
    ]
    return table(head, rows, text=(0, 3, 4))
