"""How far is each generator between the floor and what real rows achieve, on every metric?"""

from __future__ import annotations

from itertools import pairwise

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from synthcohort.figures import labels, style

_MAP = "YlGnBu"
_HEIGHT, _WIDE, _NARROW = 0.36, 0.95, 0.56  # of a cell, in inches


@style.styled
def positions(found: pd.DataFrame, *, heading: str) -> Figure:
    """Draw one table's positions: a row a metric, a column a generator, the interval in small below the number.

    Colours end at 0 and 1, the numbers do not; a cell without a position is hatched.

    Args:
        found: of `comparison.position.positions`, one dataset's rows; metrics are drawn in their order there.
        heading: title of the figure.

    Raises:
        ValueError: if the rows are of several datasets.
    """
    tables = found["dataset"].unique()
    if len(tables) != 1:
        raise ValueError(f"rows of {len(tables)} datasets were given; draw one figure for each")
    metrics, names = list(found["metric"].unique()), style.order(list(found["generator"].unique()))
    width = (_NARROW if len(names) >= style.MANY else _WIDE) * len(names)
    figure, (axes,) = style.grid(1, columns=1, width=2.6 + width, height=1.9 + _HEIGHT * len(metrics))
    colours, rows = mpl.colormaps[_MAP], {metric: place for place, metric in enumerate(metrics)}
    for row in found.itertuples():
        _cell(axes, names.index(str(row.generator)), rows[str(row.metric)], row, colours)
    axes.set_xlim(0, len(names))
    axes.set_ylim(len(metrics), 0)
    style.column_heads(axes, names)
    axes.set_yticks(np.arange(len(metrics)) + 0.5, [style.shorten(labels.short_label(m), 34) for m in metrics])
    _axes_of_metrics(axes, found.drop_duplicates("metric"), rows, len(names))
    scale = mpl.cm.ScalarMappable(mpl.colors.Normalize(0, 1), colours)
    bar = figure.colorbar(scale, ax=axes, location="bottom", shrink=0.5, aspect=30, pad=0.01, extend="both")
    bar.set_label("position: 0 floor, 1 fresh real rows", fontsize=8.5)
    if (found["reason"] != "").any():
        hatched = Patch(
            fc="#eceff1", ec="#9aa4ab", hatch="////", lw=0, label="no position: no score, or ends not apart"
        )
        style.legend_below(figure, [hatched])
    return style.title(figure, heading)


def _cell(axes, column: int, line: int, row, colours) -> None:
    if row.reason:
        axes.add_patch(Rectangle((column, line), 1, 1, fc="#eceff1", ec="#c3cad0", hatch="////", lw=0))
        return
    shade = colours(float(np.clip(row.position, 0, 1)))
    ink = "white" if np.dot(shade[:3], (0.299, 0.587, 0.114)) < 0.5 else "#1a1a1a"
    axes.add_patch(Rectangle((column, line), 1, 1, fc=shade, ec="white", lw=1))
    middle = column + 0.5
    axes.text(middle, line + 0.36, _two(row.position), ha="center", va="center", fontsize=8.5, color=ink)
    if row.low < row.high:
        interval = f"{_two(row.low)}…{_two(row.high)}"
        axes.text(middle, line + 0.76, interval, ha="center", va="center", fontsize=5.8, color=ink)


def _two(number: float) -> str:
    """Return two decimals, or none from 10 on."""
    digits = 2 if abs(number) < 9.995 else 0
    return f"{round(number, digits) + 0.0:.{digits}f}"  # adding 0 turns -0.0 into 0.0


def _axes_of_metrics(axes, firsts: pd.DataFrame, rows: dict[str, int], columns: int) -> None:
    """Part the rows where the axis of the metrics changes, and name each part at the right."""
    changes = (firsts["axis"] != firsts["axis"].shift()).to_numpy()
    starts = [*np.flatnonzero(changes), len(rows)]
    for start, end in pairwise(starts):
        axes.plot([0, columns], [start, start], color="#1a1a1a", lw=1.2, clip_on=False)
        name = str(firsts["axis"].iloc[start])
        axes.text(columns + 0.08, (start + end) / 2, name, rotation=270, va="center", ha="left", fontsize=8.5)
