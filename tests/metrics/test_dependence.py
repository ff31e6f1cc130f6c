"""How strongly columns depend on each other: by hand, at its ends, under the null, and growing with the truth."""

import numpy as np
import pandas as pd
import pytest
from toy_tables import by_hand, errors_from, independent

from synthcohort.metrics.dependence import columns, dependence
from synthcohort.metrics.matrix import DataProblem
from synthcohort.rng import Rng
from synthcohort.schema import Column, Schema

FOUR, table = by_hand(x="", k="abc", t="01")


def value(train, validation, schema):
    return dependence(train, validation, schema, max_rows=10_000, rng=Rng(0))[0].value


def test_columns_that_decide_each_other_score_one_by_hand():
    # x high, k = b and t = 1 go together: each is ranked without error by the others; k = c never occurs.
    train, test = table([0, 0, 1, 1] * 20, "aabb" * 20, "0011" * 20), table([0, 0, 1, 1], "aabb", "0011")
    assert value(train, test, FOUR) == pytest.approx(1.0)


def test_a_column_counts_once_however_many_levels_it_has():
    # In the validation rows x goes against what was learned, so that every rank is turned round but those of k by t:
    # x is told by k and t against its truth, k by x and t, t by x and k; see `columns` for each alone.
    train, test = table([0, 0, 1, 1] * 20, "aabb" * 20, "0011" * 20), table([1, 0, 0, 1], "aabb", "0011")
    told = columns(train, test, FOUR, max_rows=1000, rng=Rng(0)).set_index("column")["told"]
    assert told["x"] == pytest.approx(0.0)  # the others rank both halves alike
    assert value(train, test, FOUR) == pytest.approx(told.mean()) and len(told) == 3


def test_shuffled_columns_score_nothing_in_expectation(make_cohort, schema):
    found = []
    for seed in range(40):
        rows = independent(make_cohort(600, seed), seed)
        found.append(value(rows[:300], rows[300:], schema))
    assert errors_from(0.0, found) < 3


def _correlated(n: int, rho: float, seed: int) -> tuple[pd.DataFrame, Schema]:
    draw = np.random.default_rng(seed).standard_normal((n, 3))
    both = np.column_stack([draw[:, 0], rho * draw[:, 0] + np.sqrt(1 - rho**2) * draw[:, 1]])
    schema = Schema((Column("a", "numeric"), Column("y", "numeric", "target")))
    return pd.DataFrame(both, columns=["a", "y"]), schema


def test_it_grows_with_correlation_and_is_what_the_normal_law_says():
    """2 AUROC - 1 = E sign(a - a') over pairs of rows on either side of the median of y."""
    seen = []
    for rho in (0.2, 0.5, 0.9):
        frame, schema = _correlated(8_000, rho, 1)
        seen.append(value(frame[:4_000], frame[4_000:], schema))
    assert seen == sorted(seen)
    draw = np.random.default_rng(5).standard_normal((400_000, 2))
    other = 0.5 * np.abs(draw[:, 0]) + np.sqrt(0.75) * draw[:, 1]  # a of a row whose y lies above the median
    below = np.random.default_rng(6).permutation(-other)
    assert seen[1] == pytest.approx(np.sign(other - below).mean(), abs=0.03)


def test_what_cannot_be_judged_is_refused():
    train = table([0, 0, 1, 1] * 5, "aabb" * 5, "0011" * 5)
    with pytest.raises(DataProblem, match="every column is constant over the 2 validation rows"):
        value(train, table([1, 1], "aa", "00"), FOUR)
    single = Schema((Column("y", "numeric", "target"),))
    with pytest.raises(DataProblem, match="a column is predicted from the others"):
        value(pd.DataFrame({"y": [1.0, 2.0]}), pd.DataFrame({"y": [1.0, 2.0]}), single)
