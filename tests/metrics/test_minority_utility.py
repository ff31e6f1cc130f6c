"""F1 of the rarest class: by hand, whichever class is the positive one, and with several classes."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from synthcohort.metrics.classifiers import PREDICTORS
from synthcohort.metrics.matrix import DataProblem
from synthcohort.metrics.minority_utility import minority_f1
from synthcohort.metrics.utility import Judged
from synthcohort.schema import Column, Schema

SCHEMA = Schema((Column("a", "numeric"), Column("t", "categorical", "target", levels=("no", "yes"))), "yes")


def rows(*levels, schema=SCHEMA):
    return schema.cast(pd.DataFrame({"a": 1.0, "t": levels}))


def judged(truth, predicted):
    return Judged(PREDICTORS["xgboost"], None, np.array(truth), np.array(predicted))


@pytest.mark.parametrize(("train", "wanted"), [(["yes", "no", "no"], 2 / 5), (["yes", "yes", "no"], 4 / 7)])
def test_the_rarest_class_of_the_train_rows_is_the_one_that_is_found(train, wanted):
    # truth yes, yes, no, no, no, no; called yes, no, yes, yes, no, no. yes: TP 1, FP 2, FN 1; no: TP 2, FP 1, FN 2
    own = judged([1, 1, 0, 0, 0, 0], [0.9, 0.1, 0.8, 0.5, 0.2, 0.3])
    (score,) = minority_f1(own, rows(*train), SCHEMA)
    assert score.value == pytest.approx(wanted) and score.n == 6 and score.metric == "minority_f1_xgboost"


def test_of_several_classes_the_rarest_that_occurs_counts():
    schema = Schema((SCHEMA["a"], replace(SCHEMA["t"], levels=("none", "x", "y", "z"))), "z")
    truth = np.eye(4)[[1, 1, 2, 3]]
    predicted = np.eye(4)[[1, 3, 3, 3]]
    (score,) = minority_f1(judged(truth, predicted), rows("x", "x", "y", "y", "z", schema=schema), schema)
    assert score.value == pytest.approx(2 * 1 / (2 * 1 + 2 + 0))  # z: TP 1, FP 2, FN 0


def test_a_numeric_target_has_no_rare_class():
    schema = Schema((SCHEMA["t"].__class__("s", "categorical", levels=("x",)), Column("y", "numeric", "target")))
    with pytest.raises(DataProblem, match="target 'y' is numeric"):
        minority_f1(judged([1.0], [1.0]), rows("no"), schema)
