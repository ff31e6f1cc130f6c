"""How do rows come out of noise, given a denoiser?

A denoiser answers one question: what is known of x_0 given x_t? For numeric columns that is the mean E[x_0 | x_t], for
categorical ones the law p(x_0 | x_t). A sampler walks the times from 1 to 0 and applies one reverse step of both
kernels at each. Numeric columns: the posterior at the estimated x_0 [Ho 2020, alg. 2] or the implicit step
[Song 2021, eq. 12]; categorical columns: the mixture of exact posteriors (see `multinomial`), in both samplers.

All rows take their noise from one generator, and a denoiser sees the rows it is given: how many of them it hands to
its network at a time changes no draw.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from synthcohort.diffusion import gaussian, multinomial
from synthcohort.diffusion.multinomial import Layout
from synthcohort.diffusion.schedule import Schedule, time_grid


@dataclass(frozen=True)
class State:
    """Rows at some time.

    Args:
        numeric: [n, P] values.
        codes: [n, Q] level numbers.
    """

    numeric: Tensor
    codes: Tensor

    def __len__(self) -> int:
        return len(self.numeric)


@dataclass(frozen=True)
class Estimate:
    """What a denoiser knows of x_0.

    Args:
        x_0: [n, P] mean of the numeric cells.
        p_0: [n, sum(K)] law of the levels, one after the other column.
    """

    x_0: Tensor
    p_0: Tensor


class Denoiser(Protocol):
    """Anything that estimates x_0; guidance is a denoiser around a denoiser."""

    def __call__(self, x_t: State, t: Tensor) -> Estimate:
        """Return what is known of x_0 given rows x_t at time t, a scalar in (0, 1]."""
        ...


@dataclass(frozen=True)
class Walk:
    """What both samplers share.

    Args:
        schedule: share of signal over time.
        steps: number of denoiser evaluations, >= 1.
        layout: the levels of the categorical columns.
    """

    schedule: Schedule
    steps: int
    layout: Layout


def noise(n: int, *, numeric: int, layout: Layout, generator: torch.Generator) -> State:
    """Return n rows of x_1: standard normal [n, numeric] and uniform levels [n, Q]."""
    values = torch.randn(n, numeric, generator=generator, device=layout.device)
    return State(values, multinomial.uniform_codes(n, layout, generator))


def ancestral(denoiser: Denoiser, x_1: State, walk: Walk, generator: torch.Generator) -> State:
    """Return rows x_0 by drawing x_s from its posterior at each step [Ho 2020, alg. 2]."""
    return ddim(denoiser, x_1, walk, generator, eta=1.0)


def ddim(denoiser: Denoiser, x_1: State, walk: Walk, generator: torch.Generator, *, eta: float = 0.0) -> State:
    """Return rows x_0 by implicit steps for the numeric columns [Song 2021, eq. 12].

    Args:
        denoiser: estimates x_0.
        x_1: rows of noise.
        walk: schedule, number of steps, levels.
        generator: source of all noise of the walk.
        eta: 0 deterministic numeric steps, 1 ancestral ones. Categorical steps are random either way.
    """
    if not 0 <= eta <= 1:
        raise ValueError(f"eta={eta} is not in [0, 1]; 0 is deterministic, 1 ancestral")
    x, grid = x_1, time_grid(walk.steps).to(x_1.numeric.device)
    for t, s in zip(grid[:-1], grid[1:]):
        alpha_bar = walk.schedule.alpha_bar(torch.stack([s, t])).to(x.numeric.dtype)
        x = _step(denoiser(x, t), x, alpha_bar, walk.layout, generator, eta)
    return x


def _step(
    known: Estimate, x_t: State, alpha_bar: Tensor, layout: Layout, generator: torch.Generator, eta: float
) -> State:
    alpha_bar_s, alpha_bar_t = alpha_bar
    eps = None
    if eta > 0 and alpha_bar_s < 1:
        eps = torch.randn(
            x_t.numeric.shape, generator=generator, dtype=x_t.numeric.dtype, device=x_t.numeric.device
        )
    numeric = gaussian.ddim_step(
        known.x_0,
        x_t.numeric,
        eps,
        alpha_bar_s=alpha_bar_s,
        alpha_bar_t=alpha_bar_t,
        eta=eta if eps is not None else 0.0,
    )
    law = multinomial.reverse_law(
        known.p_0,
        layout.one_hot(x_t.codes, known.p_0.dtype),
        alpha_bar_s=alpha_bar_s,
        alpha_bar_t=alpha_bar_t,
        layout=layout,
    )
    return State(numeric, layout.draw(law, generator))
