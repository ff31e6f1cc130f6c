"""Words that several pages share."""

import math

import pandas as pd
import pytest

from synthcohort.comparison.intervals import Interval, Resampling
from synthcohort.comparison.standing import across
from synthcohort.figures import labels
from synthcohort.report import questions
from synthcohort.report.questions_useful import METRICS, Useful
from synthcohort.report.verdicts import said


def test_a_mean_says_what_it_rests_on():
    assert said(Interval(0.5, 0.25, 0.75, 3)) == "0.500 [0.250, 0.750]"
    assert said(Interval(0.5, math.nan, math.nan, 1)) == "0.500 (no interval from 1 split)"
    assert said(Interval(-0.0002, -0.001, 0.0, 3)) == "-2e-4 [-0.001, 0.000]"
    assert questions.measured(across([0.5], 0.95)) == "0.500 (no interval from one table)"
    assert said(Interval(math.nan, math.nan, math.nan, 0)) == questions.measured(across([], 0.95)) == "no value"


def test_tables_that_agree_have_an_interval_without_width():
    assert questions.measured(across([0.2, 0.2, 0.2], 0.95)) == "0.200 [0.200, 0.200]"


@pytest.mark.parametrize(
    ("low", "high", "words"), [(1, 1, "1 split each"), (4, 4, "4 splits each"), (3, 6, "3 to 6 splits each")]
)
def test_splits_are_counted(low, high, words):
    assert questions.splits_each(low, high) == words


def test_methods_are_told_from_sentinels_and_the_real_table():
    rows = pd.DataFrame({"generator": ["real", "vae", "bootstrap", "independent", "new"]})
    assert list(questions.of_methods(rows)["generator"]) == ["vae", "new"]


def test_what_has_no_mean_is_a_dash():
    means = pd.DataFrame(
        {"mean": [0.5], "low": [0.4], "high": [0.6]}, index=pd.MultiIndex.from_tuples([("pima", "vae")])
    )
    assert questions.entry(means, ("pima", "vae")).note == "[0.400, 0.600]"
    assert questions.entry(means, ("pima", "smote")).text == "–"


@pytest.mark.parametrize("metric", [*METRICS, "c2st_xgboost", "augment_f1_multilayer_perceptron"])
def test_the_classifier_is_the_end_of_a_metrics_name(metric):
    evidence = questions.Evidence(pd.DataFrame(), [], Resampling(0.95, 0.3), {})
    found = Useful(evidence, metric, None).classifier
    assert metric.endswith(f"_{found}") and found in labels.CLASSIFIERS
