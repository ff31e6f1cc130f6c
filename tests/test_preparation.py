"""Are gaps filled from train rows alone, and are unseen levels told?"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from synthcohort.imputation import ImputationError
from synthcohort.preparation import Filling, PreparationError, Unseen, prepare, unseen_levels
from synthcohort.schema import Column, Schema
from synthcohort.splits import Split

SCHEMA = Schema(
    (
        Column("x", "numeric", decimals=1, low=0, high=1000),
        Column("k", "categorical", levels=("u", "v", "w")),
        Column("y", "categorical", "target", levels=("0", "1")),
    ),
    "1",
)
SPLIT = Split(np.array([0, 1, 2, 3]), np.array([4, 5]), np.array([6, 7]))


def frame() -> pd.DataFrame:
    return SCHEMA.cast(
        pd.DataFrame(
            {
                "x": [1.0, 2.0, 2.1, np.nan, 900.0, np.nan, 1000.0, np.nan],
                "k": ["v", "v", "u", None, "u", None, "u", "w"],
                "y": ["0", "1", "0", "1", "0", "0", "0", "1"],
            }
        )
    )


def test_fills_are_the_medians_and_modes_of_train() -> None:
    parts = prepare(frame(), SCHEMA, SPLIT)
    assert parts.train["x"].tolist() == [1.0, 2.0, 2.1, 2.0] and parts.train["k"].tolist() == ["v", "v", "u", "v"]
    assert parts.validation["x"].tolist() == [900.0, 2.0] and parts.validation["k"].tolist() == ["u", "v"]
    assert parts.test["x"].tolist() == [1000.0, 2.0] and parts.test["k"].tolist() == ["u", "w"]
    assert parts.filled == {"x": 3, "k": 2}
    assert [list(part.index) for part in (parts.train, parts.validation, parts.test)] == [[0, 1, 2, 3], [0, 1], [0, 1]]


def test_other_parts_choose_nothing_and_the_table_is_left_alone() -> None:
    table, before = frame(), frame()
    fills = Filling.fit(table.iloc[SPLIT.train], SCHEMA).fills
    table.loc[SPLIT.test, "x"] = 5.0
    assert Filling.fit(table.iloc[SPLIT.train], SCHEMA).fills == fills
    prepare(before, SCHEMA, SPLIT)
    pd.testing.assert_frame_equal(before, frame())


def test_a_fill_keeps_the_columns_decimals() -> None:
    train = SCHEMA.cast(pd.DataFrame({"x": [1.0, 1.1, 1.2, 1.5], "k": list("uvwu"), "y": list("0101")}))
    fills = Filling.fit(train, SCHEMA).fills  # the median of x is 1.15, between two values the column can write
    assert fills["x"] in (1.1, 1.2) and fills["k"] == "u"


def test_a_column_empty_in_train_is_named() -> None:
    table = frame()
    table.loc[SPLIT.train, "x"] = np.nan
    with pytest.raises(ImputationError, match="'x': every cell is missing in the train rows"):
        prepare(table, SCHEMA, SPLIT)


def test_a_target_is_never_filled() -> None:
    table = frame()
    table.loc[0, "y"] = np.nan
    with pytest.raises(PreparationError, match="'y': 1 target cell"):
        prepare(table, SCHEMA, SPLIT)


def test_rows_shared_after_filling_are_refused() -> None:
    table = frame()
    table.loc[7, ["x", "k", "y"]] = [np.nan, "v", "1"]  # filled, it is train's row 1
    with pytest.raises(PreparationError, match="1 row\\(s\\) are the same in train and test"):
        prepare(table, SCHEMA, SPLIT)


def test_levels_unseen_in_train_are_counted() -> None:
    assert unseen_levels(frame(), SCHEMA, [SPLIT]) == [Unseen(0, "test", "k", "w", 1)]


def test_a_class_unseen_in_train_is_an_error() -> None:
    table = frame()
    table.loc[SPLIT.train, "y"] = "0"
    with pytest.raises(PreparationError, match="'y': class '1' is in test of split 0"):
        unseen_levels(table, SCHEMA, [SPLIT])
