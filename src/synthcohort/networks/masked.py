"""Which network gives every column's law from the columns before it, all in one pass?

A masked multilayer perceptron [Germain 2015, eq. 12 and 13]. Every input and output has a place 1..D, every hidden unit
a place 0..D - 1; a connection lives only if

    hidden place >= input place,   hidden place >= hidden place,   output place > hidden place,

so an output of place j depends on inputs of places 1..j - 1 and on the context, which every hidden unit may see. Hidden
layers are residual [Nash 2019]. For drawing column after column, `begin`, `extend` and `read` give the same
numbers as one pass while a new column costs one column's share of the first and last layers.

Departs: no normalisation between blocks: its mean over units would let later columns through.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from synthcohort.networks.layers import linear


class MaskedLinear(nn.Module):
    """A linear layer whose weights live only where `mask` is one.

    Args:
        mask: [outputs, inputs] of zeros and ones.
        generator: source of the first weights.
        zero: start at zero.
    """

    mask: Tensor

    def __init__(self, mask: Tensor, generator: torch.Generator, *, zero: bool = False) -> None:
        super().__init__()
        layer = linear(mask.shape[1], mask.shape[0], generator, zero=zero)
        self.weight = nn.Parameter(layer.weight.detach() * mask)
        self.bias = layer.bias
        self.register_buffer("mask", mask, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return functional.linear(x, self.weight * self.mask, self.bias)


class _Block(nn.Module):
    """h + M2(SiLU(M1(SiLU(h)))), the last layer from zero; [n, width] -> [n, width]."""

    def __init__(self, mask: Tensor, generator: torch.Generator) -> None:
        super().__init__()
        self.inner = MaskedLinear(mask, generator)
        self.outer = MaskedLinear(mask, generator, zero=True)

    def forward(self, h: Tensor) -> Tensor:
        return h + self.outer(functional.silu(self.inner(functional.silu(h))))


class MaskedMLP(nn.Module):
    """[n, inputs] and a context [n, width] -> [n, outputs].

    Args:
        inputs: [I] int64 place of each input, in 1..D.
        outputs: [O] int64 place of each output, in 1..D.
        width: hidden width.
        depth: residual blocks, >= 0.
        generator: source of the first weights.
    """

    def __init__(self, *, inputs: Tensor, outputs: Tensor, width: int, depth: int, generator: torch.Generator) -> None:
        super().__init__()
        places = int(outputs.max())
        hidden = torch.arange(width) * places // width  # [width] in 0..D - 1
        within = (hidden[:, None] >= hidden).float()
        self.enter = MaskedLinear((hidden[:, None] >= inputs).float(), generator)
        self.blocks = nn.ModuleList([_Block(within, generator) for _ in range(depth)])
        self.leave = MaskedLinear((outputs[:, None] > hidden).float(), generator, zero=True)

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        """Return [n, outputs] for inputs x [n, inputs]."""
        return self.leave(self._body(self.enter(x) + context))

    def begin(self, context: Tensor) -> Tensor:
        """Return the first hidden layer [n, width] before any column is known."""
        return context + self.enter.bias

    def extend(self, h: Tensor, x: Tensor, part: slice) -> Tensor:
        """Return the first hidden layer [n, width] once the inputs `part` are x [n, of the part]."""
        return h + functional.linear(x, (self.enter.weight * self.enter.mask)[:, part])

    def read(self, h: Tensor, part: slice) -> Tensor:
        """Return the outputs `part` from the first hidden layer h [n, width]."""
        weight, bias = self.leave.weight[part] * self.leave.mask[part], self.leave.bias[part]
        return functional.linear(self._body(h), weight, bias)

    def _body(self, h: Tensor) -> Tensor:
        for block in self.blocks:
            h = block(h)
        return functional.silu(h)
