"""How much does a generator's result depend on its settings?

A row per generator: the objective of every setting tried, the one the search began with and the best of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from synthcohort.figures import style

_INK = "#1a1a1a"
_TRIAL = "#8d99a2"


@style.styled
def spread(values: Sequence[tuple[str, pd.Series]], *, heading: str) -> Figure:
    """Draw the objectives of every search.

    Args:
        values: (generator, objective of its trials in order, NaN where one failed), from top to bottom.
        heading: title of the figure.
    """
    figure = Figure(figsize=(8.6, 1.3 + 0.31 * len(values)), layout="constrained")
    axes = figure.subplots()
    for place, (name, own) in enumerate(values):
        known = own.dropna().to_numpy()
        axes.plot([known.min(), known.max()], [place, place], color="#d5dbdf", lw=3, zorder=1, solid_capstyle="round")
        axes.scatter(known, np.full(len(known), place), s=16, color=_TRIAL, lw=0, zorder=2)
        axes.scatter(known.max(), place, s=70, color=style.colour(name), marker=style.marker(name), zorder=4)
        axes.scatter(own.iloc[0], place, s=60, facecolor="none", edgecolor=_INK, lw=1.3, zorder=5)
    axes.set_yticks(range(len(values)), [style.label(name) for name, _ in values])
    axes.set_ylim(len(values) - 0.4, -0.6)
    axes.grid(False, axis="y")
    axes.set_xlabel("objective, higher is better")
    style.legend_below(figure, _legend(), columns=3)
    return style.title(figure, heading)


def _legend() -> list[Line2D]:
    shared: dict[str, Any] = {"linestyle": "none", "marker": "o"}
    return [
        Line2D([], [], color=_TRIAL, markersize=4, label="a setting", **shared),
        Line2D([], [], mfc="none", mec=_INK, mew=1.3, markersize=8, label="where the search began", **shared),
        Line2D([], [], color="#d55e00", markersize=8, label="found (colour and shape of the generator)", **shared),
    ]
