"""What does the page on MTabGen's ideas say? Every sentence is computed from the scores."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from synthcohort.comparison.claims import Verdict
from synthcohort.figures import labels
from synthcohort.report.ablations import BASE, COSTS, IDEAS, METRICS, TASKS, Found, Idea, Task, arms, task_of
from synthcohort.report.impute import hidden
from synthcohort.report.questions import counted
from synthcohort.report.tables import number
from synthcohort.study import Study


def headline(found: Found) -> str:
    """Return what each idea brings by the first score there is, in one sentence."""
    if not found.leading:
        return "What does each idea bring? No table has scores of MTabGen and of one of its ablations."
    metric = found.leading[0]
    task = task_of(metric)
    known = [idea for idea in IDEAS if found.tables(idea, task, metric)]
    said = "; ".join(f"{idea.title}: {counts(found.verdict(idea, task, metric))}" for idea in known)
    brought = f"What each idea brings to {labels.short_label(metric)}{_under(found, task)}"
    return f"{brought}, in brackets tables for / against / open. {said}."


def answers(found: Found) -> list[str]:
    """Return for each idea whether it improves each score, and what it costs."""
    told = {idea.title: [_answer(found, idea, task) for task in TASKS if idea in found.ideas(task)] for idea in IDEAS}
    return [f"{title}. {' '.join(parts)}" for title, parts in told.items() if parts]


def changes(found: Found) -> list[str]:
    """Return what each idea brings under other holes than the fitted ones."""
    metric = next((m for m in METRICS["imputation"] if m in found.leading), "")
    told = [(idea, _other_holes(found, idea, metric)) for idea in found.ideas("imputation")]
    return [f"{idea.title}: other holes. {labels.short_label(metric)}, {said}." for idea, said in told if said]


def missing(study: Study) -> list[str]:
    """Return what params.yaml, or the pipeline, still owes the page, each with what to do."""
    block, owed = study.params.imputation, []
    if not block.tables:
        return ["params.yaml names no table under `imputation.tables`: add the tables this question is put to."]
    asked: list[tuple[Task, Mapping[str, object], str, Callable[[str, str], Path]]] = [
        ("imputation", block.imputers, "imputation.imputers", study.paths.impute),
        ("generation", study.params.generators, "generators", study.paths.scores),
    ]
    for task, known, key, place in asked:
        lines = [f"`{name}: {{}}`" for name in arms(task) if name not in known]
        if lines:
            owed.append(
                f"Some ideas are not asked about in {task}: add {', '.join(lines)} under `{key}` in params.yaml."
            )
        absent = {n: [d for d in block.tables if not place(d, n).is_file()] for n in arms(task) if n in known}
        cells = [f"`{name}` on {', '.join(tables)}" for name, tables in absent.items() if tables]
        if cells:
            owed.append(f"No scores of {task} yet: {'; '.join(cells)}. `make study` computes them.")
    return owed


def counts(verdict: Verdict) -> str:
    """Return a verdict with the numbers of tables for, against and open."""
    return f"{verdict.verdict} ({verdict.supported} / {verdict.contradicted} / {verdict.undecided})"


def ratios(costs: pd.DataFrame, rival: str, cost: str) -> list[float]:
    """Return for every table where both are known how many times the rival's mean CPU seconds MTabGen takes."""
    own = costs[(costs["metric"] == cost) & costs["value"].notna()]
    means = own.pivot_table(index="dataset", columns="generator", values="value")
    return (means[BASE] / means[rival]).dropna().tolist() if {BASE, rival} <= set(means.columns) else []


def _answer(found: Found, idea: Idea, task: Task) -> str:
    judged = [found.verdict(idea, task, metric) for metric in METRICS[task] if found.tables(idea, task, metric)]
    said = "; ".join(f"{labels.short_label(one.metric)}: {counts(one)}" for one in judged)
    return f"{task.capitalize()}{_under(found, task)}: {said}.{_price(found, idea, task)}"


def _price(found: Found, idea: Idea, task: Task) -> str:
    """Return what the idea costs, in multiples of what the plainer one does."""
    own = found.costs[task][found.costs[task]["condition"] == found.condition(task)]
    parts = [(name, ratios(own, idea.rivals[task], cost)) for name, cost in zip(("a fit", "draws"), COSTS[task])]
    said = [f"{name} {_times(times)}" for name, times in parts if times]
    return f" CPU seconds with the idea over those without: {', '.join(said)}." if said else ""


def _times(found: Sequence[float]) -> str:
    low, high = number(min(found), 1), number(max(found), 1)
    return f"{low} times" if low == high else f"{low} to {high} times over {counted(len(found), 'table')}"


def _other_holes(found: Found, idea: Idea, metric: str) -> str:
    return "; ".join(
        f"{hidden(scenario)}: {counts(found.verdict(idea, 'imputation', metric, scenario.name))}"
        for scenario in found.scenarios[1:]
        if found.tables(idea, "imputation", metric, scenario.name)
    )


def _under(found: Found, task: Task) -> str:
    return f" ({hidden(found.scenarios[0])})" if task == "imputation" else ""
