"""How do k small networks that must not hear of one another learn at the speed of one?

Each is Linear, ReLU, Linear with weights of its own, stacked along a first axis; a product over the stack runs all of
them. The sum of their losses has for each network the gradient of its own loss alone.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from synthcohort.networks.layers import linear


class Stacked(nn.Module):
    """k networks [.., features] -> one number.

    Args:
        count: k, >= 1.
        features: width of an input.
        width: hidden units, >= 1.
        generator: source of the first weights, on the CPU.
    """

    def __init__(self, *, count: int, features: int, width: int, generator: torch.Generator) -> None:
        super().__init__()
        first = [linear(features, width, generator) for _ in range(count)]
        second = [linear(width, 1, generator) for _ in range(count)]
        self.inner = nn.Parameter(torch.stack([layer.weight.detach().T for layer in first]))  # [k, features, width]
        self.inner_bias = nn.Parameter(torch.stack([layer.bias.detach() for layer in first])[:, None])
        self.outer = nn.Parameter(torch.stack([layer.weight.detach().T for layer in second]))  # [k, width, 1]
        self.outer_bias = nn.Parameter(torch.stack([layer.bias.detach() for layer in second]))  # [k, 1]

    def forward(self, x: Tensor) -> Tensor:
        """Return logits [k, b] of inputs [b, features], the same for all, or [k, b, features], for each its own."""
        hidden = torch.relu(torch.matmul(x, self.inner) + self.inner_bias)  # [k, b, width]
        return torch.matmul(hidden, self.outer).squeeze(2) + self.outer_bias
