"""How do cost and quality go with the number of columns?

A panel per cost, both axes logarithmic, so that a power of the columns is a straight line; a panel per score, the
columns alone logarithmic. A line per method.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator

from synthcohort.figures import style


@style.styled
def costs(means: pd.DataFrame, *, titles: Mapping[str, str], heading: str, limits: Mapping[str, float]) -> Figure:
    """Draw costs against columns.

    Args:
        means: columns generator, metric, columns, mean, low, high.
        titles: metric -> title of its panel, in the order of the panels.
        heading: title of the figure.
        limits: metric -> place of a dotted line, such as the memory there is.
    """
    figure, panels = _panels(means, titles, heading)
    for axes, metric in zip(panels, titles, strict=True):
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if metric in limits else (1.0,), numticks=20))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.yaxis.set_minor_formatter(NullFormatter())
        if metric in limits:
            axes.axhline(limits[metric], color="#1a1a1a", lw=0.9, ls=":")
    return figure


@style.styled
def quality(means: pd.DataFrame, *, titles: Mapping[str, str], heading: str, limits: Mapping[str, float]) -> Figure:
    """Draw scores against columns; arguments as `costs`."""
    figure, panels = _panels(means, titles, heading)
    for axes, metric in zip(panels, titles, strict=True):
        if metric in limits:
            axes.axhline(limits[metric], color="#1a1a1a", lw=0.9, ls=":")
    return figure


def _panels(means: pd.DataFrame, titles: Mapping[str, str], heading: str) -> tuple[Figure, list[Axes]]:
    figure, panels = style.grid(len(titles), columns=4, width=3.3, height=3.2)
    own = means[means["metric"].isin(list(titles))]
    ticks, names = sorted(own["columns"].unique()), style.order(list(own["generator"].unique()))
    for axes, (metric, title) in zip(panels, titles.items(), strict=True):
        part = own[own["metric"] == metric]
        for name in names:
            _line(axes, part[part["generator"] == name].sort_values("columns"), name)
        axes.set_xscale("log")
        axes.set_xticks(ticks, [f"{n:,}" for n in ticks])
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xlabel("columns", fontsize=8)
        axes.set_title(title, fontsize=9.5)
    handles = [
        Line2D([], [], color=style.colour(n), marker=style.marker(n), ms=5, lw=1.5, label=style.label(n)) for n in names
    ]
    style.legend_below(figure, handles)
    style.title(figure, heading)
    return figure, panels


def _line(axes: Axes, own: pd.DataFrame, name: str) -> None:
    colour, bounded = style.colour(name), own[np.isfinite(own["low"]) & (own["low"] > 0)]
    axes.vlines(bounded["columns"], bounded["low"], bounded["high"], color=colour, lw=1.6, alpha=0.35)
    axes.plot(own["columns"], own["mean"], color=colour, marker=style.marker(name), ms=5, lw=1.3)
