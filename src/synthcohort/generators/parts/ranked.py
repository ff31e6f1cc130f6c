"""How do the features of a table become the inputs of a network, by nothing but histograms that were paid for?

A numeric cell x becomes 2 F(x) - 1 in [-1, 1], F the distribution function of its column's noisy histogram, linear
within a bin; a categorical cell becomes an indicator a declared level. The target stands apart: its coarse level is the
condition y, which is drawn from its histogram if nobody asks for one.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from synthcohort.generators.parts.private_table import PrivateTable
from synthcohort.networks.groups import Groups
from synthcohort.rng import Rng


class Ranked:
    """The maps between features and inputs [n, P + sum(K)].

    Args:
        table: the table's bins and histograms.
    """

    def __init__(self, table: PrivateTable) -> None:
        self.schema = table.schema
        self.table = table
        self.numeric = [c for c in self.schema.features if c.numeric]
        self.categorical = [c for c in self.schema.features if not c.numeric]
        self.groups = Groups(tuple(len(c.levels) for c in self.categorical))
        self.width = len(self.numeric) + self.groups.total
        root = self.schema.names.index(self.schema.target.name)
        self.root = root
        self.classes = table.levels[root]
        weights = np.bincount(table.groups[root], weights=table.shares[root])
        self.class_shares = weights / weights.sum()

    def encode(self, frame: pd.DataFrame) -> tuple[Tensor, Tensor]:
        """Return inputs [n, P + sum(K)] and indicators of the target's coarse level [n, classes]."""
        ranks = [2 * np.interp(frame[c.name].to_numpy(), *self._law(c.name)) - 1 for c in self.numeric]
        codes = [frame[c.name].cat.codes.to_numpy(dtype=np.int64) for c in self.categorical]
        numeric = torch.tensor(np.stack(ranks, axis=1) if ranks else np.empty((len(frame), 0)), dtype=torch.float32)
        levels = torch.tensor(np.stack(codes, axis=1) if codes else np.empty((len(frame), 0), dtype=np.int64))
        y = torch.tensor(self.table.target_codes(frame[self.schema.target.name]))
        return torch.cat([numeric, self.groups.one_hot(levels)], dim=1), self.one_hot(y)

    def one_hot(self, y: Tensor) -> Tensor:
        """Return coarse levels [n] of the target as indicators [n, classes]."""
        return torch.nn.functional.one_hot(y, self.classes).float()

    def decode(self, numeric: np.ndarray, levels: np.ndarray, y: np.ndarray, rng: Rng) -> pd.DataFrame:
        """Return numbers [n, P] in [-1, 1], codes [n, Q] and coarse target levels [n] as rows."""
        drawn = self.table.frame(np.where(np.arange(len(self.schema.columns))[:, None] == self.root, y, 0), rng)
        for j, column in enumerate(self.numeric):
            edges, upto = self._law(column.name)
            values = np.interp((numeric[:, j] + 1) / 2, upto, edges)
            if column.decimals is not None:
                half = 0.5 * 10.0**-column.decimals
                values = np.round(np.clip(values, edges[0] + half, edges[-1] - half), column.decimals)
            drawn[column.name] = np.clip(values, column.low, column.high)
        for j, column in enumerate(self.categorical):
            drawn[column.name] = pd.Categorical.from_codes(levels[:, j], categories=list(column.levels))
        return drawn

    def _law(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Return the edges [K + 1] of a numeric column and F there."""
        j = [c.name for c in self.schema.numeric].index(name)
        shares = self.table.shares[self.schema.names.index(name)]
        return self.table.edges[j], np.concatenate([[0.0], np.cumsum(shares) / shares.sum()])
