"""How do errors of imputers grow with the share of cells that are missing?

A panel per score: a line per imputer against the share, with intervals over splits. Imputers stand side by side at each
share, so that no interval hides another.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from synthcohort.figures import labels, style
from synthcohort.figures.scores import IDEALS

_ASIDE = 0.7  # points of the share between two imputers
_BETTER = {"up": "higher is better", "down": "lower is better", "half": "0.5 is ideal", "zero": "0 is ideal"}


@style.styled
def against_share(means: pd.DataFrame, *, metrics: Sequence[str], heading: str) -> Figure:
    """Draw scores against the share of missing cells.

    Args:
        means: columns generator (the imputer), metric, share (in (0, 1)), direction, mean, low, high.
        metrics: one panel for each that has a mean.
        heading: title of the figure.
    """
    known = means[means["metric"].isin(list(metrics)) & means["mean"].notna()]
    names = style.order(list(known["generator"].unique()))
    shown = [metric for metric in metrics if metric in set(known["metric"])]
    figure, panels = style.grid(len(shown), columns=3, width=4.1, height=3.4)
    for axes, metric in zip(panels, shown, strict=True):
        own = known[known["metric"] == metric]
        for place, name in enumerate(names):
            aside = _ASIDE * (place - (len(names) - 1) / 2)
            _line(axes, own[own["generator"] == name].sort_values("share"), name, aside)
        direction = str(own["direction"].iloc[0])
        if direction in IDEALS:
            axes.axhline(IDEALS[direction], color="#1a1a1a", lw=0.9, ls=":")
        axes.set_ylim(*_frame(own, direction))
        ticks = sorted(own["share"].unique())
        axes.set_xticks([100 * share for share in ticks], [f"{100 * share:g}" for share in ticks])
        axes.set_xlabel("missing cells, %", fontsize=8)
        axes.set_ylabel(_BETTER[direction], fontsize=8)
        axes.set_title(labels.short_label(metric), fontsize=9.5)
    style.legend_below(figure, [_handle(name) for name in names], columns=4)
    return style.title(figure, heading)


def _line(axes: Axes, own: pd.DataFrame, name: str, aside: float) -> None:
    x, colour = 100 * own["share"].to_numpy() + aside, style.colour(name)
    axes.vlines(x, own["low"], own["high"], color=colour, lw=1.6, alpha=0.35)
    axes.plot(x, own["mean"], color=colour, marker=style.marker(name), ms=5, lw=1.3)


def _frame(own: pd.DataFrame, direction: str) -> tuple[float, float]:
    """Return limits that hold every mean and the ideal; intervals may be cut."""
    held = [*own["mean"], *([IDEALS[direction]] if direction in IDEALS else [])]
    low, high = min(held), max(held)
    spare = 0.15 * (high - low) or 0.05
    return low - spare, high + spare


def _handle(name: str) -> Line2D:
    return Line2D([], [], color=style.colour(name), marker=style.marker(name), ms=5, lw=1.5, label=style.label(name))
