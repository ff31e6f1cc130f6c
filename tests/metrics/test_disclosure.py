"""Small cells: hand computation, sentinels, calibration of value and interval, degenerate tables."""

import math

import numpy as np
import pandas as pd
import pytest
from attack_toys import SCHEMA, patients, uniform_patients
from toy_tables import by_hand, errors_from, shuffled

import toys
from synthcohort.metrics.disclosure import (
    METRICS,
    disclosed_cells,
    disclosure_scores,
    excess_disclosure,
    quasi_identifiers,
)
from synthcohort.metrics.matrix import DataProblem
from synthcohort.metrics.release import Release
from synthcohort.schema import Column, Schema

TARGET = Column("t", "categorical", "target", levels=("0", "1"))
THREE, columns = by_hand(u="ab", v="ab", w="ab", t="01")
RARE, _ = by_hand(**{f"c{j}": "abcdefgh" for j in range(6)}, t="01")


def table(*rows):
    return columns(*zip(*rows), "0" * len(rows))


def rare(n, seed):
    """Return n rows of six dependent columns with common and rare levels."""
    draw = np.random.default_rng(seed)
    shared = draw.normal(0, 1, n)
    codes = {f"c{j}": np.clip(np.abs(1.5 * shared + 1.5 * draw.normal(0, 1, n)).astype(int), 0, 7) for j in range(6)}
    return RARE.cast(pd.DataFrame({**{k: np.array(list("abcdefgh"))[v] for k, v in codes.items()}, "t": "0"}))


def score(train, test, synthetic, schema=RARE):
    [found] = disclosure_scores(Release(train, test, synthetic, schema))
    assert (found.metric, found.axis, found.direction) == (METRICS[0], "privacy", "down")
    return found


def test_four_cells_by_hand():
    # aaa: 1 row; bbb: 5, not small; aab: 2; abb: 4
    synthetic = table("aaa", *["bbb"] * 5, *["aab"] * 2, *["abb"] * 4)
    train, test = table("aaa", "bbb", "aab"), table("aab", "abb")
    disclosed, small = disclosed_cells(train, test, synthetic, THREE)
    assert disclosed.tolist() == [1, 0, 0, 0, 1] and small == 3
    found = excess_disclosure(disclosed, small, 3)
    assert found.value == pytest.approx((1 - 3 / 2 * 1) / 3)
    assert found.error == pytest.approx(1.959964 * math.sqrt(0.3 * (1 / 3 + 1 / 2)))  # n_train / K = 1


def test_quasi_identifiers_are_six_with_quartiles_of_train():
    train, test = patients(101, 0), patients(50, 1)
    found = quasi_identifiers(train, train, SCHEMA)
    assert len(found) == 6 and found[0].max() == 2 and found[1].max() == 1  # ward, sex, then four numbers
    assert [np.bincount(row).tolist() for row in found[2:]] == [[26, 25, 25, 25]] * 4
    away = quasi_identifiers(test.assign(age=1e6, dose=-1e6), train, SCHEMA)
    assert set(away[2]) == {3} and set(away[3]) == {0}
    many = Schema((*(Column(f"n{j}", "numeric") for j in range(9)), TARGET), "1")
    assert len(quasi_identifiers(pd.DataFrame({f"n{j}": [0.0, 1.0] for j in range(9)}), *_twice(many))) == 6


def _twice(schema):
    return pd.DataFrame({c.name: [0.0, 1.0] for c in schema.features}), schema


def test_copies_disclose_and_fresh_or_shuffled_rows_do_not():
    train, test = rare(600, 0), rare(200, 1)
    copy = score(train, test, train)
    assert copy.low > 0 and copy.value > 0.1
    for safe in (rare(600, 2), shuffled(train, 1.0, 3)):
        found = score(train, test, safe)
        assert found.low <= 0 <= found.high


def test_fresh_rows_disclose_nothing_on_average_and_the_interval_says_so():
    found = [score(rare(120, 3 * i), rare(40, 3 * i + 1), rare(120, 3 * i + 2)) for i in range(40)]
    assert errors_from(0.0, [f.value for f in found]) < 3
    assert np.mean([f.low <= 0 <= f.high for f in found]) > 0.85


def test_disclosure_falls_with_noise():
    def mean(share):
        return np.mean(
            [score(t := rare(400, 2 * i), rare(200, 2 * i + 1), shuffled(t, share, i)).value for i in range(4)]
        )

    found = [mean(share) for share in (0.0, 0.1, 0.3, 1.0)]
    assert found == sorted(found, reverse=True) and abs(found[-1]) < 0.05


@pytest.mark.parametrize("kind", ["mixed", "numeric"])
def test_a_table_without_categories_is_judged(kind):
    frame, schema = toys.ALL[kind](150)
    found = score(frame[:100], frame[100:], frame[:100], schema)
    assert found.low <= found.value <= found.high and found.n > 0


def test_constant_columns_are_judged():
    train, test = uniform_patients(90, 0), uniform_patients(40, 1)
    found = score(train, test, train, SCHEMA)
    assert found.value > 0 and np.isfinite([found.low, found.high]).all()


def test_what_is_not_defined_is_refused():
    with pytest.raises(DataProblem, match="fewer than 5 rows"):
        score(*[table(*["aaa"] * 20)] * 3, THREE)
    frame, schema = toys.categorical(60)
    with pytest.raises(DataProblem, match="need 3 features; the schema has 2"):
        score(frame, frame, frame, schema)
    with pytest.raises(DataProblem, match="the test table has 9 rows"):
        score(rare(20, 0), rare(9, 1), rare(20, 2))
