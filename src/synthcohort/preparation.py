"""What is done to the rows of a split before anyone learns from them?

Missing cells are filled: a numeric cell by the median, a categorical one by the most frequent level, both learned on
the train rows alone and applied to all three parts. The target is never filled. Levels that occur in validation or
test but not in train are counted, so that the page of the table can say so; a class of the target unseen in train is
an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthcohort.fingerprint import fingerprints
from synthcohort.imputation import Filling
from synthcohort.schema import Column, Schema
from synthcohort.splits import Split

__all__ = ["Filling", "PreparationError", "Prepared", "Unseen", "prepare", "unseen_levels"]


class PreparationError(ValueError):
    """A split cannot be prepared; the message names the column and the remedy."""


@dataclass(frozen=True)
class Prepared:
    """The three parts of a split without missing cells, each with row numbers from 0.

    Args:
        train, validation, test: frames that satisfy the schema.
        filled: column -> number of cells filled in all three parts together; only columns with any.
    """

    train: pd.DataFrame
    validation: pd.DataFrame
    test: pd.DataFrame
    filled: Mapping[str, int]


@dataclass(frozen=True)
class Unseen:
    """A level that occurs in a part of a split but not in its train rows.

    Args:
        split: number of the split.
        part: "validation" or "test".
        column: name of the column.
        level: the level.
        rows: how many rows of the part have it.
    """

    split: int
    part: str
    column: str
    level: str
    rows: int


def prepare(frame: pd.DataFrame, schema: Schema, split: Split) -> Prepared:
    """Return the parts of `split` of the table `frame`, imputed from train.

    Raises:
        ImputationError: if a column has no cell in train.
        PreparationError: if a target cell is missing, or imputation made rows of two parts equal.
    """
    absent = frame.isna().sum()
    if absent[schema.target.name]:
        raise PreparationError(
            f"column {schema.target.name!r}: {absent[schema.target.name]} target cell(s) are missing; remove those rows"
        )
    raw = [frame.iloc[rows].reset_index(drop=True) for rows in (split.train, split.validation, split.test)]
    filling = Filling.fit(raw[0], schema)
    train, validation, test = (schema.check(filling.apply(part)) for part in raw)
    _check_apart({"train": train, "validation": validation, "test": test})
    filled = {str(name): int(n) for name, n in absent.items() if n}
    return Prepared(train, validation, test, filled)


def unseen_levels(frame: pd.DataFrame, schema: Schema, splits: list[Split]) -> list[Unseen]:
    """Return every level that a split has in validation or test but not in train.

    Raises:
        PreparationError: if it is a class of the target.
    """
    return [
        unseen
        for number, split in enumerate(splits)
        for part, rows in (("validation", split.validation), ("test", split.test))
        for column in schema.categorical
        for unseen in _unseen(frame[column.name], column, split.train, (number, part, rows))
    ]


def _unseen(cells: pd.Series, column: Column, train: np.ndarray, where: tuple[int, str, np.ndarray]) -> list[Unseen]:
    number, part, rows = where
    known = set(cells.iloc[train].dropna())
    counts = cells.iloc[rows].value_counts()
    found = [(level, int(n)) for level, n in counts.items() if n and level not in known]
    if found and column.role == "target":
        raise PreparationError(
            f"column {column.name!r}: class {found[0][0]!r} is in {part} of split {number} but not in train; "
            f"merge it with another class or use more rows"
        )
    return [Unseen(number, part, column.name, str(level), n) for level, n in sorted(found)]


def _check_apart(parts: Mapping[str, pd.DataFrame]) -> None:
    prints = {name: np.unique(fingerprints(part)) for name, part in parts.items()}
    for one, other in (("train", "validation"), ("train", "test"), ("validation", "test")):
        shared = np.intersect1d(prints[one], prints[other]).size
        if shared:
            raise PreparationError(
                f"{shared} row(s) are the same in {one} and {other} once missing cells are filled; make the split with "
                f"splits.make_splits, which keeps such rows together"
            )
