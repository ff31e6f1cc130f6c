"""The classifier two-sample test: folds, the null, and tables that give themselves away."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from synthcohort.metrics import detection
from synthcohort.metrics.classifiers import PREDICTORS
from synthcohort.metrics.detection import FOLDS, c2st_xgboost, cross_fitted_auroc, stratified_folds
from synthcohort.metrics.matrix import DataProblem
from synthcohort.rng import Rng


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


def test_score_is_the_mean_of_the_fold_areas_by_hand(monkeypatch):
    # A "classifier" that returns the feature itself: each fold's area can be counted from its own rows.
    class Echo:
        def probabilities(self, features):
            return np.stack([1 - features[:, 0], features[:, 0]], axis=1)

    monkeypatch.setattr(detection, "fit_classifier", lambda *args, **kwargs: Echo())
    draw = np.random.default_rng(3)
    features, labels = draw.random((60, 1)), np.repeat([0, 1], 30)
    folds = stratified_folds(features, labels, Rng(4).branch("folds"))
    areas = [roc_auc_score(labels[folds == f], features[folds == f, 0]) for f in range(FOLDS)]
    assert cross_fitted_auroc(PREDICTORS["xgboost"], features, labels, Rng(4)) == pytest.approx(np.mean(areas))


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


def test_all_rows_equal_is_refused(schema, make_cohort):
    real = make_cohort(100, 0)
    flat = real.iloc[[0] * 100].reset_index(drop=True)
    with pytest.raises(DataProblem, match="1 distinct synthetic"):
        c2st_xgboost(make_cohort(100, 1), flat, schema, Rng(0))
