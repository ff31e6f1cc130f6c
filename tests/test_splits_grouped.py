"""Do rows that belong together stay together, and do tables without such rows keep the splits they had?"""

from __future__ import annotations

import hashlib

import numpy as np
import pandas as pd
import pytest

from synthcohort.preparation import prepare
from synthcohort.rng import Rng
from synthcohort.schema import Schema
from synthcohort.splits import Split, SplitError, fingerprints, make_splits, strata
from test_splits import frame_of, schema_of

# digests of the splits as they were before rows could be grouped
BEFORE = {
    ("plain", False): "5f00eedac48cadfb84e3c37aa703835cc2e9034669185416aeeb457f2e3fefc7",
    ("equal", False): "79ac5b5428bfa281fcc61a32385a871ce11bb5e331db65f7831fb8811dd72a47",
    ("holes", False): "8dafc7b839603f855d34c84591b297f01f8f7e1d22b5eb9e7a6800dcea163385",
    ("plain", True): "9d234680600a26bfadcc65c9e6dcd8ba27c09313d3d4baadfda7eefc5b300e00",
    ("equal", True): "22f5673ecb865e579d6b0c8a7a003667d5c0159f3bc2aafcd281323ef60613b8",
    ("holes", True): "4c6031c16c7248fab05113c68192b60e14b251df84849c794c196122ab811666",
}


def stays(n: int, *, most: int = 12, seed: int = 1) -> np.ndarray:
    """Return the patient of each of n stays, in no order; most patients have one stay, few have up to `most`."""
    g = np.random.default_rng(seed)
    sizes = np.minimum(g.geometric(0.6, n), most)
    return g.permutation(np.repeat(np.arange(n), sizes)[:n])


def split_of(frame: pd.DataFrame, schema: Schema, groups: np.ndarray | None, count: int = 3) -> list[Split]:
    return make_splits(frame, schema, count=count, test_share=0.2, validation_share=0.1, rng=Rng(5), groups=groups)


def parts_of(split: Split) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return split.train, split.validation, split.test


def parted(split: Split, groups: np.ndarray) -> int:
    """Return how many groups have rows in two parts."""
    return int(sum(len(np.unique(groups[part])) for part in parts_of(split)) - len(np.unique(groups)))


@pytest.mark.parametrize(("kind", "regression"), BEFORE)
def test_without_groups_the_splits_are_those_of_before(kind: str, regression: bool) -> None:
    schema = schema_of(regression=regression)
    if kind == "plain":
        frame = frame_of(563, schema)
    elif kind == "equal":
        frame = frame_of(1500, schema, grid=6)
    else:
        frame = frame_of(900, schema, grid=12)
        frame["z"] = frame["z"].where(np.arange(900) % 3 > 0)
        frame["k"] = frame["k"].where(np.arange(900) % 7 > 0)
    digest = hashlib.sha256()
    for split in split_of(frame, schema, None):
        for part in parts_of(split):
            digest.update(len(part).to_bytes(8, "little") + part.astype("<i8").tobytes())
    assert digest.hexdigest() == BEFORE[kind, regression]


@pytest.mark.parametrize("regression", [False, True])
def test_no_group_is_parted_and_shares_are_kept(regression: bool) -> None:
    schema = schema_of(regression=regression)
    frame, groups = frame_of(3000, schema), stays(3000)
    labels = strata(frame, schema)
    assert all(parted(split, groups) > 100 for split in split_of(frame, schema, None))
    for split in split_of(frame, schema, groups):
        assert parted(split, groups) == 0
        assert np.array_equal(np.sort(np.concatenate(parts_of(split))), np.arange(3000))
        for part, share in zip(parts_of(split), (0.7, 0.1, 0.2)):
            assert abs(len(part) - share * 3000) <= 3
            assert np.abs(np.bincount(labels[part]) - share * np.bincount(labels)).max() <= 6


def test_a_patient_with_rows_of_every_class_counts_in_each() -> None:
    """Every patient has one row of the rare class and nine of the others: one part in ten of the patients is exact."""
    schema = schema_of()
    frame = frame_of(1000, schema)
    frame["y"] = pd.Categorical((["c"] + ["a"] * 6 + ["b"] * 3) * 100, categories=["a", "b", "c"])
    for split in split_of(frame, schema, np.repeat(np.arange(100), 10)):
        assert [len(part) for part in parts_of(split)] == [700, 100, 200]


def test_groups_and_equal_rows_and_rows_that_filling_makes_equal_all_hold_together() -> None:
    schema = schema_of()
    frame, groups = frame_of(1200, schema, grid=60), stays(1200)
    frame["z"] = frame["z"].where(np.arange(1200) % 5 > 0)
    assert len(np.unique(fingerprints(frame))) < 1200
    for split in split_of(frame, schema, groups):
        assert parted(split, groups) == 0
        prepared = prepare(frame, schema, split)
        assert abs(len(prepared.test) - 240) <= 12


def test_splits_differ_from_each_other_and_repeat_themselves() -> None:
    schema = schema_of()
    frame, groups = frame_of(400, schema), stays(400)
    once, again = split_of(frame, schema, groups), split_of(frame, schema, groups, count=5)
    assert all(np.array_equal(a.test, b.test) and np.array_equal(a.train, b.train) for a, b in zip(once, again))
    assert not np.array_equal(once[0].test, once[1].test)


def test_a_class_of_two_patients_is_refused() -> None:
    schema = schema_of()
    frame, groups = frame_of(600, schema), np.arange(600) // 2
    frame["y"] = pd.Categorical(["c"] * 4 + ["a", "b"] * 298, categories=["a", "b", "c"])
    with pytest.raises(SplitError, match=r"class 'c' has too few different rows, or groups of rows"):
        split_of(frame, schema, groups)
    assert split_of(frame, schema, None)


@pytest.mark.parametrize(
    ("regression", "message"),
    [(False, "class 'a' has too few"), (True, r"test would be 0\.06 of the rows where test_share asks for 0\.2")],
)
def test_one_group_that_is_nearly_everything_is_refused(regression: bool, message: str) -> None:
    schema = schema_of(regression=regression)
    groups = np.maximum(np.arange(1000) - 940, 0)
    with pytest.raises(SplitError, match=message):
        split_of(frame_of(1000, schema), schema, groups)
