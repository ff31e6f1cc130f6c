"""How does a row reach a network that draws places and levels, when the columns' laws have to be paid for?

Where `parts.modes` fits a mixture to the cells, a numeric cell here is its rank u under the noisy histogram that was
bought (`parts.private_labelled`), as the place alpha = 2 u - 1 on one mode; equal cells are spread over their interval
of ranks. The places of a column are then about even on (-1, 1), which is what a network that ends in tanh reaches.
Levels are indicators; their counts were bought with the histograms.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch
from scipy.stats import norm

from synthcohort.encoding import Encoded, Encoder
from synthcohort.generators.parts.labelled import rank_intervals
from synthcohort.generators.parts.modes import ModeRows, Modes
from synthcohort.rng import Rng
from synthcohort.schema import Schema


class PrivateModes:
    """Maps frames to places and indicators, and back.

    Args:
        encoder: the noisy distribution functions of the numeric columns.
        level_counts: [sum(K)] noisy counts > 0 of each level, categorical column after categorical column.
    """

    def __init__(self, encoder: Encoder, level_counts: np.ndarray) -> None:
        self.encoder = encoder
        self.level_counts = level_counts
        p = len(encoder.schema.numeric)
        one, zero = np.ones(p), np.zeros(p)
        counts = np.ones(p, dtype=np.int64)
        self._modes = Modes(
            encoder.schema,
            counts=counts,
            weights=one,
            centres=zero,
            widths=one,
            low=-one,
            high=one,
            level_counts=level_counts,
        )
        self.numeric, self.sizes, self.width = p, self._modes.sizes, self._modes.width

    def group(self, name: str) -> int:
        """Return which group of indicators belongs to column `name`."""
        return self._modes.group(name)

    def target_codes(self, conditions: pd.DataFrame) -> np.ndarray:
        """Return the levels [n] that the caller asks of the target; raises as `Modes.target_codes`."""
        return self._modes.target_codes(conditions)

    def encode(self, frame: pd.DataFrame, rng: Rng, device: str = "cpu") -> ModeRows:
        """Return the rows of `frame` as tensors; each cell lies within its interval of ranks by `rng`."""
        low, high = np.moveaxis(rank_intervals(self.encoder, frame), 2, 0)  # [n, P] each
        alpha = 2 * (low + (high - low) * rng.numpy().random(low.shape)) - 1
        codes = np.concatenate([np.zeros(alpha.shape, dtype=np.int64), self.encoder.encode_codes(frame)], axis=1)
        return ModeRows(torch.tensor(alpha, dtype=torch.float32, device=device), torch.tensor(codes, device=device))

    def decode(self, rows: ModeRows) -> pd.DataFrame:
        """Return tensors as a frame that satisfies the schema."""
        ranks = (rows.alpha.double().cpu().numpy() + 1) / 2
        scores = norm.ppf(np.clip(ranks, self.encoder.lo, 1 - self.encoder.lo))
        return self.encoder.decode(Encoded(scores, rows.codes[:, self.numeric :].cpu().numpy()))

    def state(self) -> dict[str, np.ndarray]:
        """Return what `restore` needs, as arrays."""
        return {"level_counts": self.level_counts, **self.encoder.state()}

    @classmethod
    def restore(cls, schema: Schema, arrays: dict[str, np.ndarray]) -> PrivateModes:
        """Rebuild from `state`."""
        return cls(Encoder.restore(schema, arrays), arrays["level_counts"])
