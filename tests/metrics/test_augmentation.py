"""F_beta, cuts and arms of minority augmentation by hand, and the order the rivals must take."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import brier_score_loss

from synthcohort.metrics.augmentation import (
    RECALLS,
    RIVALS,
    Arm,
    arm_name,
    arm_scores,
    augmented_arm,
    augmented_scores,
    best_cut,
    make_task,
    metric_names,
    minority_level,
    precision_recall,
    rival_arms,
    rival_scores,
    rows_to_balance,
)
from synthcohort.metrics.classifiers import PREDICTORS, classify_target
from synthcohort.metrics.matrix import DataProblem
from synthcohort.metrics.utility import f_beta
from synthcohort.rng import Rng
from synthcohort.schema import Schema

XGBOOST = PREDICTORS["xgboost"]


def test_f_beta_of_four_rows_by_hand():
    rare, found = np.array([1, 1, 0, 0]), np.array([True, False, True, False])
    # one hit, one miss, one false alarm
    assert f_beta(rare, found, 1.0) == pytest.approx(0.5)
    assert f_beta(rare, found, 2.0) == pytest.approx(5 / (5 + 4 + 1))
    assert f_beta(rare, np.zeros(4, bool), 1.0) == 0.0


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
    zero = augmented_scores(task, parts[0].iloc[:0], 0.0, XGBOOST, Rng(0))
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
        got = augmented_scores(task, rare, share, XGBOOST, Rng(0))
        assert [s.value for s in got] == none
        assert {s.condition for s in got} == {arm_name(share)}


def test_copies_of_the_minority_act_as_oversampling_does(schema, parts):
    task = make_task(*parts, schema)
    rare = parts[0][parts[0]["died"] == "yes"]
    copies = rare.iloc[np.arange(task.need) % len(rare)].reset_index(drop=True)
    arms = {(s.condition, s.metric): s.value for s in rival_scores(task, XGBOOST, Rng(0))}
    full = {s.metric: s.value for s in augmented_scores(task, copies, 1.0, XGBOOST, Rng(0))}
    for metric in ("augment_f1_xgboost", "augment_f2_xgboost", "augment_auroc_xgboost", "augment_auprc_xgboost"):
        value = full[metric]
        assert value == pytest.approx(arms["random_oversampling", metric], abs=0.06)


@pytest.mark.parametrize("name", ["random_forest", "xgboost", "logistic_regression", "multilayer_perceptron"])
def test_rivals_raise_f2_and_leave_auroc(name, schema, parts):
    scores = rival_scores(make_task(*parts, schema), PREDICTORS[name], Rng(0))
    arms = {(s.condition, s.metric): s.value for s in scores}
    assert {condition for condition, _ in arms} == set(RIVALS)
    assert arms["threshold", f"augment_f2_{name}"] > arms["none", f"augment_f2_{name}"]
    assert arms["class_weight", f"augment_f2_{name}"] > arms["none", f"augment_f2_{name}"]
    for measure in ("auroc", "auprc", "brier", "calibration_slope_error", "calibration_intercept"):
        assert arms["threshold", f"augment_{measure}_{name}"] == arms["none", f"augment_{measure}_{name}"]


def test_minority_rows_that_know_less_help_less(schema, make_cohort):
    # Of the rows added a growing share is anybody's, with the rare level written over the true one: at 1 the targets
    # are as good as shuffled.
    found = []
    for i in range(4):
        parts = [make_cohort(n, 10 * i + j, 0.1) for j, n in enumerate((300, 100, 600))]
        task, others = make_task(*parts, schema), make_cohort(300, 10 * i + 8, 0.1).assign(died="yes")
        pool = make_cohort(3000, 10 * i + 9, 0.1)
        rare = pool[pool["died"] == "yes"].head(task.need).reset_index(drop=True)
        for share in (0.0, 0.5, 1.0):
            wrong = np.arange(len(rare)) < share * len(rare)
            added = schema.cast(pd.concat([rare[~wrong], others.iloc[: wrong.sum()]], ignore_index=True))
            found += [(share, s.metric, s.value) for s in augmented_scores(task, added, 1.0, XGBOOST, Rng(i))]
    means = pd.DataFrame(found, columns=["share", "metric", "value"]).groupby(["metric", "share"])["value"].mean()
    for measure in ("f1", "f2", "auroc", "auprc"):
        assert means[f"augment_{measure}_xgboost"].is_monotonic_decreasing, measure
    assert means["augment_brier_xgboost"].is_monotonic_increasing


def test_cut_comes_from_validation_and_judges_test(schema, parts):
    task = make_task(*parts, schema)
    model = classify_target(XGBOOST, parts[0], schema=schema, seed=Rng(0).branch("xgboost").integer())
    checked, judged = (model.probabilities(part.rows)[:, 1] for part in (task.validation, task.test))
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
        augmented_scores(task, rare, 1.0, XGBOOST, Rng(0))
    with pytest.raises(DataProblem, match="are not 'yes'"):
        augmented_scores(task, parts[0], 1.0, XGBOOST, Rng(0))
    with pytest.raises(DataProblem, match="validation rows hold one level"):
        make_task(parts[0], parts[1][parts[1]["died"] == "no"], parts[2], schema)


def test_measures_of_an_arm_by_hand():
    rare, probability = np.array([1, 1, 0, 0]), np.array([0.6, 0.2, 0.25, 0.1])
    scores = {s.metric: s for s in arm_scores(Arm("minority_0.5", probability, (0.5, 0.15)), rare, XGBOOST)}
    assert tuple(scores) == metric_names(XGBOOST)
    assert scores["augment_f1_xgboost"].value == pytest.approx(2 / 3)  # one hit, one miss
    assert scores["augment_f2_xgboost"].value == pytest.approx(10 / 11)  # two hits, one false alarm
    assert scores["augment_auroc_xgboost"].value == pytest.approx(0.75)
    assert scores["augment_brier_xgboost"].value == pytest.approx(brier_score_loss(rare, probability))
    assert {s.condition for s in scores.values()} == {"minority_0.5"}
    assert scores["augment_calibration_intercept_xgboost"].direction == "zero"


def test_separated_classes_fail_the_slope_alone():
    scores = arm_scores(Arm("none", np.array([0.9, 0.8, 0.2, 0.1])), np.array([1, 1, 0, 0]), XGBOOST)
    assert [s.metric for s in scores if np.isnan(s.value)] == ["augment_calibration_slope_error_xgboost"]


def test_balancing_overstates_the_risk(schema, parts):
    family = PREDICTORS["logistic_regression"]
    scores = rival_scores(make_task(*parts, schema), family, Rng(0))
    shift = {s.condition: s.value for s in scores if s.metric == "augment_calibration_intercept_logistic_regression"}
    odds = np.log(0.92 / 0.08)  # what balancing adds to the logits
    for arm in ("class_weight", "random_oversampling", "random_undersampling"):
        assert shift[arm] == pytest.approx(shift["none"] - odds, abs=1.0)
    assert abs(shift["none"]) < 0.6


def test_undersampling_keeps_the_minority_and_as_many_others(schema, parts, monkeypatch):
    seen = {}

    def spy(predictor, rows, codes, **options):
        seen[len(rows)] = (rows, codes)
        return classify_target(predictor, rows, schema=schema, seed=0)

    monkeypatch.setattr("synthcohort.metrics.augmentation.train_classifier", spy)
    task = make_task(*parts, schema)
    rival_arms(task, XGBOOST, Rng(0))
    rare = int(task.train.rare.sum())
    for size, least in ((2 * rare, rare), (2 * (len(parts[0]) - rare), len(parts[0]) - rare)):
        rows, codes = seen[size]
        assert codes.sum() == least and ((rows["died"] == "yes").to_numpy() == codes.astype(bool)).all()
    assert not seen[2 * rare][0].index.has_duplicates


def test_a_family_that_cannot_weigh_fails_that_arm_alone(schema, parts):
    scores = rival_scores(make_task(*parts, schema), PREDICTORS["k_nearest_neighbours"], Rng(0))
    lost = [s for s in scores if np.isnan(s.value) and not s.metric.startswith("augment_calibration_slope")]
    assert {s.condition for s in lost} == {"class_weight"} and {s.condition for s in scores} == set(RIVALS)
    assert all("cannot weigh" in s.note for s in lost)


def test_too_few_minority_rows_fail_undersampling_alone(schema, make_cohort):
    frame = make_cohort(300, 0, 0.3)
    rare = frame.index[frame["died"] == "yes"]
    task = make_task(frame.drop(rare[4:]), make_cohort(100, 1), make_cohort(100, 2), schema)
    arms = rival_arms(task, XGBOOST, Rng(0))
    assert [name for name, arm in arms.items() if isinstance(arm, DataProblem)] == ["random_undersampling"]
    assert "has 8 rows" in str(arms["random_undersampling"])


def test_beyond_balance_takes_as_many_rows_as_it_says(schema, parts, make_cohort):
    task = make_task(*parts, schema)
    pool = make_cohort(16_000, 5, 0.08)
    rare = pool[pool["died"] == "yes"].reset_index(drop=True)
    assert len(rare) > 2 * task.need
    double = augmented_arm(task, rare, 2.0, XGBOOST, Rng(0))
    once = augmented_arm(task, rare, 1.0, XGBOOST, Rng(0))
    assert double.name == "minority_2.0"
    assert double.probability.mean() > once.probability.mean()
    with pytest.raises(DataProblem, match=f"takes {2 * task.need} synthetic minority rows; the sample has {task.need}"):
        augmented_arm(task, rare.iloc[: task.need], 2.0, XGBOOST, Rng(0))


def test_precision_recall_of_four_rows_by_hand():
    rare, probability = np.array([1, 0, 1, 0]), np.array([0.9, 0.6, 0.4, 0.1])
    curve = precision_recall(Arm("none", probability), rare)
    # recall up to 1/2 at precision 1, above it at 2/3
    assert curve["precision"].to_numpy() == pytest.approx(np.where(RECALLS <= 0.5, 1.0, 2 / 3))
    assert curve["recall"].to_numpy() == pytest.approx(RECALLS) and set(curve["arm"]) == {"none"}
    constant = precision_recall(Arm("none", np.full(4, 0.3)), rare)
    assert (constant["precision"] == 0.5).all()


def test_precision_recall_is_perfect_falls_and_is_chance_for_noise():
    draw = np.random.default_rng(0)
    rare = (draw.random(4000) < 0.2).astype(int)
    noise = draw.random(4000)
    curves = [
        precision_recall(Arm("a", keep * rare + (1 - keep) * noise), rare)["precision"].to_numpy()
        for keep in (1.0, 0.3, 0.0)
    ]
    assert (curves[0] == 1.0).all()
    assert (curves[1] >= curves[2]).all() and curves[1].mean() > curves[2].mean() + 0.1
    assert curves[2] == pytest.approx(np.full(20, 0.2), abs=0.06)
    for curve in curves:
        assert (np.diff(curve) <= 1e-12).all()
