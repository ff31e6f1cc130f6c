"""What does a generator look like, everywhere in the study?

One colour and one marker per generator; the real table is black, the two sentinels are pale. The first colours are of
palettes that colour-blind readers can tell apart [Okabe & Ito 2008; Tol 2021], the others were added for the largest
least distance from these in CIELAB, as seen with and without a red-green deficiency [Machado 2009]. No palette of so
many is safe, hence the markers. Imputers stand in figures of their own, in colours chosen to be far from each other and
from those of the generators that impute. A generator the study does not know takes a colour from its name, so that it
too is the same in every figure.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
from collections.abc import Callable
from typing import Any, Literal, ParamSpec

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath

P = ParamSpec("P")

REAL = "real"
SENTINELS = ("bootstrap", "independent")
_COLOURS = {
    REAL: "#1a1a1a", "bootstrap": "#b9a36a", "independent": "#b79ac8", "gaussian_copula": "#56b4e9",
    "smote": "#e69f00", "vae": "#009e73", "tvae": "#00b8c8", "medgan": "#999933", "corgan": "#7fcfa0",
    "table_gan": "#661100", "ctab_gan": "#bb0033", "ctgan": "#882255", "flow": "#e0409a",
    "bayesian_network": "#123a6b", "arf": "#332288", "forest_diffusion": "#7a5fd0", "tabsyn": "#ee6677",
    "tabddpm": "#d55e00",
    "mean_mode": "#8a8a8a", "k_nearest_neighbours": "#5a69ff", "mice": "#a52d00", "forests": "#69a5ff",
    "boosting": "#c3c35a", "gain": "#960f3c", "tabcsdi": "#2d7a1f", "mtabgen": "#1414f0", "mtabgen_mlp": "#965ab4",
    "mtabgen_fixed_mask": "#2d2dc3", "mtabgen_fixed_share": "#3c4bff", "mtabgen_addition": "#b4c3c3",
    "mtabgen_concatenation": "#006978", "forest_repaint": "#ffaa00",
}  # fmt: skip
_COLOURS |= {  # the private families: apart from each other and not far from their kin
    "dp_vae": "#1b7f5c", "dp_flow": "#a01a6b", "dp_ctgan": "#5c1a9e", "dp_tabddpm": "#a63f00", "dp_mtabgen": "#f0a06a",
    "pate_gan": "#8a8f3c", "privbayes": "#2b62b8", "mst": "#20a0d8", "aim": "#0b1f4d",
}  # fmt: skip
_SPARE = ("#44aa99", "#aa4499", "#0072b2", "#6699cc", "#888888", "#cc79a7", "#117733", "#a86800")
Marker = str | tuple[int, Literal[0, 1, 2], int]  # of matplotlib; a tuple: rays, kind (1 is a star), turn in degrees
_MARKERS: dict[str, Marker] = {
    REAL: "o", "bootstrap": "X", "independent": "P", "gaussian_copula": "s", "smote": "^", "vae": "D", "tvae": "<",
    "medgan": ">", "corgan": "h", "table_gan": "p", "ctab_gan": "*", "ctgan": "v", "flow": "d",
    "bayesian_network": (4, 1, 0), "arf": (3, 1, 0), "forest_diffusion": (6, 1, 0), "tabsyn": (3, 1, 180),
    "tabddpm": "o",
    "mean_mode": "s", "k_nearest_neighbours": "v", "mice": "^", "forests": "D", "boosting": "*", "gain": "X",
    "tabcsdi": "d",
    "mtabgen": "8", "mtabgen_mlp": "h", "mtabgen_fixed_mask": "p", "mtabgen_fixed_share": "P",
    "mtabgen_addition": "<", "mtabgen_concatenation": ">", "forest_repaint": "p",
}  # fmt: skip
_MARKERS |= {
    "dp_vae": "D", "dp_flow": "d", "dp_ctgan": "v", "dp_tabddpm": "o", "dp_mtabgen": (6, 1, 0), "pate_gan": "<",
    "privbayes": "s", "mst": "^", "aim": "h",
}  # fmt: skip
_SPARE_MARKERS: tuple[Marker, ...] = ("8", "H", (5, 0, 180), (5, 1, 180), (8, 1, 0), (4, 1, 45))
_TITLE, _LEGEND = 11.5, 8.5  # points
_HANDLE = 0.57  # inches of a legend's mark and gaps
MANY = 10  # generators from which on figures with a column for each grow narrower columns
RC: Any = {
    "font.size": 9.5, "axes.titlesize": 10.5, "axes.titleweight": "bold", "axes.titlelocation": "left",
    "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "grid.color": "#e6eaed",
    "grid.linewidth": 0.7, "axes.axisbelow": True, "axes.edgecolor": "#7b868e", "legend.frameon": False,
    "legend.fontsize": 8.5, "xtick.labelsize": 8.5, "ytick.labelsize": 8.5, "figure.facecolor": "white",
    "font.family": "DejaVu Sans",
}  # fmt: skip


def styled(draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """Return `draw` so that it draws in the study's style and leaves matplotlib's settings alone."""

    @functools.wraps(draw)
    def inner(*args: P.args, **kwargs: P.kwargs) -> Figure:
        with mpl.rc_context(RC):
            return draw(*args, **kwargs)

    return inner


def colour(generator: str) -> str:
    """Return the colour of a generator, the same in every figure."""
    return _COLOURS.get(generator) or _SPARE[_number(generator, len(_SPARE))]


def marker(generator: str) -> Marker:
    """Return the marker of a generator, so that colour is never the only difference."""
    return _MARKERS.get(generator) or _SPARE_MARKERS[_number(generator, len(_SPARE_MARKERS))]


def label(generator: str) -> str:
    """Return a generator's name as readers see it."""
    return "real table" if generator == REAL else generator.replace("_", " ")


def order(generators: list[str]) -> list[str]:
    """Return generators as every figure and table lists them: the real table, the sentinels, the study's methods."""
    first = [name for name in _COLOURS if name in generators]
    return first + [name for name in dict.fromkeys(generators) if name not in first]


def grid(panels: int, *, columns: int, width: float, height: float) -> tuple[Figure, list]:
    """Return a figure and exactly `panels` axes in rows of at most `columns`; sizes are inches per panel."""
    columns = max(1, min(columns, panels))
    rows = max(1, -(-panels // columns))
    figure = Figure(figsize=(width * columns, height * rows), layout="constrained")
    axes = list(figure.subplots(rows, columns, squeeze=False).ravel())
    for spare in axes[panels:]:
        spare.remove()
    return figure, axes[:panels]


def title(figure: Figure, text: str, note: str = "") -> Figure:
    """Give the figure its title, and below it a note such as what was left out; return the figure.

    A line that a narrow figure would cut is broken between words.
    """
    whole = text if not note else f"{text}\n{note}"
    lines = [part for line in whole.split("\n") for part in _broken(line, 0.97 * figure.get_figwidth())]
    figure.suptitle("\n".join(lines), x=0.01, ha="left", fontsize=_TITLE, fontweight="bold")
    return figure


def legend_below(figure: Figure, handles: list, *, columns: int = 6) -> None:
    """Put one legend for the whole figure below its axes, outside the data, in as many columns as its width takes."""
    widths = [inches(str(handle.get_label()), _LEGEND) + _HANDLE for handle in handles]
    most = min(columns, len(handles))
    fitting = [n for n in range(1, most + 1) if _width_of(widths, n) <= figure.get_figwidth()]
    figure.legend(handles=handles, loc="outside lower left", ncols=max(fitting, default=1), fontsize=_LEGEND)


def inches(text: str, size: float, *, bold: bool = False) -> float:
    """Return how wide a text is drawn, `size` in points."""
    font = FontProperties(weight="bold" if bold else "normal")
    return float(TextPath((0, 0), text, size=size, prop=font).get_extents().width) / 72 if text.strip() else 0.0


def column_heads(axes, generators: list[str]) -> None:
    """Name the columns of a matrix, each of width 1, above it; turned where there are `MANY` or more."""
    many = len(generators) >= MANY
    turned = {"rotation": 40, "ha": "left", "rotation_mode": "anchor"} if many else {}
    names = [label(n) if many else label(n).replace(" ", "\n") for n in generators]
    axes.xaxis.tick_top()
    axes.set_xticks([place + 0.5 for place in range(len(names))], names, **turned)
    axes.tick_params(length=0)
    axes.grid(False)
    axes.spines[:].set_visible(False)


def shorten(text: str, limit: int = 22) -> str:
    """Return `text` cut to `limit` characters with an ellipsis."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _width_of(widths: list[float], columns: int) -> float:
    """Return how wide a legend is whose entries, one column filled after the other, have these widths."""
    rows, longer = divmod(len(widths), columns)
    sizes = [rows + 1] * longer + [rows] * (columns - longer)
    ends = itertools.accumulate(sizes)
    return sum(max(widths[end - size : end]) for size, end in zip(sizes, ends, strict=True))


def _broken(line: str, width: float) -> list[str]:
    """Return a line of a title in as many lines as it needs, each at most `width` inches if no word is wider."""
    if inches(line, _TITLE, bold=True) <= width:
        return [line]
    lines = [""]
    for word in line.split(" "):
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and inches(longer, _TITLE, bold=True) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _number(name: str, size: int) -> int:
    return hashlib.sha256(name.encode()).digest()[0] % size
