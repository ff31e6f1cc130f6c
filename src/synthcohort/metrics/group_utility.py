"""Does a predictor trained on synthetic rows serve every group of patients?

`group_auroc_<classifier>`: AUROC over the test rows of one group, a level of a sensitive categorical column. The
condition of a score is that of the sample, then the group, such as `epsilon=1 sex=female`; n is the group's test rows.
The predictor is the one that learned from all synthetic rows.

Groups of fewer than `FLOOR` test rows have no score and are not named: they are too small to be told apart from a
patient, and too small to measure. A group whose rows have one class only has a failed score.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from synthcohort.disclosure import FLOOR
from synthcohort.metrics.matrix import DataProblem
from synthcohort.metrics.utility import Judged
from synthcohort.schema import Schema
from synthcohort.scores import Score, failed


def groups(test: pd.DataFrame, schema: Schema) -> Iterator[tuple[str, np.ndarray]]:
    """Yield "column=level" and which test rows it holds, [n] bool, for every group of `FLOOR` rows or more."""
    for column in schema.sensitive:
        for level in () if column.numeric else column.levels:
            held = (test[column.name] == level).to_numpy()
            if held.sum() >= FLOOR:
                yield f"{column.name}={level}", held


def group_scores(judged: Judged, test: pd.DataFrame, schema: Schema, *, condition: str) -> list[Score]:
    """Return the AUROC of every group.

    Args:
        judged: a trained predictor with its predictions of the test rows.
        test: [n, P + Q] those rows.
        schema: their schema.
        condition: of the sample it learned from.

    Raises:
        DataProblem: if the target is numeric.
    """
    if schema.target.numeric:
        raise DataProblem(f"AUROC needs classes; the target {schema.target.name!r} is numeric")
    name = f"group_auroc_{judged.predictor.name}"
    return [_score(name, judged, held, f"{condition} {group}") for group, held in groups(test, schema)]


def _score(name: str, judged: Judged, held: np.ndarray, condition: str) -> Score:
    truth = judged.truth[held]
    if (np.ptp(truth, axis=0) == 0).any():
        return failed("fairness", name, "a class has no test row of this group, or no other", condition=condition)
    area = float(roc_auc_score(truth, judged.predicted[held]))
    return Score("fairness", name, area, int(held.sum()), "up", condition=condition)
