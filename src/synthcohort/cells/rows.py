"""How are a table and the train and validation rows of its splits kept between two stages?

A table is a folder of table.csv, schema.json and card.json; its development rows are a folder per split with train.csv
and validation.csv. Test rows are no part of this module, so that what learns cannot even name them (see `holdout`).
Folders are written under another name and renamed: a stage that was killed leaves nothing that looks whole.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd

from synthcohort.datasets.table import Card, Table
from synthcohort.schema import Schema, read_frame, write_frame


def write_table(table: Table, folder: Path) -> None:
    """Write a table into `folder`."""
    with whole_folder(folder) as partial:
        write_frame(table.frame, partial / "table.csv")
        table.schema.to_json(partial / "schema.json")
        table.card.to_json(partial / "card.json")


def read_table(folder: Path) -> Table:
    """Read what `write_table` wrote."""
    schema = read_schema(folder)
    return Table(read_frame(folder / "table.csv", schema), schema, read_card(folder))


def read_schema(folder: Path) -> Schema:
    """Read the schema in `folder`."""
    return Schema.from_json(_there(folder / "schema.json"))


def read_card(folder: Path) -> Card:
    """Read the card in `folder`."""
    return Card.from_json(_there(folder / "card.json"))


def read_development(folder: Path, split: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the train rows and the validation rows of one split."""
    schema = read_schema(folder)
    part = folder / f"split_{split}"
    return read_frame(_there(part / "train.csv"), schema), read_frame(part / "validation.csv", schema)


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """Give an empty folder to fill; it takes the place of `folder` only when the block ends without an error."""
    partial = folder.with_name(folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    yield partial
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)


def _there(path: Path) -> Path:
    if not path.is_file():
        marker = path.parent / "SKIPPED.json"
        reason = "the table could not be had on this machine" if marker.is_file() else "the stage before has not run"
        raise FileNotFoundError(f"{path.parent.name}/{path.name} is not there: {reason}; run `dvc repro`")
    return path
