"""What may be set of the question how few evaluations of a network are enough?"""

from __future__ import annotations

from pydantic import Field, model_validator

from synthcohort.blocks.base import Block


class FewStepsBlock(Block):
    """How few evaluations of a network draw a good row, and fill a hidden cell well.

    Args:
        tables, generators: the cells whose trained networks are drawn from again; none to do without it.
        imputed_tables, imputers: the cells, named as under `imputation`, whose hidden cells are filled in as many ways;
            none to do without it.
        evaluations: numbers of evaluations that draw a row, ascending.
        asked: the number that the page asks about, one of `evaluations`.
        ancestral: evaluations of the reference, ancestral steps; more than any of `evaluations`.
        rows: rows drawn of each kind on a split: as many draws of the size of the train rows as fit, or one smaller.
        draws: times that hidden cells are filled in each way; coverage takes 19 or more.
    """

    tables: list[str] = []
    generators: list[str] = []
    imputed_tables: list[str] = []
    imputers: list[str] = []
    evaluations: list[int] = [5, 10, 15, 25, 50, 100]
    asked: int = 25
    ancestral: int = 1000
    rows: int = Field(default=5000, ge=50)
    draws: int = Field(default=19, ge=2)

    @model_validator(mode="after")
    def _numbers(self) -> FewStepsBlock:
        if not self.evaluations or self.evaluations != sorted({*self.evaluations}) or self.evaluations[0] < 1:
            raise ValueError(f"evaluations {self.evaluations} must be different numbers from 1 on, the smallest first")
        if self.asked not in self.evaluations:
            raise ValueError(f"asked is {self.asked}; it must be one of evaluations {self.evaluations}")
        if self.ancestral <= self.evaluations[-1]:
            raise ValueError(f"ancestral is {self.ancestral}; it must be more than any of evaluations")
        return self
