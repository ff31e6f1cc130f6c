"""Between what do a metric's values lie on one table, and what would chance alone do to them?

A row per metric: its floor, its ceiling, its noise (the ceiling's standard deviation over splits, the tables' sizes
being what they are), and where each generator lies between the two (`comparison.position`: 0 floor, 1 ceiling).
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from synthcohort.comparison.intervals import Resampling
from synthcohort.comparison.position import FLOOR, PRIVACY_FLOOR, positions
from synthcohort.figures import labels, style
from synthcohort.report.tables import Cell, number, table


def yardsticks(scores: pd.DataFrame, metrics: Sequence[str], resampling: Resampling) -> str:
    """Return the table of floors, ceilings, noise and positions of one table's metrics as HTML.

    Args:
        scores: tidy scores of one table, "real" and the sentinels among them.
        metrics: the rows, in order; those without a score are left out.
        resampling: how the splits were made.
    """
    known = set(scores.loc[scores["value"].notna(), "metric"])
    found = positions(scores, [metric for metric in metrics if metric in known], resampling)
    names = [g for g in style.order(list(found["generator"].unique())) if g not in style.SENTINELS]
    rows = []
    for metric, own in found.groupby("metric", sort=False):
        at = own.set_index("generator")
        ends = own.loc[own["ceiling"].notna()].head(1)
        if ends.empty:
            continue
        cells = [number(float(ends[name].iloc[0])) for name in ("floor", "ceiling", "noise")]
        places = [number(float(at["position"].get(name, float("nan"))), 2) for name in names]
        rows.append([Cell(labels.short_label(str(metric)), css="text"), *cells, *places])
    return table(["metric", "floor", "ceiling", "noise", *(style.label(name) for name in names)], rows)


def yardsticks_note(axis: str) -> str:
    """Return the caption of the table of one axis."""
    floor = style.label(PRIVACY_FLOOR if axis == "privacy" else FLOOR)
    return (
        f"Floor: {floor}. Ceiling: fresh real rows, or models trained on real rows. Noise: standard deviation of the "
        "ceiling over splits. Then the position of each method, 0 at the floor and 1 at the ceiling; none where the "
        "two do not differ beyond noise. Ceiling scores of few rows are no limit: a position above 1 is no merit."
    )
