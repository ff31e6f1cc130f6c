"""How is a network asked for one estimate a set of attributes, and how do its numbers become what is known of x_0?

`Shown` is a network that is shown some attributes of each row; `Read` turns the numbers it says, guided or not
(`diffusion.guidance`), into what a sampler wants: x_0 from eps, p_0 from logits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from synthcohort.diffusion import gaussian
from synthcohort.diffusion.guidance import Estimator
from synthcohort.diffusion.multinomial import Layout
from synthcohort.diffusion.sampler import Estimate, State
from synthcohort.diffusion.schedule import Schedule


@dataclass(frozen=True)
class Shown:
    """An estimator that is shown attributes.

    Args:
        body: (rows [m], times [m], attributes [m, A]) -> [m, F].
        attributes: [n, A] of the rows to draw, 0 hidden, k + 1 level k.
        rows_per_call: rows handed to the network at a time, >= 1.
    """

    body: Callable[[State, Tensor, Tensor], Tensor]
    attributes: Tensor
    rows_per_call: int

    @torch.no_grad()
    def __call__(self, x_t: State, t: Tensor) -> Tensor:
        """Return [n, F] of rows x_t at time t, a scalar."""
        parts = []
        for k in range(0, len(x_t), self.rows_per_call):
            rows = slice(k, k + self.rows_per_call)
            part = State(x_t.numeric[rows], x_t.codes[rows])
            parts.append(self.body(part, t.to(part.numeric.dtype).expand(len(part)), self.attributes[rows]))
        return torch.cat(parts)


@dataclass(frozen=True)
class Read:
    """A `sampler.Denoiser` that reads an estimator.

    x_0 is kept between the smallest and the largest of each column, for the reason given in `denoiser.NetworkDenoiser`
    and because guidance goes beyond every single estimate.

    Args:
        estimator: [n, F] of noisy rows.
        head: [n, F] -> [eps | logits], [n, P + sum(K)].
        schedule: share of signal over time.
        layout: the levels of the categorical columns.
        low: [P] smallest values of x_0.
        high: [P] largest values of x_0.
    """

    estimator: Estimator
    head: Callable[[Tensor], Tensor]
    schedule: Schedule
    layout: Layout
    low: Tensor
    high: Tensor

    @torch.no_grad()
    def __call__(self, x_t: State, t: Tensor) -> Estimate:
        """Return what is known of x_0 at time t, a scalar."""
        alpha_bar = self.schedule.alpha_bar(t).to(x_t.numeric.dtype)
        eps, logits = self.head(self.estimator(x_t, t)).split([len(self.low), self.layout.total], dim=1)
        x_0 = gaussian.eps_to_x_0(eps, x_t.numeric, alpha_bar)
        return Estimate(x_0.maximum(self.low).minimum(self.high), self.layout.log_softmax(logits).exp())
