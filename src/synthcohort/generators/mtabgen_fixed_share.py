"""What do dynamic masks bring to MTabGen when cells are imputed? The same generator with a fixed share of free cells.

In training every row has the same share of free cells, at random places, so the network learns to fill that many holes
and no others. Drawing rows is still completing empty ones, but nothing like it was ever learned.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from synthcohort.diffusion import masked
from synthcohort.generators.mtabgen import MTabGen


@dataclass(kw_only=True, eq=False)
class MTabGenFixedShare(MTabGen):
    """MTabGen for imputing alone.

    Args (beside those of `MTabGen`):
        share: of a training row's cells that are free, rounded to at least one cell, in (0, 1].
    """

    share: float = 0.2

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.share <= 1:
            raise ValueError(f"{self.name}: share={self.share} is not in (0, 1]")

    def _mask(self, known: Tensor, generator: torch.Generator) -> Tensor:
        number = (self.share * known.sum(1)).round().long().clamp(min=1)
        return masked.some(known, number, generator)
