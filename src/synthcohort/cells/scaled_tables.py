"""Which tables is a generator fitted on to see what more rows, or more columns, cost?

Both kinds hold as many validation rows as the study's shares ask for beside so many train rows.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd

from synthcohort.cells.rows import read_development, read_schema
from synthcohort.rng import Rng
from synthcohort.schema import Column, Role, Schema

SHARED = 0.5  # of a column's variance, by the factor of its block
BLOCK = 10  # columns that share a factor


@dataclass(frozen=True)
class Parts:
    """What a fit is given: train and validation rows with their schema."""

    train: pd.DataFrame
    validation: pd.DataFrame
    schema: Schema


@dataclass(frozen=True)
class ScaledTable(ABC):
    """A table of a stated size.

    Args:
        rows: train rows.
        held: validation rows for each train row.
    """

    along: ClassVar[str]  # what grows: "rows" or "columns"

    rows: int
    held: float

    @property
    def validation_rows(self) -> int:
        """Validation rows, at least 2."""
        return max(2, round(self.rows * self.held))

    @property
    def condition(self) -> str:
        """Its name in a score file, such as "rows=1000"."""
        return f"{self.along}={self.size}"

    @property
    @abstractmethod
    def size(self) -> int:
        """The number that grows."""

    @abstractmethod
    def make(self, rng: Rng) -> Parts:
        """Return its rows; equal randomness gives equal rows."""


@dataclass(frozen=True)
class Resampled(ScaledTable):
    """Rows of a table's first split, drawn with replacement: so many rows, not so many different patients.

    Args (beside those of every table):
        folder: train and validation rows of the table.
    """

    along = "rows"

    folder: Path

    @property
    def size(self) -> int:
        """Train rows."""
        return self.rows

    def make(self, rng: Rng) -> Parts:
        """Return its rows.

        Raises:
            FileNotFoundError: if the table has not been prepared.
        """
        train, validation = read_development(self.folder, 0)
        return Parts(
            _resample(train, self.rows, rng.branch("train")),
            _resample(validation, self.validation_rows, rng.branch("validation")),
            read_schema(self.folder),
        )


@dataclass(frozen=True)
class Blocks(ScaledTable):
    """SIMULATED. Blocks of `BLOCK` columns, independent of each other; u ~ N(0, 1) of each row is shared in a block:

        z_j = sqrt(r) u + sqrt(1 - r) e_j,    e_j ~ N(0, 1), r = `SHARED`.

    From the last column backward, every second one shows only whether z_j > 0, the others show z_j. So two numeric
    columns of a block have the correlation r, and two binary ones agree with probability 1/2 + arcsin(r) / pi
    [Sheppard 1899]. The last column, a binary one, is the target.

    Args (beside those of every table):
        columns: C >= 2.
    """

    along = "columns"

    columns: int

    @property
    def size(self) -> int:
        """Columns."""
        return self.columns

    @property
    def schema(self) -> Schema:
        """The schema of its rows."""
        return Schema(tuple(self._column(j) for j in range(self.columns)), "1")

    def make(self, rng: Rng) -> Parts:
        return Parts(
            self._draw(self.rows, rng.branch("train")),
            self._draw(self.validation_rows, rng.branch("validation")),
            self.schema,
        )

    def _binary(self, j: int) -> bool:
        return (self.columns - 1 - j) % 2 == 0

    def _column(self, j: int) -> Column:
        role: Role = "target" if j == self.columns - 1 else "feature"
        name = f"column_{j}"
        return Column(name, "categorical", role, ("0", "1")) if self._binary(j) else Column(name, "numeric", role)

    def _draw(self, n: int, rng: Rng) -> pd.DataFrame:
        draw = rng.numpy()
        u = draw.standard_normal((n, math.ceil(self.columns / BLOCK)))
        z = np.sqrt(SHARED) * np.repeat(u, BLOCK, axis=1)[:, : self.columns]  # [n, C]
        z += np.sqrt(1 - SHARED) * draw.standard_normal(z.shape)
        levels = pd.CategoricalDtype(["0", "1"])
        shown = (
            pd.Categorical.from_codes((z[:, j] > 0).astype(np.int8), dtype=levels) if self._binary(j) else z[:, j]
            for j in range(self.columns)
        )
        return pd.DataFrame(dict(zip(self.schema.names, shown)))


def _resample(frame: pd.DataFrame, n: int, rng: Rng) -> pd.DataFrame:
    return frame.iloc[rng.numpy().integers(len(frame), size=n)].reset_index(drop=True)
