"""A frame either satisfies its schema or the error names the column."""

import numpy as np
import pytest

import toys
from synthcohort.schema import Column, Schema, SchemaError, read_frame, write_frame


@pytest.fixture
def table():
    return toys.mixed(30)


def test_roles_kinds_and_task(table):
    _, schema = table
    assert schema.target.name == "died"
    assert [c.name for c in schema.sensitive] == ["sex"]
    assert [c.name for c in schema.numeric] == ["age", "marker"]
    assert schema.task == "binary"
    assert toys.numeric(9)[1].task == "regression"
    assert toys.categorical(9)[1].task == "multiclass"


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda f: f.drop(columns="age"), "expected .*'age'"),
        (lambda f: f[["sex", "age", "stage", "marker", "died"]], "in this order"),
        (lambda f: f.assign(age=np.nan), "'age' has 30 missing"),
        (lambda f: f.assign(marker=np.inf), "'marker' has infinite"),
        (lambda f: f.assign(age=-400.0), "'age' falls to -400.0, below its bound"),
        (lambda f: f.assign(age=400.0), "'age' rises to 400.0, above its bound"),
        (lambda f: f.assign(age=f["age"].clip(41, 55) + 0.25), "'age' has more than 0 decimal"),
        (lambda f: f.assign(age=f["age"].astype(int)), "'age' is int64, expected float64"),
        (lambda f: f.assign(sex=f["sex"].astype(str)), "'sex' is not categorical"),
        (lambda f: f.assign(sex=f["sex"].cat.add_categories("x")), "'sex' is not categorical"),
    ],
)
def test_each_way_to_break_a_schema_names_the_column(table, spoil, message):
    frame, schema = table
    with pytest.raises(SchemaError, match=message):
        schema.check(spoil(frame))


def test_cast_turns_text_into_levels_and_refuses_unknown_ones(table):
    frame, schema = table
    assert schema.cast(frame.astype({"sex": str, "stage": str, "died": str})).equals(frame)
    with pytest.raises(SchemaError, match=r"'sex' holds 1 unknown level.*'intersex'"):
        schema.cast(frame.assign(sex="intersex"))
    with pytest.raises(SchemaError, match="'age' is numeric but holds text"):
        schema.cast(frame.assign(age="old"))
    with pytest.raises(SchemaError, match=r"columns are missing: \['age'\]"):
        schema.cast(frame.drop(columns="age"))


def test_a_table_survives_the_disk_bit_for_bit(table, tmp_path):
    frame, schema = table
    for name, make in toys.ALL.items():
        frame, schema = make(50)
        schema.to_json(tmp_path / f"{name}.json")
        write_frame(frame, tmp_path / f"{name}.csv")
        assert Schema.from_json(tmp_path / f"{name}.json") == schema
        assert read_frame(tmp_path / f"{name}.csv", schema).equals(frame)


def test_levels_that_look_like_missing_values_stay_levels(tmp_path):
    levels = ("NA", "None", "nan", "1")
    schema = Schema((Column("a", "categorical", levels=levels), Column("y", "numeric", role="target")))
    frame = schema.cast(toys.pd.DataFrame({"a": list(levels), "y": [0.1, 0.2, 0.3, 0.4]}))
    write_frame(frame, tmp_path / "t.csv")
    assert read_frame(tmp_path / "t.csv", schema)["a"].tolist() == list(levels)


@pytest.mark.parametrize(
    ("columns", "positive", "message"),
    [
        ([Column("a", "numeric"), Column("a", "numeric", role="target")], "", "repeated: \\['a'\\]"),
        ([Column("a", "numeric")], "", "exactly one target, found \\[\\]"),
        ([Column("y", "categorical", role="target", levels=("0", "1"))], "yes", "'yes' is not among"),
    ],
)
def test_impossible_schemas_are_refused(columns, positive, message):
    with pytest.raises(SchemaError, match=message):
        Schema(tuple(columns), positive)


def test_impossible_columns_are_refused():
    with pytest.raises(SchemaError, match="levels are repeated"):
        Column("a", "categorical", levels=("x", "x"))
    with pytest.raises(SchemaError, match="needs its levels"):
        Column("a", "categorical")
    with pytest.raises(SchemaError, match="numeric column has no levels"):
        Column("a", "numeric", levels=("x",))
