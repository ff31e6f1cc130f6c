"""The figure of quality against evaluations: titled, labelled, the same bytes twice, the reference as a band."""

import math

import numpy as np
import pandas as pd
import pytest

from synthcohort.figures import few_steps
from synthcohort.report import show

SOLVERS = {"second_order": "second-order steps", "ancestral": "ancestral steps"}
TITLES = {"shape": "Shape", "c2st_xgboost": "C2ST"}


def means(interval=True):
    rows = [
        {
            "solver": solver, "evaluations": n, "metric": metric, "direction": direction, "mean": 0.9 - 1 / n,
            "low": 0.9 - 2 / n if interval else math.nan, "high": 0.9 if interval else math.nan,
        }
        for solver, numbers in (("second_order", (5, 25)), ("ancestral", (5, 25, 1000)))
        for n in numbers
        for metric, direction in (("shape", "up"), ("c2st_xgboost", "half"))
    ]  # fmt: skip
    return pd.DataFrame(rows)


def drawn(frame):
    reference = frame[frame["evaluations"] == 1000]
    return few_steps.quality(frame, reference, titles=TITLES, solvers=SOLVERS, heading="H")


@pytest.mark.parametrize("interval", [True, False], ids=["splits", "one split"])
def test_it_is_titled_labelled_and_the_same_twice(interval):
    frame = means(interval)
    before = frame.copy()
    figure = drawn(frame)
    assert figure.get_suptitle() == "H" and [axes.get_title(loc="left") for axes in figure.axes] == ["Shape", "C2ST"]
    assert all("evaluations" in axes.get_xlabel() and axes.get_ylabel() for axes in figure.axes)
    assert show.picture(figure) == show.picture(drawn(means(interval)))
    pd.testing.assert_frame_equal(frame, before)


def test_evaluations_are_on_a_logarithmic_axis_with_every_number_named():
    axes = drawn(means()).axes[0]
    assert axes.get_xscale() == "log" and [t.get_text() for t in axes.get_xticklabels()] == ["5", "25", "1,000"]


def test_the_band_is_the_interval_of_the_reference():
    axes = drawn(means()).axes[0]
    (band,) = axes.patches
    assert np.allclose([band.get_y(), band.get_y() + band.get_height()], [0.898, 0.9])
    assert not drawn(means(interval=False)).axes[0].patches


def test_every_solver_has_its_own_line_and_name():
    figure = drawn(means())
    points = [line for line in figure.axes[0].lines if line.get_marker() in ("o", "s")]
    assert [len(line.get_xdata()) for line in points] == [2, 3]
    assert [t.get_text() for t in figure.legends[0].get_texts()][:2] == list(SOLVERS.values())
