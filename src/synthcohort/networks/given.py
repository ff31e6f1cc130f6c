"""Which network knows some attributes of a row and may be kept from others?

Each attribute has one vector a level and one for "hidden"; those of a row are added up and to the time's embedding,

    h = Linear(x) + t_emb + sum_a Embedding_a(level of a, or hidden).

What two attributes say together is left to the blocks: a vector for each cell of their joint would be learned from that
cell's rows alone, and the cells that balanced sampling asks for most have the fewest.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from synthcohort.networks.layers import embedding
from synthcohort.networks.mlp import DenoisingMLP


class Attributes(nn.Module):
    """[n, A] -> [n, width], the sum of one embedding an attribute; 0 is hidden, k + 1 level k.

    Args:
        levels: K[a] of the A attributes, A >= 1.
        width: of the embedding.
        generator: source of the first weights.
    """

    offsets: Tensor

    def __init__(self, levels: tuple[int, ...], width: int, generator: torch.Generator) -> None:
        super().__init__()
        entries = torch.tensor([k + 1 for k in levels])
        self.register_buffer("offsets", entries.cumsum(0) - entries, persistent=False)
        self.table = embedding(int(entries.sum()), width, generator)

    def forward(self, shown: Tensor) -> Tensor:
        return self.table(shown + self.offsets).sum(1)


class ConditionedMLP(DenoisingMLP):
    """A `DenoisingMLP` that is shown attributes [n, A] where that one is shown a label [n].

    Args:
        levels: K[a] of the attributes; none: the network is shown nothing.
        width: hidden width, even.
        generator: source of the first weights.
        others: further arguments of `DenoisingMLP`.
    """

    def __init__(self, *, levels: tuple[int, ...], width: int, generator: torch.Generator, **others: Any) -> None:
        super().__init__(labels=0, width=width, generator=generator, **others)
        self.label = Attributes(levels, width, generator) if levels else None
