"""What may be set of the question what guidance does for fairness?"""

from __future__ import annotations

from typing import Any

from pydantic import Field, field_validator, model_validator

from synthcohort.blocks.base import Block


class CurveBlock(Block):
    """One sampling option on its way through several values.

    Args:
        option: a sampling option of the generators.
        values: of it, in the order of the curve.
        also: sampling options that all draws of the curve have besides.
    """

    option: str
    values: list[int | float] = Field(min_length=1)
    also: dict[str, Any] = {}

    @model_validator(mode="after")
    def _understood(self) -> CurveBlock:
        if len({*self.values}) < len(self.values):
            raise ValueError(f"values {self.values} must be different")
        if self.option in self.also:
            raise ValueError(f"also fixes {self.option}, the option that the curve moves")
        return self


class GuidanceBlock(Block):
    """What guidance and the other sampling options do for fairness.

    Args:
        tables: table of `fairness.tables` -> those of its sensitive columns that are balanced; none, `[]`,
            to do without it.
        generators: generator -> its hyperparameters; one fit on every split.
        splits: how many of those of `fairness`, the first ones.
        curves: name -> an option and its values, one draw each.
    """

    tables: dict[str, list[str]] = {}
    generators: dict[str, dict[str, Any]] = {}
    splits: int = Field(default=3, ge=1, le=100)
    curves: dict[str, CurveBlock] = {}

    @field_validator("generators", mode="before")
    @classmethod
    def _settings(cls, value: Any) -> Any:
        return {k: {} if v is None else v for k, v in value.items()} if isinstance(value, dict) else value

    @field_validator("tables", mode="before")
    @classmethod
    def _none(cls, value: Any) -> Any:
        return {} if value == [] else value

    @model_validator(mode="after")
    def _named(self) -> GuidanceBlock:
        for table, columns in self.tables.items():
            if not columns or len(columns) > len({*columns}):
                raise ValueError(f"tables.{table} is {columns}; name the columns to balance, each once")
        return self
