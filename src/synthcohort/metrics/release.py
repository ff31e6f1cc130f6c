"""What is published, and which real rows tell what it gives away?"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from synthcohort.metrics.matrix import require_rows
from synthcohort.schema import Schema


@dataclass(frozen=True)
class Release:
    """A synthetic table beside the real rows that judge it.

    Args:
        train: [n_train, P + Q] rows the generator learned from.
        test: [n_test, P + Q] real rows it never saw.
        synthetic: [m, P + Q] rows of the generator.
        schema: the schema of all three.

    Raises:
        DataProblem: if one of the three tables has too few rows.
    """

    train: pd.DataFrame
    test: pd.DataFrame
    synthetic: pd.DataFrame
    schema: Schema

    def __post_init__(self) -> None:
        for name in ("synthetic", "train", "test"):
            require_rows(getattr(self, name), name)
