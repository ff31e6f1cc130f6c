"""How does the quality of a draw grow with the evaluations of the network?

A panel per score: a line per solver against the number of evaluations, with intervals over splits; the reference, which
takes very many evaluations, is a band across the panel.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import NullLocator

from synthcohort.figures import style
from synthcohort.figures.scores import IDEALS

_LINES = (("#d55e00", "-", "o"), ("#0072b2", "--", "s"), ("#009e73", ":", "^"))
_BAND = "#5b6770"
_ASIDE = 1.03  # factor by which solvers stand apart, so that no bar hides another
_BETTER = {"up": "higher is better", "down": "lower is better", "half": "0.5 is ideal", "zero": "0 is ideal"}


@style.styled
def quality(
    means: pd.DataFrame, reference: pd.DataFrame, *, titles: Mapping[str, str], solvers: Mapping[str, str], heading: str
) -> Figure:
    """Draw quality against evaluations.

    Args:
        means: columns solver, evaluations, metric, direction, mean, low, high.
        reference: columns metric, mean, low, high, one row a metric.
        titles: metric -> title of its panel, in the order of the panels.
        solvers: solver -> its name, at most three.
        heading: title of the figure.
    """
    figure, panels = style.grid(len(titles), columns=3, width=3.9, height=3.0)
    known = means[means["solver"].isin(list(solvers))]
    ticks = sorted(known["evaluations"].unique())
    for axes, (metric, title) in zip(panels, titles.items(), strict=True):
        own = known[known["metric"] == metric]
        _band(axes, reference.set_index("metric").loc[metric])
        for place, solver in enumerate(solvers):
            aside = _ASIDE ** (2 * place + 1 - len(solvers))
            _line(axes, own[own["solver"] == solver].sort_values("evaluations"), place, aside=aside)
        direction = str(own["direction"].iloc[0])
        if direction in IDEALS:
            axes.axhline(IDEALS[direction], color="#1a1a1a", lw=0.9, ls=":")
        axes.set_xscale("log")
        axes.set_xticks(ticks, [f"{n:,}" for n in ticks])
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xlabel("evaluations of the network a row", fontsize=8)
        axes.set_ylabel(_BETTER[direction], fontsize=8)
        axes.set_title(title, fontsize=9.5)
    lines = [_handle(place, name) for place, name in enumerate(solvers.values())]
    style.legend_below(figure, [*lines, Patch(fc=_BAND, alpha=0.2, label="reference, its interval")])
    return style.title(figure, heading)


def _line(axes: Axes, own: pd.DataFrame, place: int, *, aside: float) -> None:
    colour, line, marker = _LINES[place]
    x = own["evaluations"].to_numpy() * aside
    bars = np.abs(own[["low", "high"]].to_numpy().T - own["mean"].to_numpy())  # [2, evaluations]
    axes.errorbar(x, own["mean"], yerr=bars, color=colour, ls=line, marker=marker, ms=4.5, lw=1.4, elinewidth=0.9)


def _band(axes: Axes, row: pd.Series) -> None:
    if np.isfinite(row["low"]):
        axes.axhspan(row["low"], row["high"], color=_BAND, alpha=0.2, lw=0)
    axes.axhline(row["mean"], color=_BAND, lw=1.1)


def _handle(place: int, name: str) -> Line2D:
    colour, line, marker = _LINES[place]
    return Line2D([], [], color=colour, ls=line, marker=marker, ms=4.5, lw=1.4, label=name)
