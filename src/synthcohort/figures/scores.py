"""How do the generators compare, with what uncertainty?

Points are splits, bars are intervals. Frames come from `synthcohort.comparison`: `points` has the columns generator,
metric, condition, split, value; `intervals` has generator, metric, condition, mean, low, high.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from synthcohort.figures import labels, style
from synthcohort.figures.naming import Named, name_points

_LINES = ("-", "--", "-.", ":", (0, (7, 2, 1, 2, 1, 2)), (0, (1, 4)), (0, (10, 4)))  # of rivals
IDEALS = {"half": 0.5, "zero": 0.0}
_BETTER = {"up": "higher is better", "down": "lower is better", "half": "0.5 is ideal", "zero": "0 is ideal"}


@style.styled
def dots(points: pd.DataFrame, intervals: pd.DataFrame, *, directions: dict[str, str], heading: str) -> Figure:
    """Draw one panel per metric of `directions`: a row per generator, its splits as points, its interval as a bar."""
    metrics = list(directions)
    names = style.order(list(intervals["generator"].unique()))[::-1]
    places = {name: place for place, name in enumerate(names)}
    figure, panels = style.grid(len(metrics), columns=3, width=3.7, height=0.95 + 0.27 * len(names))
    for axes, metric in zip(panels, metrics, strict=True):
        _rows(axes, points[points["metric"] == metric], intervals[intervals["metric"] == metric], places)
        if directions[metric] in IDEALS:
            axes.axvline(IDEALS[directions[metric]], color="#5b6770", lw=0.9, ls=":")
        axes.set_title(labels.short_label(metric), fontsize=9.5)
        axes.set_xlabel(_BETTER[directions[metric]], fontsize=8)
        axes.set_ylim(-0.6, len(names) - 0.4)
        axes.locator_params(axis="x", nbins=5)
        _frame(axes, points[points["metric"] == metric], places)
        shown = [style.label(n) for n in names] if axes in panels[::3] else [""] * len(names)
        axes.set_yticks(range(len(names)), shown)
    return style.title(figure, heading)


@style.styled
def augmentation(intervals: pd.DataFrame, *, metrics: list[str]) -> Figure:
    """Draw the scores of every share of synthetic minority rows added: a row per generator, smallest share on top.

    Args:
        intervals: generator "real" holds the rivals (their arm in `rival`, drawn as vertical lines); the others have
            their `share` in [0, 1].
        metrics: one panel each.
    """
    names = style.order([g for g in intervals["generator"].unique() if g != style.REAL])[::-1]
    shares = sorted(intervals["share"].dropna().unique())
    figure, panels = style.grid(len(metrics), columns=2, width=5.3, height=1.0 + 0.38 * len(names))
    lines: list[Line2D] = []
    for axes, metric in zip(panels, metrics, strict=True):
        part = intervals[intervals["metric"] == metric]
        lines = _rivals(axes, part[part["generator"] == style.REAL])
        for row in part[part["generator"] != style.REAL].itertuples():
            _share(axes, row, place=names.index(str(row.generator)), shares=shares)
        axes.set_xlim(*frame_of(part["mean"]))
        for edge in range(1, len(names)):
            axes.axhline(edge - 0.5, color="#e6eaed", lw=0.7)
        axes.grid(False, axis="y")
        axes.set_ylim(-0.5, len(names) - 0.5)
        axes.set_yticks(range(len(names)), [style.label(n) if axes in panels[::2] else "" for n in names])
        axes.set_title(labels.short_label(metric), fontsize=9.5)
        axes.set_xlabel("score with the rows added", fontsize=8)
    dots = [
        Line2D([], [], ls="", marker="o", color="#5b6770", ms=_size(n), label=f"{s:g}") for n, s in enumerate(shares)
    ]
    style.legend_below(figure, lines + dots)
    note = "points: synthetic minority rows added, as a share of full balance; lines: no generator"
    return style.title(figure, "Minority augmentation beside its honest rivals", note)


@style.styled
def trade_off(
    intervals: pd.DataFrame, *, across: str, upward: str, real: float | None = None, fresh: float = 0.0
) -> Figure:
    """Draw privacy against utility: a marker with both intervals per generator.

    Args:
        intervals: rows of the two metrics.
        across: metric on the horizontal axis, ideal at `fresh`.
        upward: metric on the vertical axis.
        real: what the real table itself achieves on the vertical axis.
        fresh: value of `across` for rows that are no nearer to train than to test.
    """
    wide = intervals.pivot_table(
        index="generator", columns="metric", values=["mean", "low", "high"], dropna=False
    ).dropna(how="all")  # one split has no intervals: their columns are kept, empty as they are
    names = style.order(list(wide.index))
    width, height = (10.5, 6.2) if len(names) >= style.MANY else (7.5, 4.2)
    figure, (axes,) = style.grid(1, columns=1, width=width, height=height)
    named = []
    for name in names:
        (x, beside), (y, above) = (_point_and_bar(wide.loc[name], metric) for metric in (across, upward))
        kind = {"color": style.colour(name), "marker": style.marker(name), "label": style.label(name)}
        axes.errorbar(x, y, xerr=beside, yerr=above, ms=7, lw=1, elinewidth=0.8, **kind)
        named.append(Named(x, y, style.label(name), style.colour(name)))
    axes.axvline(fresh, color="#5b6770", lw=0.9, ls=":")
    if real is not None:
        axes.axhline(real, color=style.colour(style.REAL), lw=1.1, ls="--", label="trained on the real table")
    methods = wide[~wide.index.isin(style.SENTINELS)]
    low, high = frame_of(methods["mean", upward] if len(methods) else wide["mean", upward])
    axes.set_ylim(low, high)
    axes.set_xlabel(labels.metric_label(across))
    axes.set_ylabel(labels.short_label(upward))
    figure.legend(loc="outside right center")
    style.title(figure, "Privacy against utility: upper left is better")
    name_points(figure, [(axes, [point for point in named if np.isfinite(point.x) and low <= point.y <= high])])
    return figure


def _rows(axes, points: pd.DataFrame, intervals: pd.DataFrame, places: dict[str, int]) -> None:
    for row in intervals.itertuples():
        place, colour = places[str(row.generator)], style.colour(str(row.generator))
        if np.isfinite(row.low) and np.isfinite(row.high):
            axes.plot([row.low, row.high], [place, place], color=colour, lw=3.2, alpha=0.45, solid_capstyle="butt")
        axes.plot([row.mean], [place], "|", color=colour, ms=12, mew=2.2)
        own = points[points["generator"] == row.generator]["value"]
        kind = {"marker": style.marker(str(row.generator)), "color": colour}
        axes.plot(own, np.full(len(own), place), ls="", ms=4, alpha=0.8, **kind)


def _point_and_bar(row: pd.Series, metric: str) -> tuple[float, np.ndarray]:
    mean = float(row["mean", metric])
    return mean, np.array([[mean - row["low", metric]], [row["high", metric] - mean]])  # [2, 1]


def _frame(axes, points: pd.DataFrame, places: dict[str, int]) -> None:
    """Fit the frame to the methods and the real table; say at its edge where a sentinel lies beyond it."""
    apart = points["generator"].isin(style.SENTINELS)
    low, high = frame_of(points[~apart]["value"] if (~apart).any() else points["value"])
    axes.set_xlim(low, high)
    for name, value in points[apart].groupby("generator")["value"].mean().items():
        if low <= value <= high or not np.isfinite(value):
            continue
        left = value < low
        axes.annotate(
            f"◂ {value:.3g}" if left else f"{value:.3g} ▸",
            (low if left else high, places[str(name)]),
            ha="left" if left else "right", va="center", fontsize=8, color=style.colour(str(name)),
            bbox={"boxstyle": "square,pad=0.1", "fc": "white", "ec": "none"},
        )  # fmt: skip


def frame_of(values: pd.Series) -> tuple[float, float]:
    """Return limits that hold `values` with half their span to spare on either side."""
    known = values.dropna()
    if not len(known):
        return 0.0, 1.0
    spare = 0.5 * float(known.max() - known.min()) or 0.05 * abs(float(known.max())) or 0.05
    return float(known.min()) - spare, float(known.max()) + spare


def _share(axes, row, *, place: int, shares: list[float]) -> None:
    number = shares.index(row.share)
    height, colour = place + 0.7 * (0.5 - (number + 0.5) / len(shares)), style.colour(str(row.generator))
    if np.isfinite(row.low) and np.isfinite(row.high):
        axes.plot([row.low, row.high], [height] * 2, color=colour, lw=1.1, alpha=0.6)
    axes.plot([row.mean], [height], "o", color=colour, ms=_size(number))


def _size(number: int) -> float:
    return 3.0 + 0.8 * number  # points; more rows, larger


def _rivals(axes, rivals: pd.DataFrame) -> list[Line2D]:
    drawn = []
    for (arm, row), line in zip(rivals.groupby("rival", sort=True), _LINES * 3, strict=False):
        text = str(arm).replace("_", " ")
        drawn.append(axes.axvline(float(row["mean"].iloc[0]), color="#1a1a1a", lw=1.0, ls=line, label=text))
    return drawn
