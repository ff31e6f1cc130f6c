"""What are the networks made of?

Layers whose weights come from a given generator: torch's own constructors draw from the process-wide one.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import skip_init


def linear(inputs: int, outputs: int, generator: torch.Generator, *, zero: bool = False) -> nn.Linear:
    """Return a linear layer, weights and bias uniform in +-1/sqrt(inputs), or all zero.

    Args:
        inputs: width of the input.
        outputs: width of the output.
        generator: source of the weights, on the CPU.
        zero: start at zero, for the last layer of a residual branch.
    """
    layer = skip_init(nn.Linear, inputs, outputs)
    bound = 0.0 if zero else 1 / math.sqrt(max(inputs, 1))
    nn.init.uniform_(layer.weight, -bound, bound, generator=generator)
    nn.init.uniform_(layer.bias, -bound, bound, generator=generator)
    return layer


def embedding(entries: int, width: int, generator: torch.Generator) -> nn.Embedding:
    """Return a table of `entries` standard normal vectors of `width`."""
    layer = skip_init(nn.Embedding, entries, width)
    nn.init.normal_(layer.weight, generator=generator)
    return layer


def sinusoids(t: Tensor, width: int, *, longest: float = 10_000.0) -> Tensor:
    """Return cosines and sines of t at `width` / 2 frequencies, [n] -> [n, width] [Vaswani 2017, sec. 3.5].

    Args:
        t: [n] times; the frequencies suit a range of about 1000.
        width: even.
        longest: ratio of the highest to the lowest frequency.
    """
    half = width // 2
    frequencies = torch.exp(-math.log(longest) * torch.arange(half, device=t.device) / half)
    angles = t[:, None] * frequencies  # [n, width / 2]
    return torch.cat([angles.cos(), angles.sin()], dim=1)  # [n, width]


class TimeEmbedding(nn.Module):
    """t_emb = Linear(SiLU(Linear(sinusoids(1000 t)))) [Kotelnikov 2023, sec. 4.2]; [n] in [0, 1] -> [n, width]."""

    def __init__(self, width: int, generator: torch.Generator) -> None:
        super().__init__()
        self.width = width
        self.inner = linear(width, width, generator)
        self.outer = linear(width, width, generator)

    def forward(self, t: Tensor) -> Tensor:
        return self.outer(functional.silu(self.inner(sinusoids(1000 * t, self.width))))


class ResidualBlock(nn.Module):
    """h + Linear(SiLU(Linear(LayerNorm(h)))); [n, width] -> [n, width].

    The last layer starts at zero, so that the block starts as the identity.
    """

    def __init__(self, width: int, generator: torch.Generator) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.inner = linear(width, width, generator)
        self.outer = linear(width, width, generator, zero=True)

    def forward(self, h: Tensor) -> Tensor:
        return h + self.outer(functional.silu(self.inner(self.norm(h))))
