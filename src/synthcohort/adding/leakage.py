"""Which column alone tells the target, so that it is likely written down after it, or from it?

One shallow tree a column, five-fold cross-validated: AUROC for classes (one against the rest, averaged, where they are
more than two), R2 for numbers. The tree sees a numeric target by its ranks, so that a few extreme values neither make
nor hide a leak; levels are numbered by the mean target of the training folds [Micci-Barreca 2001]. `SUSPECT` is a
convention of this command, not an estimate: a proposal names the figure and leaves the decision to its reader.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import rankdata
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.metrics import get_scorer
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.preprocessing import TargetEncoder
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from synthcohort.rng import Rng
from synthcohort.schema import Column, Schema

SUSPECT = 0.99
_FOLDS = 5
_DEPTH = 6
_LEAF = 3
_SCORING = {"binary": "roc_auc", "multiclass": "roc_auc_ovr", "regression": "r2"}
_MEASURE = {"binary": "AUROC", "multiclass": "AUROC", "regression": "R2"}


def suspects(frame: pd.DataFrame, schema: Schema, rng: Rng) -> dict[str, float]:
    """Return feature -> how well it alone tells the target, of those at `SUSPECT` or above.

    Args:
        frame: [n, P + Q]; features may have holes.
    """
    scores = {column.name: _score(frame, schema, column, rng) for column in schema.features}
    return {name: score for name, score in scores.items() if score >= SUSPECT}


def measure(schema: Schema) -> str:
    """Return the name of the figure for this table's task."""
    return _MEASURE[schema.task]


def _score(frame: pd.DataFrame, schema: Schema, column: Column, rng: Rng) -> float:
    """Return the mean score over the folds."""
    target = frame[schema.target.name]
    y = rankdata(target) if schema.target.numeric else target.cat.codes.to_numpy(dtype="int64")
    x = frame[[column.name]].astype("float64" if column.numeric else "object").to_numpy()  # [n, 1]
    kind = KFold if schema.target.numeric else StratifiedKFold
    folds = kind(_FOLDS, shuffle=True, random_state=rng.branch("folds").integer())
    scorer = get_scorer(_SCORING[schema.task])
    found = []
    for learn, held in folds.split(x, y):
        seen, fresh = (x[learn], x[held]) if column.numeric else _encoded(x, y, schema, (learn, held))
        found.append(scorer(_tree(schema, rng).fit(seen, y[learn]), fresh, y[held]))
    return float(np.mean(found))


def _encoded(
    x: np.ndarray, y: np.ndarray, schema: Schema, rows: tuple[np.ndarray, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the levels of the rows to learn from and of those held out as numbers, from the first alone."""
    task = {"regression": "continuous"}.get(schema.task, schema.task)
    encoder = TargetEncoder(target_type=task).fit(x[rows[0]], y[rows[0]])
    return encoder.transform(x[rows[0]]), encoder.transform(x[rows[1]])


def _tree(schema: Schema, rng: Rng) -> ClassifierMixin | RegressorMixin:
    tree = DecisionTreeRegressor if schema.target.numeric else DecisionTreeClassifier
    return tree(max_depth=_DEPTH, min_samples_leaf=_LEAF, random_state=rng.branch("tree").integer())
