"""Does an idea bring more where columns depend on each other?

A panel per idea: tables as points with their interval over splits, the gain by the idea against how strongly the
table's columns depend on each other. Above the dotted line the idea is worth something.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from synthcohort.figures import style
from synthcohort.figures.naming import Named, name_points

_WORDS = {"supported": ("#1b7f3b", "o"), "contradicted": ("#b3261e", "X"), "undecided": ("#5b6770", "s")}
_SPARE = 0.18  # of the span of a panel, on either side


@style.styled
def against_dependence(points: pd.DataFrame, *, titles: Sequence[str], heading: str) -> Figure:
    """Draw gains against dependence; every panel has the same frame.

    Args:
        points: columns title, dataset, dependence, difference, low, high (NaN: no interval), verdict.
        titles: one panel for each that has a point.
        heading: title of the figure.
    """
    shown = [title for title in titles if title in set(points["title"])]
    figure, panels = style.grid(len(shown), columns=4, width=3.3 if len(shown) > 1 else 5.0, height=3.3)
    held = pd.concat([points["difference"], points["low"], points["high"], pd.Series([0.0])]).dropna()
    named = []
    for axes, title in zip(panels, shown, strict=True):
        own = points[points["title"] == title]
        _points(axes, own)
        axes.axhline(0.0, color="#1a1a1a", lw=0.9, ls=":")
        axes.set_xlim(*_frame(points["dependence"]))
        axes.set_ylim(*_frame(held))
        axes.locator_params(axis="x", nbins=5)
        axes.set_title(title.replace(" instead of ", "\ninstead of "), fontsize=9.5)
        axes.set_xlabel("dependence of the columns", fontsize=8)
        axes.set_ylabel("gain by the idea" if axes is panels[0] else "", fontsize=8)
        named.append((axes, [Named(r.dependence, r.difference, str(r.dataset), "#1a1a1a") for r in own.itertuples()]))
    handles = [Line2D([], [], ls="", color=c, marker=m, ms=6, label=word) for word, (c, m) in _WORDS.items()]
    style.legend_below(figure, handles)
    style.title(figure, heading)
    name_points(figure, named)
    return figure


def _points(axes: Axes, own: pd.DataFrame) -> None:
    for row in own.itertuples():
        colour, marker = _WORDS[str(row.verdict)]
        if np.isfinite(row.low):
            axes.vlines([row.dependence], [row.low], [row.high], color=colour, lw=2.2, alpha=0.4)
        axes.plot([row.dependence], [row.difference], ls="", marker=marker, color=colour, ms=6)


def _frame(held: pd.Series) -> tuple[float, float]:
    """Return limits that hold all numbers with room for names."""
    low, high = float(held.min()), float(held.max())
    spare = _SPARE * (high - low) or 0.1
    return low - spare, high + spare
