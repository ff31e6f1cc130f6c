"""Singling out: hand computation, anonymeter's predicates, sentinels, calibration, degenerate tables."""

import math
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from attack_toys import SCHEMA, anonymeter, patients, simulated, uniform_patients
from toy_tables import by_hand, errors_from, independent, shuffled

import toys
from synthcohort.metrics import singling_out
from synthcohort.metrics.matrix import DataProblem
from synthcohort.metrics.release import Release
from synthcohort.metrics.risk import Rate, residual_risk, success_rate
from synthcohort.metrics.singling_out import (
    METRICS,
    cells,
    extreme_predicate,
    multivariate_predicates,
    satisfied,
    singled_out,
    singling_out_baseline,
    singling_out_risk,
    singling_out_scores,
    univariate_predicates,
)
from synthcohort.rng import Rng
from synthcohort.schema import Schema

FOUR, table = by_hand(x="", k="ab", t="01")
MULTIVARIATE, UNIVARIATE = METRICS


def scores(train, test, synthetic, schema=SCHEMA, seed=0, attacks=150):
    found = singling_out_scores(Release(train, test, synthetic, schema), attacks=attacks, rng=Rng(seed))
    assert [s.metric for s in found] == list(METRICS) and {s.axis for s in found} == {"privacy"}
    return {s.metric: s for s in found}


def test_univariate_predicates_of_four_rows_by_hand():
    found = univariate_predicates(table([2, 4, 4, 6], "abab", "0001"), FOUR)
    unique = [((0, np.equal, 2.0),), ((0, np.equal, 6.0),)]
    assert found == [*unique, ((0, np.less_equal, 2.0),), ((0, np.greater_equal, 6.0),), ((2, np.equal, 1.0),)]
    train, test = table([2, 3, 0], "aaa", "001"), table([6, 7], "bb", "01")
    # x = 2: first training row; x = 6: first test row; x <= 2, x >= 6 and t = 1 hold for two rows each
    assert singled_out(found, train, test, FOUR).tolist() == [1, 0, 0, 1, 0]


def test_an_extreme_predicate_by_hand():
    rows = cells(table([2, 4, 5, 6], "abab", "0001"), FOUR)
    predicate = extreme_predicate(rows[:, 3], [0, 1, 2], np.median(rows, axis=1), FOUR)
    assert predicate == ((0, np.greater_equal, 6.0), (1, np.equal, 1.0), (2, np.equal, 1.0))
    assert extreme_predicate(rows[:, 0], [0], np.median(rows, axis=1), FOUR) == ((0, np.less_equal, 2.0),)
    assert satisfied(predicate, rows).tolist() == [False, False, False, True]


def test_risk_of_ten_predicates_by_hand():
    train, test = table(range(20), "a" * 20, "0" * 20), table(range(20, 30), "a" * 10, "0" * 10)

    def equal(*numbers):
        return [((0, np.equal, float(v)),) for v in numbers]

    # 8 members and 1 control of 10: the control counts twice, as there are two training rows for each test row
    attack, control = success_rate(8, 10), Rate(success_rate(2, 10).value, 2 * success_rate(1, 10).error)
    found = singling_out_risk(equal(*range(8), 20, 99), train, test, FOUR)
    assert found == residual_risk(attack, control)
    # the same counts on two rows: u is 8 and 1 in two of 30 rows
    hits = np.array([8, 1] + [0] * 28)
    again = singling_out_risk(equal(*[0] * 8, 20, 99), train, test, FOUR)
    assert again.value == found.value
    assert again.error == pytest.approx(found.error * math.sqrt(hits.var(ddof=1) / hits.mean()))
    with pytest.raises(DataProblem, match="9 predicates"):
        singling_out_risk(equal(*range(9)), train, test, FOUR)
    with pytest.raises(DataProblem, match="5 of 10 predicates"):
        singling_out_risk(equal(*range(20, 25), *range(40, 45)), train, test, FOUR)


def test_univariate_predicates_are_anonymeters():
    train, test, synthetic = simulated()
    known, found = anonymeter()["univariate"], univariate_predicates(synthetic, SCHEMA)
    assert len(found) == known["predicates"]
    for name, frame in (("train", train), ("test", test)):
        assert sum(satisfied(p, cells(frame, SCHEMA)).sum() == 1 for p in found) == known[name]


def test_multivariate_predicates_are_anonymeters():
    train, test, synthetic = simulated()
    known, rows = anonymeter()["multivariate"], cells(synthetic, SCHEMA)
    medians = np.median(rows, axis=1)
    columns = list(combinations(range(len(rows)), 3))
    every = {extreme_predicate(row, chosen, medians, SCHEMA) for row in rows.T for chosen in columns}
    found = [p for p in every if satisfied(p, rows).sum() == 1]
    assert len(found) == known["predicates"]
    for name, frame in (("train", train), ("test", test)):
        assert sum(satisfied(p, cells(frame, SCHEMA)).sum() == 1 for p in found) == known[name]


def test_multivariate_predicates_differ_and_single_out():
    published = patients(100, 0)
    found = multivariate_predicates(published, SCHEMA, wanted=50, rng=Rng(0))
    assert len(set(found)) == len(found) == 50 and {len(p) for p in found} == {3}
    assert all(satisfied(p, cells(published, SCHEMA)).sum() == 1 for p in found)
    assert found == multivariate_predicates(published, SCHEMA, wanted=50, rng=Rng(0))


def test_copies_are_singled_out_and_fresh_or_shuffled_rows_are_not():
    train, test = patients(300, 0), patients(120, 1)
    copies = scores(train, test, pd.concat([train, train]))
    assert copies[MULTIVARIATE].low > 0.5 and copies[UNIVARIATE].low > 0.9
    fresh, shuffled = scores(train, test, patients(300, 2)), scores(train, test, independent(train, 3))
    for found in (*fresh.values(), shuffled[MULTIVARIATE]):
        assert found.low <= 0 <= found.high
    assert shuffled[UNIVARIATE].low > 0.9  # shuffled columns still hold every rare value


def test_fresh_rows_have_no_risk_on_average_and_the_interval_says_so():
    def fresh(i):
        return scores(patients(80, 3 * i), patients(30, 3 * i + 1), patients(80, 3 * i + 2), seed=i, attacks=60)

    found = [fresh(i) for i in range(40)]
    for metric in METRICS:
        assert errors_from(0.0, [f[metric].value for f in found]) < 3
        assert np.mean([f[metric].low <= 0 <= f[metric].high for f in found]) > 0.85, metric


def test_risk_falls_with_noise():
    train, test = patients(200, 0), patients(150, 1)
    found = [scores(train, test, shuffled(train, share, 5))[MULTIVARIATE].value for share in (0.0, 0.1, 0.3, 1.0)]
    assert found == sorted(found, reverse=True) and found[0] > 0.5 and abs(found[-1]) < 0.2


def test_random_predicates_do_worse_than_copies():
    train, test = patients(200, 0), patients(80, 1)
    rate = singling_out_baseline(train, test, train, SCHEMA, attacks=300, rng=Rng(0))
    own = singled_out(multivariate_predicates(train, SCHEMA, wanted=300, rng=Rng(0)), train, test, SCHEMA)
    assert 0 < rate < 0.5 * own[:200].sum() / 300


@pytest.mark.parametrize("kind", ["mixed", "numeric"])
def test_a_table_without_categories_is_judged(kind):
    frame, schema = toys.ALL[kind](150)
    assert all(s.low > 0 for s in scores(frame[:100], frame[100:], frame[:100], schema).values())


def test_rows_tried_first_change_nothing(monkeypatch):
    rows = patients(400, 0).drop_duplicates()
    whole = multivariate_predicates(rows, SCHEMA, wanted=100, rng=Rng(0))
    monkeypatch.setattr(singling_out, "FIRST", 5)
    assert multivariate_predicates(rows, SCHEMA, wanted=100, rng=Rng(0)) == whole
    table = cells(rows, SCHEMA)
    assert len(whole) == 100 and all(satisfied(predicate, table).sum() == 1 for predicate in whole)


def test_too_few_predicates_fail_their_own_score():
    frame, schema = toys.categorical(150)
    found = scores(frame[:100], frame[100:], frame[:100], schema)
    assert math.isnan(found[UNIVARIATE].value) and "0 predicates" in found[UNIVARIATE].note
    assert 10 <= found[MULTIVARIATE].n < 20 and found[MULTIVARIATE].note == ""
    rows = table(range(30), "ab" * 15, "01" * 15)[["x", "t"]]
    found = scores(rows[:20], rows[20:], rows[:20], Schema((FOUR["x"], FOUR["t"]), "1"))
    assert found[UNIVARIATE].value > 0.5 and "needs 3 columns" in found[MULTIVARIATE].note


def test_one_class_constants_and_numbers_out_of_range():
    train, test = uniform_patients(90, 0), uniform_patients(40, 1)
    assert all(s.low > 0 for s in scores(train, test, train).values())
    away = scores(train, test, SCHEMA.cast(patients(90, 2).assign(age=lambda f: f["age"] + 1e6)))
    assert all(abs(s.value) < 0.2 for s in away.values())


def test_fewer_than_ten_rows_are_refused():
    with pytest.raises(DataProblem, match="the synthetic table has 9 rows"):
        scores(patients(20, 0), patients(20, 1), patients(9, 2))
