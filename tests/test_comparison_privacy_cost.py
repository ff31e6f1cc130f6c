"""What a budget costs: gaps and excesses worked out by hand, the smallest epsilon with its bounds."""

import math

import pandas as pd
import pytest

from synthcohort import scores
from synthcohort.comparison import privacy_cost
from synthcohort.comparison.intervals import Resampling, corrected_interval

HOW = Resampling(0.95, 0.25)
AREA, GROUP = "tstr_auroc_xgboost", "group_auroc_xgboost"


def tidy(values, *, metric=AREA, generator="dp_vae", n=100):
    """Return scores of condition -> values over splits."""
    parts = [
        scores.to_frame([scores.Score("utility", metric, value, n, "up", condition=condition)],
                        dataset="toy", generator=generator, split=split)
        for condition, own in values.items()
        for split, value in enumerate(own)
    ]  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def test_conditions_name_budget_and_group():
    frame = privacy_cost.with_budgets(tidy({"epsilon=0.5": [1.0], "epsilon=inf": [1.0], "epsilon=1 a=b c=d": [1.0]}))
    assert frame["epsilon"].tolist() == [0.5, math.inf, 1.0] and frame["group"].tolist() == ["", "", "a=b c=d"]


def test_gaps_are_paired_by_split_and_judged_against_the_tolerance():
    values = {
        "epsilon=1": [0.60, 0.65, 0.62],
        "epsilon=4": [0.78, 0.84, 0.80],
        "epsilon=16": [0.799, 0.851, 0.820],
        "epsilon=inf": [0.80, 0.85, 0.82],
    }
    found = privacy_cost.gaps(privacy_cost.with_budgets(tidy(values)), AREA, HOW, tolerance=0.05)
    assert found["epsilon"].tolist() == [1, 4, 16] and found["splits"].tolist() == [3, 3, 3]
    assert found["difference"].round(6).tolist() == [-0.2, -0.016667, 0.0]
    assert found["verdict"].tolist() == ["contradicted", "supported", "supported"]
    wanted = corrected_interval([-0.02, -0.01, -0.02], HOW)
    assert found.loc[1, ["low", "high"]].tolist() == pytest.approx([wanted.low, wanted.high])
    (reach,) = privacy_cost.reaches(found, tolerance=0.05)
    assert (reach.low, reach.epsilon, reach.high) == (4, 4, 4) and reach.gap.mean == pytest.approx(-1 / 60)


def test_the_bounds_are_what_the_test_of_each_epsilon_leaves_open():
    values = {
        "epsilon=1": [0.60, 0.60, 0.60],
        "epsilon=2": [0.70, 0.80, 0.70],  # wide, mean gap -.067: open, but not within by its mean
        "epsilon=4": [0.74, 0.82, 0.76],  # wide, mean gap -.027: open, within by its mean
        "epsilon=8": [0.799, 0.801, 0.80],
        "epsilon=inf": [0.80, 0.80, 0.80],
    }
    found = privacy_cost.gaps(privacy_cost.with_budgets(tidy(values)), AREA, HOW, tolerance=0.05)
    (reach,) = privacy_cost.reaches(found, tolerance=0.05)
    assert (reach.low, reach.epsilon, reach.high) == (2, 4, 8)


def test_no_budget_may_be_enough_and_one_split_bounds_nothing():
    frame = privacy_cost.with_budgets(tidy({"epsilon=1": [0.5], "epsilon=2": [0.6], "epsilon=inf": [0.9]}))
    found = privacy_cost.gaps(frame, AREA, HOW, tolerance=0.05)
    (reach,) = privacy_cost.reaches(found, tolerance=0.05)
    assert math.isinf(reach.epsilon) and math.isinf(reach.high) and reach.low == 1
    assert reach.gap.mean == pytest.approx(-0.3) and math.isnan(reach.gap.low)  # at the largest tried


def test_a_split_that_failed_on_either_side_has_no_gap():
    values = {"epsilon=1": [0.7, math.nan, 0.7], "epsilon=inf": [0.8, 0.8, math.nan]}
    found = privacy_cost.gaps(privacy_cost.with_budgets(tidy(values)), AREA, HOW, tolerance=0.05)
    assert found["splits"].tolist() == [1] and found["difference"].tolist() == pytest.approx([-0.1])
    nothing = tidy({"epsilon=1": [math.nan], "epsilon=inf": [0.8]})
    lost = privacy_cost.gaps(privacy_cost.with_budgets(nothing), AREA, HOW, tolerance=0.05)
    assert privacy_cost.reaches(lost, tolerance=0.05) == []


def groups(small, large, *, middle=None, generator="dp_vae"):
    """Return group scores of three splits; small, large: losses at epsilon 1 and 4 of each split."""
    parts = []
    for level, losses, n in (("x", small, 20), ("z", large, 300), ("y", middle, 50)):
        if losses is None:
            continue
        values = {"epsilon=inf race=" + level: [0.9, 0.9, 0.9]}
        values |= {
            f"epsilon={e} race={level}": [0.9 - loss[place] for loss in losses] for place, e in enumerate((1, 4))
        }
        parts.append(tidy(values, metric=GROUP, generator=generator, n=n))
    return pd.concat(parts, ignore_index=True)


def test_the_excess_is_the_loss_of_the_smallest_group_less_that_of_the_largest():
    frame = groups(
        [(0.3, 0.1), (0.32, 0.1), (0.28, 0.1)], [(0.1, 0.0), (0.1, 0.0), (0.1, 0.0)], middle=[(0.9, 0.9)] * 3
    )
    (found,) = privacy_cost.excesses(privacy_cost.with_budgets(frame), GROUP, HOW)
    assert (found.column, found.small, found.large) == ("race", "x", "z")
    assert (found.rows_small, found.rows_large) == (20, 300)
    assert found.by_split.tolist() == pytest.approx([0.15, 0.16, 0.14]) and found.interval.mean == pytest.approx(0.15)
    assert found.verdict == "supported"


def test_equal_losses_and_smaller_ones_are_told_apart():
    equal = groups([(0.1, 0.1), (0.2, 0.2), (0.15, 0.1)], [(0.15, 0.1), (0.1, 0.2), (0.2, 0.1)])
    less = groups([(0.0, 0.0), (0.0, 0.01), (0.0, 0.0)], [(0.2, 0.2), (0.2, 0.21), (0.2, 0.2)], generator="mst")
    both = privacy_cost.with_budgets(pd.concat([equal, less]))
    found = privacy_cost.excesses(both, GROUP, HOW)
    assert [(e.generator, e.verdict) for e in found] == [("dp_vae", "undecided"), ("mst", "contradicted")]
    whole = privacy_cost.together(found, HOW)
    each = pd.concat([e.by_split for e in found], axis=1).mean(axis=1)
    assert whole == corrected_interval(each.to_numpy(), HOW) and whole.splits == 3
    assert privacy_cost.together([], HOW).splits == 0


def test_one_group_or_no_budget_has_no_excess():
    alone = groups([(0.1, 0.1)] * 3, None)
    free = tidy({f"epsilon=inf race={level}": [0.9, 0.8] for level in "xz"}, metric=GROUP, generator="bootstrap")
    both = privacy_cost.with_budgets(pd.concat([alone, free]))
    assert privacy_cost.excesses(both, GROUP, HOW) == []


def test_a_level_may_hold_any_sign():
    frame = groups([(0.1, 0.1)] * 3, [(0.1, 0.1)] * 3)
    frame["condition"] = frame["condition"].str.replace("race=x", "race=< 50 K = low")
    (found,) = privacy_cost.excesses(privacy_cost.with_budgets(frame), GROUP, HOW)
    assert found.small == "< 50 K = low"
