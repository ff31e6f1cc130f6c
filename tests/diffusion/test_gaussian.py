"""Gaussian kernels against chaining, Bayes' rule on a grid, and each other."""

import math

import torch

from synthcohort.diffusion import gaussian
from synthcohort.diffusion.schedule import Cosine
from synthcohort.rng import Rng

ALPHA_BAR = Cosine().alpha_bar(torch.tensor([0.2, 0.45, 0.7], dtype=torch.float64))


def _normal(x: torch.Tensor, mean: torch.Tensor, variance: torch.Tensor) -> torch.Tensor:
    return torch.exp(-0.5 * (x - mean).square() / variance) / torch.sqrt(2 * math.pi * variance)


def _bayes(x_0: float, x_t: float, alpha_bar_s: torch.Tensor, alpha_bar_t: torch.Tensor) -> tuple[float, float]:
    """Mean and variance of q(x_s | x_t, x_0) by summing q(x_t | x_s) q(x_s | x_0) over a grid of x_s."""
    x_s = torch.linspace(-12, 12, 200_001, dtype=torch.float64)
    alpha = alpha_bar_t / alpha_bar_s
    weight = _normal(torch.tensor(x_t), alpha.sqrt() * x_s, 1 - alpha)
    weight = weight * _normal(x_s, alpha_bar_s.sqrt() * x_0, 1 - alpha_bar_s)
    weight = weight / weight.sum()
    mean = (weight * x_s).sum()
    return float(mean), float((weight * (x_s - mean).square()).sum())


def test_chained_transitions_equal_the_closed_form() -> None:
    """Moments are linear in the noises, so the coefficients of x_0 and of the noises can be read off exactly."""
    one, zero = torch.ones(1, dtype=torch.float64), torch.zeros(1, dtype=torch.float64)

    def chained(x_0, noises):
        x = gaussian.diffuse(x_0, noises[0], ALPHA_BAR[0])
        x = gaussian.transition(x, noises[1], ALPHA_BAR[0], ALPHA_BAR[1])
        return gaussian.transition(x, noises[2], ALPHA_BAR[1], ALPHA_BAR[2])

    signal = chained(one, [zero] * 3)
    scales = [chained(zero, [one if k == j else zero for k in range(3)]) for j in range(3)]
    assert torch.allclose(signal, gaussian.diffuse(one, zero, ALPHA_BAR[2]))
    variance = sum(s.square() for s in scales)
    assert torch.allclose(variance, gaussian.diffuse(zero, one, ALPHA_BAR[2]).square())


def test_posterior_equals_bayes() -> None:
    for s, t in ((0, 1), (1, 2), (0, 2)):
        mean, variance = gaussian.posterior(torch.tensor(0.8), torch.tensor(-0.4), ALPHA_BAR[s], ALPHA_BAR[t])
        expected = _bayes(0.8, -0.4, ALPHA_BAR[s], ALPHA_BAR[t])
        assert abs(float(mean) - expected[0]) < 1e-6
        assert abs(float(variance) - expected[1]) < 1e-6


def test_swapped_coefficients_are_told_from_bayes() -> None:
    """The oracle has teeth: the posterior with its two coefficients exchanged misses Bayes' mean."""
    wrong, _ = gaussian.posterior(torch.tensor(-0.4), torch.tensor(0.8), ALPHA_BAR[0], ALPHA_BAR[1])
    assert abs(float(wrong) - _bayes(0.8, -0.4, ALPHA_BAR[0], ALPHA_BAR[1])[0]) > 0.05


def test_conversions_undo_each_other() -> None:
    noise = Rng(1).torch()
    x_0, eps = torch.randn(2, 5, 3, generator=noise, dtype=torch.float64)
    x_t = gaussian.diffuse(x_0, eps, ALPHA_BAR[1])
    assert torch.allclose(gaussian.eps_to_x_0(eps, x_t, ALPHA_BAR[1]), x_0)
    assert torch.allclose(gaussian.x_0_to_eps(x_0, x_t, ALPHA_BAR[1]), eps)


def test_ancestral_step_is_the_implicit_step_at_eta_one() -> None:
    x_0, x_t, eps = torch.randn(3, 6, 2, generator=Rng(2).torch(), dtype=torch.float64)
    at = {"alpha_bar_s": ALPHA_BAR[0], "alpha_bar_t": ALPHA_BAR[1]}
    ancestral = gaussian.ancestral_step(x_0, x_t, eps, **at)
    assert torch.allclose(ancestral, gaussian.ddim_step(x_0, x_t, eps, **at, eta=1.0))
    assert not torch.allclose(ancestral, gaussian.ddim_step(x_0, x_t, eps, **at, eta=0.5))


def test_every_eta_keeps_the_marginal() -> None:
    """If x_t ~ q(x_t | x_0), one step with the true x_0 gives q(x_s | x_0), for every eta [Song 2021, lemma 1]."""
    x_0 = torch.full((400_000,), 0.7, dtype=torch.float64)
    first, second = torch.randn(2, len(x_0), generator=Rng(3).torch(), dtype=torch.float64)
    x_t = gaussian.diffuse(x_0, first, ALPHA_BAR[2])
    for eta in (0.0, 0.5, 1.0):
        x_s = gaussian.ddim_step(x_0, x_t, second, alpha_bar_s=ALPHA_BAR[0], alpha_bar_t=ALPHA_BAR[2], eta=eta)
        assert abs(float(x_s.mean() - ALPHA_BAR[0].sqrt() * 0.7)) < 0.004
        assert abs(float(x_s.var() - (1 - ALPHA_BAR[0]))) < 0.004


def test_noise_that_is_needed_is_asked_for() -> None:
    x = torch.zeros(1, 1)
    at = {"alpha_bar_s": ALPHA_BAR[0], "alpha_bar_t": ALPHA_BAR[1]}
    try:
        gaussian.ddim_step(x, x, None, **at, eta=0.5)
    except ValueError as error:
        assert "eta=0.5" in str(error)
    else:
        raise AssertionError("a step with eta > 0 and no noise must be refused")
