"""How strongly do the columns of a table depend on each other?

Every dimension j of the table (`prediction`: a numeric column cut at its median, a level of a categorical one) is
predicted from all *other columns* by the masked linear model that `prediction` fits; with AUROC_j on rows it did not
learn from,

    dependence = mean over columns of the mean over a column's dimensions of (2 AUROC_j - 1).

2 AUROC - 1 is Somers' D of the model's ranking [Somers 1962]: 0 in expectation where the other columns tell nothing of
this one, 1 where they decide it. It describes a table and judges nobody.

A linear model sees no dependence that has no linear part, such as y = |x|: such a table counts as less dependent than
it is. Rows whose holes were filled with a constant count as less dependent too.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from synthcohort.metrics.matrix import DataProblem
from synthcohort.metrics.prediction import dimension_scores, table_dimensions
from synthcohort.rng import Rng
from synthcohort.schema import Schema
from synthcohort.scores import Score

METRICS = ("dependence",)


def dependence(
    train: pd.DataFrame, validation: pd.DataFrame, schema: Schema, *, max_rows: int, rng: Rng
) -> list[Score]:
    """Return `dependence`, in [-1, 1].

    Args:
        train: [n, P + Q] rows the models learn from.
        validation: [m, P + Q] rows they are judged on.
        schema: the schema of both.
        max_rows: learn from at most so many rows.
        rng: draws the subsample.

    Raises:
        DataProblem: if the table has a single column, or every column is constant over the validation rows.
    """
    told = columns(train, validation, schema, max_rows=max_rows, rng=rng)
    if not len(told):
        raise DataProblem(f"every column is constant over the {len(validation)} validation rows: nothing can be judged")
    return [Score("imputation", "dependence", float(told["told"].mean()), len(validation), "up")]


def columns(train: pd.DataFrame, validation: pd.DataFrame, schema: Schema, *, max_rows: int, rng: Rng) -> pd.DataFrame:
    """Return how much the other columns tell of each: `column`, `told`, the most told first; arguments as `dependence`.

    A column that is constant over the validation rows is left out.
    """
    found = dimension_scores(train, validation, train, schema, max_rows=max_rows, rng=rng).scores
    dimensions = table_dimensions(train, schema)
    names = [c.name for c in (*schema.numeric, *schema.categorical)]
    owner = dict(zip(dimensions.names, (names[j] for j in dimensions.column), strict=True))
    told = (2 * found["auroc_real"] - 1).groupby(found["dimension"].map(owner), sort=False).mean()
    order = np.argsort(-told.to_numpy(), kind="stable")
    return pd.DataFrame({"column": told.index.to_numpy()[order], "told": told.to_numpy()[order]})
