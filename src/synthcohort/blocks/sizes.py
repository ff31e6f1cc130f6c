"""What may be set of the questions what more columns, and more rows, cost?"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from synthcohort.blocks.base import Block


class WidthBlock(Block):
    """What more columns cost, on tables whose law is known.

    Args:
        methods: a module of `generators` or of `imputers` -> its hyperparameters; none to do without it.
        laws: keys of `datasets.latent_factors.LAWS`.
        columns: numbers of columns, ascending.
        rows: train rows; a tenth as many validate, a fifth are completed, and as many as train rows are drawn.
        repetitions: independent tables of each width.
        draws: completed tables of each imputer.
        rate: share of the cells that are hidden completely at random.
    """

    methods: dict[str, dict[str, Any]] = {}
    laws: list[Literal["numbers", "codes"]] = ["numbers", "codes"]
    columns: list[int] = [8, 32, 128, 512, 1024]
    rows: int = Field(default=1000, ge=40)
    repetitions: int = Field(default=3, ge=1)
    draws: int = Field(default=5, ge=1)
    rate: float = Field(default=0.2, gt=0, lt=1)

    @field_validator("methods", mode="before")
    @classmethod
    def _settings(cls, value: Any) -> Any:
        return {k: {} if v is None else v for k, v in value.items()} if isinstance(value, dict) else value

    @model_validator(mode="after")
    def _numbers(self) -> WidthBlock:
        if len(self.columns) < 2 or self.columns != sorted({*self.columns}) or self.columns[0] < 2:
            raise ValueError(
                f"columns {self.columns} must be two or more different numbers from 2 on, the smallest first"
            )
        return self


class ScaleBlock(Block):
    """What more rows, and more columns, cost every generator.

    Args:
        tables: the table whose rows are resampled, none to do without it; one at most.
        rows: numbers of train rows, ascending.
        columns: numbers of columns of a simulated table, ascending.
        wide_rows: its train rows.
        asked_rows, asked_columns: the sizes that the page asks about, among `rows` and `columns`.
        fit_cpu_seconds: what one fit with a draw of as many rows may cost; larger sizes are left out.
        stop_at: multiple of that at which a fit is ended.
        memory_gb: resident size at which its process is ended, in 10^9 bytes.
    """

    tables: list[str] = Field(default=[], max_length=1)
    rows: list[int] = [1000, 10_000, 100_000, 1_000_000]
    columns: list[int] = [10, 100, 1000, 2000]
    wide_rows: int = Field(default=1000, ge=20)
    asked_rows: int = 100_000
    asked_columns: int = 1000
    fit_cpu_seconds: float = Field(default=20.0, gt=0)
    stop_at: float = Field(default=3.0, ge=1)
    memory_gb: float = Field(default=8.0, gt=0)

    @model_validator(mode="after")
    def _sizes(self) -> ScaleBlock:
        for key, sizes, least, asked in (
            ("rows", self.rows, 20, self.asked_rows),
            ("columns", self.columns, 2, self.asked_columns),
        ):
            if not sizes or sizes != sorted({*sizes}) or sizes[0] < least:
                raise ValueError(f"{key} {sizes} must be different numbers from {least} on, the smallest first")
            if asked not in sizes:
                raise ValueError(f"asked_{key} is {asked}; it must be one of {key} {sizes}")
        return self
