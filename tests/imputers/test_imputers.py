"""What every imputer must do, on tables of all kinds."""

import random

import numpy as np
import pandas as pd
import pytest
import torch
from imputer_toys import quick

import toys
from synthcohort.imputation import ImputationError
from synthcohort.imputers.load import find, names
from synthcohort.missingness import hide, mcar
from synthcohort.rng import Rng
from synthcohort.schema import Column, Schema, SchemaError

POINT = {"mean_mode", "k_nearest_neighbours", "forests"}  # single imputation by their sources
EVERY = [(name, toy) for name in names() for toy in toys.ALL]


def with_holes(toy, seed=1):
    """Return 90 rows with other holes for every seed, and their schema."""
    frame, schema = toys.ALL[toy](90)
    return hide(frame, mcar(frame, schema, rate=0.3, rng=Rng(seed))), schema


@pytest.fixture(scope="module")
def fitted():
    """Return (name, toy) -> (imputer, rows with holes), fitted once."""
    known = {}

    def fit(name, toy):
        if (name, toy) not in known:
            train, schema = with_holes(toy)
            rows = with_holes(toy, 2)[0].head(40)
            rows.index = rows.index + 100
            known[name, toy] = (quick(name).fit(train, schema, rng=Rng(1)), rows)
        return known[name, toy]

    return fit


@pytest.mark.parametrize(("name", "toy"), EVERY)
def test_draws_satisfy_the_schema_and_keep_every_cell_that_was_there(name, toy, fitted):
    imputer, rows = fitted(name, toy)
    before = rows.copy()
    drawn = imputer.impute(rows, rng=Rng(2), draws=3)
    assert len(drawn) == 3
    for frame in drawn:
        imputer.schema.check(frame)
        assert frame.index.equals(rows.index)
        for column in imputer.schema.columns:
            there = rows[column.name].notna().to_numpy()
            kept, given = frame[column.name].to_numpy()[there], rows[column.name].to_numpy()[there]
            assert kept.tobytes() == given.tobytes() if column.numeric else list(kept) == list(given)
    pd.testing.assert_frame_equal(rows, before)


@pytest.mark.parametrize(("name", "toy"), EVERY)
def test_same_rng_same_draws_and_global_generators_untouched(name, toy, fitted):
    imputer, rows = fitted(name, toy)
    states = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()  # noqa: NPY002
    first, again, other = (imputer.impute(rows, rng=Rng(seed), draws=2) for seed in (2, 2, 3))
    refit = quick(name).fit(with_holes(toy)[0], imputer.schema, rng=Rng(1)).impute(rows, rng=Rng(2), draws=2)
    after = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()  # noqa: NPY002
    assert states == after
    for k in range(2):
        pd.testing.assert_frame_equal(first[k], again[k])
        pd.testing.assert_frame_equal(first[k], refit[k])
    same = first[0].equals(first[1]), first[0].equals(other[0])
    if name in POINT:
        assert same[0]
    elif (name, toy) != ("gain", "categorical"):  # its noise seldom turns a level
        assert same == (False, False)


@pytest.mark.parametrize(("name", "toy"), EVERY)
def test_rows_without_holes_and_no_rows_come_back(name, toy, fitted):
    imputer, rows = fitted(name, toy)
    whole = imputer.impute(rows, rng=Rng(2))[0]
    assert all(frame.equals(whole) for frame in imputer.impute(whole, rng=Rng(3), draws=2))
    assert [len(frame) for frame in imputer.impute(rows.iloc[:0], rng=Rng(3), draws=2)] == [0, 0]
    one = rows[rows.isna().any(axis=1)].iloc[:1]
    assert len(imputer.impute(one, rng=Rng(3))[0]) == 1


@pytest.mark.parametrize("name", names())
def test_training_rows_without_holes_serve_all_but_gain(name):
    frame, schema = toys.mixed(90)
    rows, _ = with_holes("mixed")
    if name == "gain":
        with pytest.raises(ImputationError, match="gain learns from holes"):
            quick(name).fit(frame, schema, rng=Rng(1))
        return
    assert not quick(name).fit(frame, schema, rng=Rng(1)).impute(rows, rng=Rng(1))[0].isna().to_numpy().any()


@pytest.mark.parametrize("name", names())
def test_bad_rows_are_refused_by_row_and_column(name, fitted):
    imputer, rows = fitted(name, "mixed")
    empty, infinite = rows.copy(), rows.copy()
    empty.loc[103] = np.nan
    infinite.loc[105, "marker"] = np.inf
    odd = rows.assign(stage=rows["stage"].astype(object))
    odd.loc[104, "stage"] = "IV"
    with pytest.raises(ImputationError, match="row 103: every cell is missing"):
        imputer.impute(imputer.schema.cast(empty), rng=Rng(1))
    with pytest.raises(SchemaError, match="row 105, column 'marker': found inf"):
        imputer.impute(infinite, rng=Rng(1))
    with pytest.raises(SchemaError, match="row 104, column 'stage': found IV, allowed is one of"):
        imputer.impute(odd, rng=Rng(1))
    with pytest.raises(ValueError, match="draws=0"):
        imputer.impute(rows, rng=Rng(1), draws=0)
    with pytest.raises(SchemaError, match="columns are"):
        imputer.impute(rows.drop(columns="age"), rng=Rng(1))


@pytest.mark.parametrize("name", names())
def test_bad_training_rows_are_refused(name):
    train, schema = with_holes("mixed")
    with pytest.raises(ImputationError, match="column 'stage': every cell is missing in the 90 train rows"):
        quick(name).fit(schema.cast(toys.mixed(90)[0].assign(stage=None)), schema, rng=Rng(1))
    with pytest.raises(ImputationError, match="row 2: every cell is missing"):
        quick(name).fit(hide(train, np.arange(90)[:, None] == [2] * 5), schema, rng=Rng(1))
    with pytest.raises(ImputationError, match="at least 2"):
        quick(name).fit(train.iloc[:1], schema, rng=Rng(1))
    infinite = train.copy()
    infinite.loc[3, "age"] = -np.inf
    with pytest.raises(SchemaError, match="row 3, column 'age'"):
        quick(name).fit(infinite, schema, rng=Rng(1))


@pytest.mark.parametrize("name", names())
def test_a_level_no_training_row_shows_counts_as_missing_and_comes_back(name):
    train, schema = with_holes("mixed")
    train["stage"] = train["stage"].mask(train["stage"] == "II")
    imputer = quick(name).fit(train[train.notna().any(axis=1)], schema, rng=Rng(1))
    rows, _ = with_holes("mixed", 2)
    rows = rows[rows["stage"].notna() & rows.drop(columns="stage").notna().any(axis=1)].head(8)
    unseen, absent = rows.copy(), rows.copy()
    unseen["stage"], absent["stage"] = schema.cast(rows.assign(stage="II"))["stage"], np.nan
    with_level = imputer.impute(unseen, rng=Rng(4))[0]
    without = imputer.impute(schema.cast(absent), rng=Rng(4))[0]
    assert (with_level["stage"] == "II").all()
    pd.testing.assert_frame_equal(with_level.drop(columns="stage"), without.drop(columns="stage"))


@pytest.mark.parametrize("name", names())
def test_a_constant_column_and_a_level_alone_are_no_obstacle(name):
    columns = (Column("x", "numeric"), Column("k", "categorical", levels=("u", "v")), Column("t", "numeric", "target"))
    draw = np.random.default_rng(0)
    schema = Schema(columns)
    frame = schema.cast(pd.DataFrame({"x": [0.1] * 60, "k": ["v"] * 60, "t": draw.standard_normal(60)}))
    rows = hide(frame, mcar(frame, schema, rate=0.3, rng=Rng(1)))
    whole = quick(name).fit(rows, schema, rng=Rng(1)).impute(rows, rng=Rng(1))[0]
    assert whole["x"].to_numpy() == pytest.approx(0.1, abs=1e-3) and (whole["k"] == "v").all()


def test_numbers_are_settled_on_the_grid_within_the_bounds():
    schema = Schema(
        (Column("n", "numeric", low=0.0, high=9.0, decimals=0), Column("t", "numeric", "target", low=-0.25, high=1.25))
    )
    draw = np.random.default_rng(0)
    t = np.clip(draw.normal(0.5, 1, 200), -0.25, 1.25)
    frame = pd.DataFrame({"n": np.clip(np.round(draw.exponential(3, 200)), 0, 9), "t": t})
    rows = hide(frame, mcar(frame, schema, rate=0.4, rng=Rng(1)))
    drawn = quick("mice").fit(rows, schema, rng=Rng(1)).impute(rows, rng=Rng(1), draws=5)
    filled = np.concatenate([one["n"][rows["n"].isna()] for one in drawn])
    assert set(filled) <= set(range(10)) and len(set(filled)) > 5
    assert min(one["t"].min() for one in drawn) == -0.25 and max(one["t"].max() for one in drawn) == 1.25


def test_an_unknown_imputer_and_bad_settings_are_refused():
    with pytest.raises(LookupError, match="mean_mode"):
        find("median")
    bad = {
        "boosting": [{"trees": 0}, {"learning_rate": 0.0}],
        "forest_repaint": [{"levels": 1}, {"rows": 0}, {"resamplings": 0}, {"depth": 13}, {"learning_rate": 0.0}],
        "forests": [{"rounds": 0}],
        "gain": [{"hint_rate": 1.0}, {"alpha": -1.0}, {"max_steps": 0}, {"learning_rate": 0.0}],
        "k_nearest_neighbours": [{"neighbours": 0}],
        "mice": [{"rounds": 0}],
        "tabcsdi": [{"depth": 0}, {"width": 7}, {"beta_last": 1.0}, {"max_steps": 0}],
    }
    for name, settings in bad.items():
        for one in settings:
            with pytest.raises(ValueError, match=next(iter(one))):
                find(name)(**one)
