"""What does a perceptron need to draw some cells of a row given the others?

One vector a row: what is known of each cell and what it is. With g the given and f the free cells (0 or 1),

    x = [ g, f, given values g x_0, free values f x_t, given level indicators g x_0, free level indicators f x_t ],

with the noisy level indicators times their certainty,

into the residual perceptron with a time of `mlp`. It is the plain rival of `transformer`: the same task and the same
inputs and outputs, without tokens and without attention.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from synthcohort.networks.mlp import DenoisingMLP


class CompletingMLP(nn.Module):
    """A residual MLP of given and free cells.

    Args:
        numeric: P, numeric columns.
        levels: K[j] of the categorical columns.
        width: hidden width, even.
        depth: number of residual blocks, >= 0.
        generator: source of the first weights.
    """

    owner: Tensor
    offsets: Tensor

    def __init__(
        self, *, numeric: int, levels: tuple[int, ...], width: int, depth: int, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.numeric = numeric
        sizes = torch.tensor(levels, dtype=torch.int64)
        columns = torch.arange(numeric + len(levels))
        entries = torch.cat([columns[:numeric], columns[numeric:].repeat_interleave(sizes)])
        self.register_buffer("owner", entries, persistent=False)  # [P + sum(K)]
        self.register_buffer("offsets", sizes.cumsum(0) - sizes, persistent=False)  # [Q]
        self.body = DenoisingMLP(
            features=2 * len(columns) + 2 * len(entries),
            outputs=2 * numeric + len(entries),
            labels=0,
            width=width,
            depth=depth,
            generator=generator,
        )

    def encode(self, values: Tensor, codes: Tensor, given: Tensor) -> tuple[Tensor]:
        """Return the given half of the input, [n, C + P + sum(K)]; arguments as `transformer.Transformer.encode`."""
        return (self._half(values, self._indicators(codes), given),)

    def decode(
        self, values: Tensor, codes: Tensor, certainty: Tensor, free: Tensor, t: Tensor, memory: tuple[Tensor, ...]
    ) -> tuple[Tensor, Tensor]:
        """Return numbers [n, P, 3] and logits [n, sum(K)]; arguments as `transformer.Transformer.decode`."""
        half = self._half(values, self._indicators(codes) * certainty, free)
        out = self.body(torch.cat([half, *memory], dim=1), t, None)
        return out[:, : 3 * self.numeric].unflatten(1, (self.numeric, 3)), out[:, 3 * self.numeric :]

    def _indicators(self, codes: Tensor) -> Tensor:
        levels = torch.zeros(len(codes), len(self.owner) - self.numeric, device=codes.device)
        return levels.scatter_(1, codes + self.offsets, 1)  # [n, sum(K)]

    def _half(self, values: Tensor, levels: Tensor, cells: Tensor) -> Tensor:
        kept = cells.to(values.dtype)  # [n, C]
        return torch.cat([kept, torch.cat([values, levels], dim=1) * kept[:, self.owner]], dim=1)
