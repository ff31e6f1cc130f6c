"""How does a table become levels whose number, meaning and shares were all paid for?

Numeric columns are cut into equal bins between their declared bounds, categorical ones have their declared levels: fine
levels, which cost nothing. Of each column a noisy histogram is bought. Levels whose noisy count is below
`least_signal` times the deviation of the noise are joined (`dp.preprocessing`): coarse levels, on which laws are
learned. A row is drawn back from them by the same histogram: among the fine levels of a coarse one by their positive
counts, and evenly within a bin. The target keeps all its levels if it is categorical, so that each may be asked for.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from synthcohort.dp.preprocessing import Measure, bin_of, merge_neighbours, merge_rare, value_in
from synthcohort.generators.bayesian_network import draw_levels
from synthcohort.generators.parts.graphical import Measured
from synthcohort.rng import Rng
from synthcohort.schema import Schema


class PrivateTable:
    """The maps between a table's rows and coarse levels.

    Args:
        schema: the table's schema.
        edges: of each numeric column, [K + 1].
        groups: for each column the coarse level of each fine one, [K].
        shares: for each column the weight of each fine level, [K], >= 0.
    """

    def __init__(
        self, schema: Schema, edges: list[np.ndarray], groups: list[np.ndarray], shares: list[np.ndarray]
    ) -> None:
        self.schema = schema
        self.edges = edges
        self.groups = groups
        self.shares = shares

    @classmethod
    def fit(
        cls, train: pd.DataFrame, schema: Schema, edges: list[np.ndarray], *, measure: Measure, least_signal: float
    ) -> tuple[PrivateTable, list[Measured]]:
        """Buy a histogram of each column; return the table and the histograms of its coarse levels."""
        groups, shares, measured = [], [], []
        for i, (column, fine) in enumerate(zip(schema.columns, _fine(train, schema, edges), strict=True)):
            size = len(edges[_place(schema, i)]) - 1 if column.numeric else len(column.levels)
            counts, deviation = measure(f"histogram of {column.name}", np.bincount(fine, minlength=size))
            least = least_signal * deviation
            if column.numeric:
                group = merge_neighbours(counts, least)
            elif column.role == "target":
                group = np.arange(size)
            else:
                group = merge_rare(counts, least)
            coarse = np.bincount(group, weights=counts)
            measured.append(Measured((i,), coarse, deviation * np.sqrt(np.bincount(group))))
            groups.append(group)
            shares.append(np.maximum(counts, 0) + 1e-6)
        return cls(schema, edges, groups, shares), measured

    @property
    def levels(self) -> list[int]:
        """Coarse levels of each column, [d]."""
        return [int(group.max()) + 1 for group in self.groups]

    def codes(self, frame: pd.DataFrame) -> np.ndarray:
        """Return the coarse levels [d, n] of rows."""
        return np.stack([group[fine] for group, fine in zip(self.groups, _fine(frame, self.schema, self.edges))])

    def target_codes(self, cells: pd.Series) -> np.ndarray:
        """Return the coarse levels [n] of target cells."""
        i = self.schema.names.index(self.schema.target.name)
        if self.schema.target.numeric:
            return self.groups[i][bin_of(cells.to_numpy(), self.edges[_place(self.schema, i)])]
        return self.groups[i][cells.cat.codes.to_numpy()]

    def frame(self, codes: np.ndarray, rng: Rng) -> pd.DataFrame:
        """Return rows drawn from coarse levels [d, n]."""
        data: dict[str, object] = {}
        for i, column in enumerate(self.schema.columns):
            uniform = rng.branch("levels", i).numpy().random((codes.shape[1],))
            fine = draw_levels(self._within(i), codes[i], uniform)
            if column.numeric:
                place = rng.branch("values", i).numpy().random((codes.shape[1],))
                values = value_in(fine, self.edges[_place(self.schema, i)], place, column.decimals)
                data[column.name] = np.clip(values, column.low, column.high)
            else:
                data[column.name] = pd.Categorical.from_codes(fine, categories=list(column.levels))
        return pd.DataFrame(data, columns=self.schema.names)

    def _within(self, i: int) -> np.ndarray:
        """Return P(fine level | coarse level) of column i, [coarse, fine]."""
        held = np.arange(self.groups[i].max() + 1)[:, None] == self.groups[i]
        weights = np.where(held, self.shares[i], 0.0)
        return weights / weights.sum(axis=1, keepdims=True)

    def state(self) -> dict[str, np.ndarray]:
        """Return what `restore` needs, as arrays."""
        parts: dict[str, list[np.ndarray]] = {"edges": self.edges, "groups": self.groups, "shares": self.shares}
        return {f"{name}_{i}": array for name, arrays in parts.items() for i, array in enumerate(arrays)}

    @classmethod
    def restore(cls, schema: Schema, arrays: dict[str, Any]) -> PrivateTable:
        """Rebuild from `state`."""
        d = range(len(schema.columns))
        edges = [arrays[f"edges_{j}"] for j in range(len(schema.numeric))]
        return cls(schema, edges, [arrays[f"groups_{i}"] for i in d], [arrays[f"shares_{i}"] for i in d])


def _place(schema: Schema, i: int) -> int:
    """Return the place among the numeric columns of column i."""
    return sum(c.numeric for c in schema.columns[:i])


def _fine(frame: pd.DataFrame, schema: Schema, edges: list[np.ndarray]) -> list[np.ndarray]:
    """Return the fine levels [n] of every column."""
    own = iter(edges)
    return [
        bin_of(frame[c.name].to_numpy(), next(own)) if c.numeric else frame[c.name].cat.codes.to_numpy(dtype=np.int64)
        for c in schema.columns
    ]
