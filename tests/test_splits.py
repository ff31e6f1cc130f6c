"""Do the splits part the rows as promised: each row once, every class everywhere, no row twice?"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from synthcohort.preparation import prepare
from synthcohort.rng import Rng
from synthcohort.schema import Column, Schema
from synthcohort.splits import SplitError, fingerprints, make_splits, strata

CLASSES = ("a", "b", "c")


def schema_of(*, regression: bool = False) -> Schema:
    target = Column("y", "numeric", "target") if regression else Column("y", "categorical", "target", levels=CLASSES)
    columns = (Column("x", "numeric"), Column("z", "numeric"), Column("k", "categorical", levels=("u", "v")), target)
    return Schema(columns, "" if regression else "c")


def frame_of(n: int, schema: Schema, *, seed: int = 0, grid: int = 10**6) -> pd.DataFrame:
    """Return n rows; a small grid plants many equal rows."""
    g = np.random.default_rng(seed)
    x, z = g.integers(0, grid, n).astype(float), g.integers(0, grid, n).astype(float)
    y = g.standard_normal(n) if schema.target.numeric else g.choice(CLASSES, n, p=[0.7, 0.25, 0.05])
    return schema.cast(pd.DataFrame({"x": x, "z": z, "k": g.choice(["u", "v"], n), "y": y}))


def split_of(frame: pd.DataFrame, schema: Schema, count: int = 3, seed: int = 5, test: float = 0.2):
    return make_splits(frame, schema, count=count, test_share=test, validation_share=0.1, rng=Rng(seed))


@pytest.mark.parametrize("regression", [False, True])
@pytest.mark.parametrize("n", [200, 563, 3001])
def test_every_row_once_and_sizes_as_asked(n: int, regression: bool) -> None:
    schema = schema_of(regression=regression)
    for split in split_of(frame_of(n, schema), schema):
        assert np.array_equal(np.sort(np.concatenate([split.train, split.validation, split.test])), np.arange(n))
        assert abs(len(split.test) - 0.2 * n) <= 0.01 * n and abs(len(split.validation) - 0.1 * n) <= 0.01 * n
        assert all((np.diff(part) > 0).all() for part in (split.train, split.validation, split.test))


@pytest.mark.parametrize("regression", [False, True])
def test_strata_are_shared_in_proportion(regression: bool) -> None:
    schema = schema_of(regression=regression)
    frame = frame_of(2000, schema)
    labels = strata(frame, schema)
    assert len(np.unique(labels)) == (10 if regression else 3)
    for split in split_of(frame, schema):
        for part, share in ((split.train, 0.7), (split.validation, 0.1), (split.test, 0.2)):
            assert np.abs(np.bincount(labels[part]) - share * np.bincount(labels)).max() <= 2


@pytest.mark.parametrize("grid", [4, 12])
def test_equal_rows_are_never_parted(grid: int) -> None:
    schema = schema_of()
    frame = frame_of(1500, schema, grid=grid)
    assert len(np.unique(fingerprints(frame))) < 1000
    prints = fingerprints(frame)
    for split in split_of(frame, schema):
        sets = [set(prints[part]) for part in (split.train, split.validation, split.test)]
        assert not (sets[0] & sets[1] or sets[0] & sets[2] or sets[1] & sets[2])
        assert abs(len(split.test) - 300) <= 15 and abs(len(split.validation) - 150) <= 15


def test_rows_made_equal_by_imputation_are_never_parted() -> None:
    """Every row of (x, k, y) exists with z = 5, the median, and with z missing: filled, they are the same row."""
    schema = schema_of()
    frame = frame_of(900, schema)
    frame["z"] = np.where(np.arange(900) % 3 == 0, frame["z"], 5.0)
    twin = frame.copy()
    twin["z"] = np.where(twin["z"] == 5.0, np.nan, twin["z"] + 0.5)
    both = schema.cast(pd.concat([frame, twin], ignore_index=True))
    for split in split_of(both, schema):
        parts = prepare(both, schema, split)
        sets = [set(fingerprints(part)) for part in (parts.train, parts.validation, parts.test)]
        assert not (sets[0] & sets[1] or sets[0] & sets[2] or sets[1] & sets[2])
        assert abs(len(split.test) - 360) <= 18


def test_a_split_depends_on_its_own_branch_alone() -> None:
    schema = schema_of()
    frame = frame_of(400, schema)
    three, five, other = split_of(frame, schema, 3), split_of(frame, schema, 5), split_of(frame, schema, 3, seed=6)
    assert all(np.array_equal(a.test, b.test) and np.array_equal(a.train, b.train) for a, b in zip(three, five))
    assert not any(np.array_equal(a.test, b.test) for a, b in zip(three, other))
    assert not np.array_equal(three[0].test, three[1].test)


def test_a_rare_class_is_in_every_part_or_the_split_is_refused() -> None:
    schema = schema_of()
    frame = frame_of(300, schema)
    frame["y"] = pd.Categorical(["c"] * 3 + ["a", "b", "a"] * 99, categories=list(CLASSES))
    for split in split_of(frame, schema, count=10):
        assert all((frame["y"].iloc[part] == "c").any() for part in (split.train, split.validation, split.test))
    frame.iloc[1] = frame.iloc[0]
    with pytest.raises(SplitError, match=r"column 'y': class 'c' has too few different rows"):
        split_of(frame, schema)


@pytest.mark.parametrize("test", [0.0, 0.9, 0.95])
def test_impossible_shares_are_refused(test: float) -> None:
    schema = schema_of()
    with pytest.raises(SplitError, match="test_share"):
        split_of(frame_of(100, schema), schema, test=test)


def test_a_missing_target_is_refused() -> None:
    schema = schema_of()
    frame = frame_of(100, schema)
    frame.loc[3, "y"] = np.nan
    with pytest.raises(SplitError, match="'y': 1 target cell"):
        split_of(frame, schema)


def test_fingerprints_know_cells_and_nothing_else() -> None:
    schema = schema_of()
    frame = frame_of(500, schema)
    prints = fingerprints(frame)
    assert prints.dtype == np.uint64 and len(np.unique(prints)) == 500
    assert np.array_equal(fingerprints(frame.iloc[::-1]), prints[::-1])
    wider = frame.assign(k=frame["k"].cat.set_categories(["v", "w", "u"]))
    assert np.array_equal(fingerprints(wider), prints)
    for name, cell in (("x", -1.0), ("k", None), ("y", None), ("z", np.nan)):
        changed = frame.copy()
        changed.loc[7, name] = cell
        assert np.flatnonzero(fingerprints(changed) != prints).tolist() == [7]
    swapped = frame.assign(x=frame["z"], z=frame["x"])
    assert (fingerprints(swapped) != prints).all()
    zero = pd.DataFrame({"x": [0.0, -0.0]})
    assert len(set(fingerprints(zero))) == 1


@pytest.mark.parametrize("grid", [12, 10**6])
def test_a_reserve_is_never_tested_and_leaves_earlier_splits_as_they_were(grid: int) -> None:
    schema, shares = schema_of(), {"test_share": 0.2, "validation_share": 0.1}
    frame = frame_of(1000, schema, grid=grid)
    held = make_splits(frame, schema, count=10, rng=Rng(5), reserve=0.4, **shares)
    free = make_splits(frame, schema, count=10, rng=Rng(5), **shares)
    tested = np.zeros(1000, dtype=bool)
    for split, plain in zip(held, free):
        fits = np.count_nonzero(tested) + np.count_nonzero(~tested[plain.test]) <= 600
        assert np.array_equal(split.test, plain.test) == fits
        assert fits or tested[split.test].all()
        tested[split.test] = True
        assert abs(len(split.test) - 200) <= 10 and abs(len(split.validation) - 100) <= 10
        assert np.array_equal(np.sort(np.concatenate([split.train, split.validation, split.test])), np.arange(1000))
    assert 0.35 < tested.mean() <= 0.6 and len({tuple(split.test) for split in held}) == 10


def test_a_reserve_must_leave_rows_to_test() -> None:
    schema = schema_of()
    for reserve in (0.61, -0.1):
        with pytest.raises(SplitError, match="reserve"):
            make_splits(
                frame_of(300, schema),
                schema,
                count=2,
                test_share=0.2,
                validation_share=0.1,
                rng=Rng(1),
                reserve=reserve,
            )
