"""Shape, Trend and dimension-wise probability against hand computation and known orders."""

import numpy as np
import pytest
from toy_tables import by_hand

from synthcohort.metrics.fidelity import (
    column_shapes,
    correlations,
    dimension_wise_probability,
    fidelity_scores,
    pair_trends,
)
from synthcohort.metrics.matrix import DataProblem

FOUR, table = by_hand(x="", y="", k="ab", t="01")


REAL = table([0, 1, 2, 10], [0, 1, 2, 10], "aabb", "0011")
OTHER = table([0, 0, 2, 10], [10, 2, 1, 0], "abbb", "0011")


def test_shape_of_four_rows_by_hand():
    shapes = column_shapes(REAL, OTHER, FOUR).set_index("column")["shape"]
    # x: the distribution functions differ most at 0, by 2/4 - 1/4; k: shares 1/2, 1/2 against 1/4, 3/4.
    assert shapes.to_dict() == pytest.approx({"x": 0.75, "y": 1.0, "k": 0.75, "t": 1.0})


def test_trend_of_four_rows_by_hand():
    trends = pair_trends(REAL, OTHER, FOUR).set_index(["first", "second"])
    rho = np.corrcoef([0, 0, 2, 10], [10, 2, 1, 0])[0, 1]
    assert trends.loc[("x", "y"), "trend"] == pytest.approx(1 - (1 - rho) / 2)
    # k, t: real a0 a0 b1 b1; other a0 b0 b1 b1: cells move by 1/4 + 1/4, half of it is 1/4.
    assert trends.loc[("k", "t"), "trend"] == pytest.approx(0.75)
    # x in bins of width 1 on the real range: real 0:a 1:a 2:b 10:b; other 0:a 0:b 2:b 10:b: one of four rows differs.
    assert trends.loc[("x", "k"), "trend"] == pytest.approx(0.75)
    assert trends["kind"].to_list() == ["numeric", "mixed", "mixed", "mixed", "mixed", "categorical"]


def test_dimension_wise_probability_of_four_rows_by_hand():
    # means on the range 10: x .325 against .3, y equal; k .5/.5 against .25/.75; t equal; six dimensions.
    expected = np.sqrt((0.025**2 + 0 + 0.25**2 + 0.25**2) / 6)
    assert dimension_wise_probability(REAL, OTHER, FOUR) == pytest.approx(expected)


def test_bins_are_the_real_tables(schema, make_cohort):
    real = make_cohort(200, 0)
    shifted = real.assign(age=real["age"] + 1000.0)
    trends = pair_trends(real, shifted, schema).set_index(["first", "second"])["trend"]
    # every shifted row falls above the real range: only the rows at the real maximum share its cell.
    assert trends["age", "ward"] < 0.02
    assert trends["age", "marker"] == pytest.approx(1.0)


def test_identity_is_perfect(schema, make_cohort):
    real = make_cohort(300, 1)
    scores = {s.metric: s.value for s in fidelity_scores(real, real, schema)}
    assert scores == pytest.approx({"shape": 1.0, "trend": 1.0, "dimension_wise_probability": 0.0})


def test_constant_columns_have_stated_values():
    flat = REAL.assign(x=3.0)
    assert correlations(flat, FOUR)[0, 1] == 0.0
    both = pair_trends(flat, flat, FOUR).set_index(["first", "second"])["trend"]
    assert both.to_list() == [1.0] * 6
    lost = pair_trends(REAL, flat, FOUR).set_index(["first", "second"])["trend"]
    assert lost["x", "y"] == pytest.approx(0.5)  # rho is 1 in the real table
    gained = pair_trends(flat, REAL, FOUR).set_index(["first", "second"])["trend"]
    assert gained["x", "y"] == pytest.approx(0.5)
    assert np.isfinite(gained).all()
    assert dimension_wise_probability(flat, flat.assign(x=4.0), FOUR) == pytest.approx(np.sqrt(1 / 6))


def test_independent_columns_keep_shape_and_lose_trend(schema, make_cohort, shuffle):
    real = make_cohort(1000, 2)
    rows = [fidelity_scores(real, shuffle(real, share, 3), schema) for share in (0.0, 0.3, 0.6, 1.0)]
    shape = [r[0].value for r in rows]
    trend = [r[1].value for r in rows]
    assert shape[-1] > 0.95
    assert trend == sorted(trend, reverse=True)
    assert trend[0] == 1.0 and trend[-1] < 0.9


def test_shape_falls_as_noise_grows(schema, make_cohort):
    real = make_cohort(1000, 4)
    noise = np.random.default_rng(5).normal(size=(1000, 2))
    values = []
    for size in (0.0, 3.0, 10.0, 30.0):
        noised = real.assign(age=real["age"] + size * noise[:, 0], marker=real["marker"] + size * noise[:, 1])
        values.append(fidelity_scores(real, noised, schema))
    assert [v[0].value for v in values] == sorted((v[0].value for v in values), reverse=True)
    assert [v[1].value for v in values] == sorted((v[1].value for v in values), reverse=True)


def test_single_column_is_refused():
    one, rows = by_hand(t="01")
    frame = rows("01")
    with pytest.raises(DataProblem, match="two columns"):
        fidelity_scores(frame, frame, one)
