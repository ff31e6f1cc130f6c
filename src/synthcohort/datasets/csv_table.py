"""How does a reader's own CSV become a table?

A block of params.yaml names the file, the target and whatever cannot be inferred. Kinds are inferred where they are
not declared: a column is numeric if every cell is a number and it has more than 10 distinct values or any fraction,
otherwise categorical; the card says which were inferred. An empty cell, or a text the block lists under `missing` or
`missing_codes`, is missing: NaN in a numeric column, the level "missing" in a categorical one. A column named under
`group` says which rows belong together and is no column of the table. Nothing is repaired: what cannot be used is
refused with the file, the column and the remedy. Cells and small counts of a restricted table are never shown in a
message; lines of the file are, for whoever has the file.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from synthcohort.datasets.csv_cells import check_bounds, count, level_order, settle
from synthcohort.datasets.csv_grid import Grid, read_grid
from synthcohort.datasets.grouped import grouped
from synthcohort.datasets.table import (
    MISSING_LEVEL,
    NUMBER,
    Card,
    Parsed,
    Table,
    TableError,
    assemble,
    categorical,
    numeric,
)
from synthcohort.schema import Kind, Role

if TYPE_CHECKING:
    from synthcohort.study import DatasetBlock

MOST_LEVELS = 1000
FEWEST_ROWS = 50
FEWEST_ROWS_OF_A_CLASS = 10
_FEW_VALUES = 10
_BY_COLUMN = ("kinds", "missing_codes", "bounds", "levels")
_INFINITE = re.compile(r"[+-]?inf(inity)?\Z", re.IGNORECASE)


def read(path: Path, name: str, block: DatasetBlock) -> Table:
    """Return the table in the CSV at `path`.

    Args:
        name: the table's name in params.yaml.
        block: its settings there; `block.rows` is not applied here.

    Raises:
        TableError: if the file, the block or a column cannot be used.
    """
    grid = read_grid(path, block.separator, encoding=block.encoding, names=block.names)
    target = _check_block(grid, name, block)
    kept = settle(grid, block)
    check_rows(path, len(kept.cells))
    kinds = {column: _kind(kept, column, block) for column in kept.cells.columns}
    if block.positive is not None:
        kinds[target] = block.kinds.get(target, "categorical")
    parts = [_parse(kept, column, kinds[column], block) for column in kept.cells.columns]
    positive, remark = _check_target(path, next(p for p in parts if p.column.name == target), block)
    left_out = len(grid.cells) - len(kept.cells)
    table = assemble(parts, positive, _card(name, path, block, kinds, [remark, _left_out(left_out, block)]))
    if not block.group:
        return table
    named = Grid(path, grid.cells.loc[kept.cells.index], grid.lines)
    return grouped(table, _groups(named, block.group, block), by=block.group)


def _groups(grid: Grid, name: str, block: DatasetBlock) -> pd.Series:
    """Return the group of each row as text, [n]."""
    text = grid.cells[name]
    absent = text.isin(["", *block.missing])
    if absent.any():
        raise TableError(
            f"{grid.path}: column {name!r}: the group is missing in {count(int(absent.sum()), block)} row(s), the "
            f"first on line {_line(grid, absent)}; say whose row it is, or give each such row a group of its own"
        )
    if len(set(text)) == 1:
        raise TableError(f"{grid.path}: column {name!r}: all rows are of one group, which no split can part; drop it")
    return text


def check_rows(path: Path, rows: int) -> None:
    """Refuse a file of too few rows.

    Raises:
        TableError: if there are fewer than `FEWEST_ROWS`.
    """
    if rows < FEWEST_ROWS:
        raise TableError(f"{path}: {rows} rows; at least {FEWEST_ROWS} are needed to split, learn and test")


def many_values(values: Collection[float]) -> bool:
    """Return whether different numbers are too many, or too fine, to be levels."""
    return len(values) > _FEW_VALUES or any(v % 1 != 0 for v in values)


def _check_block(grid: Grid, name: str, block: DatasetBlock) -> str:
    columns = list(grid.cells.columns)
    if block.target is None:
        raise TableError(
            f"{grid.path}: datasets.{name}.target is not set; name one of the columns {_listed(columns, block)}"
        )
    asked = {"target": [block.target], "sensitive": block.sensitive, "drop": block.drop}
    asked |= {key: list(getattr(block, key)) for key in _BY_COLUMN}
    asked["group"] = [block.group] if block.group else []
    for key, names in asked.items():
        for column in names:
            if column not in columns:
                told = _no_column(f"datasets.{name}.{key}", column, columns, block=block)
                raise TableError(f"{grid.path}: {told}")
    if block.target in block.drop:
        raise TableError(f"{grid.path}: column {block.target!r} is both target and dropped; take it out of drop")
    if block.target in block.sensitive:
        raise TableError(f"{grid.path}: column {block.target!r} is both target and sensitive; take it out of sensitive")
    both = sorted(set(block.drop) & ({*block.kinds} | {*block.sensitive}))
    if both:
        raise TableError(f"{grid.path}: column {both[0]!r} is dropped but also set in kinds or sensitive; keep one")
    if block.group in {block.target, *block.sensitive, *block.kinds, *block.drop}:
        raise TableError(
            f"{grid.path}: column {block.group!r} is the group but also the target, dropped or set in kinds or "
            f"sensitive; it is left out of the table by itself: name it under group alone"
        )
    if len(columns) - len({*block.drop, *asked["group"]}) < 2:
        raise TableError(f"{grid.path}: only the target is left; drop fewer columns than {block.drop}")
    return block.target


def _no_column(key: str, column: str, columns: list[str], *, block: DatasetBlock) -> str:
    close = difflib.get_close_matches(column, columns, n=1, cutoff=0.5)
    hint = f"did you mean {close[0]!r}? " if close else ""
    return f"{key}: no column {column!r}; {hint}The file has {_listed(columns, block)}"


def _listed(columns: list[str], block: DatasetBlock) -> str:
    """Return the first names; of a restricted table none if one is a number, as in a file without a header."""
    if block.restricted and any(NUMBER.match(column) for column in columns):
        return f"{len(columns)} columns, one or more named by a number, so all are withheld: is the header missing?"
    return f"{columns[:30]}" + (f" and {len(columns) - 30} more" if len(columns) > 30 else "")


def _kind(grid: Grid, name: str, block: DatasetBlock) -> Kind:
    """Return the declared or inferred kind; a column that is mostly numbers is never silently categorical."""
    if name in block.kinds:
        return block.kinds[name]
    text = grid.cells[name]
    present = text[text != ""]
    numbers = present.map(lambda t: bool(NUMBER.match(t) or _INFINITE.match(t))).astype(bool)
    values = {float(t) for t in present[numbers].unique()}
    if not many_values(values) or 2 * numbers.sum() <= len(present):
        return "categorical"
    if not numbers.all():
        raise TableError(_text_among_numbers(grid, name, numbers, block))
    return "numeric"


def _parse(grid: Grid, name: str, kind: Kind, block: DatasetBlock) -> Parsed:
    text = grid.cells[name]
    absent = int((text == "").sum())
    if absent == len(text):
        raise TableError(f"{grid.path}: column {name!r}: every cell is missing; add it to drop")
    if name == block.target and absent:
        raise TableError(
            f"{grid.path}: column {name!r}: the target is missing in {count(absent, block)} row(s), the first on line "
            f"{_line(grid, text == '')}; remove those rows or set drop_rows_without_target: a target is never imputed"
        )
    role: Role = "target" if name == block.target else "sensitive" if name in block.sensitive else "feature"
    return _parse_numeric(grid, name, role, block) if kind == "numeric" else _parse_levels(grid, name, role, block)


def _parse_numeric(grid: Grid, name: str, role: Role, block: DatasetBlock) -> Parsed:
    text = grid.cells[name]
    infinite = text.map(lambda t: bool(_INFINITE.match(t))).astype(bool)
    if infinite.any():
        raise TableError(
            f"{grid.path}: column {name!r}: {count(infinite.sum(), block)} cell(s) are infinite, the first on line "
            f"{_line(grid, infinite)}; write the true value, or leave the cell empty if it is unknown"
        )
    numbers = text.map(lambda t: t == "" or bool(NUMBER.match(t))).astype(bool)
    if not numbers.all():
        raise TableError(_text_among_numbers(grid, name, numbers, block))
    if role == "sensitive":
        raise TableError(
            f"{grid.path}: column {name!r}: a sensitive column defines groups but this one is numeric; set "
            f"kinds: {{{name!r}: categorical}}, or put it into bins in the file"
        )
    parsed = numeric(name, text, role=role)
    check_bounds(grid, name, parsed.cells, block)
    values = parsed.cells.dropna()
    if not values.abs().max() < float("inf"):
        raise TableError(f"{grid.path}: column {name!r}: a number is too large for a double; change its unit")
    if parsed.column.low == parsed.column.high:
        raise TableError(f"{grid.path}: column {name!r}: constant: one value in all rows; add it to drop")
    return parsed


def _parse_levels(grid: Grid, name: str, role: Role, block: DatasetBlock) -> Parsed:
    text = grid.cells[name].replace("", MISSING_LEVEL)
    levels = text.nunique()
    remedy = (
        "add it to drop, name it as group if it says whose row it is, merge its levels, or make it numeric in kinds"
    )
    if levels > MOST_LEVELS:
        raise TableError(f"{grid.path}: column {name!r}: {levels} levels, at most {MOST_LEVELS} work; {remedy}")
    if levels == len(text):
        raise TableError(
            f"{grid.path}: column {name!r}: every row has a level of its own, as an identifier has; {remedy}"
        )
    if levels == 1 and role != "target":
        raise TableError(f"{grid.path}: column {name!r}: constant: one level in all rows; add it to drop")
    return categorical(name, text, levels=level_order(grid, name, text, block), role=role)


def _check_target(path: Path, target: Parsed, block: DatasetBlock) -> tuple[str, str]:
    """Return the positive level ("" for regression) and a remark for the card."""
    name = target.column.name
    if target.column.numeric:
        if block.positive is not None:
            raise TableError(f"{path}: column {name!r}: a numeric target has no positive level; remove one of the two")
        return "", f"{name} is numeric: the task is regression."
    counts = target.cells.value_counts()
    if len(counts) == 1:
        raise TableError(f"{path}: column {name!r}: one class only; a target needs at least two")
    if counts.min() < FEWEST_ROWS_OF_A_CLASS:
        shown = "its rarest class" if block.restricted else f"class {counts.idxmin()!r}"
        raise TableError(
            f"{path}: column {name!r}: {shown} has {count(counts.min(), block)} row(s); {FEWEST_ROWS_OF_A_CLASS} "
            f"are needed to be in every part of every split: merge it with another class or remove those rows"
        )
    if block.positive is None:
        return str(counts.idxmin()), "The positive class was not set; the rarest is taken."
    if block.positive not in target.column.levels:
        known = f"{len(counts)} other levels" if block.restricted else f"{list(target.column.levels[:20])}"
        raise TableError(f"{path}: column {name!r}: positive {block.positive!r} does not occur; it has {known}")
    return block.positive, ""


def _text_among_numbers(grid: Grid, name: str, numbers: pd.Series, block: DatasetBlock) -> str:
    strangers = numbers.index[~numbers]
    cell = grid.cells[name][strangers[0]]
    shown = "" if block.restricted else f" ({cell[:40]!r})"
    comma = "write a point for the decimal comma, " if re.match(r"[+-]?\d+,\d+\Z", cell) else ""
    return (
        f"{grid.path}: column {name!r}: text in a numeric column: {count(len(strangers), block)} of {len(grid.cells)} "
        f"cells are not numbers, the first in row {strangers[0] + 1} (line {grid.lines[strangers[0]]}){shown}; {comma}"
        f"correct them, list the text under missing, or set kinds: {{{name!r}: categorical}}"
    )


def _line(grid: Grid, where: pd.Series) -> int:
    return grid.lines[where.index[where.to_numpy().argmax()]]


def _card(name: str, path: Path, block: DatasetBlock, kinds: dict[str, Kind], remarks: list[str]) -> Card:
    card = Card(name, name, "supplied by the reader", (), "as agreed with its owner", path.name)
    quirks = [
        f"Kinds inferred from the cells, {kind}: {', '.join(found)}."
        for kind in ("numeric", "categorical")
        if (found := [c for c, k in kinds.items() if k == kind and c not in block.kinds])
    ]
    if block.drop:
        quirks.append(f"Left out: {', '.join(block.drop)}.")
    return replace(card, quirks=(*quirks, *filter(None, remarks)), restricted=bool(block.restricted))


def _left_out(rows: int, block: DatasetBlock) -> str:
    return f"Left out for want of a target: {count(rows, block)} row(s)." if rows else ""
