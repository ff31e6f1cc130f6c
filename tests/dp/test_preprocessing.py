"""Paid preprocessing: bins by hand, the sensitivity over every small table; noise as stated."""

import itertools
import math

import numpy as np
import pytest

from synthcohort.dp import preprocessing
from synthcohort.dp.accountant import PrivacyError
from synthcohort.dp.budget import Budget, Ledger
from synthcohort.dp.randomness import SeededNoise
from synthcohort.rng import Rng

RNG = Rng(31)


def _edges(low, high, decimals=0, parts=4) -> np.ndarray:
    return preprocessing.declared_edges(low, high, decimals=decimals, parts=parts, column="x")


def _ledger(epsilon: float = 1.0) -> Ledger:
    return Ledger(Budget(epsilon, 1e-5))


# ---- bins ------------------------------------------------------------------------------------------------------------


def test_edges_lie_between_the_values_of_a_column_with_decimals() -> None:
    assert _edges(0, 7).tolist() == [-0.5, 1.5, 3.5, 5.5, 7.5]
    assert _edges(0, 1).tolist() == [-0.5, 0.5, 1.5]  # no more bins than values
    assert np.allclose(_edges(0.078, 0.081, decimals=3), [0.0775, 0.0785, 0.0795, 0.0805, 0.0815])
    assert _edges(2.0, 4.0, decimals=None).tolist() == [2.0, 2.5, 3.0, 3.5, 4.0]
    assert _edges(3.0, 3.0, decimals=None).tolist() == [3.0, 3.0]
    assert _edges(3, 3).tolist() == [2.5, 3.5]


@pytest.mark.parametrize(("low", "high"), [(None, 3.0), (0.0, None), (0.0, math.inf), (math.nan, 1.0)])
def test_a_column_without_declared_bounds_is_refused_by_name(low, high) -> None:
    with pytest.raises(PrivacyError, match=r"column 'x' has bounds .* declare low and high"):
        _edges(low, high)
    with pytest.raises(PrivacyError, match="wrong order"):
        _edges(2.0, 1.0)


@pytest.mark.parametrize("decimals", [0, 2, None])
def test_a_value_drawn_in_a_bin_is_in_that_bin_and_within_the_bounds(decimals) -> None:
    draw = RNG.branch("bins", str(decimals)).numpy()
    for _ in range(50):
        low = round(draw.uniform(-50, 50), decimals or 3)
        high = round(low + draw.uniform(0, 40), decimals or 3)
        edges = _edges(
            math.floor(low) if decimals == 0 else low, math.ceil(high) if decimals == 0 else high, decimals, 7
        )
        bins = draw.integers(0, len(edges) - 1, 200)
        values = preprocessing.value_in(bins, edges, draw.random(200), decimals)
        assert np.array_equal(preprocessing.bin_of(values, edges), bins)
        if decimals is not None:
            assert np.array_equal(values, np.round(values, decimals))
            assert edges[0] < values.min() and values.max() < edges[-1]


def test_every_value_of_a_bin_is_drawn_alike() -> None:
    values = preprocessing.value_in(np.ones(9000, dtype=int), _edges(0, 11), RNG.numpy().random(9000), 0)
    assert sorted(set(values)) == [3, 4, 5]
    assert np.allclose(np.bincount(values.astype(int))[3:], 3000, atol=200)


def test_levels_are_joined_until_they_count_enough() -> None:
    merge = preprocessing.merge_neighbours
    assert merge(np.array([5.0, 1, 1, 4, 9, 2]), 5).tolist() == [0, 1, 1, 1, 2, 2]
    assert merge(np.array([1.0, 1]), 5).tolist() == [0, 0]
    assert merge(np.array([6.0, -2, 8]), 5).tolist() == [0, 1, 1]
    assert preprocessing.merge_rare(np.array([9.0, 1, 7, 2]), 5).tolist() == [0, 2, 1, 2]
    assert preprocessing.merge_rare(np.array([9.0, 1, 7]), 5).tolist() == [0, 1, 2]
    assert preprocessing.merge_rare(np.array([1.0, 1]), 5).tolist() == [0, 0]


# ---- sensitivity -----------------------------------------------------------------------------------------------------


def test_one_row_changes_one_count_of_a_histogram_by_one() -> None:
    edges = _edges(0, 4, parts=3)
    for rows in itertools.product(range(5), repeat=3):
        one, other = (
            np.bincount(preprocessing.bin_of(np.array(r, dtype=float), edges), minlength=3) for r in (rows, rows[1:])
        )
        assert sorted(one - other) == [0, 0, 1]


# ---- counts ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["gaussian", "laplace"])
def test_counts_have_the_noise_that_is_stated_and_paid(kind) -> None:
    ledger, noise = _ledger(50.0), SeededNoise(RNG.branch(kind))
    if kind == "gaussian":
        measure = preprocessing.by_gaussian(ledger, rho=0.08, noise=noise)
    else:
        measure = preprocessing.by_laplace(ledger, epsilon=0.4, noise=noise)
    counts, deviation = measure("histogram", np.full(40_000, 3.0))
    assert kind == "gaussian" or np.array_equal(counts, np.round(counts))
    assert deviation == pytest.approx(2.5 if kind == "gaussian" else math.sqrt(2) / 0.4)
    assert np.std(counts) == pytest.approx(deviation, rel=0.03)
    assert np.mean(counts) == pytest.approx(3, abs=0.1)
    paid = ledger.entries[0]
    assert paid.pure == 0.4 if kind == "laplace" else paid.steps.noise_multiplier == pytest.approx(2.5)


def test_an_infinite_budget_leaves_counts_as_they_are() -> None:
    counts = np.arange(4.0)
    for measure in (
        preprocessing.by_gaussian(_ledger(math.inf), rho=math.inf, noise=SeededNoise(RNG)),
        preprocessing.by_laplace(_ledger(math.inf), epsilon=math.inf, noise=SeededNoise(RNG)),
    ):
        noisy, deviation = measure("x", counts)
        assert np.array_equal(noisy, counts) and deviation == preprocessing.EXACT
