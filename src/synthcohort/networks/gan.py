"""Which networks play against each other in a Wasserstein GAN for rows, and what keeps the critic gentle?

The generator widens as it goes, each layer's result beside its input [Xu 2019, sec. 4.4]:

    h' = [ ReLU(BatchNorm(Linear(h))), h ].

The critic sees `pac` rows at once, so that rows that are all alike give themselves away [Lin 2018, sec. 3], through
Linear, LeakyReLU(0.2) and dropout. Its gradient with respect to its input has length one on the lines between real and
generated packs [Gulrajani 2017, eq. 3]:

    penalty = lambda E[ ( |grad C(x_hat)| - 1 )^2 ],    x_hat = e x + (1 - e) x~,  e ~ U(0, 1).

With a_l the output of layer l and d_l its dropout, C is linear in pieces and its gradient a product of matrices,

    grad C = w D_L W_L ... D_1 W_1,    D_l = diag( (1 or 0.2 by the sign of a_l) d_l ),

where D_l does not move with the weights: the penalty is learned from without going backward twice.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from synthcohort.networks.layers import linear

SLOPE = 0.2  # of the leaky ReLU


class BatchNorm(nn.Module):
    """Batch normalisation of [n, width]; its state is arrays only, without torch's counter of batches."""

    mean: Tensor
    variance: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width))
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("variance", torch.ones(width))

    def forward(self, h: Tensor) -> Tensor:
        return functional.batch_norm(h, self.mean, self.variance, self.weight, self.bias, training=self.training)


class ConcatGenerator(nn.Module):
    """[n, inputs] -> [n, outputs].

    Args:
        inputs: width of noise and condition together.
        outputs: width of a row's logits and places.
        width: added by each layer.
        depth: layers, >= 1.
        generator: source of the first weights.
    """

    def __init__(self, *, inputs: int, outputs: int, width: int, depth: int, generator: torch.Generator) -> None:
        super().__init__()
        widths = [inputs + i * width for i in range(depth)]
        self.layers = nn.ModuleList([linear(w, width, generator) for w in widths])
        self.norms = nn.ModuleList([BatchNorm(width) for _ in widths])
        self.leave = linear(inputs + depth * width, outputs, generator)

    def forward(self, h: Tensor) -> Tensor:
        for layer, norm in zip(self.layers, self.norms):
            h = torch.cat([functional.relu(norm(layer(h))), h], dim=1)
        return self.leave(h)


class PackedCritic(nn.Module):
    """One number a pack: [m, pac * features] -> [m].

    Args:
        features: width of a row and its condition together.
        pac: rows of a pack, >= 1.
        width: hidden width.
        depth: hidden layers, >= 1.
        dropout: share of hidden values set to zero, in [0, 1).
        generator: source of the first weights.
    """

    def __init__(
        self, *, features: int, pac: int, width: int, depth: int, dropout: float, generator: torch.Generator
    ) -> None:
        super().__init__()
        widths = [features * pac, *[width] * depth]
        self.layers = nn.ModuleList([linear(a, b, generator) for a, b in pairwise(widths)])
        self.leave = linear(width, 1, generator)
        self.dropout = dropout

    def forward(self, packs: Tensor, noise: torch.Generator) -> Tensor:
        """Return [m]; `noise` decides which hidden values are dropped."""
        h = packs
        for layer in self.layers:
            h = functional.leaky_relu(layer(h), SLOPE)
            if self.dropout:
                h = h * self._kept(h, noise)
        return self.leave(h)[:, 0]

    def slope(self, packs: Tensor, noise: torch.Generator) -> Tensor:
        """Return the gradient of each pack's number, [m, pac * features]; `noise` as in `forward`."""
        pieces, h = [], packs
        with torch.no_grad():
            for layer in self.layers:
                a = layer(h)
                piece = torch.where(a > 0, 1.0, SLOPE).to(a.dtype)
                pieces.append(piece * self._kept(a, noise) if self.dropout else piece)
                h = a * pieces[-1]
        slope = self.leave.weight  # [1, width]
        weights = [layer.get_parameter("weight") for layer in self.layers]
        for weight, piece in zip(reversed(weights), reversed(pieces), strict=True):
            slope = (slope * piece) @ weight  # [m, inputs of the layer]
        return slope

    def _kept(self, h: Tensor, noise: torch.Generator) -> Tensor:
        """Return what hidden values h are multiplied by: 0 where they are dropped, 1 / (1 - dropout) elsewhere."""
        kept = torch.rand(h.shape, generator=noise, device=h.device) >= self.dropout
        return kept.to(h.dtype).div_(1 - self.dropout)


def pack(rows: Tensor, pac: int) -> Tensor:
    """Return `pac` rows side by side: [m * pac, features] -> [m, pac * features]."""
    return rows.reshape(-1, pac * rows.shape[1])


def gradient_penalty(
    slope: Callable[[Tensor], Tensor], real: Tensor, generated: Tensor, noise: torch.Generator
) -> Tensor:
    """Return E[(|grad C| - 1)^2] on random points between real and generated packs, a scalar.

    Args:
        slope: grad C at packs [m, features], [m, features].
        real: packs [m, features].
        generated: the same of generated rows.
        noise: where between them the points lie.
    """
    share = torch.rand(len(real), 1, generator=noise, device=real.device)
    between = (share * real + (1 - share) * generated).detach()
    return (slope(between).norm(dim=1) - 1).square().mean()
