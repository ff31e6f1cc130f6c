"""What would a generator score that simply hands out patients?

Sentinel. Rows of the training table drawn with replacement: the best fidelity there is and no privacy at all. Any
metric on which a real method cannot be told from this one says nothing about privacy.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from synthcohort.generators.base import FitError, Generator
from synthcohort.generators.parts import tables
from synthcohort.rng import Rng


class Bootstrap(Generator):
    """Training rows resampled with replacement."""

    abilities: ClassVar[frozenset[str]] = frozenset({"condition-target"})

    def __init__(self) -> None:
        super().__init__()
        self.train: pd.DataFrame

    def _fit(self, train: pd.DataFrame, validation: pd.DataFrame | None, rng: Rng, device: str) -> None:
        self.train = train.reset_index(drop=True)

    def _sample(self, n: int, conditions: pd.DataFrame | None, rng: Rng, options: Mapping[str, Any]) -> pd.DataFrame:
        draw = rng.numpy()
        if conditions is None:
            return self.train.iloc[draw.integers(len(self.train), size=n)]
        return self.train.iloc[_rows_of_classes(self.train, conditions, draw)]

    def _state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        return tables.to_arrays(self.train, self.schema), {}

    def _restore(self, arrays: dict[str, np.ndarray], record: dict[str, Any]) -> None:
        self.train = tables.from_arrays(arrays, self.schema)


def _rows_of_classes(train: pd.DataFrame, conditions: pd.DataFrame, draw: np.random.Generator) -> np.ndarray:
    """Return a training row number [n] of the asked class for every row of conditions."""
    target = conditions.columns[0]
    chosen = np.empty(len(conditions), dtype=np.int64)
    for level in conditions[target].unique():
        wanted = np.flatnonzero(conditions[target] == level)
        rows = np.flatnonzero(train[target] == level)
        if not len(rows):
            raise FitError(f"column {target!r}: no training row has the level {level!r} that was asked for")
        chosen[wanted] = rows[draw.integers(len(rows), size=len(wanted))]
    return chosen
