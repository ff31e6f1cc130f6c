"""The figure of fairness against accuracy: titled, labelled, the same bytes twice, every arm and published point."""

import itertools
import math

import pandas as pd
import pytest

from synthcohort.figures import fairness
from synthcohort.report import show

TITLES = {
    "demographic_parity_ratio_sex": "demographic parity ratio",
    "equalized_odds_ratio_sex": "equalized odds ratio",
}
PUBLISHED = {"demographic_parity_ratio_sex": [("FairTabDDPM", 0.893, 0.543), ("SMOTE", 0.914, 0.321)]}


def curves(interval=True):
    rows = [
        {
            "ask": ask, "arm": arm, "dial": dial, "metric": metric, "auroc": 0.92 - 0.02 * dial,
            "mean": 0.3 + 0.2 * dial, "low": 0.25 if interval else math.nan, "high": 0.6 if interval else math.nan,
        }
        for ask, arm, dial, metric in itertools.product(
            ("sex balanced", "sex and race balanced jointly"), ("resampled", "smote"), (0.0, 0.5, 1.0), TITLES
        )
    ]  # fmt: skip
    return pd.DataFrame(rows)


def drawn(found):
    return fairness.curves(found, titles=TITLES, rivals=("resampled",), published=PUBLISHED, heading="H")


@pytest.mark.parametrize("interval", [True, False], ids=["splits", "one split"])
def test_it_is_titled_labelled_and_the_same_twice(interval):
    found = curves(interval)
    before = found.copy()
    figure = drawn(found)
    assert figure.get_suptitle().startswith("H") and len(figure.axes) == 4
    assert [axes.get_title(loc="left") for axes in figure.axes[::2]] == [
        "sex balanced",
        "sex and race balanced jointly",
    ]
    assert all("AUROC" in axes.get_xlabel() and "ratio" in axes.get_ylabel() for axes in figure.axes)
    assert show.picture(figure) == show.picture(drawn(curves(interval)))
    pd.testing.assert_frame_equal(found, before)


def test_arms_have_a_line_each_and_open_and_filled_ends():
    axes = drawn(curves()).axes[0]
    own = [line for line in axes.lines if line.get_marker() not in ("None", "x", None) and len(line.get_xdata()) == 1]
    assert len(own) == 2 * 3
    filled = [line for line in own if line.get_markerfacecolor() != "white"]
    assert len(filled) == 2 and all(line.get_xdata()[0] == pytest.approx(0.90) for line in filled)


def test_published_points_are_drawn_and_those_that_aim_at_fairness_named():
    first, second, *_ = drawn(curves()).axes
    assert [text.get_text() for text in first.texts] == ["FairTabDDPM"] and not second.texts
    assert len([line for line in first.lines if line.get_marker() == "x"]) == 2


def test_an_undefined_ratio_leaves_its_dial_out():
    found = curves()
    found.loc[(found["arm"] == "smote") & (found["dial"] == 0.5), "mean"] = math.nan
    assert len(drawn(found).axes) == 4
    assert len(drawn(found.assign(mean=math.nan)).axes) == 4
