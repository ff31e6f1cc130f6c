"""How much of the signal is left at time t?

Time runs over [0, 1]: x_0 is a row of the table, x_1 is noise. A schedule gives alpha_bar(t), the share of the
variance of x_t that still comes from x_0, so that the number of steps is chosen when sampling and s < t are arbitrary.

Cosine schedule [Nichol 2021, eq. 17], in continuous time:

    alpha_bar(t) = f(t) / f(0),   f(t) = cos^2( pi/2 * (t_max t + offset) / (1 + offset) ).

Departs: alpha_bar(1) is small instead of zero because the argument stops at t_max < 1; the source limits beta_t to
0.999 for the same reason: x_0 cannot be read off eps where alpha_bar is zero.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor


class Schedule(Protocol):
    """A map from time to the share of signal."""

    def alpha_bar(self, t: Tensor) -> Tensor:
        """Return alpha_bar(t), the shape of `t`; 1 at t = 0, decreasing, positive at t = 1."""
        ...


@dataclass(frozen=True)
class Cosine:
    """The cosine schedule.

    Args:
        offset: keeps the noise of the first steps from vanishing, > 0; 0.008 in [Nichol 2021].
        t_max: share of the quarter period that is used, in (0, 1).
    """

    offset: float = 0.008
    t_max: float = 0.995

    def alpha_bar(self, t: Tensor) -> Tensor:
        """Return alpha_bar(t), the shape of `t`."""
        first = math.cos(math.pi / 2 * self.offset / (1 + self.offset)) ** 2
        return torch.cos(math.pi / 2 * (self.t_max * t + self.offset) / (1 + self.offset)) ** 2 / first


def time_grid(steps: int) -> Tensor:
    """Return the `steps` + 1 equally spaced times from 1 down to 0, float64."""
    if steps < 1:
        raise ValueError(f"sampling needs at least 1 step, got steps={steps}")
    return torch.linspace(1, 0, steps + 1, dtype=torch.float64)
