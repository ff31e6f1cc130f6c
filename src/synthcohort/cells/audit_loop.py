"""Does the private training loop keep the budget it claims, seen from the inside?

The sharpest place to look is the gradient itself. A small network learns invented rows through `dp.sgd`, and has one
further weight for every canary, which no other row moves: a canary's gradient is a unit vector of its own [Nasr 2023;
Steinke 2023, sec. 6], `LENGTH` times longer than the clip norm. A canary that stays out is a blank row, whose gradient
is zero, as in the accountant's neighbours. Whoever sees the noisy gradient g of every step guesses the coins by, with
v_t the entry of step t in units of the clip norm, sigma the noise and q the sampling rate,

- `likelihood`: sum_t log(1 - q + q exp((v_t - 1/2) / sigma^2)), the likelihood ratio of the mechanism as claimed;
- `spread`: sum_t |v_t - v_{t-1}|, which is small for a canary that stays out if the noise of two steps cancels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from synthcohort.cells.audit_faults import ReusedNoise, UnclippedSum
from synthcohort.dp import accountant
from synthcohort.dp.clipping import Rows
from synthcohort.dp.randomness import Noise, SeededNoise
from synthcohort.dp.sgd import PrivateGradients
from synthcohort.metrics import privacy_audit
from synthcohort.metrics.privacy_audit import Bound
from synthcohort.rng import Rng

DELTA = 1e-6  # of the claims; smaller than that of a fit, which few canaries would hardly refute
OTHERS = 100  # invented rows beside the canaries
LENGTH = 10.0  # of a canary's gradient before clipping, in clip norms
FEATURES, WIDTH = 4, 8  # of the network on the invented rows


@dataclass(frozen=True)
class Plan:
    """A private training, and what it claims.

    Args:
        rows: n, canaries among them.
        canaries: m, less than n.
        batch_size: rows expected in a step.
        steps: T.
        clip_norm: C.
        noise_multiplier: sigma, > 0.
        delta: of the claim.
    """

    rows: int
    canaries: int
    batch_size: int
    steps: int
    clip_norm: float
    noise_multiplier: float
    delta: float


def plan(*, epsilon: float, canaries: int, sampling_rate: float, steps: int, clip_norm: float) -> Plan:
    """Return a training that claims (epsilon, `DELTA`), with the noise that the accountant asks for."""
    rows = canaries + OTHERS
    batch = max(1, round(sampling_rate * rows))
    sigma = accountant.noise_multiplier(epsilon=epsilon, delta=DELTA, sampling_rate=batch / rows, steps=steps)
    return Plan(rows, canaries, batch, steps, clip_norm, sigma, DELTA)


class Watched(nn.Module):
    """A small network with one more weight for every canary."""

    def __init__(self, canaries: int, rng: Rng) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(FEATURES, WIDTH), nn.Tanh(), nn.Linear(WIDTH, 1))
        self.marks = nn.Linear(canaries, 1, bias=False)
        generator = rng.torch()
        with torch.no_grad():
            for weight in self.body.parameters():
                weight.copy_(0.3 * torch.randn(weight.shape, generator=generator))
            self.marks.weight.zero_()

    def losses(self, batch: Rows, generator: torch.Generator) -> Tensor:
        """Return the loss of each row, [n]: x [n, FEATURES], y [n], marks [n, m]; a blank row has none of them."""
        x, y, marks, present = batch
        return present * (self.body(x).squeeze(1) - y).square() + self.marks(marks).squeeze(1)


def sound(plan: Plan, rng: Rng, *, confidence: float) -> Bound:
    """Audit the loop as it is."""
    return _audit(plan, rng, confidence, SeededNoise(rng.branch("noise")), lambda gradients, network: None)


def unclipped(plan: Plan, rng: Rng, *, confidence: float) -> Bound:
    """Audit the loop without clipping: broken on purpose."""

    def breaks(gradients: PrivateGradients, network: Watched) -> None:
        gradients.clipped.close()
        gradients.clipped = UnclippedSum(network, network.losses)  # type: ignore[assignment]

    return _audit(plan, rng, confidence, SeededNoise(rng.branch("noise")), breaks)


def reused_noise(plan: Plan, rng: Rng, *, confidence: float) -> Bound:
    """Audit the loop with noise from a reused seed: broken on purpose."""
    return _audit(plan, rng, confidence, ReusedNoise(rng.branch("noise")), lambda gradients, network: None)


def _audit(
    plan: Plan, rng: Rng, confidence: float, noise: Noise, breaks: Callable[[PrivateGradients, Watched], None]
) -> Bound:
    inside = privacy_audit.coins(plan.canaries, rng.branch("coins"))
    network = Watched(plan.canaries, rng.branch("weights"))
    gradients = PrivateGradients(
        network,
        network.losses,
        _rows(plan, inside, rng.branch("rows")),
        batch_size=plan.batch_size,
        clip_norm=plan.clip_norm,
        noise_multiplier=plan.noise_multiplier,
        noise=noise,
        generator=rng.branch("losses").torch(),
    )
    breaks(gradients, network)
    seen = _watch(gradients, network, plan)  # [T, m]
    gradients.clipped.close()
    return privacy_audit.audit(_attacks(seen, plan), inside, delta=plan.delta, confidence=confidence)


def _rows(plan: Plan, inside: np.ndarray, rng: Rng) -> Rows:
    """Return the invented rows, then the canaries: x [n, FEATURES], y [n], marks [n, m], present [n]."""
    n, m = plan.rows, plan.canaries
    x = torch.randn(n, FEATURES, generator=rng.torch())
    x[n - m :] = 0.0
    marks = torch.zeros(n, m)
    marks[n - m :] = LENGTH * plan.clip_norm * torch.diag(torch.from_numpy(inside.astype(np.float32)))
    present = (torch.arange(n) < n - m).float()
    return x, x.sum(1).sin(), marks, present


def _watch(gradients: PrivateGradients, network: Watched, plan: Plan) -> np.ndarray:
    """Take every step and return what it shows of every canary, [T, m], in units of the clip norm."""
    weights = gradients.clipped.weights
    place = next(i for i, weight in enumerate(weights) if weight is network.marks.weight)
    seen = []
    for _ in range(plan.steps):
        drawn = gradients.draw()
        seen.append(drawn[place].squeeze(0).double().numpy() * plan.batch_size / plan.clip_norm)
        with torch.no_grad():
            for weight, gradient in zip(weights, drawn, strict=True):
                if weight is not network.marks.weight:  # the gradient of a mark does not depend on its weight
                    weight.sub_(gradient, alpha=0.01)
    return np.stack(seen)


def _attacks(seen: np.ndarray, plan: Plan) -> dict[str, np.ndarray]:
    """Return the scores of every canary, [m], from what the steps showed, [T, m]."""
    q, variance = plan.batch_size / plan.rows, plan.noise_multiplier**2
    taken = (seen - 0.5) / variance + np.log(q)
    likelihood = np.logaddexp(np.log1p(-q), taken) if q < 1 else taken
    return {"likelihood": likelihood.sum(axis=0), "spread": np.abs(np.diff(seen, axis=0)).sum(axis=0)}
