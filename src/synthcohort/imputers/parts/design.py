"""How does a table with holes become a matrix that linear models, distances and networks can use, and a table again?

Numeric columns are shifted and divided; a categorical column becomes one indicator a level, all of them missing where
the cell is. The way back settles each number on the column's decimals within the schema's bounds, and takes the level
with the largest indicator (the first of equals).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthcohort.schema import Column, Schema


@dataclass(frozen=True)
class Design:
    """The maps between frames and matrices [n, D], D = P + sum K: numeric columns first, then the levels.

    Args:
        schema: the table's schema.
        centre: [P] what is subtracted from numeric columns.
        scale: [P] what they are divided by, > 0.
    """

    schema: Schema
    centre: np.ndarray
    scale: np.ndarray

    @classmethod
    def standardised(cls, train: pd.DataFrame, schema: Schema) -> Design:
        """Return the design of means 0 and standard deviations 1 over the cells of `train` that are there."""
        cells = _numeric(train, schema)
        return cls(schema, np.nanmean(cells, axis=0), _or_one(np.nanstd(cells, axis=0), cells))

    @classmethod
    def unit_range(cls, train: pd.DataFrame, schema: Schema) -> Design:
        """Return the design of values in [0, 1] over the cells of `train` that are there."""
        cells = _numeric(train, schema)
        low = np.nanmin(cells, axis=0, initial=np.inf)
        return cls(schema, low, _or_one(np.nanmax(cells, axis=0, initial=-np.inf) - low, cells))

    @property
    def groups(self) -> list[slice]:
        """Where the indicators of each categorical column stand, [Q]."""
        ends = len(self.centre) + np.cumsum([len(c.levels) for c in self.schema.categorical], dtype=int)
        return [slice(int(end) - len(c.levels), int(end)) for end, c in zip(ends, self.schema.categorical, strict=True)]

    def matrix(self, frame: pd.DataFrame) -> np.ndarray:
        """Return the rows as [n, D] float64, NaN where a cell is missing."""
        parts = [(_numeric(frame, self.schema) - self.centre) / self.scale]
        for column in self.schema.categorical:
            codes = frame[column.name].cat.codes.to_numpy()
            parts.append(np.where(codes[:, None] < 0, np.nan, np.eye(len(column.levels))[codes]))
        return np.concatenate(parts, axis=1)  # [n, D]

    def frame(self, matrix: np.ndarray) -> pd.DataFrame:
        """Return a matrix [n, D] without NaN as rows that satisfy the schema."""
        numbers = matrix[:, : len(self.centre)] * self.scale + self.centre
        data: dict[str, object] = {c.name: settle(numbers[:, j], c) for j, c in enumerate(self.schema.numeric)}
        for column, group in zip(self.schema.categorical, self.groups, strict=True):
            data[column.name] = pd.Categorical.from_codes(matrix[:, group].argmax(axis=1), list(column.levels))
        return pd.DataFrame(data, columns=self.schema.names)


def settle(values: np.ndarray, column: Column) -> np.ndarray:
    """Return numbers [n] moved to the nearest value the column may hold: its decimals, within its bounds."""
    low = -np.inf if column.low is None else column.low
    high = np.inf if column.high is None else column.high
    inside = np.clip(values, low, high)
    if column.decimals is None:
        return inside
    step = 10.0**-column.decimals
    rounded = np.round(inside, column.decimals)
    rounded = np.where(rounded < low, np.round(rounded + step, column.decimals), rounded)
    return np.where(rounded > high, np.round(rounded - step, column.decimals), rounded)


def _numeric(frame: pd.DataFrame, schema: Schema) -> np.ndarray:
    return frame[[c.name for c in schema.numeric]].to_numpy(dtype=np.float64)  # [n, P]


def _or_one(spread: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """Return the spread [P], 1 where all cells of a column are equal (their sd can round to a tiny number)."""
    equal = np.nanmax(cells, axis=0, initial=-np.inf) == np.nanmin(cells, axis=0, initial=np.inf)
    return np.where(equal, 1.0, spread)
