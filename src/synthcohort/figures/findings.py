"""Which claims of the papers hold here, and by how much?"""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from synthcohort.figures import style

VERDICTS = {"supported": "#0b7a3b", "contradicted": "#b3261e", "undecided": "#7b868e", "untested": "#c3cad0"}
_MARKERS = {"supported": "o", "contradicted": "X", "undecided": "s", "untested": "x"}


@style.styled
def forest(verdicts: pd.DataFrame, *, heading: str) -> Figure:
    """Draw the paired difference, better minus worse arm, of one claim on each table with its interval.

    Args:
        verdicts: columns dataset, difference, low, high, margin, verdict; differences signed so that positive
            supports the claim.
        heading: title of the figure.
    """
    figure, (axes,) = style.grid(1, columns=1, width=7.5, height=1.3 + 0.32 * len(verdicts))
    rows = list(verdicts.iloc[::-1].itertuples())
    for place, row in enumerate(rows):
        colour = VERDICTS[str(row.verdict)]
        if np.isfinite(row.low):
            axes.plot([row.low, row.high], [place, place], color=colour, lw=2)
        axes.plot([row.difference], [place], _MARKERS[str(row.verdict)], color=colour, ms=7)
    axes.axvline(0, color="#1a1a1a", lw=0.9)
    margin = float(verdicts["margin"].iloc[0]) if len(verdicts) else 0.0
    if margin:
        axes.axvspan(-margin, margin, color="#eceff1", zorder=0)
    axes.set_yticks(range(len(rows)), [str(row.dataset) for row in rows])
    axes.set_ylim(-0.6, len(rows) - 0.4)
    axes.set_xlabel("paired difference with interval; right of the grey margin supports the claim")
    present = [v for v in VERDICTS if v in set(verdicts["verdict"])]
    handles = [Line2D([], [], color=VERDICTS[v], marker=_MARKERS[v], label=v) for v in present]
    style.legend_below(figure, handles)
    return style.title(figure, heading)
