"""What are all the scores of one generator, or of the real table itself, on one split?

`evaluate_split` scores the samples of a generator; `reference_split` gives what stands beside every generator: the
ceiling (fresh real rows judged as if they were synthetic, models trained on real rows) and the rivals of augmentation.
To add a metric: write its function in a module of its own, then one `Measure` here.

A measure that is not defined on these rows gives failed scores that say why, and the others go on; a frame that breaks
the schema, or an error nobody foresaw, stops the cell.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import pandas as pd

from synthcohort.metrics import augmentation, detection, fidelity, mmd, privacy, utility
from synthcohort.metrics.classifiers import PREDICTORS, Predictor
from synthcohort.metrics.matrix import DataProblem, require_rows
from synthcohort.rng import Rng
from synthcohort.schema import Schema, SchemaError
from synthcohort.scores import Axis, Score, failed

OBSERVED = "as_observed"
MINORITY = "minority"


class Settings(Protocol):
    """The settings the metrics read; the study's `metrics` block has them."""

    @property
    def classifiers(self) -> Sequence[str]: ...
    @property
    def augmentation_shares(self) -> Sequence[float]: ...
    @property
    def max_rows_pairwise(self) -> int: ...
    @property
    def max_rows_distance(self) -> int: ...


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
            _check(getattr(self, name), self.schema, f"the {name} rows")

    def task(self) -> augmentation.Task:
        """Return the augmentation task of these rows."""
        return augmentation.make_task(self.train, self.validation, self.test, self.schema)

    def predictors(self) -> list[Predictor]:
        """Return the predictors of the settings."""
        return [PREDICTORS[name] for name in self.metrics.classifiers]


@dataclass(frozen=True)
class Measure:
    """Scores that are computed, and fail, together.

    Args:
        axis: their axis.
        names: their metrics.
        compute: returns them, or raises `DataProblem`.
        arms: the conditions each name is given under.
    """

    axis: Axis
    names: Sequence[str]
    compute: Callable[[], list[Score]]
    arms: Sequence[str] = (OBSERVED,)

    def run(self) -> list[Score]:
        """Return the scores, failed ones if they are not defined on these rows."""
        try:
            scores = self.compute()
        except DataProblem as problem:
            return [failed(self.axis, n, str(problem), condition=arm) for arm in self.arms for n in self.names]
        for score in scores:
            if not math.isfinite(score.value):
                raise ArithmeticError(f"{score.metric} came out as {score.value} without a reason")
        return scores


def evaluate_split(
    *,
    train: pd.DataFrame,
    validation: pd.DataFrame,
    test: pd.DataFrame,
    samples: Mapping[str, pd.DataFrame],
    schema: Schema,
    metrics: Settings,
    rng: Rng,
    absent: str = "the generator gave no sample",
) -> list[Score]:
    """Return every score of one generator on one split.

    Args:
        train: [n, P + Q] rows the generator learned from.
        validation: rows it may have used to stop early.
        test: real rows it never saw.
        samples: condition -> synthetic rows. Without "as_observed" or "minority" the scores that need it fail.
        schema: the schema of all frames.
        metrics: settings.
        rng: the randomness of this split's metrics. Give every generator the same branch: all are then judged on the
            same real subsamples, folds and seeds, which takes that noise out of their differences.
        absent: why a condition has no sample (a failed fit, a missing ability); becomes the note of failed scores.

    Raises:
        SchemaError: if a frame breaks the schema, naming the frame, the column and the fault.
    """
    split = Split(train, validation, test, schema, metrics, rng)
    for condition, sample in samples.items():
        _check(sample, schema, f"the synthetic rows {condition!r}")

    def ask(condition: str) -> pd.DataFrame:
        if condition not in samples:
            raise DataProblem(f"{absent} (condition {condition})")
        return samples[condition]

    observed = partial(ask, OBSERVED)
    measures = [*_fidelity(split, observed), _detection(split, observed), _privacy(split, observed)]
    measures += [_utility(split, "tstr", predictor, observed) for predictor in split.predictors()]
    measures += [
        _augmentation(split, predictor, share, partial(ask, MINORITY))
        for predictor in split.predictors()
        for share in metrics.augmentation_shares
    ]
    return [score for measure in measures for score in measure.run()]


def reference_split(
    *,
    train: pd.DataFrame,
    validation: pd.DataFrame,
    test: pd.DataFrame,
    schema: Schema,
    metrics: Settings,
    rng: Rng,
) -> list[Score]:
    """Return what the real table itself achieves on one split.

    Fresh real rows stand in for a perfect generator: the test rows against the training table (`shape`, `trend`,
    `dimension_wise_probability`, `mmd`); where test rows are the yardstick, the training rows (`c2st_xgboost`) or the
    validation rows (privacy). A perfect generator of more rows has less noise than these.

    Args:
        train, validation, test, schema, metrics, rng: as in `evaluate_split`.

    Raises:
        SchemaError: if a frame breaks the schema, naming the frame, the column and the fault.
    """
    split = Split(train, validation, test, schema, metrics, rng)
    measures = [
        *_fidelity(split, lambda: test),
        _detection(split, lambda: train),
        _privacy(split, lambda: validation),
    ]
    measures += [_utility(split, "trtr", predictor, lambda: train) for predictor in split.predictors()]
    measures += [_rivals(split, predictor) for predictor in split.predictors()]
    return [score for measure in measures for score in measure.run()]


def _check(frame: pd.DataFrame, schema: Schema, name: str) -> None:
    try:
        schema.check(frame)
    except SchemaError as error:
        raise SchemaError(f"{name} cannot be judged: {error}") from None


def _enough(frame: pd.DataFrame, split: Split) -> pd.DataFrame:
    require_rows(frame, "synthetic")
    require_rows(split.train, "train")
    require_rows(split.test, "test")
    return frame


def _fidelity(split: Split, sample: Callable[[], pd.DataFrame]) -> list[Measure]:
    train, schema, rng = split.train, split.schema, split.rng.branch("mmd")

    def columns() -> list[Score]:
        return fidelity.fidelity_scores(train, _enough(sample(), split), schema)

    def kernel() -> list[Score]:
        most = split.metrics.max_rows_pairwise
        return mmd.mmd_score(train, _enough(sample(), split), schema, max_rows=most, rng=rng)

    return [Measure("fidelity", fidelity.METRICS, columns), Measure("fidelity", mmd.METRICS, kernel)]


def _detection(split: Split, sample: Callable[[], pd.DataFrame]) -> Measure:
    def compute() -> list[Score]:
        rows = _enough(sample(), split)
        return detection.c2st_xgboost(split.test, rows, split.schema, split.rng.branch("c2st"))

    return Measure("fidelity", detection.METRICS, compute)


def _privacy(split: Split, sample: Callable[[], pd.DataFrame]) -> Measure:
    def compute() -> list[Score]:
        rows, most = _enough(sample(), split), split.metrics.max_rows_distance
        rng = split.rng.branch("privacy")
        return privacy.privacy_scores(split.train, split.test, rows, split.schema, max_rows=most, rng=rng)

    return Measure("privacy", privacy.METRICS, compute)


def _utility(split: Split, prefix: str, predictor: Predictor, rows: Callable[[], pd.DataFrame]) -> Measure:
    def compute() -> list[Score]:
        train, rng = _enough(rows(), split), split.rng.branch("utility")
        return utility.utility_scores(prefix, predictor, train=train, test=split.test, schema=split.schema, rng=rng)

    return Measure("utility", utility.metric_names(prefix, predictor, split.schema), compute)


def _augmentation(split: Split, predictor: Predictor, share: float, sample: Callable[[], pd.DataFrame]) -> Measure:
    def compute() -> list[Score]:
        rng = split.rng.branch("augmentation")
        return augmentation.augmented_scores(split.task(), sample(), share, predictor, schema=split.schema, rng=rng)

    arms = (augmentation.arm_name(share),)
    return Measure("augmentation", augmentation.metric_names(predictor), compute, arms)


def _rivals(split: Split, predictor: Predictor) -> Measure:
    def compute() -> list[Score]:
        return augmentation.rival_scores(split.task(), predictor, split.rng.branch("augmentation"))

    return Measure("augmentation", augmentation.metric_names(predictor), compute, augmentation.RIVALS)
