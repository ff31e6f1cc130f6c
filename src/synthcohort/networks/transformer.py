r"""Which network draws some cells of a row given the others, cell by cell a token?

An encoder and a decoder over the columns of a table [Villaizan-Vallelado 2025]. Every column has an embedding of its
own, a line for a number and a table for levels,

    e_j = x_j w_j + b_j,      e_j = c W_j[x_j] + b_j,

one set for clean, given cells with certainty c = 1, and one for noisy, free cells, to which the time's embedding is
added. The encoder's
tokens are the given cells, the decoder's the free ones; a cell that is neither is a token of nobody. With multi-head
attention A(Q, K, V) [Vaswani 2017, sec. 3.2] and a perceptron F, every branch reading the layer norm of its input,

    encoder     h <- h + A(h, h, h),     h <- h + F(h)                              over given cells,
    decoder     h <- h + A(h, h, h),     h <- h + C(h, m),     h <- h + F(h)        over free cells,

where m are the encoder's last tokens and C(h, m) = A(h, m, m): Q = free, K = V = given. A row without given cells
reads one learned token that stands before them. Each column reads its answer from its own token by weights of its own:
three numbers, or one logit a level.

`Addition` and `Concatenation` are simpler conditions C: the mean of m, added or put beside h. All columns are computed
in one go, and attention is never held as a matrix [n, C, C], so that memory grows linearly with the columns.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from synthcohort.networks.layers import ResidualBlock, TimeEmbedding, linear


class Attention(nn.Module):
    """Multi-head attention: queries from one set of tokens, keys and values from another or the same.

    Args:
        width: d, numbers a token, a multiple of `heads`.
        heads: heads of d / heads numbers each.
        generator: source of the first weights.
    """

    def __init__(self, width: int, heads: int, generator: torch.Generator) -> None:
        super().__init__()
        self.heads = heads
        self.ask = linear(width, width, generator)
        self.tell = linear(width, 2 * width, generator)
        self.answer = linear(width, width, generator, zero=True)

    def forward(self, h: Tensor, memory: Tensor, shut: Tensor) -> Tensor:
        """Return [n, C, d] for h [n, C, d], memory [n, S, d] and shut [n, S]: 0, or -inf at tokens nobody may see."""
        k, v = (self._split(x) for x in self.tell(memory).chunk(2, dim=2))  # [n, heads, S, d / heads]
        seen = functional.scaled_dot_product_attention(self._split(self.ask(h)), k, v, shut[:, None, None, :])
        return self.answer(seen.transpose(1, 2).flatten(2))

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(2, (self.heads, -1)).transpose(1, 2)  # [n, heads, C, d / heads]


class Addition(nn.Module):
    """The mean of the given tokens, mapped and added to every free one; arguments as `Attention`."""

    def __init__(self, width: int, heads: int, generator: torch.Generator) -> None:
        super().__init__()
        self.outer = linear(width, width, generator, zero=True)

    def forward(self, h: Tensor, memory: Tensor, shut: Tensor) -> Tensor:
        return self.outer(mean(memory, shut)).expand_as(h)


class Concatenation(nn.Module):
    """A perceptron of every free token beside the mean of the given ones; arguments as `Attention`."""

    def __init__(self, width: int, heads: int, generator: torch.Generator) -> None:
        super().__init__()
        self.inner = linear(2 * width, width, generator)
        self.outer = linear(width, width, generator, zero=True)

    def forward(self, h: Tensor, memory: Tensor, shut: Tensor) -> Tensor:
        both = torch.cat([h, mean(memory, shut).expand_as(h)], dim=2)  # [n, C, 2 d]
        return self.outer(functional.silu(self.inner(both)))


def mean(memory: Tensor, shut: Tensor) -> Tensor:
    """Return the mean of the tokens that may be seen, [n, S, d] -> [n, 1, d]."""
    return shut.softmax(1)[:, None] @ memory


class ColumnEmbedding(nn.Module):
    """Cells to tokens, values [n, P] and codes [n, Q] -> [n, P + Q, d], numeric columns first.

    Args:
        numeric: P.
        levels: K[j] of the categorical columns.
        width: d.
        generator: source of the first weights.
    """

    offsets: Tensor

    def __init__(self, numeric: int, levels: tuple[int, ...], width: int, generator: torch.Generator) -> None:
        super().__init__()
        sizes = torch.tensor(levels, dtype=torch.int64)
        self.register_buffer("offsets", sizes.cumsum(0) - sizes, persistent=False)  # [Q]
        self.line = nn.Parameter(torch.empty(numeric, width).normal_(generator=generator))
        self.levels = nn.Parameter(torch.empty(sum(levels), width).normal_(generator=generator))
        self.column = nn.Parameter(torch.empty(numeric + len(levels), width).normal_(generator=generator))

    def forward(self, values: Tensor, codes: Tensor, certainty: Tensor) -> Tensor:
        """Return the tokens; `certainty` [n, 1] is what a level is worth, 1 where it is clean."""
        numbers = values[:, :, None] * self.line  # [n, P, d]
        levels = functional.embedding(codes + self.offsets, self.levels) * certainty[:, :, None]  # [n, Q, d]
        return torch.cat([numbers, levels], dim=1) + self.column


class ColumnHeads(nn.Module):
    """Tokens to answers, [n, P + Q, d] -> numbers [n, P, 3] and logits [n, sum(K)]; arguments as `ColumnEmbedding`."""

    owner: Tensor

    def __init__(self, numeric: int, levels: tuple[int, ...], width: int) -> None:
        super().__init__()
        self.numeric = numeric
        sizes = torch.tensor([3] * numeric + list(levels), dtype=torch.int64)
        self.register_buffer("owner", torch.repeat_interleave(sizes), persistent=False)  # [3 P + sum(K)]
        self.weight = nn.Parameter(torch.zeros(int(sizes.sum()), width))
        self.bias = nn.Parameter(torch.zeros(int(sizes.sum())))

    def forward(self, h: Tensor) -> tuple[Tensor, Tensor]:
        flat = (h.index_select(1, self.owner) * self.weight).sum(2) + self.bias  # [n, 3 P + sum(K)]
        return flat[:, : 3 * self.numeric].unflatten(1, (self.numeric, 3)), flat[:, 3 * self.numeric :]


class EncoderBlock(nn.Module):
    """Self-attention and a perceptron; [n, C, d] -> [n, C, d].

    Args:
        width: d.
        heads: heads of the attention.
        generator: source of the first weights.
    """

    def __init__(self, width: int, heads: int, generator: torch.Generator) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.own = Attention(width, heads, generator)
        self.think = ResidualBlock(width, generator)

    def forward(self, h: Tensor, shut: Tensor) -> Tensor:
        """Return the tokens after the block; `shut` [n, C] as in `Attention`."""
        normal = self.norm(h)
        return self.think(h + self.own(normal, normal, shut))


class DecoderBlock(nn.Module):
    """Self-attention, a condition, a perceptron; [n, C, d] -> [n, C, d].

    Args:
        width: d.
        heads: heads of an attention.
        condition: builds the condition from width, heads and generator.
        generator: source of the first weights.
    """

    def __init__(self, width: int, heads: int, condition: Callable[..., nn.Module], generator: torch.Generator) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.own = Attention(width, heads, generator)
        self.other_norm = nn.LayerNorm(width)
        self.condition = condition(width, heads, generator)
        self.think = ResidualBlock(width, generator)

    def forward(self, h: Tensor, shut: Tensor, memory: Tensor, other_shut: Tensor) -> Tensor:
        """Return the tokens after the block; `memory` [n, S, d] and `other_shut` [n, S] are the encoder's."""
        normal = self.norm(h)
        h = h + self.own(normal, normal, shut)
        return self.think(h + self.condition(self.other_norm(h), memory, other_shut))


class Transformer(nn.Module):
    """The encoder over given cells and the decoder over free ones.

    Args:
        numeric: P, numeric columns.
        levels: K[j] of the categorical columns.
        width: d, numbers a token, even and a multiple of `heads`.
        depth: blocks of the decoder, >= 1; the encoder has as many.
        heads: heads of an attention.
        generator: source of the first weights.
        condition: how the decoder reads the encoder: `Attention`, `Addition` or `Concatenation`.
    """

    def __init__(
        self,
        *,
        numeric: int,
        levels: tuple[int, ...],
        width: int,
        depth: int,
        heads: int,
        generator: torch.Generator,
        condition: Callable[..., nn.Module] = Attention,
    ) -> None:
        super().__init__()
        self.given = ColumnEmbedding(numeric, levels, width, generator)
        self.free = ColumnEmbedding(numeric, levels, width, generator)
        self.nothing = nn.Parameter(torch.empty(width).normal_(generator=generator))
        self.time = TimeEmbedding(width, generator)
        self.encoder = nn.ModuleList([EncoderBlock(width, heads, generator) for _ in range(depth)])
        self.decoder = nn.ModuleList([DecoderBlock(width, heads, condition, generator) for _ in range(depth)])
        self.norms = nn.ModuleList([nn.LayerNorm(width), nn.LayerNorm(width)])
        self.heads = ColumnHeads(numeric, levels, width)

    def encode(self, values: Tensor, codes: Tensor, given: Tensor) -> tuple[Tensor, Tensor]:
        """Return what `decode` needs of the given cells: tokens [n, 1 + C, d] and which are shut, [n, 1 + C].

        Args:
            values: [n, P] clean values; those of other cells are not read but must be finite.
            codes: [n, Q] clean levels, likewise.
            given: [n, P + Q] which cells are given.
        """
        tokens = self.given(values, codes, values.new_ones(len(values), 1))
        h = torch.cat([self.nothing.expand(len(tokens), 1, -1), tokens], dim=1)  # [n, 1 + C, d]
        shut = closed(functional.pad(given, (1, 0), value=True))
        for block in self.encoder:
            h = block(h, shut)
        return self.norms[0](h), shut

    def decode(
        self, values: Tensor, codes: Tensor, certainty: Tensor, free: Tensor, t: Tensor, memory: tuple[Tensor, ...]
    ) -> tuple[Tensor, Tensor]:
        """Return numbers [n, P, 3] and logits [n, sum(K)], of which only those of free cells mean anything.

        Args:
            values: [n, P] noisy values.
            codes: [n, Q] noisy levels.
            certainty: [n, 1] what a level is worth, in [0, 1].
            free: [n, P + Q] which cells are free, at least one a row.
            t: [n] times.
            memory: what `encode` returned.
        """
        h = self.free(values, codes, certainty) + self.time(t)[:, None]  # [n, C, d]
        shut = closed(free)
        for block in self.decoder:
            h = block(h, shut, *memory)
        return self.heads(self.norms[1](h))


def closed(seen: Tensor) -> Tensor:
    """Return 0 where a token may be seen and -inf where not, in the shape of `seen`."""
    return torch.zeros(seen.shape, device=seen.device).masked_fill_(~seen, -math.inf)
