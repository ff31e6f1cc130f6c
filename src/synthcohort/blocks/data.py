"""What may be set for the whole study, and for each of its tables?"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator

from synthcohort.blocks.base import Block


class StudyBlock(Block):
    """The settings that hold for the whole study."""

    seed: int
    splits: int = Field(3, ge=1, le=100)
    test_share: float = Field(0.2, gt=0, lt=0.9)
    validation_share: float = Field(0.1, gt=0, lt=0.9)
    confidence: float = Field(0.95, gt=0.5, lt=1)
    device: Literal["cpu", "cuda", "auto"] = "cpu"
    strict: bool = False


class DatasetBlock(Block):
    """One table; every field but `generators`, `rows`, `splits` and `reserve` is for the reader's own CSV.

    Args:
        path: the CSV file; None for a table with a module of its own. For one whose files are given to credentialed
            persons only: the folder that holds them.
        separator: column separator.
        encoding: the file's encoding, by a name that Python knows.
        decimal: the decimal sign of its numbers.
        names: number of a column, from 1 -> its name, where the header has none or the same twice.
        target: name of the column to predict.
        positive: level of the target that is the class of interest.
        kinds: column -> "numeric" or "categorical"; the others are inferred.
        sensitive: columns that define groups for fairness.
        drop: columns to leave out (identifiers, dates, leaks).
        group: column that says whose row it is, where one patient has several; left out, but it decides the splits.
        missing: texts that mean "missing", beside the empty cell.
        missing_codes: column -> further texts that mean "missing" there, such as -9.
        bounds: column -> lowest and highest number it may hold, null for no bound; a cell outside is an error.
        levels: column -> its levels in order; a cell that is none of them is an error.
        drop_rows_without_target: leave out rows whose target is missing, which is an error otherwise.
        restricted: true keeps rows, counts below 11 and extreme values of the table out of pages, logs, figures and
            messages; default: what the table's module says, false for the reader's own CSV.
        generators: which of the study's generators run on this table; None for all of them. An empty list compares
            none: the table has its own pages, and may stand in blocks with generators of their own, such as `fairness`.
        rows: use only this many rows, drawn once (smoke runs).
        splits: splits of this table, where it differs from study.splits (large tables need fewer).
        reserve: share of the rows that no split tests, however many splits there are; settings may be chosen on them.
    """

    path: str | None = None
    separator: str = ","
    encoding: str = "utf-8"
    decimal: Literal[".", ","] = "."
    names: dict[int, str] = {}
    target: str | None = None
    positive: str | None = None
    kinds: dict[str, Literal["numeric", "categorical"]] = {}
    sensitive: list[str] = []
    drop: list[str] = []
    group: str | None = None
    missing: list[str] = []
    missing_codes: dict[str, list[str]] = {}
    bounds: dict[str, tuple[float | None, float | None]] = {}
    levels: dict[str, list[str]] = {}
    drop_rows_without_target: bool = False
    restricted: bool | None = None
    generators: list[str] | None = None
    rows: int | None = Field(None, ge=20)
    splits: int | None = Field(None, ge=1, le=100)
    reserve: float = Field(0.0, ge=0, lt=1)

    @field_validator("positive", mode="before")
    @classmethod
    def _as_text(cls, value: Any) -> Any:
        return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value
