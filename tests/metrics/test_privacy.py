"""Nearest rows, copies and memorisation: hand computation, enumeration of ties, calibration for fresh rows."""

import numpy as np
import pandas as pd
import pytest

from synthcohort.metrics.nearest import Nearest, distance_rows, nearest
from synthcohort.metrics.privacy import METRICS, exact_copies, nearer_share, privacy_scores
from synthcohort.rng import Rng
from synthcohort.schema import Column, Schema

FOUR = Schema(
    (
        Column("x", "numeric"),
        Column("k", "categorical", levels=("a", "b")),
        Column("t", "categorical", "target", levels=("0", "1")),
    ),
    "1",
)


def table(x, k, t):
    return FOUR.cast(pd.DataFrame({"x": x, "k": list(k), "t": list(t)}))


TRAIN = table([0, 10, 4, 4], "aabb", "0011")  # range of x: 10


def values(train, test, synthetic, schema, **options):
    options = {"max_rows": 1000, "rng": Rng(0), **options}
    return {s.metric: s.value for s in privacy_scores(train, test, synthetic, schema, **options)}


def test_distances_of_four_rows_by_hand():
    queries = table([1, 4, 10, -10], "abba", "0100")
    found = nearest(distance_rows(queries, TRAIN, FOUR), distance_rows(TRAIN, TRAIN, FOUR))
    # row 3 (10, b, 0): .6 + 1 to the two rows (4, b, 1), but 1 to (10, a, 0); row 4 lies a whole range below.
    assert found.distance == pytest.approx([0.1, 0.0, 1.0, 1.0], abs=1e-6)
    assert found.ties.tolist() == [1, 2, 1, 1]


def test_scores_of_four_rows_by_hand():
    test = table([1, 9], "bb", "00")
    synthetic = table([0, 10, 2, 9], "aabb", "0000")
    got = values(TRAIN, test, synthetic, FOUR)
    # copies: rows 1, 2. Nearest of row 3 (2, b, 0) is test (1, b, 0); row 4 equals test (9, b, 0).
    assert got["exact_copies"] == 0.5
    assert got["memorisation"] == pytest.approx((0.5 - 4 / 6) / (1 - 4 / 6))
    assert got["dcr_holdout_median"] == pytest.approx((0.1 + 1.1) / 2, abs=1e-6)


def test_ties_go_to_each_side_by_its_rows():
    first = Nearest(np.array([1.0, 1.0, 0.5, 2.0]), np.array([3, 1, 1, 1]))
    second = Nearest(np.array([1.0, 1.0, 1.0, 1.0]), np.array([1, 1, 1, 5]))
    assert nearer_share(first, second) == pytest.approx((3 / 4 + 1 / 2 + 1 + 0) / 4)


def test_blocks_change_nothing(monkeypatch, schema, make_cohort):
    a, b = make_cohort(50, 0), make_cohort(70, 1)
    whole = nearest(distance_rows(a, b, schema), distance_rows(b, b, schema))
    monkeypatch.setattr("synthcohort.metrics.nearest.BLOCK", 8)
    parts = nearest(distance_rows(a, b, schema), distance_rows(b, b, schema))
    assert np.array_equal(whole.distance, parts.distance) and np.array_equal(whole.ties, parts.ties)


def test_copies_score_one_and_fresh_rows_zero(schema, make_cohort, bootstrap):
    train, test = make_cohort(400, 0), make_cohort(100, 1)
    got = values(train, test, bootstrap(train, 2), schema)
    assert got["memorisation"] == 1.0 and got["exact_copies"] == 1.0
    fresh = [
        values(make_cohort(120, 3 * i), make_cohort(40, 3 * i + 1), make_cohort(80, 3 * i + 2), schema)
        for i in range(40)
    ]
    for metric, ideal in (("memorisation", 0.0), ("dcr_share", 0.5)):
        sample = np.array([f[metric] for f in fresh])
        assert abs(sample.mean() - ideal) < 3 * sample.std(ddof=1) / np.sqrt(len(sample)), metric
    gap = np.array([f["dcr_train_median"] - f["dcr_holdout_median"] for f in fresh])
    assert abs(gap.mean()) < 3 * gap.std(ddof=1) / np.sqrt(len(gap))


def test_fresh_rows_of_few_categories_score_zero():
    # Two binary columns: nearly every nearest row is tied. Halving ties, or giving them to one side, would fail here.
    schema = Schema(
        (Column("k", "categorical", levels=("a", "b")), Column("t", "categorical", "target", levels=("0", "1"))), "1"
    )

    def draw(n, seed):
        bits = np.random.default_rng(seed).integers(0, 2, (n, 2))
        return schema.cast(pd.DataFrame({"k": np.where(bits[:, 0], "a", "b"), "t": np.where(bits[:, 1], "1", "0")}))

    sample = np.array(
        [values(draw(30, 3 * i), draw(10, 3 * i + 1), draw(30, 3 * i + 2), schema)["memorisation"] for i in range(60)]
    )
    assert abs(sample.mean()) < 3 * sample.std(ddof=1) / np.sqrt(len(sample))
    assert sample.std() > 0


def test_memorisation_falls_as_copies_are_disturbed(schema, make_cohort, shuffle):
    def mean_scores(share):
        draws = []
        for i in range(6):
            train, test = make_cohort(300, 2 * i), make_cohort(100, 2 * i + 1)
            draws.append(values(train, test, shuffle(train, share, i), schema))
        return {metric: np.mean([draw[metric] for draw in draws]) for metric in METRICS}

    got = [mean_scores(share) for share in (0.0, 0.2, 0.5, 1.0)]
    for metric in ("memorisation", "exact_copies", "dcr_share"):
        assert [g[metric] for g in got] == sorted((g[metric] for g in got), reverse=True), metric
    assert got[0]["memorisation"] == 1.0 and abs(got[-1]["memorisation"]) < 0.2
    medians = [g["dcr_train_median"] for g in got]
    assert medians == sorted(medians)


def test_unit_of_a_column_is_irrelevant(schema, make_cohort):
    frames = [make_cohort(n, n) for n in (90, 30, 40)]
    plain = values(*frames, schema)
    scaled = values(*(f.assign(age=f["age"] * 1024.0) for f in frames), schema)
    assert scaled == pytest.approx(plain)


def test_at_most_max_rows_are_judged(schema, make_cohort):
    scores = privacy_scores(make_cohort(90, 0), make_cohort(30, 1), make_cohort(80, 2), schema, max_rows=50, rng=Rng(0))
    assert {s.metric: s.n for s in scores} == {**dict.fromkeys(METRICS, 50), "exact_copies": 80}


def test_minus_zero_copies_zero():
    assert exact_copies(table([0.0, 1, 2, 3], "aabb", "0011"), table([-0.0], "a", "0")) == 1.0
