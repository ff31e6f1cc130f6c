"""What does fairness cost in accuracy, arm by arm?

A row of panels for each ask, a panel for each ratio: fairness against AUROC, a line an arm through its dials, the first
open, the last filled and with its interval. Upper right is better.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from synthcohort.figures import style
from synthcohort.figures.naming import Named, name_points

_RIVALS: tuple[tuple[str, style.Marker], ...] = (  # colours far apart, none of a generator's own
    ("#1a1a1a", "o"), ("#0072b2", "s"), ("#44aa99", "^"), ("#aa4499", "v"), ("#888888", "D"),
)  # fmt: skip
_PAPER = "#5b6770"
_AIMED = "Fair"  # how published methods that aim at fairness begin; the names of all would lie over each other
_RANGE = (-0.03, 1.05)  # of a ratio, with room for markers; bars are cut there


@style.styled
def curves(
    found: pd.DataFrame,
    *,
    titles: Mapping[str, str],
    rivals: Sequence[str],
    published: Mapping[str, Sequence[tuple[str, float, float]]],
    heading: str,
) -> Figure:
    """Draw fairness against AUROC.

    Args:
        found: columns ask, arm, dial, metric, auroc, mean, low, high.
        titles: metric -> its name, in the order of the panels of a row.
        rivals: arms that take no generator, at most five; their lines are dashed.
        published: metric -> (method, AUROC, fairness) of another study's points.
        heading: title of the figure.
    """
    asks, arms = list(dict.fromkeys(found["ask"])), list(dict.fromkeys(found["arm"]))
    figure, panels = style.grid(len(asks) * len(titles), columns=len(titles), width=5.2, height=3.7)
    named = []
    for place, axes in enumerate(panels):
        ask, metric = asks[place // len(titles)], list(titles)[place % len(titles)]
        own = found[(found["ask"] == ask) & (found["metric"] == metric)]
        for arm in arms:
            _line(axes, own[own["arm"] == arm].sort_values("dial"), _look(arm, rivals), dashed=arm in rivals)
        named.append((axes, _points(axes, published.get(metric, ()))))
        axes.set_ylim(*_RANGE)
        axes.set_xlabel("AUROC on real test rows", fontsize=8.5)
        axes.set_ylabel(f"{titles[metric]}, 1 is fair", fontsize=8.5)
        axes.set_title(ask, fontsize=9.5)
    style.legend_below(figure, [_handle(arm, _look(arm, rivals), dashed=arm in rivals) for arm in arms], columns=4)
    style.title(figure, heading, "upper right is better; open: as observed, filled: balanced")
    name_points(figure, named)
    return figure


def _look(arm: str, rivals: Sequence[str]) -> tuple[str, style.Marker]:
    """Return colour and marker of an arm, the same in every figure."""
    return _RIVALS[list(rivals).index(arm)] if arm in rivals else (style.colour(arm), style.marker(arm))


def _line(axes: Axes, own: pd.DataFrame, look: tuple[str, style.Marker], *, dashed: bool) -> None:
    known = own[own["mean"].notna() & own["auroc"].notna()]
    if not len(known):
        return
    colour, marker = look
    axes.plot(known["auroc"], known["mean"], color=colour, ls="--" if dashed else "-", lw=1.2, alpha=0.85)
    for row in known.itertuples():
        last = row.dial == own["dial"].max()
        axes.plot(row.auroc, row.mean, marker=marker, ms=5, mfc=colour if last else "white", mec=colour, ls="")
        if last and np.isfinite(row.low):
            axes.vlines(row.auroc, row.low, row.high, color=colour, lw=0.7, alpha=0.6)


def _points(axes: Axes, published: Sequence[tuple[str, float, float]]) -> list[Named]:
    for _, auroc, fairness in published:
        axes.plot(auroc, fairness, marker="x", ms=5, color=_PAPER, ls="")
    return [Named(auroc, fairness, name, _PAPER) for name, auroc, fairness in published if name.startswith(_AIMED)]


def _handle(arm: str, look: tuple[str, style.Marker], *, dashed: bool) -> Line2D:
    colour, marker = look
    return Line2D([], [], color=colour, ls="--" if dashed else "-", marker=marker, ms=5, lw=1.3, label=style.label(arm))
