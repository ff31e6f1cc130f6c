"""Nearest rows, copies and memorisation: hand computation, enumeration of ties, calibration for fresh rows."""

import numpy as np
import pandas as pd
import pytest
from toy_tables import by_hand

from synthcohort.metrics.matrix import DataProblem
from synthcohort.metrics.nearest import Nearest, distance_rows, nearest, nearest_of_first
from synthcohort.metrics.privacy import (
    METRICS,
    distance_ratio,
    exact_copies,
    near_radius,
    nearer_share,
    privacy_scores,
)
from synthcohort.rng import Rng

FOUR, table = by_hand(x="", k="ab", t="01")


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
    # to (10, a, 0); the tied twin; to (4, b, 1) and its twin; to (4, b, 1) at 1.4 + 1 and to (10, a, 0) at 2
    assert found.second == pytest.approx([0.9, 0.0, 1.6, 2.0], abs=1e-6)


def test_scores_of_four_rows_by_hand():
    test = table([1, 9], "bb", "00")
    synthetic = table([0, 10, 2, 9], "aabb", "0000")
    got = values(TRAIN, test, synthetic, FOUR)
    # copies: rows 1, 2. Nearest of row 3 (2, b, 0) is test (1, b, 0); row 4 equals test (9, b, 0).
    assert got["exact_copies"] == 0.5
    assert got["memorisation"] == pytest.approx((0.5 - 4 / 6) / (1 - 4 / 6))
    assert got["dcr_holdout_median"] == pytest.approx((0.1 + 1.1) / 2, abs=1e-6)


def test_neighbour_scores_of_four_rows_by_hand():
    train = table([0, 1, 4, 10], "aaaa", "0000")  # nearest others at .1, .1, .3, .6
    test = table([0.2, 2.5, 20, 4], "aaab", "0000")
    synthetic = table([0.05, 2.4, 9.2, 1], "aaaa", "0000")
    got = values(train, test, synthetic, FOUR)
    # to train: synthetic .005/.095, .14/.16, .08/.52, 0/.1; test .02/.08, .15/.15, 1/1.6, 1/1.3: one of four below 1/3
    assert got["replicas"] == 3 / 4 and got["replicas_holdout"] == 1 / 4
    assert got["nndr_train_median"] == pytest.approx((0.005 / 0.095 + 0.08 / 0.52) / 2, abs=1e-5)
    # to test: .015/.245, .01/.22, .67/.9, .08/.15
    assert got["nndr_holdout_median"] == pytest.approx((0.015 / 0.245 + 0.08 / 0.15) / 2, abs=1e-5)
    # within .1 of train: synthetic 1, 3, 4; test 1
    assert got["near_copies_excess"] == pytest.approx(3 / 4 - 1 / 4)


def test_near_radius_is_a_distance_that_occurs():
    spacing = np.arange(1.0, 301.0)
    assert near_radius(spacing) == 3.0  # three of three hundred are at most 3
    assert near_radius(np.array([0.4, 0.2, 0.3, 0.3])) == 0.2


def test_ratio_of_ties_is_one_at_distance_zero_too():
    found = Nearest(np.array([0.0, 0.5, 0.0, 0.2]), np.array([2, 3, 1, 1]), np.array([0.0, 0.5, 0.3, 0.8]))
    assert distance_ratio(found).tolist() == [1.0, 1.0, 0.0, 0.25]


def test_ratio_to_a_single_row_is_refused():
    lonely = nearest(distance_rows(TRAIN, TRAIN, FOUR), distance_rows(TRAIN.iloc[:1], TRAIN, FOUR))
    assert np.isinf(lonely.second).all()
    with pytest.raises(DataProblem, match="no second nearest row"):
        distance_ratio(lonely)


def test_copies_of_twins_are_near_copies_but_no_replicas(make_cohort, schema):
    train, test = make_cohort(100, 0), make_cohort(100, 1)
    twins = pd.concat([train, train], ignore_index=True)
    got = values(twins, test, train, schema)
    assert got["replicas"] == 0.0 and got["near_copies_excess"] > 0.9 and got["exact_copies"] == 1.0


def test_ties_go_to_each_side_by_its_rows():
    first = Nearest(np.array([1.0, 1.0, 0.5, 2.0]), np.array([3, 1, 1, 1]), np.full(4, 9.0))
    second = Nearest(np.array([1.0, 1.0, 1.0, 1.0]), np.array([1, 1, 1, 5]), np.full(4, 9.0))
    assert nearer_share(first, second) == pytest.approx((3 / 4 + 1 / 2 + 1 + 0) / 4)


def test_blocks_change_nothing(monkeypatch, schema, make_cohort):
    a, b = make_cohort(50, 0), make_cohort(70, 1)
    whole = nearest(distance_rows(a, b, schema), distance_rows(b, b, schema))
    monkeypatch.setattr("synthcohort.metrics.nearest.CELLS", 560)
    parts = nearest(distance_rows(a, b, schema), distance_rows(b, b, schema))
    assert np.array_equal(whole.distance, parts.distance) and np.array_equal(whole.ties, parts.ties)
    assert np.array_equal(whole.second, parts.second)


def test_the_first_so_many_candidates_are_judged_as_if_alone(schema, make_cohort):
    real = make_cohort(70, 1)
    a, b = distance_rows(make_cohort(50, 0), real, schema), distance_rows(real, real, schema)
    for size, found in zip((70, 30, 1), nearest_of_first(a, b, 70, 30, 1), strict=True):
        alone = nearest(a, b.take(np.arange(size)))
        for name in ("distance", "ties", "second"):
            assert np.array_equal(getattr(found, name), getattr(alone, name))


def test_copies_score_one_and_fresh_rows_zero(schema, make_cohort, bootstrap):
    train, test = make_cohort(400, 0), make_cohort(100, 1)
    got = values(train, test, bootstrap(train, 2), schema)
    assert got["memorisation"] == 1.0 and got["exact_copies"] == 1.0
    fresh = [
        values(make_cohort(120, 3 * i), make_cohort(40, 3 * i + 1), make_cohort(80, 3 * i + 2), schema)
        for i in range(40)
    ]
    assert got["near_copies_excess"] > 0.9 and got["replicas"] == 1.0 > 3 * got["replicas_holdout"]
    for metric, ideal in (("memorisation", 0.0), ("dcr_share", 0.5), ("near_copies_excess", 0.0)):
        sample = np.array([f[metric] for f in fresh])
        assert abs(sample.mean() - ideal) < 3 * sample.std(ddof=1) / np.sqrt(len(sample)), metric
    pairs = ("dcr_train_median", "dcr_holdout_median"), ("nndr_train_median", "nndr_holdout_median")
    for first, second in (*pairs, ("replicas", "replicas_holdout")):
        gap = np.array([f[first] - f[second] for f in fresh])
        assert abs(gap.mean()) < 3 * gap.std(ddof=1) / np.sqrt(len(gap)), first


def test_fresh_rows_of_few_categories_score_zero():
    # Two binary columns: nearly every nearest row is tied. Halving ties, or giving them to one side, would fail here.
    schema, rows = by_hand(k="ab", t="01")

    def draw(n, seed):
        bits = np.random.default_rng(seed).integers(0, 2, (n, 2))
        return rows(np.where(bits[:, 0], "a", "b"), np.where(bits[:, 1], "1", "0"))

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
    for metric in ("memorisation", "exact_copies", "dcr_share", "near_copies_excess", "replicas"):
        assert [g[metric] for g in got] == sorted((g[metric] for g in got), reverse=True), metric
    assert got[0]["memorisation"] == 1.0 and abs(got[-1]["memorisation"]) < 0.2
    assert got[0]["replicas_holdout"] == got[-1]["replicas_holdout"]  # knows no synthetic row
    for metric in ("dcr_train_median", "nndr_train_median"):
        medians = [g[metric] for g in got]
        assert medians == sorted(medians), metric


def test_unit_of_a_column_is_irrelevant(schema, make_cohort):
    frames = [make_cohort(n, n) for n in (90, 30, 40)]
    plain = values(*frames, schema)
    scaled = values(*(f.assign(age=f["age"] * 1024.0) for f in frames), schema)
    assert scaled == pytest.approx(plain)


def test_at_most_max_rows_are_judged(schema, make_cohort):
    scores = privacy_scores(make_cohort(90, 0), make_cohort(30, 1), make_cohort(80, 2), schema, max_rows=50, rng=Rng(0))
    assert {s.metric: s.n for s in scores} == {
        **dict.fromkeys(METRICS, 50),
        "exact_copies": 80,
        "replicas_holdout": 30,
    }


def test_minus_zero_copies_zero():
    assert exact_copies(table([0.0, 1, 2, 3], "aabb", "0011"), table([-0.0], "a", "0")) == 1.0
