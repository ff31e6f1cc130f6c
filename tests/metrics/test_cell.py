"""A whole cell: names, failed rows, refusals, repetition, and the order of the sentinels."""

import dataclasses

import numpy as np
import pytest

from synthcohort.metrics import (
    attribute_inference,
    cell_fidelity,
    combinations,
    detection,
    disclosure,
    fidelity,
    linkability,
    manifold,
    membership,
    mmd,
    prediction,
    privacy,
    sdmetrics,
    singling_out,
    transport,
)
from synthcohort.metrics.agreement import METRICS as AGREEMENT
from synthcohort.metrics.cell import evaluate_split, reference_split
from synthcohort.rng import Rng
from synthcohort.schema import Schema, SchemaError
from synthcohort.scores import AXES, Score, to_frame, write
from synthcohort.study import MetricsBlock

FAMILIES = ("random_forest", "xgboost", "logistic_regression")
MEASURES = (
    *("accuracy", "balanced_accuracy", "auroc", "auprc", "f1", "f2", "brier"),
    *("calibration_slope_error", "calibration_intercept"),
)
WHOLE = {
    *fidelity.METRICS, *mmd.METRICS, *manifold.METRICS, *sdmetrics.METRICS, *combinations.METRICS,
    *detection.METRICS, *transport.METRICS, *prediction.METRICS, *privacy.METRICS, *membership.METRICS,
    *singling_out.METRICS, *linkability.METRICS, *attribute_inference.METRICS, *disclosure.METRICS,
}  # fmt: skip
UTILITY = {f"tstr_{measure}_{family}" for measure in MEASURES for family in FAMILIES}
AUGMENTATION = {
    f"augment_{measure}_{family}"
    for measure in ("f1", "f2", "auroc", "auprc", "brier", "calibration_slope_error", "calibration_intercept")
    for family in ("random_forest", "xgboost")
}
CURVE = {
    f"augment_precision_at_recall_{recall}_{family}"
    for recall in range(10, 100, 10)
    for family in ("random_forest", "xgboost")
}
AREAS = {"random_forest": 0.8, "xgboost": 0.79, "logistic_regression": 0.82}


@pytest.fixture(scope="module")
def judge():
    def run(parts, schema, settings, samples, **options):
        train, validation, test = parts
        return evaluate_split(
            train=train, validation=validation, test=test, samples=samples, schema=schema, metrics=settings,
            rng=options.pop("rng", Rng(0)), real_auroc=AREAS, **options,
        )  # fmt: skip

    return run


@pytest.fixture
def parts(make_cohort):
    return make_cohort(300, 0, 0.2), make_cohort(80, 1, 0.2), make_cohort(120, 2, 0.2)


@pytest.fixture
def samples(make_cohort):
    minority = make_cohort(1500, 3, 0.2)
    return {
        "as_observed": make_cohort(300, 4, 0.2),
        "minority": minority[minority["died"] == "yes"].reset_index(drop=True),
    }


def by_name(scores):
    return {(s.metric, s.condition): s.value for s in scores}


def test_every_name_and_condition_is_there(parts, schema, settings, samples, judge):
    scores = judge(parts, schema, settings, samples)
    observed = {s.metric for s in scores if s.condition == "as_observed"}
    assert observed == WHOLE | UTILITY | set(AGREEMENT)
    arms = {(s.metric, s.condition) for s in scores if s.axis == "augmentation"}
    shares = {(m, c) for m in AUGMENTATION for c in ("minority_0.5", "minority_1.0")}
    assert arms == shares | {(m, "minority_1.0") for m in CURVE}
    assert all(s.note == "" and np.isfinite(s.value) and s.axis in AXES and s.n > 0 for s in scores)


def test_reference_has_ceiling_and_rivals(parts, schema, settings, samples, judge):
    train, validation, test = parts
    scores = reference_split(train=train, validation=validation, test=test, schema=schema, metrics=settings, rng=Rng(0))
    observed = {s.metric for s in scores if s.condition == "as_observed"}
    assert observed == WHOLE | {name.replace("tstr", "trtr") for name in UTILITY}
    rivals = {(s.metric, s.condition) for s in scores if s.axis == "augmentation"}
    names = ("none", "class_weight", "random_oversampling", "random_undersampling", "threshold")
    assert rivals == {(m, c) for m in AUGMENTATION for c in names} | {(m, "none") for m in CURVE}
    assert all(np.isfinite(s.value) for s in scores)
    # the training rows as if they were synthetic: what TSTR gives is what the reference calls TRTR
    own = by_name(judge(parts, schema, settings, {"as_observed": train}))
    got = by_name(scores)
    for name in UTILITY:
        assert own[name, "as_observed"] == got[name.replace("tstr", "trtr"), "as_observed"]


def test_each_score_is_taken_on_the_rows_it_should_be(parts, schema, settings, samples, judge):
    # Synthetic rows that are the training rows moved far off are plain against train and test alike; those of a table
    # whose test rows are moved with them are plain against train alone.
    train, validation, test = parts
    rows = {s.metric: s.n for s in judge(parts, schema, settings, samples)}
    assert rows["shape"] == rows["mmd"] == rows["memorisation"] == 300
    assert rows["c2st_xgboost"] == rows["tstr_f1_xgboost"] == rows["augment_f1_xgboost"] == 120
    far = test.assign(age=test["age"] + 1000.0)
    moved = {"as_observed": train.assign(age=train["age"] + 1000.0)}
    got = by_name(judge((train, validation, far), schema, settings, moved))
    assert got["c2st_xgboost", "as_observed"] < 0.65 and got["memorisation", "as_observed"] < 0
    assert got["shape", "as_observed"] < 0.8 and got["mmd", "as_observed"] > 0.1
    # The test rows themselves: none is nearest to a training row, so (0 - p0) / (1 - p0) = -n_train / n_test.
    got = by_name(judge(parts, schema, settings, {"as_observed": test}))
    assert got["memorisation", "as_observed"] == pytest.approx(-300 / 120)
    assert got["dcr_share", "as_observed"] == got["dcr_holdout_median", "as_observed"] == 0.0


def test_two_calls_give_equal_bytes(parts, schema, settings, samples, judge, tmp_path):
    for name in ("one", "two"):
        before = np.random.get_state()[1].copy()  # noqa: NPY002
        frame = to_frame(judge(parts, schema, settings, samples), dataset="toy", generator="g", split=0)
        assert np.array_equal(before, np.random.get_state()[1])  # noqa: NPY002
        write(frame, tmp_path / f"{name}.csv")
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()


def test_study_settings_fit(parts, schema, samples, judge):
    block = MetricsBlock(
        classifiers=["xgboost", "decision_tree", "k_nearest_neighbours"], augmentation_classifiers=["xgboost"],
        augmentation_shares=[1.0], max_rows_pairwise=50, max_rows_distance=50, max_rows_transport=50,
    )  # fmt: skip
    scores = judge(parts, schema, block, samples)
    assert {s.condition for s in scores} == {"as_observed", "minority_1.0"}
    assert not any("random_forest" in s.metric for s in scores)
    assert {s.metric for s in scores} >= {"tstr_auroc_decision_tree", "tstr_brier_k_nearest_neighbours"}


def test_absent_samples_fail_with_the_reason(parts, schema, settings, samples, judge):
    expected = set(by_name(judge(parts, schema, settings, samples)))
    scores = judge(parts, schema, settings, {}, absent="the loss diverged at step 40")
    assert set(by_name(scores)) == expected
    assert all(np.isnan(s.value) and s.note.startswith("the loss diverged at step 40") for s in scores)
    only = judge(parts, schema, settings, {"as_observed": samples["as_observed"]})
    assert {s.axis for s in only if np.isnan(s.value)} == {"augmentation"}


def test_fewer_than_ten_rows_fail_with_the_reason(parts, schema, settings, samples, judge):
    scores = judge(parts, schema, settings, {**samples, "as_observed": samples["as_observed"].iloc[:9]})
    for s in scores:
        assert np.isnan(s.value) == (s.condition == "as_observed")
        assert ("9 rows" in s.note) == (s.condition == "as_observed")
    ten = judge(parts, schema, settings, {**samples, "as_observed": samples["as_observed"].iloc[:10]})
    assert np.isfinite(by_name(ten)["shape", "as_observed"])


def test_one_class_only_fails_utility_and_leaves_the_rest(parts, schema, settings, samples, judge):
    rows = samples["as_observed"]
    scores = judge(parts, schema, settings, {**samples, "as_observed": rows[rows["died"] == "no"]})
    assert {s.metric for s in scores if np.isnan(s.value)} == UTILITY | set(AGREEMENT)
    assert all("one level only" in s.note for s in scores if np.isnan(s.value))


def test_constant_columns_have_finite_scores_or_a_reason(parts, schema, settings, samples, judge):
    flat = samples["as_observed"].assign(age=50.0, marker=1.0)
    scores = judge(parts, schema, settings, {**samples, "as_observed": flat})
    # Nothing singles a row out, nothing is rare and no family is better than another: these three say so.
    lost = {s.metric: s.note for s in scores if not np.isfinite(s.value)}
    assert set(lost) == {"singling_out_risk_univariate", "small_cell_disclosure", "ranking_agreement"}
    assert all(lost.values())
    parts = [part.assign(age=50.0) for part in parts]
    assert all(np.isfinite(s.value) for s in judge(parts, schema, settings, samples))


def test_bad_frames_are_refused_by_name(parts, schema, settings, samples, judge):
    good = samples["as_observed"]
    bad = {
        "expected": good.drop(columns="ward"),
        "in this order": good[["marker", "age", "ward", "died"]],
        "missing cell": good.assign(age=good["age"].where(good.index > 0)),
        "not categorical over": good.assign(ward=good["ward"].cat.add_categories("east").replace({"west": "east"})),
        "infinite": good.assign(age=np.inf),
    }
    for text, frame in bad.items():
        with pytest.raises(SchemaError, match=text) as caught:
            judge(parts, schema, settings, {**samples, "as_observed": frame})
        assert "the synthetic rows 'as_observed' cannot be judged" in str(caught.value)
    with pytest.raises(SchemaError, match="the validation rows cannot be judged"):
        judge((parts[0], parts[1].drop(columns="age"), parts[2]), schema, settings, samples)


def test_unforeseen_errors_and_silent_nan_stop_the_cell(parts, schema, settings, samples, judge, monkeypatch):
    monkeypatch.setattr(
        cell_fidelity.fidelity, "fidelity_scores", lambda *a: [Score("fidelity", "shape", np.nan, 1, "up")]
    )
    with pytest.raises(ArithmeticError, match="shape came out as nan"):
        judge(parts, schema, settings, samples)

    def broken(*args):
        raise ZeroDivisionError

    monkeypatch.setattr(cell_fidelity.fidelity, "fidelity_scores", broken)
    with pytest.raises(ZeroDivisionError):
        judge(parts, schema, settings, samples)


def test_a_known_law_adds_the_best_possible_arm(parts, schema, settings):
    train, validation, test = parts
    law = {
        "validation": np.where(validation["died"] == "yes", 0.9, 0.1),
        "test": np.where(test["died"] == "yes", 0.9, 0.1),
    }
    shared = {
        "train": train,
        "validation": validation,
        "test": test,
        "schema": schema,
        "metrics": settings,
        "rng": Rng(0),
    }
    arms = {s.metric: s.value for s in reference_split(**shared, law=law) if s.condition == "bayes_optimal"}
    assert set(arms) == AUGMENTATION
    assert arms["augment_auroc_xgboost"] == arms["augment_f1_random_forest"] == 1.0
    turned = {name: 1.0 - p for name, p in law.items()}
    upside = {s.metric: s.value for s in reference_split(**shared, law=turned) if s.condition == "bayes_optimal"}
    assert upside["augment_auroc_xgboost"] == 0.0


def test_augmentation_of_other_tasks_fails_with_the_reason(parts, schema, settings, samples, judge):
    columns = tuple(
        dataclasses.replace(c, role={"age": "target", "died": "feature"}.get(c.name, c.role)) for c in schema.columns
    )
    scores = judge(parts, Schema(columns), settings, {"as_observed": samples["as_observed"]})
    assert {s.metric for s in scores if s.axis == "utility"} >= {"tstr_r2_xgboost", "tstr_rmse_random_forest"}
    lost = {s.metric: s.note for s in scores if s.axis != "augmentation" and not np.isfinite(s.value)}
    assert set(lost) == {"ranking_agreement"} and "is numeric" in lost["ranking_agreement"]
    assert all(np.isnan(s.value) for s in scores if s.axis == "augmentation")


def test_sentinels_stand_where_they_must(parts, schema, settings, judge, bootstrap, shuffle):
    train = parts[0]
    observed = {
        "bootstrap": bootstrap(train, 5),
        "noised": shuffle(train, 0.3, 6),
        "independent": shuffle(train, 1.0, 7),
    }
    got = {name: by_name(judge(parts, schema, settings, {"as_observed": frame})) for name, frame in observed.items()}

    def of(metric):
        return [got[name][metric, "as_observed"] for name in ("bootstrap", "noised", "independent")]

    for metric in ("trend", "tstr_auroc_xgboost", "memorisation", "exact_copies"):
        assert of(metric) == sorted(of(metric), reverse=True), metric
    for metric in ("mmd", "c2st_xgboost", "dcr_train_median"):
        assert of(metric) == sorted(of(metric)), metric
    assert got["bootstrap"]["memorisation", "as_observed"] == 1.0
    assert got["independent"]["shape", "as_observed"] == 1.0  # shuffled columns keep every marginal exactly
    assert got["independent"]["c2st_xgboost", "as_observed"] > 0.65
