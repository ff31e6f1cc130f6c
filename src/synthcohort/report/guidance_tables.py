"""Which table and captions stand beside the curves of the options of a draw?"""

from __future__ import annotations

from synthcohort.report.guidance import Case, Point
from synthcohort.report.questions import counted
from synthcohort.report.tables import Cell, interval, table

_ROWS = {"shape_asked": "Shape", "trend_asked": "Trend"}


def curves_note(case: Case) -> str:
    """Return the caption of the figure."""
    fixed = [
        f"{name.replace('_', ' ')} with {', '.join(f'{key} = {value}' for key, value in curve.also.items())}"
        for name, curve in case.curves.items()
        if curve.also
    ]
    besides = f" Besides: {'; '.join(fixed)}." if fixed else ""
    return (
        f"{case.name}: means over {counted(case.splits, 'split')} of models judged on validation rows, since settings "
        "are picked here. One fit a split and one draw of as many rows as train rows for every point, all from the "
        f"same noise and the same asked labels and groups.{besides}"
    )


def draws(case: Case) -> str:
    """Return AUROC, the ratios, Shape and Trend of every draw; those on the front stand out."""
    front = case.front()
    rows = [
        [
            Cell(point.name, css="text best" if point in front else "text"),
            *(_cell(case, metric, point) for metric in ("auroc", *case.ratios, *_ROWS)),
        ]
        for point in case.every
    ]
    return table(["draw", "AUROC", *case.ratios.values(), *_ROWS.values()], rows)


def draws_note(case: Case) -> str:
    """Return the caption of the table."""
    return (
        f"{case.name}: means over {counted(case.splits, 'split')} with their {100 * case.resampling.confidence:g} % "
        "intervals, on validation rows. Shape and Trend: against validation rows weighted to the balanced joint. In "
        "bold: no other draw has a higher AUROC and a higher lowest ratio."
    )


def _cell(case: Case, metric: str, point: Point) -> Cell:
    found = case.mean(metric, point)
    return interval(found.mean, found.low, found.high)
