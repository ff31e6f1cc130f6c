"""The objective by hand: what each part says of rows whose parts are known without a computer."""

import numpy as np
import pandas as pd
import pytest

import toys
from synthcohort.generators.independent import Independent
from synthcohort.metrics.matrix import DataProblem
from synthcohort.rng import Rng
from synthcohort.schema import Column, Schema
from synthcohort.tuning.objective import Judge, Parts
from synthcohort.tuning.rows import TuningRows

SCHEMA = Schema(
    (
        Column("x", "numeric"),
        Column("mark", "categorical", levels=("a", "b")),
        Column("ill", "categorical", role="target", levels=("no", "yes")),
    ),
    positive="yes",
)


def rows(first: int, ill: int) -> pd.DataFrame:
    """40 rows, the last `ill` of them ill and marked b; x repeats first ... first + 4 and tells nothing of illness."""
    sick = np.arange(40) >= 40 - ill
    data = {"x": first + np.arange(40.0) % 5, "mark": np.where(sick, "b", "a"), "ill": np.where(sick, "yes", "no")}
    return SCHEMA.cast(pd.DataFrame(data))


def test_the_value_is_the_mean_of_the_parts():
    assert Parts(fidelity=0.5, indistinguishable=0.1, useful=0.9, fresh=0.3).value == pytest.approx(0.45)


def test_every_part_by_hand():
    # x has no value in common: Shape 0, and 0 for its pairs. mark, ill: 20 of 40 against 10 of 40 ill: 1 - TV = .75.
    # Shape = (0 + .75 + .75) / 3, Trend = (0 + 0 + .75) / 3. x gives every row away. mark tells ill from well in both
    # tables. Synthetic x lies below all real x, nearest to judged rows: nothing is nearer to a train row.
    found = TuningRows(rows(40, 20), rows(20, 20), rows(0, 20), SCHEMA)
    parts = Judge.of(found, Rng(1)).parts(rows(-100, 10))
    assert parts.fidelity == pytest.approx((0.5 + 0.25) / 2)
    assert parts.indistinguishable == 0
    assert parts.useful == 1
    assert parts.fresh == 1
    assert parts.value == pytest.approx((0.375 + 0 + 1 + 1) / 4)


def distinct() -> tuple[pd.DataFrame, Schema]:
    frame, schema = toys.mixed(600)
    return frame.drop_duplicates(ignore_index=True), schema


@pytest.fixture(scope="module")
def judge():
    frame, schema = distinct()
    cut = [frame.iloc[start:stop].reset_index(drop=True) for start, stop in ((0, 250), (250, 300), (300, 490))]
    return Judge.of(TuningRows(*cut, schema), Rng(2))


def test_copies_earn_nothing_for_freshness_and_fall_behind_fresh_rows(judge):
    copies, fresh = judge.parts(judge.rows.train), judge.parts(distinct()[0].iloc[490:])
    assert copies.fresh == 0 and copies.useful == 1
    assert fresh.value > copies.value


def test_columns_without_dependence_are_useless_and_recognised(judge):
    shuffled = Independent().fit(judge.rows.train, judge.rows.schema, rng=Rng(3)).sample(250, rng=Rng(4))
    parts, real = judge.parts(shuffled), judge.parts(distinct()[0].iloc[490:])
    assert parts.useful < real.useful - 0.1
    assert parts.indistinguishable < real.indistinguishable - 0.1
    assert parts.fidelity < real.fidelity


def test_rows_and_judge_alone_decide(judge):
    sample = distinct()[0].iloc[490:]
    assert judge.parts(sample) == judge.parts(sample)


def test_a_part_that_is_not_defined_is_no_zero(judge):
    one_class = judge.rows.train[judge.rows.train["died"] == "no"]
    with pytest.raises(DataProblem, match="one level only"):
        judge.parts(one_class)
    frame, schema = toys.numeric(120)
    with pytest.raises(DataProblem, match="target 'y' is numeric"):
        Judge.of(TuningRows(frame[:60], frame[60:80], frame[80:], schema), Rng(1))
