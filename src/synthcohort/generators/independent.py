"""What would a generator score that knows every column and no relation between them?

Sentinel. Each column is resampled from the training table on its own: the law of the product of the marginals. Its
marginals are perfect and it predicts nothing; a metric that praises it cannot see dependence.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from synthcohort.generators.base import Generator
from synthcohort.generators.parts import tables
from synthcohort.rng import Rng


class Independent(Generator):
    """Product of the training table's marginals."""

    abilities: ClassVar[frozenset[str]] = frozenset({"condition-target", "condition-sensitive", "condition-any"})

    def __init__(self) -> None:
        super().__init__()
        self.train: pd.DataFrame

    def _fit(self, train: pd.DataFrame, validation: pd.DataFrame | None, rng: Rng, device: str) -> None:
        self.train = train.reset_index(drop=True)

    def _sample(self, n: int, conditions: pd.DataFrame | None, rng: Rng, options: Mapping[str, Any]) -> pd.DataFrame:
        columns = {}
        for name in self.train.columns:
            rows = rng.branch(name).numpy().integers(len(self.train), size=n)
            columns[name] = self.train[name].iloc[rows].reset_index(drop=True)
        return pd.DataFrame(columns)

    def _state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        return tables.to_arrays(self.train, self.schema), {}

    def _restore(self, arrays: dict[str, np.ndarray], record: dict[str, Any]) -> None:
        self.train = tables.from_arrays(arrays, self.schema)
