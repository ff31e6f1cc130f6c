"""What does the raw table look like, in aggregates only?

Class balance, missing cells and the marginal law of each column. Of a restricted table counts below `floor` are not
drawn, nor others that would give them away (`disclosure`): a bar of three patients may be three patients.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from synthcohort.disclosure import RARE, outer, told_levels, withheld
from synthcohort.figures import style
from synthcohort.schema import Column, Schema

MOST_PANELS = 32
MOST_LEVELS = 12
BINS = 30


@style.styled
def class_balance(frame: pd.DataFrame, schema: Schema, *, floor: int = 0) -> Figure:
    """Draw how many rows each level of the target has (a histogram for a numeric target), counts from `floor` on."""
    column = schema.target
    levels = 1 if column.numeric else len(column.levels)
    cells = frame[column.name]
    figure, (axes,) = style.grid(1, columns=1, width=7.0, height=2.4 if column.numeric else 1.2 + 0.38 * levels)
    if column.numeric:
        _histogram(axes, cells, column.decimals, floor)
        axes.set_xlabel(_with_unit(column))
    else:
        _class_bars(axes, cells, schema.positive, floor)
    return style.title(figure, f"The target {column.name}: {len(frame):,} rows")


@style.styled
def missing_cells(shares: pd.Series) -> Figure:
    """Draw the share of missing cells per column (index: column names; values in [0, 1])."""
    kept = shares.sort_values()
    height = 1.0 + 0.3 * len(kept)
    figure, (axes,) = style.grid(1, columns=1, width=7.0, height=height)
    axes.barh([style.shorten(name, 30) for name in kept.index], 100 * kept.to_numpy(), color="#7d8a94")
    for place, share in enumerate(kept):
        axes.annotate(f" {100 * share:.1f} %", (100 * share, place), va="center", fontsize=8.5)
    axes.set_xlim(0, max(1.0, 100 * kept.max()) * 1.15)
    axes.set_xlabel("missing cells, % of rows")
    return style.title(figure, "Missing cells, columns that have any")


@style.styled
def marginals(frame: pd.DataFrame, schema: Schema, *, floor: int = 0) -> Figure:
    """Draw the marginal law of every column (at most `MOST_PANELS`), leaving out counts below `floor`."""
    columns = list(schema.columns)[:MOST_PANELS]
    figure, panels = style.grid(len(columns), columns=4, width=2.6, height=1.9)
    for axes, column in zip(panels, columns, strict=True):
        if column.numeric:
            _histogram(axes, frame[column.name], column.decimals, floor)
        else:
            _level_bars(axes, frame[column.name], floor)
        axes.set_title(style.shorten(column.name, 28), fontsize=9)
        axes.set_xlabel(style.shorten(_with_unit(column), 30) if column.unit else "", fontsize=8)
        axes.tick_params(labelsize=7.5)
    for axes in panels[::4]:
        axes.set_ylabel("rows", fontsize=8)
    left_out = len(schema.columns) - len(columns)
    note = f"first {len(columns)} columns; {left_out} more are not drawn" if left_out else ""
    return style.title(figure, f"Marginals of {len(columns)} columns, {len(frame):,} rows", note)


def _class_bars(axes, cells: pd.Series, positive: str, floor: int) -> None:
    counts = cells.value_counts().reindex(list(cells.cat.categories))
    told = counts[counts.index.isin(told_levels(cells, floor).index)]
    colours = ["#d55e00" if level == positive else "#7d8a94" for level in told.index]
    axes.barh([style.shorten(str(level), 30) for level in told.index], told, color=colours)
    for place, count in enumerate(told):
        axes.annotate(
            f" {int(count):,} ({100 * count / counts.sum():.1f} %)", (count, place), va="center", fontsize=8.5
        )
    if told.sum() < counts.sum():
        axes.barh([RARE], [0])
        words = f" withheld: a class has fewer than {floor} rows"
        axes.annotate(words, (0, len(told)), va="center", fontsize=8.5)
    axes.set_xlim(0, max(1, told.max()) * 1.25 if len(told) else 1)
    axes.set_xlabel("rows (class of interest in orange)")


def fewer_bins(rows: int, floor: int) -> int:
    """Return how many bins hold twice `floor` rows on average, so that most may be drawn; at most `BINS`."""
    return max(1, min(BINS, rows // (2 * floor)))


def bin_edges(low: float, high: float, decimals: int | None, bins: int = BINS) -> np.ndarray:
    """Return about `bins` equal bins from `low` to `high`, whole numbers of the column's steps wide.

    Bins that hold two values here and three there would draw spikes that no patient made.
    """
    if decimals is None:
        return np.linspace(low, high, bins + 1)
    step = 10.0**-decimals
    width = step * max(1, math.ceil((high - low) / step / bins))
    return np.arange(low - step / 2, high + width, width)


def _histogram(axes, cells: pd.Series, decimals: int | None, floor: int) -> None:
    values = cells.dropna().to_numpy()
    if floor:
        _covered_histogram(axes, values, decimals, missing=len(cells) - len(values), floor=floor)
        return
    if len(np.unique(values)) <= 1:
        axes.bar([0], [len(values)], color="#7d8a94", width=0.4)
        axes.set_xticks([0], [f"{values[0]:g}" if len(values) else "no cell"])
        return
    counts, edges = np.histogram(values, bins=bin_edges(values.min(), values.max(), decimals))
    shown = counts > 0  # a bar of no height would still stretch the axis to the rarest value
    axes.bar(edges[:-1][shown], counts[shown], width=np.diff(edges)[shown], align="edge", color="#7d8a94")


def _covered_histogram(axes, values: np.ndarray, decimals: int | None, *, missing: int, floor: int) -> None:
    """Draw the bars that may be drawn, between the outer values; missing cells and what lies outside count as bars."""
    ends = outer(values, floor)
    if ends is None or ends[0] == ends[1]:
        words = f"fewer than {floor} rows\nlie beyond" if ends is None else f"{ends[0]:g} in most rows"
        axes.text(0.5, 0.5, f"withheld:\n{words}", transform=axes.transAxes, ha="center", va="center", fontsize=8)
        return
    counts, edges = np.histogram(values, bins=bin_edges(*ends, decimals, fewer_bins(len(values), floor)))
    hidden = withheld([*counts, len(values) - counts.sum(), missing], floor)[: len(counts)]
    shown = (counts > 0) & ~hidden
    axes.bar(edges[:-1][shown], counts[shown], width=np.diff(edges)[shown], align="edge", color="#7d8a94")
    axes.set_xlim(edges[0], edges[-1])


def _level_bars(axes, cells: pd.Series, floor: int) -> None:
    counts = told_levels(cells, floor)
    rest = int(counts.iloc[MOST_LEVELS:].sum())
    names = [style.shorten(str(level), 14) for level in counts.index[:MOST_LEVELS]]
    heights = [int(c) for c in counts.iloc[:MOST_LEVELS]]
    if rest:
        names.append("others")
        heights.append(rest)
    if floor and len(counts) < cells.nunique():
        names.append(f"{RARE}: no bar")
        heights.append(0)
    axes.barh(names[::-1], heights[::-1], color="#7d8a94")


def _with_unit(column: Column) -> str:
    return f"{column.name} ({column.unit})" if column.unit else column.name
