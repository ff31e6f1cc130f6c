"""What does the raw table look like, in aggregates only?

Class balance, missing cells and the marginal law of each column. Counts below `floor` are not drawn: a bar of three
patients may be three patients.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from synthcohort.figures import style
from synthcohort.schema import Column, Schema

FLOOR = 10
MOST_PANELS = 32
MOST_LEVELS = 12
BINS = 30


@style.styled
def class_balance(frame: pd.DataFrame, schema: Schema, *, floor: int = 0) -> Figure:
    """Draw how many rows each level of the target has (a histogram for a numeric target), counts from `floor` on."""
    column = schema.target
    levels = 1 if column.numeric else len(column.levels)
    figure, (axes,) = style.grid(1, columns=1, width=7.0, height=2.4 if column.numeric else 1.2 + 0.38 * levels)
    if column.numeric:
        _histogram(axes, frame[column.name].to_numpy(), column.decimals, floor)
        axes.set_xlabel(_with_unit(column))
    else:
        _class_bars(axes, frame[column.name], schema.positive, floor)
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
        cells = frame[column.name].dropna()
        if column.numeric:
            _histogram(axes, cells.to_numpy(), column.decimals, floor)
        else:
            _level_bars(axes, cells, floor)
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
    colours = ["#d55e00" if level == positive else "#7d8a94" for level in counts.index]
    axes.barh(
        [style.shorten(str(level), 30) for level in counts.index], counts.where(counts >= floor, 0), color=colours
    )
    for place, count in enumerate(counts):
        hidden = 0 < count < floor
        text = f" < {floor}" if hidden else f" {int(count):,} ({100 * count / counts.sum():.1f} %)"
        axes.annotate(text, (0 if hidden else count, place), va="center", fontsize=8.5)
    axes.set_xlim(0, counts.max() * 1.25)
    axes.set_xlabel("rows (class of interest in orange)")


def bin_edges(low: float, high: float, decimals: int | None) -> np.ndarray:
    """Return about `BINS` equal bins from `low` to `high`, whole numbers of the column's steps wide.

    Bins that hold two values here and three there would draw spikes that no patient made.
    """
    if decimals is None:
        return np.linspace(low, high, BINS + 1)
    step = 10.0**-decimals
    width = step * max(1, math.ceil((high - low) / step / BINS))
    return np.arange(low - step / 2, high + width, width)


def _histogram(axes, values: np.ndarray, decimals: int | None, floor: int) -> None:
    if len(np.unique(values)) <= 1:
        axes.bar([0], [len(values)], color="#7d8a94", width=0.4)
        axes.set_xticks([0], [f"{values[0]:g}" if len(values) else "no cell"])
        return
    counts, edges = np.histogram(values, bins=bin_edges(values.min(), values.max(), decimals))
    shown = counts >= max(floor, 1)  # a bar of no height would still stretch the axis to the rarest value
    axes.bar(edges[:-1][shown], counts[shown], width=np.diff(edges)[shown], align="edge", color="#7d8a94")


def _level_bars(axes, cells: pd.Series, floor: int) -> None:
    counts = cells.value_counts()
    rest = int(counts.iloc[MOST_LEVELS:].sum())
    counts = counts.iloc[:MOST_LEVELS]
    names = [style.shorten(str(level), 14) for level in counts.index]
    heights = [int(c) if c >= floor else 0 for c in counts]
    if rest >= max(floor, 1):
        names.append("others")
        heights.append(rest)
    axes.barh(names[::-1], heights[::-1], color="#7d8a94")


def _with_unit(column: Column) -> str:
    return f"{column.name} ({column.unit})" if column.unit else column.name
