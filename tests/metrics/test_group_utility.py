"""AUROC of groups: by hand, small groups unnamed, one class a reason."""

import numpy as np
import pandas as pd
import pytest

from synthcohort.disclosure import FLOOR
from synthcohort.metrics.classifiers import PREDICTORS
from synthcohort.metrics.group_utility import group_scores, groups
from synthcohort.metrics.matrix import DataProblem
from synthcohort.metrics.utility import Judged
from synthcohort.schema import Column, Schema

SCHEMA = Schema(
    (
        Column("sex", "categorical", "sensitive", levels=("f", "m", "x")),
        Column("age", "numeric", "sensitive", low=0, high=9),
        Column("t", "categorical", "target", levels=("no", "yes")),
    ),
    "yes",
)


def rows(sizes):
    sex = np.repeat(list(sizes), list(sizes.values()))
    return SCHEMA.cast(pd.DataFrame({"sex": sex, "age": 1.0, "t": "no"}))


def judged(truth, predicted):
    return Judged(PREDICTORS["xgboost"], None, np.array(truth), np.array(predicted))


def test_groups_are_levels_of_sensitive_categorical_columns_with_rows_enough():
    found = dict(groups(rows({"f": FLOOR, "m": FLOOR + 3, "x": FLOOR - 1}), SCHEMA))
    assert list(found) == ["sex=f", "sex=m"] and found["sex=m"].sum() == FLOOR + 3


def test_areas_by_hand():
    test = rows({"f": 12, "m": 12})
    truth = [1] * 6 + [0] * 6 + [1] * 6 + [0] * 6
    right = [0.9] * 6 + [0.1] * 6
    half = [0.9] * 3 + [0.1] * 3 + [0.5] * 6  # half of the pairs right
    first, second = group_scores(judged(truth, right + half), test, SCHEMA, condition="epsilon=1")
    assert (first.metric, first.condition, first.n, first.axis) == (
        "group_auroc_xgboost",
        "epsilon=1 sex=f",
        12,
        "fairness",
    )
    assert first.value == 1.0 and second.value == 0.5 and second.condition == "epsilon=1 sex=m"


def test_one_class_is_a_reason_not_a_zero():
    test = rows({"f": 12, "m": 12})
    truth = [1] * 12 + [1] * 6 + [0] * 6
    first, second = group_scores(judged(truth, np.linspace(1, 0, 24)), test, SCHEMA, condition="epsilon=1")
    assert np.isnan(first.value) and "a class has no test row" in first.note and second.value == 1.0


def test_several_classes_are_averaged():
    test = rows({"f": 12})
    truth = np.eye(3)[[0] * 4 + [1] * 4 + [2] * 4]
    (score,) = group_scores(judged(truth, truth), test, SCHEMA, condition="epsilon=1")
    assert score.value == 1.0


def test_a_numeric_target_has_no_area():
    schema = Schema((SCHEMA["sex"], Column("y", "numeric", "target", low=0, high=1)))
    with pytest.raises(DataProblem, match="target 'y' is numeric"):
        group_scores(judged([1.0], [1.0]), rows({"f": 12}), schema, condition="c")
