"""Which tables and captions does the page on imputation show?"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import pandas as pd

from synthcohort.comparison.intervals import Arm, Interval, corrected_interval, summarise
from synthcohort.figures import labels, style
from synthcohort.metrics.imputation_plausibility import CONDITION
from synthcohort.metrics.imputation_plausibility import METRICS as PLAUSIBLE
from synthcohort.report.impute import Case, Place, hidden, places
from synthcohort.report.questions import counted
from synthcohort.report.tables import Cell, interval, table
from synthcohort.report.trust import Choice, choose
from synthcohort.study import Scenario

COSTS = ("fit_cpu_seconds", "impute_cpu_seconds")


def standings(cases: Sequence[Case]) -> str:
    """Return how often each imputer is first or not told from the first, a row each, a column per score."""
    found = places(cases)
    metrics = list(dict.fromkeys(metric for case in cases for metric in case.judged))
    models = {name for case in cases for name in case.models}
    rows: list[list[object]] = [
        [
            Cell(style.label(name), "also generates" if name in models else "", "text"),
            *(_share(found[name].get(metric)) for metric in metrics),
        ]
        for name in style.order(list(found))
    ]
    heads = [Cell(labels.short_label(metric), css="wrapped") for metric in metrics]
    return table(["imputer", *heads], rows)


def standings_note(cases: Sequence[Case]) -> str:
    """Return the caption of that table."""
    return (
        f"{hidden(cases[0].block.fitted)}: tables on which the imputer is first or cannot be told from the first, "
        "paired by split, of all tables with such cells; in brackets those on which its mean is the best."
    )


def glossary(cases: Sequence[Case]) -> list[str]:
    """Return what each score of the tables measures."""
    return [labels.metric_label(metric) for metric in dict.fromkeys(m for case in cases for m in case.metrics)]


def scenario(found: Case) -> str:
    """Return every imputer's scores under the fitted holes, and its cost."""
    metrics = found.metrics
    here = found.scores["condition"] == found.block.fitted.name
    means = _by_name(summarise(found.scores[here], found.resampling))
    costs = found.costs[found.costs["condition"] == found.block.fitted.name]
    spent = _by_name(summarise(costs, found.resampling)) if len(costs) else {}
    firsts = {metric: found.first(metric) for metric in metrics}
    rows: list[list[object]] = [
        [
            style.label(name),
            *(_marked(means.get((name, metric)), firsts[metric], name) for metric in metrics),
            *(_entry(spent.get((name, cost)), 2) for cost in COSTS),
        ]
        for name in found.names
    ]
    heads = [Cell(labels.short_label(m), f"({_wish(found, m)})", "wrapped") for m in metrics]
    heads += [Cell(labels.short_label(cost), css="wrapped") for cost in COSTS]
    return table(["imputer", *heads], [*rows, *_ceiling(found, metrics)])


def scenario_note(found: Case) -> str:
    """Return the caption of that table."""
    draws = counted(found.block.draws, "draw")
    return (
        f"{found.dataset}: {hidden(found.block.fitted)}, {draws} of each; {_means(found)}. Green: the first of its "
        "column; grey: not told from the first, paired by split. Errors are in ranges of the column. Draws that are "
        "all the same cover nothing, have no diversity, and their MinMAE is their AvgMAE. Noise has most diversity: "
        f"read it beside coverage. {found.machine}"
    )


def mechanisms(found: Case) -> str:
    """Return the first leading score under MCAR, and what it changes by under MAR and MNAR at the same rate."""
    metric, rows = found.leading[0], []
    for name in found.names:
        row: list[object] = [style.label(name)]
        for plain, others in found.compared:
            level = _values(found, metric, name, plain)
            at = corrected_interval(level.to_numpy(), found.resampling)
            row.append(interval(at.mean, at.low, at.high))
            row += [_change(found, metric, _values(found, metric, name, other) - level) for other in others]
        rows.append(row)
    heads = [
        h for plain, others in found.compared for h in (hidden(plain), *(f"change to {hidden(o)}" for o in others))
    ]
    return table(["imputer", *heads], rows)


def mechanisms_note(found: Case) -> str:
    """Return the caption of that table."""
    return (
        f"{found.dataset}, {labels.short_label(found.leading[0])}: {_means(found)}; changes are paired by split. Red: "
        "surely worse than under MCAR; green: surely better. Each mechanism hides other cells, and MAR hides none of "
        "the columns that decide, so that a change speaks of the cells as well as of the imputer."
    )


def as_found(found: Case) -> str:
    """Return what each imputer makes of the table's own holes; "" where there are none, or nobody was asked."""
    own = found.scores[(found.scores["condition"] == CONDITION) & found.scores["value"].notna()]
    if not len(own):
        return ""
    means = _by_name(summarise(own, found.resampling))
    metrics = [metric for metric in (found.downstream, *PLAUSIBLE) if metric in set(own["metric"])]
    arms = [Arm(name, CONDITION) for name in found.names]
    firsts = {metric: choose(own, metric, arms, found.resampling) for metric in metrics}
    rows: list[list[object]] = [
        [style.label(name), *(_marked(means.get((name, metric)), firsts[metric], name) for metric in metrics)]
        for name in found.names
    ]
    heads = [Cell(labels.short_label(m), f"({_wish(found, m)})", "wrapped") for m in metrics]
    return table(["imputer", *heads], rows)


def as_found_note(found: Case) -> str:
    """Return the caption of that table."""
    return (
        f"{found.dataset}, holes as found, none hidden beside them: {_means(found)}. No truth is known of these cells, "
        "so that no error can be given: what learns from completed train rows is judged on test rows, and the drawn "
        "cells by how much they look like observed ones. That is plausibility, not truth: where cells are missing for "
        f"a reason, they may rightly look otherwise. Every imputer was fitted with {hidden(found.block.fitted)}."
    )


def figure_note(found: Case) -> str:
    """Return the caption of the figure."""
    return (
        f"{found.dataset}: {_means(found)}, which may leave the frame. Cells of test rows are missing "
        "completely at random, the same for all; every imputer was fitted once a split, with "
        f"{hidden(found.block.fitted)}, and gave {counted(found.block.draws, 'draw')}."
    )


def _means(found: Case) -> str:
    return (
        f"means over {counted(found.scores['split'].nunique(), 'split')} with their "
        f"{100 * found.resampling.confidence:g} % interval (corrected resampled t)"
    )


def _wish(found: Case, metric: str) -> str:
    direction = found.scores.loc[(found.scores["metric"] == metric) & found.scores["value"].notna(), "direction"].iloc[
        0
    ]
    return {"up": "higher is better", "down": "lower is better", "zero": "0 is ideal"}[str(direction)]


def _by_name(means: pd.DataFrame) -> Mapping[tuple[str, str], pd.Series]:
    return {(str(row["generator"]), str(row["metric"])): row for _, row in means.iterrows()}


def _entry(row: pd.Series | None, digits: int = 3) -> Cell:
    return Cell("–") if row is None else interval(row["mean"], row["low"], row["high"], digits)


def _share(place: Place | None) -> Cell:
    return Cell("–") if place is None else Cell(f"{place.among} of {place.tables}", f"({place.first})")


def _marked(row: pd.Series | None, choice: Choice | None, name: str) -> Cell:
    cell = _entry(row)
    if choice is not None and name == choice.best.generator:
        return Cell(cell.text, cell.note, "best")
    return Cell(cell.text, cell.note, badge="undecided" if choice is not None and name in choice.ties else "")


def _ceiling(found: Case, metrics: Sequence[str]) -> list[list[object]]:
    """Return the row of what learns from train rows before cells were hidden, if that is known."""
    metric = f"trtr_{found.downstream.removeprefix('impute_')}"
    own = found.real[found.real["metric"] == metric]
    if found.downstream not in metrics or own["value"].isna().all():
        return []
    (row,) = _by_name(summarise(own, found.resampling)).values()
    cells = [_entry(row if name == found.downstream else None) for name in metrics]
    blank = [Cell(cell.text, cell.note, "sentinel") for cell in [*cells, *(Cell("–") for _ in COSTS)]]
    return [[Cell("no cell hidden", css="text sentinel"), *blank]]


def _values(found: Case, metric: str, name: str, scenario: Scenario) -> pd.Series:
    own = found.scores
    own = own[(own["metric"] == metric) & (own["generator"] == name) & (own["condition"] == scenario.name)]
    return own.set_index("split")["value"].dropna()


def _change(found: Case, metric: str, changes: pd.Series) -> Cell:
    by = corrected_interval(changes.dropna().to_numpy(), found.resampling)
    if not math.isfinite(by.mean):
        return Cell("–")
    bounds = f"[{by.low:+.3f}, {by.high:+.3f}]" if math.isfinite(by.low) else ""
    return Cell(f"{by.mean:+.3f}", bounds, badge=_worse(by, _wish(found, metric)))


def _worse(by: Interval, wish: str) -> str:
    low, high = (-by.high, -by.low) if wish.startswith("higher") else (by.low, by.high)  # of the loss
    return "contradicted" if low > 0 else "supported" if high < 0 else "undecided"
