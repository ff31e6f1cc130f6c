"""Does a predictor trained on synthetic rows find the rare class?

`minority_f1_<classifier>`: F1 of the class that is rarest among the real train rows, over the test rows; a row is
called its own if that is the most probable class. Where the class of interest is the rarer of two this is
`tstr_f1_...`.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from synthcohort.metrics.matrix import DataProblem, target_codes
from synthcohort.metrics.utility import Judged, f_beta
from synthcohort.schema import Schema
from synthcohort.scores import Score


def minority_f1(judged: Judged, train: pd.DataFrame, schema: Schema) -> list[Score]:
    """Return the F1 of the rarest class.

    Args:
        judged: a trained predictor with its predictions of the test rows.
        train: [n, P + Q] real train rows.
        schema: their schema.

    Raises:
        DataProblem: if the target is numeric.
    """
    if schema.target.numeric:
        raise DataProblem(f"a rare class needs classes; the target {schema.target.name!r} is numeric")
    counts = np.bincount(target_codes(train, schema), minlength=len(schema.target.levels))
    rarest = int(np.where(counts > 0, counts, len(train) + 1).argmin())  # of equal ones the first
    truth, found = _one_class(judged, schema, rarest)
    return [Score("utility", f"minority_f1_{judged.predictor.name}", f_beta(truth, found, 1.0), len(truth), "up")]


def _one_class(judged: Judged, schema: Schema, rarest: int) -> tuple[np.ndarray, np.ndarray]:
    """Return, [n] each, whether a row is of the class (0 or 1), and whether it is called so."""
    if schema.task == "multiclass":
        return judged.truth[:, rarest].astype(int), judged.predicted.argmax(axis=1) == rarest
    called = judged.predicted >= 0.5
    if rarest == schema.target.levels.index(schema.positive):
        return judged.truth, called
    return 1 - judged.truth, ~called
