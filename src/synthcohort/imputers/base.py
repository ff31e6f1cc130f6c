"""What must every imputer be able to do?

An imputer learns from training rows with holes and completes other rows with holes, several times over if asked, so
that the spread of the draws says how uncertain a cell is [Rubin 1987]. Its `impute` is that of a generator with the
ability "impute": either can stand in for the other. A method of the literature fills in the private members:

- `_fit(train, rng, device)` learns; `self.schema` is already set;
- `_impute(rows, rng, draws)` returns `draws` frames of complete rows; what it says about cells that are there is
  ignored.

Stated rules: cells that are there come back bit for bit. Numbers are settled on the column's decimals and moved to the
schema's bound if they lie beyond it. A level that no training row shows teaches nothing about a row: the other cells
are completed as if it were missing, and it comes back unchanged.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Self

import numpy as np
import pandas as pd

from synthcohort.imputation import ImputationError
from synthcohort.rng import Rng
from synthcohort.schema import Schema, SchemaError


class Imputer(ABC):
    """Base of every imputer; see the module's text for what a subclass writes.

    Attributes after `fit`:
        schema: the schema it was fitted on.
        known: categorical column -> levels that training rows show.
    """

    schema: Schema
    known: dict[str, set[str]]

    @property
    def name(self) -> str:
        """The name under which the study knows this imputer: its module's."""
        return type(self).__module__.rsplit(".", 1)[-1]

    def fit(self, train: pd.DataFrame, schema: Schema, *, rng: Rng, device: str = "cpu") -> Self:
        """Learn from training rows.

        Args:
            train: [n, P + Q] rows with holes, n >= 2.
            schema: the table's schema.
            rng: the randomness of this fit.
            device: torch device, for those that have a network.

        Raises:
            SchemaError: if a cell breaks the schema or is infinite, naming row and column.
            ImputationError: if a row or a column has no cell, there are fewer than two rows, or the fit diverges.
        """
        self._check(train, schema)
        if len(train) < 2:
            raise ImputationError(f"{self.name} needs at least 2 training rows, got {len(train)}")
        empty = [name for name in schema.names if train[name].isna().all()]
        if empty:
            raise ImputationError(
                f"column {empty[0]!r}: every cell is missing in the {len(train)} train rows; drop the column"
            )
        self.schema = schema
        self.known = {c.name: set(train[c.name].dropna()) for c in schema.categorical}
        self._fit(train.reset_index(drop=True), rng, device)
        return self

    def impute(self, rows: pd.DataFrame, *, rng: Rng, draws: int = 1) -> list[pd.DataFrame]:
        """Complete the missing cells of `rows`, `draws` times.

        Args:
            rows: [n, P + Q] rows with holes, no row without any cell.
            rng: the randomness of the draws; the same branch gives the same cells.
            draws: how many, >= 1.

        Returns:
            `draws` frames [n, P + Q] that satisfy the schema, with the index of `rows`.

        Raises:
            SchemaError: if a cell breaks the schema or is infinite, naming row and column.
            ImputationError: if a row has no cell, naming the row.
        """
        if draws < 1:
            raise ValueError(f"{self.name}: draws={draws} must be at least 1")
        self._check(rows, self.schema)
        if not rows.isna().to_numpy().any():
            return [rows.copy() for _ in range(draws)]
        completed = self._impute(self._evidence(rows), rng, draws)
        return [self.schema.check(_over(rows, frame)) for frame in completed]

    @abstractmethod
    def _fit(self, train: pd.DataFrame, rng: Rng, device: str) -> None: ...

    @abstractmethod
    def _impute(self, rows: pd.DataFrame, rng: Rng, draws: int) -> list[pd.DataFrame]: ...

    def _evidence(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Return the rows without levels that no training row shows."""
        kept = {name: rows[name].where(rows[name].isin(levels)) for name, levels in self.known.items()}
        return rows.assign(**kept).reset_index(drop=True)

    def _check(self, frame: pd.DataFrame, schema: Schema) -> None:
        _refuse_odd_cells(frame, schema)
        schema.check(frame, allow_missing=True)
        empty = np.flatnonzero(frame.isna().all(axis=1))
        if len(empty):
            raise ImputationError(
                f"row {frame.index[empty[0]]!r}: every cell is missing, so nothing says what they were; drop the row"
            )


def _refuse_odd_cells(frame: pd.DataFrame, schema: Schema) -> None:
    for column in schema.columns:
        if column.name not in frame:
            continue
        cells = frame[column.name]
        if not column.numeric:
            odd = cells.notna() & ~cells.isin(column.levels)
        elif pd.api.types.is_float_dtype(cells):
            odd = np.isinf(cells)
        else:
            continue
        if odd.any():
            row = cells.index[odd.to_numpy().argmax()]
            allowed = f"one of {list(column.levels[:20])}" if column.levels else "a finite number"
            raise SchemaError(f"row {row!r}, column {column.name!r}: found {cells[odd].iloc[0]}, allowed is {allowed}")


def _over(rows: pd.DataFrame, completed: pd.DataFrame) -> pd.DataFrame:
    """Return the cells of `rows` that are there, and those of `completed` [n, P + Q] elsewhere."""
    completed = completed.set_axis(rows.index)
    return pd.DataFrame({name: rows[name].where(rows[name].notna(), completed[name]) for name in rows})
