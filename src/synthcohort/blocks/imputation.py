"""What may be set of the question who fills missing cells best?"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from synthcohort.blocks.base import Block
from synthcohort.blocks.metrics import Family


class Scenario(Block):
    """How cells are hidden, written as {MECHANISM: RATE}.

    Args:
        mechanism: a function of `missingness`.
        rate: expected share of the feature cells that are hidden, in (0, 1).
    """

    mechanism: Literal["mcar", "mar", "mnar"]
    rate: float = Field(gt=0, lt=1)

    @model_validator(mode="before")
    @classmethod
    def _pair(cls, value: Any) -> Any:
        if not isinstance(value, dict) or len(value) != 1:
            raise ValueError("write one mechanism with its rate, such as {mcar: 0.2}")
        ((mechanism, rate),) = value.items()
        return {"mechanism": mechanism, "rate": rate}

    @property
    def name(self) -> str:
        """Its name in score files, such as "mcar_0.2"."""
        return f"{self.mechanism}_{self.rate:g}"


class ImputationBlock(Block):
    """Who fills missing cells best.

    Args:
        tables: tables it is asked on, none to do without it.
        imputers: a module of `imputers`, or of `generators` with the ability "impute" -> its hyperparameters.
        fitted: how cells of the train and validation rows are hidden; one of `scenarios`, the one in the page's tables.
        scenarios: how cells of the test rows are hidden, one after the other.
        splits: splits of each table at most, the first ones.
        draws: completed tables each imputer gives; coverage takes 19 or more.
        classifier: family that learns from completed train rows.
        as_found: whether rows are also completed as they were found, where the table has holes of its own.
    """

    tables: list[str] = []
    imputers: dict[str, dict[str, Any]] = {}
    fitted: Scenario = Scenario.model_validate({"mcar": 0.2})
    scenarios: list[Scenario] = [Scenario.model_validate({"mcar": rate}) for rate in (0.1, 0.2, 0.3, 0.5, 0.7)]
    splits: int = Field(default=3, ge=1)
    draws: int = Field(default=20, ge=1)
    classifier: Family = "xgboost"
    as_found: bool = False

    @field_validator("imputers", mode="before")
    @classmethod
    def _settings(cls, value: Any) -> Any:
        return {k: {} if v is None else v for k, v in value.items()} if isinstance(value, dict) else value

    @model_validator(mode="after")
    def _scenarios(self) -> ImputationBlock:
        names = [scenario.name for scenario in self.scenarios]
        if len(set(names)) < len(names):
            raise ValueError(f"scenarios {names} must differ")
        if self.fitted not in self.scenarios:
            raise ValueError(f"fitted is {self.fitted.name}; it must be one of scenarios {names}")
        return self
