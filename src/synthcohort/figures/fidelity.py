"""Does the synthetic table look like the real one, to the eye?

Marginals laid over each other, distances of pairwise dependence, and both tables in the plane of the real table's
first two principal components. The numbers behind them come from `synthcohort.pictures`.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from synthcohort.figures import style
from synthcohort.figures.table import bin_edges
from synthcohort.schema import Schema

MOST_LEVELS = 8
MOST_POINTS = 500


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
    """Draw the named columns' marginals: the real table as a grey area, a line or a point per generator.

    Real counts below `floor` are not drawn.
    """
    names = style.order(list(samples))
    figure, panels = style.grid(len(columns), columns=3, width=3.6, height=2.5)
    for axes, column in zip(panels, columns, strict=True):
        if schema[column].numeric:
            _densities(axes, real[column], {g: samples[g][column] for g in names}, schema[column].decimals, floor)
        else:
            _shares(axes, real[column], {g: samples[g][column] for g in names}, floor)
        unit = schema[column].unit
        axes.set_title(style.shorten(column, 34), fontsize=9.5)
        axes.set_xlabel(unit and f"in {unit}", fontsize=8)
    handles: list = [Patch(color="#c9cfd4", label="real train rows")]
    handles += [
        Line2D([], [], color=style.colour(g), marker=style.marker(g), ms=5, label=style.label(g)) for g in names
    ]
    style.legend_below(figure, handles)
    note = f"{len(columns)} of {len(schema.columns)} columns: the target and the most informative about it"
    return style.title(figure, "Marginals, real and synthetic", note)


@style.styled
def pair_gaps(gaps: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw 1 - Trend of every pair of columns as one heat map per generator (square frames, columns in order)."""
    names = style.order(list(gaps))
    size = len(next(iter(gaps.values())))
    top = max(0.1, max(float(np.nanmax(gap.to_numpy())) for gap in gaps.values()))
    figure, panels = style.grid(len(names), columns=3, width=3.4, height=3.2)
    for axes, name in zip(panels, names, strict=True):
        values = gaps[name].to_numpy()
        image = axes.imshow(values, cmap="magma_r", vmin=0, vmax=top, interpolation="nearest")
        mean = np.nanmean(values[np.triu_indices(size, 1)])
        axes.set_title(f"{style.label(name)} (mean {mean:.3f})", fontsize=9.5)
        axes.grid(False)
        _column_ticks(axes, list(gaps[name].columns), first=axes in panels[::3])
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
    figure, panels = style.grid(len(names), columns=3, width=3.4, height=3.0)
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
    for axes in panels[::3]:
        axes.set_ylabel(f"PC 2 ({100 * explained[1]:.0f} %)", fontsize=8)
    handles = [Line2D([], [], marker="o", ls="", ms=5, color="#8d979e", label="real train rows")]
    handles += [Line2D([], [], marker="o", ls="", ms=5, color=style.colour(n), label=style.label(n)) for n in names]
    style.legend_below(figure, handles)
    return style.title(figure, f"Real and synthetic rows, at most {MOST_POINTS} of each")


def _densities(axes, real: pd.Series, samples: Mapping[str, pd.Series], decimals: int | None, floor: int) -> None:
    low, high = np.quantile(real, [0.005, 0.995])
    if low == high:
        low, high = real.min() - 0.5, real.max() + 0.5
    edges = bin_edges(low, high, decimals)
    shares = _share(real, edges)
    axes.stairs(np.where(shares * len(real) < floor, 0, shares), edges, fill=True, color="#c9cfd4")
    for name, cells in samples.items():
        axes.stairs(_share(cells, edges), edges, color=style.colour(name), lw=1.3, alpha=0.9)
    axes.set_ylabel("share of rows", fontsize=8)


def _share(cells: pd.Series, edges: np.ndarray) -> np.ndarray:
    return np.histogram(cells, bins=edges)[0] / max(len(cells), 1)


def _shares(axes, real: pd.Series, samples: Mapping[str, pd.Series], floor: int) -> None:
    shares = real.value_counts(normalize=True)
    shares = shares[shares * len(real) >= floor]
    levels = list(shares.index[:MOST_LEVELS])
    axes.bar(range(len(levels)), shares[levels].to_numpy(), color="#c9cfd4", width=0.85)
    offsets = np.linspace(-0.32, 0.32, len(samples)) if len(samples) > 1 else [0.0]
    for offset, (name, cells) in zip(offsets, samples.items(), strict=True):
        heights = cells.value_counts(normalize=True).reindex(levels).fillna(0.0).to_numpy()
        places = np.arange(len(levels)) + offset
        axes.plot(places, heights, style.marker(name), color=style.colour(name), ms=4.5, alpha=0.9)
    turned = {"rotation": 30, "ha": "right"} if sum(len(str(v)) for v in levels) > 22 else {}
    axes.set_xticks(range(len(levels)), [style.shorten(str(v), 14) for v in levels], **turned)
    axes.set_ylabel("share of rows", fontsize=8)


def _column_ticks(axes, columns: list[str], *, first: bool) -> None:
    if len(columns) > 16:
        axes.set_xticks([])
        axes.set_yticks([])
        axes.set_xlabel(f"{len(columns)} columns, in the table's order", fontsize=8)
        return
    names = [style.shorten(name, 13) for name in columns]
    axes.set_xticks(range(len(names)), names, rotation=90, fontsize=6.5)
    axes.set_yticks(range(len(names)), names if first else [""] * len(names), fontsize=6.5)


def _padded(limits: pd.Series) -> tuple[float, float]:
    low, high = float(limits.iloc[0]), float(limits.iloc[-1])
    margin = 0.06 * (high - low) or 1.0
    return low - margin, high + margin
