"""Samplers with exact denoisers: the law comes back, and the error falls at the claimed rate."""

import math

import pytest
import torch
from torch import Tensor

from synthcohort.diffusion import multinomial, sampler
from synthcohort.diffusion.multinomial import Layout
from synthcohort.diffusion.sampler import Estimate, State, Walk
from synthcohort.diffusion.schedule import Cosine
from synthcohort.rng import Rng

SCHEDULE = Cosine()
NO_LEVELS = Layout(())
WEIGHTS = torch.tensor([0.3, 0.7], dtype=torch.float64)
MEANS = torch.tensor([-1.5, 1.0], dtype=torch.float64)
SCALES = torch.tensor([0.3, 0.6], dtype=torch.float64)
MEAN = float((WEIGHTS * MEANS).sum())
VARIANCE = float((WEIGHTS * (SCALES**2 + MEANS**2)).sum()) - MEAN**2


def mixture(x_t: State, t: Tensor) -> Estimate:
    """E[x_0 | x_t] of the two-component mixture, cell by cell, in closed form."""
    alpha_bar = SCHEDULE.alpha_bar(t)
    x = x_t.numeric[..., None]  # [n, P, 2]
    spread = alpha_bar * SCALES**2 + 1 - alpha_bar
    off = x - alpha_bar.sqrt() * MEANS
    share = torch.softmax(WEIGHTS.log() - 0.5 * spread.log() - 0.5 * off**2 / spread, dim=-1)
    mean = MEANS + alpha_bar.sqrt() * SCALES**2 / spread * off
    return Estimate((share * mean).sum(-1), torch.zeros(len(x_t), 0))


def _numeric_noise(n: int, seed: int) -> State:
    drawn = torch.randn(n, 1, generator=Rng(seed).torch(), dtype=torch.float64)
    return State(drawn, torch.zeros(n, 0, dtype=torch.int64))


def _walk(steps: int, layout: Layout = NO_LEVELS) -> Walk:
    return Walk(SCHEDULE, steps, layout)


def _error(sample, steps: int, x_1: State, reference: Tensor) -> float:
    drawn = sample(mixture, x_1, _walk(steps), Rng(0).torch(), eta=0.0).numeric
    return float((drawn - reference).abs().mean())


@pytest.mark.parametrize(
    ("sample", "order"), [(sampler.ddim, 1.0), (sampler.multistep, 2.0)], ids=["ddim", "multistep"]
)
def test_error_of_a_deterministic_walk_falls_at_its_order(sample, order: float) -> None:
    x_1 = _numeric_noise(300, 1)
    reference = sampler.multistep(mixture, x_1, _walk(3000), Rng(0).torch(), eta=0.0).numeric
    errors = [_error(sample, steps, x_1, reference) for steps in (40, 80, 160)]
    slopes = [math.log2(errors[k] / errors[k + 1]) for k in range(2)]
    assert all(abs(slope - order) < 0.3 for slope in slopes), slopes


@pytest.mark.parametrize("eta", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("sample", [sampler.ddim, sampler.multistep], ids=["ddim", "multistep"])
def test_moments_of_the_mixture_come_back(sample, eta: float) -> None:
    n = 40_000
    drawn = sample(mixture, _numeric_noise(n, 2), _walk(150), Rng(3).torch(), eta=eta).numeric
    assert abs(float(drawn.mean()) - MEAN) < 5 * math.sqrt(VARIANCE / n) + 0.01
    assert abs(float(drawn.var()) - VARIANCE) < 0.05
    assert abs(float((drawn < -0.4).double().mean()) - _mixture_below(-0.4)) < 0.015


def _mixture_below(x: float) -> float:
    return float((WEIGHTS * torch.special.ndtr((x - MEANS) / SCALES)).sum())


def test_ancestral_is_ddim_at_eta_one() -> None:
    x_1 = _numeric_noise(50, 4)
    first = sampler.ancestral(mixture, x_1, _walk(10), Rng(5).torch()).numeric
    assert torch.equal(first, sampler.ddim(mixture, x_1, _walk(10), Rng(5).torch(), eta=1.0).numeric)


def test_extrapolation_needs_fewer_ancestral_steps() -> None:
    """At 20 steps the plain ancestral walk is visibly too narrow; the extrapolated one is not."""
    x_1 = _numeric_noise(40_000, 6)
    plain = sampler.ancestral(mixture, x_1, _walk(20), Rng(7).torch()).numeric.var()
    better = sampler.multistep(mixture, x_1, _walk(20), Rng(7).torch(), eta=1.0).numeric.var()
    assert abs(float(better) - VARIANCE) < 0.5 * abs(float(plain) - VARIANCE)


def test_a_denoiser_wraps_a_denoiser() -> None:
    def shifted(x_t: State, t: Tensor) -> Estimate:
        inner = mixture(x_t, t)
        return Estimate(inner.x_0 + 0.2, inner.p_0)

    x_1 = _numeric_noise(2_000, 8)
    plain = sampler.ddim(mixture, x_1, _walk(20), Rng(9).torch()).numeric
    assert float(sampler.ddim(shifted, x_1, _walk(20), Rng(9).torch()).numeric.mean()) > float(plain.mean()) + 0.15


# A table of one categorical column whose law is known: p(x_0 | x_t) by Bayes' rule.
LAYOUT = Layout((6,))
LAW = torch.tensor([[0.70, 0.20, 0.06, 0.03, 0.009, 0.001]], dtype=torch.float64)


def _law_of_x_0(x_t: Tensor, t: Tensor) -> Tensor:
    """Return p(x_0 | x_t) [n, K] for indicators x_t [n, K]."""
    joint = LAW * multinomial.forward_law(x_t, SCHEDULE.alpha_bar(t), LAYOUT)
    return joint / joint.sum(1, keepdim=True)


def levels(x_t: State, t: Tensor) -> Estimate:
    """The exact denoiser of the categorical column."""
    return Estimate(x_t.numeric, _law_of_x_0(LAYOUT.one_hot(x_t.codes, torch.float64), t))


def _final_law(reverse, steps: int) -> Tensor:
    """Return the law of x_0 after a walk, exactly: the reverse steps as matrices on the law of x_t."""
    every = torch.eye(6, dtype=torch.float64)
    law = multinomial.forward_law(LAW, SCHEDULE.alpha_bar(torch.ones((), dtype=torch.float64)), LAYOUT)
    for t, alpha_bar_s, alpha_bar_t in _walk(steps).times(every):
        p_0 = _law_of_x_0(every, t)
        law = law @ reverse(p_0, every, alpha_bar_s=alpha_bar_s, alpha_bar_t=alpha_bar_t, layout=LAYOUT)
    return law


@pytest.mark.parametrize("steps", [1, 3, 10])
def test_exact_mixture_is_unbiased_at_any_number_of_steps(steps: int) -> None:
    assert torch.allclose(_final_law(multinomial.reverse_law, steps), LAW, atol=1e-12)


@pytest.mark.parametrize("steps", [3, 50, 1000])
def test_plug_in_posterior_is_biased_at_any_number_of_steps(steps: int) -> None:
    """The same oracle, with the wrong kernel, fails: a tenth to a fifth of the mass sits on the wrong levels."""
    assert 0.5 * float((_final_law(multinomial.posterior, steps) - LAW).abs().sum()) > 0.1


def test_sampled_levels_follow_the_law() -> None:
    n = 40_000
    x_1 = sampler.noise(n, numeric=0, layout=LAYOUT, generator=Rng(10).torch())
    codes = sampler.ddim(levels, x_1, _walk(5, LAYOUT), Rng(11).torch()).codes
    seen = torch.bincount(codes[:, 0], minlength=6) / n
    assert ((seen - LAW[0]).abs() < 5 * (LAW[0] * (1 - LAW[0]) / n).sqrt() + 1e-4).all()


def test_eta_outside_its_range_is_refused() -> None:
    for sample in (sampler.ddim, sampler.multistep):
        with pytest.raises(ValueError, match=r"eta=1\.5"):
            sample(mixture, _numeric_noise(2, 12), _walk(2), Rng(0).torch(), eta=1.5)
