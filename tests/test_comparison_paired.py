"""Paired tests against hand computation and against their intervals; Holm's adjustment by hand; degenerate cases."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t

from synthcohort import scores
from synthcohort.comparison.intervals import Arm, Resampling, corrected_interval, pairs
from synthcohort.comparison.paired import COLUMNS, holm, p_value, pairwise

RESAMPLING = Resampling(0.95, 0.25)


def frame_of(values, metric="m", dataset="d", direction="up"):
    """Return tidy scores from generator -> values over splits."""
    rows = [
        scores.to_frame(
            [scores.Score("utility", metric, value, 10, direction, note="diverged" if math.isnan(value) else "")],
            dataset=dataset, generator=generator, split=split,
        )
        for generator, own in values.items()
        for split, value in enumerate(own)
    ]  # fmt: skip
    return pd.concat(rows, ignore_index=True)


def test_p_value_by_hand():
    # mean 2, variance 1, k 3: t = 2 / sqrt(7/12) = 2.618615; with 2 degrees of freedom p = 1 - t / sqrt(2 + t^2)
    statistic = 2 / math.sqrt(7 / 12)
    assert p_value([1.0, 2.0, 3.0], RESAMPLING) == pytest.approx(1 - statistic / math.sqrt(2 + statistic**2))
    assert p_value([-1.0, -2.0, -3.0], RESAMPLING) == p_value([1.0, 2.0, 3.0], RESAMPLING)


def test_p_is_below_the_level_exactly_where_the_interval_leaves_zero_out():
    draw, seen = np.random.default_rng(1), set()
    for confidence in (0.8, 0.95):
        how = Resampling(confidence, 0.29)
        for _ in range(300):
            values = draw.normal(draw.normal(), 1, size=draw.integers(2, 11))
            interval = corrected_interval(values, how)
            excludes = interval.low > 0 or interval.high < 0
            assert (p_value(values, how) < 1 - confidence) == excludes
            seen.add(excludes)
    assert seen == {True, False}


def test_at_the_bound_of_the_interval_p_is_the_level():
    values = np.array([1.0, 2.0, 3.0, 5.0])
    moved = values - corrected_interval(values, RESAMPLING).low
    assert p_value(moved, RESAMPLING) == pytest.approx(0.05)


def test_p_is_uniform_under_the_null_of_correlated_splits():
    draw, ratio, k, runs = np.random.default_rng(0), 0.25, 5, 3000
    rho = ratio / (1 + ratio)
    values = math.sqrt(rho) * draw.normal(size=(runs, 1)) + math.sqrt(1 - rho) * draw.normal(size=(runs, k))
    p = np.array([p_value(v, Resampling(0.95, ratio)) for v in values])
    assert [np.mean(p < level) for level in (0.05, 0.2, 0.5)] == pytest.approx([0.05, 0.2, 0.5], abs=0.025)


def test_without_variance_p_is_one_or_zero():
    assert p_value([0.0] * 5, RESAMPLING) == 1.0
    assert p_value([0.1] * 3, RESAMPLING) == 0.0  # np.var of these is not 0
    assert p_value([-0.3] * 2, RESAMPLING) == 0.0


def test_fewer_than_two_splits_have_no_test():
    assert math.isnan(p_value([], RESAMPLING)) and math.isnan(p_value([0.3], RESAMPLING))


def test_holm_by_hand():
    # sorted .005 .01 .03 .04 times 4 3 2 1: .02 .03 .06 .04, the last raised to .06
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.7]) == pytest.approx([1.0, 1.0])
    assert holm([0.2]) == pytest.approx([0.2]) and len(holm([])) == 0


def test_a_missing_test_takes_no_part_in_holm():
    adjusted = holm([0.01, math.nan, 0.04])
    assert adjusted[[0, 2]] == pytest.approx([0.02, 0.04]) and math.isnan(adjusted[1])
    assert np.isnan(holm([math.nan, math.nan])).all()
    with pytest.raises(ValueError, match=r"1\.2"):
        holm([0.1, 1.2])


def test_all_pairs_agree_with_the_paired_differences():
    draw = np.random.default_rng(3)
    values = {g: 0.6 + 0.15 * place + 0.05 * draw.normal(size=6) for place, g in enumerate("abc")}
    for direction in ("up", "down", "half", "zero"):
        frame = pd.concat([frame_of(values, direction=direction), frame_of(values, dataset="e", direction=direction)])
        found = pairwise(frame, "m", RESAMPLING)
        assert list(found.columns) == COLUMNS
        assert found["dataset"].to_list() == ["d"] * 3 + ["e"] * 3
        assert list(zip(found["first"], found["second"], strict=True))[:3] == [("a", "b"), ("a", "c"), ("b", "c")]
        for row in found.itertuples():
            paired = pairs(frame, "m", better=Arm(row.first), worse=Arm(row.second))
            own = paired.loc[paired["dataset"] == row.dataset, "difference"].to_numpy()
            interval = corrected_interval(own, RESAMPLING)
            assert (row.difference, row.low, row.high) == pytest.approx((interval.mean, interval.low, interval.high))
            assert row.p == pytest.approx(p_value(own, RESAMPLING)) and row.splits == 6
        for _, table in found.groupby("dataset"):  # Holm within a dataset, not over both
            assert table["p_holm"].to_numpy() == pytest.approx(holm(table["p"].to_numpy()))


def test_smaller_is_better_favours_the_smaller():
    frame = frame_of({"a": [0.1, 0.2, 0.1], "b": [0.4, 0.6, 0.5]}, direction="down")
    row = pairwise(frame, "m", RESAMPLING).iloc[0]
    assert row["difference"] == pytest.approx(11 / 30) and row["p"] < 0.05
    assert row["p"] == pytest.approx(
        2 * t.sf(row["difference"] / (row["high"] - row["difference"]) * t.ppf(0.975, 2), 2)
    )


def test_only_shared_splits_of_generators_are_paired():
    values = {"a": [0.5, math.nan, 0.7, 0.6], "b": [0.4, 0.5, math.nan, 0.45], "real": [0.9] * 4, "c": [math.nan] * 4}
    other = frame_of({"a": [9.0] * 4, "b": [1.0] * 4}).assign(condition="minority")
    found = pairwise(pd.concat([frame_of(values), other]), "m", RESAMPLING).set_index(["first", "second"])
    assert set(found.index) == {("a", "b"), ("a", "c"), ("b", "c")}
    assert found.loc[("a", "b"), "splits"] == 2 and found.loc[("a", "b"), "difference"] == pytest.approx(0.125)
    assert found.loc[("a", "c"), "splits"] == 0 and math.isnan(found.loc[("a", "c"), "p_holm"])
    assert found.loc[("a", "b"), "p_holm"] == found.loc[("a", "b"), "p"]  # the only test made


def test_one_generator_has_no_pairs_and_an_absent_metric_is_an_error():
    assert pairwise(frame_of({"a": [0.1, 0.2]}), "m", RESAMPLING).columns.to_list() == COLUMNS
    assert pairwise(frame_of({"a": [0.1, 0.2]}), "m", RESAMPLING).empty
    with pytest.raises(ValueError, match="no score of 'absent'"):
        pairwise(frame_of({"a": [0.1]}), "absent", RESAMPLING)
