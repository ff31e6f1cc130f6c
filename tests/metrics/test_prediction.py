"""Dimension-wise prediction: the joint fit against separate ones, its gradient, and what the score says."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.metrics import f1_score, roc_auc_score
from toy_tables import by_hand

from synthcohort.metrics.matrix import DataProblem
from synthcohort.metrics.prediction import (
    RIDGE,
    auroc_columns,
    dimension_scores,
    dimension_wise_prediction,
    f1_columns,
    fit_masked,
    table_dimensions,
)
from synthcohort.rng import Rng
from synthcohort.schema import Column, Schema

FOUR, table = by_hand(x="", k="abc", t="01")


def score(train, test, synthetic, schema):
    return dimension_wise_prediction(train, test, synthetic, schema, max_rows=10_000, rng=Rng(0))[0].value


def test_dimensions_of_four_rows_by_hand():
    frame = table([1, 2, 3, 9], "aabc", "0110")
    dimensions = table_dimensions(frame, FOUR)
    assert dimensions.names == ("x", "k=a", "k=b", "k=c", "t=1")
    assert dimensions.column.tolist() == [0, 1, 1, 1, 2]
    assert dimensions.labels(frame, FOUR).T.tolist() == [
        [0, 0, 1, 1],
        [1, 1, 0, 0],
        [0, 0, 1, 0],
        [0, 0, 0, 1],
        [0, 1, 1, 0],
    ]
    features = dimensions.features(frame, frame, FOUR)
    assert features[:, 1:5].tolist() == dimensions.labels(frame, FOUR)[:, 1:].tolist()
    assert features[:, 0] == pytest.approx((np.array([1, 2, 3, 9]) - 3.75) / np.std([1, 2, 3, 9]), abs=1e-6)
    assert features.shape == (4, 5)
    # the median 1 is the largest value: the label is x >= 1.
    assert table_dimensions(table([0, 1, 1, 1], "aabc", "0110"), FOUR).cuts.tolist() == [0.0]


def test_score_of_four_test_rows_by_hand():
    # Real: x high, k = b and t = 1 go together and predict each other; synthetic: x goes against both.
    train = table([0, 0, 1, 1] * 20, "aabb" * 20, "0011" * 20)
    synthetic = table([1, 1, 0, 0] * 20, "aabb" * 20, "0011" * 20)
    test = table([0, 0, 1, 1], "aabb", "0011")
    found = dimension_scores(train, test, synthetic, FOUR, max_rows=1000, rng=Rng(0))
    assert found.left_out == ("k=c",)
    scores = found.scores.set_index("dimension")
    assert scores["auroc_real"].to_list() == [1.0] * 4
    assert scores.loc["x", ["auroc_synthetic", "f1_synthetic"]].to_list() == [0.0, 0.0]
    # the other three have one feature for and one against them, of equal strength in training: on test all rows tie.
    gaps = 1.0 - scores["auroc_synthetic"].to_numpy()
    assert score(train, test, synthetic, FOUR) == pytest.approx(np.sqrt(np.mean(gaps**2)))
    assert score(train, test, train, FOUR) == 0.0


def test_areas_and_f1_are_those_of_scikit_learn():
    draw = np.random.default_rng(0)
    truth, margins = (draw.random((80, 3)) < 0.3).astype(np.float32), np.round(draw.normal(size=(80, 3)), 1)
    pairs = list(zip(truth.T, margins.T))
    assert auroc_columns(truth, margins) == pytest.approx([roc_auc_score(t, m) for t, m in pairs])
    assert f1_columns(truth, margins) == pytest.approx([f1_score(t, m > 0) for t, m in pairs])


@pytest.fixture
def problem(schema, make_cohort):
    frame = make_cohort(120, 3)
    dimensions = table_dimensions(frame, schema)
    features = dimensions.features(frame, frame, schema)
    labels = dimensions.labels(frame, schema)
    return features, labels, dimensions.column


def test_joint_fit_equals_separate_fits(problem):
    features, labels, column = problem
    model = fit_masked(features, labels, column)
    for j in range(len(column)):
        others = np.flatnonzero(column != column[j])
        alone = Ridge(alpha=RIDGE).fit(features[:, others], labels[:, j])
        assert model.weights[others, j] == pytest.approx(alone.coef_, abs=1e-9)
        assert model.margins(features)[:, j] == pytest.approx(alone.predict(features[:, others]) - 0.5, abs=1e-9)
        assert not model.weights[np.flatnonzero(column == column[j]), j].any()


def test_separable_rows_and_far_values_are_fitted():
    x = np.repeat([0.0, 1e6], 30)
    frame = table(x, np.repeat(["a", "b"], 30), np.repeat(["0", "1"], 30))
    assert score(frame, frame, frame, FOUR) == 0.0
    far = frame.assign(x=frame["x"] * 1e3)
    assert np.isfinite(score(frame, frame, far, FOUR))


def test_constant_sides_have_stated_values(schema, make_cohort):
    train, test = make_cohort(200, 0), make_cohort(100, 1)
    alive = make_cohort(200, 2, rate=0.0)
    found = dimension_scores(train, test, alive, schema, max_rows=1000, rng=Rng(0)).scores.set_index("dimension")
    assert found.loc["died=yes", "auroc_synthetic"] == 0.5
    assert found.loc["died=yes", "f1_synthetic"] == 0.0
    dead = make_cohort(200, 2, rate=1.0)
    found = dimension_scores(train, test, dead, schema, max_rows=1000, rng=Rng(0)).scores.set_index("dimension")
    assert found.loc["died=yes", "auroc_synthetic"] == 0.5
    share = (test["died"] == "yes").mean()
    assert found.loc["died=yes", "f1_synthetic"] == pytest.approx(2 * share / (1 + share))
    one = dimension_scores(train, make_cohort(100, 1, rate=0.0), train, schema, max_rows=1000, rng=Rng(0))
    assert "died=yes" in one.left_out
    assert "died=yes" not in set(one.scores["dimension"])


def test_undefined_tables_are_refused(schema, make_cohort):
    train = make_cohort(50, 0)
    with pytest.raises(DataProblem, match="constant over the 12 test rows"):
        score(train, train.iloc[[0] * 12], train, schema)
    single, rows = by_hand(t="01")
    frame = rows("01" * 10)
    with pytest.raises(DataProblem, match="only \\['t'\\]"):
        score(frame, frame, frame, single)


def test_grows_with_noise_and_is_small_under_the_null(schema, make_cohort, shuffle):
    train, test, other = make_cohort(600, 0), make_cohort(400, 1), make_cohort(600, 2)
    values = [score(train, test, shuffle(other, share, 3), schema) for share in (0.0, 0.6, 1.0)]
    assert values[0] < values[1] < values[2]
    assert values[2] > 0.15
    fresh = [
        score(make_cohort(600, 3 * i), make_cohort(400, 3 * i + 1), make_cohort(600, 3 * i + 2), schema)
        for i in range(6)
    ]
    assert np.mean(fresh) < 0.03
    large = [
        score(make_cohort(4000, i), make_cohort(9000, 50 + i), make_cohort(4000, 100 + i), schema) for i in range(3)
    ]
    assert np.mean(large) < 0.6 * np.mean(fresh)  # the ideal is 0


def test_tables_of_one_kind(schema, make_cohort):
    for kind in ("numeric", "categorical"):
        columns = [c for c in schema.columns if c.kind == kind]
        target = Column(columns[-1].name, kind, "target", columns[-1].levels)
        part = Schema((*columns[:-1], target), "yes" if kind == "categorical" else "")
        frames = [make_cohort(150, seed)[part.names] for seed in range(3)]
        assert 0 <= score(*frames, part) < 0.2
