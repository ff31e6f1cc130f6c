"""Do attacks agree with the budgets that are claimed?

A row per audited mechanism and budget: the claim as an open marker, the lower bound as a filled one, joined by a line.
A bound to the right of its claim refutes it, and is drawn in red.
"""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from synthcohort.figures import style

SOUND, REFUTED = "#0072b2", "#d55e00"
_TICKS = (0, 0.25, 0.5, 1, 2, 4, 8, 16, 32)
_LINEAR = 0.25  # below it the axis is linear, so that 0 has a place


@style.styled
def bounds(found: pd.DataFrame, *, heading: str) -> Figure:
    """Draw claims and bounds.

    Args:
        found: columns name (of the row), claimed, bound; the first at the top.
        heading: title of the figure.
    """
    figure = Figure(figsize=(8.2, 1.5 + 0.26 * len(found)), layout="constrained")
    axes = figure.subplots()
    for place, row in enumerate(found.itertuples()):
        colour = REFUTED if row.bound > row.claimed else SOUND
        axes.plot([row.claimed, row.bound], [place, place], color=colour, lw=1.4, alpha=0.6, zorder=2)
        axes.plot([row.claimed], [place], ls="", marker="D", ms=6, mec="#1a1a1a", mfc="white", zorder=3)
        axes.plot([row.bound], [place], ls="", marker="o", ms=6, color=colour, zorder=4)
    axes.set_xscale("symlog", linthresh=_LINEAR, linscale=0.5)
    most = max([1.0, *found["claimed"], *found["bound"]])
    shown = [tick for tick in _TICKS if tick <= 2 * most]
    axes.set_xticks(shown, [f"{tick:g}" for tick in shown])
    axes.set_xlim(-0.05, 1.3 * most)
    axes.set_yticks(range(len(found)), list(found["name"]))
    axes.set_ylim(len(found) - 0.4, -0.6)
    axes.set_xlabel("ε", fontsize=9)
    axes.grid(axis="y", visible=False)
    handles = [
        Line2D([], [], ls="", marker="D", ms=6, mec="#1a1a1a", mfc="white", label="claimed"),
        Line2D([], [], ls="", marker="o", ms=6, color=SOUND, label="lower bound"),
        Line2D([], [], ls="", marker="o", ms=6, color=REFUTED, label="lower bound above the claim"),
    ]
    style.legend_below(figure, handles)
    return style.title(figure, heading)
