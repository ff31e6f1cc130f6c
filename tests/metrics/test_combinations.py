"""Associations, rare and impossible combinations, rules and ranges against hand computation and known orders."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats.contingency import association
from toy_tables import by_hand

from synthcohort.metrics.combinations import (
    associations,
    correlation_difference,
    impossible_combinations,
    out_of_range,
    pair_counts,
    quartile_levels,
    rare_combinations,
    rule_confidence,
)
from synthcohort.metrics.matrix import DataProblem
from synthcohort.schema import Column, Schema

TWO, letters = by_hand(k="abc", t="01")
MIXED, table = by_hand(x="", k="abc", t="01")


def pairs(*cells):
    """Return the rows of TWO given as ("a0", times)."""
    text = [cell for cell, times in cells for _ in range(times)]
    return letters(*zip(*text))


def value(score, real, synthetic, schema):
    return score(real, synthetic, schema)[0].value


def test_correlation_difference_of_four_rows_by_hand():
    real, other = table([0, 0, 1, 1], "aabb", "0011"), table([0, 0, 1, 1], "aabb", "0101")
    # real: x, k and t say the same, every association is 1; other: x and k do, t is independent of both.
    assert associations(real, MIXED) == pytest.approx(np.ones((3, 3)))
    assert value(correlation_difference, real, other, MIXED) == pytest.approx(2 / 3)
    # eta of 0, 2 | 4, 6: between 2 * (2^2 + 2^2) = 16 of 20.
    assert associations(table([0, 2, 4, 6], "aabb", "0101"), MIXED)[0, 1] == pytest.approx(np.sqrt(16 / 20))


def test_cramers_v_is_scipys_and_constants_have_none(make_cohort, schema):
    frame = make_cohort(300, 0)
    table_of_counts = pd.crosstab(frame["ward"], frame["died"]).to_numpy()
    assert associations(frame, schema)[2, 3] == pytest.approx(association(table_of_counts, method="cramer"))
    flat = table([3.1] * 4, "aaaa", "0101")
    assert associations(flat, MIXED) == pytest.approx(np.eye(3))


def test_counts_are_those_of_the_rows_across_blocks(make_cohort, schema, monkeypatch):
    frame = make_cohort(100, 1)
    whole = pair_counts(quartile_levels(frame, frame, schema))
    monkeypatch.setattr("synthcohort.metrics.combinations.BLOCK", 7)
    assert (pair_counts(quartile_levels(frame, frame, schema)) == whole).all()
    assert whole[-5:-2, -2:].tolist() == pd.crosstab(frame["ward"], frame["died"]).to_numpy().tolist()


def test_quartiles_by_hand():
    frame = table([1, 2, 3, 4], "abab", "0101")
    other = table([0, 1.75, 2, 99], "abab", "0101")
    assert quartile_levels(other, frame, MIXED).codes[:, 0].tolist() == [0, 0, 1, 3]  # cuts 1.75, 2.5, 3.25
    assert quartile_levels(frame, table([5] * 4, "abab", "0101"), MIXED).sizes.tolist() == [2, 3, 2]


def test_rare_combinations_by_hand():
    real = pairs(("a0", 49), ("b1", 49), ("a1", 1), ("b0", 1))
    assert value(rare_combinations, real, real, TWO) == 0.0
    # a1: 1 % against 3 %, b0: 1 % against none: (2 + 1) / (4 + 1).
    other = pairs(("a0", 48), ("b1", 49), ("a1", 3))
    assert value(rare_combinations, real, other, TWO) == pytest.approx(3 / 5)
    assert value(rare_combinations, real, pairs(("a0", 50), ("b1", 50)), TWO) == 1.0


def test_rule_confidence_by_hand():
    real = pairs(("a0", 9), ("a1", 1), ("b1", 3), ("b0", 7))
    # the only rule: a -> 0 with support 9 / 20 and confidence 0.9 (1 -> b has 3 / 4).
    assert value(rule_confidence, real, real, TWO) == 0.0
    assert value(rule_confidence, real, pairs(("a0", 5), ("a1", 5), ("b0", 10)), TWO) == pytest.approx(0.4)
    assert value(rule_confidence, real, pairs(("b0", 5), ("b1", 5)), TWO) == pytest.approx(0.9)
    with pytest.raises(DataProblem, match="no rule"):
        rule_confidence(pairs(("a0", 5), ("a1", 5), ("b1", 5), ("b0", 5)), real, TWO)


def test_out_of_range_by_hand():
    real = table([1, 2, 3, 4], "aabb", "0011")
    assert value(out_of_range, real, table([0.9, 1, 4, 4.1], "aabb", "0011"), MIXED) == 0.5
    assert value(out_of_range, real, real, MIXED) == 0.0
    with pytest.raises(DataProblem, match="no numeric column"):
        out_of_range(pairs(("a0", 3)), pairs(("a0", 3)), TWO)


def test_out_of_range_of_fresh_rows_is_two_in_n_plus_one():
    draw = np.random.default_rng(0)
    values = [
        value(
            out_of_range,
            table(draw.random(19), ["a"] * 19, ["0"] * 19),
            table(draw.random(500), ["a"] * 500, ["0"] * 500),
            MIXED,
        )
        for _ in range(30)
    ]
    assert np.mean(values) == pytest.approx(2 / 20, abs=4 * np.std(values) / np.sqrt(30))


def test_impossible_combinations_by_hand():
    # a with 1 is expected 10 * 10 / 20 = 5 times and never occurs; c with 0 is never seen, but expected only 0.
    real = pairs(("a0", 10), ("b1", 10))
    other = pairs(("a0", 2), ("a1", 1), ("c0", 1))
    assert value(impossible_combinations, real, other, TWO) == pytest.approx(1 / 4)
    assert value(impossible_combinations, real, real, TWO) == 0.0
    with pytest.raises(DataProblem, match="nothing is impossible"):
        impossible_combinations(pairs(("a0", 9), ("b1", 9)), other, TWO)  # expected 4.5


def test_identity_and_growing_noise(make_cohort, shuffle, schema):
    real = make_cohort(3000, 0)
    real["ward"] = real["ward"].where(~((real["ward"] == "west") & (real["died"] == "yes")), "north")
    for score in (correlation_difference, rare_combinations, rule_confidence, impossible_combinations):
        values = [value(score, real, shuffle(real, share, 1), schema) for share in (0.0, 0.3, 1.0)]
        assert values[0] == pytest.approx(0.0, abs=1e-12)
        assert values[0] < values[1] < values[2], score.__name__
    noise = np.random.default_rng(2).normal(size=3000)
    values = [value(out_of_range, real, real.assign(age=real["age"] + by * noise), schema) for by in (0, 10, 50)]
    assert values[0] < values[1] < values[2]


def test_fresh_rows_come_near_zero_as_tables_grow(make_cohort, schema):
    for score in (correlation_difference, rare_combinations, rule_confidence):
        small, large = (
            np.mean([value(score, make_cohort(n, 2 * i), make_cohort(n, 2 * i + 1), schema) for i in range(6)])
            for n in (200, 5000)
        )
        assert large < 0.45 * small, score.__name__  # 25 times the rows: a fifth of the error, rare cells permitting
    assert small < 0.1


def test_undefined_tables_are_refused():
    single, rows = by_hand(t="01")
    frame = rows("01")
    for score in (correlation_difference, rare_combinations, rule_confidence, impossible_combinations):
        with pytest.raises(DataProblem, match="two columns"):
            score(frame, frame, single)
    with pytest.raises(DataProblem, match="no combination"):
        rare_combinations(pairs(("a0", 5), ("b1", 5)), pairs(("a0", 5)), TWO)


def test_numeric_tables_and_levels_beyond_the_real_range_are_defined(make_cohort, schema):
    part = Schema((Column("age", "numeric"), Column("marker", "numeric", "target")))
    real, other = make_cohort(400, 0)[part.names], make_cohort(400, 1)[part.names] * 100.0
    for score in (correlation_difference, out_of_range):
        assert np.isfinite(value(score, real, other, part))
    assert value(out_of_range, real, other, part) > 0.9
