"""How is DP-SGD broken, so that an audit can be seen to notice? For the audit only; nothing else may import this.

Two faults that leave the claimed budget as it was: gradients that are not clipped, so that one row may move the weights
by any length; and a noise generator that starts from the same seed at every step, so that the noise of two steps
cancels in their difference.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from synthcohort.dp.clipping import RowLoss, Rows
from synthcohort.dp.randomness import SeededNoise, Shape
from synthcohort.rng import Rng


class UnclippedSum:
    """Sums of gradients as long as they are; stands where `dp.clipping.ClippedSum` should.

    Args:
        network, loss: as there.
    """

    def __init__(self, network: nn.Module, loss: RowLoss) -> None:
        self.weights = [p for p in network.parameters() if p.requires_grad]
        self._loss = loss

    def __call__(self, batch: Rows, generator: torch.Generator) -> list[Tensor]:
        """Return the plain sum, one tensor a weight."""
        return list(torch.autograd.grad(self._loss(batch, generator).sum(), self.weights))

    def close(self) -> None:
        """Do nothing: there are no hooks."""


class ReusedNoise:
    """Uniform numbers that are fresh, and normal ones that are the same at every call.

    Args:
        rng: the branch of the study's randomness it starts from.
    """

    kind: ClassVar[str] = "seeded"

    def __init__(self, rng: Rng) -> None:
        self._fresh = SeededNoise(rng.branch("uniform"))
        self._again = rng.branch("normal")

    def uniform(self, shape: Shape) -> np.ndarray:
        """Return fresh numbers uniform on (0, 1)."""
        return self._fresh.uniform(shape)

    def normal(self, shape: Shape) -> np.ndarray:
        """Return the first standard normal numbers of the branch, at every call."""
        return SeededNoise(self._again).normal(shape)
