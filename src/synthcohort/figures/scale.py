"""How do CPU seconds and memory grow with the size of a table?

A panel for either, both axes logarithmic, so that a power of the size is a straight line; a line per generator, named
at the largest size measured.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from synthcohort.figures import style
from synthcohort.figures.naming import Named, name_points

_LINE = "#5b6770"
_FOOT = 0.03  # of a panel's height, where what failed for another reason is marked
_ASIDE = 1.12  # factor by which crosses of one size stand apart, so that none hides another
_ROOM = 8.0  # factor by which the frame goes on beyond the largest size, for the names


@dataclass(frozen=True)
class Panel:
    """What a panel shows.

    Args:
        value: column of the points; the column `<value>_least` holds what a fit had cost when it was ended.
        label: of its axis, with the unit.
        unit: of the values shown.
        limit: what is allowed, in that unit.
    """

    value: str
    label: str
    unit: float
    limit: float


@style.styled
def growth(points: pd.DataFrame, panels: tuple[Panel, ...], *, across: str, heading: str) -> Figure:
    """Draw cost against size.

    Args:
        points: columns generator, size, failed (bool), and those that `panels` name; NaN where nothing was measured.
        panels: what is drawn, from the left.
        across: label of the sizes.
        heading: title of the figure.
    """
    figure, places = style.grid(len(panels), columns=len(panels), width=5.6, height=5.4)
    names = style.order(list(points["generator"].unique()))
    sizes = sorted(points["size"].unique())
    marked = points.assign(across=points["size"] * _ASIDE ** points["failed"].groupby(points["size"]).cumsum().sub(1))
    named = []
    for axes, panel in zip(places, panels, strict=True):
        shown = marked.assign(y=points[panel.value] / panel.unit, least=points[f"{panel.value}_least"] / panel.unit)
        _frame(axes, shown, panel, sizes)
        axes.set_xlabel(across)
        axes.set_ylabel(panel.label)
        own = {name: shown[shown["generator"] == name].sort_values("size") for name in names}
        named.append((axes, [point for name in names for point in _line(axes, own[name], name)]))
    style.legend_below(figure, _legend())
    style.title(figure, heading)
    name_points(figure, named)
    return figure


def _frame(axes: Axes, shown: pd.DataFrame, panel: Panel, sizes: list[int]) -> None:
    known = np.concatenate([shown["y"].dropna(), shown["least"].dropna(), [panel.limit]])
    low, high = known[known > 0].min(), known.max()
    spare = (high / low) ** 0.08
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(sizes[0] / 1.5, sizes[-1] * _ROOM)
    axes.set_ylim(low / spare, high * spare)
    axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(lambda tick, _: f"{tick:,.10g}")
    axes.axhline(panel.limit, color=_LINE, lw=1.0, ls="--", zorder=1)


def _line(axes: Axes, own: pd.DataFrame, name: str) -> list[Named]:
    """Draw what was measured of a generator, mark what failed, and return every mark, the last measured one named."""
    colour, known, lost = style.colour(name), own[own["y"].notna()], own[own["failed"]]
    ended, broken = lost[lost["least"].notna()], lost[lost["seconds_least"].isna() & lost["memory_least"].isna()]
    axes.plot(known["size"], known["y"], color=colour, marker=style.marker(name), ms=5, lw=1.2, zorder=3)
    axes.plot(ended["across"], ended["least"], ls="", marker="x", ms=7, mew=1.8, color=colour, zorder=4)
    foot = [_FOOT] * len(broken)
    axes.plot(
        broken["across"], foot, ls="", marker="x", ms=7, mew=1.8, color=colour, transform=axes.get_xaxis_transform()
    )
    places = [*zip(known["size"], known["y"]), *zip(ended["across"], ended["least"])]
    last = len(known) - 1 if len(known) else len(places) - 1
    return [
        Named(float(x), float(y), style.label(name) if k == last else "", colour) for k, (x, y) in enumerate(places)
    ]


def _legend() -> list[Line2D]:
    crossed = "ended there, or failed (at the foot)"
    return [
        Line2D([], [], color=_LINE, ls="--", lw=1.0, label="what is allowed"),
        Line2D([], [], color=_LINE, marker="x", ls="", ms=7, mew=1.8, label=crossed),
    ]
