r"""Which networks turn the cells of a row into tokens, let tokens see each other, and turn tokens into cells again?

A row is a vector x [F] of numeric scores and level indicators. Each column owns one token of d numbers
[Zhang 2024, sec. 3.2]:

    tokenizer      numeric e_j = x_j w_j + b_j,      categorical e_j = onehot(x_j) W_j + b_j
    detokenizer    numeric x_j = e_j . w'_j + b'_j,  categorical logits_j = e_j W'_j + b'_j

Both are one linear map whose matrix is zero between a cell and the tokens of other columns. In between stand
transformer blocks with one head [Vaswani 2017, eq. 1],

    h <- h + softmax(q k^T / sqrt(d)) v W_o,      h <- h + W_2 relu(W_1 h),

each branch reading the layer norm of h. A variational autoencoder has one stack of blocks for the mean and one for the
log standard deviation of its latent tokens, and one for the way back.

Departs: a table of more columns than `most_tokens` lets neighbouring columns share a token, since the cost of attention
grows with the square of the number of tokens; the way back adds a learned position to each token, since the latent
prior is the same for all columns and blocks could not tell them apart.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from synthcohort.networks.layers import linear


class TokenLinear(nn.Module):
    """A linear map [n, inputs] -> [n, outputs] in which an input reaches only outputs of the same token.

    Args:
        inputs: [inputs] token number of each input.
        outputs: [outputs] token number of each output.
        bound: first weights are uniform in +-bound, the bias starts at the same law.
        generator: source of the first weights.
    """

    mask: Tensor

    def __init__(self, inputs: Tensor, outputs: Tensor, bound: float, generator: torch.Generator) -> None:
        super().__init__()
        self.register_buffer("mask", (outputs[:, None] == inputs).float(), persistent=False)  # [outputs, inputs]
        self.weight = nn.Parameter(torch.empty(len(outputs), len(inputs)))
        self.bias = nn.Parameter(torch.empty(len(outputs)))
        nn.init.uniform_(self.weight, -bound, bound, generator=generator)
        nn.init.uniform_(self.bias, -bound, bound, generator=generator)

    def forward(self, x: Tensor) -> Tensor:
        return functional.linear(x, self.weight * self.mask, self.bias)


class TransformerBlock(nn.Module):
    """One head of attention between tokens, then a perceptron on each token; [n, G, d] -> [n, G, d].

    Args:
        width: d, numbers a token.
        hidden: width of the perceptron.
        generator: source of the first weights.
    """

    def __init__(self, width: int, hidden: int, generator: torch.Generator) -> None:
        super().__init__()
        self.first_norm = nn.LayerNorm(width)
        self.ask = linear(width, 3 * width, generator)
        self.answer = linear(width, width, generator, zero=True)
        self.second_norm = nn.LayerNorm(width)
        self.inner = linear(width, hidden, generator)
        self.outer = linear(hidden, width, generator, zero=True)

    def forward(self, h: Tensor) -> Tensor:
        q, k, v = self.ask(self.first_norm(h)).chunk(3, dim=2)  # [n, G, d] each
        attention = (q / math.sqrt(h.shape[2]) @ k.mT).softmax(2)  # [n, G, G]
        h = h + self.answer(attention @ v)
        return h + self.outer(functional.relu(self.inner(self.second_norm(h))))


class TokenAutoencoder(nn.Module):
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
        entries = torch.arange(self.tokens).repeat_interleave(token)  # [G d]
        self.enter = TokenLinear(cells, entries, 1.0, generator)
        self.mean = _stack(layers, token, factor * token, generator)
        self.log_sigma = _stack(layers, token, factor * token, generator)
        self.position = nn.Parameter(torch.empty(self.tokens, token))
        nn.init.uniform_(self.position, -1.0, 1.0, generator=generator)
        self.back = _stack(layers, token, factor * token, generator)
        self.leave = TokenLinear(entries, cells, 1 / math.sqrt(token), generator)

    @property
    def latent(self) -> int:
        """G d, the width of a latent row."""
        return self.tokens * self.token

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return mu and log sigma, [n, G d] each, of rows x [n, F]."""
        h = self.enter(x).view(len(x), self.tokens, self.token)  # [n, G, d]
        return self.mean(h).flatten(1), self.log_sigma(h).flatten(1)

    def decode(self, z: Tensor) -> Tensor:
        """Return numeric means and logits of levels, [n, F], at latent rows z [n, G d]."""
        h = self.back(z.view(len(z), self.tokens, self.token) + self.position)  # [n, G, d]
        return self.leave(h.flatten(1))


def token_numbers(numeric: int, levels: tuple[int, ...], most_tokens: int) -> Tensor:
    """Return for each of the F = P + sum(K) entries of a row the number of its token, [F].

    Columns take tokens in their order, ceil(columns / most_tokens) neighbours to a token.
    """
    columns = numeric + len(levels)
    shared = math.ceil(columns / most_tokens) if columns else 1
    entries = torch.tensor([1] * numeric + list(levels), dtype=torch.int64)
    return torch.arange(columns).div(shared, rounding_mode="floor").repeat_interleave(entries)


def _stack(layers: int, width: int, hidden: int, generator: torch.Generator) -> nn.Sequential:
    return nn.Sequential(*(TransformerBlock(width, hidden, generator) for _ in range(layers)))
