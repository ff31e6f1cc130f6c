"""Rates and risks: anonymeter's numbers, hand computation, equal numbers of targets, distances by another path."""

import numpy as np
import pytest
from attack_toys import SCHEMA, anonymeter, patients

from synthcohort.metrics.matrix import DataProblem
from synthcohort.metrics.nearest import Gaps, column_positions, distance_rows, is_nearest, nearest
from synthcohort.metrics.release import Release
from synthcohort.metrics.risk import (
    Rate,
    draw_targets,
    residual_risk,
    risk_score,
    success_rate,
)
from synthcohort.rng import Rng


def test_rates_are_anonymeters():
    for known in anonymeter()["success_rate"]:
        got = success_rate(known["successes"], known["attacks"], known["confidence"])
        assert (got.value, got.error) == pytest.approx((known["value"], known["error"]), rel=1e-12)


def test_risks_are_anonymeters():
    for known in anonymeter()["residual_success"]:
        rates = [success_rate(known[side], known["attacks"], known["confidence"]) for side in ("members", "controls")]
        got = residual_risk(*rates)
        assert (got.value, got.error) == pytest.approx((known["value"], known["error"]), rel=1e-12)


def test_risk_by_hand():
    # (0.6 - 0.2) / 0.8; slopes 1 / 0.8 and 0.4 / 0.64: sqrt(0.06^2 / 0.64 + 0.04^2 * 0.390625)
    got = residual_risk(Rate(0.6, 0.06), Rate(0.2, 0.04))
    assert got.value == pytest.approx(0.5) and got.error == pytest.approx(np.sqrt(0.005625 + 0.000625))
    assert residual_risk(Rate(0.2, 0.0), Rate(0.6, 0.0)).value == pytest.approx(-1.0)  # not cut at 0


def test_equal_success_is_no_risk():
    wins = np.array([0.0, 1.0, 0.5, 0.25])
    score = risk_score("linkability_risk", wins, wins[::-1], 0.95)
    assert score.value == 0.0 and score.low < 0.0 < score.high and score.low == -score.high
    assert (score.axis, score.direction, score.n) == ("privacy", "down", 4)


def test_interval_covers_the_rate_of_shares():
    draw = np.random.default_rng(0)
    hits = 0
    for _ in range(400):
        got = success_rate(float(draw.beta(0.3, 0.9, 60).sum()), 60)  # mean 0.25
        hits += abs(got.value - 0.25) <= got.error
    assert hits / 400 > 0.95


def test_controls_that_always_succeed_are_refused():
    with pytest.raises(DataProblem, match="members can add nothing"):
        residual_risk(Rate(0.9, 0.1), Rate(1.0, 0.1))


def test_members_and_controls_are_equally_many():
    train, test = patients(50, 0), patients(20, 1)
    for attacks, size in ((500, 20), (15, 15)):
        got = draw_targets(Release(train, test, train, SCHEMA), attacks=attacks, rng=Rng(0))
        assert len(got.members) == len(got.controls) == size
        assert got.members.index.is_unique and set(got.members["age"]) <= set(train["age"])
        assert set(got.controls["age"]) <= set(test["age"])


@pytest.mark.parametrize("short", ["train", "test", "synthetic"])
def test_fewer_than_ten_rows_are_refused(short):
    frames = {name: patients(9 if name == short else 20, 0) for name in ("train", "test", "synthetic")}
    with pytest.raises(DataProblem, match=f"the {short} table has 9 rows"):
        Release(**frames, schema=SCHEMA)


def test_distances_are_those_of_nearest():
    queries, candidates = (distance_rows(patients(n, n), patients(40, 1), SCHEMA) for n in (30, 50))
    found = Gaps(queries, candidates).distances(slice(0, 30), sorted(column_positions(SCHEMA).values()))
    known = nearest(queries, candidates)
    assert found.min(axis=1) == pytest.approx(known.distance, abs=1e-6)
    assert is_nearest(found).sum(axis=1).tolist() == known.ties.tolist()
