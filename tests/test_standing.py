"""Who is ahead over tables: counted by hand, with the interval of the textbook, and nothing where nothing is shared."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_1samp

from synthcohort.comparison.standing import across, level_by_table, standing


def scores(values, *, direction="up", metric="m"):
    """Return tidy scores from table -> generator -> values by split."""
    rows = [
        {"dataset": d, "generator": g, "condition": "as_observed", "split": s, "axis": "fidelity", "metric": metric,
         "value": v, "low": math.nan, "high": math.nan, "n": 9, "direction": direction, "note": ""}
        for d, generators in values.items() for g, own in generators.items() for s, v in enumerate(own)
    ]  # fmt: skip
    return pd.DataFrame(rows)


FOUR = {
    "p": {"a": [0.9, 0.7], "b": [0.6, 0.6]},
    "q": {"a": [0.7, 0.7], "b": [0.6, 0.4]},
    "r": {"a": [0.5, 0.5], "b": [0.6, 0.6]},
}


def test_the_interval_over_tables_is_that_of_students_test():
    values = [0.2, 0.4, 0.1, 0.5]
    found, oracle = across(values, 0.9), ttest_1samp(values, 0.0).confidence_interval(0.9)
    assert (found.mean, found.tables) == (pytest.approx(0.3), 4)
    assert (found.low, found.high) == (pytest.approx(oracle.low), pytest.approx(oracle.high))


@pytest.mark.parametrize(("values", "tables"), [([], 0), ([math.nan], 0), ([0.3], 1), ([0.3, math.nan], 1)])
def test_fewer_than_two_tables_have_no_interval(values, tables):
    found = across(values, 0.95)
    assert found.tables == tables and math.isnan(found.low) and math.isnan(found.mean) == (tables == 0)


def test_the_winner_has_the_best_mean_rank_and_its_margin_is_paired_by_table():
    found = standing(scores(FOUR), "m", candidates=["a", "b"], confidence=0.95)
    assert (found.best, found.second, found.splits) == ("a", "b", (2, 2))
    assert found.ahead_on == {"p": "a", "q": "a", "r": "b"}
    assert found.margin("a", "b").mean == pytest.approx((0.2 + 0.2 - 0.1) / 3)
    assert found.level("a").mean == pytest.approx((0.8 + 0.7 + 0.5) / 3)


def test_the_direction_turns_the_order_and_half_is_a_distance():
    assert standing(scores(FOUR, direction="down"), "m", candidates=["a", "b"], confidence=0.95).best == "b"
    near = {t: {"a": [0.45], "b": [0.6]} for t in "pqr"}
    found = standing(scores(near, direction="half"), "m", candidates=["a", "b"], confidence=0.95)
    assert found.best == "a" and found.margin("a", "b").mean == pytest.approx(0.05)


def test_only_shared_splits_count():
    frame = scores({t: {"a": [0.9, 0.1], "b": [0.5, 0.4]} for t in "pqr"})
    frame.loc[(frame["generator"] == "b") & (frame["split"] == 1), "value"] = math.nan
    found = standing(frame, "m", candidates=["a", "b"], confidence=0.95)
    assert found.values.loc["p"].to_dict() == {"a": 0.9, "b": 0.5} and found.splits == (1, 1)


def test_a_candidate_without_any_score_takes_no_part_and_no_score_is_no_standing():
    assert standing(scores(FOUR), "m", candidates=["a", "b", "c"], confidence=0.95).record.generators == ("a", "b")
    assert standing(scores(FOUR), "other", candidates=["a"], confidence=0.95) is None
    assert standing(scores({"p": {"a": [math.nan]}}), "m", candidates=["a"], confidence=0.95) is None


def test_levels_over_tables():
    means = pd.DataFrame({"dataset": ["p", "q"], "generator": "a", "metric": "m", "mean": [1.0, 3.0]})
    found = level_by_table(means, 0.95).iloc[0]
    assert found["mean"] == 2 and found["tables"] == 2 and np.isclose(found["high"] - 2, 12.706, atol=1e-2)
