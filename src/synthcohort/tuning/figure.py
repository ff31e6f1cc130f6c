"""What did each trial give, and what did each hyperparameter do?

Left the objective of every trial in the order they were made, with the best so far; then a panel a hyperparameter with
the same objectives over its choices.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from synthcohort.figures import style
from synthcohort.tuning import trials

_CHOSEN = "#1a1a1a"
_FAILED = "#8a1c1c"


@style.styled
def search(frame: pd.DataFrame, generator: str) -> Figure:
    """Draw the trials of one generator; at least one has an objective.

    Args:
        frame: trials, columns as in `trials.COLUMNS`.
        generator: its name.
    """
    found = trials.objectives(frame)
    settings = pd.DataFrame([json.loads(text) for text in found["setting"]])
    best = int(np.flatnonzero(found["trial"] == trials.chosen(frame))[0])
    figure, panels = style.grid(1 + len(settings.columns), columns=3, width=3.4, height=2.7)
    _points(panels[0], found["trial"].to_numpy(), found["value"], best, generator)
    panels[0].step(found["trial"], found["value"].cummax().ffill(), where="post", color="#7b868e", lw=1.0, zorder=1)
    panels[0].xaxis.get_major_locator().set_params(integer=True)
    panels[0].set_xlabel("trial")
    for axes, name in zip(panels[1:], settings.columns, strict=True):
        _choices(axes, settings[name], found["value"], best, generator)
        axes.set_xlabel(name.replace("_", " "))
    for axes in panels:
        axes.set_ylim(*_limits(found["value"]))
    for axes in panels[::3]:
        axes.set_ylabel("objective")
    style.legend_below(figure, _legend(generator, bool(found["value"].isna().any())))
    return style.title(figure, f"{len(found)} trials of {style.label(generator)}")


def _choices(axes: Any, chosen: pd.Series, values: pd.Series, best: int, generator: str) -> None:
    names = sorted(set(chosen), key=lambda choice: (isinstance(choice, str), choice))
    _points(axes, np.array([names.index(choice) for choice in chosen]), values, best, generator)
    axes.set_xticks(range(len(names)), [f"{name:g}" if isinstance(name, float) else str(name) for name in names])
    axes.set_xlim(-0.5, len(names) - 0.5)


def _points(axes: Any, places: np.ndarray, values: pd.Series, best: int, generator: str) -> None:
    failed = values.isna().to_numpy()
    axes.scatter(places[~failed], values[~failed], color=style.colour(generator), s=26, zorder=3)
    axes.scatter(places[best], values[best], s=110, facecolor="none", edgecolor=_CHOSEN, lw=1.8, zorder=4)
    floor = np.full(failed.sum(), _limits(values)[0])
    axes.scatter(places[failed], floor, marker="x", color=_FAILED, s=34, zorder=3, clip_on=False)


def _limits(values: pd.Series) -> tuple[float, float]:
    margin = max(0.08 * (values.max() - values.min()), 0.005)
    return float(values.min() - margin), float(values.max() + margin)


def _legend(generator: str, failed: bool) -> list[Line2D]:
    shared: dict[str, Any] = {"linestyle": "none", "marker": "o"}
    handles = [
        Line2D([], [], color=style.colour(generator), label="one trial", markersize=5, **shared),
        Line2D([], [], mfc="none", mec=_CHOSEN, mew=1.8, label="chosen", markersize=10, **shared),
        Line2D([], [], color="#7b868e", label="best so far (first panel)"),
    ]
    cross = Line2D([], [], color=_FAILED, linestyle="none", marker="x", label="failed")
    return [*handles, cross] if failed else handles
