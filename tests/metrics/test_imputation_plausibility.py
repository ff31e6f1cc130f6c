"""What drawn cells look like: by hand, at its best, and falling with noise."""

import numpy as np
import pandas as pd
import pytest
from toy_tables import by_hand

from synthcohort.metrics.imputation_plausibility import METRICS, plausibility_scores

FOUR, table = by_hand(x="", k="abc", t="01")
NAN = np.nan


def values(train, test, draws, schema=FOUR):
    return {score.metric: score.value for score in plausibility_scores(train, test, draws, schema)}


def test_four_rows_by_hand():
    train = table([0, 2, 4, NAN], ["a", "a", "b", None], "0011")
    test = table([NAN, 2, 4, NAN], [None, "a", "b", "b"], "0011")
    draws = [table([0, 2, 4, 6], "aabb", "0011"), table([-4, 2, 4, 0], "cabb", "0011")]
    found = plausibility_scores(train, test, draws, FOUR)
    assert [score.metric for score in found] == list(METRICS) and {score.condition for score in found} == {"as_found"}
    in_range, numeric, categorical = (score.value for score in found)
    assert in_range == pytest.approx(2 / 4)  # 0 and 0 lie in [0, 4]; 6 and -4 do not
    # completed -4 0 0 2 2 4 4 6 to observed 0 2 4: sum of |F - G| over -4..0, 0..2, 2..4, 4..6, over a range of 4
    steps = [4 * 1 / 8, 2 * abs(3 / 8 - 1 / 3), 2 * abs(5 / 8 - 2 / 3), 2 * 1 / 8]
    assert numeric == pytest.approx(sum(steps) / 4)
    # completed a a b b, c a b b: shares 3/8 a, 4/8 b, 1/8 c to observed 2/3 a, 1/3 b
    assert categorical == pytest.approx((abs(3 / 8 - 2 / 3) + abs(4 / 8 - 1 / 3) + 1 / 8) / 2)
    assert [score.n for score in found] == [2, 2, 1]


def test_a_kind_without_holes_has_a_reason_and_no_value():
    whole = table([0, 2, 4, 4], "aabb", "0011")
    found = plausibility_scores(whole, whole, [whole], FOUR)
    assert all(np.isnan(score.value) for score in found)
    assert found[2].note == "no categorical cell of the test rows was missing from the first"


def _holed(make_cohort, noise: float):
    """Return train rows, test rows with holes in two columns, and draws: other rows' cells, shifted by noise."""
    draw, train, test = np.random.default_rng(3), make_cohort(2_000, 1), make_cohort(2_000, 2)
    fill = make_cohort(2_000, 4).assign(marker=lambda f: np.round(f["marker"] + noise * draw.standard_normal(2_000), 3))
    ward = fill["ward"].where(draw.random(2_000) >= noise / 10, "west")
    holes = draw.random(2_000) < 0.5
    holed = test.assign(marker=test["marker"].mask(holes), ward=test["ward"].mask(holes))
    filled = holed.assign(
        marker=holed["marker"].fillna(fill["marker"]), ward=holed["ward"].where(~holes, ward).astype(test["ward"].dtype)
    )
    return train, holed, [filled]


def test_draws_of_the_observed_law_are_near_it(make_cohort, schema):
    found = values(*_holed(make_cohort, 0.0), schema)
    assert found["found_in_range"] > 0.995
    assert found["found_wasserstein_numeric"] < 0.01 and found["found_wasserstein_categorical"] < 0.04


def test_noise_that_grows_is_seen(make_cohort, schema):
    seen = pd.DataFrame([values(*_holed(make_cohort, noise), schema) for noise in (0.0, 2.0, 8.0)])
    assert seen["found_in_range"].is_monotonic_decreasing
    assert seen["found_wasserstein_numeric"].is_monotonic_increasing
    assert seen["found_wasserstein_categorical"].is_monotonic_increasing
    assert seen.iloc[2]["found_wasserstein_numeric"] > 3 * seen.iloc[0]["found_wasserstein_numeric"]
