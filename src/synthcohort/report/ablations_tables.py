"""Which tables and captions does the page on MTabGen's ideas show?"""

from __future__ import annotations

import math

from synthcohort.comparison.claims import TableVerdict
from synthcohort.comparison.intervals import summarise
from synthcohort.figures import labels, style
from synthcohort.report.ablations import BASE, COSTS, IDEAS, METRICS, Found, Idea, Task, task_of
from synthcohort.report.impute import hidden
from synthcohort.report.questions import counted
from synthcohort.report.tables import Cell, interval, number, table


def heading(metric: str) -> str:
    """Return the title of a figure."""
    return f"What each idea brings in {task_of(metric)}: {labels.short_label(metric)}"


def figure_note(found: Found, metric: str) -> str:
    """Return the caption of a figure."""
    points = found.points(metric)
    if not len(points):
        return f"No table with scores of {labels.short_label(metric)} has its dependence measured."
    tables = counted(points["dataset"].nunique(), "table")
    return (
        f"{labels.metric_label(metric)}{_under(found, metric)}: gain of {style.label(BASE)} over itself without the "
        f"idea, paired by split, with its {_sure(found)} interval; above 0 the idea helps. {tables}. Across: mean over "
        "columns of how well a linear model ranks a column's cells by the other columns (2 AUROC - 1; 0: "
        "independent, 1: decided by them)."
    )


def by_table(found: Found, idea: Idea, task: Task) -> str:
    """Return, for one idea, gains by every score, and CPU seconds side by side: a row per table."""
    metrics = [m for m in METRICS[task] if found.tables(idea, task, m)]
    told = {metric: found.by_table(idea, metric) for metric in metrics}
    spent = _seconds(found, task)
    rows = []
    for dataset in found.datasets:
        own = {metric: told[metric].get(dataset) for metric in metrics}
        if not any(own.values()):
            continue
        pairs = [(dataset, name, cost) for cost in COSTS[task] for name in (BASE, idea.rivals[task])]
        rows.append(
            [
                dataset,
                found.dependence.get(dataset, math.nan),
                *(_gain(own[metric]) for metric in metrics),
                *(spent.get(pair, Cell("–")) for pair in pairs),
                str(max(one.splits for one in own.values() if one)),
            ]
        )
    gains = [Cell(labels.short_label(metric), "(gain)", "wrapped") for metric in metrics]
    costs = [
        Cell(labels.short_label(cost), f"({style.label(name)})", "wrapped")
        for cost in COSTS[task]
        for name in (BASE, idea.rivals[task])
    ]
    return table(["table", "dependence", *gains, *costs, "splits"], rows)


def by_table_note(found: Found, idea: Idea, task: Task) -> str:
    """Return the caption of that table."""
    holes = f", {hidden(found.scenarios[0])}" if task == "imputation" else ""
    apart = len(set(idea.rivals.values())) > 1
    models = " Without the idea each task takes a model of its own, so that both fits are to be paid." if apart else ""
    return (
        f"{idea.title}, {task}{holes}: gain of {style.label(BASE)} over {style.label(idea.rivals[task])}, paired by "
        f"split and turned so that above 0 the idea helps, with its {_sure(found)} interval (corrected resampled t). "
        "Green: surely above 0; red: surely below; grey: neither. Each interval is at its level by itself: over many "
        f"tables and scores some verdicts are due to chance.{models} {found.machine}"
    )


def trends(found: Found) -> str:
    """Return how each idea's gain goes with dependence: a row per score, a column per idea."""
    rows = [
        [Cell(labels.short_label(metric), task_of(metric), "text"), *(_trend(found, idea, metric) for idea in IDEAS)]
        for metric in found.leading
    ]
    return table(["score", *(Cell(idea.title, css="wrapped") for idea in IDEAS)], rows)


def trends_note(found: Found) -> str:
    """Return the caption of that table."""
    return (
        "Kendall's rank correlation, over tables, of the gain by an idea with the dependence of the columns, and its "
        f"two-sided p-value (exact). Green: the gain surely grows with dependence, at {_sure(found)}; red: it surely "
        f"falls; grey: neither. {_reach(found)}"
    )


def dependence(found: Found) -> str:
    """Return the dependence of every table's columns."""
    ranked = sorted(found.dependence, key=lambda name: -found.dependence[name])
    return table(["table", "dependence"], [[name, found.dependence[name]] for name in ranked])


def dependence_note(found: Found) -> str:
    """Return the caption of that table."""
    return (
        "Mean over splits. Every column is predicted from all others by a linear model that learned from train rows; "
        "2 AUROC - 1 on validation rows, averaged over columns. A dependence without any linear part is not seen, and "
        "holes that were filled with a constant lower it."
    )


def _reach(found: Found) -> str:
    """Return the fewest tables with which the test can decide: two orders of N! reach the smallest p-value."""
    fewest = next(n for n in range(2, 20) if 2 / math.factorial(n) < 1 - found.resampling.confidence)
    known = len([name for name in found.datasets if name in found.dependence])
    return f"It takes {fewest} tables or more to decide at all; here are {known}."


def _trend(found: Found, idea: Idea, metric: str) -> Cell:
    one = found.trend(idea, metric)
    if not math.isfinite(one.tau):
        return Cell("–")
    return Cell(f"{one.tau:+.2f}", f"p = {number(one.p)}, {counted(one.tables, 'table')}", badge=one.word)


def _gain(one: TableVerdict | None) -> Cell:
    if one is None or not one.splits:
        return Cell("–")
    bounds = f"[{one.low:+.3f}, {one.high:+.3f}]" if math.isfinite(one.low) else ""
    return Cell(f"{one.difference:+.3f}", bounds, badge=one.verdict)


def _seconds(found: Found, task: Task) -> dict[tuple[str, str, str], Cell]:
    """Return (dataset, generator, cost) -> its mean over splits with its interval."""
    own = found.costs[task]
    own = own[own["metric"].isin(COSTS[task]) & (own["condition"] == found.condition(task))]
    means = summarise(own, found.resampling)
    return {
        (str(row["dataset"]), str(row["generator"]), str(row["metric"])): interval(
            row["mean"], row["low"], row["high"], 2
        )
        for _, row in means.iterrows()
    }


def _sure(found: Found) -> str:
    return f"{100 * found.resampling.confidence:g} %"


def _under(found: Found, metric: str) -> str:
    return f", {hidden(found.scenarios[0])}" if task_of(metric) == "imputation" else ""
