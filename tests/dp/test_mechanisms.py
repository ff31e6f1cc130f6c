"""Noise has the scale that its cost states, and choices have the law that their cost states."""

import math

import numpy as np
import pytest
from scipy import stats

from synthcohort.dp import mechanisms
from synthcohort.dp.accountant import PrivacyError
from synthcohort.dp.randomness import CryptographicNoise, SeededNoise
from synthcohort.rng import Rng

SOURCES = [SeededNoise(Rng(3, ("noise",))), CryptographicNoise()]
by_source = pytest.mark.parametrize("noise", SOURCES, ids=lambda s: s.kind)
LEVEL = 1e-6  # chance that a right source fails a test


@by_source
def test_normals_are_standard_and_uniforms_even(noise):
    assert stats.kstest(noise.normal(20_000), "norm").pvalue > LEVEL
    assert stats.kstest(noise.uniform((200, 100)).ravel(), "uniform").pvalue > LEVEL
    assert noise.normal((3, 0, 2)).shape == (3, 0, 2)
    u = noise.uniform(10_000)
    assert u.min() > 0
    assert u.max() < 1


def test_a_seeded_source_repeats_and_a_cryptographic_one_does_not():
    assert np.array_equal(SeededNoise(Rng(1)).normal(5), SeededNoise(Rng(1)).normal(5))
    assert not np.array_equal(SeededNoise(Rng(1)).normal(5), SeededNoise(Rng(2)).normal(5))
    assert not np.array_equal(CryptographicNoise().normal(5), CryptographicNoise().normal(5))
    assert SeededNoise(Rng(1)).kind == "seeded"
    assert CryptographicNoise().kind == "cryptographic"


@by_source
def test_gaussian_noise_is_what_rho_pays_for(noise):
    rho, sensitivity = 0.08, 3.0
    drawn = mechanisms.gaussian(np.full(20_000, 7.0), sensitivity=sensitivity, rho=rho, noise=noise)
    scale = 7.5  # 3 / sqrt(0.16)
    assert mechanisms.gaussian_scale(sensitivity=sensitivity, rho=rho) == pytest.approx(scale)
    assert stats.kstest((drawn - 7) / scale, "norm").pvalue > LEVEL
    # order-alpha Renyi divergence of two normals a sensitivity apart is alpha s^2 / (2 scale^2) [Bun 2016, lemma 2.4]
    assert sensitivity**2 / (2 * scale**2) == pytest.approx(rho)


@by_source
def test_laplace_noise_is_what_epsilon_pays_for(noise):
    drawn = mechanisms.laplace(np.zeros(20_000), sensitivity=2.0, epsilon=0.5, noise=noise)
    assert stats.kstest(drawn / 4, "laplace").pvalue > LEVEL


@by_source
def test_choices_follow_the_exponential_law(noise):
    utility = np.array([0.0, 1.0, 3.0])
    chosen = [mechanisms.exponential(utility, sensitivity=1.0, epsilon=1.2, noise=noise) for _ in range(6_000)]
    weights = np.exp(0.6 * utility)
    expected = 6_000 * weights / weights.sum()
    assert stats.chisquare(np.bincount(chosen, minlength=3), expected).pvalue > LEVEL


def test_neighbours_are_told_apart_by_the_exponential_law_no_more_than_its_cost():
    epsilon, u = 0.9, np.array([0.0, 2.0, 1.0, 5.0])
    moved = u + np.array([1.0, -1.0, 1.0, 0.0])  # sensitivity 1
    p, q = (np.exp(epsilon * v / 2) / np.exp(epsilon * v / 2).sum() for v in (u, moved))
    assert np.abs(np.log(p / q)).max() <= epsilon
    for alpha in (1.5, 2.0, 8.0, 64.0):
        renyi = math.log((p**alpha * q ** (1 - alpha)).sum()) / (alpha - 1)
        assert renyi <= alpha * mechanisms.exponential_rho(epsilon)
    assert mechanisms.exponential_epsilon(mechanisms.exponential_rho(epsilon)) == pytest.approx(epsilon)


def test_an_infinite_cost_gives_the_answer_itself():
    noise, answer = SOURCES[0], np.array([1.0, 5.0, 2.0])
    assert np.array_equal(mechanisms.gaussian(answer, sensitivity=1.0, rho=math.inf, noise=noise), answer)
    assert np.array_equal(mechanisms.laplace(answer, sensitivity=1.0, epsilon=math.inf, noise=noise), answer)
    assert mechanisms.exponential(answer, sensitivity=1.0, epsilon=math.inf, noise=noise) == 1


@pytest.mark.parametrize("bad", [0.0, -1.0, math.inf, math.nan])
def test_a_sensitivity_that_bounds_nothing_is_refused(bad):
    with pytest.raises(PrivacyError, match="sensitivity="):
        mechanisms.gaussian(np.zeros(2), sensitivity=bad, rho=1.0, noise=SOURCES[0])


@pytest.mark.parametrize("bad", [0.0, -1.0, math.nan])
def test_a_cost_of_nothing_is_refused(bad):
    with pytest.raises(PrivacyError, match="epsilon="):
        mechanisms.laplace(np.zeros(2), sensitivity=1.0, epsilon=bad, noise=SOURCES[0])
    with pytest.raises(PrivacyError, match="rho="):
        mechanisms.gaussian(np.zeros(2), sensitivity=1.0, rho=bad, noise=SOURCES[0])
