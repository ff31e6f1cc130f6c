"""What do the options of a draw do for fairness? What the page says and shows of it.

A point is one value of one option: AUROC and the two ratios of a model that learned from the balanced rows drawn with
it, on validation rows. A point is on the front if no other of its table is at least as good in AUROC and in the worse
of its ratios, and better in one of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from synthcohort.cells.guidance import condition
from synthcohort.comparison.intervals import Interval, Resampling, load_scores, summarise
from synthcohort.report.fairness import RATIOS, resampling
from synthcohort.report.tables import number
from synthcohort.sensitive import slug
from synthcohort.study import CurveBlock, Study


@dataclass(frozen=True)
class Point:
    """One value of one curve.

    Args:
        curve: its name.
        label: the value, as readers see it.
        condition: of its scores.
    """

    curve: str
    label: str
    condition: str

    @property
    def name(self) -> str:
        """Curve and value."""
        return f"{self.curve.replace('_', ' ')} {self.label}"


@dataclass(frozen=True)
class Case:
    """What one generator's draws of one table say.

    Args:
        dataset, generator: whose draws.
        columns: what is balanced.
        curves: as params.yaml has them.
        splits: of the table that have scores.
        means: as `comparison.intervals.summarise` gives them.
        resampling: how the splits were made.
    """

    dataset: str
    generator: str
    columns: tuple[str, ...]
    curves: dict[str, CurveBlock]
    splits: int
    means: pd.DataFrame
    resampling: Resampling

    @property
    def name(self) -> str:
        """Generator, table and what is balanced."""
        return f"{self.generator.replace('_', ' ')} on {self.dataset}, {' and '.join(self.columns)} balanced"

    @property
    def ratios(self) -> dict[str, str]:
        """The ratios of what is balanced, metric -> name."""
        several = len(self.columns) > 1
        return {
            f"{metric}_{slug(column)}": f"{title}, {column}" if several else title
            for column in self.columns
            for metric, title in RATIOS.items()
        }

    @property
    def every(self) -> list[Point]:
        """Every point that has an AUROC, curve by curve."""
        known = [
            Point(name, f"{value:g}", condition(name, value))
            for name, curve in self.curves.items()
            for value in curve.values
        ]
        return [point for point in known if self.mean("auroc", point).splits]

    def mean(self, metric: str, point: Point) -> Interval:
        """Return a mean over splits; one without a value has none."""
        own = self.means[(self.means["metric"] == metric) & (self.means["condition"] == point.condition)]
        if not len(own):
            return Interval(float("nan"), float("nan"), float("nan"), 0)
        row = own.iloc[0]
        return Interval(float(row["mean"]), float(row["low"]), float(row["high"]), int(row["splits"]))

    def points(self) -> pd.DataFrame:
        """Return what the figure draws: curve, label, metric, auroc, mean."""
        rows = [
            [point.curve, point.label, metric, self.mean("auroc", point).mean, self.mean(metric, point).mean]
            for point in self.every
            for metric in self.ratios
        ]
        return pd.DataFrame(rows, columns=["curve", "label", "metric", "auroc", "mean"])

    def worse(self, point: Point) -> float:
        """Return the lowest of the ratios of a point."""
        return min(self.mean(metric, point).mean for metric in self.ratios)

    def front(self) -> list[Point]:
        """Return the points that no other beats, by falling AUROC; of points that are alike the first."""
        place = {point: (self.mean("auroc", point).mean, self.worse(point)) for point in self.every}
        found: list[Point] = []
        for point in sorted(place, key=lambda one: place[one], reverse=True):
            if not found or place[point][1] > place[found[-1]][1]:
                found.append(point)
        return found

    def answers(self) -> list[str]:
        """Return one sentence a curve, from its first value to its last, and one on the front."""
        sentences = []
        for name in self.curves:
            own = [point for point in self.every if point.curve == name]
            if len(own) > 1:
                sentences.append(self._moved(own[0], own[-1]))
        if self.every:
            listed = "; ".join(
                f"{p.name}: {number(self.mean('auroc', p).mean)} and {number(self.worse(p))}" for p in self.front()
            )
            sentences.append(f"No other draw has a higher AUROC and a higher lowest ratio than {listed}.")
        return sentences

    def _moved(self, first: Point, last: Point) -> str:
        parts = [
            f"{title} {number(self.mean(metric, first).mean)} → {number(self.mean(metric, last).mean)}"
            for metric, title in {"auroc": "AUROC", **self.ratios, "shape_asked": "Shape"}.items()
        ]
        return f"{first.curve.replace('_', ' ')} from {first.label} to {last.label}: {', '.join(parts)}."


def find(study: Study) -> list[Case]:
    """Return a case for every table and generator that has scores, in the study's order."""
    block, how, found = study.params.guidance, resampling(study), []
    for dataset, columns in block.tables.items():
        for generator in block.generators:
            path = study.paths.guidance(dataset, generator)
            frame = load_scores([path]) if path.is_file() else None
            if frame is None or frame["value"].isna().all():
                continue
            splits, means = int(frame["split"].nunique()), summarise(frame, how)
            found.append(Case(dataset, generator, tuple(columns), block.curves, splits, means, how))
    return found
