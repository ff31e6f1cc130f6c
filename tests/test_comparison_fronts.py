"""Pareto fronts of a few points by hand, in every direction; clear dominance only beyond both intervals."""

import math

import numpy as np
import pandas as pd
import pytest

from synthcohort.comparison.fronts import COLUMNS, front, interval_of_goodness


def summary_of(points, *, across="up", upward="up", half=0.05, dataset="d"):
    """Return a summary from generator -> (mean of x, mean of y), intervals of half width `half`."""
    rows = [
        {"dataset": dataset, "generator": g, "metric": m, "condition": "as_observed", "direction": direction,
         "mean": mean, "low": mean - half, "high": mean + half}
        for g, means in points.items()
        for m, direction, mean in zip("xy", (across, upward), means, strict=True)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def judged(*args, apart=(), **changes):
    found = front(summary_of(*args, **changes), across="x", upward="y", apart=apart)
    return found.set_index("generator")


def test_front_by_hand():
    found = judged({"a": (1.0, 3.0), "b": (2.0, 2.0), "c": (1.5, 1.5), "e": (0.5, 2.9), "f": (3.0, 1.0)})
    assert found["on_front"].to_dict() == {"a": True, "b": True, "c": False, "e": False, "f": True}
    assert found["dominated_by"].to_dict() == {"a": (), "b": (), "c": ("b",), "e": ("a",), "f": ()}
    assert found.loc["c", "clearly_dominated_by"] == ("b",)


def test_dominated_by_means_but_not_clearly():
    found = judged({"a": (1.0, 1.0), "b": (0.5, 0.95)}, half=0.05)
    assert found.loc["b", "dominated_by"] == ("a",) and found.loc["b", "clearly_dominated_by"] == ()
    near = judged({"a": (1.0, 1.0), "b": (0.5, 0.5)}, half=0.3)
    assert near.loc["b", "clearly_dominated_by"] == ()
    far = judged({"a": (1.0, 1.0), "b": (0.5, 0.5)}, half=0.2)
    assert far.loc["b", "clearly_dominated_by"] == ("a",)


def test_equal_generators_do_not_dominate_each_other_and_one_tie_is_enough():
    assert judged({"a": (1.0, 1.0), "b": (1.0, 1.0)})["on_front"].all()
    assert judged({"a": (1.0, 1.0), "b": (1.0, 0.9)}).loc["b", "dominated_by"] == ("a",)


@pytest.mark.parametrize(
    ("direction", "better", "worse"), [("up", 0.9, 0.1), ("down", 0.1, 0.9), ("half", 0.55, 0.2), ("zero", -0.1, 0.3)]
)
def test_every_direction_is_turned(direction, better, worse):
    found = judged({"a": (better, 1.0), "b": (worse, 0.5)}, across=direction)
    assert found["on_front"].to_dict() == {"a": True, "b": False}
    assert found.loc["a", "across_mean"] > found.loc["b", "across_mean"]
    assert (found["across_low"] <= found["across_mean"]).all() and (found["across_mean"] <= found["across_high"]).all()


def test_interval_of_goodness_is_the_image_of_the_interval():
    draw = np.random.default_rng(0)
    low = pd.Series(draw.uniform(-0.5, 1, 40))
    high = low + draw.uniform(0, 0.8, 40)
    for direction, turn in (("half", lambda x: -abs(x - 0.5)), ("zero", lambda x: -abs(x)), ("down", lambda x: -x)):
        worst, best = interval_of_goodness(low, high, pd.Series([direction] * 40))
        inside = np.linspace(low, high, 4001)
        assert worst.to_numpy() == pytest.approx(turn(inside).min(axis=0))
        assert best.to_numpy() == pytest.approx(turn(inside).max(axis=0), abs=1e-3)


def test_without_intervals_nothing_is_clear():
    found = judged({"a": (1.0, 1.0), "b": (0.1, 0.1)}, half=math.nan)
    assert found.loc["b", "dominated_by"] == ("a",) and found.loc["b", "clearly_dominated_by"] == ()


def test_a_generator_without_a_score_takes_no_part_and_says_why():
    summary = summary_of({"a": (1.0, math.nan), "b": (0.5, 0.5), "real": (9.0, 9.0)})
    summary = summary[~((summary["generator"] == "b") & (summary["metric"] == "y"))]
    summary = pd.concat([summary, summary_of({"c": (0.2, 0.2)})])
    found = front(summary, across="x", upward="y").set_index("generator")
    assert list(found.index) == ["a", "b", "c"]
    assert found["reason"].to_dict() == {"a": "no score of y", "b": "no score of y", "c": ""}
    assert found["on_front"].to_dict() == {"a": False, "b": False, "c": True}


def test_those_set_apart_are_shown_and_dominate_nobody():
    found = judged({"a": (1.0, 1.0), "bootstrap": (2.0, 2.0)}, apart=("bootstrap",))
    assert found["on_front"].to_dict() == {"a": True, "bootstrap": False}
    assert found.loc["bootstrap", "reason"] == "no candidate" and found.loc["bootstrap", "upward_mean"] == 2.0


def test_tables_are_judged_apart():
    one, two = summary_of({"a": (1.0, 1.0)}), summary_of({"b": (2.0, 2.0)}, dataset="e")
    found = front(pd.concat([one, two]), across="x", upward="y")
    assert found["on_front"].all() and list(found.columns) == COLUMNS
    with pytest.raises(ValueError, match="no score of 'z'"):
        front(one, across="x", upward="z")
