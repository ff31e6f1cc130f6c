"""Which cells of a reader's CSV are holes, and how are its numbers and levels written?

What a block of params.yaml says about single cells: texts that mean "missing" everywhere or in one column, the decimal
comma, the bounds of a number, the order of levels. A cell that contradicts the block is refused with its row and line,
never repaired, and not shown where the table is restricted.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

import pandas as pd

from synthcohort.datasets.csv_grid import Grid
from synthcohort.datasets.table import MISSING_LEVEL, TableError, natural_order
from synthcohort.disclosure import FLOOR

if TYPE_CHECKING:
    from synthcohort.study import DatasetBlock

COMMA_NUMBER = re.compile(r"[+-]?(\d+,\d*|,\d+)([eE][+-]?\d+)?\Z", re.ASCII)
POINT_NUMBER = re.compile(r"[+-]?(\d+\.\d*|\.\d+)([eE][+-]?\d+)?\Z", re.ASCII)


def settle(grid: Grid, block: DatasetBlock) -> Grid:
    """Return the columns that are kept, holes empty, numbers with a point, rows without a target left out if asked.

    Row labels stay those of the file, so that `grid.lines` still holds.

    Raises:
        TableError: if a number has a point where the block says comma.
    """
    left_out = [*block.drop, *([block.group] if block.group else [])]
    cells = grid.cells.drop(columns=left_out).replace(list(block.missing), "")
    for name in [name for name in block.missing_codes if name in cells]:
        cells[name] = cells[name].replace(block.missing_codes[name], "")
    if block.decimal == ",":
        for name in cells.columns:
            if block.kinds.get(name) != "categorical":
                cells[name] = _with_point(grid, name, cells[name], block)
    if block.drop_rows_without_target:
        cells = cells[cells[block.target] != ""]
    return Grid(grid.path, cells, grid.lines)


def _with_point(grid: Grid, name: str, text: pd.Series, block: DatasetBlock) -> pd.Series:
    pointed = text.map(lambda t: bool(POINT_NUMBER.match(t))).astype(bool)
    if pointed.any():
        raise TableError(
            f"{where(grid, name, pointed, block)}: a number with a point, though decimal is ','; write all numbers the "
            f"same way, or set kinds: {{{name!r}: categorical}} if it is a code"
        )
    return text.map(lambda t: t.replace(",", ".") if COMMA_NUMBER.match(t) else t)


def check_bounds(grid: Grid, name: str, values: pd.Series, block: DatasetBlock) -> None:
    """Refuse numbers outside the bounds that the block states for the column.

    Args:
        values: [n] numbers, NaN where missing, labelled as the rows of the file.

    Raises:
        TableError: naming the column, the first such row and the bound.
    """
    low, high = block.bounds.get(name, (None, None))
    below = values < (-math.inf if low is None else low)
    above = values > (math.inf if high is None else high)
    for outside, said in ((below, f"below the bound {low}"), (above, f"above the bound {high}")):
        if outside.any():
            raise TableError(
                f"{where(grid, name, outside, block)}: {count(int(outside.sum()), block)} cell(s) are {said}; "
                f"correct them, list a code for missing under missing_codes, or widen the bound"
            )


def level_order(grid: Grid, name: str, text: pd.Series, block: DatasetBlock) -> list[str]:
    """Return the levels of a column that occur, in the order the block states, else in natural order, "missing" last.

    Args:
        text: [n] levels, labelled as the rows of the file.

    Raises:
        TableError: if a cell is not among the levels the block states.
    """
    known = block.levels.get(name)
    if known is None:
        return natural_order(text.unique())
    strange = ~text.isin([*known, MISSING_LEVEL])
    if strange.any():
        raise TableError(
            f"{where(grid, name, strange, block)}: {count(int(strange.sum()), block)} cell(s) are not among its "
            f"levels; correct them, or add them under levels"
        )
    present = set(text)
    return [level for level in [*known, MISSING_LEVEL] if level in present]


def count(cells: int, block: DatasetBlock) -> str:
    """Return how many cells or rows there are, in words where the table is restricted and they are few."""
    return f"fewer than {FLOOR}" if block.restricted and cells < FLOOR else f"{cells:,}"


def where(grid: Grid, name: str, chosen: pd.Series, block: DatasetBlock) -> str:
    """Return the place of the first chosen cell in words: file, column, row, line, and what stands there if allowed."""
    row = chosen.index[chosen.to_numpy().argmax()]
    shown = "" if block.restricted else f" ({grid.cells[name][row][:40]!r})"
    return f"{grid.path}: column {name!r}, row {row + 1} (line {grid.lines[row]}){shown}"
