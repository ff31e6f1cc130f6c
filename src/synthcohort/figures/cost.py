"""What did each result cost, in processor seconds and in bytes?"""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from synthcohort.figures import style

FORMS = {"train_cpu_seconds": 1.0, "sample_cpu_seconds": 1.0, "peak_memory_bytes": 1e-9, "parameters": 1.0}
SHOWN = ("train_cpu_seconds", "sample_cpu_seconds", "peak_memory_bytes")
UNITS = {
    "train_cpu_seconds": "training, CPU seconds per split",
    "sample_cpu_seconds": "sampling, CPU seconds per split",
    "peak_memory_bytes": "peak memory of the process, GB",
    "parameters": "learned parameters",
}


@style.styled
def dots(costs: pd.DataFrame, *, metrics: list[str], heading: str) -> Figure:
    """Draw one panel per cost on a logarithmic axis: a row per generator, a point per split.

    Args:
        costs: columns generator, metric, split, value (units of `UNITS` after `FORMS`); one table's or several's.
        metrics: which costs, in order.
        heading: title of the figure.
    """
    names = style.order(list(costs["generator"].unique()))[::-1]
    places = {name: place for place, name in enumerate(names)}
    figure, panels = style.grid(len(metrics), columns=3, width=3.7, height=1.0 + 0.27 * len(names))
    for axes, metric in zip(panels, metrics, strict=True):
        part = costs[costs["metric"] == metric]
        for name in names:
            own = FORMS[metric] * part[part["generator"] == name]["value"]
            kind = {"marker": style.marker(name), "color": style.colour(name)}
            axes.plot(own, [places[name]] * len(own), ls="", ms=5, alpha=0.7, **kind)
        _scale(axes, FORMS[metric] * part["value"])
        axes.set_xlabel(UNITS[metric], fontsize=8.5)
        axes.set_ylim(-0.6, len(names) - 0.4)
        axes.set_yticks(range(len(names)), [style.label(n) if axes is panels[0] else "" for n in names])
    return style.title(figure, heading)


@style.styled
def by_rows(costs: pd.DataFrame) -> Figure:
    """Draw training seconds against the size of the table, a line per generator.

    Args:
        costs: columns dataset, generator, rows (training rows), value (mean CPU seconds).
    """
    figure, (axes,) = style.grid(1, columns=1, width=9.0, height=5.0)
    names = style.order(list(costs["generator"].unique()))
    for name in names:
        own = costs[costs["generator"] == name].sort_values("rows")
        axes.plot(own["rows"], own["value"], color=style.colour(name), marker=style.marker(name), ms=5, lw=1.2)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("training rows")
    axes.set_ylabel("CPU seconds per fit (mean over splits)")
    handles = [Line2D([], [], color=style.colour(n), marker=style.marker(n), label=style.label(n)) for n in names]
    style.legend_below(figure, handles)
    tables = costs["dataset"].nunique()
    return style.title(figure, f"Training time against table size, {tables} table{'s' if tables != 1 else ''}")


def _scale(axes, values: pd.Series) -> None:
    kept = values[values > 0]
    if len(kept) and kept.max() / kept.min() > 20:
        axes.set_xscale("symlog", linthresh=10.0 ** np.floor(np.log10(kept.min())))  # its tick then stands clear of 0
        axes.set_xlim(left=0)
    else:
        axes.set_xlim(left=0, right=1.15 * float(values.max()) if len(values) and values.max() > 0 else 1)
