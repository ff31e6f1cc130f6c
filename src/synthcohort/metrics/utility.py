"""Does a model trained on the synthetic table work on real patients?

Train on synthetic, test on real (`tstr_...`) [Esteban 2017], beside train on real, test on real (`trtr_...`), the
ceiling. Binary targets: discrimination by AUROC and average precision (AUPRC); decisions at a probability of 0.5 of
the positive level by accuracy, balanced accuracy (mean of sensitivity and specificity), F1 and F2, with
F_b = (1 + b^2) TP / ((1 + b^2) TP + b^2 FN + FP); risks by Brier score, calibration slope and intercept
(`calibration.py`). Several levels: AUROC, AUPRC and F1 are unweighted means over levels, each against the rest; the
predicted level is the most probable; Brier sums over levels [Brier 1950]. Numeric targets: R^2 and the root mean
squared error in the target's unit.

A measure that is not defined for these predictions (a slope where the classes are separated) fails alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    f1_score,
    r2_score,
    recall_score,
    roc_auc_score,
    root_mean_squared_error,
)

from synthcohort.metrics.calibration import brier, calibration_intercept, calibration_slope_error
from synthcohort.metrics.classifiers import Predictor, classify_target, learned_features
from synthcohort.metrics.matrix import DataProblem, require_rows, target_codes
from synthcohort.rng import Rng
from synthcohort.schema import Schema
from synthcohort.scores import Axis, Direction, Score, failed


@dataclass(frozen=True)
class PredictionMeasure:
    """A number that judges predictions.

    Args:
        name: such as "auroc".
        direction: which values are better.
        compute: truth, predictions (as in `Judged`) -> the number, or raises `DataProblem`.
    """

    name: str
    direction: Direction
    compute: Callable[[np.ndarray, np.ndarray], float]

    def score(
        self, axis: Axis, metric: str, truth: np.ndarray, predicted: np.ndarray, *, condition: str = "as_observed"
    ) -> Score:
        """Return the score called `metric`, a failed one with its reason if it is not defined here."""
        try:
            value = float(self.compute(truth, predicted))
        except DataProblem as problem:
            return failed(axis, metric, str(problem), condition=condition)
        return Score(axis, metric, value, len(truth), self.direction, condition=condition)


@dataclass(frozen=True)
class Judged:
    """What a predictor trained on one table predicts of the test rows: train once, score often.

    Args:
        predictor: its family.
        model: the fitted model of the family's features.
        truth: [n] 1 where the target has the positive level (binary), [n, K] of 0 and 1 (multiclass), or [n] values.
        predicted: [n] probability of the positive level, [n, K] probabilities, or [n] values.
    """

    predictor: Predictor
    model: object
    truth: np.ndarray
    predicted: np.ndarray


def measures(schema: Schema) -> tuple[PredictionMeasure, ...]:
    """Return the measures of prediction that suit the table's target."""
    return {"binary": BINARY, "multiclass": MULTICLASS, "regression": REGRESSION}[schema.task]


def metric_names(prefix: str, predictor: Predictor, schema: Schema) -> tuple[str, ...]:
    """Return the names of the scores of one predictor, such as `tstr_auroc_xgboost`."""
    return tuple(f"{prefix}_{measure.name}_{predictor.name}" for measure in measures(schema))


def judge(predictor: Predictor, *, train: pd.DataFrame, test: pd.DataFrame, schema: Schema, rng: Rng) -> Judged:
    """Train one predictor on `train` and let it predict `test`.

    Args:
        predictor: the family of the predictor.
        train: [m, P + Q] rows to learn from.
        test: [n, P + Q] real rows nobody has learned from.
        schema: the schema of both.
        rng: seeds the fit.

    Raises:
        DataProblem: if the training target has one level, a level of the target has no test row, or a numeric target
            is constant over the test rows.
    """
    learn = _regression if schema.target.numeric else _classification
    return learn(predictor, train, test, schema, rng.branch(predictor.name).integer())


def judged_scores(prefix: str, judged: Judged, schema: Schema) -> list[Score]:
    """Return the scores of a trained predictor; a measure that is not defined for its predictions fails alone.

    Args:
        prefix: of the names: "tstr" if it learned from synthetic rows, "trtr" if from real ones.
        judged: the predictor and its predictions.
        schema: the schema of the rows.
    """
    names = metric_names(prefix, judged.predictor, schema)
    return [
        measure.score("utility", name, judged.truth, judged.predicted) for measure, name in zip(measures(schema), names)
    ]


def utility_scores(
    prefix: str, predictor: Predictor, *, train: pd.DataFrame, test: pd.DataFrame, schema: Schema, rng: Rng
) -> list[Score]:
    """Train one predictor on `train` and score it on `test`: `judge`, then `judged_scores`."""
    return judged_scores(prefix, judge(predictor, train=train, test=test, schema=schema, rng=rng), schema)


def auroc(judged: Judged, schema: Schema) -> float:
    """Return the AUROC of a trained predictor, the mean over levels against the rest if there are several.

    Raises:
        DataProblem: if the target is numeric.
    """
    if schema.target.numeric:
        raise DataProblem(f"AUROC needs classes; the target {schema.target.name!r} is numeric")
    return float(roc_auc_score(judged.truth, judged.predicted))


def f_beta(truth: np.ndarray, found: np.ndarray, beta: float) -> float:
    """Return F_beta of class 1; 0 if none of its rows is found.

    Args:
        truth: [n] of 0 and 1, at least one 1.
        found: [n] whether the row is predicted to be 1.
        beta: weight of recall against precision.
    """
    hits = float(np.sum(found & (truth == 1)))
    missed, false = float(np.sum(truth)) - hits, float(np.sum(found)) - hits
    return (1 + beta**2) * hits / ((1 + beta**2) * hits + beta**2 * missed + false)


def _classification(predictor: Predictor, train: pd.DataFrame, test: pd.DataFrame, schema: Schema, seed: int) -> Judged:
    levels = schema.target.levels
    truth = target_codes(test, schema)
    absent = [level for code, level in enumerate(levels) if not (truth == code).any()]
    if absent:
        raise DataProblem(f"no test row has the target level(s) {absent}, so their prediction cannot be scored")
    model = classify_target(predictor, train, schema=schema, seed=seed)
    probabilities = model.probabilities(test)  # [n, K]
    if schema.task == "multiclass":
        return Judged(predictor, model.fitted.model, np.eye(len(levels))[truth], probabilities)
    positive = levels.index(schema.positive)
    return Judged(predictor, model.fitted.model, (truth == positive).astype(int), probabilities[:, positive])


def _regression(predictor: Predictor, train: pd.DataFrame, test: pd.DataFrame, schema: Schema, seed: int) -> Judged:
    name = schema.target.name
    truth = test[name].to_numpy()
    if np.ptp(truth) == 0:
        raise DataProblem(f"the target {name!r} is constant over the {len(test)} test rows, so R^2 is undefined")
    require_rows(train, "training")
    known, features = learned_features(predictor, train, schema.features)
    model = predictor.regressor(seed).fit(known, train[name].to_numpy())
    return Judged(predictor, model, truth, model.predict(features(test)))


def _positive(measure: Callable[[np.ndarray, np.ndarray], float]) -> Callable[[np.ndarray, np.ndarray], float]:
    return lambda truth, probability: measure(truth, probability >= 0.5)


def _most_probable(measure: Callable[[np.ndarray, np.ndarray], float]) -> Callable[[np.ndarray, np.ndarray], float]:
    return lambda hits, probabilities: measure(hits.argmax(axis=1), probabilities.argmax(axis=1))


_macro_recall = partial(recall_score, average="macro", zero_division=0.0)

BINARY = (
    PredictionMeasure("accuracy", "up", _positive(accuracy_score)),
    PredictionMeasure("balanced_accuracy", "up", _positive(_macro_recall)),
    PredictionMeasure("auroc", "up", roc_auc_score),
    PredictionMeasure("auprc", "up", average_precision_score),
    PredictionMeasure("f1", "up", _positive(partial(f_beta, beta=1.0))),
    PredictionMeasure("f2", "up", _positive(partial(f_beta, beta=2.0))),
    PredictionMeasure("brier", "down", brier),
    PredictionMeasure("calibration_slope_error", "down", calibration_slope_error),
    PredictionMeasure("calibration_intercept", "zero", calibration_intercept),
)
MULTICLASS = (
    PredictionMeasure("accuracy", "up", _most_probable(accuracy_score)),
    PredictionMeasure("balanced_accuracy", "up", _most_probable(_macro_recall)),
    PredictionMeasure("auroc", "up", roc_auc_score),
    PredictionMeasure("auprc", "up", average_precision_score),
    PredictionMeasure("f1", "up", _most_probable(partial(f1_score, average="macro", zero_division=0.0))),
    PredictionMeasure("brier", "down", lambda hits, probabilities: np.sum((probabilities - hits) ** 2, axis=1).mean()),
)
REGRESSION = (
    PredictionMeasure("r2", "up", r2_score),
    PredictionMeasure("rmse", "down", root_mean_squared_error),
)
