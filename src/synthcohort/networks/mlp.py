"""Which network maps a row to a row of the same or another width?

A residual multilayer perceptron, and the same with a time and a label embedding added to its first hidden layer:

    h = Linear(x) + t_emb + y_emb,   blocks,   Linear(LayerNorm(h))        [Kotelnikov 2023, sec. 4.2].

Departs: the source stacks Linear, ReLU, dropout; residual blocks with layer normalisation and SiLU reach the same loss
in fewer steps.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from synthcohort.networks.layers import ResidualBlock, TimeEmbedding, embedding, linear


class ResidualMLP(nn.Module):
    """[n, inputs] -> [n, outputs].

    Args:
        inputs: width of the input.
        outputs: width of the output.
        width: hidden width.
        depth: number of residual blocks, >= 0.
        generator: source of the first weights.
    """

    def __init__(
        self,
        *,
        inputs: int,
        outputs: int,
        width: int,
        depth: int,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.enter = linear(inputs, width, generator)
        self.blocks = nn.ModuleList([ResidualBlock(width, generator) for _ in range(depth)])
        self.norm = nn.LayerNorm(width)
        self.leave = linear(width, outputs, generator, zero=True)

    def forward(self, x: Tensor, embedded: Tensor | None = None) -> Tensor:
        """Return [n, outputs]; `embedded` [n, width] is added to the first hidden layer."""
        h = self.enter(x)  # [n, width]
        if embedded is not None:
            h = h + embedded
        for block in self.blocks:
            h = block(h)
        return self.leave(self.norm(h))  # [n, outputs]


class Octaves(nn.Module):
    """Sines and cosines of numbers at F octaves, [n, P] -> [n, 2 P F]: sin 2^f x and cos 2^f x, f = 0..F-1.

    Periodic features of a number [Gorishniy 2022, sec. 3.3] let a smooth network bend sharply: at the border of a
    plateau, at the rank of a value that many rows share.

    Departs: the frequencies are fixed octaves of one standard deviation instead of learned ones; a learned first layer
    mixes them anyhow.
    """

    frequencies: Tensor

    def __init__(self, count: int) -> None:
        super().__init__()
        self.register_buffer("frequencies", 2.0 ** torch.arange(count), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        angles = (x[:, :, None] * self.frequencies).flatten(1)  # [n, P F]
        return torch.cat([angles.sin(), angles.cos()], dim=1)  # [n, 2 P F]


class DenoisingMLP(nn.Module):
    """A residual MLP that knows the time and, if there are labels, the label.

    Args:
        features: width of a noisy row.
        outputs: width of the output.
        labels: number of classes, 0 for a table without a categorical target.
        width: hidden width, even.
        depth: number of residual blocks, >= 0.
        generator: source of the first weights.
        numeric: how many of the first features are numbers that are also given by their octaves, 0 <= numeric.
        octaves: how many of them, >= 0.
    """

    def __init__(
        self,
        *,
        features: int,
        outputs: int,
        labels: int,
        width: int,
        depth: int,
        generator: torch.Generator,
        numeric: int = 0,
        octaves: int = 0,
    ) -> None:
        super().__init__()
        self.numeric = numeric
        self.time = TimeEmbedding(width, generator)
        self.label: nn.Module | None = embedding(labels, width, generator) if labels else None
        inputs = features + 2 * octaves * numeric
        self.body = ResidualMLP(inputs=inputs, outputs=outputs, width=width, depth=depth, generator=generator)
        self.octaves = Octaves(octaves)

    def forward(self, x: Tensor, t: Tensor, y: Tensor | None) -> Tensor:
        """Return [n, outputs] for rows x [n, features], times t [n] and labels y [n]; y is None without labels."""
        embedded = self.time(t)  # [n, width]
        if self.label is not None:
            embedded = embedded + self.label(y)
        whole = torch.cat([x, self.octaves(x[:, : self.numeric])], dim=1)  # [n, features + 2 P F]
        return self.body(whole, embedded)
