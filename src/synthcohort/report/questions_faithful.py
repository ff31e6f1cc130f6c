"""Is it faithful? What the page on fidelity says and shows.

The answer is given by `c2st_xgboost`, the strictest of the metrics: it sees every column and every interaction. The
others are asked whether they would have named the same winner.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

from synthcohort.comparison.position import positions
from synthcohort.comparison.standing import Standing
from synthcohort.figures import labels, style
from synthcohort.report import published
from synthcohort.report.headlines import HEADLINES
from synthcohort.report.questions import (
    Evidence,
    Page,
    counted,
    entry,
    extent,
    flips,
    margin,
    measured,
    named,
    of_methods,
    others,
)
from synthcohort.report.tables import Cell, number, table

METRIC = "c2st_xgboost"
CHANCE = 0.5
WEAK = "independent"


@dataclass(frozen=True)
class Faithful(Page):
    """What the page shows.

    Args:
        metrics: the headline metrics that have a score.
    """

    metrics: list[str]

    def winners(self) -> pd.DataFrame:
        """Return [metrics, generators]: on how many tables each method, or the weak sentinel, is first."""
        counts = {}
        for metric in self.metrics:
            found = self.evidence.standing(metric, beside=[WEAK])
            if found is not None:
                counts[metric] = pd.Series(list(found.ahead_on.values())).value_counts()
        columns = style.order([WEAK, *self.evidence.methods])
        return pd.DataFrame(counts).T.reindex(columns=columns).fillna(0).astype(int)

    def positions(self) -> pd.DataFrame:
        """Return the position of every generator on every headline metric and table."""
        return positions(self.evidence.frame, self.metrics, self.evidence.resampling)

    def _answer(self, found: Standing) -> str:
        best, tables = found.best, found.record.tables
        own = self.evidence.means([METRIC])
        own = own[(own["generator"] == best) & own["dataset"].isin(tables)]
        told = int((own["low"] > CHANCE).sum())
        unsure = int(own["low"].isna().sum())
        faithful = len(tables) - told - unsure
        some = f"Only on {faithful} of {counted(len(tables), 'table')}" if faithful else "Not shown" if unsure else "No"
        verdict = "Yes, as far as XGBoost can tell" if faithful == len(tables) else some
        open_ones = f"; {counted(unsure, 'table')} cannot say" if unsure else ""
        return (
            f"{verdict}. Hardest to tell from real rows is {style.label(best)}: {named(METRIC)} "
            f"{measured(found.level(best))} {extent(found)} ({CHANCE:g}: impossible to tell{self._floor()}). "
            f"XGBoost still tells its rows from fresh real ones, beyond noise, on {told} of "
            f"{counted(len(tables), 'table')}{open_ones}."
        )

    def _changes(self, found: Standing) -> list[str]:
        rest = {named(m): self.evidence.standing(m) for m in self.metrics if m != METRIC}
        return [margin(found), flips(found), others(found, rest, "metric"), *self._weak()]

    def _floor(self) -> str:
        weak = self.evidence.standing(METRIC, beside=[WEAK])
        if weak is None or WEAK not in weak.record.generators:
            return ""
        return f"; independent columns: {number(weak.level(WEAK).mean)}"

    def _weak(self) -> list[str]:
        fooled = []
        for metric in self.metrics:
            found = self.evidence.standing(metric, beside=[WEAK])
            if found is None or WEAK not in found.record.generators:
                continue
            first = sum(name == WEAK for name in found.ahead_on.values())
            if first:
                fooled.append(f"{named(metric)} on {first} of {len(found.record.tables)} tables")
        if not fooled:
            return ["No metric here ranks independent columns, which know no relation at all, above every method."]
        return [
            "Independent columns, which know no relation between columns at all, would have come first by "
            f"{' and '.join(fooled)}: taken alone, that certifies a worthless generator."
        ]


def find(evidence: Evidence) -> Faithful:
    """Return what the page shows."""
    return Faithful(evidence, METRIC, evidence.standing(METRIC), evidence.known(HEADLINES["fidelity"]))


def middle(found: pd.DataFrame) -> pd.DataFrame:
    """Return the median position over tables with the lowest and the highest, in the form of positions of one table."""
    rows = []
    for (metric, generator), own in found.groupby(["metric", "generator"], sort=False):
        known = own[own["reason"] == ""]["position"]
        rows.append(
            {
                **own.iloc[0][["axis"]].to_dict(), "dataset": "all tables", "generator": generator, "metric": metric,
                "position": known.median(), "low": known.min(), "high": known.max(),
                "reason": "" if len(known) else "no table has a position",
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def positions_note(found: pd.DataFrame, *, over: bool) -> str:
    """Return the caption of a figure of positions.

    Args:
        found: what it shows.
        over: whether cells are medians over tables.
    """
    small = "from the lowest to the highest table" if over else "its interval over splits (Fieller, corrected)"
    large = "median over tables; " if over else ""
    known = of_methods(found[found["reason"] == ""])
    if not len(known):
        return "No metric has a position: the score files hold no floor and ceiling that differ beyond noise."
    least = known.loc[known["position"].idxmin()]
    return (
        f"0 is what independent columns achieve, 1 what fresh real rows achieve; {large}"
        f"in small {small}. Lowest: {style.label(least['generator'])} by {named(least['metric'])}, "
        f"{number(least['position'], 2)}. Hatched: floor and ceiling do not differ beyond noise there."
    )


def winners_note(counts: pd.DataFrame) -> str:
    """Return the caption of the figure of winners."""
    firsts = {metric: counts.columns[counts.loc[metric].to_numpy().argmax()] for metric in counts.index}
    distinct = list(dict.fromkeys(firsts.values()))
    return (
        f"By its mean over splits. {len(firsts)} metrics put {len(distinct)} different generators first most often: "
        f"{', '.join(style.label(name) for name in distinct)}. Bootstrap, which copies, is left out."
    )


def by_table(found: Faithful) -> str:
    """Return, as a table, who is hardest to tell on each table, and what real rows and the floor score there."""
    if found.found is None:
        return table(["table"], [])
    means = found.evidence.means([METRIC]).set_index(["dataset", "generator"])
    rows = []
    for name, best in found.found.ahead_on.items():
        beside = [entry(means, (name, generator)) for generator in (best, style.REAL, WEAK)]
        rows.append([name, Cell(style.label(best), css="text"), *beside])
    return table(
        ["table", "hardest to tell", labels.short_label(METRIC), "fresh real rows", "independent columns"],
        rows,
        text=(0, 1),
    )


def published_rows(evidence: Evidence) -> str:
    """Return the published rows on Adult beside ours, C2ST on the published scale; "" where the study has no Adult."""
    if "adult" not in set(evidence.frame["dataset"]):
        return ""
    means = evidence.means(_ADULT)
    own = means[means["dataset"] == "adult"].set_index(["generator", "metric"])["mean"]
    rows = []
    both = [(label, ours, list(figures)) for label, (ours, *figures) in published.ADULT_ROWS.items()]
    there = {ours for _, ours, _ in both}
    both += [(style.label(g), g, [math.nan] * len(_ADULT)) for g in evidence.methods if g not in there]
    for label, ours, figures in both:
        cells: list[object] = [label]
        for theirs, metric in zip(figures, _ADULT, strict=True):
            value = _as_published(metric, float(own.get((ours, metric), math.nan)))
            cells.append(f"{number(theirs)} / {number(value)}")
        rows.append(cells)
    head = ["theirs / ours", "Shape", "C2ST score, logistic", "C2ST score, XGBoost", "TSTR AUROC"]
    return table(head, rows)


def published_note() -> str:
    """Return the caption of the published rows."""
    return (
        f"{published.ADULT}; ours on `adult`, means over splits. C2ST scores run from 0 (told apart always) to 1 "
        "(not at all): ours are 2 (1 - AUROC), at most 1. Their samples, budgets and classifiers differ from ours."
    )


_ADULT = ("shape", "c2st_logistic", METRIC, "tstr_auroc_xgboost")


def _as_published(metric: str, value: float) -> float:
    return 2 * (1 - max(value, 0.5)) if metric.startswith("c2st") else value


def rankings(found: Faithful) -> list[tuple[list[str], str]]:
    """Return which metrics are ranked by, with the heading of each diagram."""
    if found.found is None:
        return []
    alone = ([METRIC], f"Mean ranks by {labels.short_label(METRIC)}")
    return [alone, (found.metrics, f"Mean ranks by {len(found.metrics)} fidelity metrics together")]
