"""Would an analyst who has the synthetic table alone draw the same conclusions as one who has the real table?

- `importance_agreement`: Spearman correlation, over columns, of the importances that a random forest trained on
  synthetic rows and one trained on real rows give them: is the same column thought to matter?
- `ranking_agreement`: Kendall's tau-b, over families of predictors, between their AUROC when trained on synthetic rows
  and when trained on real rows, both on the same real test rows: would the same family be chosen? [Jordon 2018]

Both are 1 at best; 0 is no relation. Both are coarse: their `n` counts columns and families, not rows. Even fresh real
rows do not reach 1 where importances or areas are close; read them beside that reference.

Departs: importances are impurity decreases, which cost no further prediction. They favour columns of many distinct
values and are taken on training rows [Strobl 2007]; both forests share this bias, so some agreement is due to it alone,
and a table of independent columns may score above 0. Ranks of families by AUROC stand in for their synthetic ranking
on synthetic test rows.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.stats import kendalltau, spearmanr

from synthcohort.metrics.matrix import DataProblem
from synthcohort.metrics.utility import Judged
from synthcohort.scores import Score

METRICS = ("importance_agreement", "ranking_agreement")
FEWEST = 3


def importances(forest: Judged) -> np.ndarray:
    """Return the impurity importance of every feature, [P + Q], of a trained family of trees; they sum to 1."""
    return np.asarray(forest.model.feature_importances_, dtype=np.float64)  # type: ignore[attr-defined]


def importance_agreement(real: np.ndarray, synthetic: np.ndarray) -> list[Score]:
    """Return `importance_agreement`.

    Args:
        real: [P + Q] importances of a forest trained on real rows, in the schema's order of features.
        synthetic: [P + Q] those of one trained on synthetic rows.

    Raises:
        DataProblem: if there are fewer than `FEWEST` columns, or one side finds all equally important.
    """
    _require(real, synthetic, "columns", "importances")
    value = float(spearmanr(real, synthetic).statistic)
    return [Score("utility", "importance_agreement", value, len(real), "up")]


def ranking_agreement(real: Mapping[str, float], synthetic: Mapping[str, float]) -> list[Score]:
    """Return `ranking_agreement`.

    Args:
        real: family -> its AUROC on real test rows when trained on real rows.
        synthetic: family -> the same when trained on synthetic rows. Families on one side only are left out.

    Raises:
        DataProblem: if fewer than `FEWEST` families are on both sides, or one side scores all alike.
    """
    families = sorted(set(real) & set(synthetic))
    first, second = (np.array([side[f] for f in families]) for side in (real, synthetic))  # [families] each
    _require(first, second, "families", "areas under the curve")
    value = float(kendalltau(first, second).statistic)
    return [Score("utility", "ranking_agreement", value, len(families), "up")]


def _require(real: np.ndarray, synthetic: np.ndarray, what: str, values: str) -> None:
    if len(real) < FEWEST:
        raise DataProblem(f"an order of {len(real)} {what} says nothing; at least {FEWEST} are needed")
    for name, side in (("real", real), ("synthetic", synthetic)):
        if np.ptp(side) == 0:
            raise DataProblem(f"all {len(side)} {what} have equal {values} on the {name} side: no order to compare")
