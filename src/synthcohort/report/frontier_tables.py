"""Which tables and captions stand on the page about the price of privacy?"""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from synthcohort.comparison.intervals import Interval
from synthcohort.comparison.privacy_cost import Reach
from synthcohort.figures import labels, style
from synthcohort.report.frontier import Case, named
from synthcohort.report.questions import counted
from synthcohort.report.tables import Cell, number, table
from synthcohort.report.verdicts import said


def over_all(cases: Sequence[Case]) -> str:
    """Return the smallest epsilon of every family, a row each, and a column per table."""
    known = {case.dataset: {reach.generator: reach for reach in case.reaches()} for case in cases}
    families = list(dict.fromkeys(name for case in cases for name in case.families))
    rows = [
        [Cell(style.label(name), css="text"), *(_cell(known[case.dataset].get(name)) for case in cases)]
        for name in families
    ]
    return table(["family", *known], rows)


def over_all_note(cases: Sequence[Case]) -> str:
    """Return the caption of that table."""
    block, how = cases[0].block, cases[0].resampling
    return (
        f"Smallest ε tried whose {labels.short_label(cases[0].metric)} is, by its mean over splits, within "
        f"{block.tolerance:g} of what the same method reaches without privacy. In brackets the smallest ε that is not "
        f"surely outside and the smallest that is surely inside ({100 * how.confidence:g} % intervals, corrected "
        f"resampled t, of each ε by itself). Tried: {cases[0].tried}."
    )


def changes_table(found: Case) -> str:
    """Return the smallest epsilon of every family as the page asks for it and as it might have asked, a column each."""
    columns = {text: {reach.generator: reach for reach in reaches} for text, reaches in found.changes().items()}
    rows = [
        [Cell(style.label(name), css="text"), *(_cell(known.get(name)) for known in columns.values())]
        for name in found.families
    ]
    return table([f"family, {found.dataset}", *columns], rows)


def changes_note(found: Case) -> str:
    """Return the caption of that table."""
    return (
        f"{found.dataset}: smallest ε tried, by the mean over splits, if another classifier judged or half the loss "
        "were allowed. Brackets as above."
    )


def figure_note(found: Case) -> str:
    """Return the caption of the figures of one table."""
    splits = found.frame["split"].nunique()
    across = f" Dashed: {' and '.join(style.label(n) for n in found.sentinels)}." if found.sentinels else ""
    return (
        f"{found.dataset}: means over {counted(splits, 'split')} with their {100 * found.resampling.confidence:g} % "
        f"interval (corrected resampled t). Open markers at ∞: the same method without privacy.{across} "
        f"Budgets of one split share its rows, so that paired gaps, in the table below, are "
        f"surer than these intervals look."
    )


def gaps_table(found: Case) -> str:
    """Return the gap of every budget, a row per family."""
    rows, known = [], found.gaps().set_index(["generator", "epsilon"])
    for name in found.families:
        cells = [_gap(known.loc[(name, e)]) if (name, e) in known.index else Cell("–") for e in found.block.epsilons]
        rows.append([Cell(style.label(name), css="text"), *cells])
    return table(["gap to no privacy", *(f"ε = {e:g}" for e in found.block.epsilons)], rows)


def gaps_note(found: Case) -> str:
    """Return the caption of the table of gaps."""
    return (
        f"{found.dataset}: {labels.short_label(found.metric)} less that of the same method without privacy, paired by "
        f"split. Green: the interval lies above a loss of {found.block.tolerance:g}; red: below; grey: neither."
    )


def groups_table(found: Case) -> str:
    """Return the excess loss of the smallest group, a row per family and column."""
    rows = [
        [
            Cell(style.label(e.generator), css="text"), Cell(e.column, css="text"),
            Cell(e.small, f"{e.rows_small:,.0f} test rows", "text"),
            Cell(e.large, f"{e.rows_large:,.0f} test rows", "text"), Cell(said(e.interval), badge=e.verdict),
        ]
        for e in found.excesses()
    ]  # fmt: skip
    return table(["family", "column", "smallest group", "largest group", "excess loss"], rows, text=(0, 1, 2, 3))


def groups_note(found: Case) -> str:
    """Return the caption of that table."""
    return (
        f"{found.dataset}: AUROC that the smallest group loses against no privacy, less what the largest loses; mean "
        "over the budgets, paired by split. Green: the small group surely loses more; red: surely less; grey: neither. "
        "Groups with too few test rows are not measured."
    )


def _cell(reach: Reach | None) -> Cell:
    if reach is None:
        return Cell("–")
    bounds = "" if reach.gap.splits < 2 else f"[{named(reach.low)}, {named(reach.high)}]"
    return Cell(named(reach.epsilon), bounds)


def _gap(row: pd.Series) -> Cell:
    if not row["splits"]:
        return Cell("–")
    found = Interval(row["difference"], row["low"], row["high"], row["splits"])
    bounds = f"[{number(found.low)}, {number(found.high)}]" if math.isfinite(found.low) else ""
    return Cell(f"{found.mean:+.3f}", bounds, badge=row["verdict"])
