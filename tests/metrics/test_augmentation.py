"""F_beta, cuts and arms of minority augmentation by hand, and the order the rivals must take."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import fbeta_score

from synthcohort.metrics.augmentation import (
    RIVALS,
    arm_name,
    augmented_scores,
    best_cut,
    f_beta,
    make_task,
    minority_level,
    rival_scores,
    rows_to_balance,
)
from synthcohort.metrics.classifiers import PREDICTORS, fit_classifier
from synthcohort.metrics.matrix import DataProblem
from synthcohort.rng import Rng
from synthcohort.schema import Schema

XGBOOST = PREDICTORS["xgboost"]


def test_f_beta_of_four_rows_by_hand():
    rare, found = np.array([1, 1, 0, 0]), np.array([True, False, True, False])
    # one hit, one miss, one false alarm
    assert f_beta(rare, found, 1.0) == pytest.approx(0.5)
    assert f_beta(rare, found, 2.0) == pytest.approx(5 / (5 + 4 + 1))
    assert f_beta(rare, np.zeros(4, bool), 1.0) == 0.0
    draw = np.random.default_rng(0)
    rare, found = draw.integers(0, 2, 100), draw.random(100) < 0.4
    assert f_beta(rare, found, 2.0) == pytest.approx(fbeta_score(rare, found, beta=2))


def test_best_cut_of_four_rows_by_hand():
    rare, probability = np.array([1, 1, 0, 0]), np.array([0.3, 0.2, 0.25, 0.1])
    # cutting at .15 finds both rare rows and one other: F1 .8, the most
    assert best_cut(rare, probability, beta=1.0) == pytest.approx(0.15)
    # a constant probability leaves one cut: call every row rare
    assert best_cut(rare, np.full(4, 0.2), beta=1.0) == 0.2


def test_best_cut_is_the_best_of_all_cuts():
    draw = np.random.default_rng(1)
    rare = draw.integers(0, 2, 60)
    probability = np.round(0.3 * rare + draw.random(60), 2)
    for beta in (1.0, 2.0):
        reached = f_beta(rare, probability >= best_cut(rare, probability, beta=beta), beta)
        assert reached == max(f_beta(rare, probability >= cut, beta) for cut in np.linspace(-0.1, 1.4, 600))


def test_minority_is_the_rarer_level_and_ties_go_to_the_positive(schema, make_cohort):
    frame = make_cohort(400, 0, 0.2)
    assert minority_level(frame, schema) == "yes"
    assert minority_level(frame, Schema(schema.columns, "no")) == "yes"
    counts = frame["died"].value_counts()
    assert rows_to_balance(frame, schema) == counts["no"] - counts["yes"]
    even = frame.groupby("died", observed=True).head(20)
    assert minority_level(even, Schema(schema.columns, "no")) == "no"
    assert rows_to_balance(even, schema) == 0


def test_arms_are_named_as_the_score_files_have_them():
    assert [arm_name(s) for s in (0.25, 0.5, 1)] == ["minority_0.25", "minority_0.5", "minority_1.0"]


@pytest.fixture
def parts(make_cohort):
    return make_cohort(600, 0, 0.08), make_cohort(300, 1, 0.08), make_cohort(2000, 2, 0.08)


def test_adding_nothing_equals_no_augmentation(schema, parts):
    task = make_task(*parts, schema)
    none = [s.value for s in rival_scores(task, XGBOOST, Rng(0)) if s.condition == "none"]
    zero = augmented_scores(task, parts[0].iloc[:0], 0.0, XGBOOST, schema=schema, rng=Rng(0))
    assert [s.value for s in zero] == none


def test_share_of_full_balance_is_what_is_added(schema, parts, make_cohort):
    task = make_task(*parts, schema)
    pool = make_cohort(8000, 5, 0.08)
    rare = pool[pool["died"] == "yes"].reset_index(drop=True)
    for share in (0.25, 1.0):
        whole = pd.concat([parts[0], rare.iloc[: round(share * task.need)]], ignore_index=True)
        expected = make_task(schema.cast(whole), parts[1], parts[2], schema)
        assert expected.need == task.need - round(share * task.need)
        none = [s.value for s in rival_scores(expected, XGBOOST, Rng(0)) if s.condition == "none"]
        got = augmented_scores(task, rare, share, XGBOOST, schema=schema, rng=Rng(0))
        assert [s.value for s in got] == none
        assert {s.condition for s in got} == {arm_name(share)}


def test_copies_of_the_minority_act_as_oversampling_does(schema, parts):
    task = make_task(*parts, schema)
    rare = parts[0][parts[0]["died"] == "yes"]
    copies = rare.iloc[np.arange(task.need) % len(rare)].reset_index(drop=True)
    arms = {(s.condition, s.metric): s.value for s in rival_scores(task, XGBOOST, Rng(0))}
    full = {s.metric: s.value for s in augmented_scores(task, copies, 1.0, XGBOOST, schema=schema, rng=Rng(0))}
    for metric, value in full.items():
        assert value == pytest.approx(arms["random_oversampling", metric], abs=0.06)


@pytest.mark.parametrize("name", sorted(PREDICTORS))
def test_rivals_raise_f2_and_leave_auroc(name, schema, parts):
    scores = rival_scores(make_task(*parts, schema), PREDICTORS[name], Rng(0))
    arms = {(s.condition, s.metric): s.value for s in scores}
    assert {condition for condition, _ in arms} == set(RIVALS)
    assert arms["threshold", f"augment_f2_{name}"] > arms["none", f"augment_f2_{name}"]
    assert arms["class_weight", f"augment_f2_{name}"] > arms["none", f"augment_f2_{name}"]
    for measure in ("auroc", "auprc"):
        assert arms["threshold", f"augment_{measure}_{name}"] == arms["none", f"augment_{measure}_{name}"]


def test_cut_comes_from_validation_and_judges_test(schema, parts):
    task = make_task(*parts, schema)
    seed = Rng(0).branch("xgboost").integer()
    model = fit_classifier(XGBOOST, task.train.features, task.train.rare, levels=2, seed=seed)
    checked, judged = (model.probabilities(part.features)[:, 1] for part in (task.validation, task.test))
    arms = {(s.condition, s.metric): s.value for s in rival_scores(task, XGBOOST, Rng(0))}
    for measure, beta in (("f1", 1.0), ("f2", 2.0)):
        cut = best_cut(task.validation.rare, checked, beta=beta)
        expected = f_beta(task.test.rare, judged >= cut, beta)
        assert arms["threshold", f"augment_{measure}_xgboost"] == pytest.approx(expected)
        assert expected < f_beta(task.test.rare, judged >= best_cut(task.test.rare, judged, beta=beta), beta)


def test_bad_samples_are_refused(schema, parts):
    task = make_task(*parts, schema)
    rare = parts[0][parts[0]["died"] == "yes"]
    with pytest.raises(DataProblem, match=f"takes {task.need} synthetic minority rows; the sample has {len(rare)}"):
        augmented_scores(task, rare, 1.0, XGBOOST, schema=schema, rng=Rng(0))
    with pytest.raises(DataProblem, match="are not 'yes'"):
        augmented_scores(task, parts[0], 1.0, XGBOOST, schema=schema, rng=Rng(0))
    with pytest.raises(DataProblem, match="validation rows hold one level"):
        make_task(parts[0], parts[1][parts[1]["died"] == "no"], parts[2], schema)
