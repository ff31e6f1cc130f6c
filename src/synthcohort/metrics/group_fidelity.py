"""Are rows of a balanced table like real ones, once the real ones are balanced too, and in each group?

A table drawn to another joint of label and groups than the real one cannot have the real one's Shape: it is judged

- as a whole against real test rows weighted to the joint that was asked for (`shape_asked`, `trend_asked`);
- group by group against the test rows of the group (`shape_<attribute>_<group>`, `trend_...`).

Weights are whole numbers of copies, `COPIES` times the test rows in all, so that the metrics of `fidelity` need no
weighted form; a cell of the joint without a test row has no weight (`joint.supported`).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from synthcohort import joint
from synthcohort.metrics.fidelity import column_shapes, pair_trends
from synthcohort.metrics.matrix import MIN_ROWS
from synthcohort.rng import Rng
from synthcohort.schema import Schema
from synthcohort.scores import Score, failed
from synthcohort.sensitive import Attribute, slug

COPIES = 4
ASKED = ("shape_asked", "trend_asked")


def asked_fidelity(
    test: pd.DataFrame,
    drawn: pd.DataFrame,
    schema: Schema,
    *,
    grid: joint.Grid,
    law: np.ndarray,
    condition: str,
    rng: Rng,
) -> list[Score]:
    """Return Shape and Trend against test rows weighted to the law asked for.

    Args:
        test: [n, P + Q] real rows.
        drawn: [m, P + Q] rows of the arm.
        schema: of both.
        grid: the cells of the law.
        law: [K, G_1, ..., G_k].
        condition: of the scores.
        rng: chooses the rows whose weight is rounded up.

    Raises:
        JointError: if a label that is asked for has no test row.
    """
    cells, counts = grid.cells(test), grid.counts(test)
    wanted = joint.numbers(joint.supported(law, counts), COPIES * len(test))
    weighted = test.iloc[joint.drawn(cells, wanted, rng)]
    return _both(weighted, drawn, schema, ASKED, condition)


def group_fidelity(
    test: pd.DataFrame, drawn: pd.DataFrame, schema: Schema, attribute: Attribute, *, condition: str
) -> list[Score]:
    """Return Shape and Trend within every group, failed where either table has fewer than `MIN_ROWS` rows of it."""
    real, synthetic = attribute.codes(test), attribute.codes(drawn)
    result = []
    for code, group in enumerate(attribute.groups):
        own = [f"{name}_{slug(attribute.column)}_{slug(group)}" for name in ("shape", "trend")]
        first, second = test[real == code], drawn[synthetic == code]
        if min(len(first), len(second)) < MIN_ROWS:
            why = f"group {group!r} has fewer than {MIN_ROWS} rows among the test rows or the rows of the arm"
            result += [failed("fairness", name, why, condition=condition) for name in own]
        else:
            result += _both(first, second, schema, (own[0], own[1]), condition)
    return result


def _both(
    real: pd.DataFrame, drawn: pd.DataFrame, schema: Schema, names: tuple[str, str], condition: str
) -> list[Score]:
    shape = float(column_shapes(real, drawn, schema)["shape"].mean())
    trend = float(pair_trends(real, drawn, schema)["trend"].mean())
    return [Score("fairness", n, v, len(drawn), "up", condition=condition) for n, v in zip(names, (shape, trend))]
