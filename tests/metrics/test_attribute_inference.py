"""Attribute inference: hand computation with ties, anonymeter's counts, sentinels, calibration, degenerate tables."""

import numpy as np
import pandas as pd
import pytest
from attack_toys import SCHEMA, anonymeter, patients, simulated, uniform_patients
from toy_tables import by_hand, errors_from, independent, shuffled

import toys
from synthcohort.metrics import nearest
from synthcohort.metrics.attribute_inference import (
    attribute_inference_baseline,
    attribute_inference_scores,
    leave_one_out,
    right_guesses,
    varying_columns,
)
from synthcohort.metrics.matrix import DataProblem
from synthcohort.metrics.nearest import Gaps, distance_rows
from synthcohort.metrics.release import Release
from synthcohort.rng import Rng
from synthcohort.schema import Schema

FOUR, table = by_hand(x="", k="ab", t="01")


TRAIN = table([0, 8, 1, 2], "abab", "0011")  # range of x: 8
SYNTHETIC = table([2, 4, 4, 6], "abab", "0011")
TARGETS = table([4.1, 5, 10, 2], "bbaa", "0110")


def score(train, test, synthetic, schema=SCHEMA, seed=0):
    [found] = attribute_inference_scores(Release(train, test, synthetic, schema), attacks=500, rng=Rng(seed))
    assert (found.metric, found.axis, found.direction) == ("attribute_inference_risk", "privacy", "down")
    return found


def test_four_rows_by_hand():
    found = right_guesses(TARGETS, SYNTHETIC, TRAIN, FOUR, secrets=["x", "k", "t"])
    # row 2 (5, b, 1): x = 6 is wrong; by (5, 1) rows 3 and 4 are tied, by (5, b) rows 2 and 4.
    assert found.tolist() == [[1, 1, 1], [0, 0.5, 0.5], [0, 0, 1], [1, 1, 1]]


def test_baseline_of_four_rows_by_hand():
    assert attribute_inference_baseline(TARGETS, SYNTHETIC, FOUR, secrets=["t"]) == 0.5
    # x: two of four guesses are near 4.1, none near 5 and 10, one near 2
    assert attribute_inference_baseline(TARGETS, SYNTHETIC, FOUR, secrets=["x"]) == pytest.approx(3 / 16)


@pytest.mark.parametrize(
    ("guess", "truth", "right"),
    [(4, 4.19, 1), (4, 4.21, 0), (-4, -4.19, 1), (-4, -4.21, 0), (-4, 10, 0), (0, 0, 1), (0, 0.001, 0)],
)
def test_a_number_is_right_within_five_percent(guess, truth, right):
    found = right_guesses(table([truth], "a", "0"), table([guess], "a", "0"), TRAIN, FOUR, secrets=["x"])
    assert found.tolist() == [[right]]


def test_guesses_are_anonymeters():
    train, test, synthetic = simulated()
    known = anonymeter()["attribute_inference"]
    for side, targets in (("members", train), ("controls", test)):
        found = right_guesses(targets, synthetic, train, SCHEMA, secrets=list(known))
        assert dict(zip(known, found.sum(axis=0))) == {name: counts[side] for name, counts in known.items()}


def test_each_distance_leaves_one_column_out():
    queries, candidates = (distance_rows(patients(n, n), patients(40, 1), SCHEMA) for n in (20, 30))
    seen = []
    gaps, whole = Gaps(queries, candidates), slice(0, 20)
    for place, distance in leave_one_out(gaps, whole):
        known = gaps.distances(whole, [j for j in range(len(SCHEMA.columns)) if j != place])
        assert distance == pytest.approx(known, abs=1e-5)
        seen.append(place)
    assert sorted(seen) == list(range(len(SCHEMA.columns)))


def test_rows_equal_in_the_known_columns_are_tied_whatever_the_secret():
    # 101 rows differ in the secret number alone; one in 101 is right. Subtracting its term would break some ties.
    frame = patients(101, 0)
    same = SCHEMA.cast(pd.concat([frame.iloc[[0]]] * 101, ignore_index=True).assign(weight=np.geomspace(1, 1e5, 101)))
    found = right_guesses(same.iloc[[40]], same, frame, SCHEMA, secrets=["weight"])
    assert found.tolist() == [[1 / 101]]


def test_blocks_change_nothing(monkeypatch):
    frames = patients(30, 0), patients(40, 1), patients(20, 2)
    whole = right_guesses(*frames, SCHEMA, secrets=SCHEMA.names)
    monkeypatch.setattr(nearest, "CELLS", 280)
    assert np.array_equal(whole, right_guesses(*frames, SCHEMA, secrets=SCHEMA.names))


def test_copies_are_guessed_and_fresh_or_shuffled_rows_are_not():
    train, test = patients(300, 0), patients(120, 1)
    copy = score(train, test, train)
    assert copy.low > 0.8 and copy.n == 120
    for safe in (patients(300, 2), independent(train, 3)):
        found = score(train, test, safe)
        assert found.low <= 0 <= found.high and abs(found.value) < 0.1


def test_fresh_rows_have_no_risk_on_average():
    def fresh(i):
        return score(patients(80, 3 * i), patients(30, 3 * i + 1), patients(80, 3 * i + 2), seed=i).value

    assert errors_from(0.0, [fresh(i) for i in range(30)]) < 3


def test_risk_falls_with_noise():
    train, test = patients(200, 0), patients(150, 1)
    found = [score(train, test, shuffled(train, share, 5)).value for share in (0.0, 0.1, 0.3, 1.0)]
    assert found == sorted(found, reverse=True) and found[0] > 0.9 and abs(found[-1]) < 0.1


@pytest.mark.parametrize("kind", sorted(toys.ALL))
def test_either_kind_of_column_may_be_absent(kind):
    frame, schema = toys.ALL[kind](150)
    found = score(frame[:100], frame[100:], frame[:100], schema)
    assert found.low <= found.value <= found.high and found.value > 0


def test_one_class_constants_and_numbers_out_of_range():
    train, test = uniform_patients(60, 0), uniform_patients(40, 1)
    assert varying_columns(train) == ["age", "ward", "marker", "weight"]
    assert score(train, test, train).value > 0.9
    assert abs(score(train, test, train.assign(age=1e6, dose=-1e6, marker=1e6, weight=-1e6)).value) < 0.2


def test_no_secret_and_no_known_column_are_refused():
    frame = table([1.0] * 12, "a" * 12, "0" * 12)
    with pytest.raises(DataProblem, match="no secret"):
        score(frame, frame, frame, FOUR)
    alone = Schema((FOUR["t"],), "1")
    frame = table(range(12), "ab" * 6, "01" * 6)[["t"]]
    with pytest.raises(DataProblem, match="stands alone"):
        score(frame, frame, frame, alone)
