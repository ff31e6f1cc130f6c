"""Do the attack's scores tell those who were among the training rows from those who were not?

Left the scores of both groups, right the receiver operating characteristic on two logarithmic axes, where an attack
that is sure of a few patients shows even if its area is near chance [Carlini 2022].
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from synthcohort.figures import style

_GROUPS = ((True, "#d55e00", "-", "members"), (False, "#5b6770", "--", "non-members"))
_BINS = 30


@style.styled
def attack(trace: pd.DataFrame, roc: pd.DataFrame) -> Figure:
    """Draw the scores of members and non-members beside the curve of true against false positive rate.

    Args:
        trace: columns run, target, member, score; at least one row of each group.
        roc: columns false_rate, true_rate, from (0, 0) to (1, 1).
    """
    figure, (scores, curve) = style.grid(2, columns=2, width=4.6, height=3.4)
    ends = np.arcsinh([trace["score"].min(), trace["score"].max()])
    edges = np.sinh(np.linspace(ends[0] - 0.05, ends[1] + 0.05, _BINS + 1))
    for member, colour, line, name in _GROUPS:
        own = trace[trace["member"] == member]["score"]
        scores.stairs(np.histogram(own, edges)[0], edges, color=colour, ls=line, lw=1.5, label=f"{name} ({len(own)})")
    scores.yaxis.get_major_locator().set_params(integer=True)
    scores.set_xscale("symlog", linthresh=1)
    scores.axvline(0, color="#1a1a1a", lw=0.9, ls=":")
    scores.set_xlabel("log-likelihood ratio, in nats (right of 0: taken for a member)")
    scores.set_ylabel("runs × targets")
    handles = scores.get_legend_handles_labels()[0]
    edge = 0.5 / len(trace[~trace["member"]])
    curve.plot(roc["false_rate"].clip(lower=edge), roc["true_rate"].clip(lower=edge), color="#d55e00", lw=1.8)
    handles += curve.plot(
        [edge, 1], [edge, 1], color="#1a1a1a", lw=0.9, ls=":", label="chance (right), no evidence (left)"
    )
    curve.set_xscale("log")
    curve.set_yscale("log")
    curve.set_xlim(edge, 1)
    curve.set_ylim(edge, 1.1)
    curve.set_xlabel("false positive rate, a share of non-members")
    curve.set_ylabel("true positive rate")
    style.legend_below(figure, handles)
    targets, runs = trace["target"].nunique(), trace["run"].nunique()
    return style.title(figure, f"Membership scores of {targets} exposed rows over {runs} runs")
