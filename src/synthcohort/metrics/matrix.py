"""How does a table become numbers that a metric can use, and when is it refused?

Three views of a frame, each with its scale learned on a reference table (the real one), never on the table judged:

- unit range: numeric columns as (x - min) / (max - min) of the reference, categorical ones as a 0/1 column a level;
- standardised: numeric columns as (x - mean) / sd of the reference, categorical columns likewise one-hot;
- features: numeric columns as they are, categorical columns as the position of their level in the schema (trees) or
  one-hot.

A column that is constant in the reference has no scale of its own: it is shifted, not divided, so that a departure
from the constant counts in the column's own unit.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from synthcohort.rng import Rng
from synthcohort.schema import Column, Schema

MIN_ROWS = 10


class DataProblem(ValueError):
    """A metric is not defined on these rows, for the stated reason; it becomes a failed score, never a zero."""


def require_rows(frame: pd.DataFrame, name: str) -> None:
    """Refuse a table with fewer than `MIN_ROWS` rows.

    Raises:
        DataProblem: naming the table, its number of rows and the least allowed.
    """
    if len(frame) < MIN_ROWS:
        raise DataProblem(f"the {name} table has {len(frame)} rows; a metric needs at least {MIN_ROWS}")


def sample_rows(frame: pd.DataFrame, most: int, rng: Rng) -> pd.DataFrame:
    """Return at most `most` rows of `frame`, drawn without replacement; all of them, in order, if there are no more."""
    if len(frame) <= most:
        return frame
    return frame.iloc[rng.numpy().choice(len(frame), size=most, replace=False)]


def numeric_values(frame: pd.DataFrame, schema: Schema) -> np.ndarray:
    """Return the numeric columns in the schema's order, [n, P] float64, each in its own unit."""
    return frame[[c.name for c in schema.numeric]].to_numpy(dtype=np.float64)


def level_codes(frame: pd.DataFrame, schema: Schema) -> np.ndarray:
    """Return the position of each categorical cell's level in the schema, [n, Q] int32."""
    columns = [_codes(frame, c) for c in schema.categorical]
    if not columns:
        return np.empty((len(frame), 0), dtype=np.int32)
    return np.stack(columns, axis=1).astype(np.int32)  # [n, Q]


def one_hot(frame: pd.DataFrame, schema: Schema) -> np.ndarray:
    """Return one 0/1 column for every level of every categorical column, [n, sum K] float64."""
    return one_hot_features(frame, schema.categorical) if schema.categorical else np.empty((len(frame), 0))


def unit_numeric(frame: pd.DataFrame, reference: pd.DataFrame, schema: Schema) -> np.ndarray:
    """Return the numeric columns scaled by the reference's range, [n, P]; outside it they leave [0, 1]."""
    base = numeric_values(reference, schema)
    low = base.min(axis=0)  # [P]
    return (numeric_values(frame, schema) - low) / _or_one(base.max(axis=0) - low)


def unit_range(frame: pd.DataFrame, reference: pd.DataFrame, schema: Schema) -> np.ndarray:
    """Return range-scaled numeric columns beside one-hot levels, [n, P + sum K]."""
    return np.concatenate([unit_numeric(frame, reference, schema), one_hot(frame, schema)], axis=1)


def standardised(frame: pd.DataFrame, reference: pd.DataFrame, schema: Schema) -> np.ndarray:
    """Return numeric columns in standard deviations of the reference beside one-hot levels, [n, P + sum K]."""
    base = numeric_values(reference, schema)
    constant = np.ptp(base, axis=0) == 0  # the sd of equal floats can round to a tiny positive number
    spread = np.where(constant, 1.0, base.std(axis=0))
    scaled = (numeric_values(frame, schema) - base.mean(axis=0)) / spread
    return np.concatenate([scaled, one_hot(frame, schema)], axis=1)


def tree_features(frame: pd.DataFrame, columns: Sequence[Column]) -> np.ndarray:
    """Return these columns as numbers a tree can split on, [n, columns], each column contiguous in memory.

    Categorical columns become the position of their level: a tree isolates any level with at most two cuts, and a
    table of 34,000 rows and 100 levels stays a matter of seconds.
    """
    parts = [frame[c.name].to_numpy(np.float64) if c.numeric else _codes(frame, c).astype(np.float64) for c in columns]
    return np.stack(parts).T


def one_hot_features(frame: pd.DataFrame, columns: Sequence[Column]) -> np.ndarray:
    """Return these columns in order, numeric ones as they are and the others as a 0/1 column a level, [n, F]."""
    parts = [
        frame[[c.name]].to_numpy(np.float64) if c.numeric else np.eye(len(c.levels))[_codes(frame, c)] for c in columns
    ]
    return np.concatenate(parts, axis=1)


def target_codes(frame: pd.DataFrame, schema: Schema) -> np.ndarray:
    """Return the position of each row's target level in the schema, [n] int64."""
    return _codes(frame, schema.target).astype(np.int64)


def _codes(frame: pd.DataFrame, column: Column) -> np.ndarray:
    return frame[column.name].cat.codes.to_numpy()


def _or_one(spread: np.ndarray) -> np.ndarray:
    return np.where(spread == 0, 1.0, spread)
