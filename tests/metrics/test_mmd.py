"""The kernel two-sample statistic against hand computation, enumeration and its null."""

import itertools

import numpy as np
import pandas as pd
import pytest

from synthcohort.metrics.matrix import DataProblem
from synthcohort.metrics.mmd import median_distance, mmd_score, squared_mmd
from synthcohort.rng import Rng
from synthcohort.schema import Column, Schema


def test_two_and_two_points_by_hand():
    x, y = np.array([[0.0], [1.0]]), np.array([[0.0], [2.0]])
    k = {d: np.exp(-(d**2) / 2) for d in (0, 1, 2)}
    expected = k[1] + k[2] - 2 * (k[0] + k[2] + k[1] + k[1]) / 4
    assert squared_mmd(x, y, 1.0) == pytest.approx(expected)


def test_blocks_change_nothing(monkeypatch):
    draw = np.random.default_rng(0)
    x, y = draw.normal(size=(31, 3)), draw.normal(size=(23, 3))
    whole = squared_mmd(x, y, 1.3)
    monkeypatch.setattr("synthcohort.metrics.mmd.BLOCK", 7)
    assert squared_mmd(x, y, 1.3) == pytest.approx(whole, abs=1e-14)


def test_unbiased_by_enumeration():
    # Every ordered draw of 3 + 2 points from a law on four points: the mean is the MMD of the law with itself, 0.
    points = np.array([[0.0], [1.0], [2.5], [4.0]])
    draws = itertools.product(range(4), repeat=5)
    values = [squared_mmd(points[list(d[:3])], points[list(d[3:])], 1.0) for d in draws]
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
