"""How does a notebook put a figure, a table or a sentence on its page?

As plain HTML with fixed bytes, so that the page of a repeated run is the same file. A figure carries its caption and an
alternative text.
"""

from __future__ import annotations

import base64
import html
import io
import re
from typing import TYPE_CHECKING, Literal

import numpy as np
from PIL import Image, ImageChops

from synthcohort import study
from synthcohort.datasets import restricted

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

DPI = 102  # the widest figures, of 11.5 inches, then fill a page's column and no browser has to shrink them
MOST_COLOURS = 256
FEWER_COLOURS = (32, 64, 128)
UNSEEN = 8  # of 255, in any channel of any pixel
SETTLED = 100  # k-means stops when a round changes no more than this
_CODE = re.compile(r"`([^`]+)`")
_SLASH = re.compile(r"(?<=\d) / (?=\d)")  # between counts that no end of a line may part


def figure(drawn: Figure, caption: str) -> None:
    """Show a figure as a picture with its caption (plain text)."""
    _show(_figure(drawn, caption))


def folded(heading: str, drawn: Figure, caption: str) -> None:
    """Show a figure that opens on a click: detail that few readers need."""
    _show(f"<details><summary>{html.escape(heading)}</summary>{_figure(drawn, caption)}</details>")


def folded_table(heading: str, markup: str, caption: str) -> None:
    """Show a table that opens on a click."""
    below = f'<p class="caption">{text(caption)}</p>'
    _show(f'<details><summary>{html.escape(heading)}</summary><div class="scroll">{markup}</div>{below}</details>')


def picture(drawn: Figure) -> bytes:
    """Return the figure as WebP bytes: the same figure, the same bytes.

    Its pixels take the nearest of a few colours of its own, and are kept without loss. The colours are chosen to cover
    those there are, so that a thin line keeps its own however few pixels it has (a median cut would not), and then
    moved to the means of their pixels by k-means, so that paper, bands and fills keep theirs. As many are taken as it
    needs for every pixel to stay within `UNSEEN` of its colour, and `MOST_COLOURS` where that does not suffice. All of
    it comes to a fifth of a PNG in true colour.
    """
    true, stream = io.BytesIO(), io.BytesIO()
    drawn.savefig(true, format="png", dpi=DPI)
    whole = Image.open(true).convert("RGB")
    _few_colours(whole).save(stream, format="webp", lossless=True)
    return stream.getvalue()


def _few_colours(whole: Image.Image) -> Image.Image:
    """Return the picture in the fewest colours that nobody can tell from its own."""
    method, dither = Image.Quantize.MAXCOVERAGE, Image.Dither.NONE
    for colours in FEWER_COLOURS:
        reduced = whole.quantize(colours, method=method, kmeans=SETTLED, dither=dither).convert("RGB")
        if np.asarray(ImageChops.difference(whole, reduced)).max() <= UNSEEN:
            return reduced
    return whole.quantize(MOST_COLOURS, method=method, kmeans=SETTLED, dither=dither).convert("RGB")


def table(markup: str, caption: str = "") -> None:
    """Show a table made by `tables` with its caption (plain text)."""
    below = f'<p class="caption">{text(caption)}</p>' if caption else ""
    _show(f'<div class="scroll">{markup}</div>{below}')


def subject(name: str) -> None:
    """Show what this page is about; it becomes part of the page's title."""
    _show(f'<p class="subject">{html.escape(name)}</p>')


def heading(name: str) -> None:
    """Show a heading of the third level."""
    _show(f"<h3>{html.escape(name)}</h3>")


def say(*sentences: str) -> None:
    """Show computed sentences as one paragraph (plain text; `names` between backticks are set as code)."""
    _show(f"<p>{text(' '.join(s for s in sentences if s))}</p>")


def points(sentences: list[str]) -> None:
    """Show computed sentences as a list; without any, nothing."""
    if sentences:
        _show("<ul>" + "".join(f"<li>{text(s)}</li>" for s in sentences) + "</ul>")


def folded_points(heading: str, sentences: list[str]) -> None:
    """Show a list that opens on a click; without any sentence, nothing."""
    if sentences:
        items = "".join(f"<li>{text(s)}</li>" for s in sentences)
        _show(f"<details><summary>{html.escape(heading)}</summary><ul>{items}</ul></details>")


def box(sentence: str, kind: Literal["", "warning"] = "") -> None:
    """Show a sentence that must not be overlooked."""
    _show(f'<div class="box {kind}" role="note">{text(sentence)}</div>')


def failures(scores: pd.DataFrame) -> None:
    """Show a box for every reason why scores are missing (columns dataset, metric, split, value, note).

    Reasons are covered where the table is restricted, as params.yaml says.
    """
    lost = scores[scores["value"].isna()]
    for veil in restricted.veils(study.load()).values() if len(lost) else ():
        lost = veil.over_notes(lost)
    for reason, rows in lost.groupby("note", sort=True):
        names = sorted(rows["metric"].unique())
        more = f" and {len(names) - 4} more" if len(names) > 4 else ""
        splits = ", ".join(str(s) for s in sorted(rows["split"].unique()))
        listed = ", ".join(f"`{name}`" for name in names[:4])
        box(f"Not computed on split {splits}: {listed}{more}. Reason: {str(reason).rstrip('.')}.", "warning")


def text(sentence: str) -> str:
    """Return plain text as HTML, `names` between backticks as code."""
    return _CODE.sub(r"<code>\1</code>", _SLASH.sub("&nbsp;/&nbsp;", html.escape(sentence, quote=False)))


def _figure(drawn: Figure, caption: str) -> str:
    image = base64.b64encode(picture(drawn)).decode("ascii")
    alternative = html.escape(caption, quote=True).replace("`", "")
    return (
        f'<figure><img alt="{alternative}" src="data:image/webp;base64,{image}">'
        f"<figcaption>{text(caption)}</figcaption></figure>"
    )


def _show(markup: str) -> None:
    from IPython.display import HTML, display

    display(HTML(markup))
