"""Which generators give the best rank for their cost?

A row of panels a table: mean rank, best at the top, against a cost on a logarithmic axis. Nobody on the Pareto front is
both cheaper and ranked ahead by another; what lies below or right of its line is dominated.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullLocator

from synthcohort.figures import style
from synthcohort.figures.naming import Named, name_points

GREY = "#9aa4ab"  # of those that are no candidates
_LINE = "#5b6770"


@style.styled
def fronts(found: Mapping[str, pd.DataFrame], *, heading: str, across: str, unit: float = 1.0) -> Figure:
    """Draw a row of panels a table, a panel per axis of quality, every generator named at its point.

    Generators on the front are filled, dominated ones open; those that are no candidates are grey.

    Args:
        found: axis of quality -> rows of `comparison.fronts.front`, across the cost and upward the mean rank.
        heading: title of the figure.
        across: label of the cost.
        unit: of the cost, in units of its metric.
    """
    known = {axis: _natural(rows, unit) for axis, rows in found.items()}
    both = pd.concat(known.values())
    tables = list(dict.fromkeys(both["dataset"]))
    figure, panels = style.grid(len(tables) * len(known), columns=len(known), width=5.4, height=3.7)
    named = []
    for place, axes in enumerate(panels):
        table, axis = tables[place // len(known)], list(known)[place % len(known)]
        part = known[axis][known[axis]["dataset"] == table]
        _frame(axes, both[both["dataset"] == table]["cost"], both["rank"])
        _front(axes, part[part["on_front"]])
        named.append((axes, [_point(axes, row) for row in part.itertuples()]))
        axes.set_title(f"{table}: {axis}")
        axes.set_xlabel(across, fontsize=8.5)
        axes.set_ylabel("mean rank, 1 is best", fontsize=8.5)
    style.legend_below(figure, _legend(both))
    style.title(figure, heading, "upper left is better; vertical bars: intervals over splits")
    name_points(figure, named)
    return figure


def _natural(rows: pd.DataFrame, unit: float) -> pd.DataFrame:
    """Return ranks and costs as themselves, where `rows` hold their goodness; those without either are left out."""
    kept = rows[rows["across_mean"].notna() & rows["upward_mean"].notna()]
    return pd.DataFrame(
        {
            **{name: kept[name] for name in ("dataset", "generator", "on_front")},
            "cost": -kept["across_mean"] / unit,
            "rank": -kept["upward_mean"],
            "low": -kept["upward_high"],
            "high": -kept["upward_low"],
            "candidate": kept["reason"] == "",
        }
    )


def _frame(axes, costs: pd.Series, ranks: pd.Series) -> None:
    axes.set_xscale("log")
    low, high = costs[costs > 0].min(), costs.max()
    spare = (high / low) ** 0.08 * 1.15
    axes.set_xlim(low / spare, high * spare)
    axes.set_ylim(ranks.max() + 1.0, max(0.5, ranks.min() - 1.5))
    decades = np.log10(high / low)
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if decades < 2.5 else (1.0,)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(lambda tick, _: f"{tick:,.10g}")
    axes.yaxis.get_major_locator().set_params(integer=True)


def _front(axes, best: pd.DataFrame) -> None:
    """Draw the border of what the front dominates: up to each point, then level to the next and on to the right."""
    ordered = best.sort_values(["cost", "rank"], ascending=[True, False])
    if not len(ordered):
        return
    x, y = ordered["cost"].to_numpy(), ordered["rank"].to_numpy()
    right, bottom = axes.get_xlim()[1], axes.get_ylim()[0]
    axes.step([x[0], *x, right], [bottom, *y, y[-1]], where="post", color=_LINE, lw=1.0, ls="--", zorder=1)


def _point(axes, row) -> Named:
    colour = style.colour(row.generator) if row.candidate else GREY
    if np.isfinite(row.low):
        axes.plot([row.cost] * 2, [row.low, row.high], color=colour, lw=1.2, alpha=0.4, zorder=2)
    face = colour if row.on_front or not row.candidate else "white"
    axes.plot(
        [row.cost], [row.rank], ls="", marker=style.marker(row.generator), ms=7, mec=colour, mfc=face, mew=1.3, zorder=4
    )
    return Named(float(row.cost), float(row.rank), style.label(row.generator), colour)


def _legend(both: pd.DataFrame) -> list[Line2D]:
    candidate = dict(zip(both["generator"], both["candidate"], strict=True))
    handles = [
        Line2D([], [], ls="", marker=style.marker(n), ms=6, label=style.label(n),
               color=style.colour(n) if candidate[n] else GREY)
        for n in style.order(list(candidate))
    ]  # fmt: skip
    handles.append(Line2D([], [], color=_LINE, ls="--", label="Pareto front"))
    handles.append(Line2D([], [], marker="o", ls="", ms=6, mfc="white", mec=_LINE, label="open: dominated"))
    return handles
