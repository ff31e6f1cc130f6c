"""What does each table say, with its interval over splits?

A panel a table: paired differences to a rival, membership by attack, precision against recall.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from synthcohort.figures import labels, style
from synthcohort.figures.scores import frame_of

_ATTACKS = {
    "distance": ("#0072b2", "o"), "domias": ("#d55e00", "s"), "logan": ("#009e73", "^"),
    "monte_carlo": ("#cc79a7", "D"), "shadow": ("#1a1a1a", "X"),
}  # fmt: skip


@style.styled
def differences(found: pd.DataFrame, *, heading: str, across: str) -> Figure:
    """Draw paired differences with intervals: a panel per table, a row per generator, a line at 0.

    Args:
        found: columns dataset, generator, mean, low, high; positive favours the generator.
        heading: title of the figure.
        across: label of the horizontal axis.
    """
    names = style.order(list(found["generator"].unique()))[::-1]
    tables = list(dict.fromkeys(found["dataset"]))
    figure, panels = style.grid(len(tables), columns=3, width=3.7, height=0.85 + 0.27 * len(names))
    low, high = frame_of(pd.concat([found["mean"], pd.Series([0.0])]))
    for axes, table in zip(panels, tables, strict=True):
        axes.axvline(0, color="#1a1a1a", lw=0.9)
        for row in found[found["dataset"] == table].itertuples():
            place, colour = names.index(str(row.generator)), style.colour(str(row.generator))
            if np.isfinite(row.low):
                axes.plot([row.low, row.high], [place] * 2, color=colour, lw=2.2)
            axes.plot([row.mean], [place], ls="", marker=style.marker(str(row.generator)), color=colour, ms=6)
        axes.set_xlim(low, high)
        axes.set_ylim(-0.6, len(names) - 0.4)
        axes.set_title(table, fontsize=9.5)
        axes.set_xlabel(across, fontsize=8)
        axes.locator_params(axis="x", nbins=5)
        axes.set_yticks(range(len(names)), [style.label(n) if axes in panels[::3] else "" for n in names])
    return style.title(figure, heading, "right of the line: the generator is better; bars may be cut")


@style.styled
def attacks(found: pd.DataFrame, *, heading: str) -> Figure:
    """Draw the area under the curve of each attack: a panel per table, a row per generator, a line at chance.

    Args:
        found: columns dataset, generator, attack, mean, low, high, caught (drawn filled).
        heading: title of the figure.
    """
    names = style.order(list(found["generator"].unique()))[::-1]
    tables = list(dict.fromkeys(found["dataset"]))
    present = [a for a in _ATTACKS if a in set(found["attack"])]
    figure, panels = style.grid(len(tables), columns=3, width=3.8, height=0.9 + 0.4 * len(names))
    for axes, table in zip(panels, tables, strict=True):
        axes.axvline(0.5, color="#1a1a1a", lw=0.9, ls=":")
        for row in found[found["dataset"] == table].itertuples():
            colour, mark = _ATTACKS[str(row.attack)]
            shift = 0.15 * ((len(present) - 1) / 2 - present.index(str(row.attack)))
            place = names.index(str(row.generator)) + shift
            if np.isfinite(row.low):
                axes.plot([row.low, row.high], [place] * 2, color=colour, lw=1.3, alpha=0.8)
            axes.plot([row.mean], [place], mark, color=colour, mfc=colour if row.caught else "white", ms=4)
        axes.set_xlim(0.3, 1.02)
        axes.set_xticks([0.4, 0.5, 0.6, 0.8, 1.0])
        for edge in range(1, len(names)):
            axes.axhline(edge - 0.5, color="#e6eaed", lw=0.7)
        axes.grid(False, axis="y")
        axes.set_ylim(-0.5, len(names) - 0.5)
        axes.set_title(table, fontsize=9.5)
        axes.set_xlabel("membership AUROC (0.5: chance)", fontsize=8)
        axes.set_yticks(range(len(names)), [style.label(n) if axes in panels[::3] else "" for n in names])
    handles = [
        Line2D([], [], color=_ATTACKS[a][0], marker=_ATTACKS[a][1], ms=5, label=labels.ATTACKS[a]) for a in present
    ]
    style.legend_below(figure, handles)
    return style.title(figure, heading, "right of the dotted line: the attack finds members")


@style.styled
def precision_recall(curves: pd.DataFrame, *, heading: str) -> Figure:
    """Draw precision against recall: a panel per table, a line per arm.

    Args:
        curves: columns dataset, generator ("real": no rows added), recall, mean, low, high.
        heading: title of the figure.
    """
    tables, names = list(dict.fromkeys(curves["dataset"])), style.order(list(curves["generator"].unique()))
    figure, panels = style.grid(len(tables), columns=3, width=3.6, height=2.7)
    for axes, table in zip(panels, tables, strict=True):
        for name in names:
            own = curves[(curves["dataset"] == table) & (curves["generator"] == name)].sort_values("recall")
            colour, line = style.colour(name), "--" if name == style.REAL else "-"
            axes.fill_between(own["recall"], own["low"], own["high"], color=colour, alpha=0.13, lw=0)
            axes.plot(own["recall"], own["mean"], color=colour, ls=line, lw=1.6)
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1.02)
        axes.set_title(table, fontsize=9.5)
        axes.set_xlabel("recall of the rare class", fontsize=8)
    for axes in panels[::3]:
        axes.set_ylabel("precision", fontsize=8)
    handles = [Line2D([], [], color=style.colour(n), ls="--" if n == style.REAL else "-", label=_arm(n)) for n in names]
    style.legend_below(figure, handles)
    return style.title(figure, heading)


def _arm(name: str) -> str:
    return "no rows added (any threshold moves along this line)" if name == style.REAL else style.label(name)
