r"""Which network sees a row as a small picture?

FairTabDDPM's denoiser [Yang 2025, sec. 4.2]: a noisy row x becomes a latent row of side^2 numbers, a square picture; a
U-Net [Ronneberger 2015] with attention, told the time and the attributes it is shown, turns it into another, e; a
decoder reads eps and logits from that,

    z = W_2 SiLU(W_1 x),     e = UNet(z; w),     w = t_emb + sum_a Embedding_a,     [eps | logits] = V_2 SiLU(V_1 e).

The U-Net goes down once, to half the side and twice the channels, attends there and comes up again beside what it left.
Each of its blocks is

    h <- h + Conv(SiLU(GroupNorm( Conv(SiLU(GroupNorm(h))) + Linear(SiLU(w)) ))),

with a 1 x 1 convolution of h where the channels change. e is the row in which estimates are guided.

Departs: the source attends on the whole side too, where a row has four times the positions and attention sixteen times
the cost, and lays the pictures of its three estimates side by side; here they are three rows of a batch.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import skip_init

from synthcohort.networks.given import Attributes
from synthcohort.networks.layers import TimeEmbedding, linear
from synthcohort.networks.tokens import TransformerBlock

GROUPS = 8  # of the group normalisation [Yang 2025, release]


class LatentUNet(nn.Module):
    """(x [n, F], t [n], shown [n, A]) -> [n, F], by way of a latent row.

    Args:
        features: F.
        levels: K[a] of the attributes; none: the network is shown nothing.
        side: of the latent square, even, >= 2.
        channels: of the full squares, a multiple of 8.
        width: of the embeddings of time and attributes, even.
        generator: source of the first weights.
    """

    def __init__(
        self,
        *,
        features: int,
        levels: tuple[int, ...],
        side: int,
        channels: int,
        width: int,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        latent, c = side * side, channels
        self.side = side
        self.time = TimeEmbedding(width, generator)
        self.label = Attributes(levels, width, generator) if levels else None
        self.encoder = nn.Sequential(linear(features, latent, generator), nn.SiLU(), linear(latent, latent, generator))
        self.enter = conv(1, c, generator)
        self.fine = ResidualConv(c, c, width, generator)
        self.down = conv(c, 2 * c, generator, stride=2)
        self.coarse = ResidualConv(2 * c, 2 * c, width, generator)
        self.attention = TransformerBlock(2 * c, 8 * c, generator)
        self.up = conv(2 * c, c, generator)
        self.beside = ResidualConv(2 * c, c, width, generator)
        self.norm = nn.GroupNorm(GROUPS, c)
        self.leave = conv(c, 1, generator)
        self.decoder = nn.Sequential(
            linear(latent, features, generator), nn.SiLU(), linear(features, features, generator, zero=True)
        )

    def forward(self, x: Tensor, t: Tensor, shown: Tensor) -> Tensor:
        """Return [eps | logits], [n, F]."""
        return self.decode(self.latent(x, t, shown))

    def latent(self, x: Tensor, t: Tensor, shown: Tensor) -> Tensor:
        """Return e [n, side^2] for rows x [n, F], times t [n] and shown attributes [n, A]."""
        w = self.time(t)  # [n, width]
        if self.label is not None:
            w = w + self.label(shown)
        w = functional.silu(w)
        z = self.encoder(x).view(len(x), 1, self.side, self.side)
        left = self.fine(self.enter(z), w)  # [n, C, side, side]
        h = self.coarse(self.down(left), w)  # [n, 2 C, side / 2, side / 2]
        h = self.attention(h.flatten(2).mT).mT.view_as(h)
        h = self.up(functional.interpolate(h, scale_factor=2.0))  # [n, C, side, side]
        h = self.beside(torch.cat([h, left], dim=1), w)
        return self.leave(functional.silu(self.norm(h))).flatten(1)  # [n, side^2]

    def decode(self, e: Tensor) -> Tensor:
        """Return [eps | logits] [n, F] of latent rows e [n, side^2]."""
        return self.decoder(e)


class ResidualConv(nn.Module):
    """Two convolutions beside the identity; [n, inputs, a, a] -> [n, outputs, a, a]; see the module's text.

    Args:
        inputs: channels, a multiple of 8.
        outputs: channels, a multiple of 8.
        width: of the embedding.
        generator: source of the first weights.
    """

    def __init__(self, inputs: int, outputs: int, width: int, generator: torch.Generator) -> None:
        super().__init__()
        self.first_norm = nn.GroupNorm(GROUPS, inputs)
        self.inner = conv(inputs, outputs, generator)
        self.told = linear(width, outputs, generator)
        self.second_norm = nn.GroupNorm(GROUPS, outputs)
        self.outer = conv(outputs, outputs, generator, zero=True)
        self.past = nn.Identity() if inputs == outputs else conv(inputs, outputs, generator, size=1)

    def forward(self, h: Tensor, w: Tensor) -> Tensor:
        inside = self.inner(functional.silu(self.first_norm(h))) + self.told(w)[:, :, None, None]
        return self.past(h) + self.outer(functional.silu(self.second_norm(inside)))


def conv(
    inputs: int, outputs: int, generator: torch.Generator, *, size: int = 3, stride: int = 1, zero: bool = False
) -> nn.Conv2d:
    """Return a convolution that keeps the side, or divides it by `stride`.

    Args:
        inputs: channels.
        outputs: channels.
        generator: source of the weights, uniform in +-1/sqrt(inputs size^2), on the CPU.
        size: side of the kernel, odd.
        stride: step of the kernel.
        zero: start at zero, for the last layer of a residual branch.
    """
    layer = skip_init(nn.Conv2d, inputs, outputs, size, stride=stride, padding=size // 2)
    bound = 0.0 if zero else 1 / math.sqrt(inputs * size * size)
    for weight in (layer.weight, layer.bias):
        nn.init.uniform_(weight, -bound, bound, generator=generator)
    return layer
