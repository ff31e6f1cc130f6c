"""In which form is a claim of a paper put to the test?"""

from __future__ import annotations

from synthcohort.blocks.base import Block


class ClaimBlock(Block):
    """One claim of a paper in a form a run can test.

    Args:
        source: where the paper says it.
        text: the claim in one sentence.
        metric: the score that decides it.
        better: generator said to be better.
        worse: generator said to be worse.
        condition: the ask or the arm the scores belong to.
        better_condition, worse_condition: where the two arms differ in condition.
        margin: smallest difference that counts, in the metric's unit.
        tables: tables it is tested on; empty: all.
        reported: the paper's figure, as text.
    """

    source: str
    text: str
    metric: str
    better: str
    worse: str
    condition: str = "as_observed"
    better_condition: str | None = None
    worse_condition: str | None = None
    margin: float = 0.0
    tables: list[str] = []
    reported: str = ""
