"""What does a reader of a raw source hand on?

A `Table`: the frame, its schema, and a `Card` that says where the rows come from and what is odd about them. The
helpers below turn a column of raw text into cells and a `Column`; precision and bounds are what the text itself shows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd

from synthcohort.schema import Column, Role, Schema

MISSING_LEVEL = "missing"
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\Z", re.ASCII)


class TableError(ValueError):
    """A raw table cannot be used; the message names the file, the column if there is one, and the remedy."""


@dataclass(frozen=True)
class Card:
    """Where a table comes from.

    Args:
        name: the study's name for it.
        title: its title in words.
        publisher: who publishes it.
        urls: its home page first, then where its files can be had.
        licence: under which terms, as far as the publisher states them.
        citation: what to cite.
        quirks: what a reader must know before believing a number computed from it.
        simulated: whether the rows were drawn from a program instead of collected from people.
        restricted: whether no cell of it may be shown.
    """

    name: str
    title: str
    publisher: str
    urls: tuple[str, ...]
    licence: str
    citation: str
    quirks: tuple[str, ...] = ()
    simulated: bool = False
    restricted: bool = False

    def to_json(self, path: Path) -> None:
        """Write the card to `path` as JSON."""
        path.write_text(json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    @classmethod
    def from_json(cls, path: Path) -> Card:
        """Read a card written by `to_json`."""
        raw = json.loads(path.read_text(encoding="utf-8"))
        return cls(**{**raw, "urls": tuple(raw["urls"]), "quirks": tuple(raw["quirks"])})


@dataclass(frozen=True)
class Table:
    """A table as read: [n, P + Q] frame (cells may be missing, the target never), its schema and its card.

    Raises:
        SchemaError: if the frame breaks the schema.
    """

    frame: pd.DataFrame
    schema: Schema
    card: Card

    def __post_init__(self) -> None:
        self.schema.check(self.frame, allow_missing=True)


@dataclass(frozen=True)
class Parsed:
    """One column as read: its n cells and what the schema says of them."""

    cells: pd.Series
    column: Column


def numeric(
    name: str,
    text: pd.Series,
    *,
    unit: str = "",
    meaning: str = "",
    role: Role = "feature",
    missing: Sequence[str] = ("",),
) -> Parsed:
    """Parse n numbers written as text; the texts in `missing` become NaN.

    Decimals are the most places any cell writes; None if a cell has more digits than a double holds.

    Raises:
        ValueError: if a cell is not a number.
    """
    distinct = [t for t in text.unique() if t not in missing]
    values = text.map({t: float(t) for t in distinct}).astype("float64").rename(name)
    low, high = (float(values.min()), float(values.max())) if distinct else (None, None)
    column = Column(name, "numeric", role, (), low, high, decimals_of(distinct), unit, meaning)
    return Parsed(values, column)


def categorical(
    name: str,
    text: pd.Series,
    *,
    levels: Sequence[str] = (),
    meaning: str = "",
    role: Role = "feature",
) -> Parsed:
    """Parse n levels written as text.

    Args:
        levels: the allowed levels in order; default: those that occur, in natural order, "missing" last.

    Raises:
        TableError: if a cell is not among `levels`.
    """
    known = tuple(levels) or tuple(natural_order(text.unique()))
    strangers = int((~text.isin(list(known))).sum())
    if strangers:
        raise TableError(f"column {name!r}: {strangers} cell(s) are not among the levels {list(known)}")
    cells = pd.Series(pd.Categorical(text.astype("object"), categories=list(known)), name=name)
    return Parsed(cells, Column(name, "categorical", role, known, meaning=meaning))


def assemble(parts: Iterable[Parsed], positive: str, card: Card) -> Table:
    """Return the parsed columns, in order, as a table."""
    parts = list(parts)
    frame = pd.DataFrame({p.column.name: p.cells.reset_index(drop=True) for p in parts})
    schema = Schema(tuple(p.column for p in parts), positive)
    return Table(frame, schema, card)


def decimals_of(texts: Iterable[str]) -> int | None:
    """Return the most places after the point among numbers written as text; None beyond a double's 15 digits."""
    texts = list(texts)
    places = max((max(0, -int(Decimal(t).as_tuple().exponent)) for t in texts), default=0)
    values = np.array([float(t) for t in texts])
    return places if places <= 15 and np.array_equal(np.round(values, places), values) else None


def natural_order(levels: Iterable[str]) -> list[str]:
    """Return levels sorted as numbers if all are numbers, else as text; "missing" comes last."""
    levels = list(levels)
    rest = [level for level in levels if level != MISSING_LEVEL]
    last = [MISSING_LEVEL] if MISSING_LEVEL in levels else []
    if all(NUMBER.match(level) for level in rest):
        return sorted(rest, key=lambda t: (float(t), t)) + last
    return sorted(rest) + last
