"""How are the costs of growing tables set as tables on a page?"""

from __future__ import annotations

import pandas as pd

from synthcohort.figures import style
from synthcohort.report.scale import COLUMNS, LEAST, MB, ROWS, Reach, Scale
from synthcohort.report.tables import Cell, number, table
from synthcohort.study import ScaleBlock


def steps(points: pd.DataFrame) -> str:
    """Return what every size of one generator cost, a row each."""
    rows = [
        [
            f"{point.size:,} {point.along}",
            number(point.seconds, 2),
            number(point.memory / MB, 0),
            Cell(point.note or "–", css="text"),
        ]
        for point in points.sort_values(["along", "size"], ascending=[False, True]).itertuples()
    ]
    return table(["size", "CPU seconds", "peak memory, MB", "if there are none"], rows, text=(0, 3))


def steps_note(block: ScaleBlock) -> str:
    """Return the caption of the sizes of one generator."""
    return (
        "CPU seconds of fit and draw; the largest resident size of its process, libraries and table included. Allowed: "
        f"{block.fit_cpu_seconds:g} CPU s and {block.memory_gb:g} GB."
    )


def reach_table(found: Scale) -> str:
    """Return how far every generator comes, a row each."""
    rows = {reach.generator: reach for reach in found.reaches(ROWS)}
    columns = {reach.generator: reach for reach in found.reaches(COLUMNS)}
    names = style.order([*rows, *columns])
    lines = [
        [Cell(style.label(name), css="text"), *_cells(rows.get(name)), *_cells(columns.get(name))] for name in names
    ]
    head = [
        "generator", "rows within the budget", "growth", "the next size", "columns within the budget", "growth",
        "the next size",
    ]  # fmt: skip
    return table(head, lines, text=(0, 3, 6))


def reach_note(found: Scale) -> str:
    """Return the caption of the table."""
    return (
        f"Largest size within {found.budget}, with the CPU seconds of fit and draw and the peak memory there. Growth: "
        "e of the power law c n^e of CPU seconds through the two largest sizes measured, also those over the budget; "
        f"– where there are not two, or one cost less than {LEAST:g} CPU s. The next size: why it is out of reach; "
        "– where no larger one was asked for."
    )


def _cells(reach: Reach | None) -> list[Cell]:
    if reach is None:
        return [Cell("–")] * 3
    spent = f"{number(reach.seconds, 2)} s, {number(reach.memory / MB, 0)} MB"
    return [
        Cell(f"{reach.largest:,}", spent) if reach.largest else Cell("none"),
        Cell(number(reach.exponent, 2)),
        Cell(reach.stop or "–", css="text"),
    ]
