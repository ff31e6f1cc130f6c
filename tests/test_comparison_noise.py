"""Within split noise of a reference: by hand, for every verdict, direction and lack of scores."""

import math

import pandas as pd
import pytest
from scipy.stats import t

from synthcohort import scores
from synthcohort.comparison.intervals import Resampling
from synthcohort.comparison.noise import COLUMNS, together, within_noise

HOW = Resampling(0.95, 0.25)
REFERENCE = [0.90, 0.92, 0.94]  # variance 0.0004


def table(values, metric="shape", direction="up"):
    parts = [
        scores.to_frame(
            [scores.Score("fidelity", metric, value, 10, direction, condition=condition)],
            dataset="toy", generator="g", split=split,
        )
        for condition, row in values.items()
        for split, value in enumerate(row)
    ]  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def judged(row, reference=REFERENCE, **kind):
    return within_noise(table({"few": row, "many": reference}, **kind), "many", HOW).iloc[0]


def test_difference_interval_and_noise_by_hand():
    found = within_noise(table({"few": [0.89, 0.92, 0.93], "many": REFERENCE}), "many", HOW)
    assert list(found.columns) == COLUMNS and len(found) == 1
    row = found.iloc[0]
    # d = -0.01, 0, -0.01: mean -2/300, variance 1e-4 / 3; the factor of the corrected interval is 1/3 + 1/4.
    half = t.ppf(0.975, 2) * math.sqrt((1 / 3 + 0.25) * 1e-4 / 3)
    assert row["difference"] == pytest.approx(-2 / 300)
    assert (row["low"], row["high"]) == pytest.approx((-2 / 300 - half, -2 / 300 + half))
    assert row["noise"] == pytest.approx(t.ppf(0.975, 2) * math.sqrt((1 / 3 + 0.25) * 4e-4))
    assert row["splits"] == 3 and row["verdict"] == "supported"


@pytest.mark.parametrize(
    ("shift", "verdict"),
    [([0, 0, 0], "supported"), ([1, 1, 1], "supported"), ([-1, -1, -1], "contradicted"), ([-1, 1, 0], "undecided")],
)
def test_the_verdict_depends_on_where_the_interval_lies(shift, verdict):
    assert judged([r + s for r, s in zip(REFERENCE, shift, strict=True)])["verdict"] == verdict


def test_a_loss_just_within_the_noise_is_within_and_just_beyond_is_not():
    noise = judged(REFERENCE)["noise"]
    assert judged([r - 0.99 * noise for r in REFERENCE])["verdict"] == "supported"
    assert judged([r - 1.01 * noise for r in REFERENCE])["verdict"] == "contradicted"


@pytest.mark.parametrize(
    ("direction", "row", "reference", "gain"),
    [
        ("down", [0.2, 0.3], [0.5, 0.4], 0.2),
        ("half", [0.4, 0.6], [0.8, 0.7], 0.15),
        ("up", [0.2, 0.3], [0.1, 0.1], 0.15),
    ],
)
def test_to_be_better_is_a_gain_whatever_the_direction(direction, row, reference, gain):
    assert judged(row, reference, direction=direction)["difference"] == pytest.approx(gain)


@pytest.mark.parametrize(("row", "reference"), [([0.9], [0.9]), ([0.9, math.nan], [0.9, 0.8])])
def test_one_split_decides_nothing(row, reference):
    found = judged(row, reference)
    assert found["verdict"] == "undecided" and found["splits"] == 1 and math.isnan(found["low"])


def test_a_split_without_the_reference_takes_no_part():
    found = judged([0.9, 0.92, 0.5], [0.9, 0.92, math.nan])
    assert found["splits"] == 2 and found["difference"] == 0 and found["verdict"] == "supported"


def test_metrics_are_judged_each_against_its_own_reference():
    frame = pd.concat(
        [
            table({"few": [0.9, 0.92], "many": [0.9, 0.92]}, "shape"),
            table({"few": [0.1, 0.1], "many": [0.9, 0.92]}, "trend"),
        ]
    )
    found = within_noise(frame, "many", HOW).set_index("metric")["verdict"]
    assert found.to_dict() == {"shape": "supported", "trend": "contradicted"}


def test_no_reference_is_an_error_that_names_what_there_is():
    with pytest.raises(ValueError, match=r"no score of the reference 'all'; there are \['few', 'many'\]"):
        within_noise(table({"few": [0.9], "many": [0.9]}), "all", HOW)


@pytest.mark.parametrize(
    ("words", "verdict"),
    [
        (["supported", "supported"], "supported"),
        (["supported", "undecided"], "undecided"),
        (["supported", "undecided", "contradicted"], "contradicted"),
        ([], "undecided"),
    ],
)
def test_over_several_metrics_each_must_be_within(words, verdict):
    assert together(words) == verdict
