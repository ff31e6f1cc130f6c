"""Which generators are best for some weight of two questions, and which are beaten on both?

Axes run so that upper right is better; a metric whose ideal is 0 or 0.5 is drawn as its distance from it.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from synthcohort.figures import labels, style
from synthcohort.figures.naming import Named, name_points
from synthcohort.figures.scores import frame_of

_IDEALS = {"half": "0.5", "zero": "0"}


@style.styled
def front(found: pd.DataFrame, *, heading: str) -> Figure:
    """Draw one panel a table: each generator with both intervals, and the line of the Pareto front.

    Generators on the front are filled and named, dominated ones open, clearly dominated ones crossed out. The frame
    fits the candidates; those that are no candidates are small, and stand at its edge if they lie beyond.

    Args:
        found: of `comparison.fronts.front`; rows without a mean on either metric are not drawn.
        heading: title of the figure.
    """
    known = found[found["across_mean"].notna() & found["upward_mean"].notna()]
    tables = list(found["dataset"].unique())
    few = known["generator"].nunique() < style.MANY
    width, height, columns = (6.5, 4.4, 1) if len(tables) == 1 else (3.7, 3.3, 3) if few else (5.4, 3.8, 2)
    figure, panels = style.grid(len(tables), columns=columns, width=width, height=height)
    named = []
    for axes, table in zip(panels, tables, strict=True):
        part = known[known["dataset"] == table]
        candidates = part[part["reason"] == ""] if (part["reason"] == "").any() else part
        axes.set_xlim(*frame_of(candidates["across_mean"]))
        axes.set_ylim(*frame_of(candidates["upward_mean"]))
        _line(axes, part[part["on_front"]])
        for row in part.itertuples():
            _point(axes, row)
        named.append((axes, [_named(row) for row in candidates.itertuples()]))
        axes.locator_params(nbins=5)
        axes.xaxis.set_major_formatter(_natural(found["across_direction"].iloc[0]))
        axes.yaxis.set_major_formatter(_natural(found["upward_direction"].iloc[0]))
        axes.set_title(str(table))
        axes.set_xlabel(_label(found, "across"), fontsize=8.5)
    for axes in panels[::columns]:
        axes.set_ylabel(_label(found, "upward"), fontsize=8.5)
    style.legend_below(
        figure, _legend(style.order(list(known["generator"].unique()))), columns=5 if len(tables) > 1 else 4
    )
    apart = "; small, at the edge if beyond: no candidate" if (known["reason"] != "").any() else ""
    style.title(figure, heading, f"upper right is better; bars: intervals{apart}")
    name_points(figure, named)
    return figure


def _line(axes, best: pd.DataFrame) -> None:
    """Draw the border of what the front dominates: level to the left of each point, then down to the next."""
    ordered = best.sort_values("across_mean")
    if not len(ordered):
        return
    x, y = ordered["across_mean"].to_numpy(), ordered["upward_mean"].to_numpy()
    left, bottom = axes.get_xlim()[0], axes.get_ylim()[0]
    axes.step([left, *x, x[-1]], [y[0], *y, bottom], where="pre", color="#5b6770", lw=1.0, ls="--", zorder=1)


def _point(axes, row) -> None:
    colour, candidate = style.colour(row.generator), row.reason == ""
    x, y = row.across_mean, row.upward_mean
    if not candidate:
        edge = [np.clip(x, *axes.get_xlim())], [np.clip(y, *axes.get_ylim())]
        axes.plot(*edge, ls="", marker=style.marker(row.generator), ms=6, color=colour, clip_on=False, zorder=3)
        return
    kind = {"color": colour, "lw": 1.0, "alpha": 0.55, "zorder": 2}
    axes.plot([row.across_low, row.across_high], [y, y], **kind)
    axes.plot([x, x], [row.upward_low, row.upward_high], **kind)
    face = colour if row.on_front else "white"
    axes.plot([x], [y], ls="", marker=style.marker(row.generator), ms=8, mec=colour, mfc=face, mew=1.4, zorder=4)
    if row.clearly_dominated_by:
        axes.plot([x], [y], "x", ms=11, color="#1a1a1a", mew=1.2, zorder=5)


def _named(row) -> Named:
    """Return a candidate with its name if it is on the front."""
    name = style.label(row.generator) if row.on_front else ""
    return Named(row.across_mean, row.upward_mean, name, style.colour(row.generator))


def _legend(names: list[str]) -> list[Line2D]:
    handles = [
        Line2D([], [], color=style.colour(n), marker=style.marker(n), ls="", ms=7, label=style.label(n)) for n in names
    ]
    handles.append(Line2D([], [], color="#5b6770", ls="--", label="Pareto front"))
    handles.append(Line2D([], [], marker="o", ls="", ms=7, mfc="white", mec="#5b6770", label="open: dominated"))
    handles.append(Line2D([], [], marker="x", ls="", ms=8, color="#1a1a1a", label="clearly dominated"))
    return handles


def _label(found: pd.DataFrame, side: str) -> str:
    name = labels.short_label(str(found[side].iloc[0]))
    ideal = _IDEALS.get(str(found[f"{side}_direction"].iloc[0]))
    return name if ideal is None else f"{name}: distance from {ideal}"


def _natural(direction: str):
    """Return a tick formatter from goodness back to the metric's value, or to its distance from the ideal."""
    if direction == "up":
        return lambda tick, _: f"{tick:.3g}"
    if direction in _IDEALS:
        return lambda tick, _: f"{-tick + 0.0:.3g}" if tick <= 0 else ""  # no distance is below 0
    return lambda tick, _: f"{-tick + 0.0:.3g}"
