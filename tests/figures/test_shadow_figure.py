"""The figure of the shadow-model attack: titled, labelled, the same bytes twice, for copies as for chance."""

import numpy as np
import pandas as pd
import pytest

from synthcohort.figures import shadow
from synthcohort.metrics import shadow as metric
from synthcohort.report import show
from synthcohort.rng import Rng


@pytest.mark.parametrize("gap", [0.0, 1.0, 5000.0])
def test_it_is_titled_labelled_and_the_same_twice(gap):
    inside = metric.design(6, 5, Rng(1))
    scores = np.random.default_rng(2).normal(size=inside.shape) + gap * inside
    run, target = np.indices(inside.shape)
    trace = pd.DataFrame(
        {"run": run.ravel(), "target": target.ravel(), "member": inside.ravel(), "score": scores.ravel()}
    )
    roc = metric.roc(scores, inside)
    before = trace.copy()
    drawn = shadow.attack(trace, roc)
    assert drawn.get_suptitle() == "Membership scores of 5 exposed rows over 6 runs"
    assert all(axes.get_xlabel() and axes.get_ylabel() for axes in drawn.axes)
    assert show.picture(drawn) == show.picture(shadow.attack(trace, roc))
    pd.testing.assert_frame_equal(trace, before)


def test_equal_scores_are_drawn():
    trace = pd.DataFrame({"run": [0, 1], "target": 0, "member": [True, False], "score": 0.0})
    roc = pd.DataFrame({"false_rate": [0.0, 1.0], "true_rate": [0.0, 1.0]})
    assert show.picture(shadow.attack(trace, roc))
