"""Do balanced rows make fair models? What the page says and shows.

An arm is a generator, or a rival that mends the real rows or the decisions. Its curve leads from the joint as observed
to the balanced one; arms are compared where their AUROC is the same (`comparison.matched`). Sentinels are shown and
take no part in the verdict: rows of `bootstrap` are the real ones resampled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from synthcohort.comparison.claims import Word
from synthcohort.comparison.intervals import Interval, Resampling, load_scores, summarise
from synthcohort.comparison.matched import Matched, matched, together
from synthcohort.figures import style
from synthcohort.report.fairness_published import ROWS, Published
from synthcohort.report.questions import counted
from synthcohort.report.verdicts import listed, said
from synthcohort.sensitive import condition, slug
from synthcohort.study import Study

TEST_TO_TRAIN = 0.5  # a quarter of the rows judges, half of them trains
RIVALS = ("resampled", "reweighed", "fair_smote", "threshold_demographic_parity", "threshold_equalized_odds")
RATIOS = {"demographic_parity_ratio": "demographic parity ratio", "equalized_odds_ratio": "equalized odds ratio"}
WORDS: tuple[Word, ...] = ("supported", "contradicted", "undecided")


@dataclass(frozen=True)
class Case:
    """What one attribute of one table says.

    Args:
        dataset, column: whose groups are compared.
        columns: every attribute of the table.
        dials: from 0 to 1.
        frame: tidy scores of every arm.
        means: as `comparison.intervals.summarise` gives them.
        resampling: how the splits were made.
    """

    dataset: str
    column: str
    columns: tuple[str, ...]
    dials: tuple[float, ...]
    frame: pd.DataFrame
    means: pd.DataFrame
    resampling: Resampling

    @property
    def name(self) -> str:
        """Attribute and table."""
        return f"{self.column} on {self.dataset}"

    @property
    def ratios(self) -> dict[str, str]:
        """The two ratios of the attribute, metric -> name."""
        return {f"{metric}_{slug(self.column)}": title for metric, title in RATIOS.items()}

    @property
    def arms(self) -> list[str]:
        """Every arm with scores, rivals first."""
        there = list(dict.fromkeys(self.frame["generator"]))
        return [*(name for name in RIVALS if name in there), *style.order([n for n in there if n not in RIVALS])]

    @property
    def methods(self) -> list[str]:
        """The generators that are no sentinels."""
        return [name for name in self.arms if name not in (*RIVALS, *style.SENTINELS)]

    @property
    def asks(self) -> dict[str, tuple[str, ...]]:
        """What is balanced, in words -> the conditions of its curve, in the order of the dials."""
        alone: dict[str, tuple[str, ...]] = {f"{self.column} balanced": (self.column,)}
        if len(self.columns) > 1:
            alone[f"{' and '.join(self.columns)} balanced jointly"] = self.columns
        return {text: self.conditions(columns) for text, columns in alone.items()}

    @property
    def published(self) -> tuple[Published, ...]:
        """What the paper reports of this attribute."""
        return ROWS.get((self.dataset, self.column), ())

    @property
    def comparable(self) -> bool:
        """Whether there are generators and rivals."""
        return bool(self.methods and self.rivals())

    def conditions(self, columns: Sequence[str]) -> tuple[str, ...]:
        """Return the conditions of the curve that balances these columns."""
        return tuple(condition(columns, dial) for dial in self.dials)

    def mean(self, arm: str, metric: str, asked: str) -> Interval:
        """Return a mean over splits; one without a value has none."""
        own = self.means
        found = own[(own["generator"] == arm) & (own["metric"] == metric) & (own["condition"] == asked)]
        if not len(found):
            return Interval(float("nan"), float("nan"), float("nan"), 0)
        row = found.iloc[0]
        return Interval(float(row["mean"]), float(row["low"]), float(row["high"]), int(row["splits"]))

    def curves(self) -> pd.DataFrame:
        """Return what the figure draws: ask, arm, dial, metric, auroc, mean, low, high."""
        rows = []
        for text, conditions in self.asks.items():
            for arm in self.arms:
                for dial, asked in zip(self.dials, conditions, strict=True):
                    at = self.mean(arm, "auroc", asked).mean
                    for metric in self.ratios:
                        found = self.mean(arm, metric, asked)
                        rows.append([text, arm, dial, metric, at, found.mean, found.low, found.high])
        return pd.DataFrame(rows, columns=["ask", "arm", "dial", "metric", "auroc", "mean", "low", "high"])

    def against(self, rival: str) -> list[Matched]:
        """Return every generator beside one rival, at the same AUROC, by both ratios."""
        return [
            matched(
                self.frame, metric, first=arm, second=rival, conditions=self.conditions((self.column,)),
                resampling=self.resampling,
            )
            for metric in self.ratios
            for arm in self.methods
        ]  # fmt: skip

    def rivals(self) -> list[str]:
        """Return the rivals that have scores."""
        return [name for name in RIVALS if name in self.arms]

    def crosses(self) -> dict[str, list[tuple[str, float, float]]]:
        """Return metric -> (method, AUROC, fairness) as published."""
        return {
            metric: [(row.method, row.original[0], row.original[place]) for row in self.published]
            for place, metric in enumerate(self.ratios, start=1)
        }

    def word(self, rival: str) -> Word:
        """Return the verdict beside one rival, of all generators and both ratios together."""
        return together(self.against(rival), self.resampling.confidence)

    def summary(self) -> list[str]:
        """Return the verdict beside every rival in a few words."""
        if not self.comparable:
            return [f"{self.name}: no verdict, since there are scores of generators or of rivals alone."]
        words = [f"{style.label(rival)}: {self.word(rival)}" for rival in self.rivals()]
        splits = counted(int(self.frame["split"].nunique()), "split")
        return [
            f"{self.name}: do balanced rows make fairer models at the same AUROC than each rival does?",
            f"Against {'; '.join(words)} ({counted(len(self.methods), 'generator')}, both ratios, {splits}).",
        ]

    def answers(self) -> list[str]:
        """Return the verdict beside every rival in one sentence each; none without a generator."""
        return [self._answer(rival) for rival in self.rivals()] if self.comparable else []

    def _answer(self, rival: str) -> str:
        found = self.against(rival)
        parts = []
        for metric, title in self.ratios.items():
            own = [one for one in found if one.metric == metric]
            by = {w: [one.first for one in own if one.word == w] for w in WORDS}
            tally = "; ".join(f"{w} of {listed(names)}" for w, names in by.items() if names)
            parts.append(f"{title}: {tally}")
        best = max(found, key=_gain)
        lead = (
            f" Furthest ahead: {style.label(best.first)}, {self.ratios[best.metric]} {said(best.gain)} at AUROC "
            f"{best.at:.3f} ({counted(best.gain.splits, 'split')})."
            if best.gain.splits
            else " On no split do their AUROCs meet."
        )
        return f"{self.name}, balanced rows against {style.label(rival)}: {self.word(rival)}. {'. '.join(parts)}.{lead}"


def resampling(study: Study) -> Resampling:
    """Return how the splits of this comparison were made."""
    return Resampling(study.params.study.confidence, TEST_TO_TRAIN)


def find(study: Study) -> list[Case]:
    """Return a case for every attribute of every table that has scores, in the study's order."""
    block, how, found = study.params.fairness, resampling(study), []
    for dataset, columns in block.tables.items():
        files = [study.paths.fairness(dataset, name) for name in ("rivals", *block.generators)]
        files = [path for path in files if path.is_file()]
        frame = load_scores(files) if files else None
        if frame is None or frame["value"].isna().all():
            continue
        means = summarise(frame, how)
        found += [Case(dataset, column, tuple(columns), tuple(block.dials), frame, means, how) for column in columns]
    return found


def headline(cases: Sequence[Case]) -> str:
    """Return the verdicts over all attributes in one sentence."""
    there = [case for case in cases if case.comparable]
    if not there:
        return "There are scores of generators or of rivals alone, so there is no verdict."
    attributes, tables = counted(len(there), "attribute"), counted(len({case.dataset for case in there}), "table")
    each = "; ".join(f"against {style.label(rival)} {_tally(there, rival)}" for rival in RIVALS if _meets(there, rival))
    return (
        "Do balanced rows make fairer models at the same AUROC than each rival does? "
        f"Of {attributes} on {tables}: {each}."
    )


def _meets(cases: Sequence[Case], rival: str) -> list[Case]:
    return [case for case in cases if rival in case.rivals()]


def _tally(cases: Sequence[Case], rival: str) -> str:
    """Return a rival's verdicts: the decided ones by name, the others by number."""
    words = {case.name: case.word(rival) for case in _meets(cases, rival)}
    decided = [
        f"{word} by {listed([n for n in words if words[n] == word])}" for word in WORDS[:2] if word in words.values()
    ]
    open_ = sum(word == "undecided" for word in words.values())
    return ", ".join([*decided, *([f"undecided by {open_}"] if open_ else [])])


def _gain(one: Matched) -> float:
    return one.gain.mean if one.gain.splits else float("-inf")
