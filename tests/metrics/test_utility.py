"""Predictive measures against hand computation, and what breaks them."""

import numpy as np
import pandas as pd
import pytest

from synthcohort.metrics.classifiers import PREDICTORS, fit_classifier
from synthcohort.metrics.matrix import DataProblem
from synthcohort.metrics.utility import binary_measures, metric_names, multiclass_measures, utility_scores
from synthcohort.rng import Rng
from synthcohort.schema import Column, Schema

XGBOOST = PREDICTORS["xgboost"]


def values(predictor, train, test, schema, prefix="tstr"):
    scores = utility_scores(prefix, predictor, train=train, test=test, schema=schema, rng=Rng(0))
    return {s.metric: s.value for s in scores}


def test_binary_measures_of_four_rows_by_hand():
    # ranks: 1 (.9), 0 (.6), 1 (.4), 0 (.1): three of four pairs in order; precision 1 and 2/3 at the hits;
    # at .5 one hit, one false alarm, one miss.
    got = binary_measures(np.array([1, 0, 1, 0]), np.array([0.9, 0.6, 0.4, 0.1]))
    assert got == pytest.approx((0.75, (1 + 2 / 3) / 2, 0.5))


def test_multiclass_measures_of_four_rows_by_hand():
    truth = np.array([0, 1, 2, 2])
    probabilities = np.array([[0.8, 0.1, 0.1], [0.5, 0.4, 0.1], [0.1, 0.3, 0.6], [0.6, 0.0, 0.4]])
    auroc, auprc, f1 = multiclass_measures(truth, probabilities)
    assert auroc == pytest.approx(1.0)  # for each level its rows come first
    assert auprc == pytest.approx(1.0)
    # chosen 0, 0, 2, 0: F1 of level 0 is 2/4, of level 1 is 0, of level 2 is 2/3
    assert f1 == pytest.approx((0.5 + 0 + 2 / 3) / 3)


@pytest.mark.parametrize("name", sorted(PREDICTORS))
def test_independent_columns_predict_nothing_and_noise_costs(name, schema, make_cohort, shuffle):
    train, test = make_cohort(800, 0), make_cohort(800, 1)
    areas = [
        values(PREDICTORS[name], shuffle(train, share, 2), test, schema)[f"tstr_auroc_{name}"] for share in (0, 0.4, 1)
    ]
    assert areas[0] > 0.9
    assert areas[0] > areas[1] > areas[2]
    assert abs(areas[2] - 0.5) < 0.2


def test_bootstrap_is_as_useful_as_the_table(schema, make_cohort, bootstrap):
    train, test = make_cohort(800, 0), make_cohort(800, 1)
    ceiling = values(XGBOOST, train, test, schema, "trtr")["trtr_auroc_xgboost"]
    assert values(XGBOOST, bootstrap(train, 3), test, schema)["tstr_auroc_xgboost"] == pytest.approx(ceiling, abs=0.03)


def test_positive_level_decides_which_class_is_scored(schema, make_cohort):
    train, test = make_cohort(600, 0, 0.1), make_cohort(600, 1, 0.1)
    turned = Schema(schema.columns, "no")
    rare, common = values(XGBOOST, train, test, schema), values(XGBOOST, train, test, turned)
    assert rare["tstr_auroc_xgboost"] == pytest.approx(common["tstr_auroc_xgboost"])
    assert rare["tstr_f1_xgboost"] < common["tstr_f1_xgboost"]


def test_one_class_only_is_refused(schema, make_cohort):
    frame = make_cohort(200, 0)
    one = frame[frame["died"] == "no"]
    with pytest.raises(DataProblem, match="one level only"):
        values(XGBOOST, one, frame, schema)
    with pytest.raises(DataProblem, match="no test row has the target level"):
        values(XGBOOST, frame, one, schema)


def multiclass_table(n, seed, levels=("a", "b", "c")):
    draw = np.random.default_rng(seed)
    code = draw.integers(0, len(levels), n)
    return pd.DataFrame({"x": code + draw.normal(0, 0.3, n), "t": np.array(levels)[code]})


def test_level_absent_from_synthetic_rows_gets_probability_zero():
    schema = Schema((Column("x", "numeric"), Column("t", "categorical", "target", levels=("a", "b", "c"))), "a")
    train = schema.cast(multiclass_table(300, 0))
    part = train[train["t"] != "b"]
    codes = part["t"].cat.codes.to_numpy()
    for predictor in PREDICTORS.values():
        fitted = fit_classifier(predictor, part[["x"]].to_numpy(), codes, levels=3, seed=0)
        probabilities = fitted.probabilities(np.linspace(0, 2, 9)[:, None])
        assert probabilities.sum(axis=1) == pytest.approx(1.0)
        assert (probabilities[:, 1] == 0).all()
    test = schema.cast(multiclass_table(300, 1))
    whole = values(XGBOOST, train, test, schema)
    assert whole["tstr_auroc_xgboost"] > 0.95
    assert values(XGBOOST, part, test, schema)["tstr_f1_xgboost"] < whole["tstr_f1_xgboost"] - 0.2


def test_regression_is_scored_by_r2_and_rmse():
    schema = Schema((Column("x", "numeric"), Column("y", "numeric", "target")))
    x = np.random.default_rng(0).uniform(0, 10, 400)
    frame = schema.cast(pd.DataFrame({"x": x, "y": 3 * x}))
    train, test = frame.iloc[:200], frame.iloc[200:]
    assert metric_names("tstr", XGBOOST, schema) == ("tstr_r2_xgboost", "tstr_rmse_xgboost")
    scores = utility_scores("tstr", XGBOOST, train=train, test=test, schema=schema, rng=Rng(0))
    assert scores[0].value > 0.99 and scores[1].direction == "down"
    explained = 1 - scores[1].value ** 2 / test["y"].var(ddof=0)
    assert scores[0].value == pytest.approx(explained)
    with pytest.raises(DataProblem, match="constant"):
        values(XGBOOST, train, test.assign(y=1.0), schema)
