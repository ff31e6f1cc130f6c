"""The classifier two-sample test: folds, the null, and tables that give themselves away."""

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from synthcohort.metrics.detection import (
    FOLDS,
    METRICS,
    c2st_scores,
    c2st_xgboost,
    cross_fitted_auroc,
    stratified_folds,
    two_samples,
)
from synthcohort.metrics.matrix import DataProblem
from synthcohort.rng import Rng


def c2st_logistic(unseen, synthetic, schema, rng):
    return [score for score in c2st_scores(unseen, synthetic, schema, rng) if score.metric == "c2st_logistic"]


def test_equal_rows_share_a_fold_and_labels_are_spread():
    draw = np.random.default_rng(0)
    features = draw.integers(0, 30, size=(400, 1)).astype(float)
    features[:200] += 100.0
    labels = np.repeat([0, 1], 200)
    folds = stratified_folds(features, labels, Rng(1))
    assert all(np.unique(folds[features[:, 0] == v]).size == 1 for v in np.unique(features))
    assert set(folds) == set(range(FOLDS))
    distinct = np.arange(400.0)[:, None]
    folds = stratified_folds(distinct, labels, Rng(1))
    assert np.bincount(folds[labels == 1]).tolist() == [40] * 5


def test_score_is_the_mean_of_the_fold_areas_by_hand():
    # A "classifier" that returns the feature itself: each fold's area can be counted from its own rows.
    draw = np.random.default_rng(3)
    features, labels = draw.random((60, 1)), np.repeat([0, 1], 30)
    folds = stratified_folds(features, labels, Rng(4).branch("folds"))
    areas = [roc_auc_score(labels[folds == f], features[folds == f, 0]) for f in range(FOLDS)]
    found = cross_fitted_auroc(lambda *_: lambda rows: rows[:, 0], features, labels, folds=folds, rng=Rng(4))
    assert found == pytest.approx(np.mean(areas))


def test_logistic_equals_a_pipeline_fitted_on_each_training_fold(schema, make_cohort, shuffle):
    unseen, synthetic = make_cohort(200, 0), shuffle(make_cohort(200, 1), 0.8, 2)
    samples = two_samples(unseen, synthetic, schema, Rng(5))
    frame = pd.concat(samples.parts, ignore_index=True)
    levels = [list(c.levels) for c in schema.categorical]
    kinds = [("n", StandardScaler(), ["age", "marker"]), ("c", OneHotEncoder(categories=levels), ["ward", "died"])]
    areas = []
    for number in range(FOLDS):
        outer = samples.folds == number
        model = make_pipeline(ColumnTransformer(kinds), LogisticRegression(max_iter=1000))
        model.fit(frame[~outer], samples.labels[~outer])
        areas.append(roc_auc_score(samples.labels[outer], model.predict_proba(frame[outer])[:, 1]))
    assert c2st_logistic(unseen, synthetic, schema, Rng(5))[0].value == pytest.approx(np.mean(areas), abs=1e-3)


def test_logistic_finds_margins_not_dependence(schema, make_cohort, shuffle):
    unseen, other = make_cohort(600, 0), make_cohort(600, 1)
    assert c2st_logistic(unseen, shuffle(other, 1.0, 2), schema, Rng(0))[0].value < 0.57
    values = [
        c2st_logistic(unseen, other.assign(age=other["age"] + by), schema, Rng(0))[0].value for by in (0.0, 5.0, 20.0)
    ]
    assert values[0] < values[1] < values[2]
    assert values[2] > 0.85


def test_logistic_null_is_one_half_and_constants_are_harmless(schema, make_cohort):
    frames = [(make_cohort(150, 2 * i), make_cohort(150, 2 * i + 1)) for i in range(12)]
    values = [c2st_logistic(a, b, schema, Rng(i))[0].value for i, (a, b) in enumerate(frames)]
    assert abs(np.mean(values) - 0.5) < 3 * np.std(values, ddof=1) / np.sqrt(12)
    flat = [f.assign(marker=1.0) for f in frames[0]]
    assert 0.3 < c2st_logistic(*flat, schema, Rng(0))[0].value < 0.7


def test_null_is_one_half_within_its_error(schema, make_cohort):
    values = [c2st_xgboost(make_cohort(150, 2 * i), make_cohort(150, 2 * i + 1), schema, Rng(i)) for i in range(12)]
    values = [v[0].value for v in values]
    assert abs(np.mean(values) - 0.5) < 3 * np.std(values, ddof=1) / np.sqrt(12)


def test_rows_drawn_twice_do_not_give_the_bootstrap_away(schema, make_cohort, bootstrap):
    values = [
        c2st_xgboost(make_cohort(300, 2 * i), bootstrap(make_cohort(300, 2 * i + 1), i), schema, Rng(i))[0].value
        for i in range(6)
    ]
    assert np.mean(values) < 0.55


def test_grows_with_noise_and_finds_independent_columns(schema, make_cohort, shuffle):
    unseen, other = make_cohort(600, 0), make_cohort(600, 1)
    values = [c2st_xgboost(unseen, shuffle(other, share, 2), schema, Rng(0))[0].value for share in (0.0, 0.4, 1.0)]
    assert values[0] < values[1] < values[2]
    assert values[2] > 0.75


def test_identical_rows_are_no_evidence(schema, make_cohort):
    # every row stands on both sides, in one fold: the classifier has nothing but ties
    same = make_cohort(200, 0)
    assert c2st_xgboost(same, same, schema, Rng(0))[0].value == pytest.approx(0.5, abs=0.02)


def test_sides_have_equal_size(schema, make_cohort):
    assert c2st_xgboost(make_cohort(40, 0), make_cohort(200, 1), schema, Rng(0))[0].n == 40


def test_both_classifiers_see_the_same_rows_in_the_same_folds(schema, make_cohort):
    frames = make_cohort(60, 0), make_cohort(80, 1)
    both = c2st_scores(*frames, schema, Rng(0))
    assert tuple(score.metric for score in both) == METRICS
    assert both[0] == c2st_xgboost(*frames, schema, Rng(0))[0]


def test_all_rows_equal_is_refused(schema, make_cohort):
    real = make_cohort(100, 0)
    flat = real.iloc[[0] * 100].reset_index(drop=True)
    for score in (c2st_xgboost, c2st_logistic):
        with pytest.raises(DataProblem, match="1 distinct synthetic"):
            score(make_cohort(100, 1), flat, schema, Rng(0))
