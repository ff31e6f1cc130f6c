"""Which network turns a row of modes and levels into a latent law, and a latent point into the laws of its cells?

Two plain perceptrons [Xu 2019, sec. 4.5]:

    q(z | x) = N( mu(x), diag sigma(x)^2 ),      p(alpha_j | z) = N( tanh a_j(z), delta_j^2 ),
    p(mode or level k of group g | z) = softmax( l_g(z) )_k.

delta_j is learned, one a column, between 0.01 and 1: delta = 0.01 * 100^sigmoid(s), s = 0 at the start (0.1).
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from synthcohort.networks.layers import linear


class ReluMLP(nn.Module):
    """Linear, ReLU, ..., Linear: [n, inputs] -> [n, outputs].

    Args:
        inputs: width of the input.
        outputs: width of the output.
        width: hidden width.
        depth: hidden layers, >= 1.
        generator: source of the first weights.
    """

    def __init__(self, *, inputs: int, outputs: int, width: int, depth: int, generator: torch.Generator) -> None:
        super().__init__()
        widths = [inputs, *[width] * depth]
        self.layers = nn.ModuleList([linear(a, b, generator) for a, b in pairwise(widths)])
        self.leave = linear(width, outputs, generator)

    def forward(self, h: Tensor) -> Tensor:
        for layer in self.layers:
            h = functional.relu(layer(h))
        return self.leave(h)


class ModeAutoencoder(nn.Module):
    """Encoder, decoder and one scale per numeric column.

    Args:
        numeric: P, places alpha at the head of a row.
        entries: modes and levels after them.
        latent: width of z.
        width: hidden width of both halves.
        depth: hidden layers of both halves.
        generator: source of the first weights.
    """

    def __init__(
        self, *, numeric: int, entries: int, latent: int, width: int, depth: int, generator: torch.Generator
    ) -> None:
        super().__init__()
        features = numeric + entries
        self.split = [numeric, entries]
        self.encoder = ReluMLP(inputs=features, outputs=2 * latent, width=width, depth=depth, generator=generator)
        self.decoder = ReluMLP(inputs=latent, outputs=features, width=width, depth=depth, generator=generator)
        self.scale = nn.Parameter(torch.zeros(numeric))

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return mu and log sigma, [n, latent] each, of rows x [n, P + entries]."""
        mu, log_variance = self.encoder(x).chunk(2, dim=1)
        return mu, 0.5 * log_variance

    def decode(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Return centres of alpha [n, P] and logits [n, entries] at z [n, latent]."""
        places, logits = self.decoder(z).split(self.split, dim=1)
        return places.tanh(), logits

    @property
    def delta(self) -> Tensor:
        """Standard deviation of alpha around its centre, [P]."""
        return 0.01 * 100 ** self.scale.sigmoid()
