"""Budgets agree with closed forms and with a second accountant, and are never overspent."""

import math

import numpy as np
import pytest
from scipy.stats import norm

from synthcohort.dp.accountant import (
    GaussianSteps,
    PrivacyError,
    gaussian_epsilon,
    mixed_epsilon,
    noise_multiplier,
    zcdp_epsilon,
    zcdp_rho,
)

DELTA = 1e-5


def gaussian_delta(epsilon: float, mu: float) -> float:
    """[Balle 2018, theorem 8]."""
    return norm.cdf(mu / 2 - epsilon / mu) - math.exp(epsilon) * norm.cdf(-mu / 2 - epsilon / mu)


@pytest.mark.parametrize(("sigma", "steps"), [(0.5, 1), (1.0, 1), (4.0, 1), (20.0, 100), (3.0, 30)])
def test_without_sampling_steps_are_one_gaussian_mechanism(sigma, steps):
    epsilon = gaussian_epsilon([GaussianSteps(sigma, 1.0, steps)], DELTA)
    assert gaussian_delta(epsilon, math.sqrt(steps) / sigma) == pytest.approx(DELTA, rel=1e-4)
    assert gaussian_delta(epsilon, math.sqrt(steps) / sigma) <= DELTA


def test_different_gaussian_mechanisms_add_their_precisions():
    together = gaussian_epsilon([GaussianSteps(3.0), GaussianSteps(4.0)], DELTA)
    assert together == pytest.approx(gaussian_epsilon([GaussianSteps(2.4)], DELTA), rel=1e-6)


@pytest.mark.parametrize(
    ("sigma", "rate", "steps"), [(2.0, 0.25, 300), (0.9, 0.02, 500), (6.0, 0.5, 200), (30.0, 0.5, 200), (1.0, 0.01, 50)]
)
def test_sampled_steps_agree_with_a_second_accountant_to_a_percent(sigma, rate, steps):
    pld = pytest.importorskip("dp_accounting.pld.privacy_loss_distribution")
    delta = 1e-4
    one = pld.from_gaussian_mechanism(sigma, sampling_prob=rate, value_discretization_interval=1e-3)
    second = one.self_compose(steps).get_epsilon_for_delta(delta)
    found = gaussian_epsilon([GaussianSteps(sigma, rate, steps)], delta)
    assert found == pytest.approx(second, rel=0.01)
    assert found >= second * (1 - 1e-3)


def test_sampled_and_whole_steps_together_agree_with_a_second_accountant():
    pld = pytest.importorskip("dp_accounting.pld.privacy_loss_distribution")
    sampled = pld.from_gaussian_mechanism(3.0, sampling_prob=0.2, value_discretization_interval=1e-3).self_compose(100)
    second = sampled.compose(pld.from_gaussian_mechanism(2.0, value_discretization_interval=1e-3))
    found = gaussian_epsilon([GaussianSteps(2.0), GaussianSteps(3.0, 0.2, 100)], DELTA)
    assert found == pytest.approx(second.get_epsilon_for_delta(DELTA), rel=0.01)


@pytest.mark.parametrize("rho", [1e-4, 0.01, 0.5, 5.0])
def test_zcdp_is_the_least_over_orders(rho):
    less = np.geomspace(1e-2, 1e6, 400_001)
    alpha = 1 + less
    grid = alpha * rho + (np.log(1 / (DELTA * less)) + alpha * np.log1p(-1 / alpha)) / less
    assert zcdp_epsilon(rho, DELTA) == pytest.approx(grid.min(), rel=1e-6)
    assert zcdp_epsilon(rho, DELTA) < rho + 2 * math.sqrt(rho * math.log(1 / DELTA))  # [Bun 2016, prop. 1.3]


@pytest.mark.parametrize("rho", [0.01, 0.5, 5.0])
def test_zcdp_of_a_gaussian_mechanism_is_never_below_its_exact_cost(rho):
    exact = gaussian_epsilon([GaussianSteps(1 / math.sqrt(2 * rho))], DELTA)
    assert exact < zcdp_epsilon(rho, DELTA) < 1.4 * exact


@pytest.mark.parametrize("epsilon", [0.1, 1.0, 10.0])
def test_rho_is_the_inverse_and_on_the_safe_side(epsilon):
    rho = zcdp_rho(epsilon, DELTA)
    assert (1 - 1e-6) * epsilon < zcdp_epsilon(rho, DELTA) <= epsilon


def test_zcdp_beside_sampled_steps_costs_more_than_either_and_less_than_twice_half_of_delta():
    steps, rho = GaussianSteps(3.0, 0.2, 100), 0.05
    both = mixed_epsilon([steps], rho, DELTA)
    assert both > max(gaussian_epsilon([steps], DELTA), zcdp_epsilon(rho, DELTA))
    assert both <= gaussian_epsilon([steps], DELTA / 2) + zcdp_epsilon(rho, DELTA / 2)
    as_gaussian = gaussian_epsilon([steps, GaussianSteps(1 / math.sqrt(2 * rho))], DELTA)
    assert both >= as_gaussian  # a bound for every zCDP mechanism holds for the Gaussian one


@pytest.mark.parametrize(("epsilon", "rate", "steps"), [(0.5, 0.25, 300), (8.0, 0.02, 1000), (2.0, 1.0, 50)])
def test_the_noise_solved_for_keeps_the_budget_and_uses_it_up(epsilon, rate, steps):
    sigma = noise_multiplier(epsilon=epsilon, delta=DELTA, sampling_rate=rate, steps=steps)
    assert 0.99 * epsilon <= gaussian_epsilon([GaussianSteps(sigma, rate, steps)], DELTA) <= epsilon


def test_no_budget_needs_no_noise_and_no_noise_costs_everything():
    assert noise_multiplier(epsilon=math.inf, delta=DELTA, sampling_rate=0.1, steps=10) == 0
    assert gaussian_epsilon([GaussianSteps(0.0, 0.1, 10)], DELTA) == math.inf
    assert gaussian_epsilon([], DELTA) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"noise_multiplier": -1.0}, "noise_multiplier=-1"),
        ({"noise_multiplier": 1.0, "sampling_rate": 0.0}, "sampling_rate=0.0"),
        ({"noise_multiplier": 1.0, "sampling_rate": 1.1}, "sampling_rate=1.1"),
        ({"noise_multiplier": 1.0, "steps": 0}, "steps=0"),
    ],
)
def test_steps_out_of_range_are_refused(arguments, message):
    with pytest.raises(PrivacyError, match=message):
        GaussianSteps(**arguments)


@pytest.mark.parametrize("delta", [0.0, 1.0, -1e-5, math.nan])
def test_a_delta_out_of_range_is_refused(delta):
    with pytest.raises(PrivacyError, match="delta="):
        gaussian_epsilon([GaussianSteps(1.0)], delta)
