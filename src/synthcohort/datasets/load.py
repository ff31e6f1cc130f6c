"""Where is the table called so?

A name of the catalogue is read by its module, `synthcohort.datasets.<name>`, after its raw files were checked against
their SHA-256; any other name needs a block with a path to a CSV. Overrides of the block are applied here: the columns
that define groups, whether cells may be shown, and how many rows are used. The card of a table whose rows belong
together says how many groups there are.
"""

from __future__ import annotations

import importlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from synthcohort.datasets import csv_table, fetch
from synthcohort.datasets.catalogue import is_own_csv
from synthcohort.datasets.grouped import GroupedTable, described, grouped
from synthcohort.datasets.table import Table, TableError
from synthcohort.rng import Rng
from synthcohort.schema import Column, Role, Schema
from synthcohort.splits import strata

if TYPE_CHECKING:
    from synthcohort.study import DatasetBlock

_OWN_KEYS = (
    *("separator", "encoding", "decimal", "names", "target", "positive", "kinds", "drop", "group"),
    *("missing", "missing_codes", "bounds", "levels", "drop_rows_without_target"),
)


def load(name: str, block: DatasetBlock, folder: Path, *, rng: Rng | None = None) -> Table:
    """Return table `name` from its raw files in `folder`.

    Args:
        block: its settings in params.yaml.
        rng: decides which rows are kept if `block.rows` asks for fewer than there are; default: always the same rows.

    Raises:
        TableError: if the name is unknown, the raw files are absent or altered, or a setting does not fit the table.
    """
    table = _load_own(name, block, folder) if is_own_csv(name, block.path) else _load_known(name, block, folder)
    if block.rows is not None and block.rows < len(table.frame):
        table = subsample(table, block.rows, (rng or Rng(0)).branch("rows", name))
    return described(table) if isinstance(table, GroupedTable) else table


def _load_own(name: str, block: DatasetBlock, folder: Path) -> Table:
    path = folder / fetch.own_path(block, folder).name
    if not path.is_file():
        raise TableError(f"{path}: the CSV of datasets.{name} is not there; run `synthcohort data` to copy it")
    return csv_table.read(path, name, block)


def _load_known(name: str, block: DatasetBlock, folder: Path) -> Table:
    misplaced = [key for key in _OWN_KEYS if key in block.model_fields_set]
    if misplaced:
        raise TableError(
            f"datasets.{name}.{misplaced[0]}: settable only for your own CSV; {name!r} is read by its own module: "
            f"remove the key (sensitive, restricted and rows may be set)"
        )
    marker = fetch.read_marker(folder)
    if marker:
        raise TableError(marker.line)
    wrong = fetch.faults(name, folder)
    if wrong:
        raise TableError(f"datasets.{name}: {'; '.join(wrong)}; run `synthcohort data` to bring it")
    table: Table = importlib.import_module(f"synthcohort.datasets.{name}").read(folder)
    schema = _with_sensitive(name, table.schema, block.sensitive) if block.sensitive else table.schema
    restricted = table.card.restricted if block.restricted is None else block.restricted
    return replace(table, schema=schema, card=replace(table.card, restricted=restricted))


def _with_sensitive(name: str, schema: Schema, sensitive: list[str]) -> Schema:
    allowed = [c.name for c in schema.features if not c.numeric]
    for column in sensitive:
        if column not in allowed:
            raise TableError(
                f"datasets.{name}.sensitive: {column!r} is not a categorical feature; allowed are {allowed}"
            )
    roles: dict[str, Role] = {c.name: "sensitive" if c.name in sensitive else "feature" for c in schema.features}
    return schema.with_roles(**roles)


def subsample(table: Table, rows: int, rng: Rng) -> Table:
    """Return `rows` rows of the table in their old order, its target's distribution kept.

    Levels and bounds of the result are those of the rows kept; features that are constant among them are left out. The
    card says how many rows were kept, and which features were not.

    Raises:
        TableError: if the target is constant among the rows kept, or every feature.
    """
    groups = strata(table.frame, table.schema)
    order = rng.numpy().permutation(len(groups))
    ranked = pd.Series(order).groupby(groups[order]).cumcount().to_numpy()
    sizes = np.bincount(groups)[groups[order]]
    # place each row at its quantile within its stratum: the first `rows` of that order are proportional
    kept = np.sort(order[np.argsort((ranked + 0.5) / sizes, kind="stable")[:rows]])
    frame = table.frame.iloc[kept].reset_index(drop=True)
    constant = [c.name for c in table.schema.columns if frame[c.name].nunique() < 2]
    if table.schema.target.name in constant or len(constant) >= len(table.schema.features):
        column = table.schema.target.name if table.schema.target.name in constant else "every feature"
        raise TableError(f"{column}: constant among the {len(frame)} rows asked for; set more rows")
    columns = [_narrowed(frame[c.name], c) for c in table.schema.columns if c.name not in constant]
    frame, schema = frame.drop(columns=constant), replace(table.schema, columns=tuple(columns))
    quirk = f"Only {rows:,} of its {len(groups):,} rows are used here (rows: {rows})."
    alike = f" Left out, since constant among these: {_named(constant)}." if constant else ""
    card = replace(table.card, quirks=(*table.card.quirks, quirk + alike))
    small = Table(schema.cast(frame), schema, card)
    return grouped(small, table.groups[kept], by=table.by) if isinstance(table, GroupedTable) else small


def _narrowed(cells: pd.Series, column: Column) -> Column:
    if column.numeric:
        return replace(column, low=float(cells.min()), high=float(cells.max()))
    present = set(cells.dropna().unique())
    return replace(column, levels=tuple(level for level in column.levels if level in present))


def _named(columns: list[str], most: int = 5) -> str:
    further = f" and {len(columns) - most} more" if len(columns) > most else ""
    return ", ".join(columns[:most]) + further
