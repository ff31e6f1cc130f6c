"""How do rows reach a network when target and sensitive attributes are conditions?

The attributes are the categorical target and the sensitive columns, target first. A network is shown levels: those of a
categorical column, the tenths of the training rows of a numeric one. Categorical ones may be set apart: they are not
diffused, a drawn row has the level it was asked for. All others are columns of the row as well.

A cell is a combination of levels of all attributes; what the caller leaves open of it is drawn from the cells of the
training rows that have what was asked, by their counts. Where no training row has it, what is open is drawn from all
cells.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from synthcohort.encoding import Encoded, Encoder
from synthcohort.generators.base import AbilityError
from synthcohort.generators.parts.labelled import LabelledEncoder, rank_intervals
from synthcohort.rng import Rng
from synthcohort.schema import Column, Schema


@dataclass(frozen=True)
class GivenRows:
    """Rows as tensors.

    Args:
        numeric: [n, P, 2] float32 ranks between which each cell lies (see `labelled.rank_intervals`), or [n, P] scores.
        codes: [n, Q] int64 level numbers of the columns that are not set apart.
        given: [n, A] int64 level numbers of the attributes.
    """

    numeric: Tensor
    codes: Tensor
    given: Tensor

    def parts(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return the three tensors, each with n entries along its first axis."""
        return self.numeric, self.codes, self.given


class GivenEncoder:
    """An encoder that knows attributes and sets some of them apart.

    Args:
        encoder: the table's encoder.
        low: [P] smallest normal score of the training rows.
        high: [P] largest normal score of the training rows.
        cells: [C, A] the different cells of the training rows.
        counts: [C] their rows.
        edges: ascending values by which a numeric attribute, by name, is cut into levels, each the least of its level.
        apart: names of the categorical attributes that are not diffused.
    """

    def __init__(
        self,
        encoder: Encoder,
        *,
        low: np.ndarray,
        high: np.ndarray,
        cells: np.ndarray,
        counts: np.ndarray,
        edges: Mapping[str, np.ndarray],
        apart: frozenset[str],
    ) -> None:
        self.encoder = encoder
        self.low = low
        self.high = high
        self.cells = cells
        self.counts = counts
        self.edges = dict(edges)
        self.attributes = attributes(encoder.schema)
        categorical = [c.name for c in encoder.schema.categorical]
        apart_ = [(a, c.name) for a, c in enumerate(self.attributes) if c.name in apart and not c.numeric]
        self._apart = [a for a, _ in apart_]  # among the attributes
        self._places = [categorical.index(name) for _, name in apart_]  # among the categorical columns
        self._kept = [j for j in range(len(categorical)) if j not in self._places]  # [Q]

    @classmethod
    def fit(cls, train: pd.DataFrame, schema: Schema, *, apart: frozenset[str]) -> GivenEncoder:
        """Learn scores, their range, tenths and cells from training rows."""
        plain = LabelledEncoder.fit(train, schema)
        edges = {c.name: tenths(train[c.name].to_numpy()) for c in attributes(schema) if c.numeric}
        codes = level_numbers(train, schema, edges)
        cells, counts = np.unique(codes, axis=0, return_counts=True) if codes.shape[1] else (codes[:0], np.empty(0))
        return cls(
            plain.encoder,
            low=plain.low,
            high=plain.high,
            cells=cells,
            counts=counts.astype(np.int64),
            edges=edges,
            apart=apart,
        )

    @property
    def numeric(self) -> int:
        """P, the number of numeric columns."""
        return len(self.low)

    @property
    def levels(self) -> tuple[int, ...]:
        """K[j] of the categorical columns that are not set apart, [Q]."""
        return tuple(self.encoder.levels[j] for j in self._kept)

    @property
    def given_levels(self) -> tuple[int, ...]:
        """K[a] of the attributes, [A]."""
        return tuple(len(self.edges[c.name]) + 1 if c.numeric else len(c.levels) for c in self.attributes)

    def split(self, frame: pd.DataFrame, device: str) -> GivenRows:
        """Return the rows of a frame as tensors."""
        ranks = torch.tensor(rank_intervals(self.encoder, frame), dtype=torch.float32, device=device)  # [n, P, 2]
        codes = torch.tensor(self.encoder.encode_codes(frame), device=device)
        given = torch.tensor(level_numbers(frame, self.encoder.schema, self.edges), device=device)
        return GivenRows(ranks, codes[:, self._kept], given)

    def join(self, rows: GivenRows) -> pd.DataFrame:
        """Return scores [n, P] and codes as a frame that satisfies the schema; what is not set apart keeps its own."""
        codes = np.empty((len(rows.codes), len(self.encoder.levels)), dtype=np.int64)
        codes[:, self._places] = rows.given[:, self._apart].cpu().numpy()
        codes[:, self._kept] = rows.codes.cpu().numpy()
        return self.encoder.decode(Encoded(rows.numeric.double().cpu().numpy(), codes))

    def asked(self, n: int, conditions: pd.DataFrame | None, rng: Rng, device: str) -> Tensor:
        """Return the attributes [n, A] of rows to draw: what is asked for, the rest drawn (see the module's text).

        Raises:
            AbilityError: if a numeric target is asked for.
            ValueError: if a level is asked for that no training row had.
        """
        wanted = np.full((n, len(self.attributes)), -1, dtype=np.int64)
        if conditions is not None:
            target = self.encoder.schema.target
            if target.numeric and target.name in conditions.columns:
                raise AbilityError(
                    f"condition on the target {target.name!r}: it is numeric, one more column of the joint law; "
                    "only a categorical target can be asked for"
                )
            named = [a for a, c in enumerate(self.attributes) if c.name in conditions.columns]
            wanted[:, named] = level_numbers(conditions, self.encoder.schema, self.edges)
        self._check_levels(wanted)
        if self.attributes:
            self._fill(wanted, rng.numpy())
        return torch.tensor(wanted, device=device)

    def _fill(self, wanted: np.ndarray, draw: np.random.Generator) -> None:
        """Fill the open places, -1, of cells [n, A]."""
        patterns, which = np.unique(wanted, axis=0, return_inverse=True)
        for i, pattern in enumerate(patterns):
            rows, open_ = np.flatnonzero(which.ravel() == i), pattern < 0
            if not open_.any():
                continue
            fits = ((self.cells == pattern) | open_).all(1)
            weights = self.counts * fits if fits.any() else self.counts
            chosen = draw.choice(len(self.cells), size=len(rows), p=weights / weights.sum())
            wanted[np.ix_(rows, open_)] = self.cells[chosen][:, open_]

    def _check_levels(self, wanted: np.ndarray) -> None:
        for a, column in enumerate(self.attributes):
            seen = set(self.cells[:, a])
            for code in np.unique(wanted[:, a]):
                if code >= 0 and code not in seen and not column.numeric:
                    known = [level for k, level in enumerate(column.levels) if k in seen]
                    raise ValueError(
                        f"condition on level {column.levels[code]!r} of {column.name!r}, which no training row had; "
                        f"ask for one of {known}"
                    )

    def state(self) -> dict[str, np.ndarray]:
        """Return what `restore` needs, as arrays."""
        own = {"cells": self.cells, "cell_counts": self.counts, "score_low": self.low, "score_high": self.high}
        return {**own, **{f"edges.{name}": edge for name, edge in self.edges.items()}, **self.encoder.state()}

    @classmethod
    def restore(cls, schema: Schema, arrays: dict[str, np.ndarray], *, apart: frozenset[str]) -> GivenEncoder:
        """Rebuild from `state`."""
        return cls(
            Encoder.restore(schema, arrays),
            low=arrays["score_low"],
            high=arrays["score_high"],
            cells=arrays["cells"],
            counts=arrays["cell_counts"],
            edges={c.name: arrays[f"edges.{c.name}"] for c in attributes(schema) if c.numeric},
            apart=apart,
        )


def attributes(schema: Schema) -> tuple[Column, ...]:
    """Return the columns that may be asked for: the target, if it is categorical, then the sensitive ones."""
    target = schema.target
    return tuple(schema.sensitive) if target.numeric else (target, *schema.sensitive)


def tenths(values: np.ndarray) -> np.ndarray:
    """Return at most 9 ascending edges, values that occur, which cut values [n] into levels of about a tenth each."""
    edges = np.unique(np.quantile(values, np.linspace(0.1, 0.9, 9), method="inverted_cdf"))
    return edges[edges > values.min()]


def level_numbers(frame: pd.DataFrame, schema: Schema, edges: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the level numbers [n, A'] of the attributes that `frame` has; `edges` as in `GivenEncoder`."""
    codes = [
        np.searchsorted(edges[c.name], frame[c.name].to_numpy(), side="right") if c.numeric else frame[c.name].cat.codes
        for c in attributes(schema)
        if c.name in frame.columns
    ]
    return np.stack(codes, axis=1).astype(np.int64) if codes else np.empty((len(frame), 0), dtype=np.int64)
