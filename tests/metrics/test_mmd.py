"""The kernel two-sample statistic and its test against hand computation, enumeration and their null."""

import itertools

import numpy as np
import pandas as pd
import pytest

from synthcohort.metrics import mmd
from synthcohort.metrics.matrix import DataProblem, standardised
from synthcohort.metrics.mmd import (
    METRICS,
    gaussian,
    median_distance,
    mmd_score,
    permutation_p_value,
    squared_distances,
    squared_mmd,
    squared_mmd_of_members,
)
from synthcohort.rng import Rng
from synthcohort.schema import Column, Schema


def kernel(x, y, bandwidth):
    return gaussian(squared_distances(x, y), bandwidth)


def test_two_and_two_points_by_hand():
    x, y = np.array([[0.0], [1.0]]), np.array([[0.0], [2.0]])
    k = {d: np.exp(-(d**2) / 2) for d in (0, 1, 2)}
    expected = k[1] + k[2] - 2 * (k[0] + k[2] + k[1] + k[1]) / 4
    assert squared_mmd(kernel(x, y, 1.0)) == pytest.approx(expected)


def test_blocks_change_nothing(monkeypatch):
    draw = np.random.default_rng(0)
    x, y = draw.normal(size=(31, 3)), draw.normal(size=(23, 3))
    whole = squared_mmd(kernel(x, y, 1.3))
    monkeypatch.setattr("synthcohort.metrics.mmd.BLOCK", 7)
    assert squared_mmd(kernel(x, y, 1.3)) == pytest.approx(whole, abs=1e-14)


def test_unbiased_by_enumeration():
    # Every ordered draw of 3 + 2 points from a law on four points: the mean is the MMD of the law with itself, 0.
    points = np.array([[0.0], [1.0], [2.5], [4.0]])
    draws = itertools.product(range(4), repeat=5)
    values = [squared_mmd(kernel(points[list(d[:3])], points[list(d[3:])], 1.0)) for d in draws]
    assert np.mean(values) == pytest.approx(0.0, abs=1e-12)
    assert np.min(values) < 0 < np.max(values)


def test_median_skips_coinciding_pairs():
    assert median_distance(np.array([[0.0], [0.0], [0.0], [3.0]])) == 3.0
    with pytest.raises(DataProblem, match="equal"):
        median_distance(np.zeros((5, 2)))


def test_null_is_zero_within_its_error(schema, make_cohort):
    values = [
        mmd_score(make_cohort(200, 2 * i), make_cohort(200, 2 * i + 1), schema, max_rows=100, rng=Rng(i))[0].value
        for i in range(40)
    ]
    assert abs(np.mean(values)) < 3 * np.std(values, ddof=1) / np.sqrt(40)


def test_grows_with_noise(schema, make_cohort, shuffle):
    real, other = make_cohort(800, 0), make_cohort(800, 1)
    values = [
        mmd_score(real, shuffle(other, share, 2), schema, max_rows=800, rng=Rng(0))[0].value for share in (0, 0.4, 1)
    ]
    assert values[0] < values[1] < values[2]


def test_unit_of_a_column_is_irrelevant(schema, make_cohort):
    real, other = make_cohort(100, 0), make_cohort(100, 1)
    plain = mmd_score(real, other, schema, max_rows=100, rng=Rng(0))[0].value
    real, other = (f.assign(age=f["age"] * 1000.0) for f in (real, other))
    assert mmd_score(real, other, schema, max_rows=100, rng=Rng(0))[0].value == pytest.approx(plain, rel=1e-9)


def test_constant_column_counts_in_its_own_unit():
    schema = Schema((Column("x", "numeric"), Column("y", "numeric", "target")))
    real = schema.cast(pd.DataFrame({"x": [0.1] * 4, "y": [0.0, 1, 2, 3]}))
    same = mmd_score(real, real, schema, max_rows=10, rng=Rng(0))[0].value
    moved = mmd_score(real, real.assign(x=1.1), schema, max_rows=10, rng=Rng(0))[0].value
    assert np.isfinite(moved) and moved > same


def test_bandwidths_are_the_median_its_half_and_its_double(schema, make_cohort):
    real, other = make_cohort(80, 0), make_cohort(60, 1)
    x, y = standardised(real, real, schema), standardised(other, real, schema)
    median = median_distance(x)
    scores = mmd_score(real, other, schema, max_rows=100, rng=Rng(0))
    assert tuple(s.metric for s in scores) == METRICS
    expected = [squared_mmd(kernel(x, y, width)) for width in (median, median / 2, median * 2)]
    assert [s.value for s in scores[:3]] == expected  # bit for bit


def test_narrow_and_wide_average_zero_and_grow_with_noise(schema, make_cohort, shuffle):
    def three(real, other):
        return [s.value for s in mmd_score(real, other, schema, max_rows=300, rng=Rng(0))[:3]]

    null = np.array([three(make_cohort(80, 2 * i), make_cohort(80, 2 * i + 1)) for i in range(40)])
    assert (np.abs(null.mean(axis=0)) < 3 * null.std(axis=0, ddof=1) / np.sqrt(40)).all()
    real, other = make_cohort(300, 0), make_cohort(300, 1)
    grown = np.array([three(real, shuffle(other, share, 2)) for share in (0, 0.4, 1)])
    assert (np.diff(grown, axis=0) > 0).all()


def test_statistic_of_every_redistribution_is_that_of_its_two_tables():
    draw = np.random.default_rng(0)
    z = draw.normal(size=(9, 2))
    choices = list(itertools.combinations(range(9), 4))
    member = np.zeros((9, len(choices)))
    for b, rows in enumerate(choices):
        member[list(rows), b] = 1.0
    got = squared_mmd_of_members(kernel(z[:4], z[4:], 1.1), member)
    expected = [squared_mmd(kernel(z[list(rows)], np.delete(z, rows, axis=0), 1.1)) for rows in choices]
    assert got == pytest.approx(expected, abs=1e-12)


def test_p_value_is_the_share_of_redistributions_at_least_as_far(monkeypatch):
    monkeypatch.setattr(mmd, "PERMUTATIONS", 20_000)
    x, y = np.array([[0.0], [0.1], [0.3]]), np.array([[2.0], [2.2], [0.2]])
    z, observed = np.concatenate([x, y]), squared_mmd(kernel(x, y, 1.0))
    every = [
        squared_mmd(kernel(z[list(rows)], np.delete(z, rows, axis=0), 1.0))
        for rows in itertools.combinations(range(6), 3)
    ]
    exact = np.mean(np.array(every) >= observed - 1e-9)
    assert 0 < exact < 1
    assert permutation_p_value(kernel(x, y, 1.0), Rng(3)) == pytest.approx(exact, abs=0.02)


def test_p_value_is_uniform_for_fresh_rows():
    draw = np.random.default_rng(0)
    sample = np.array(
        [
            permutation_p_value(kernel(draw.normal(size=(30, 2)), draw.normal(size=(20, 2)), 1.5), Rng(i))
            for i in range(200)
        ]
    )
    grid = np.arange(1, 11) / 10
    share = (sample[:, None] <= grid).mean(axis=0)
    assert np.abs(share - grid).max() < 1.63 / np.sqrt(200)  # Kolmogorov-Smirnov at 1 %


def test_p_value_is_small_for_another_law_and_one_for_equal_rows(schema, make_cohort, shuffle):
    real, other = make_cohort(300, 0), make_cohort(300, 1)
    assert mmd_score(real, shuffle(other, 1.0, 2), schema, max_rows=300, rng=Rng(0))[3].value == 1 / 201
    x = np.repeat([[0.0], [1.0]], 15, axis=0)
    assert permutation_p_value(kernel(x, x, 1.0), Rng(0)) == 1.0  # no redistribution is nearer than equal tables


def test_ties_count_as_at_least_as_far():
    # Two rows of a kind: every redistribution is one of few values, which rounding must not tear apart.
    x, y = np.array([[0.0]] * 8 + [[1.7]] * 2), np.array([[0.0]] * 9 + [[1.7]])
    assert permutation_p_value(kernel(x, y, 1.0), Rng(0)) > 0.8


def test_copies_pass_against_their_source_and_are_rejected_against_fresh_rows():
    draw = np.random.default_rng(0)
    source, fresh = [], []
    for i in range(100):
        train, unseen = draw.normal(size=(40, 2)), draw.normal(size=(40, 2))
        copies = train[draw.integers(0, 40, 40)]
        source.append(permutation_p_value(kernel(train, copies, 1.5), Rng(i)))
        fresh.append(permutation_p_value(kernel(unseen, copies, 1.5), Rng(i)))
    assert np.mean(source) > 0.5 + 3 * 0.03  # 0.03: the error of a mean of 100 uniform values
    assert np.mean(np.array(fresh) <= 0.1) > 0.1 + 2 * 0.03  # 0.03: the error of a share of 0.1 among 100


def test_p_value_repeats_and_blocks_change_nothing(monkeypatch, schema, make_cohort):
    frames = make_cohort(90, 0), make_cohort(70, 1)
    first = mmd_score(*frames, schema, max_rows=80, rng=Rng(0))
    assert mmd_score(*frames, schema, max_rows=80, rng=Rng(0)) == first
    monkeypatch.setattr(mmd, "BLOCK", 7)
    parts = mmd_score(*frames, schema, max_rows=80, rng=Rng(0))
    assert [s.value for s in parts] == pytest.approx([s.value for s in first], abs=1e-12)
