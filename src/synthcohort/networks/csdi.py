r"""Which network says what was added to the hidden cells of a row, from these and from the cells that are there?

CSDI's denoiser for a table [Zheng 2022, sec. 3; Tashiro 2021, sec. 4.3 and app. E.1]: every number of the row is a
token of two channels, its clean value where it is given and its noisy one where it is asked for; with time axis and
temporal attention gone, a layer is

    h = x + W_t emb(t),   h = T(h),   (g, f) = W h + W_s s,   (r, k) = W_o sigmoid(g) tanh(f),   x <- (x + r) / sqrt 2,

T one post-norm transformer layer over the tokens, s the token's own embedding and whether it is given. The skips k of
all layers are summed, and two more maps turn the sum into one number a token.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from synthcohort.networks.layers import TimeEmbedding, embedding, linear


class FeatureTransformer(nn.Module):
    """h <- N(h + A(h)), h <- N(h + F(h)): attention over tokens and a perceptron; [n, D, d] -> [n, D, d].

    Args:
        width: d, a multiple of `heads`.
        heads: heads of the attention.
        generator: source of the first weights.
    """

    def __init__(self, width: int, heads: int, generator: torch.Generator) -> None:
        super().__init__()
        self.heads = heads
        self.read = linear(width, 3 * width, generator)
        self.answer = linear(width, width, generator)
        self.inner = linear(width, width, generator)
        self.outer = linear(width, width, generator)
        self.norms = nn.ModuleList([nn.LayerNorm(width), nn.LayerNorm(width)])

    def forward(self, h: Tensor) -> Tensor:
        q, k, v = (x.unflatten(2, (self.heads, -1)).transpose(1, 2) for x in self.read(h).chunk(3, dim=2))
        seen = functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)  # [n, D, d]
        h = self.norms[0](h + self.answer(seen))
        return self.norms[1](h + self.outer(functional.gelu(self.inner(h))))


class Layer(nn.Module):
    """One residual layer of the module's text; returns the next x and this layer's skip, both [n, D, d].

    Args:
        width: d.
        heads: heads of the attention.
        side: width of what is known of a token besides its value.
        generator: source of the first weights.
    """

    def __init__(self, width: int, heads: int, side: int, generator: torch.Generator) -> None:
        super().__init__()
        self.time = linear(width, width, generator)
        self.mix = FeatureTransformer(width, heads, generator)
        self.middle = linear(width, 2 * width, generator)
        self.side = linear(side, 2 * width, generator)
        self.out = linear(width, 2 * width, generator)

    def forward(self, x: Tensor, t: Tensor, side: Tensor) -> tuple[Tensor, Tensor]:
        """Return x and skip; x [n, D, d], t [n, d] embedded, side [n, D, side]."""
        h = self.mix(x + self.time(t)[:, None])
        gate, value = (self.middle(h) + self.side(side)).chunk(2, dim=2)
        more, skip = self.out(gate.sigmoid() * value.tanh()).chunk(2, dim=2)
        return (x + more) / math.sqrt(2), skip


class CSDI(nn.Module):
    """Noise of the asked-for numbers, [n, D].

    Args:
        columns: D, numbers of a row.
        width: d, channels, even and a multiple of `heads`.
        depth: layers, >= 1.
        heads: heads of an attention.
        feature: width of a token's own embedding.
        generator: source of the first weights.
    """

    def __init__(
        self, *, columns: int, width: int, depth: int, heads: int, feature: int, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.enter = linear(2, width, generator)
        self.feature = embedding(columns, feature, generator)
        self.time = TimeEmbedding(width, generator)
        self.layers = nn.ModuleList([Layer(width, heads, feature + 1, generator) for _ in range(depth)])
        self.gather = linear(width, width, generator)
        self.leave = linear(width, 1, generator, zero=True)

    def forward(self, noisy: Tensor, clean: Tensor, given: Tensor, t: Tensor) -> Tensor:
        """Return the noise.

        Args:
            noisy: [n, D] numbers at time t; read where not given.
            clean: [n, D] numbers; read where given.
            given: [n, D] 1 where a number is given, else 0.
            t: [n] times in (0, 1].
        """
        x = functional.relu(self.enter(torch.stack([given * clean, (1 - given) * noisy], dim=2)))  # [n, D, d]
        own = self.feature.weight.expand(len(x), -1, -1)
        side = torch.cat([own, given[:, :, None]], dim=2)
        time = self.time(t)
        total = torch.zeros_like(x)
        for layer in self.layers:
            x, skip = layer(x, time, side)
            total = total + skip
        total = total / math.sqrt(len(self.layers))
        return self.leave(functional.relu(self.gather(total)))[:, :, 0]
