"""How are costs, claims and answers of the whole study set as tables?"""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from synthcohort.comparison.claims import Verdict
from synthcohort.figures import labels, style
from synthcohort.report.questions import counted
from synthcohort.report.tables import Cell, interval, number, table
from synthcohort.report.trust import Answer, Choice


def costs(spent: pd.DataFrame, metric: str, *, unit: float = 1.0) -> str:
    """Return a table of generators by tables with the mean cost over splits, in `unit`s of the metric."""
    means = spent[spent["metric"] == metric].groupby(["dataset", "generator"])["value"].mean() / unit
    datasets = [str(name) for name in spent["dataset"].unique()]
    rows = [
        [style.label(g), *(number(float(means.get((dataset, g), math.nan)), 2) for dataset in datasets)]
        for g in style.order(list(spent["generator"].unique()))
    ]
    return table(["generator", *datasets], rows)


def claims(verdicts: Sequence[Verdict]) -> str:
    """Return the table of claims: text and source, verdict, counts of tables, what the paper reports, what we see."""
    rows = [
        [
            Cell(verdict.text, verdict.source, "text"),
            badge(verdict.verdict),
            f"{verdict.supported} / {verdict.contradicted} / {verdict.undecided}",
            Cell(verdict.reported or "–", css="text"),
            Cell(_ours(verdict), css="text"),
        ]
        for verdict in verdicts
    ]
    head = ["claim", "verdict", "tables for / against / open", "the paper reports", "here: better / worse arm"]
    return table(head, rows, text=(0, 1, 3, 4))


def badge(verdict: str) -> Cell:
    """Return a verdict as a cell in its colour."""
    return Cell(verdict, css="text", badge=verdict)


def verdict_frame(verdict: Verdict) -> pd.DataFrame:
    """Return what the forest plot of one claim draws: dataset, difference, low, high, margin, verdict."""
    return pd.DataFrame(
        {
            "dataset": [row.dataset for row in verdict.tables],
            "difference": [row.difference for row in verdict.tables],
            "low": [row.low for row in verdict.tables],
            "high": [row.high for row in verdict.tables],
            "margin": verdict.margin,
            "verdict": [row.verdict for row in verdict.tables],
        }
    )


def answers(found: Sequence[Answer]) -> str:
    """Return the answer table: per table the best generator for utility, handing out, fidelity, privacy, rare class."""
    head = ["table", "to train a model", "real rows give", "to hand out", "hardest to tell", "least memorisation",
            "to help a rare class"]  # fmt: skip
    rows = [
        [
            one.dataset,
            _choice(one.utility),
            interval(one.real.mean, one.real.low, one.real.high),
            _choice(one.trusted) if one.trusted else nobody(one.undecided),
            _choice(one.fidelity),
            _choice(one.privacy),
            _gain(one),
        ]
        for one in found
    ]
    return table(head, rows, text=(0, 1, 3, 4, 5, 6))


def nobody(undecided: Sequence[str]) -> Cell:
    """Return the cell for a table where no method is surely safe, with those that may be."""
    if not undecided:
        return Cell("none for sure", css="text")
    return Cell("none for sure", "too few splits to tell", "text", fold=(f"of {len(undecided)}", _by_name(undecided)))


def best(generator: str, measured: str, ties: Sequence[str]) -> Cell:
    """Return the cell of the best method: its measure below its name, then those it cannot be told from."""
    if not ties:
        return Cell(style.label(generator), measured, "text")
    seen = f"or {counted(len(ties), 'other')}"
    return Cell(style.label(generator), measured, "text", fold=(seen, _by_name(ties)))


def _by_name(generators: Sequence[str]) -> str:
    return ", ".join(style.label(name) for name in generators)


def _choice(choice: Choice | None) -> Cell:
    if choice is None:
        return Cell("none", css="text")
    cell = interval(choice.interval.mean, choice.interval.low, choice.interval.high)
    measured = f"{labels.quantity(choice.metric)} {cell.text} {cell.note}".strip()
    return best(choice.best.generator, measured, choice.ties)


def _gain(one: Answer) -> Cell:
    if one.augmentation is None or one.rival is None:
        return Cell("no such task", css="text")
    rival = one.rival.best.condition.replace("_", " ")
    if one.gain.low > 0:
        return Cell(style.label(one.augmentation.best.generator), f"beats {rival}", "text")
    word = "beats" if one.gain.high < 0 else "is not beaten by"
    return Cell(rival, f"no generator needed: it {word} {style.label(one.augmentation.best.generator)}", "text")


def _ours(verdict: Verdict) -> str:
    known = [row for row in verdict.tables if math.isfinite(row.difference)]
    shown = [f"{row.dataset} {number(row.better_mean)} / {number(row.worse_mean)}" for row in known]
    return "; ".join(pair.replace(" ", "\N{NO-BREAK SPACE}") for pair in shown) or "no table has both arms"
