"""The exact probabilities of a known law against trained predictors and against closed forms."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from synthcohort.metrics.augmentation import best_cut, f_beta, make_task, metric_names, rival_scores
from synthcohort.metrics.bayes import bayes_scores
from synthcohort.metrics.classifiers import PREDICTORS
from synthcohort.rng import Rng
from synthcohort.schema import Column, Schema

XGBOOST = PREDICTORS["xgboost"]
SCHEMA = Schema(
    (Column("x", "numeric"), Column("z", "numeric"), Column("t", "categorical", "target", levels=("0", "1"))), "1"
)


def rows(n, seed):
    draw = np.random.default_rng(seed)
    x, z = draw.normal(size=(2, n))
    probability = expit(1.5 * x - z - 2.0)
    rare = (draw.random(n) < probability).astype(int)
    return SCHEMA.cast(pd.DataFrame({"x": x, "z": z, "t": rare.astype(str)})), rare, probability


def test_four_rows_by_hand():
    rare, probability = np.array([1, 1, 0, 0]), np.array([0.3, 0.2, 0.25, 0.1])
    scores = {s.metric: s for s in bayes_scores(rare, probability, rare, probability, XGBOOST)}
    assert tuple(scores) == metric_names(XGBOOST)
    assert {s.condition for s in scores.values()} == {"bayes_optimal"}
    assert scores["augment_f1_xgboost"].value == pytest.approx(0.8)  # cut at .15: two hits, one false alarm
    assert scores["augment_f2_xgboost"].value == pytest.approx(10 / 11)
    assert scores["augment_auroc_xgboost"].value == pytest.approx(0.75)
    assert scores["augment_brier_xgboost"].value == pytest.approx((0.49 + 0.64 + 0.0625 + 0.01) / 4)


def test_no_predictor_beats_the_law():
    (train, _, _), (validation, rare_v, p_v), (test, rare, p) = rows(800, 0), rows(800, 1), rows(6000, 2)
    best = {s.metric: s.value for s in bayes_scores(rare, p, rare_v, p_v, XGBOOST)}
    task = make_task(train, validation, test, SCHEMA)
    for name in ("xgboost", "decision_tree"):
        for score in rival_scores(task, PREDICTORS[name], Rng(0)):
            ideal = best[score.metric.replace(name, "xgboost")]
            if score.direction == "up":
                assert score.value < ideal, score
            elif "brier" in score.metric:
                assert score.value > ideal, score


def test_the_law_is_calibrated_and_its_brier_score_is_its_variance():
    _, rare_v, p_v = rows(2000, 3)
    _, rare, p = rows(20_000, 4)
    best = {s.metric: s.value for s in bayes_scores(rare, p, rare_v, p_v, XGBOOST)}
    assert best["augment_brier_xgboost"] == pytest.approx(np.mean(p * (1 - p)), abs=0.003)
    assert best["augment_calibration_slope_error_xgboost"] < 0.08
    assert abs(best["augment_calibration_intercept_xgboost"]) < 0.08


def test_cut_comes_from_validation_rows():
    _, rare_v, p_v = rows(60, 5)
    _, rare, p = rows(3000, 6)
    best = {s.metric: s.value for s in bayes_scores(rare, p, rare_v, p_v, XGBOOST)}
    for measure, beta in (("f1", 1.0), ("f2", 2.0)):
        assert best[f"augment_{measure}_xgboost"] == f_beta(rare, p >= best_cut(rare_v, p_v, beta=beta), beta)
        assert best[f"augment_{measure}_xgboost"] < f_beta(rare, p >= best_cut(rare, p, beta=beta), beta)
