"""The distance of optimal transport: hand computation, all matchings, another code, fresh rows."""

import itertools

import numpy as np
import pytest
from toy_tables import by_hand

from synthcohort.metrics.matrix import DataProblem
from synthcohort.metrics.release import Release
from synthcohort.metrics.transport import METRICS, transport_rows, transport_scores, wasserstein
from synthcohort.rng import Rng

FOUR, table = by_hand(x="", k="abc", t="01")


def values(train, test, synthetic, schema, *, max_rows=1000, seed=0):
    scores = transport_scores(Release(train, test, synthetic, schema), max_rows=max_rows, rng=Rng(seed))
    return {s.metric: s.value for s in scores}


@pytest.fixture
def by_pot():
    """Return points and their exact distance by POT 0.9.7.post1 (numpy 2.4.6, scipy 1.17.1).

    With POT installed in an environment of its own, w = np.full(25, 1 / 25), x and y as below:
    ot.emd2(w, w, scipy.spatial.distance.cdist(x, y, "cityblock")).
    """

    def spread(first):
        return np.sin(np.arange(first, first + 100, dtype=float) ** 2).reshape(25, 4)

    return spread(1), spread(1000) ** 2, 2.0707466010816806


def test_distance_is_that_of_pot(by_pot):
    x, y, expected = by_pot
    assert wasserstein(x, y) == pytest.approx(expected, abs=1e-10)


def test_four_rows_by_hand():
    train = table([0, 10, 4, 6], "aabb", "0011")  # range of x: 10
    other = table([1, 10, 5, 6], "acbb", "0010")
    # Rows stay in place: .1, one level, .1, one level; no exchange of the last two pays.
    x, y = transport_rows(train, train, FOUR), transport_rows(other, train, FOUR)
    assert wasserstein(x, y) == pytest.approx((0.1 + 1 + 0.1 + 1) / 4)
    assert wasserstein(x, y[::-1]) == pytest.approx((0.1 + 1 + 0.1 + 1) / 4)


def test_a_different_level_costs_a_whole_range():
    train = table([0, 10], "ab", "01")
    moved, changed = table([10, 20], "ab", "01"), table([0, 10], "bc", "01")
    rows = [transport_rows(frame, train, FOUR) for frame in (train, moved, changed)]
    assert np.abs(rows[0] - rows[1]).sum(axis=1) == pytest.approx([1, 1])
    assert np.abs(rows[0] - rows[2]).sum(axis=1) == pytest.approx([1, 1])


def test_best_of_all_matchings():
    draw = np.random.default_rng(0)
    x, y = draw.random((6, 2)), draw.random((6, 2))
    cost = np.abs(x[:, None] - y).sum(axis=2)
    best = min(cost[range(6), pi].mean() for pi in itertools.permutations(range(6)))
    assert wasserstein(x, y) == pytest.approx(best)


def test_on_a_line_it_is_the_area_between_quantiles():
    draw = np.random.default_rng(1)
    x, y = draw.normal(size=(50, 1)), draw.exponential(size=(50, 1))
    assert wasserstein(x, y) == pytest.approx(np.abs(np.sort(x[:, 0]) - np.sort(y[:, 0])).mean())


def test_the_table_itself_is_at_zero(schema, make_cohort):
    train, test = make_cohort(100, 0), make_cohort(100, 1)
    got = values(train, test, train, schema)
    assert got["wasserstein_train"] == pytest.approx(0.0, abs=1e-12) and got["wasserstein_test"] > 0.05
    swapped = values(train, test, test, schema)
    assert swapped["wasserstein_test"] == pytest.approx(0.0, abs=1e-12)
    assert swapped["wasserstein_train"] == pytest.approx(got["wasserstein_test"])


def test_fresh_rows_are_as_far_from_both(schema, make_cohort):
    fresh = [
        values(make_cohort(160, 3 * i), make_cohort(40, 3 * i + 1), make_cohort(90, 3 * i + 2), schema, seed=i)
        for i in range(50)
    ]
    gap = np.array([f["wasserstein_train"] - f["wasserstein_test"] for f in fresh])
    assert abs(gap.mean()) < 3 * gap.std(ddof=1) / np.sqrt(len(gap))


def test_copies_lie_closer_to_train(schema, make_cohort, bootstrap):
    gaps = []
    for i in range(8):
        train, test = make_cohort(120, 2 * i), make_cohort(100, 2 * i + 1)
        got = values(train, test, bootstrap(train, i), schema)
        gaps.append(got["wasserstein_test"] - got["wasserstein_train"])
    assert np.mean(gaps) > 3 * np.std(gaps, ddof=1) / np.sqrt(8)


def test_floor_falls_with_rows_and_is_one_for_all_sizes_of_the_others(schema, make_cohort):
    train, test, made = make_cohort(900, 0), make_cohort(300, 1), make_cohort(900, 2)
    few, many = (values(train, test, made, schema, max_rows=rows) for rows in (30, 300))
    assert all(few[metric] > many[metric] for metric in METRICS)
    scores = transport_scores(Release(train, test[:40], made, schema), rng=Rng(0))
    assert [s.n for s in scores] == [40, 40] and [s.metric for s in scores] == list(METRICS)


def test_grows_with_noise(schema, make_cohort, shuffle):
    train, test, other = make_cohort(300, 0), make_cohort(300, 1), make_cohort(300, 2)
    got = [values(train, test, shuffle(other, share, 3), schema) for share in (0.0, 0.4, 1.0)]
    for metric in METRICS:
        assert got[0][metric] < got[1][metric] < got[2][metric], metric


def test_unit_of_a_column_is_irrelevant(schema, make_cohort):
    frames = [make_cohort(n, n) for n in (60, 30, 40)]
    scaled = [f.assign(age=f["age"] * 1000.0) for f in frames]
    assert values(*scaled, schema) == pytest.approx(values(*frames, schema))


def test_constant_column_counts_in_its_own_unit_and_out_of_range_in_proportion():
    train = table([3] * 12, "ab" * 6, "01" * 6)
    assert values(train, train, train.assign(x=5.0), FOUR)["wasserstein_train"] == pytest.approx(2.0)
    train = table([0, 10] * 6, "a" * 12, "0" * 12)  # one level, one class
    assert values(train, train, train.assign(x=train["x"] + 30), FOUR)["wasserstein_test"] == pytest.approx(3.0)


def test_tables_of_one_kind_of_column():
    numeric, numbers = by_hand(x="", y="")
    frame = numbers(range(12), range(12))
    assert values(frame, frame, frame.assign(y=frame["y"] + 11), numeric)["wasserstein_train"] == pytest.approx(1.0)
    levels, letters = by_hand(k="abc", t="01")
    frame, other = letters("a" * 12, "01" * 6), letters("a" * 9 + "bbb", "01" * 6)
    assert values(frame, frame, other, levels)["wasserstein_train"] == pytest.approx(3 / 12)


def test_fewer_than_ten_rows_are_refused(schema, make_cohort):
    for sizes in ((9, 30, 30), (30, 9, 30), (30, 30, 9)):
        with pytest.raises(DataProblem, match="9 rows"):
            values(*(make_cohort(n, n) for n in sizes), schema)
