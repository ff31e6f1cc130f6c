"""What does a generator write that can draw any cells given any others?

One primitive: complete the free cells of rows. Drawing rows is completing empty ones, drawing rows with given cells is
completing rows that hold these, imputing is completing rows with missing cells; with the same rng they agree bit for
bit. Cells that are there are never drawn, and come back as they were.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from synthcohort.generators.base import Generator
from synthcohort.rng import Rng


class Completer(Generator):
    """A generator of one primitive, `_complete`."""

    abilities: ClassVar[frozenset[str]] = frozenset({"condition-target", "condition-any", "impute"})

    @abstractmethod
    def _complete(self, rows: pd.DataFrame, free: np.ndarray, rng: Rng, options: Mapping[str, Any]) -> pd.DataFrame:
        """Return the rows with their free cells drawn given the others; of the answer only free cells are used.

        Args:
            rows: [n, P + Q] frame in the schema's order and kinds, n >= 1, missing where free.
            free: [n, P + Q] which cells to draw, at least one a row.
            rng: the randomness of this draw.
            options: sampling options.
        """

    def _sample(self, n: int, conditions: pd.DataFrame | None, rng: Rng, options: Mapping[str, Any]) -> pd.DataFrame:
        asked = pd.DataFrame(index=range(n)) if conditions is None else conditions.reset_index(drop=True)
        return self._filled(self.schema.cast(asked.reindex(columns=self.schema.names)), rng, options)

    def _impute(self, rows: pd.DataFrame, rng: Rng, draws: int, options: Mapping[str, Any]) -> list[pd.DataFrame]:
        return [self._filled(rows, rng.branch("draw", k), options) for k in range(draws)]

    def _filled(self, rows: pd.DataFrame, rng: Rng, options: Mapping[str, Any]) -> pd.DataFrame:
        free = rows.isna()
        holed = free.any(axis=1).to_numpy()
        if not holed.any():
            return rows.copy()
        drawn = self._complete(rows[holed].reset_index(drop=True), free[holed].to_numpy(), rng, options)
        drawn = drawn.set_axis(rows.index[holed]).reindex(rows.index)
        return pd.DataFrame({name: rows[name].where(~free[name], drawn[name]) for name in self.schema.names})
