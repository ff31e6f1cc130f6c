"""What does each option of a draw cost in accuracy and bring in fairness?

A panel for each ratio: fairness against AUROC, a line an option through its values in their order, each value written
beside its point. Upper right is better.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from synthcohort.figures import style

_LOOKS: tuple[tuple[str, style.Marker], ...] = (  # [Okabe & Ito 2008], then more for who names more curves
    ("#0072b2", "o"), ("#d55e00", "s"), ("#009e73", "^"), ("#cc79a7", "v"), ("#e69f00", "D"), ("#56b4e9", "P"),
    ("#332288", "X"), ("#661100", "<"), ("#117733", ">"), ("#888888", "h"), ("#aa8f00", "*"), ("#44aa99", "d"),
)  # fmt: skip


@style.styled
def curves(found: pd.DataFrame, *, titles: Mapping[str, str], heading: str) -> Figure:
    """Draw fairness against AUROC, option by option.

    Args:
        found: columns curve, label (of the value), metric, auroc, mean; rows of a curve in its order.
        titles: metric -> its name, in the order of the panels.
        heading: title of the figure.
    """
    figure, panels = style.grid(len(titles), columns=2, width=5.6, height=5.2)
    names = list(dict.fromkeys(found["curve"]))
    looks = {name: _LOOKS[place % len(_LOOKS)] for place, name in enumerate(names)}
    for axes, (metric, title) in zip(panels, titles.items(), strict=True):
        own = found[(found["metric"] == metric) & found["mean"].notna() & found["auroc"].notna()]
        for name in names:
            _line(axes, own[own["curve"] == name], looks[name])
        axes.set_xlabel("AUROC on real validation rows", fontsize=8.5)
        axes.set_ylabel(f"{title}, 1 is fair", fontsize=8.5)
        axes.set_title(title, fontsize=9.5)
    style.legend_below(figure, [_handle(name.replace("_", " "), looks[name]) for name in names], columns=4)
    return style.title(figure, heading, "upper right is better; a value beside each point")


def _line(axes: Axes, own: pd.DataFrame, look: tuple[str, style.Marker]) -> None:
    colour, marker = look
    axes.plot(own["auroc"], own["mean"], color=colour, marker=marker, ms=4.5, lw=1.1, alpha=0.9)
    for row in own.itertuples():
        axes.annotate(
            str(row.label), (row.auroc, row.mean), xytext=(3, 3), textcoords="offset points", fontsize=6.5, color=colour
        )


def _handle(name: str, look: tuple[str, style.Marker]) -> Line2D:
    return Line2D([], [], color=look[0], marker=look[1], ms=4.5, lw=1.3, label=name)
