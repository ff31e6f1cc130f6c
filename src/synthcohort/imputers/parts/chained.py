"""How does a model of each column given the others complete whole rows?

Fully conditional specification [van Buuren 2011, sec. 2; Stekhoven 2012, algorithm 1]. Holes start at the column's mean
or commonest level. Then, column after column from the fewest holes to the most, a model of its cells that are there is
fitted to all other columns as they stand, and its holes are filled anew; after some rounds the last models are kept.
Other rows are completed by as many rounds with these models.

Trees read the matrix: numeric columns as they are, categorical ones as the position of their level.

Departs: the sources fill the rows they fit on, and [Stekhoven 2012] stops at the first round whose change grows. Rows
to complete may be others here, so the number of rounds is fixed. Without a hole in the training rows one round fits
every model.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd

from synthcohort.imputers.parts.design import settle
from synthcohort.rng import Rng
from synthcohort.schema import Column, Schema


class ColumnModel(Protocol):
    """A fitted model of one column given the others."""

    def draw(self, features: np.ndarray, rng: Rng) -> np.ndarray:
        """Return a value or code for each row of features [m, d - 1], [m]."""
        ...


Learn = Callable[[Column, np.ndarray, np.ndarray, Rng], ColumnModel]


@dataclass(frozen=True)
class Chain:
    """The fitted conditionals of all columns.

    Args:
        schema: the table's schema.
        start: [d] where holes start.
        order: columns by position, in the order of a round.
        models: one a column, by position.
        rounds: over all columns, >= 1.
    """

    schema: Schema
    start: np.ndarray
    order: list[int]
    models: dict[int, ColumnModel]
    rounds: int

    @classmethod
    def fit(cls, train: pd.DataFrame, schema: Schema, learn: Learn, *, rounds: int, rng: Rng) -> Chain:
        """Fit one model a column to training rows with holes.

        Args:
            learn: column, features [n, d - 1], cells [n], rng -> its model.
            rounds: over all columns, >= 1.
        """
        matrix = _matrix(train, schema)
        holes = np.isnan(matrix)
        order = [int(j) for j in np.argsort(holes.sum(axis=0), kind="stable")]
        chain = cls(schema, _start(matrix, schema), order, {}, rounds)
        filled = np.where(holes, chain.start, matrix)
        for i in range(rounds if holes.any() else 1):
            for j in order:
                own = rng.branch(i, schema.names[j])
                others, hole = np.delete(filled, j, axis=1), holes[:, j]
                chain.models[j] = learn(schema.columns[j], others[~hole], matrix[~hole, j], own.branch("fit"))
                if hole.any():
                    filled[hole, j] = chain.models[j].draw(others[hole], own.branch("draw"))
        return chain

    def complete(self, rows: pd.DataFrame, rng: Rng) -> pd.DataFrame:
        """Return the rows with their holes filled by `rounds` rounds."""
        matrix = _matrix(rows, self.schema)
        holes = np.isnan(matrix)
        filled = np.where(holes, self.start, matrix)
        for i in range(self.rounds):
            for j in (j for j in self.order if holes[:, j].any()):
                others = np.delete(filled, j, axis=1)[holes[:, j]]
                filled[holes[:, j], j] = self.models[j].draw(others, rng.branch(i, self.schema.names[j]))
        return _frame(filled, self.schema)


def _matrix(frame: pd.DataFrame, schema: Schema) -> np.ndarray:
    """Return values and codes in the schema's order, [n, d] float64, NaN where a cell is missing."""
    columns = []
    for column in schema.columns:
        cells = frame[column.name]
        codes = cells.to_numpy() if column.numeric else cells.cat.codes.to_numpy(dtype=np.float64)
        columns.append(np.where(cells.isna(), np.nan, codes))
    return np.stack(columns, axis=1)


def _frame(matrix: np.ndarray, schema: Schema) -> pd.DataFrame:
    data: dict[str, object] = {}
    for j, column in enumerate(schema.columns):
        if column.numeric:
            data[column.name] = settle(matrix[:, j], column)
        else:
            data[column.name] = pd.Categorical.from_codes(matrix[:, j].astype(int), list(column.levels))
    return pd.DataFrame(data, columns=schema.names)


def _start(matrix: np.ndarray, schema: Schema) -> np.ndarray:
    """Return the mean of each numeric and the commonest code of each categorical column, [d]."""
    cells = [(c, column[~np.isnan(column)]) for c, column in zip(schema.columns, matrix.T, strict=True)]
    return np.array([x.mean() if c.numeric else np.bincount(x.astype(int)).argmax() for c, x in cells])
