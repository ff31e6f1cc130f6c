"""How does any generator draw a balanced table?

One that can be conditioned on the label and on every attribute of the ask is asked for them, row by row. Any other is
served by rejection with a bound: it draws `POOL` tables of the size of the train rows as observed, the label asked for
where it can be, once for all asks; the rows of each combination are taken from these, none twice before all were taken
once. A combination the pool has no row of is not filled: its share goes to the other combinations of its label, and
`joint_gap` says how far the table is from the ask.
"""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from synthcohort import joint
from synthcohort.balancing import balanced
from synthcohort.cells.fairness_material import Ask, Material
from synthcohort.generators.base import Generator
from synthcohort.metrics.matrix import DataProblem

POOL = 4
Draw = Callable[[Ask], pd.DataFrame]


def answers(model: Generator, material: Material) -> Draw:
    """Return what draws a table of the size of the train rows for an ask.

    Args:
        model: a fitted generator.
        material: the split it was fitted on.

    Returns:
        Ask -> rows; it raises `DataProblem` if the generator drew no row of a label.
    """
    pool: list[pd.DataFrame] = []

    def draw(ask: Ask) -> pd.DataFrame:
        if takes(model, ask):
            return asked(model, material, ask)
        if not pool:
            pool.append(observed(model, material))
        return picked(pool[0], material, ask)

    return draw


def takes(model: Generator, ask: Ask) -> bool:
    """Return whether the generator can be conditioned on the label and on every attribute of the ask."""
    if "condition-any" in model.abilities:
        return True
    sensitive = {column.name for column in model.schema.sensitive}
    declared = all(attribute.column in sensitive for attribute in ask.attributes)
    return {"condition-target", "condition-sensitive"} <= model.abilities and declared


def asked(model: Generator, material: Material, ask: Ask) -> pd.DataFrame:
    """Return rows drawn with the label and the attributes of every row fixed."""
    rng = material.rng.branch("asked", ask.condition)
    cells = balanced(material.train, material.schema, ask.dial, ask.attributes, rng=rng.branch("ask"))
    return model.sample(len(cells), conditions=cells, rng=rng.branch("sample"))


def observed(model: Generator, material: Material) -> pd.DataFrame:
    """Return the pool: rows as observed, `POOL` times as many as train rows."""
    rng, rows = material.rng.branch("pool"), POOL * len(material.train)
    if not {"condition-target", "condition-any"} & model.abilities:
        return model.sample(rows, rng=rng.branch("sample"))
    labels = balanced(material.train, material.schema, 0.0, (), rng=rng.branch("labels"), rows=rows)
    return model.sample(rows, conditions=labels, rng=rng.branch("sample"))


def picked(pool: pd.DataFrame, material: Material, ask: Ask) -> pd.DataFrame:
    """Return rows of the pool with the joint that is asked for, as many as train rows.

    Raises:
        DataProblem: if the pool has no row of a label.
    """
    grid = material.grid(ask)
    try:
        law = joint.supported(material.law(ask), grid.counts(pool))
    except joint.JointError as error:
        raise DataProblem(
            f"of {len(pool)} rows drawn as observed none can be picked for {ask.condition}: {error}"
        ) from None
    wanted = joint.numbers(law, len(material.train))
    rows = joint.drawn(grid.cells(pool), wanted, material.rng.branch("picked", ask.condition))
    return pool.iloc[rows].reset_index(drop=True)
