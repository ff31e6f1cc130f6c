"""What do all measures of one split share?

The real rows of the split, the settings and the randomness (`Split`); and what becomes of a measure that is not defined
on some rows (`Measure`): failed scores that say why, never a zero.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import pandas as pd

from synthcohort.metrics.classifiers import PREDICTORS, Predictor
from synthcohort.metrics.matrix import DataProblem, require_rows
from synthcohort.rng import Rng
from synthcohort.schema import Schema, SchemaError
from synthcohort.scores import Axis, Score, failed

OBSERVED = "as_observed"
MINORITY = "minority"

Sample = Callable[[], pd.DataFrame]  # gives synthetic rows, or raises `DataProblem` where there are none


class Settings(Protocol):
    """The settings the metrics read; the study's `metrics` block has them."""

    @property
    def classifiers(self) -> Sequence[str]: ...
    @property
    def augmentation_classifiers(self) -> Sequence[str]: ...
    @property
    def augmentation_shares(self) -> Sequence[float]: ...
    @property
    def max_rows_pairwise(self) -> int: ...
    @property
    def max_rows_distance(self) -> int: ...
    @property
    def max_rows_transport(self) -> int: ...
    @property
    def max_rows_membership(self) -> int: ...
    @property
    def attacks(self) -> int: ...


@dataclass(frozen=True)
class Split:
    """The real rows of one split, with what every measure needs beside a sample.

    Args:
        train, validation, test: real rows.
        schema: their schema.
        metrics: settings.
        rng: the randomness of this split's metrics.
    """

    train: pd.DataFrame
    validation: pd.DataFrame
    test: pd.DataFrame
    schema: Schema
    metrics: Settings
    rng: Rng

    def __post_init__(self) -> None:
        for name in ("train", "validation", "test"):
            check(getattr(self, name), self.schema, f"the {name} rows")

    def predictors(self) -> list[Predictor]:
        """Return the families that are trained on a whole table."""
        return [PREDICTORS[name] for name in self.metrics.classifiers]

    def rare_class_predictors(self) -> list[Predictor]:
        """Return the families that learn the rare class from augmented rows."""
        return [PREDICTORS[name] for name in self.metrics.augmentation_classifiers]

    def enough(self, sample: pd.DataFrame) -> pd.DataFrame:
        """Return `sample`; too few rows of it, of train or of test are a `DataProblem`."""
        require_rows(sample, "synthetic")
        require_rows(self.train, "train")
        require_rows(self.test, "test")
        return sample


@dataclass(frozen=True)
class Expected:
    """One score a measure owes.

    Args:
        axis, metric, condition: as in `Score`.
    """

    axis: Axis
    metric: str
    condition: str = OBSERVED


@dataclass(frozen=True)
class Measure:
    """Scores that are computed, and fail, together.

    Args:
        owes: the scores it gives.
        compute: returns them, or raises `DataProblem`.
    """

    owes: Sequence[Expected]
    compute: Callable[[], list[Score]]

    def run(self) -> list[Score]:
        """Return the scores, failed ones if they are not defined on these rows."""
        try:
            scores = self.compute()
        except DataProblem as problem:
            return [failed(one.axis, one.metric, str(problem), condition=one.condition) for one in self.owes]
        for score in scores:
            if not math.isfinite(score.value) and not score.note:
                raise ArithmeticError(f"{score.metric} came out as {score.value} without a reason")
        return scores


def owed(axis: Axis, names: Sequence[str], condition: str = OBSERVED) -> list[Expected]:
    """Return the scores of one axis under one condition."""
    return [Expected(axis, name, condition) for name in names]


def check(frame: pd.DataFrame, schema: Schema, name: str) -> None:
    """Refuse a frame that breaks the schema.

    Raises:
        SchemaError: naming the frame, the column and the fault.
    """
    try:
        schema.check(frame)
    except SchemaError as error:
        raise SchemaError(f"{name} cannot be judged: {error}") from None
