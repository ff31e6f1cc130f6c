"""Votes of teachers: who is dealt what, how often the noise turns a majority, and what it costs."""

import math

import numpy as np
import pytest
from scipy.stats import chisquare, norm

from synthcohort.dp import pate
from synthcohort.dp.accountant import PrivacyError
from synthcohort.dp.budget import Budget, BudgetExceeded, Ledger
from synthcohort.dp.pate import Votes
from synthcohort.dp.randomness import SeededNoise
from synthcohort.rng import Rng

RNG = Rng(32)


def test_rows_are_dealt_out_evenly_and_each_on_its_own() -> None:
    dealt = pate.assign(6000, 5, SeededNoise(RNG))
    assert chisquare(np.bincount(dealt, minlength=5)).pvalue > 1e-3
    assert np.array_equal(dealt[:10], pate.assign(10, 5, SeededNoise(RNG)))  # others' number changes nobody's teacher
    with pytest.raises(PrivacyError, match="teachers=0"):
        pate.assign(3, 0, SeededNoise(RNG))


def test_a_majority_is_turned_as_often_as_the_noise_says() -> None:
    votes = Votes(40_000, Ledger(Budget(8.0, 1e-5)), SeededNoise(RNG))
    for yes in (0, 3, 10):
        asked = np.arange(10)[:, None] < np.full((1, 10_000), yes)
        told = votes.majority(asked).mean()
        p = norm.cdf((yes - 5) / votes.sigma)
        assert told == pytest.approx(p, abs=4 * math.sqrt(p * (1 - p) / 10_000))


def test_without_noise_the_majority_is_told() -> None:
    votes = Votes(3, Ledger(Budget(math.inf, 1e-5)), SeededNoise(RNG))
    asked = np.array([[1, 0, 1], [1, 0, 0], [0, 0, 1]], dtype=bool)
    assert votes.sigma == 0 and votes.majority(asked).tolist() == [True, False, True]


@pytest.mark.parametrize("epsilon", [0.5, 4.0])
def test_the_whole_budget_is_spent_and_the_moments_accountant_agrees(epsilon) -> None:
    """Moments of T Gaussian labels: T l (l + 1) / (2 sigma^2); their tail bound is above the exact cost and near it."""
    ledger, delta, queries = Ledger(Budget(epsilon, 1e-5)), 1e-5, 700
    sigma = Votes(queries, ledger, SeededNoise(RNG)).sigma
    spent = ledger.spent().epsilon
    assert 0.98 * epsilon < spent <= epsilon
    moments = np.linspace(0.05, 500, 100_000)
    bound = ((queries * moments * (moments + 1) / (2 * sigma**2) + math.log(1 / delta)) / moments).min()
    assert spent < bound < 1.5 * spent


def test_more_labels_than_were_paid_for_are_refused() -> None:
    votes = Votes(5, Ledger(Budget(1.0, 1e-5)), SeededNoise(RNG))
    votes.majority(np.ones((3, 4), dtype=bool))
    with pytest.raises(BudgetExceeded, match="2 labels are asked for and 1 are paid for"):
        votes.majority(np.ones((3, 2), dtype=bool))
    assert votes.majority(np.ones((3, 1), dtype=bool)).shape == (1,)
