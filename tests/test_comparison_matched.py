"""Two arms at the same AUROC: by hand on curves of two or three points."""

import math

import numpy as np
import pandas as pd
import pytest

from synthcohort import scores
from synthcohort.comparison.intervals import Interval, Resampling
from synthcohort.comparison.matched import Matched, matched, offered, together

HOW = Resampling(0.95, 0.5)
CONDITIONS = ("observed", "sex_1.0")
METRIC = "demographic_parity_ratio_sex"


def arm(name, curves):
    """Return tidy scores of one arm: a curve a split, a pair (AUROC, fairness) a condition."""
    parts = [
        scores.to_frame(
            [
                scores.Score("fairness", "auroc", auroc, 100, "up", condition=condition),
                scores.Score("fairness", METRIC, fairness, 100, "up", condition=condition)
                if not math.isnan(fairness)
                else scores.failed("fairness", METRIC, "0/0", condition=condition),
            ],
            dataset="toy", generator=name, split=split,
        )
        for split, curve in enumerate(curves)
        for condition, (auroc, fairness) in zip(CONDITIONS, curve, strict=True)
    ]  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def compare(first, second):
    frame = pd.concat([arm("new", first), arm("old", second)], ignore_index=True)
    return matched(frame, METRIC, first="new", second="old", conditions=CONDITIONS, resampling=HOW)


def test_what_is_offered_is_the_best_at_that_auroc_or_a_higher_one():
    curve = np.array([[0.92, 0.30], [0.90, 0.50], [0.88, 0.40]])
    assert offered(curve, 0.93) != offered(curve, 0.93)  # NaN: it reaches no such AUROC
    assert offered(curve, 0.92) == 0.30
    assert offered(curve, 0.91) == pytest.approx(0.40)  # halfway between two dials
    assert offered(curve, 0.90) == offered(curve, 0.87) == 0.50  # a lower AUROC is had for nothing
    assert offered(np.array([[0.92, 0.30], [0.90, np.nan], [0.88, 0.40]]), 0.90) == pytest.approx(0.35)


def test_two_arms_are_compared_at_the_auroc_of_the_first_in_full_balance():
    first = [[(0.91, 0.3), (0.90, 0.6)], [(0.91, 0.3), (0.90, 0.62)], [(0.91, 0.3), (0.90, 0.64)]]
    second = [[(0.92, 0.3), (0.88, 0.7)]] * 3
    found = compare(first, second)
    assert found.at == pytest.approx(0.90) and found.gain.splits == 3 and found.lost == 0
    assert found.gain.mean == pytest.approx(0.62 - 0.5)
    half = 4.302653 * math.sqrt((1 / 3 + 0.5) * 0.0004)
    assert found.gain.low == pytest.approx(0.12 - half, abs=1e-6) and found.word == "supported"
    assert compare(second, first).lost == 0 and compare(second, first).gain.mean == pytest.approx(0.7 - 0.62)


def test_a_rival_that_offers_more_at_a_higher_auroc_contradicts():
    first = [[(0.85, 0.3), (0.80, 0.5 + 0.001 * k)] for k in range(3)]
    found = compare(first, [[(0.92, 0.3), (0.91, 0.6)]] * 3)
    assert found.gain.mean == pytest.approx(0.501 - 0.6) and found.word == "contradicted"


def test_a_split_without_a_common_auroc_or_with_an_undefined_ratio_is_counted():
    first = [[(0.91, 0.3), (0.90, 0.6)], [(0.91, 0.3), (0.90, math.nan)], [(0.91, 0.3), (0.95, 0.6)]]
    found = compare(first, [[(0.92, 0.3), (0.88, 0.7)]] * 3)
    assert found.gain.splits == 1 and found.lost == 2 and found.word == "undecided"
    none = compare([[(0.99, 0.3), (0.98, 0.6)]], [[(0.92, 0.3), (0.88, 0.7)]])
    assert math.isnan(none.gain.mean) and math.isnan(none.at) and none.word == "undecided"


def one(low, high, p):
    return Matched("new", "old", METRIC, 0.9, Interval((low + high) / 2, low, high, 3), p, 0)


def test_many_comparisons_count_after_holm_and_no_side_wins_against_the_other():
    better, worse, open_one = one(0.1, 0.2, 0.001), one(-0.2, -0.1, 0.001), one(-0.1, 0.2, 0.5)
    assert together([better, open_one], 0.95) == "supported"
    assert together([worse, open_one], 0.95) == "contradicted"
    assert together([better, worse], 0.95) == together([open_one], 0.95) == together([], 0.95) == "undecided"
    barely = one(0.001, 0.2, 0.04)
    assert together([barely], 0.95) == "supported" and together([barely, open_one], 0.95) == "undecided"
    assert together([one(math.nan, math.nan, math.nan)], 0.95) == "undecided"
