r"""Which autoencoder over column tokens is cheap, and nearly without loss before its first step?

The halves of the variational autoencoder of [Zhang 2024, sec. 3.2]: a linear tokenizer, one stack of transformer blocks
for the mean and one for the log standard deviation of the latent tokens, one for the way back, a linear detokenizer.
Tokens and blocks are those of `networks.tokens`,

    h <- h + softmax(q k^T / sqrt(d)) v W_o,      h <- h + W_2 relu(W_1 h),

each branch reading a layer norm of h.

Cost: a token has few numbers (d = 4) and a table few tokens (G), so that the matrices of one row are too small to be
worth a call. Rows therefore run along the last axis, [d, G, n], where each operation is one long vector, the sum over d
in an attention score is written out, and the stacks of mean and deviation, alike in shape, are computed as one.

Start: with e_j = x_j w_j for a number, |w_j| = 1, and a random point e_jk for level k, zero branches everywhere, and

    x_j = w_j . z_j,      logits_jk = (e_jk . z_j - |e_jk|^2 / 2) / TOLERANCE^2,

numbers come back as they went in and a level is the nearest of its column's points: the posterior of points seen with
Gaussian noise of deviation TOLERANCE. Columns that share a token start apart only as far as their directions do.

Departs: the source starts from random weights and spends most of its steps on learning to copy. The log standard
deviation leaves its stack by one more linear map, so that it can start from the constant `NOISE`. A table of more
columns than `most_tokens` lets neighbouring columns share a token, since the cost of attention grows with the square of
the number of tokens; the way back adds a learned position to each token, since the latent prior is the same for all
columns and blocks could not tell them apart.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from synthcohort.networks.tokens import TokenLinear, token_numbers

NOISE = 0.05  # first standard deviation of a latent entry
TOLERANCE = 0.25  # distance from its point at which a level's logit has fallen by 1/2


class StackedBlocks(nn.Module):
    """S transformer blocks of one head, side by side; [S, d, G, n] -> [S, d, G, n].

    Args:
        stacks: S.
        width: d, numbers a token.
        hidden: width of the perceptron.
        generator: source of the first weights.
    """

    def __init__(self, stacks: int, width: int, hidden: int, generator: torch.Generator) -> None:
        super().__init__()
        self.first_norm = RowNorm(stacks, width)
        self.ask = StackedLinear(stacks, width, 3 * width, generator)
        self.answer = StackedLinear(stacks, width, width)
        self.second_norm = RowNorm(stacks, width)
        self.inner = StackedLinear(stacks, width, hidden, generator)
        self.outer = StackedLinear(stacks, hidden, width)

    def forward(self, h: Tensor) -> Tensor:
        q, k, v = self.ask(self.first_norm(h)).chunk(3, dim=1)  # [S, d, G, n] each
        h = h + self.answer(attend(q, k, v))
        return h + self.outer(self.inner(self.second_norm(h)).relu_())


def attend(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Return softmax(q k^T / sqrt(d)) v [Vaswani 2017, eq. 1], all [S, d, G, n]; the sums over d are written out."""
    width = q.shape[1]
    q = q / math.sqrt(width)
    scores = q[:, 0, :, None] * k[:, 0, None]  # [S, G, G, n]
    for c in range(1, width):
        scores = torch.addcmul(scores, q[:, c, :, None], k[:, c, None])
    weights = scores.softmax(2)
    return torch.stack([(weights * v[:, c, None]).sum(2) for c in range(width)], dim=1)


class RowNorm(nn.Module):
    """Layer normalisation of each token, [S, d, G, n] -> [S, d, G, n]; each of its numbers has a scale and a shift."""

    def __init__(self, stacks: int, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(stacks, width, 1, 1))
        self.bias = nn.Parameter(torch.zeros(stacks, width, 1, 1))

    def forward(self, h: Tensor) -> Tensor:
        centred = h - h.mean(1, keepdim=True)
        return centred * (centred.square().mean(1, keepdim=True) + 1e-5).rsqrt() * self.weight + self.bias


class StackedLinear(nn.Module):
    """A linear map of each token for each stack, [S, inputs, G, n] -> [S, outputs, G, n].

    Args:
        stacks: S.
        inputs, outputs: numbers a token before and after.
        generator: source of the first weights, uniform in +-1/sqrt(inputs); None: they start at zero.
    """

    def __init__(self, stacks: int, inputs: int, outputs: int, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(stacks, outputs, inputs))
        self.bias = nn.Parameter(torch.zeros(stacks, outputs, 1))
        if generator is not None:
            bound = 1 / math.sqrt(inputs)
            nn.init.uniform_(self.weight, -bound, bound, generator=generator)
            nn.init.uniform_(self.bias, -bound, bound, generator=generator)

    def forward(self, h: Tensor) -> Tensor:
        return torch.bmm(self.weight, h.flatten(2)).add_(self.bias).unflatten(2, h.shape[2:])


class ColumnAutoencoder(nn.Module):
    """The halves of a variational autoencoder over column tokens.

    Args:
        numeric: P, numeric columns; their scores are the first P entries of a row.
        levels: K[j] of the categorical columns; their indicators follow.
        token: d, numbers a token.
        layers: transformer blocks of each of the three stacks, >= 0.
        factor: width of a block's perceptron, in multiples of d.
        most_tokens: tokens at most; neighbouring columns share one if there are more columns.
        generator: source of the first weights.
    """

    def __init__(
        self,
        *,
        numeric: int,
        levels: tuple[int, ...],
        token: int,
        layers: int,
        factor: int,
        most_tokens: int,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        cells = token_numbers(numeric, levels, most_tokens)  # [F]
        self.tokens = int(cells.max()) + 1 if len(cells) else 0
        self.token = token
        entries = torch.arange(self.tokens).repeat(token)  # [d G], number by number
        self.enter = TokenLinear(cells, entries, 1.0, generator)
        self.there = _blocks(layers, 2, token, factor * token, generator)
        self.deviation = StackedLinear(1, token, token)
        self.position = nn.Parameter(torch.empty(token * self.tokens))
        nn.init.uniform_(self.position, -1.0, 1.0, generator=generator)
        self.back = _blocks(layers, 1, token, factor * token, generator)
        self.leave = TokenLinear(entries, cells, 1 / math.sqrt(token), generator)
        self._start(numeric)

    @property
    def latent(self) -> int:
        """d G, the width of a latent row."""
        return self.tokens * self.token

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return mu and log sigma, [n, d G] each, of rows x [n, F]."""
        h = self._stacked(self.enter(x)).expand(2, -1, -1, -1)  # [2, d, G, n]
        h = self.there(h)
        return self._rows(h[:1]), self._rows(self.deviation(h[1:]))

    def decode(self, z: Tensor) -> Tensor:
        """Return numeric means and logits of levels, [n, F], at latent rows z [n, d G]."""
        return self.leave(self._rows(self.back(self._stacked(z + self.position))))

    def _stacked(self, rows: Tensor) -> Tensor:
        return rows.t().contiguous().view(1, self.token, self.tokens, len(rows))

    def _rows(self, h: Tensor) -> Tensor:
        return h.reshape(self.latent, -1).t()

    @torch.no_grad()
    def _start(self, numeric: int) -> None:
        """Make the way back undo the way there, as the module's text says."""
        points = self.enter.weight * self.enter.mask  # [d G, F]
        points /= points.norm(dim=0).clamp(min=1e-6)
        sharp = torch.ones(points.shape[1])
        sharp[numeric:] = TOLERANCE**-2
        self.enter.weight.copy_(points)
        self.enter.bias.zero_()
        self.leave.weight.copy_(sharp[:, None] * points.t())
        half = points.square().sum(0) / 2
        half[:numeric] = 0
        self.leave.bias.copy_(-sharp * (half + self.position @ points))
        self.deviation.bias.fill_(math.log(NOISE))


def _blocks(layers: int, stacks: int, width: int, hidden: int, generator: torch.Generator) -> nn.Sequential:
    return nn.Sequential(*(StackedBlocks(stacks, width, hidden, generator) for _ in range(layers)))
