"""How do rows with holes reach a network that reads some cells and draws others?

A cell is known if it is there and, for a level, if some training row had it. In training only known cells are given or
free. In drawing, every cell that is not there is free; a level that no training row had is neither: nothing was learned
about it, so it tells nothing, and it stays as it is.

A numeric cell that is drawn is a point of the interval of ranks that decode to it (see `labelled.spread`); one that is
given is the middle of that interval, so that equal values look equal. Columns are in the order numeric, categorical.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from scipy.stats import norm
from torch import Tensor

from synthcohort.diffusion.sampler import State
from synthcohort.encoding import Encoded, Encoder
from synthcohort.generators.parts.labelled import rank_intervals
from synthcohort.rng import Rng
from synthcohort.schema import Schema


@dataclass(frozen=True)
class MaskedRows:
    """Rows as tensors; what stands in a cell that is not known is arbitrary but finite.

    Args:
        ranks: [n, P, 2] float32 ranks in (0, 1) between which each numeric cell lies.
        values: [n, P] float32 normal scores of the middles of these.
        codes: [n, Q] int64 level numbers.
        known: [n, P + Q] which cells may be given or learned.
    """

    ranks: Tensor
    values: Tensor
    codes: Tensor
    known: Tensor

    def parts(self) -> tuple[Tensor, ...]:
        """Return the tensors, each with n entries along its first axis."""
        return self.ranks, self.values, self.codes, self.known


class MaskedEncoder:
    """An encoder of rows with holes.

    Args:
        encoder: the table's encoder.
        counts: [sum(K)] training rows of each level of the categorical columns, one column after the other.
    """

    def __init__(self, encoder: Encoder, counts: np.ndarray) -> None:
        self.encoder = encoder
        self.counts = counts
        numeric, categorical = encoder.schema.numeric, encoder.schema.categorical
        self.names = [c.name for c in (*numeric, *categorical)]
        self.numeric = len(numeric)
        self.high = np.full(self.numeric, -norm.ppf(encoder.lo))

    @classmethod
    def fit(cls, train: pd.DataFrame, schema: Schema) -> MaskedEncoder:
        """Learn scores and the levels there are from training rows, with or without holes."""
        codes = [train[c.name].dropna().cat.codes.to_numpy() for c in schema.categorical]
        counts = [np.bincount(own, minlength=len(c.levels)) for own, c in zip(codes, schema.categorical, strict=True)]
        return cls(Encoder.fit(train, schema), np.concatenate([np.zeros(0, dtype=np.int64), *counts]))

    @property
    def levels(self) -> tuple[int, ...]:
        """K[j] of the categorical columns."""
        return tuple(self.encoder.levels)

    def split(self, frame: pd.DataFrame, device: str) -> MaskedRows:
        """Return the rows of a frame as tensors."""
        there = self.order(frame.notna().to_numpy())
        ranks = np.where(there[:, : self.numeric, None], rank_intervals(self.encoder, frame), 0.5)  # [n, P, 2]
        codes = self.encoder.encode_codes(frame).clip(min=0)  # [n, Q]
        starts = np.cumsum([0, *self.levels])[:-1].astype(np.int64)  # [Q]
        there[:, self.numeric :] &= self.counts[codes + starts] > 0
        return MaskedRows(
            torch.tensor(ranks, dtype=torch.float32, device=device),
            torch.tensor(norm.ppf(ranks.mean(2)), dtype=torch.float32, device=device),
            torch.tensor(codes, device=device),
            torch.tensor(there, device=device),
        )

    def marginal(self, name: str, n: int, rng: Rng) -> np.ndarray | pd.Categorical:
        """Return n cells drawn from a column's law in the training rows, whatever the others are."""
        column, j = self.encoder.schema[name], self.names.index(name)
        if not column.numeric:
            start = sum(self.levels[: j - self.numeric])
            counts = self.counts[start : start + len(column.levels)]
            codes = rng.numpy().choice(len(counts), size=n, p=counts / counts.sum())
            return pd.Categorical.from_codes(codes, categories=list(column.levels))
        scores = np.zeros((n, self.numeric))
        scores[:, j] = rng.numpy().standard_normal(n)
        codes = np.zeros((n, len(self.levels)), dtype=np.int64)
        return self.encoder.decode(Encoded(scores, codes))[name].to_numpy()

    def order(self, cells: np.ndarray) -> np.ndarray:
        """Return cells [n, P + Q] of the schema's columns in the order of the network's."""
        return cells[:, [self.encoder.schema.names.index(name) for name in self.names]]

    def join(self, rows: State) -> pd.DataFrame:
        """Return drawn rows as a frame that satisfies the schema."""
        return self.encoder.decode(Encoded(rows.numeric.double().cpu().numpy(), rows.codes.cpu().numpy()))

    def state(self) -> dict[str, np.ndarray]:
        """Return what `restore` needs, as arrays."""
        return {"level_counts": self.counts, **self.encoder.state()}

    @classmethod
    def restore(cls, schema: Schema, arrays: dict[str, np.ndarray]) -> MaskedEncoder:
        """Rebuild from `state`."""
        return cls(Encoder.restore(schema, arrays), arrays["level_counts"])
