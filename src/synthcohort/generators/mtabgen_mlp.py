"""What does the transformer bring to MTabGen? The same generator with a residual perceptron in its place."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from synthcohort.generators.parts.fitting import at_least
from synthcohort.generators.parts.masked_diffusion import MaskedDiffusion
from synthcohort.networks.completing_mlp import CompletingMLP


@dataclass(kw_only=True, eq=False)
class MTabGenMLP(MaskedDiffusion):
    """Masked diffusion with a multilayer perceptron.

    Args (beside those of `MaskedDiffusion`):
        learning_rate: of AdamW, > 0; half that of the transformer.
        width: hidden width, even, >= 2.
        depth: residual blocks, >= 1.
    """

    learning_rate: float = 1e-3
    width: int = 256
    depth: int = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least(self, width=2, depth=1)
        if self.width % 2:
            raise ValueError(f"{self.name}: width={self.width} must be even")

    def _network(self, numeric: int, levels: tuple[int, ...], generator: torch.Generator) -> nn.Module:
        return CompletingMLP(numeric=numeric, levels=levels, width=self.width, depth=self.depth, generator=generator)
