"""What is a generator asked for that is to draw a balanced table?

As any ask, a condition: a frame of the cells the caller fixes, here the label and the sensitive columns, with as many
rows of each combination as the law of `joint` gives. The cells of a combination are those of training rows in it, so
that a numeric column, which is balanced by groups of its values, is asked for values that occur.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from synthcohort import joint
from synthcohort.rng import Rng
from synthcohort.schema import Schema
from synthcohort.sensitive import Attribute


def balanced(
    train: pd.DataFrame,
    schema: Schema,
    dial: float,
    attributes: Sequence[Attribute],
    *,
    rng: Rng,
    rows: int | None = None,
) -> pd.DataFrame:
    """Ask for the label as observed and every sensitive attribute uniform within each label.

    Args:
        train: [n, P + Q] training rows.
        schema: their schema.
        dial: 0 asks for the joint as observed, 1 for the balanced one, between them for a mixture.
        attributes: what to balance, jointly; `sensitive.attributes` makes them.
        rng: order of the rows, and the values of numeric columns.
        rows: how many; default: n.

    Returns:
        [rows, 1 + k] the label and the k sensitive columns. A combination that no training row has is not asked for:
        its share goes to the others of its label. A group of fewer than `joint.LEAST` rows is left as observed.

    Raises:
        JointError: if the label is numeric, or a column comes twice.
        ValueError: if the dial lies outside [0, 1].
    """
    cells = joint.grid(schema, tuple(attributes))
    counts = cells.counts(train)
    wanted = joint.numbers(joint.balanced(counts, dial), len(train) if rows is None else rows)
    return train[cells.columns].iloc[joint.drawn(cells.cells(train), wanted, rng)].reset_index(drop=True)
