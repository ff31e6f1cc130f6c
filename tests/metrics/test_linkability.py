"""Linkability: hand computation with ties, anonymeter's counts, sentinels, calibration, degenerate tables."""

import numpy as np
import pytest
from attack_toys import SCHEMA, anonymeter, patients, simulated, uniform_patients
from toy_tables import by_hand, errors_from, independent, shuffled

import toys
from synthcohort.metrics import nearest
from synthcohort.metrics.linkability import known_columns, link_probability, linkability_baseline, linkability_scores
from synthcohort.metrics.matrix import DataProblem
from synthcohort.metrics.release import Release
from synthcohort.rng import Rng
from synthcohort.schema import Schema

FOUR, table = by_hand(x="", k="ab", t="01")


def score(train, test, synthetic, schema=SCHEMA, seed=0):
    [found] = linkability_scores(Release(train, test, synthetic, schema), attacks=500, rng=Rng(seed))
    assert (found.metric, found.axis, found.direction) == ("linkability_risk", "privacy", "down")
    return found


def test_four_rows_by_hand():
    train = table([0, 8, 1, 2], "abab", "0000")
    synthetic = table([1, 5, 5, 9], "abab", "0000")
    targets = table([0, 5, 40, 2], "abab", "0000")
    # by x: {0}, {1, 2}, {3}, {0}; by k: rows 0, 2 for a and 1, 3 for b
    assert link_probability(targets, synthetic, train, FOUR).tolist() == [1 / 2, 1 / 4, 0, 0]
    assert linkability_baseline(synthetic) == 0.25


def test_features_alternate_without_the_target():
    assert known_columns(SCHEMA) == (["age", "ward", "marker"], ["dose", "sex", "weight"])


def test_links_are_anonymeters():
    train, test, synthetic = simulated()
    known = anonymeter()["linkability"]
    for side, targets in (("members", train), ("controls", test)):
        found = link_probability(targets, synthetic, train, SCHEMA)
        assert set(found) <= {0.0, 1.0} and found.sum() == known[side]


def test_blocks_change_nothing(monkeypatch):
    frames = patients(30, 0), patients(40, 1), patients(20, 2)
    whole = link_probability(*frames, SCHEMA)
    monkeypatch.setattr(nearest, "CELLS", 280)
    assert np.array_equal(whole, link_probability(*frames, SCHEMA))


def test_copies_are_linked_and_fresh_or_shuffled_rows_are_not():
    train, test = patients(300, 0), patients(120, 1)
    copy = score(train, test, train)
    assert copy.low > 0.9 and copy.n == 120
    for safe in (patients(300, 2), independent(train, 3)):
        found = score(train, test, safe)
        assert found.low <= 0 <= found.high and abs(found.value) < 0.05


def test_fresh_rows_have_no_risk_on_average():
    # Few distinct rows: nearly all neighbours are tied.
    schema, rows = by_hand(u="abc", v="abc", w="abc", x="abc", t="01")

    def draw(n, seed):
        return rows(*np.array(list("abc"))[np.random.default_rng(seed).integers(0, 3, (n, 4))].T, "0" * n)

    def fresh(i):
        return score(draw(60, 3 * i), draw(30, 3 * i + 1), draw(60, 3 * i + 2), schema, i).value

    assert errors_from(0.0, [fresh(i) for i in range(30)]) < 3


def test_risk_falls_with_noise():
    train, test = patients(200, 0), patients(150, 1)
    found = [score(train, test, shuffled(train, share, 5)).value for share in (0.0, 0.1, 0.3, 1.0)]
    assert found == sorted(found, reverse=True) and found[0] > 0.9 and abs(found[-1]) < 0.05


@pytest.mark.parametrize("kind", sorted(toys.ALL))
def test_either_kind_of_column_may_be_absent(kind):
    frame, schema = toys.ALL[kind](150)
    found = score(frame[:100], frame[100:], frame[:100], schema)
    assert found.low <= found.value <= found.high
    assert found.low > 0 or kind == "categorical"  # whose rows are nearly all tied


def test_one_class_constants_and_numbers_out_of_range():
    train, test = uniform_patients(60, 0), uniform_patients(40, 1)
    assert score(train, test, train).low > 0.8
    assert abs(score(train, test, train.assign(age=1e6, dose=-1e6, marker=1e6, weight=-1e6)).value) < 0.2


def test_one_feature_is_refused():
    alone = Schema((FOUR["x"], FOUR["t"]), "1")
    frame = table(range(12), "ab" * 6, "0" * 12).drop(columns="k")
    with pytest.raises(DataProblem, match="two features"):
        score(frame, frame, frame, alone)
