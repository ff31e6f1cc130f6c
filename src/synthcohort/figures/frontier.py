"""What does every budget buy?

A panel per score, or per table: a line per private family against epsilon on a logarithmic axis, with intervals over
splits; epsilon = inf, the method without privacy, stands apart at the right edge. Sentinels are dashed lines across.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from synthcohort.figures import style
from synthcohort.figures.scores import IDEALS

_BETTER = {"up": "higher is better", "down": "lower is better", "half": "0.5 is ideal", "zero": "0 is ideal"}
COLUMNS = 3  # panels of a row
_ASIDE = 1.025  # factor by which families stand apart, so that no bar hides another
_GAP = 4.0  # inf stands so many times beyond the largest budget


@style.styled
def curves(
    means: pd.DataFrame, *, panels: Mapping[str, str], key: str, sentinels: Sequence[str], heading: str
) -> Figure:
    """Draw quality against epsilon.

    Args:
        means: columns generator, epsilon, `key`, direction, mean, low, high.
        panels: value of `key` -> title of its panel, in order.
        key: the column that tells the panels apart, "metric" or "dataset".
        sentinels: generators that have epsilon = inf only.
        heading: title of the figure.
    """
    figure, all_axes = style.grid(len(panels), columns=COLUMNS, width=3.9, height=3.0)
    families = style.order([g for g in dict.fromkeys(means["generator"]) if g not in sentinels])
    budgets = sorted(e for e in means["epsilon"].unique() if math.isfinite(e))
    for axes, (value, title) in zip(all_axes, panels.items(), strict=True):
        own = means[(means[key] == value) & means["mean"].notna()]
        for place, family in enumerate(families):
            _line(axes, own[own["generator"] == family], family, _ASIDE ** (2 * place - len(families) + 1), budgets)
        for name in sentinels:
            for level in own.loc[own["generator"] == name, "mean"]:
                axes.axhline(level, color=style.colour(name), lw=1.2, ls="--", zorder=1)
        _frame(axes, budgets, own)
        axes.set_title(title, fontsize=9.5)
    handles = [*(_handle(name) for name in families), *(_dashed(name) for name in sentinels)]
    style.legend_below(figure, handles, columns=2 * min(COLUMNS, len(panels)))
    return style.title(figure, heading)


def _line(axes: Axes, own: pd.DataFrame, family: str, aside: float, budgets: Sequence[float]) -> None:
    """Draw one family: joined over the budgets, open and apart at inf."""
    for part, line in ((own[np.isfinite(own["epsilon"])], "-"), (own[~np.isfinite(own["epsilon"])], "none")):
        rows = part.sort_values("epsilon")
        x = rows["epsilon"].replace(math.inf, _edge(budgets)).to_numpy() * aside
        bars = np.abs(rows[["low", "high"]].to_numpy().T - rows["mean"].to_numpy())  # [2, budgets]
        axes.errorbar(
            x, rows["mean"], yerr=bars, color=style.colour(family), ls=line, marker=style.marker(family), ms=5, lw=1.4,
            elinewidth=0.9, mfc="white" if line == "none" else None,
        )  # fmt: skip


def _frame(axes: Axes, budgets: Sequence[float], own: pd.DataFrame) -> None:
    edge = _edge(budgets)
    axes.set_xscale("log")
    axes.set_xticks([*budgets, edge], [*(f"{e:g}" for e in budgets), "∞"])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlim(min([*budgets, edge]) / 1.4, edge * 1.4)
    if budgets:
        axes.axvline(math.sqrt(budgets[-1] * edge), color="#c9d0d5", lw=0.9)
    axes.set_xlabel("ε (∞: without privacy)", fontsize=8)
    if len(own):
        low, high = axes.get_ylim()
        axes.set_ylim(max(low, min(-0.05, own["mean"].min())), min(high, 1.05))  # few splits give endless intervals
        direction = str(own["direction"].iloc[0])
        axes.set_ylabel(_BETTER[direction], fontsize=8)
        if direction in IDEALS:
            axes.axhline(IDEALS[direction], color="#1a1a1a", lw=0.9, ls=":")


def _edge(budgets: Sequence[float]) -> float:
    """Return where inf stands."""
    return _GAP * budgets[-1] if budgets else 1.0


def _handle(name: str) -> Line2D:
    return Line2D([], [], color=style.colour(name), marker=style.marker(name), ms=5, lw=1.4, label=style.label(name))


def _dashed(name: str) -> Line2D:
    return Line2D([], [], color=style.colour(name), lw=1.2, ls="--", label=style.label(name))
