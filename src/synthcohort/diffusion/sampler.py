"""How do rows come out of noise, given a denoiser?

A denoiser answers one question: what is known of x_0 given x_t? For numeric columns that is the mean E[x_0 | x_t], for
categorical ones the law p(x_0 | x_t). A sampler walks the times from 1 to 0 and applies one reverse step of both
kernels at each. Numeric columns: the posterior at the estimated x_0 [Ho 2020, alg. 2] or the implicit step
[Song 2021, eq. 12], at an extrapolated x_0 in `multistep`; categorical columns: the mixture of exact posteriors (see
`multinomial`), in every sampler.

All rows take their noise from one generator, and a denoiser sees the rows it is given: how many of them it hands to
its network at a time changes no draw.
"""

from __future__ import annotations

from collections.abc import Iterator
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
    """What the samplers share.

    Args:
        schedule: share of signal over time.
        steps: number of denoiser evaluations, >= 1.
        layout: the levels of the categorical columns.
    """

    schedule: Schedule
    steps: int
    layout: Layout

    def times(self, like: Tensor) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Yield t, alpha_bar_s and alpha_bar_t of each step, scalars of the type of `like`, from t = 1 to s = 0."""
        grid = time_grid(self.steps).to(like.device)
        alpha_bar = self.schedule.alpha_bar(grid)
        for t, at_s, at_t in zip(grid[:-1], alpha_bar[1:], alpha_bar[:-1]):
            yield t.to(like.dtype), at_s.to(like.dtype), at_t.to(like.dtype)


def noise(n: int, *, numeric: int, layout: Layout, generator: torch.Generator) -> State:
    """Return n rows of x_1: standard normal [n, numeric] and uniform levels [n, Q]."""
    values = torch.randn(n, numeric, generator=generator, device=layout.device)
    return State(values, multinomial.uniform_codes(n, layout, generator))


def ancestral(denoiser: Denoiser, x_1: State, walk: Walk, generator: torch.Generator) -> State:
    """Return rows x_0 by drawing x_s from its posterior at each step [Ho 2020, alg. 2]."""
    return ddim(denoiser, x_1, walk, generator, eta=1.0)


def ddim(denoiser: Denoiser, x_1: State, walk: Walk, generator: torch.Generator, *, eta: float = 0.0) -> State:
    """Return rows x_0 by implicit steps for the numeric columns [Song 2021, eq. 12]; of first order in the step.

    Args:
        denoiser: estimates x_0.
        x_1: rows of noise.
        walk: schedule, number of steps, levels.
        generator: source of all noise of the walk.
        eta: 0 deterministic numeric steps, 1 ancestral ones. Categorical steps are random either way.

    Raises:
        ValueError: if eta is outside [0, 1] or there are no steps.
    """
    _check_eta(eta)
    x = x_1
    for t, alpha_bar_s, alpha_bar_t in walk.times(x_1.numeric):
        x = _step(
            denoiser(x, t),
            x,
            alpha_bar_s=alpha_bar_s,
            alpha_bar_t=alpha_bar_t,
            walk=walk,
            eta=eta,
            generator=generator,
        )
    return x


def multistep(denoiser: Denoiser, x_1: State, walk: Walk, generator: torch.Generator, *, eta: float = 1.0) -> State:
    """Return rows x_0 by the same steps at an x_0 extrapolated from two estimates; of second order at eta = 0.

    With lambda = log sqrt(alpha_bar / (1 - alpha_bar)), a step from t to s, and the step before it from r to t,

        D = x_0(t) + (lambda_s - lambda_t) / (lambda_t - lambda_r) (x_0(t) - x_0(r)) / 2

    stands for x_0(t) [Lu 2022b, alg. 2 and, with noise, sec. 4.3]; one denoiser evaluation a step, as in `ddim`. The
    first step has no predecessor and the last no finite lambda: both are plain. Arguments as in `ddim`.
    """
    _check_eta(eta)
    x, before = x_1, None
    for t, alpha_bar_s, alpha_bar_t in walk.times(x_1.numeric):
        known = denoiser(x, t)
        used = known
        if before is not None and alpha_bar_s < 1:
            earlier, alpha_bar_r = before
            ratio = (_log_snr(alpha_bar_s) - _log_snr(alpha_bar_t)) / (_log_snr(alpha_bar_t) - _log_snr(alpha_bar_r))
            used = Estimate(known.x_0 + ratio / 2 * (known.x_0 - earlier), known.p_0)
        before = known.x_0, alpha_bar_t
        x = _step(
            used,
            x,
            alpha_bar_s=alpha_bar_s,
            alpha_bar_t=alpha_bar_t,
            walk=walk,
            eta=eta,
            generator=generator,
        )
    return x


def _step(
    known: Estimate,
    x_t: State,
    *,
    alpha_bar_s: Tensor,
    alpha_bar_t: Tensor,
    walk: Walk,
    eta: float,
    generator: torch.Generator,
) -> State:
    """Return rows at s < t; the last step (alpha_bar_s = 1) returns the estimate itself and draws no noise for it."""
    values = x_t.numeric
    eps = None
    if eta > 0 and alpha_bar_s < 1:
        eps = torch.randn(values.shape, generator=generator, dtype=values.dtype, device=values.device)
    numeric = gaussian.ddim_step(
        known.x_0,
        values,
        eps,
        alpha_bar_s=alpha_bar_s,
        alpha_bar_t=alpha_bar_t,
        eta=0.0 if eps is None else eta,
    )
    law = multinomial.reverse_law(
        known.p_0,
        walk.layout.one_hot(x_t.codes, known.p_0.dtype),
        alpha_bar_s=alpha_bar_s,
        alpha_bar_t=alpha_bar_t,
        layout=walk.layout,
    )
    return State(numeric, walk.layout.draw(law, generator))


def _log_snr(alpha_bar: Tensor) -> Tensor:
    """Return 2 lambda, the logarithm of the signal-to-noise ratio."""
    return torch.log(alpha_bar) - torch.log1p(-alpha_bar)


def _check_eta(eta: float) -> None:
    if not 0 <= eta <= 1:
        raise ValueError(f"eta={eta} is not in [0, 1]; 0 is deterministic, 1 ancestral")
