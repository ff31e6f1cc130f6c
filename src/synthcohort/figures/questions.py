"""What do all tables together say about one question?

Points are tables, each its mean over splits; bars are intervals over tables. One marker per table, one colour per
generator.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from synthcohort.figures import labels, style
from synthcohort.figures.scores import frame_of

_INK = "#1a1a1a"
_TEXT = 0.16  # inches a name takes beside its line
TABLE_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*", "<", ">")


@style.styled
def over_tables(
    points: pd.DataFrame,
    bars: pd.DataFrame,
    *,
    titles: Mapping[str, str],
    heading: str,
    lines: Mapping[str, float] | None = None,
    note: str = "",
) -> Figure:
    """Draw one panel per metric: a row per generator, its tables as points, its interval over tables as a bar.

    The frame fits most methods; an arrow at its edge says where a mean lies beyond it.

    Args:
        points: columns dataset, generator, metric, mean.
        bars: columns generator, metric, mean, low, high.
        titles: metric -> title of its panel, in the order of the panels.
        heading: title of the figure.
        lines: metric -> place of a dotted line, such as chance.
        note: second line of the title.
    """
    names = style.order(list(points["generator"].unique()))[::-1]
    tables = list(dict.fromkeys(points["dataset"]))
    figure, panels = style.grid(len(titles), columns=3, width=3.9, height=0.95 + 0.27 * len(names))
    for axes, (metric, title) in zip(panels, titles.items(), strict=True):
        _rows(axes, points[points["metric"] == metric], bars[bars["metric"] == metric], names, tables)
        if lines and metric in lines:
            axes.axvline(lines[metric], color="#1a1a1a", lw=0.9, ls=":")
        axes.set_title(title, fontsize=9.5)
        axes.set_ylim(-0.6, len(names) - 0.4)
        axes.locator_params(axis="x", nbins=5)
        axes.set_yticks(range(len(names)), [style.label(n) if axes in panels[::3] else "" for n in names])
        axes.set_xlabel("points: tables; bar: mean", fontsize=8)
    style.legend_below(figure, table_handles(tables), columns=8)
    return style.title(figure, heading, note)


@style.styled
def winners(counts: pd.DataFrame, *, tables: int, heading: str) -> Figure:
    """Draw on how many tables each generator is first by each metric.

    Args:
        counts: [metrics, generators] number of tables on which the generator has the best mean.
        tables: number of tables.
        heading: title of the figure.
    """
    names = style.order(list(counts.columns))
    width = (0.5 if len(names) >= style.MANY else 0.85) * len(names)
    figure, (axes,) = style.grid(1, columns=1, width=3.2 + width, height=1.6 + 0.36 * len(counts))
    colours = mpl.colormaps["YlGnBu"]
    for line, metric in enumerate(counts.index):
        for column, name in enumerate(names):
            count = int(counts.loc[metric, name])
            shade = colours(0.75 * count / tables) if count else (1, 1, 1, 1)
            axes.add_patch(Rectangle((column, line), 1, 1, fc=shade, ec="white", lw=1.5))
            ink = "white" if np.dot(shade[:3], (0.299, 0.587, 0.114)) < 0.5 else "#1a1a1a"
            text = str(count) if count else "·"
            weight = "bold" if count and count == counts.loc[metric].max() else "normal"
            axes.text(column + 0.5, line + 0.5, text, ha="center", va="center", color=ink, fontweight=weight)
    axes.set_xlim(0, len(names))
    axes.set_ylim(len(counts), 0)
    style.column_heads(axes, names)
    axes.set_yticks(np.arange(len(counts)) + 0.5, [labels.short_label(m) for m in counts.index])
    axes.set_xlabel(f"number of tables, of {tables}, on which the generator is first", fontsize=8.5)
    return style.title(figure, heading)


@style.styled
def gain_by_share(rows: pd.DataFrame, *, metrics: Sequence[str], heading: str, upward: str) -> Figure:
    """Draw scores against the share of synthetic minority rows added; rivals without a generator as levels.

    Every line is named at its right end.

    Args:
        rows: columns generator, metric, mean; share (generators) or rival ("real").
        metrics: one panel each.
        heading: title of the figure.
        upward: label of the vertical axes.
    """
    names = style.order([str(g) for g in rows["generator"].unique() if g != style.REAL])
    most = len(names) + rows["rival"].nunique()
    figure, panels = style.grid(len(metrics), columns=2, width=5.4, height=max(3.4, 0.9 + _TEXT * most))
    for axes, metric in zip(panels, metrics, strict=True):
        part = rows[rows["metric"] == metric]
        for name in names:
            own = part[part["generator"] == name].sort_values("share")
            axes.plot(own["share"], own["mean"], color=style.colour(name), marker=style.marker(name), ms=5, lw=1.3)
        low, high = frame_of(part["mean"])
        low, high = low + 0.2 * (high - low), high - 0.2 * (high - low)
        axes.set_ylim(low, high)
        _ends(axes, part, share=float(part["share"].max()), gap=1 / max(most, 16))
        axes.set_title(labels.short_label(metric).removeprefix("augmented "), fontsize=9.5)
        axes.set_xlabel("synthetic minority rows added, share of full balance", fontsize=8)
        axes.set_ylabel(upward, fontsize=8)
    return style.title(figure, heading)


def table_handles(tables: Sequence[str]) -> list[Line2D]:
    """Return a legend's handles for the tables."""
    marks = dict(zip(tables, TABLE_MARKERS * 3, strict=False))
    return [Line2D([], [], ls="", marker=marks[t], color="#5b6770", ms=5, label=t) for t in tables]


def _rows(axes, points: pd.DataFrame, bars: pd.DataFrame, names: list[str], tables: list[str]) -> None:
    low, high = _frame(points)
    axes.set_xlim(low, high)
    marks = dict(zip(tables, TABLE_MARKERS * 3, strict=False))
    for row in bars.itertuples():
        place, colour = names.index(str(row.generator)), style.colour(str(row.generator))
        if np.isfinite(row.low):
            axes.plot([row.low, row.high], [place] * 2, color=colour, lw=5, alpha=0.3, solid_capstyle="butt")
        axes.plot([row.mean], [place], "|", color=colour, ms=13, mew=2.4)
        if not low <= row.mean <= high:
            _beyond(axes, row.mean, place, colour)
    for row in points.itertuples():
        place, colour = names.index(str(row.generator)), style.colour(str(row.generator))
        axes.plot([row.mean], [place], marks[str(row.dataset)], color=colour, ms=4.5, alpha=0.85)


def _ends(axes, part: pd.DataFrame, *, share: float, gap: float) -> None:
    """Draw each rival as a line, and at the right the name of every line; names keep a distance, lines do not."""
    right, rivals = 1.05 * share, part[part["rival"].notna()]
    axes.set_xlim(0, 1.5 * share)
    axes.set_xticks(np.linspace(0, share, 5))
    for row in rivals.itertuples():
        dash = "--" if row.rival == "bayes_optimal" else "-"
        axes.plot([0, right], [row.mean] * 2, color=_INK, lw=0.9, ls=dash, zorder=1)
    ends = [(float(row.mean), right, str(row.rival).replace("_", " "), _INK) for row in rivals.itertuples()]
    for name, own in part[part["share"].notna()].groupby("generator", sort=False):
        last = own.loc[own["share"].idxmax()]
        ends.append((float(last["mean"]), float(last["share"]), style.label(str(name)), style.colour(str(name))))
    ends.sort()
    for (y, x, text, colour), place in zip(ends, _apart([end[0] for end in ends], axes.get_ylim(), gap), strict=True):
        axes.plot([x, 1.1 * share], [y, place], zorder=1, clip_on=False, color=colour, lw=0.7)
        axes.text(1.12 * share, place, text, va="center", fontsize=7.5, color=colour)


def _apart(heights: Sequence[float], limits: tuple[float, float], gap: float) -> list[float]:
    """Return ascending heights moved as little as two passes need to keep `gap`, a share of the axis, between them."""
    gap, moved = gap * (limits[1] - limits[0]), [float(h) for h in heights]
    for place in range(1, len(moved)):
        moved[place] = max(moved[place], moved[place - 1] + gap)
    top = limits[1]
    for place in reversed(range(len(moved))):
        moved[place] = min(moved[place], top)
        top = moved[place] - gap
    return moved


def _frame(points: pd.DataFrame) -> tuple[float, float]:
    """Return limits that hold the real table and the methods, but for those far from the middle half [Tukey 1977]."""
    real = points[points["generator"] == style.REAL]["mean"]
    methods = points[~points["generator"].isin([style.REAL, *style.SENTINELS])]["mean"]
    values = methods if len(methods) else points["mean"]
    lower, upper = values.quantile([0.25, 0.75])
    reach = 3 * (upper - lower)
    low, high = frame_of(pd.concat([real, values[values.between(lower - reach, upper + reach)]]))
    return low + 0.15 * (high - low), high - 0.15 * (high - low)  # frame_of spares more than is needed here


def _beyond(axes, value: float, place: int, colour: str) -> None:
    low, high = axes.get_xlim()
    left = value < low
    axes.annotate(
        f"◂ {value:.3g}" if left else f"{value:.3g} ▸", (low if left else high, place), ha="left" if left else "right",
        va="center", fontsize=8, color=colour, bbox={"boxstyle": "square,pad=0.1", "fc": "white", "ec": "none"},
    )  # fmt: skip
