"""What does diffusion draw that learns every cell of a row given any others?

MTabGen [Villaizan-Vallelado 2025]: Gaussian diffusion on the normal scores of numeric columns, multinomial diffusion on
categorical ones; an encoder over given cells, a decoder over free cells that reads them by cross-attention
(`networks.transformer`); in training, the number of free cells of a row is uniform on 1..K (`diffusion.masked`). The
target is a column like any other. One fitted network draws rows, draws rows with any cells given, and imputes; training
rows may miss cells.

Departs, each with its reason where it is coded: v-prediction and Bayes' rule for a cell's own noise
(`diffusion.masked`), cross-entropy for levels (`diffusion.denoiser`), exact reverse step for levels
(`diffusion.multinomial`), continuous time (`diffusion.schedule`), few second-order steps (`diffusion.sampler`), early
stop on validation rows (`training`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn

from synthcohort.generators.parts.fitting import at_least
from synthcohort.generators.parts.masked_diffusion import MaskedDiffusion
from synthcohort.networks.transformer import Attention, Transformer


@dataclass(kw_only=True, eq=False)
class MTabGen(MaskedDiffusion):
    """Masked diffusion with an encoder-decoder transformer.

    Args (beside those of `MaskedDiffusion`):
        width: numbers a token, even and a multiple of `heads`.
        depth: blocks of the encoder and as many of the decoder, >= 1.
        heads: heads of an attention, >= 1.
    """

    condition: ClassVar[type[nn.Module]] = Attention

    width: int = 32
    depth: int = 1
    heads: int = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least(self, depth=1, heads=1)
        if self.width < 2 or self.width % 2 or self.width % self.heads:
            raise ValueError(f"{self.name}: width={self.width} must be even and a multiple of heads={self.heads}")

    def _network(self, numeric: int, levels: tuple[int, ...], generator: torch.Generator) -> nn.Module:
        return Transformer(
            numeric=numeric,
            levels=levels,
            width=self.width,
            depth=self.depth,
            heads=self.heads,
            generator=generator,
            condition=self.condition,
        )
