"""What may be set of the search for the settings of the generators?"""

from __future__ import annotations

from pydantic import Field

from synthcohort.blocks.base import Block


class TuningBlock(Block):
    """The search for the settings of the generators, the same for each of them.

    Args:
        trials: different settings tried for each generator.
        tables: tables the trials are run on.
        rows: rows of a table used at most, of those that are in no split's test part.
        fit_cpu_seconds: what one fit with its draw may cost; a setting that costs more is not adopted.
        kept: generator -> why it keeps its setting although its search found another.
    """

    trials: int = Field(default=12, ge=2)
    tables: list[str] = []
    rows: int = Field(default=1200, ge=60)
    fit_cpu_seconds: float = Field(default=60.0, gt=0)
    kept: dict[str, str] = {}


Choice = bool | int | float | str
