"""Which generators rank ahead over all tables, and which cannot be told apart?

The diagram of [Demsar 2006, fig. 1]: generators on the axis of mean ranks, and a bar under each group whose mean ranks
span less than the critical difference.
"""

from __future__ import annotations

import math

from matplotlib.figure import Figure

from synthcohort.comparison.ranks import RankTest
from synthcohort.figures import style

_LINE = 0.30  # inches a line of names takes
_BAR = 0.13  # inches a bar takes


@style.styled
def critical_difference(record: RankTest, *, heading: str) -> Figure:
    """Draw the critical difference diagram, or why there is none.

    Names hang to the left for the better half and to the right for the worse one, the outermost highest, so that no two
    share a line however close their ranks are.

    Args:
        record: of `comparison.ranks`.
        heading: title of the figure.
    """
    if record.reason:
        figure, (axes,) = style.grid(1, columns=1, width=8.5, height=1.6)
        axes.text(0.0, 0.5, f"No test: {record.reason}", va="center", fontsize=9, wrap=True)
        axes.axis("off")
        axes.set_title(" ")
        return style.title(figure, heading)
    k, lines = len(record.generators), math.ceil(len(record.generators) / 2)
    names_top = 0.25 + _BAR * (len(record.cliques) + 1)  # inches below the axis
    height = names_top + _LINE * lines
    figure, (axes,) = style.grid(1, columns=1, width=8.5, height=height + 1.55)
    axes.set_xlim(1 - 0.42 * (k - 1), k + 0.42 * (k - 1))
    axes.set_ylim(-height, 0.55)
    _axis(axes, k)
    _names(axes, record, names_top)
    for place, clique in enumerate(record.cliques):
        ranks = [record.mean_ranks[record.generators.index(name)] for name in clique]
        depth = -0.2 - _BAR * place
        axes.plot(
            [min(ranks) - 0.006 * k, max(ranks) + 0.006 * k], [depth] * 2, color="#1a1a1a", lw=4, solid_capstyle="butt"
        )
    _ruler(axes, record.critical_difference, k)
    p = "p < 0.001" if record.p < 0.001 else f"p = {record.p:.3f}"
    told = f"Friedman's test: {p}; {len(record.tables)} tables; a bar joins generators that are not told apart"
    out = f"; {len(record.left_out)} left out" if record.left_out else ""
    axes.set_xlabel(told + out, fontsize=8.5, loc="left")
    return style.title(figure, heading)


def _axis(axes, k: int) -> None:
    axes.plot([1, k], [0, 0], color="#1a1a1a", lw=1)
    for rank in range(1, k + 1):
        axes.plot([rank, rank], [0, 0.09], color="#1a1a1a", lw=1)
        axes.text(rank, 0.13, str(rank), ha="center", va="bottom", fontsize=8.5)
    axes.text(1 - 0.04 * k, 0, "best", ha="right", va="center", fontsize=8.5, color="#5b6770")
    axes.text(k + 0.04 * k, 0, "worst", ha="left", va="center", fontsize=8.5, color="#5b6770")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(False)
    for side in axes.spines.values():
        side.set_visible(False)


def _names(axes, record: RankTest, top: float) -> None:
    k = len(record.generators)
    half = math.ceil(k / 2)
    for place, (name, rank) in enumerate(zip(record.generators, record.mean_ranks, strict=True)):
        left = place < half
        depth = -top - _LINE * (place if left else k - 1 - place) - 0.1
        end = 1 - 0.06 * (k - 1) if left else k + 0.06 * (k - 1)
        axes.plot([rank, rank, end], [0, depth, depth], color=style.colour(name), lw=1.2)
        kind = {"marker": style.marker(name), "color": style.colour(name)}
        axes.plot([rank], [0], ls="", ms=6, clip_on=False, zorder=3, **kind)
        number = f"{rank:.2f}"
        text = f"{style.label(name)}  {number}" if left else f"{number}  {style.label(name)}"
        axes.text(
            end + (-0.012 if left else 0.012) * k, depth, text, ha="right" if left else "left", va="center", fontsize=9
        )


def _ruler(axes, gap: float, k: int) -> None:
    axes.plot([1, 1 + gap], [0.45, 0.45], color="#5b6770", lw=1.2, marker="|", ms=7)
    axes.text(1 + gap + 0.02 * k, 0.45, f"critical difference {gap:.2f}", va="center", fontsize=8.5, color="#5b6770")
