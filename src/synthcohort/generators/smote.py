r"""How far does interpolation between neighbours go?

SMOTE [Chawla 2002, fig. 3] draws a row, one of its k nearest neighbours of the same class, and a point
x + u (x_nn - x), u ~ U(0, 1), on the segment between them. SMOTENC gives the new row the commonest category among the
neighbours. Both come from imbalanced-learn. Used here as a sampler of whole tables, class by class, and of the minority
alone. A class with fewer than two rows has no neighbours and is a clear error.

Departs: numeric columns are divided by their training standard deviation before neighbours are searched, so that no
wide column decides alone who is near. SMOTE adds rows to a class that lacks them; to sample a whole table each class is
asked for its rows again, as [Kotelnikov 2023] interpolates within classes. A regression target is interpolated as one
more column of a table that has one class.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from imblearn.over_sampling import SMOTE, SMOTEN, SMOTENC
from imblearn.over_sampling.base import BaseOverSampler

from synthcohort.generators.base import FitError, Generator
from synthcohort.generators.parts import tables
from synthcohort.rng import Rng
from synthcohort.schema import Column


class Smote(Generator):
    """Interpolation between training rows of one class.

    Args:
        neighbours: k, neighbours a row may be joined with, >= 1; a smaller class uses all it has.
    """

    abilities: ClassVar[frozenset[str]] = frozenset({"condition-target"})

    def __init__(self, *, neighbours: int = 5) -> None:
        super().__init__()
        if neighbours < 1:
            raise ValueError(f"smote: neighbours={neighbours} must be 1 or more")
        self.neighbours = neighbours
        self.train: pd.DataFrame

    def _fit(self, train: pd.DataFrame, validation: pd.DataFrame | None, rng: Rng, device: str) -> None:
        self.train = train.reset_index(drop=True)

    def _sample(self, n: int, conditions: pd.DataFrame | None, rng: Rng, options: Mapping[str, Any]) -> pd.DataFrame:
        classes = self._classes(n, conditions, rng.branch("classes"))
        parts = []
        for level in np.unique(classes):
            places = np.flatnonzero(classes == level)
            part = self._interpolate(level, len(places), rng.branch("class", int(level)))
            parts.append(part.set_axis(places, axis=0))
        drawn = pd.concat(parts).sort_index()
        return self.schema.cast(drawn)

    def _classes(self, n: int, conditions: pd.DataFrame | None, rng: Rng) -> np.ndarray:
        """Return the class number [n] of every wanted row; a numeric target is one class."""
        target = self.schema.target
        if target.numeric:
            return np.zeros(n, dtype=np.int64)
        if conditions is not None:
            return conditions[target.name].cat.codes.to_numpy(dtype=np.int64)
        codes = self.train[target.name].cat.codes.to_numpy(dtype=np.int64)
        return codes[rng.numpy().integers(len(codes), size=n)]

    def _interpolate(self, level: int, n: int, rng: Rng) -> pd.DataFrame:
        """Return n new rows of one class: ask the oversampler to raise the class by n over a dummy majority."""
        target = self.schema.target
        rows = self.train if target.numeric else self.train[self.train[target.name].cat.codes == level]
        columns = self.schema.columns if target.numeric else self.schema.features
        if len(rows) < 2:
            raise FitError(
                f"smote: column {target.name!r} has {len(rows)} training row(s) of the asked class; "
                "interpolation needs at least 2"
            )
        matrix = np.column_stack([self._numbers(rows[c.name], c) for c in columns])  # [m, D]
        both = np.concatenate([matrix, matrix[np.arange(len(matrix) + n) % len(matrix)]])
        labels = np.r_[np.ones(len(matrix)), np.zeros(len(matrix) + n)]
        raised, _ = _oversampler(columns, min(self.neighbours, len(rows) - 1), rng).fit_resample(both, labels)
        return self._to_frame(raised[len(both) :], columns, level)

    def _to_frame(self, matrix: np.ndarray, columns: tuple[Column, ...] | list[Column], level: int) -> pd.DataFrame:
        target = self.schema.target
        data: dict[str, Any] = {}
        for j, column in enumerate(columns):
            if column.numeric:
                data[column.name] = self._natural(matrix[:, j], column)
            else:
                data[column.name] = np.array(column.levels)[matrix[:, j].astype(np.int64)]
        if not target.numeric:
            data[target.name] = target.levels[level]
        return pd.DataFrame(data)

    def _scale(self, column: Column) -> float:
        spread = float(self.train[column.name].std())
        return spread if spread > 0 else 1.0

    def _numbers(self, cells: pd.Series, column: Column) -> np.ndarray:
        return cells.to_numpy() / self._scale(column) if column.numeric else cells.cat.codes.to_numpy(dtype=np.float64)

    def _natural(self, scaled: np.ndarray, column: Column) -> np.ndarray:
        """Undo the scaling; the training range only guards against the last bit of a product."""
        seen = self.train[column.name]
        values = np.clip(scaled * self._scale(column), seen.min(), seen.max())
        return values if column.decimals is None else np.round(values, column.decimals)

    def _state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        return tables.to_arrays(self.train, self.schema), {}

    def _restore(self, arrays: dict[str, np.ndarray], record: dict[str, Any]) -> None:
        self.train = tables.from_arrays(arrays, self.schema)


def _oversampler(columns: tuple[Column, ...] | list[Column], neighbours: int, rng: Rng) -> BaseOverSampler:
    """Return SMOTE, SMOTENC or SMOTEN: all numeric, mixed, all categorical."""
    categorical = [j for j, column in enumerate(columns) if not column.numeric]
    shared = {"sampling_strategy": "minority", "k_neighbors": neighbours, "random_state": rng.integer()}
    if not categorical:
        return SMOTE(**shared)
    if len(categorical) == len(columns):
        return SMOTEN(**shared)
    return SMOTENC(categorical_features=categorical, **shared)
