"""Scores of SDMetrics: against numbers the package gave once, and what is said beyond it."""

import json
from pathlib import Path

import numpy as np
import pytest
from sdmetrics_tables import LEVELS, TABLES, simulated
from toy_tables import by_hand

from synthcohort.metrics.fidelity import column_shapes, pair_trends
from synthcohort.metrics.matrix import DataProblem, numeric_values, one_hot
from synthcohort.metrics.sdmetrics import folded_detection, logistic_detection, strong_pairs, trend_sdmetrics
from synthcohort.rng import Rng
from synthcohort.schema import Column, Schema

EXPECTED = json.loads((Path(__file__).parent / "fixtures" / "sdmetrics.json").read_text(encoding="utf-8"))
CLOSE = 1e-5


def toy(name):
    """Return the schema and the two frames of one table of the fixture."""
    columns = tuple(
        Column(
            c,
            "categorical" if c in LEVELS else "numeric",
            "target" if c == "died" else "feature",
            tuple(LEVELS.get(c, ())),
        )
        for c in TABLES[name]
    )
    schema = Schema(columns, "yes")
    return (schema, *(schema.cast(frame) for frame in simulated(name)))


@pytest.mark.parametrize("name", TABLES)
def test_trend_is_the_packages(name):
    schema, real, synthetic = toy(name)
    pairs = strong_pairs(real, synthetic, schema)
    found = {f"{row.first} {row.second}": row.trend for row in pairs.itertuples()}
    assert found == pytest.approx(EXPECTED[name]["pairs"], abs=CLOSE)
    assert trend_sdmetrics(real, synthetic, schema)[0].value == pytest.approx(EXPECTED[name]["trend"], abs=CLOSE)


@pytest.mark.parametrize("name", TABLES)
def test_our_shape_and_correlations_are_the_packages(name):
    schema, real, synthetic = toy(name)
    shapes = column_shapes(real, synthetic, schema).set_index("column")["shape"]
    assert shapes.to_dict() == pytest.approx(EXPECTED[name]["shapes"], abs=CLOSE)
    assert shapes.mean() == pytest.approx(EXPECTED[name]["shape"], abs=CLOSE)
    trends = pair_trends(real, synthetic, schema).query("kind == 'numeric'")
    found = {f"{row.first} {row.second}": row.trend for row in trends.itertuples()}
    assert found == pytest.approx(EXPECTED[name]["correlation_pairs"], abs=CLOSE)


@pytest.mark.parametrize("seed", ["0", "1", "2"])
@pytest.mark.parametrize("name", TABLES)
def test_detection_is_the_packages_fold_for_fold(name, seed):
    schema, *frames = toy(name)
    features = np.concatenate([np.hstack([numeric_values(f, schema), one_hot(f, schema)]) for f in frames])
    labels = np.repeat([0, 1], [len(f) for f in frames])
    expected = EXPECTED[name]["detection"][seed]
    assert folded_detection(features, labels, int(seed)) == pytest.approx(expected, abs=CLOSE)


FOUR, table = by_hand(x="", y="", k="ab", t="01")


def test_trend_of_four_rows_by_hand():
    real, other = (
        table([0, 1, 2, 10], [0, 1, 2, 10], "aabb", "0101"),
        table([0, 0, 2, 10], [10, 2, 1, 0], "abbb", "0011"),
    )
    found = strong_pairs(real, other, FOUR).set_index(["first", "second"])["trend"]
    rho = np.corrcoef([0, 0, 2, 10], [10, 2, 1, 0])[0, 1]
    # k and t are independent in the real table and do not count. x and y in tenths of the range, real 0, 1, 2 and the
    # largest: four cells, one row each, so V = 1 with k and with t.
    assert found["x", "y"] == pytest.approx(1 - (1 - rho) / 2)
    # x k: real 0a 1a 2b Mb, other 0a 0b 2b Mb. y k: real 0a 1a 2b Mb, other (y 10 2 1 0) Ma 2b 1b 0b.
    assert found["x", "k"] == pytest.approx(0.75)
    assert found["y", "k"] == pytest.approx(0.25)
    assert ("k", "t") not in found.index
    assert len(found) == 5


def test_bins_are_each_tables_own(make_cohort, schema):
    real = make_cohort(300, 0)
    shifted = real.assign(age=real["age"] + 1024.0)
    assert trend_sdmetrics(real, shifted, schema)[0].value == pytest.approx(1.0, abs=0.01)


def test_identity_noise_and_the_null(make_cohort, shuffle, schema):
    real = make_cohort(600, 0)
    values = [trend_sdmetrics(real, shuffle(real, share, 1), schema)[0].value for share in (0.0, 0.3, 1.0)]
    assert values[0] == 1.0
    assert values == sorted(values, reverse=True)
    rows = [logistic_detection(real, shuffle(real, share, 1), schema, max_rows=600, rng=Rng(0)) for share in (0.0, 1.0)]
    assert rows[1][0].value > 0.8  # independent columns pass: the weakness the docstring names
    shifted = [real.assign(age=real["age"] + by) for by in (0.0, 3.0, 10.0, 30.0)]
    found = [logistic_detection(real, f, schema, max_rows=600, rng=Rng(0))[0].value for f in shifted]
    assert found[0] > found[1] > found[2] > found[3]
    fresh = [
        logistic_detection(make_cohort(300, 2 * i), make_cohort(300, 2 * i + 1), schema, max_rows=300, rng=Rng(i))
        for i in range(8)
    ]
    # Under the null a fold's AUROC is about N(0.5, 1 / (6 * 100)): the mean of 2 max(0, .) is 2 * 0.041 * 0.4 = 0.033.
    assert np.mean([f[0].value for f in fresh]) == pytest.approx(1 - 0.033, abs=0.03)
    assert [f[0].n for f in fresh] == [300] * 8


def test_collapsed_and_weak_pairs_leave_the_mean():
    real = table(range(8), range(8), "aabbaabb", "00110011")
    flat = real.assign(x=3.0)
    pairs = strong_pairs(real, flat, FOUR)
    assert ("x", "y") not in set(zip(pairs["first"], pairs["second"]))
    assert np.isfinite(pairs["trend"]).all()
    with pytest.raises(DataProblem, match="no pair of columns is strongly associated"):
        trend_sdmetrics(table([1] * 4, [2] * 4, "aabb", "0101"), real, FOUR)


def test_too_few_rows_for_folds_are_refused(make_cohort, schema):
    with pytest.raises(DataProblem, match="one has 2"):
        logistic_detection(make_cohort(100, 0), make_cohort(2, 1), schema, max_rows=100, rng=Rng(0))
