"""How does a table become integer cells that keep their order, and how do ranks and levels become rows again?

A numeric column is cut between neighbouring training values (`parts.ranks`); a categorical one has a code a level.
Levels are ordered by the mean of the target among the training rows that have them (those of a categorical target as
the schema lists them), so that a threshold on the code is a sensible split [Hastie 2009, sec. 9.2.4].
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from synthcohort.encoding import Encoded, Encoder
from synthcohort.generators.parts import ranks
from synthcohort.schema import Column, Schema


@dataclass(frozen=True)
class Cells:
    """Rows as numbers; cells may be absent.

    Args:
        codes: [n, d] codes, columns in the schema's order; 0 for what is absent.
        windows: [n, P, 2] normal scores at the ends of the numeric cells' windows; NaN for what is absent.
        given: [n, d] which cells are there.
    """

    codes: np.ndarray
    windows: np.ndarray
    given: np.ndarray

    def rows(self, which: np.ndarray | slice) -> Cells:
        """Return some of the rows."""
        return Cells(self.codes[which], self.windows[which], self.given[which])


class Grid:
    """The maps between a table's rows and its cells.

    Args:
        encoder: the table's encoder.
        cuts: the cuts of each numeric column, ascending.
        order: for each categorical column the level at each code.
    """

    def __init__(self, encoder: Encoder, cuts: list[np.ndarray], order: list[np.ndarray]) -> None:
        self.encoder = encoder
        self.cuts = cuts
        self.order = order
        self.columns = encoder.schema.columns
        numeric = np.cumsum([c.numeric for c in self.columns]) - 1
        self.place = [int(numeric[i] if c.numeric else i - numeric[i] - 1) for i, c in enumerate(self.columns)]
        self.top = [len(cuts[j]) if c.numeric else len(order[j]) - 1 for c, j in zip(self.columns, self.place)]
        self.edges = [self._edges(j) for j in range(len(cuts))]
        self.log_measure = ranks.log_measure(encoder)

    @classmethod
    def fit(cls, train: pd.DataFrame, schema: Schema) -> Grid:
        """Learn cuts and orders from training rows."""
        cuts = [ranks.cuts(train[c.name].to_numpy(), c.decimals) for c in schema.numeric]
        target = train[schema.target.name]
        outcome = target.to_numpy() if schema.target.numeric else target.cat.codes.to_numpy()
        order = [_order(train[c.name].cat.codes.to_numpy(), outcome, c) for c in schema.categorical]
        return cls(Encoder.fit(train, schema), cuts, order)

    def _edges(self, j: int) -> np.ndarray:
        """Return the normal scores [U + 1] of the cuts of numeric column j and of the ends of its range."""
        inner = ranks.rank(self.encoder, j, self.cuts[j])
        return ranks.scores(self.encoder, np.concatenate([[0.0], inner, [1.0]]))

    def cells(self, frame: pd.DataFrame) -> Cells:
        """Return the rows of a frame that may lack columns or cells."""
        absent = np.zeros(len(frame), dtype=bool)
        held = [frame[c.name].notna().to_numpy() if c.name in frame else absent for c in self.columns]
        return Cells(self._codes(frame), self._windows(frame), np.stack(held, axis=1))

    def _codes(self, frame: pd.DataFrame) -> np.ndarray:
        out = np.zeros((len(frame), len(self.columns)), dtype=np.min_scalar_type(max(self.top)))
        for i, (column, j) in enumerate(zip(self.columns, self.place, strict=True)):
            if column.name not in frame:
                continue
            cells = frame[column.name]
            if column.numeric:
                out[:, i] = ranks.codes(np.nan_to_num(cells.to_numpy(), nan=-np.inf), self.cuts[j])
            else:
                out[:, i] = np.argsort(self.order[j])[np.maximum(cells.cat.codes.to_numpy(), 0)]
        return out

    def _windows(self, frame: pd.DataFrame) -> np.ndarray:
        absent = pd.Series(np.nan, index=frame.index)
        values = [frame.get(c.name, absent).to_numpy(dtype=np.float64) for c in self.encoder.schema.numeric]
        stacked = np.stack(values, axis=1) if values else np.empty((len(frame), 0))
        return ranks.scores(self.encoder, ranks.windows(self.encoder, stacked))

    def nearest(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return a copy whose numbers lie inside the training range."""
        ends = {
            c.name: (self.encoder.quantiles[0, j], self.encoder.quantiles[-1, j])
            for j, c in enumerate(self.encoder.schema.numeric)
        }
        return frame.assign(**{name: frame[name].clip(*ends[name]) for name in frame.columns if name in ends})

    def distinct(self, frame: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray]:
        """Return the different rows of a frame with absent cells, and which of them each row is, [n]."""
        cells = [
            frame[c.name].to_numpy() if c.numeric else frame[c.name].cat.codes.to_numpy()
            for c in self.columns
            if c.name in frame and frame[c.name].notna().any()
        ]
        if not cells:
            return frame.iloc[:1], np.zeros(len(frame), dtype=np.int64)
        stacked = np.nan_to_num(np.stack(cells, axis=1).astype(np.float64), nan=np.inf)
        _, first, which = np.unique(stacked, axis=0, return_index=True, return_inverse=True)
        return frame.iloc[first], which.reshape(-1)

    def frame(self, numeric: np.ndarray, codes: np.ndarray) -> pd.DataFrame:
        """Return normal scores [n, P] and codes of the categorical columns [n, Q] as rows of the table."""
        levels = [o[codes[:, j]] for j, o in enumerate(self.order)]
        stacked = np.stack(levels, axis=1) if levels else np.empty((len(numeric), 0), dtype=np.int64)
        return self.encoder.decode(Encoded(numeric, stacked))

    def state(self) -> dict[str, np.ndarray]:
        """Return what `restore` needs, as arrays."""
        cuts = {f"cuts_{j}": a for j, a in enumerate(self.cuts)}
        order = {f"order_{j}": a for j, a in enumerate(self.order)}
        return {**self.encoder.state(), **cuts, **order}

    @classmethod
    def restore(cls, schema: Schema, arrays: dict[str, np.ndarray]) -> Grid:
        """Rebuild from `state`."""
        cuts = [arrays[f"cuts_{j}"] for j in range(len(schema.numeric))]
        order = [arrays[f"order_{j}"] for j in range(len(schema.categorical))]
        return cls(Encoder.restore(schema, arrays), cuts, order)


def _order(levels: np.ndarray, outcome: np.ndarray, column: Column) -> np.ndarray:
    """Return the level at each code, [K]; a level that no row has counts as average."""
    k = len(column.levels)
    if column.role == "target":
        return np.arange(k)
    standing = rankdata(outcome) / len(outcome)  # a numeric target's tail decides no order
    count = np.bincount(levels, minlength=k)
    total = np.bincount(levels, weights=standing, minlength=k)
    mean = np.divide(total, count, out=np.full(k, standing.mean()), where=count > 0)
    return np.argsort(mean, kind="stable")
