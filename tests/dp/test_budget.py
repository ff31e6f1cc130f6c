"""A budget is checked before rows are seen, and a ledger never overspends it."""

import math

import pytest

from synthcohort.dp.accountant import PrivacyError, zcdp_epsilon
from synthcohort.dp.budget import Budget, BudgetExceeded, Ledger
from synthcohort.rng import Rng

DELTA = 1e-5


@pytest.mark.parametrize("epsilon", [0.0, -1.0, math.nan])
def test_an_epsilon_that_is_not_positive_is_refused(epsilon):
    with pytest.raises(PrivacyError, match="epsilon="):
        Budget(epsilon, DELTA)


def test_delta_must_protect_every_row():
    assert Budget(1.0, 0.0099).check(100).delta == 0.0099
    with pytest.raises(PrivacyError, match=r"delta=0.01 must be below 1 / n = 0.01 for n=100"):
        Budget(1.0, 0.01).check(100)
    assert Budget.of(1.0, None, 100).delta == pytest.approx(1e-3)
    with pytest.raises(PrivacyError, match="at least one row"):
        Budget.of(1.0, None, 0)


def test_an_overspend_is_refused_and_not_written_down():
    ledger = Ledger(Budget(1.0, DELTA))
    ledger.spend_zcdp("a table", ledger.remaining_rho)
    with pytest.raises(BudgetExceeded, match=r"'one more'.*above the budget of 1.*\n.*a table"):
        ledger.spend_zcdp("one more", 1e-3)
    assert [e.name for e in ledger.entries] == ["a table"]
    assert 0.999 < ledger.spent().epsilon <= 1.0
    assert ledger.remaining == pytest.approx(0, abs=1e-3)


def test_nothing_is_free():
    ledger = Ledger(Budget(1.0, DELTA))
    with pytest.raises(PrivacyError, match="never free"):
        ledger.spend_zcdp("a look", 0.0)
    with pytest.raises(PrivacyError, match="never free"):
        ledger.spend_pure("a look", -1.0)


def test_pure_costs_add_up_or_compose_whichever_is_less():
    few = Ledger(Budget(10.0, DELTA))
    for i in range(2):
        few.spend_pure(f"{i}", 0.5)
    assert few.spent().epsilon == pytest.approx(1.0)
    many = Ledger(Budget(10.0, DELTA))
    for i in range(100):
        many.spend_pure(f"{i}", 0.1)
    assert many.spent().epsilon == pytest.approx(zcdp_epsilon(100 * 0.1**2 / 2, DELTA))
    assert many.spent().epsilon < 10


def test_gradients_take_what_is_left():
    ledger = Ledger(Budget(2.0, DELTA))
    ledger.spend_gaussian("histograms", 8.0)
    before = ledger.spent().epsilon
    sigma = ledger.noise_multiplier(sampling_rate=0.2, steps=100)
    ledger.spend_gaussian_sgd("gradients", noise_multiplier=sigma, sampling_rate=0.2, steps=100)
    assert before < 1.96 < ledger.spent().epsilon <= 2.0
    with pytest.raises(BudgetExceeded):
        ledger.spend_gaussian_sgd("again", noise_multiplier=sigma, sampling_rate=0.2, steps=1_00)
    text = ledger.composition()
    assert "histograms: 1 Gaussian step(s), noise 8 times the sensitivity" in text
    assert "each row in a step with probability 0.2" in text
    assert text.endswith("(PRV)")


def test_what_samples_rows_is_no_zcdp():
    ledger = Ledger(Budget(2.0, DELTA))
    ledger.spend_gaussian_sgd("gradients", noise_multiplier=5.0, sampling_rate=0.2, steps=10)
    with pytest.raises(PrivacyError, match="'gradients' samples rows"):
        ledger.remaining_rho


def test_an_infinite_budget_pays_for_everything():
    ledger = Ledger(Budget(math.inf, DELTA))
    ledger.spend_gaussian("in the clear", 0.0)
    ledger.spend_zcdp("more", ledger.remaining_rho)
    assert ledger.noise_multiplier(sampling_rate=0.1, steps=10) == 0
    assert ledger.spent().epsilon == ledger.remaining == math.inf


@pytest.mark.parametrize("seed", range(20))
def test_no_order_of_costs_overspends(seed):
    draw = Rng(seed, ("costs",)).numpy()
    budget = Budget(float(draw.uniform(0.1, 8)), 10 ** -float(draw.uniform(3, 8)))
    ledger, refused = Ledger(budget), 0
    while refused < 4:
        try:
            kind, size = draw.integers(3), float(draw.lognormal(-3, 1.5))
            if kind == 0:
                ledger.spend_zcdp("z", size)
            elif kind == 1:
                ledger.spend_pure("p", size)
            else:
                ledger.spend_gaussian("g", 1 / size)
        except BudgetExceeded:
            refused += 1
        assert ledger.spent().epsilon <= budget.epsilon
        of_noise = sum(1 / (2 * e.steps.noise_multiplier**2) for e in ledger.entries if e.steps)
        rho = of_noise + sum(e.rho + e.pure**2 / 2 for e in ledger.entries)
        lone = sum(e.pure for e in ledger.entries) if all(e.pure for e in ledger.entries) else math.inf
        halves = any(e.steps for e in ledger.entries)
        if not halves:
            assert ledger.spent().epsilon == pytest.approx(min(lone, zcdp_epsilon(rho, budget.delta)))
        else:
            assert ledger.spent().epsilon <= zcdp_epsilon(rho, budget.delta) + 1e-9
