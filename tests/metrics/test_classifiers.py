"""Seven families: what they see, what they learn, what breaks them."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from synthcohort.metrics.classifiers import PREDICTORS, classify_target, fit_classifier, standardise, train_classifier
from synthcohort.metrics.matrix import DataProblem, one_hot_features
from synthcohort.schema import Column, Schema

NAMES = sorted(PREDICTORS)
TARGET = Column("t", "categorical", "target", levels=("0", "1"))
MIXED = Schema((Column("x", "numeric"), Column("c", "categorical", levels=("a", "b", "z")), TARGET), "1")


def mixed(x, c, t):
    return MIXED.cast(pd.DataFrame({"x": x, "c": list(c), "t": list(t)}))


def test_the_seven_families_of_the_study_are_there():
    assert set(PREDICTORS) == {
        *("random_forest", "xgboost", "decision_tree", "logistic_regression"),
        *("k_nearest_neighbours", "support_vector_machine", "multilayer_perceptron"),
    }


def scaled(train, later):
    scale = standardise(one_hot_features(train, MIXED.features), MIXED.features)
    return scale(one_hot_features(later, MIXED.features))


def test_standardised_features_of_four_rows_by_hand():
    # mean 3, sd 2; no row has level z, so it weighs nothing; later rows may lie outside the range
    found = scaled(mixed([1.0, 1, 5, 5], "abab", "0011"), mixed([3.0, 9], "az", "01"))
    assert found == pytest.approx(np.array([[0, 1, 0, 0], [3, 0, 0, 0]]))


def test_a_constant_column_weighs_nothing_whatever_comes_later():
    assert (scaled(mixed([0.1] * 12, "a" * 12, "01" * 6), mixed([0.1, 1e6], "ab", "01")) == 0).all()


@pytest.mark.parametrize("name", NAMES)
def test_every_family_learns_says_probabilities_and_repeats_itself(name, schema, make_cohort):
    train, test = make_cohort(400, 0), make_cohort(600, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model, again = (classify_target(PREDICTORS[name], train, schema=schema, seed=3) for _ in range(2))
        probabilities = model.probabilities(test)
    assert probabilities.sum(axis=1) == pytest.approx(1.0) and (probabilities >= 0).all()
    assert roc_auc_score(test["died"] == "yes", probabilities[:, 1]) > 0.9
    assert np.array_equal(probabilities, again.probabilities(test))


@pytest.mark.parametrize("name", NAMES)
def test_the_target_is_never_a_feature(name, schema, make_cohort):
    train, test = make_cohort(200, 0), make_cohort(100, 1)
    model = classify_target(PREDICTORS[name], train, schema=schema, seed=0)
    turned = test.assign(died=test["died"].cat.rename_categories({"no": "yes", "yes": "no"}))
    turned["died"] = turned["died"].cat.reorder_categories(["no", "yes"])
    assert np.array_equal(model.probabilities(test), model.probabilities(turned))


@pytest.mark.parametrize("name", NAMES)
def test_a_rare_class_is_ranked_well(name, schema, make_cohort):
    model = classify_target(PREDICTORS[name], make_cohort(600, 0, 0.05), schema=schema, seed=0)
    test = make_cohort(2000, 1, 0.05)
    assert roc_auc_score(test["died"] == "yes", model.probabilities(test)[:, 1]) > 0.75


@pytest.mark.parametrize("name", NAMES)
def test_odd_tables_do_not_break_a_family(name):
    draw = np.random.default_rng(0)
    t = np.array(["0", "1"])[draw.integers(0, 2, 60)]
    far = mixed([1e9, -1e9], "zz", "01")
    for train in (
        mixed([2.0] * 60, draw.choice(list("ab"), 60), t),  # a constant column and a level that comes later only
        mixed(draw.normal(size=60), "a" * 60, t),
        mixed([2.0] * 60, "a" * 60, t),  # nothing to learn from: any constant will do
    ):
        probabilities = classify_target(PREDICTORS[name], train, schema=MIXED, seed=0).probabilities(far)
        assert np.isfinite(probabilities).all() and probabilities.sum(axis=1) == pytest.approx(1.0)
    x, number = draw.normal(size=60), Schema((Column("x", "numeric"), TARGET), "1")
    letter = Schema((Column("c", "categorical", levels=("a", "b")), TARGET), "1")
    for schema, column in ((number, {"x": x}), (letter, {"c": np.where(x > 0, "a", "b")})):
        train = schema.cast(pd.DataFrame({**column, "t": np.where(x > 0.3, "1", "0")}))
        probabilities = classify_target(PREDICTORS[name], train, schema=schema, seed=0).probabilities(train)
        assert roc_auc_score(x > 0.3, probabilities[:, 1]) > 0.7


@pytest.mark.parametrize("name", NAMES)
def test_too_little_to_learn_is_refused(name, schema, make_cohort):
    rows = make_cohort(200, 0)
    with pytest.raises(DataProblem, match="one level only"):
        classify_target(PREDICTORS[name], rows[rows["died"] == "no"], schema=schema, seed=0)
    with pytest.raises(DataProblem, match="the training table has 9 rows"):
        classify_target(PREDICTORS[name], rows.iloc[:9], schema=schema, seed=0)


@pytest.mark.parametrize("name", NAMES)
def test_one_row_of_a_level_is_learned_from_or_refused(name, schema, make_cohort):
    rows = make_cohort(200, 0)
    rare = np.flatnonzero(rows["died"] == "yes")
    single = rows.drop(rows.index[rare[1:]])
    if name == "support_vector_machine":
        with pytest.raises(DataProblem, match="needs two rows of every level"):
            classify_target(PREDICTORS[name], single, schema=schema, seed=0)
    else:
        assert classify_target(PREDICTORS[name], single, schema=schema, seed=0).probabilities(rows).shape == (200, 2)


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"k_nearest_neighbours"}))
def test_balanced_weights_raise_the_risk_of_the_rare_class(name, schema, make_cohort):
    train, test = make_cohort(500, 0, 0.1), make_cohort(500, 1, 0.1)
    codes = train["died"].cat.codes.to_numpy()
    weights = np.where(codes == 1, 9.0, 1.0)
    plain, heavy = (
        train_classifier(PREDICTORS[name], train, codes, schema=schema, levels=2, seed=0, weights=w)
        for w in (None, weights)
    )
    assert heavy.probabilities(test)[:, 1].mean() > plain.probabilities(test)[:, 1].mean() + 0.005


def test_a_weight_of_two_is_a_row_twice_to_logistic_regression():
    draw = np.random.default_rng(0)
    x, codes = draw.normal(size=(80, 3)), draw.integers(0, 2, 80)
    family = PREDICTORS["logistic_regression"]
    weighted = fit_classifier(family, x, codes, levels=2, seed=0, weights=np.where(codes == 1, 2.0, 1.0))
    twice = np.concatenate([np.arange(80), np.flatnonzero(codes == 1)])
    repeated = fit_classifier(family, x[twice], codes[twice], levels=2, seed=0)
    assert weighted.probabilities(x) == pytest.approx(repeated.probabilities(x), abs=1e-3)


def test_neighbours_cannot_weigh_rows():
    with pytest.raises(DataProblem, match="k_nearest_neighbours cannot weigh"):
        fit_classifier(
            PREDICTORS["k_nearest_neighbours"], np.eye(12), np.arange(12) % 2, levels=2, seed=0, weights=np.ones(12)
        )


@pytest.mark.parametrize("name", NAMES)
def test_regressors_follow_a_line_in_any_unit(name):
    draw = np.random.default_rng(0)
    x, x_new = draw.uniform(-1, 1, (300, 1)), draw.uniform(-1, 1, (100, 1))
    model = PREDICTORS[name].regressor(0).fit(x, 1e4 * x[:, 0])
    assert np.corrcoef(model.predict(x_new), x_new[:, 0])[0, 1] > 0.98
    assert np.abs(model.predict(x_new) - 1e4 * x_new[:, 0]).mean() < 1500
