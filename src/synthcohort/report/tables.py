"""How are numbers set as a table on a page?

Plain HTML in the study's own classes, so that pages need no script and equal results give equal bytes. What is shown
of a restricted table follows the rules of `disclosure`; where they withhold a figure, the rule stands in its place.
"""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from synthcohort.disclosure import FLOOR, RARE, outer, small, told_levels
from synthcohort.figures import labels, style
from synthcohort.schema import Column, Schema

if TYPE_CHECKING:
    from synthcohort.datasets.table import Card

FEW = f"fewer than {FLOOR} rows: withheld"
MOST_ROOMY = 7  # columns; a table with more is set small, since a mean with its interval is about 100 pixels wide


@dataclass(frozen=True)
class Cell:
    """One cell of a table.

    Args:
        text: what it says.
        note: what it says in small print behind that.
        css: classes of the page's style sheet, such as "best" or "text".
        badge: the verdict whose coloured badge the text stands in, "" for none.
        fold: what is seen of a list below the note, and the list, which opens on a click; () for none.
    """

    text: str
    note: str = ""
    css: str = ""
    badge: str = ""
    fold: tuple[str, str] | tuple[()] = ()

    def html(self, tag: str = "td") -> str:
        """Return the cell as HTML."""
        css = f' class="{self.css}"' if self.css else ""
        note = f" <small>{html.escape(self.note)}</small>" if self.note else ""
        text = html.escape(self.text)
        text = f'<span class="badge {self.badge}">{text}</span>' if self.badge else text
        fold = "<details><summary>{}</summary>{}</details>".format(*map(html.escape, self.fold)) if self.fold else ""
        return f"<{tag}{css}>{text}{note}{fold}</{tag}>"


def table(head: Sequence[str | Cell], rows: Iterable[Sequence[object]], *, text: Iterable[int] = (0,)) -> str:
    """Return an HTML table.

    Args:
        head: one title per column; without any the table has no head.
        rows: cells; a number is formatted by `number`, anything else but a `Cell` by `str`.
        text: places of the columns that are set to the left.
    """
    left = set(text)
    titles = "".join(_cell(title, place in left).html("th") for place, title in enumerate(head))
    body = "".join(
        "<tr>" + "".join(_cell(value, place in left).html() for place, value in enumerate(row)) + "</tr>"
        for row in rows
    )
    top = f"<thead><tr>{titles}</tr></thead>" if titles else ""
    css = ' class="dense"' if len(head) > MOST_ROOMY else ""
    return f"<table{css}>{top}<tbody>{body}</tbody></table>"


def number(value: float, digits: int = 3) -> str:
    """Return a number for a table: `digits` places, thousands grouped, "–" where there is none.

    A number that would be rounded to 0 keeps one digit, so that a small cost is not a free one.
    """
    if not math.isfinite(value):
        return "–"
    if value and abs(value) < 0.5 * 10**-digits:
        return f"{value:.0e}".replace("e-0", "e-")
    if float(value).is_integer() and abs(value) >= 10:
        return f"{int(value):,}"
    return f"{value:,.{digits}f}" if abs(value) < 1000 else f"{value:,.0f}"


def interval(mean: float, low: float, high: float, digits: int = 3) -> Cell:
    """Return a mean with its interval in small print."""
    known = math.isfinite(low) and math.isfinite(high)
    return Cell(number(mean, digits), f"[{number(low, digits)}, {number(high, digits)}]" if known else "")


def columns(frame: pd.DataFrame, schema: Schema, *, restricted: bool) -> str:
    """Return the table of columns: kind, role, meaning, unit, bounds or levels, missing cells.

    Bounds and rare levels of a restricted table are cells of its rows: outer values and commoner levels are shown.
    """
    rows = []
    for column in schema.columns:
        absent = int(frame[column.name].isna().sum())
        share = f"{100 * absent / len(frame):.1f} %" if absent else "none"
        shown = FEW if restricted and small(absent, len(frame)) else share
        span = _covered_range(column, frame[column.name]) if restricted else _range(column)
        rows.append(
            [column.name, column.kind, column.role, column.meaning or "–", column.unit or "–", span, shown]
        )  # fmt: skip
    head = ["column", "kind", "role", "meaning", "unit", "range or levels", "missing"]
    return table(head, rows, text=range(6))


def missing_shares(frame: pd.DataFrame, *, restricted: bool) -> pd.Series:
    """Return the share of missing cells of every column that has any; small counts of a restricted table left out."""
    counts = frame.isna().sum()
    hidden = counts.map(lambda count: restricted and small(count, len(frame)))
    return counts[(counts > 0) & ~hidden] / len(frame)


def side_by_side(intervals: pd.DataFrame, directions: Mapping[str, str]) -> str:
    """Return generators by metrics with mean and interval, the best method of each column marked.

    Sentinels and the real table stand apart in italics and are never "best": one copies, the other forgets, and the
    third is the yardstick.

    Args:
        intervals: columns generator, metric, mean, low, high.
        directions: metric -> "up", "down", "half" or "zero", in the order of the columns.
    """
    names = style.order(list(intervals["generator"].unique()))
    apart = {style.REAL, *style.SENTINELS}
    found = {(r.generator, r.metric): r for r in intervals.itertuples()}
    best = {
        metric: best_of({n: found[n, metric].mean for n in names if n not in apart and (n, metric) in found}, direction)
        for metric, direction in directions.items()
    }
    rows = []
    for name in names:
        row: list[object] = [Cell(style.label(name), css="text sentinel" if name in apart else "text")]
        for metric in directions:
            entry = found.get((name, metric))
            cell = interval(entry.mean, entry.low, entry.high) if entry else Cell("–")
            marks = "best" if name in best[metric] else "sentinel" if name in apart else ""
            row.append(Cell(cell.text, cell.note, marks))
        rows.append(row)
    heads = [Cell(labels.short_label(metric), f"({_WISH[wish]})", "wrapped") for metric, wish in directions.items()]
    return table(["generator", *heads], rows)


def compact(intervals: pd.DataFrame, directions: Mapping[str, str]) -> str:
    """Return metrics by generators with the means alone, the best method of each row marked.

    Args:
        intervals: columns generator, metric, mean.
        directions: metric -> "up", "down", "half" or "zero", in the order of the rows.
    """
    names = style.order(list(intervals["generator"].unique()))
    apart = {style.REAL, *style.SENTINELS}
    means = {(r.generator, r.metric): r.mean for r in intervals.itertuples()}
    rows = []
    for metric, direction in directions.items():
        own = {name: means.get((name, metric), math.nan) for name in names}
        best = best_of({name: mean for name, mean in own.items() if name not in apart}, direction)
        marks = {name: "best" if name in best else "sentinel" if name in apart else "" for name in names}
        cells = [Cell(number(own[name]), css=marks[name]) for name in names]
        rows.append([Cell(labels.short_label(metric), f"({_WISH[direction]})", "text"), *cells])
    return table(["metric", *(style.label(name) for name in names)], rows)


def best_of(means: Mapping[str, float], direction: str) -> set[str]:
    """Return the names with the best finite mean; several if their means are equal."""
    regrets = {name: regret(mean, direction) for name, mean in means.items() if math.isfinite(mean)}
    return {name for name, value in regrets.items() if value == min(regrets.values())}


def regret(value: float, direction: str) -> float:
    """Return how far a value is from the wish of its metric: smaller is better."""
    return {"up": -value, "down": value, "half": abs(value - 0.5), "zero": abs(value)}[direction]


_WISH = {"up": "higher is better", "down": "lower is better", "half": "0.5 is ideal", "zero": "0 is ideal"}


def _cell(value: object, left: bool) -> Cell:
    if isinstance(value, Cell):
        return value
    said = number(value) if isinstance(value, float) else str(value)
    return Cell(said, css="text" if left else "")


def _covered_range(column: Column, cells: pd.Series) -> str:
    """Return between which values most cells lie, or the levels that are not rare."""
    if column.numeric:
        found = outer(cells.dropna())
        said = "withheld" if found is None else f"{found[0]:g} to {found[1]:g}"
        return f"{said} ({FLOOR} rows or more lie at or beyond each bound)"
    told = told_levels(cells)
    levels = [level for level in column.levels if level in told.index]
    shown = ", ".join(levels[:8]) + (f", … ({len(levels)} levels)" if len(levels) > 8 else "")
    return ", ".join(part for part in (shown, RARE if len(told) < cells.nunique() else "") if part)


def _range(column: Column) -> str:
    if column.numeric:
        return "–" if column.low is None or column.high is None else f"{column.low:g} to {column.high:g}"
    shown = ", ".join(column.levels[:8])
    return shown if len(column.levels) <= 8 else f"{shown}, … ({len(column.levels)} levels)"


def source(card: Card) -> str:
    """Return where a table comes from, as a table of two columns."""
    rows = [
        ["publisher", Cell(card.publisher, css="text")],
        ["licence", Cell(card.licence, css="text")],
        ["cite", Cell(card.citation, css="text")],
        *(["address", Cell(url, css="text")] for url in card.urls),
    ]
    return table([], rows)


def split_sizes(sizes: pd.DataFrame, *, restricted: bool = False) -> str:
    """Return rows, distinct rows and share of the class of interest of every part of every split.

    Of a restricted table the shares are withheld altogether if one would tell of few rows: from the others, and the
    share of the whole table, it could be worked out.
    """
    few = restricted and any(small(round(r.positive * r.rows), r.rows) for r in sizes.dropna().itertuples())
    rows = [
        [str(row.split), row.part, f"{row.rows:,}",
         FEW if restricted and small(row.rows - row.distinct, row.rows) else f"{row.distinct:,}",
         FEW if few else f"{100 * row.positive:.2f} %" if math.isfinite(row.positive) else "–"]
        for row in sizes.itertuples()
    ]  # fmt: skip
    return table(["split", "part", "rows", "distinct rows", "class of interest"], rows, text=(0, 1))


def filled(cells: pd.DataFrame, rows: int, *, restricted: bool) -> str:
    """Return how many cells of each column were filled (columns column, cells) of `rows` rows."""
    said = cells["cells"].map(lambda n: FEW if restricted and small(n, rows) else str(n))
    return plain(cells.assign(cells=said)) if restricted else plain(cells)


def plain(frame: pd.DataFrame) -> str:
    """Return a small frame as it is, text to the left."""
    left = [place for place, name in enumerate(frame.columns) if not pd.api.types.is_numeric_dtype(frame[name])]
    rows = [[str(v) if isinstance(v, int) else v for v in row] for row in frame.itertuples(index=False)]
    return table(list(frame.columns), rows, text=left)


def scores(summary: pd.DataFrame) -> str:
    """Return every metric with its condition, mean and interval, splits and wish."""
    rows = [
        [Cell(row.axis, css="text"), Cell(labels.short_label(row.metric), row.metric, "text"),
         Cell(row.condition, css="text"), interval(row.mean, row.low, row.high), str(row.splits), _WISH[row.direction]]
        for row in summary.itertuples()
    ]  # fmt: skip
    return table(["axis", "metric", "condition", "mean", "splits", "wish"], rows, text=(0, 1, 2))
