"""What do wide tables cost, and is quality kept? What the page says and shows.

Costs y are fitted as y = b C^a by least squares of log y on log C, on each repetition by itself; a comes with a t
interval over repetitions, which are independent. Over all widths it is less than what wide tables cost at the margin,
where narrow ones cost a fixed amount, so a between the two widest stands beside it.

The point error is given over that of the law's best point on the same cells: 1 is all that can be known.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthcohort.comparison.intervals import load_scores
from synthcohort.comparison.standing import Across, across
from synthcohort.figures import labels, style
from synthcohort.report import gathering
from synthcohort.report.captions_study import measured_on
from synthcohort.report.questions import counted
from synthcohort.report.tables import Cell, interval, number, table
from synthcohort.report.verdicts import estimate, listed
from synthcohort.study import Study, WidthBlock

SECONDS = ("fit_cpu_seconds", "impute_cpu_seconds", "sample_cpu_seconds")
PEAK = "peak_memory_bytes"
COSTS = (*SECONDS, PEAK)
EXCESS = "excess"  # point error over that of the law's best point
QUALITY = (EXCESS, "shape", "trend")
LIMIT = 4e9  # bytes: the memory that tables of any width are asked to stay within
UNIT = 1e9  # bytes: memory is drawn and set in GB
LIMITS = {PEAK: LIMIT / UNIT}
IDEALS = dict.fromkeys(QUALITY, 1.0)
LAWS = {"numbers": "a normal copula", "codes": "a matrix of diagnosis codes"}
NAMES = {EXCESS: "Point error over the law's best", PEAK: "Peak memory, GB"}


@dataclass(frozen=True)
class Case:
    """What one law's tables say.

    Args:
        law: a key of `LAWS`.
        values: columns generator, metric, columns, split, value; costs, fidelity and `EXCESS`.
        failures: columns generator, columns, note; one row for each table that was not completed.
        block: settings.
        confidence: of every interval.
        machine: what costs were measured on, in words.
    """

    law: str
    values: pd.DataFrame
    failures: pd.DataFrame
    block: WidthBlock
    confidence: float
    machine: str

    @property
    def names(self) -> list[str]:
        """The methods, as figures list them."""
        return style.order(list(self.values["generator"].unique()))

    def known(self, metrics: Sequence[str]) -> list[str]:
        """Return those of `metrics` that some method has."""
        there = set(self.values["metric"])
        return [metric for metric in metrics if metric in there]

    def means(self) -> pd.DataFrame:
        """Return generator, metric, columns, mean, low, high over repetitions; memory in `UNIT`s."""
        rows = []
        for (name, metric, columns), own in self.values.groupby(["generator", "metric", "columns"], sort=True):
            found = _scaled(across(own["value"].to_numpy(), self.confidence), str(metric))
            rows.append({"generator": name, "metric": metric, "columns": columns, **vars(found)})
        return pd.DataFrame(rows, columns=["generator", "metric", "columns", "mean", "low", "high", "tables"])

    def exponent(self, name: str, metric: str, *, widest: int | None = None) -> Across:
        """Return the a of cost = b C^a; with `widest`, of so many of the largest widths."""
        own = self.values[(self.values["generator"] == name) & (self.values["metric"] == metric)]
        widths = sorted(own["columns"].unique())[-widest if widest else 0 :]
        if len(widths) < 2:
            return Across(math.nan, math.nan, math.nan, 0)
        kept = own[own["columns"].isin(widths)]
        return across([slope(part) for _, part in kept.groupby("split") if len(part) == len(widths)], self.confidence)

    def at(self, name: str, metric: str, columns: int) -> Across:
        """Return a mean over repetitions."""
        own = self.values[(self.values["generator"] == name) & (self.values["metric"] == metric)]
        return across(own.loc[own["columns"] == columns, "value"].to_numpy(), self.confidence)

    def answer(self, name: str) -> str:
        """Return what a method costs and how well it does at the largest width it has, in a few sentences."""
        own = self.values[self.values["generator"] == name]
        narrow, wide = int(own["columns"].min()), int(own["columns"].max())
        grow = estimate(self.exponent(name, SECONDS[0]), "one repetition")
        peak = self.at(name, PEAK, wide)
        kept = "within" if peak.mean < LIMIT else "beyond"
        quality = "; ".join(self._quality(name, m, narrow, wide) for m in QUALITY if m in set(own["metric"]))
        return (
            f"{style.label(name)}, {LAWS[self.law]}, {narrow:,} to {wide:,} columns: the seconds of a fit grow as "
            f"columns^a, a = {grow}. At {wide:,} columns a fit takes "
            f"{number(self.at(name, SECONDS[0], wide).mean, 1)} CPU seconds and {number(peak.mean / 1e9, 2)} GB, "
            f"{kept} {LIMIT / 1e9:g} GB. {quality}."
        )

    def _quality(self, name: str, metric: str, narrow: int, wide: int) -> str:
        first, last = (estimate(self.at(name, metric, c), "one repetition") for c in (narrow, wide))
        return f"{title(metric)}: {first} at {narrow:,}, {last} at {wide:,}"

    def exponents(self) -> str:
        """Return the exponents of every cost: a row per method."""
        costs = self.known(COSTS)
        rows = [
            [
                style.label(name),
                *(_entry(self.exponent(name, cost, widest=w), 2) for cost in costs for w in (None, 2)),
            ]
            for name in self.names
        ]
        heads = [Cell(title(cost), part, "wrapped") for cost in costs for part in ("(all widths)", "(two widest)")]
        return table(["method", *heads], rows)

    def exponents_note(self) -> str:
        """Return the caption of that table."""
        return (
            f"{LAWS[self.law].capitalize()}: a of cost = b columns^a, by least squares in logarithms, mean over "
            f"{counted(self.block.repetitions, 'repetition')} with its {100 * self.confidence:g} % t interval. 1: "
            f"twice the columns, twice the cost. Memory holds the libraries too, so that it seems to grow slowly. "
            f"{self.machine}"
        )

    def every(self) -> str:
        """Return every cost and score: a row per method and width."""
        metrics = self.known([*COSTS, *QUALITY])
        rows = []
        for name in self.names:
            for columns in sorted(self.values.loc[self.values["generator"] == name, "columns"].unique()):
                found = [self.at(name, metric, columns) for metric in metrics]
                cells = [
                    _entry(_scaled(one, metric), 2 if metric in COSTS else 3) for one, metric in zip(found, metrics)
                ]
                rows.append([style.label(name), f"{columns:,}", *cells])
        heads = [Cell(title(m), css="wrapped") for m in metrics]
        return table(["method", "columns", *heads], rows)

    def every_note(self) -> str:
        """Return the caption of that table."""
        return (
            f"{LAWS[self.law].capitalize()}, {self.block.rows:,} train rows; {100 * self.block.rate:g} % of the cells "
            f"of {max(2, self.block.rows // 5):,} other rows hidden completely at random, completed "
            f"{counted(self.block.draws, 'time')}; mean over {counted(self.block.repetitions, 'repetition')} with its "
            f"{100 * self.confidence:g} % t interval. The point error is that of the median, or the share of wrong "
            "levels, over the same of the law's own best point on the same cells: 1 is all that can be known, and few "
            f"draws have a noisy median. Shape and Trend are against fresh rows. {self.machine}"
        )

    def figure_note(self) -> str:
        """Return the caption of the figures."""
        return (
            f"{LAWS[self.law].capitalize()}: means over {counted(self.block.repetitions, 'repetition')} with their "
            f"{100 * self.confidence:g} % t interval, {self.block.rows:,} train rows, both axes of costs logarithmic."
        )


def find(study: Study) -> list[Case]:
    """Return a case for every law that has scores, in the study's order."""
    block, paths = study.params.width, study.paths
    names = [name for name in block.methods if paths.width(name).is_file()]
    if not names:
        return []
    scores = load_scores([paths.width(name) for name in names])
    costs = load_scores([paths.width_cost(name) for name in names])
    machine = " ".join(measured_on({("width", n): gathering.machine(paths.width_machine(n)) for n in names}))
    whole = pd.concat([scores, costs], ignore_index=True)
    found = []
    for law in [law for law in block.laws if law in set(whole["dataset"])]:
        own = whole[whole["dataset"] == law]
        parts = own["condition"].str.extract(r"^(?P<kind>columns|best)_(?P<columns>\d+)$")
        own = own.assign(kind=parts["kind"], columns=parts["columns"].astype(int))
        lost = own[own["value"].isna()][["generator", "columns", "note"]].drop_duplicates()
        values = pd.concat([own[own["kind"] == "columns"], excess(own)], ignore_index=True)
        kept = values.loc[values["value"].notna(), ["generator", "metric", "columns", "split", "value"]]
        if len(kept):
            found.append(Case(law, kept, lost, block, study.params.study.confidence, machine))
    return found


def subject(block: WidthBlock) -> str:
    """Return which widths are asked for."""
    return f"Simulated tables of {block.columns[0]:,} to {block.columns[-1]:,} columns"


def headline(cases: Sequence[Case]) -> str:
    """Return who stays within the memory there is on the widest tables, in one sentence."""
    wide = max(int(case.values["columns"].max()) for case in cases)
    peaks = pd.concat([case.values for case in cases])
    peaks = peaks[(peaks["metric"] == PEAK) & (peaks["columns"] == wide)].groupby("generator")["value"].max()
    within, beyond = (style.order(list(peaks.index[mask])) for mask in (peaks < LIMIT, peaks >= LIMIT))
    said = [
        f"{verb} {LIMIT / 1e9:g} GB: {listed(own)}" for verb, own in (("within", within), ("beyond", beyond)) if own
    ]
    return f"Largest memory of a process that fits, completes and draws tables of {wide:,} columns, {'; '.join(said)}."


def excess(own: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of `EXCESS`: the point error of a method over that of the law's best point on the same cells.

    Args:
        own: tidy scores of one law with the columns kind ("columns": a method's, "best": the law's) and columns.
    """
    errors = own[own["metric"].isin(["impute_mae_median", "impute_accuracy"])]
    lost = np.where(errors["metric"] == "impute_accuracy", 1 - errors["value"], errors["value"])
    keys = ["generator", "columns", "split"]
    sides = {kind: rows.set_index(keys)["value"] for kind, rows in errors.assign(value=lost).groupby("kind")}
    if set(sides) != {"columns", "best"}:
        return pd.DataFrame(columns=[*keys, "metric", "value"])
    ratio = (sides["columns"] / sides["best"]).rename("value").reset_index()
    return ratio[np.isfinite(ratio["value"])].assign(metric=EXCESS)


def slope(part: pd.DataFrame) -> float:
    """Return the slope of log value on log columns by least squares."""
    return float(np.polyfit(np.log(part["columns"].to_numpy(float)), np.log(part["value"].to_numpy(float)), 1)[0])


def failures(case: Case) -> list[str]:
    """Return one sentence for every method that failed on some width."""
    told = case.failures.groupby(["generator", "note"], sort=False)["columns"].min()
    return [
        f"{style.label(str(name))}, {LAWS[case.law]}: not completed from {least:,} columns on: {str(note).rstrip('.')}."
        for (name, note), least in told.items()
    ]


def title(metric: str) -> str:
    """Return a metric's name."""
    return NAMES.get(metric, labels.short_label(metric))


def _scaled(found: Across, metric: str) -> Across:
    unit = UNIT if metric == PEAK else 1.0
    return Across(found.mean / unit, found.low / unit, found.high / unit, found.tables)


def _entry(found: Across, digits: int) -> Cell:
    return interval(found.mean, found.low, found.high, digits)
