"""What may be set of the question how fair a model is that learned from balanced rows?"""

from __future__ import annotations

from typing import Any

from pydantic import Field, field_validator, model_validator

from synthcohort.blocks.base import Block


class FairnessBlock(Block):
    """How fair a model is that learned from balanced rows.

    Args:
        tables: table -> its sensitive columns; none, `[]`, to do without it.
        generators: whose balanced rows are judged -> its hyperparameters.
        cuts: numeric column -> cut points that make groups of it, in every table that names it.
        dials: from 0, the joint as observed, to 1, the balanced one, ascending.
        splits: of every table, half of its rows to train on, a quarter to validate and a quarter to judge.
    """

    tables: dict[str, list[str]] = {}
    generators: dict[str, dict[str, Any]] = {}
    cuts: dict[str, list[float]] = {}
    dials: list[float] = [0.0, 0.5, 1.0]
    splits: int = Field(default=3, ge=1, le=100)

    @field_validator("generators", mode="before")
    @classmethod
    def _settings(cls, value: Any) -> Any:
        return {k: {} if v is None else v for k, v in value.items()} if isinstance(value, dict) else value

    @field_validator("tables", mode="before")
    @classmethod
    def _none(cls, value: Any) -> Any:
        return {} if value == [] else value

    @model_validator(mode="after")
    def _understood(self) -> FairnessBlock:
        for table, columns in self.tables.items():
            if not columns or len(columns) > len({*columns}):
                raise ValueError(f"tables.{table} is {columns}; name its sensitive columns, each once")
        if len(self.dials) < 2 or self.dials != sorted({*self.dials}) or (self.dials[0], self.dials[-1]) != (0, 1):
            raise ValueError(f"dials {self.dials} must be different numbers, the smallest first, from 0 to 1")
        return self
