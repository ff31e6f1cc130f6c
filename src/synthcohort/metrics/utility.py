"""Does a model trained on the synthetic table work on real patients?

Train on synthetic, test on real (`tstr_...`) [Esteban 2017], beside train on real, test on real (`trtr_...`), the
ceiling. Binary targets: AUROC, average precision (AUPRC) and F1 at a probability of 0.5 of the positive level.
Several levels: the unweighted mean over levels, each against the rest; the predicted level is the most probable.
Numeric targets: R^2 and the root mean squared error in the target's unit.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score, f1_score, r2_score, roc_auc_score, root_mean_squared_error

from synthcohort.metrics.classifiers import Predictor, fit_classifier
from synthcohort.metrics.matrix import DataProblem, target_codes, tree_features
from synthcohort.rng import Rng
from synthcohort.schema import Schema
from synthcohort.scores import Direction, Score


def measures(schema: Schema) -> tuple[str, ...]:
    """Return the measures of prediction that suit the table's target."""
    return ("r2", "rmse") if schema.target.numeric else ("auroc", "auprc", "f1")


def metric_names(prefix: str, predictor: Predictor, schema: Schema) -> tuple[str, ...]:
    """Return the names of the scores of one predictor, such as `tstr_auroc_xgboost`."""
    return tuple(f"{prefix}_{measure}_{predictor.name}" for measure in measures(schema))


def utility_scores(
    prefix: str,
    predictor: Predictor,
    *,
    train: pd.DataFrame,
    test: pd.DataFrame,
    schema: Schema,
    rng: Rng,
) -> list[Score]:
    """Train one predictor on `train` and score it on `test`.

    Args:
        prefix: of the names: "tstr" if `train` is synthetic, "trtr" if it is real.
        predictor: the family of the predictor.
        train: [m, P + Q] rows to learn from.
        test: [n, P + Q] real rows nobody has learned from.
        schema: the schema of both.
        rng: seeds the fit.

    Raises:
        DataProblem: if the training target has one level, or a level of the target has no test row.
    """
    learn = _regression if schema.target.numeric else _classification
    values = learn(predictor, train, test, schema, rng.branch(predictor.name).integer())
    names = metric_names(prefix, predictor, schema)
    return [Score("utility", name, value, len(test), _direction(name)) for name, value in zip(names, values)]


def binary_measures(truth: np.ndarray, probability: np.ndarray) -> tuple[float, float, float]:
    """Return AUROC, AUPRC and F1 at 0.5.

    Args:
        truth: [n] of 0 and 1, both present.
        probability: [n] predicted probability of 1.
    """
    return (
        float(roc_auc_score(truth, probability)),
        float(average_precision_score(truth, probability)),
        float(f1_score(truth, probability >= 0.5, zero_division=0.0)),
    )


def multiclass_measures(truth: np.ndarray, probabilities: np.ndarray) -> tuple[float, float, float]:
    """Return macro one-against-the-rest AUROC and AUPRC, and macro F1 of the most probable level.

    Args:
        truth: [n] codes 0 .. K - 1, all present.
        probabilities: [n, K].
    """
    hits = np.eye(probabilities.shape[1])[truth]  # [n, K]
    chosen = np.eye(probabilities.shape[1])[probabilities.argmax(axis=1)]  # [n, K]
    return (
        float(roc_auc_score(hits, probabilities, average="macro")),
        float(average_precision_score(hits, probabilities, average="macro")),
        float(f1_score(hits, chosen, average="macro", zero_division=0.0)),
    )


def _classification(
    predictor: Predictor, train: pd.DataFrame, test: pd.DataFrame, schema: Schema, seed: int
) -> tuple[float, ...]:
    levels = schema.target.levels
    truth = target_codes(test, schema)
    absent = [level for code, level in enumerate(levels) if not (truth == code).any()]
    if absent:
        raise DataProblem(f"no test row has the target level(s) {absent}, so their prediction cannot be scored")
    codes = target_codes(train, schema)
    fitted = fit_classifier(predictor, tree_features(train, schema), codes, levels=len(levels), seed=seed)
    probabilities = fitted.probabilities(tree_features(test, schema))  # [n, K]
    if schema.task == "multiclass":
        return multiclass_measures(truth, probabilities)
    positive = levels.index(schema.positive)
    return binary_measures((truth == positive).astype(int), probabilities[:, positive])


def _regression(
    predictor: Predictor, train: pd.DataFrame, test: pd.DataFrame, schema: Schema, seed: int
) -> tuple[float, ...]:
    name = schema.target.name
    truth = test[name].to_numpy()
    if np.ptp(truth) == 0:
        raise DataProblem(f"the target {name!r} is constant over the {len(test)} test rows, so R^2 is undefined")
    model = predictor.regressor(seed).fit(tree_features(train, schema), train[name].to_numpy())
    predicted = model.predict(tree_features(test, schema))  # [n]
    return float(r2_score(truth, predicted)), float(root_mean_squared_error(truth, predicted))


def _direction(name: str) -> Direction:
    return "down" if "_rmse_" in name else "up"
