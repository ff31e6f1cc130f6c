"""Which rows is a benchmark run on? Those of a table's first split, or fresh ones of the simulated registry."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from synthcohort import study
from synthcohort.cells.holdout import read_test
from synthcohort.cells.rows import read_development, read_schema
from synthcohort.datasets import rare_liver
from synthcohort.rng import Rng
from synthcohort.schema import Schema
from synthcohort.study import Study

SIMULATED = "simulated"


@dataclass(frozen=True)
class Rows:
    """The parts of one split.

    Args:
        name: the table.
        train, validation, test: its rows.
        schema: their schema.
    """

    name: str
    train: pd.DataFrame
    validation: pd.DataFrame
    test: pd.DataFrame
    schema: Schema

    def text(self) -> str:
        """Return the table with its sizes."""
        sizes = f"{len(self.train):,} train, {len(self.validation):,} validation and {len(self.test):,} test rows"
        return f"{self.name}: {sizes}, {len(self.schema.columns)} columns"


def opened() -> Study:
    """Return the study this file belongs to."""
    return study.load(Path(__file__).parent)


def find(table: str, train_rows: int, rng: Rng) -> Rows:
    """Return the rows of `table`; the process ends with what to do if the study has not prepared it.

    Args:
        table: name of a table of the study, or "simulated".
        train_rows: train rows of a simulated table.
        rng: the randomness of a simulated table.
    """
    return simulated(train_rows, rng) if table == SIMULATED else prepared(table)


def simulated(train_rows: int, rng: Rng) -> Rows:
    """Return independent rows of the law of `rare_liver`, in the study's shares of 70, 10 and 20 %."""
    sizes = {"train": train_rows, "validation": round(train_rows / 7), "test": round(2 * train_rows / 7)}
    parts = {part: rare_liver.draw(size, rng.branch(part)) for part, size in sizes.items()}
    return Rows(SIMULATED, **parts, schema=rare_liver.SCHEMA)


def prepared(table: str) -> Rows:
    """Return the first split of a table of the study."""
    paths = opened().paths
    try:
        train, validation = read_development(paths.development(table), 0)
        test, schema = read_test(paths.test(table), 0), read_schema(paths.test(table))
    except FileNotFoundError:
        sys.exit(
            f"There is no prepared table {table!r} here. Run `synthcohort data` and `dvc repro prepare@{table}` (or "
            f"`make study`) first, or take --table {SIMULATED}, which needs no files."
        )
    return Rows(table, train, validation, test, schema)
