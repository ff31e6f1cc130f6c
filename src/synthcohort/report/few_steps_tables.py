"""Which tables and captions does the page on few steps show?"""

from __future__ import annotations

import pandas as pd

from synthcohort.report.few_steps import SECOND, Case, splits_of
from synthcohort.report.tables import Cell, interval, table


def figure_note(found: Case) -> str:
    """Return the caption of the figure."""
    return (
        f"{found.name}: means over {splits_of(found.judged)} with their {100 * found.confidence:g} % interval "
        f"(corrected resampled t); {found.task.drawn}. Band: the interval of the reference, {found.ancestral:,} "
        "ancestral steps. Draws of one split share its rows, so that paired differences, in the table below, are "
        "surer than these intervals look."
    )


def verdicts(found: Case) -> str:
    """Return the gains over the reference, a row per score and a column per number of evaluations."""
    own = found.judged[found.judged["solver"] == SECOND].set_index(["metric", "evaluations"])
    numbers = sorted(own.index.get_level_values("evaluations").unique())
    rows = []
    for metric, title in found.metrics.items():
        entries = [own.loc[(metric, n)] for n in numbers]
        rows.append([title, float(entries[0]["noise"]), *(_gain(entry) for entry in entries)])
    return table(["gain over the reference", "noise", *(f"{n:,} evaluations" for n in numbers)], rows)


def verdicts_note(found: Case) -> str:
    """Return the caption of the table of gains."""
    return (
        f"{found.name}, second-order steps: mean gain over {found.ancestral:,} ancestral steps, paired by split, with "
        f"its {100 * found.confidence:g} % interval (corrected resampled t). Noise: half the width of the reference's "
        "own interval. Green: the interval lies above a loss of the noise; red: below; grey: neither."
    )


def seconds(found: Case) -> str:
    """Return CPU seconds and the verdict of a draw, a row per number of evaluations and two columns per solver."""
    known = found.seconds.set_index(["solver", "evaluations"])
    rows = []
    for n in sorted(known.index.get_level_values("evaluations").unique()):
        row: list[object] = [f"{n:,}"]
        for solver in found.task.solvers:
            there, judged = (solver, n) in known.index, len(found.at(solver, n)) > 0
            entry = known.loc[(solver, n)] if there else None
            row.append(Cell("–") if entry is None else interval(entry["mean"], entry["low"], entry["high"], 2))
            word = found.word(solver, n)
            row.append(
                Cell(word, css="text", badge=word) if judged else Cell("reference" if there else "–", css="text")
            )
        rows.append(row)
    head = [
        "evaluations",
        *(title for name in found.task.solvers.values() for title in (f"{name}, CPU seconds", "within noise")),
    ]
    return table(head, rows, text=range(0, len(head), 2))


def seconds_note(found: Case) -> str:
    """Return the caption of the table of CPU seconds."""
    return (
        f"{found.name}: CPU seconds of {found.task.timed}, mean over splits with its interval; within noise "
        f"by every score. {found.machine}"
    )


def _gain(row: pd.Series) -> Cell:
    if not row["splits"]:
        return Cell("–")
    bounds = f"[{row['low']:+.3f}, {row['high']:+.3f}]" if row["splits"] > 1 else ""
    return Cell(f"{row['difference']:+.3f}", bounds, badge=row["verdict"])
