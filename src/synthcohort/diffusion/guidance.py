r"""How is a draw pulled towards the target and the sensitive attributes that were asked for?

Classifier-free guidance [Ho 2022] along several attributes at once [Yang 2025]. e(a) is what a network says of noisy
rows when it is shown the attributes a only: target y, sensitive attributes s_1 ... s_k. Its step towards one of them is
e(a) - e(), and the guided estimate is

    e_bar = e_start + w_y ( e(y) - e() ) + w_s sum_i gamma_i,
    gamma_i = mu_i * ( e(s_i) - e() ) + w_m nu_i,        nu_i <- beta nu_i + (1 - beta) gamma_i    [Yang 2025, sec. 4.1]

with nu_i = 0 before the first step. During the warm-up, the first share of the walk, gamma_i is not added but already
gathers in nu_i. The published guidance starts at e_start = e() with w_y = w_s = w_g. Any other start may be guided:
at e(y, s_1 ... s_k) the sum says what is added to the joint estimate, and w_y = w_s = 0 leaves that as it is.

The security gate mu_i holds the sensitive step back where it would undo the label. With d = e(y) - e(s_i), entry by
entry, it is published twice [Yang 2025, sec. 4.1 and its release]:

                     as printed                      as coded
    mu(d)            max(1, w |d|)  if |d| < lambda  min(1, w |d|)  if d <= lambda
                     0              otherwise        0              otherwise
    d = 0            1 (0 if lambda = 0)             0
    w = 0            1 where |d| < lambda            0
    lambda = 0       0                               min(1, w |d|) where d <= 0
    lambda infinite  max(1, w |d|), never below 1    min(1, w |d|), never above 1
    w infinite       unbounded where 0 < |d|         1 where d != 0
    d << -lambda     0                               1: a large negative difference stays active

As printed with w = 0 and lambda infinite it is open, mu = 1.

Departs: the release writes zeros to nu before every step, so that momentum does nothing, and its warm-up masks the end
of the walk, t < delta. Here both are as in the guidance they come from [Schramowski 2023, sec. 3], where the first
steps of a walk are the warm-up. All sensitive attributes share one embedding in the release, hence one gamma; the paper
sums over them. It trains the network on the three estimates at once; here attributes are hidden from rows at random
[Ho 2022, alg. 1], which is what makes e() and e(a) estimates of one network.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor

from synthcohort.diffusion.sampler import State

Gate = Callable[[Tensor], Tensor]


class Estimator(Protocol):
    """What a network says of noisy rows, in numbers that may be added: eps and logits, or a latent row."""

    def __call__(self, x_t: State, t: Tensor) -> Tensor:
        """Return [n, F] of rows x_t at time t, a scalar in (0, 1]."""
        ...


def gate_as_printed(difference: Tensor, *, weight: float, threshold: float) -> Tensor:
    """Return mu, the shape of `difference` = e(y) - e(s_i), by the paper: at least 1, closed on both sides.

    Args:
        difference: any shape.
        weight: w >= 0, finite.
        threshold: lambda >= 0; math.inf never closes.
    """
    size = difference.abs()
    return torch.where(size < threshold, (weight * size).clamp(min=1), 0)


def gate_as_coded(difference: Tensor, *, weight: float, threshold: float) -> Tensor:
    """Return mu, the shape of `difference` = e(y) - e(s_i), by the release: at most 1, closed above only.

    Arguments as in `gate_as_printed`.
    """
    return torch.where(difference > threshold, 0, (weight * difference.abs()).clamp(max=1))


@dataclass(frozen=True, kw_only=True)
class Strength:
    """How much is guided.

    Args:
        target: w_y, any sign; 0 does not move along the target.
        sensitive: w_s, any sign; 0 does not move along sensitive attributes.
        gate: mu of e(y) - e(s_i).
        warm_up: share of the walk, from its start, without sensitive guidance, in [0, 1].
        momentum: w_m >= 0, weight of nu.
        decay: beta in [0, 1), weight of the past in nu.

    Raises:
        ValueError: if one is out of its range, naming it.
    """

    target: float
    sensitive: float
    gate: Gate
    warm_up: float = 0.0
    momentum: float = 0.0
    decay: float = 0.5

    def __post_init__(self) -> None:
        for name in ("target", "sensitive"):
            if not math.isfinite(getattr(self, name)):
                raise ValueError(f"guidance: {name}={getattr(self, name)} must be a finite weight")
        if not 0 <= self.warm_up <= 1:
            raise ValueError(f"guidance: warm_up={self.warm_up} is not in [0, 1], a share of the walk")
        if not self.momentum >= 0:
            raise ValueError(f"guidance: momentum={self.momentum} must not be negative")
        if not 0 <= self.decay < 1:
            raise ValueError(f"guidance: decay={self.decay} is not in [0, 1)")


@dataclass
class Guided:
    """An estimator around estimators, for one walk: it keeps nu from step to step.

    Args:
        start: e_start; the same object as `free` if the walk starts from e().
        free: e().
        target: e(y); None for a table without a categorical target, whose place e() takes in the gate.
        sensitive: e(s_i) of each sensitive attribute.
        strength: how much of them.
    """

    start: Estimator
    free: Estimator
    target: Estimator | None
    sensitive: tuple[Estimator, ...]
    strength: Strength
    nu: list[Tensor] = field(init=False, default_factory=list)

    def __call__(self, x_t: State, t: Tensor) -> Tensor:
        """Return e_bar [n, F]; an estimate that has no weight is not evaluated."""
        by_target = self.strength.target != 0 and self.target is not None
        by_sensitive = self.strength.sensitive != 0 and len(self.sensitive) > 0
        guided = self.start(x_t, t)
        if not (by_target or by_sensitive):
            return guided
        free = guided if self.start is self.free else self.free(x_t, t)
        shown = free if self.target is None else self.target(x_t, t)
        if by_target:
            guided = guided + self.strength.target * (shown - free)
        if by_sensitive:
            steps = [self._step(i, estimator(x_t, t), shown, free) for i, estimator in enumerate(self.sensitive)]
            if float(t) <= 1 - self.strength.warm_up:
                guided = guided + self.strength.sensitive * torch.stack(steps).sum(0)
        return guided

    def _step(self, i: int, sensitive: Tensor, target: Tensor, free: Tensor) -> Tensor:
        """Return gamma_i [n, F] and take it into nu_i."""
        s = self.strength
        step = s.gate(target - sensitive) * (sensitive - free)
        if not s.momentum:
            return step
        if len(self.nu) <= i:
            self.nu.append(torch.zeros_like(step))
        step = step + s.momentum * self.nu[i]
        self.nu[i] = s.decay * self.nu[i] + (1 - s.decay) * step
        return step


def hide(given: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Return what a network is shown of attributes, [n, A]: 0 is hidden, k + 1 is level k.

    Rows of the share are shown one attribute or none, each of the A + 1 alike: these are the estimates that guidance
    needs, e() and e(a). The others are shown all.

    Args:
        given: [n, A] level numbers.
        share: of the rows, in [0, 1].
        generator: which rows, and what they are shown.
    """
    n, attributes = given.shape
    alone = torch.rand(n, 1, generator=generator, device=given.device) < share  # [n, 1]
    kept = torch.randint(attributes + 1, (n, 1), generator=generator, device=given.device)
    seen = ~alone | (kept == torch.arange(attributes, device=given.device))  # [n, A]
    return torch.where(seen, given + 1, 0)


def only(given: Tensor, attribute: int | None) -> Tensor:
    """Return what is shown of attributes [n, A] if one is shown and no other, or none, [n, A]."""
    shown = torch.zeros_like(given)
    if attribute is not None:
        shown[:, attribute] = given[:, attribute] + 1
    return shown
