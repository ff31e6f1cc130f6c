"""Predictive measures against hand computation, and what breaks them."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score, fbeta_score

from synthcohort.metrics.classifiers import PREDICTORS, fit_classifier
from synthcohort.metrics.matrix import DataProblem
from synthcohort.metrics.utility import (
    BINARY,
    MULTICLASS,
    REGRESSION,
    auroc,
    f_beta,
    judge,
    judged_scores,
    metric_names,
    utility_scores,
)
from synthcohort.rng import Rng
from synthcohort.schema import Column, Schema

XGBOOST = PREDICTORS["xgboost"]


def values(predictor, train, test, schema, prefix="tstr"):
    scores = utility_scores(prefix, predictor, train=train, test=test, schema=schema, rng=Rng(0))
    return {s.metric: s.value for s in scores}


def by_measure(table, truth, predicted):
    return {m.name: m.score("utility", m.name, truth, predicted) for m in table}


def test_binary_measures_of_four_rows_by_hand():
    # ranks: 1 (.9), 0 (.6), 1 (.4), 0 (.1): three of four pairs in order; precision 1 and 2/3 at the hits;
    # at .5 one hit, one false alarm, one miss, one true rejection.
    got = by_measure(BINARY, np.array([1, 0, 1, 0]), np.array([0.9, 0.6, 0.4, 0.1]))
    by_hand = {"accuracy": 0.5, "balanced_accuracy": 0.5, "auroc": 0.75, "auprc": (1 + 2 / 3) / 2, "f1": 0.5, "f2": 0.5}
    assert {name: got[name].value for name in by_hand} == pytest.approx(by_hand)
    assert got["brier"].value == pytest.approx((0.01 + 0.36 + 0.36 + 0.01) / 4)
    assert got["calibration_intercept"].value == pytest.approx(0.0, abs=1e-9)  # the four risks sum to two
    assert {name: s.direction for name, s in got.items() if s.direction != "up"} == {
        "brier": "down",
        "calibration_slope_error": "down",
        "calibration_intercept": "zero",
    }


def test_balanced_accuracy_and_f2_weigh_the_rare_class():
    truth, probability = np.array([1, 1, 0, 0, 0, 0]), np.array([0.9, 0.1, 0.1, 0.1, 0.1, 0.1])
    got = {name: score.value for name, score in by_measure(BINARY, truth, probability).items()}
    assert got["accuracy"] == pytest.approx(5 / 6) and got["balanced_accuracy"] == pytest.approx(0.75)
    assert got["f1"] == pytest.approx(2 / 3) and got["f2"] == pytest.approx(5 / 9)
    draw = np.random.default_rng(0)
    truth, found = draw.integers(0, 2, 100), draw.random(100) < 0.4
    assert f_beta(truth, found, 2.0) == pytest.approx(fbeta_score(truth, found, beta=2))
    balanced = by_measure(BINARY, truth, found.astype(float))["balanced_accuracy"].value
    assert balanced == pytest.approx(balanced_accuracy_score(truth, found))


def test_perfect_predictions_are_perfect_and_only_the_slope_is_undefined():
    truth = np.array([1, 0, 1, 0])
    got = by_measure(BINARY, truth, truth.astype(float))
    slope = got.pop("calibration_slope_error")
    assert np.isnan(slope.value) and "separate the classes" in slope.note
    assert got.pop("brier").value == 0.0
    assert got.pop("calibration_intercept").value == pytest.approx(0.0, abs=1e-9)
    assert {s.value for s in got.values()} == {1.0}


def test_multiclass_measures_of_four_rows_by_hand():
    truth = np.array([0, 1, 2, 2])
    probabilities = np.array([[0.8, 0.1, 0.1], [0.5, 0.4, 0.1], [0.1, 0.3, 0.6], [0.6, 0.0, 0.4]])
    got = {name: score.value for name, score in by_measure(MULTICLASS, np.eye(3)[truth], probabilities).items()}
    assert got["auroc"] == got["auprc"] == pytest.approx(1.0)  # for each level its rows come first
    # chosen 0, 0, 2, 0: F1 of level 0 is 2/4, of level 1 is 0, of level 2 is 2/3; recalls 1, 0, 1/2
    assert got["f1"] == pytest.approx((0.5 + 0 + 2 / 3) / 3)
    assert (got["accuracy"], got["balanced_accuracy"]) == pytest.approx((0.5, 0.5))
    squares = (0.04 + 0.01 + 0.01) + (0.25 + 0.36 + 0.01) + (0.01 + 0.09 + 0.16) + (0.36 + 0.36)
    assert got["brier"] == pytest.approx(squares / 4)


def test_names_are_those_of_the_scores(schema, make_cohort):
    scores = utility_scores(
        "tstr", XGBOOST, train=make_cohort(100, 0), test=make_cohort(80, 1), schema=schema, rng=Rng(0)
    )
    assert tuple(s.metric for s in scores) == metric_names("tstr", XGBOOST, schema)
    assert "tstr_auroc_xgboost" in metric_names("tstr", XGBOOST, schema)


def test_a_judged_predictor_is_scored_without_another_fit(schema, make_cohort, monkeypatch):
    train, test = make_cohort(200, 0), make_cohort(150, 1)
    judged = judge(XGBOOST, train=train, test=test, schema=schema, rng=Rng(0))
    once = utility_scores("tstr", XGBOOST, train=train, test=test, schema=schema, rng=Rng(0))
    monkeypatch.setattr("synthcohort.metrics.utility.classify_target", None)
    scores = judged_scores("tstr", judged, schema)
    assert scores == once
    assert auroc(judged, schema) == {s.metric: s.value for s in scores}["tstr_auroc_xgboost"]


def test_constant_predictions_fail_the_slope_alone(schema, make_cohort):
    train = make_cohort(60, 0).assign(age=50.0, marker=1.0)
    train["ward"] = pd.Categorical(["north"] * 60, categories=["north", "south", "west"])
    scores = utility_scores("tstr", XGBOOST, train=train, test=make_cohort(80, 1), schema=schema, rng=Rng(0))
    lost = {s.metric: s.note for s in scores if np.isnan(s.value)}
    assert set(lost) == {"tstr_calibration_slope_error_xgboost"}
    assert "probabilities are equal" in lost["tstr_calibration_slope_error_xgboost"]
    assert {s.metric: s.value for s in scores}["tstr_auroc_xgboost"] == 0.5


@pytest.mark.parametrize("name", sorted(PREDICTORS))
def test_independent_columns_predict_nothing_and_noise_costs(name, schema, make_cohort, shuffle):
    train, test = make_cohort(400, 0), make_cohort(400, 1)

    def mean(share):
        draws = [
            values(PREDICTORS[name], shuffle(train, share, seed), test, schema) for seed in range(4 if share else 1)
        ]
        return pd.DataFrame(draws).mean()

    # a linear score of no information has a random direction, which these test rows rank well or badly: average
    none, some, all_of_them = (mean(share) for share in (0.0, 0.4, 1.0))
    for measure in ("accuracy", "balanced_accuracy", "auroc", "auprc", "f1", "f2"):
        metric = f"tstr_{measure}_{name}"
        assert none[metric] > some[metric] > all_of_them[metric], measure
    assert none[f"tstr_brier_{name}"] < some[f"tstr_brier_{name}"] < all_of_them[f"tstr_brier_{name}"]
    assert none[f"tstr_auroc_{name}"] > 0.9 and abs(all_of_them[f"tstr_auroc_{name}"] - 0.5) < 0.2


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


def test_regression_measures_of_four_rows_by_hand():
    # squared errors 0, 1, 1, 4 around predictions, 9, 1, 1, 9 around the mean
    truth, predicted = np.array([0.0, 2, 4, 6]), np.array([0.0, 3, 3, 8])
    r2, rmse = (m.compute(truth, predicted) for m in REGRESSION)
    assert r2 == pytest.approx(1 - 6 / 20) and rmse == pytest.approx(np.sqrt(6 / 4))
    assert [m.compute(truth, truth) for m in REGRESSION] == [1.0, 0.0]


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
    noise = np.random.default_rng(1).standard_normal(200)
    rows = [train.assign(y=train["y"] + size * noise) for size in (0.0, 3.0, 12.0)]
    rows.append(train.assign(y=np.random.default_rng(2).permutation(train["y"])))  # shuffled targets are the worst
    r2, rmse = zip(*(values(XGBOOST, part, test, schema).values() for part in rows))
    assert list(r2) == sorted(r2, reverse=True) and list(rmse) == sorted(rmse)
    with pytest.raises(DataProblem, match="constant"):
        values(XGBOOST, train, test.assign(y=1.0), schema)
    with pytest.raises(DataProblem, match="AUROC needs classes"):
        auroc(judge(XGBOOST, train=train, test=test, schema=schema, rng=Rng(0)), schema)


def test_fewer_than_ten_training_rows_are_refused(schema, make_cohort):
    with pytest.raises(DataProblem, match="the training table has 9 rows"):
        values(XGBOOST, make_cohort(9, 0, 0.5), make_cohort(80, 1), schema)
