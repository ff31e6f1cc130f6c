"""Does the synthetic table look like the real one, to the eye?

Marginals before each other, distances of pairwise dependence, and both tables in the plane of the real table's
first two principal components. The numbers behind them come from `synthcohort.pictures`.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from synthcohort.disclosure import outer, told_levels, withheld
from synthcohort.figures import style
from synthcohort.figures.table import BINS, bin_edges, fewer_bins
from synthcohort.schema import Schema

MOST_LEVELS = 8
MOST_POINTS = 500
_PANELS = 4  # in a row, one a generator


@style.styled
def column_shapes(scores: pd.DataFrame) -> Figure:
    """Draw the Shape of every column, a point per split (columns: column, split, value), worst first."""
    means = scores.groupby("column")["value"].mean().sort_values(ascending=False)
    figure, (axes,) = style.grid(1, columns=1, width=7.5, height=0.9 + 0.23 * len(means))
    places = {name: place for place, name in enumerate(means.index)}
    axes.plot(scores["value"], scores["column"].map(places), "o", ms=4, alpha=0.6, color="#5b6770")
    axes.plot(means.to_numpy(), list(places.values()), "|", ms=11, mew=2, color="#d55e00")
    axes.set_yticks(list(places.values()), [style.shorten(n, 30) for n in places])
    axes.set_xlabel("Shape, 1 = same marginal (points: splits; bar: their mean)")
    return style.title(figure, f"Shape of each of {len(means)} columns")


@style.styled
def marginals(
    real: pd.DataFrame, samples: Mapping[str, pd.DataFrame], schema: Schema, *, columns: list[str], floor: int = 0
) -> Figure:
    """Draw the named columns' marginals: a row per generator, its outline before the real table's grey area.

    Each row has its own scale, the same for both. Counts below `floor` are not drawn, nor real ones that would give
    these away: a generator may repeat real rows.
    """
    names = style.order(list(samples))
    figure, panels = style.grid(len(columns), columns=3, width=3.6, height=0.85 + 0.3 * len(names))
    for axes, column in zip(panels, columns, strict=True):
        cells = {name: samples[name][column] for name in names}
        if schema[column].numeric:
            edges, own, others = _densities(real[column], cells, schema[column].decimals, floor=floor)
        else:
            edges, own, others = _shares(axes, real[column], cells, floor=floor)
        if floor and not own.any():
            words = f"withheld: fewer than {floor} rows\nof a level, or in every bin"
            axes.text(0.5, 0.5, words, transform=axes.transAxes, ha="center", va="center", fontsize=8)
        else:
            _ridges(axes, edges, own, others)
        unit = schema[column].unit
        axes.set_title(style.shorten(column, 34), fontsize=9.5)
        axes.set_xlabel(unit and f"in {unit}", fontsize=8)
        middles = np.arange(len(names)) + 0.4
        axes.set_yticks(middles, [style.label(n) if axes in panels[::3] else "" for n in names[::-1]])
    handles = [Patch(color="#c9cfd4", label="real train rows"), Patch(fc="none", ec="#1a1a1a", label="synthetic rows")]
    style.legend_below(figure, handles)
    note = f"{len(columns)} of {len(schema.columns)} columns: the target and the most informative about it"
    return style.title(figure, "Marginals, real and synthetic: share of rows", note)


@style.styled
def pair_gaps(gaps: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw 1 - Trend of every pair of columns as one heat map per generator (square frames, columns in order)."""
    names = style.order(list(gaps))
    size = len(next(iter(gaps.values())))
    top = max(0.1, max(float(np.nanmax(gap.to_numpy())) for gap in gaps.values()))
    figure, panels = style.grid(len(names), columns=_PANELS, width=2.75, height=2.6)
    for place, (axes, name) in enumerate(zip(panels, names, strict=True)):
        values = gaps[name].to_numpy()
        image = axes.imshow(values, cmap="magma_r", vmin=0, vmax=top, interpolation="nearest")
        mean = np.nanmean(values[np.triu_indices(size, 1)])
        axes.set_title(f"{style.label(name)}\nmean {mean:.3f}", fontsize=9)
        axes.grid(False)
        columns = list(gaps[name].columns)
        _column_ticks(axes, columns, left=place % _PANELS == 0, below=place + _PANELS >= len(names))
    figure.colorbar(image, ax=panels, shrink=0.6, label="1 − Trend (0: same dependence)", pad=0.01)
    return style.title(figure, "How far each pair of columns is from its real dependence")


@style.styled
def embedding(points: pd.DataFrame, *, explained: tuple[float, float]) -> Figure:
    """Draw rows in the plane of two principal components of the real table, one panel per generator.

    Args:
        points: columns generator ("real" or a generator), first, second: coordinates.
        explained: share of the real table's variance along the two axes.
    """
    names = [name for name in style.order(list(points["generator"].unique())) if name != style.REAL]
    figure, panels = style.grid(len(names), columns=_PANELS, width=2.75, height=2.5)
    real = points[points["generator"] == style.REAL].head(MOST_POINTS)
    limits = [points[axis].quantile([0.002, 0.998]) for axis in ("first", "second")]
    for axes, name in zip(panels, names, strict=True):
        drawn = points[points["generator"] == name].head(MOST_POINTS)
        axes.scatter(real["first"], real["second"], s=9, color="#8d979e", alpha=0.45, lw=0)
        axes.scatter(drawn["first"], drawn["second"], s=9, color=style.colour(name), alpha=0.5, lw=0)
        axes.set_xlim(*_padded(limits[0]))
        axes.set_ylim(*_padded(limits[1]))
        axes.set_title(style.label(name))
        axes.set_xlabel(f"PC 1 ({100 * explained[0]:.0f} % of variance)", fontsize=8)
    for axes in panels[::_PANELS]:
        axes.set_ylabel(f"PC 2 ({100 * explained[1]:.0f} %)", fontsize=8)
    handles = [Line2D([], [], marker="o", ls="", ms=5, color="#8d979e", label="real train rows")]
    style.legend_below(
        figure, [*handles, Line2D([], [], marker="o", ls="", ms=5, color="#1a1a1a", label="coloured: synthetic rows")]
    )
    return style.title(figure, f"Real and synthetic rows, at most {MOST_POINTS} of each")


def _densities(
    real: pd.Series, samples: Mapping[str, pd.Series], decimals: int | None, *, floor: int
) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """Return edges of bins, the real shares of rows in them, and those of every generator."""
    if floor:
        low, high = outer(real, floor) or (0.0, 0.0)
        low, high = (low, high) if low < high else (low - 0.5, high + 0.5)
        bins = fewer_bins(len(real), floor)
    else:
        low, high = np.quantile(real, [0.005, 0.995])
        if low == high:
            low, high = real.min() - 0.5, real.max() + 0.5
        bins = BINS
    edges = bin_edges(low, high, decimals, bins)
    return edges, _share(real, edges, floor), {name: _share(cells, edges, floor) for name, cells in samples.items()}


def _share(cells: pd.Series, edges: np.ndarray, floor: int) -> np.ndarray:
    counts = np.histogram(cells, bins=edges)[0]
    hidden = withheld([*counts, len(cells) - counts.sum()], floor)[:-1]
    return np.where(hidden, 0, counts) / max(len(cells), 1)


def _shares(
    axes, real: pd.Series, samples: Mapping[str, pd.Series], *, floor: int
) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """Name the commonest levels under the axes; return as `_densities` does, a bin of width 1 a level."""
    shares = (told_levels(real, floor) / len(real)).head(MOST_LEVELS)
    levels = list(shares.index)
    turned = {"rotation": 30, "ha": "right"} if sum(len(str(v)) for v in levels) > 22 else {}
    axes.set_xticks(np.arange(len(levels)) + 0.5, [style.shorten(str(v), 14) for v in levels], **turned)
    axes.grid(False, axis="x")
    others = {
        name: (told_levels(cells, floor) / len(cells)).reindex(levels).fillna(0.0).to_numpy()
        for name, cells in samples.items()
    }
    return np.arange(len(levels) + 1), shares.to_numpy(), others


def _ridges(axes, edges: np.ndarray, real: np.ndarray, samples: Mapping[str, np.ndarray]) -> None:
    for place, (name, shares) in enumerate(reversed(list(samples.items()))):
        scale = 0.9 / max(real.max(initial=0), shares.max(initial=0), 1e-12)
        axes.stairs(place + scale * real, edges, baseline=place, fill=True, color="#c9cfd4")
        axes.stairs(place + scale * shares, edges, baseline=place, color=style.colour(name), lw=1.3)
    axes.grid(False, axis="y")
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(-0.1, len(samples))
    axes.set_xlim(edges[0], edges[-1])


def _column_ticks(axes, columns: list[str], *, left: bool, below: bool) -> None:
    """Name the columns at the left and below the panels that stand there."""
    if len(columns) > 16:
        axes.set_xticks([])
        axes.set_yticks([])
        axes.set_xlabel(f"{len(columns)} columns, in the table's order" if below else "", fontsize=8)
        return
    names = [style.shorten(name, 13) for name in columns]
    axes.set_xticks(range(len(names)), names if below else [""] * len(names), rotation=90, fontsize=6.5)
    axes.set_yticks(range(len(names)), names if left else [""] * len(names), fontsize=6.5)


def _padded(limits: pd.Series) -> tuple[float, float]:
    low, high = float(limits.iloc[0]), float(limits.iloc[-1])
    margin = 0.06 * (high - low) or 1.0
    return low - margin, high + margin
