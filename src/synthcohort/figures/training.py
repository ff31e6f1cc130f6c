"""How did the losses fall while the generators were fitted?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from synthcohort.figures import style

_ENDS: tuple[tuple[str, Any, str], ...] = (("loss", "-", "train"), ("validation_loss", "--", "validation"))


@style.styled
def curves(history: pd.DataFrame) -> Figure:
    """Draw the loss curves, one panel per generator: a thin line per split, a thick one for their mean.

    Args:
        history: tidy, columns generator, split, step, loss, validation_loss (missing where there is none).
    """
    names = style.order(list(history["generator"].unique()))
    figure, panels = style.grid(len(names), columns=3, width=3.5 if len(names) > 1 else 7.0, height=2.7)
    for axes, name in zip(panels, names, strict=True):
        part = history[history["generator"] == name]
        for column, line, _ in _ENDS:
            _lines(axes, part, column, style.colour(name), line)
        axes.set_title(style.label(name))
        axes.set_xlabel("training step")
    for axes in panels[::3]:
        axes.set_ylabel("loss")
    handles = [Line2D([], [], color="#444444", linestyle=line, label=text) for _, line, text in _ENDS]
    style.legend_below(figure, [*handles, Line2D([], [], color="#444444", lw=0.6, alpha=0.6, label="one split")])
    splits = history["split"].nunique()
    return style.title(figure, f"Training curves, {splits} split{'s' if splits != 1 else ''}")


def _lines(axes, part: pd.DataFrame, column: str, colour: str, line: str) -> None:
    wide = part.pivot_table(index="step", columns="split", values=column, dropna=False)
    wide = wide.dropna(how="all")
    if wide.empty:
        return
    axes.plot(wide.index, wide.to_numpy(), color=colour, linestyle=line, lw=0.6, alpha=0.5)
    shared = wide.dropna()
    axes.plot(shared.index, np.asarray(shared.mean(axis=1)), color=colour, linestyle=line, lw=1.8)
