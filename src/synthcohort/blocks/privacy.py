"""What may be set of the questions what differential privacy costs, and whether it is kept?"""

from __future__ import annotations

import math
from typing import Any

from pydantic import Field, model_validator

from synthcohort.blocks.base import Block
from synthcohort.blocks.metrics import Family


class FamilyBlock(Block):
    """One private family of generators on the frontier.

    Args:
        counterpart: the generator of the study that is the same method without privacy, whose rows stand at epsilon =
            inf; "": it is fitted itself, with an infinite budget; its own name: it is not private, such as a sentinel.
        settings: the constructor's arguments but epsilon, where they are not the defaults.
    """

    counterpart: str = ""
    settings: dict[str, Any] = {}


class FrontierBlock(Block):
    """What every epsilon costs.

    Args:
        tables: the tables it is drawn on; none to do without it.
        splits: how many of a table's splits, the first ones.
        epsilons: the budgets, ascending; epsilon = inf, without privacy, always joins them.
        families: private generator -> its family.
        classifiers: families of predictors that learn from the rows; the first gives the answer of the page.
        tolerance: loss of AUROC, against the counterpart, that still counts as "as useful".
    """

    tables: list[str] = []
    splits: int = Field(default=5, ge=1)
    epsilons: list[float] = [0.5, 1, 2, 4, 8, 16]
    families: dict[str, FamilyBlock] = {}
    classifiers: list[Family] = Field(default=["xgboost", "logistic_regression"], min_length=1)
    tolerance: float = Field(default=0.05, gt=0, lt=0.5)

    @model_validator(mode="after")
    def _budgets(self) -> FrontierBlock:
        _check_epsilons(self.epsilons)
        return self


class AuditBlock(Block):
    """Lower bounds on epsilon from canaries, beside what is claimed.

    Args:
        tables: tables whose rows the canaries join; none to do without it.
        epsilons: the budgets claimed, ascending.
        families: private generator -> its constructor's arguments but epsilon, where they are not the defaults.
        canaries: canaries of a fit, each in or out by a fair coin.
        loop_canaries: canaries of the audit of the private training loop, which is cheaper.
    """

    tables: list[str] = []
    epsilons: list[float] = [1, 4, 16]
    families: dict[str, dict[str, Any]] = {}
    canaries: int = Field(default=200, ge=20)
    loop_canaries: int = Field(default=1000, ge=20)

    @model_validator(mode="after")
    def _budgets(self) -> AuditBlock:
        _check_epsilons(self.epsilons)
        return self


def _check_epsilons(epsilons: list[float]) -> None:
    if not epsilons or epsilons != sorted({*epsilons}) or not 0 < epsilons[0] <= epsilons[-1] < math.inf:
        raise ValueError(f"epsilons {epsilons} must be different positive numbers, the smallest first")
