"""Does a model trained on completed rows work as well as one trained on rows that never had a hole?

`impute_auroc_<family>` (numeric target: `impute_r2_<family>`): a predictor is trained on each completed draw of the
training table and judged on test rows without holes; the score is the mean over draws, as a statistic of multiply
imputed tables is [Rubin 1987]. Beside it stands the same measure of the training rows before cells were hidden.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from synthcohort.metrics import utility
from synthcohort.metrics.classifiers import Predictor
from synthcohort.metrics.matrix import DataProblem
from synthcohort.rng import Rng
from synthcohort.schema import Schema
from synthcohort.scores import Score, failed


def downstream_scores(
    completed: Sequence[pd.DataFrame],
    test: pd.DataFrame,
    schema: Schema,
    predictor: Predictor,
    *,
    rng: Rng,
    condition: str = "as_observed",
) -> list[Score]:
    """Return `impute_auroc_<family>`, or `impute_r2_<family>` for a numeric target.

    Args:
        completed: the draws of the training table, each [n, P + Q].
        test: real rows without holes nobody learned from.
        schema: the schema of all.
        predictor: the family to train.
        rng: seeds the fits, all alike.
        condition: how cells were hidden.
    """
    (measure,) = (m for m in utility.measures(schema) if m.name == _wanted(schema))
    name = downstream_name(schema, predictor)
    try:
        judged = [utility.judge(predictor, train=rows, test=test, schema=schema, rng=rng) for rows in completed]
        value = float(np.mean([measure.compute(one.truth, one.predicted) for one in judged]))
    except DataProblem as problem:
        return [failed("imputation", name, str(problem), condition=condition)]
    return [Score("imputation", name, value, len(test), measure.direction, condition=condition)]


def downstream_name(schema: Schema, predictor: Predictor) -> str:
    """Return the name of the score."""
    return f"impute_{_wanted(schema)}_{predictor.name}"


def _wanted(schema: Schema) -> str:
    return "r2" if schema.target.numeric else "auroc"
