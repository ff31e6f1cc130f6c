"""Which augmentation scores has a sample of minority rows, and which have the rivals that need none?

Every share of rows added is trained once for every family. The arms of `CURVES` also give a precision-recall curve:
metrics `augment_precision_at_recall_10_xgboost` and so on, the interpolated precision at that recall in per cent.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np

from synthcohort.metrics import augmentation, bayes
from synthcohort.metrics.augmentation import Arm, Task, make_task
from synthcohort.metrics.classifiers import Predictor
from synthcohort.metrics.matrix import DataProblem
from synthcohort.metrics.split import Expected, Measure, Sample, Split, owed
from synthcohort.scores import Score, failed

RECALLS = tuple(range(10, 100, 10))  # per cent
CURVES = ("none", augmentation.arm_name(1.0))


def curve_names(predictor: Predictor) -> tuple[str, ...]:
    """Return the names of the points of a precision-recall curve."""
    return tuple(f"augment_precision_at_recall_{recall}_{predictor.name}" for recall in RECALLS)


def augmented(split: Split, sample: Sample) -> list[Measure]:
    """Return the scores of every family and share of synthetic minority rows added."""

    def compute(predictor: Predictor, share: float) -> list[Score]:
        task, rng = _task(split), split.rng.branch("augmentation")
        return _scores(augmentation.augmented_arm(task, sample(), share, predictor, rng), task, predictor)

    return [
        Measure(_owed(predictor, augmentation.arm_name(share)), partial(compute, predictor, share))
        for predictor in split.rare_class_predictors()
        for share in split.metrics.augmentation_shares
    ]


def rivals(split: Split) -> list[Measure]:
    """Return the scores of the arms that need no generator."""

    def compute(predictor: Predictor) -> list[Score]:
        task, found = _task(split), []
        for name, arm in augmentation.rival_arms(task, predictor, split.rng.branch("augmentation")).items():
            if isinstance(arm, DataProblem):
                found += [failed(one.axis, one.metric, str(arm), condition=name) for one in _owed(predictor, name)]
            else:
                found += _scores(arm, task, predictor)
        return found

    return [
        Measure([one for name in augmentation.RIVALS for one in _owed(predictor, name)], partial(compute, predictor))
        for predictor in split.rare_class_predictors()
    ]


def best_possible(split: Split, law: Mapping[str, np.ndarray]) -> list[Measure]:
    """Return the scores of the exact case probabilities, the arm `bayes_optimal` under every family's names.

    Args:
        split: the real rows.
        law: "validation" and "test" -> P(positive level | row) of these rows.
    """

    def compute(predictor: Predictor) -> list[Score]:
        task = _task(split)
        rare = {name: p if task.minority == split.schema.positive else 1.0 - p for name, p in law.items()}
        return bayes.bayes_scores(task.test.rare, rare["test"], task.validation.rare, rare["validation"], predictor)

    return [
        Measure(owed("augmentation", augmentation.metric_names(predictor), bayes.ARM), partial(compute, predictor))
        for predictor in split.rare_class_predictors()
    ]


def _task(split: Split) -> Task:
    return make_task(split.train, split.validation, split.test, split.schema)


def _owed(predictor: Predictor, arm: str) -> list[Expected]:
    curve = curve_names(predictor) if arm in CURVES else ()
    return owed("augmentation", [*augmentation.metric_names(predictor), *curve], arm)


def _scores(arm: Arm, task: Task, predictor: Predictor) -> list[Score]:
    curve = _curve(arm, task, predictor) if arm.name in CURVES else []
    return [*augmentation.arm_scores(arm, task.test.rare, predictor), *curve]


def _curve(arm: Arm, task: Task, predictor: Predictor) -> list[Score]:
    found = augmentation.precision_recall(arm, task.test.rare)
    percent = (100 * found["recall"]).round().astype(int)
    reached = dict(zip(percent, found["precision"], strict=True))
    n = len(task.test.rare)
    return [
        Score("augmentation", name, float(reached[recall]), n, "up", condition=arm.name)
        for recall, name in zip(RECALLS, curve_names(predictor), strict=True)
    ]
