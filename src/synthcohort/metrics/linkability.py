"""Can two data sets about the same patients be joined through the synthetic table?

One party knows the columns A of a patient, another the columns B; neither has a key. Each looks up the synthetic row
nearest to what it knows. The attack links the patient if both find the same synthetic row [Giomi 2023].
`linkability_risk` is the excess of links on members over links on controls (see `risk`).

A and B alternate over the schema's features, the first, third, fifth ... and the second, fourth ..., so that both
hold columns of every part of the table, and the split is the same for every generator. The target belongs to neither.
The number of neighbours is k = 1, the strictest link; more neighbours link more members and more controls alike.

Distances are those of `nearest`, restricted to A or B. With T_A and T_B the synthetic rows tied at the smallest
distance, the link succeeds with the probability that two draws, one from each, give the same row:

    |T_A and T_B| / (|T_A| |T_B|).

Departs: ranges are those of the training table, not of the targets and the synthetic rows together, so that members
and controls are measured by one distance; and ties are averaged, not settled by a sorting algorithm.

A constant column adds the same to every distance where the synthetic column is constant too. Numbers outside the
training range are further than 1 away. Without numeric, or without categorical, columns nothing changes.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from synthcohort.metrics.matrix import DataProblem
from synthcohort.metrics.nearest import Rows, distance_rows
from synthcohort.metrics.risk import (
    BLOCK,
    CONFIDENCE,
    add_gaps,
    column_positions,
    draw_targets,
    is_nearest,
    no_distance,
    risk_score,
)
from synthcohort.rng import Rng
from synthcohort.schema import Schema
from synthcohort.scores import Score

METRICS = ("linkability_risk",)


def linkability_scores(
    train: pd.DataFrame,
    test: pd.DataFrame,
    synthetic: pd.DataFrame,
    schema: Schema,
    *,
    attacks: int,
    rng: Rng,
    confidence: float = CONFIDENCE,
) -> list[Score]:
    """Return the score named in `METRICS`; its n is the number of members attacked.

    Args:
        train: [n_train, P + Q] rows the generator learned from.
        test: [n_test, P + Q] real rows it never saw.
        synthetic: [m, P + Q] rows of the generator.
        schema: the schema of all three.
        attacks: attack at most so many members, and as many controls.
        rng: draws the rows to attack.
        confidence: of the interval.

    Raises:
        DataProblem: if a table has too few rows or the schema fewer than two features.
    """
    targets = draw_targets(train, test, synthetic, attacks=attacks, rng=rng)
    members = link_probability(targets.members, synthetic, train, schema)
    controls = link_probability(targets.controls, synthetic, train, schema)
    return [risk_score(METRICS[0], members, controls, confidence)]


def link_probability(targets: pd.DataFrame, synthetic: pd.DataFrame, train: pd.DataFrame, schema: Schema) -> np.ndarray:
    """Return for each target row the probability that its two halves find the same synthetic row, [n] in [0, 1]."""
    first, second = known_columns(schema)
    place = column_positions(schema)
    queries, candidates = distance_rows(targets, train, schema), distance_rows(synthetic, train, schema)
    linked = np.empty(len(targets))
    for start in range(0, len(targets), BLOCK):
        part = np.arange(start, min(start + BLOCK, len(targets)))
        block = queries.take(part)
        by_first = _nearest_by(block, candidates, [place[name] for name in first])  # [b, m]
        by_second = _nearest_by(block, candidates, [place[name] for name in second])  # [b, m]
        pairs = by_first.sum(axis=1) * by_second.sum(axis=1)
        linked[part] = (by_first & by_second).sum(axis=1) / pairs
    return linked


def known_columns(schema: Schema) -> tuple[list[str], list[str]]:
    """Return the names of the columns A and B, the features taken alternately.

    Raises:
        DataProblem: if there are fewer than two features.
    """
    names = [column.name for column in schema.features]
    if len(names) < 2:
        raise DataProblem(f"linkability needs two features, one for each party; the schema has {names}")
    return names[::2], names[1::2]


def linkability_baseline(synthetic: pd.DataFrame) -> float:
    """Return the success rate of a random link, 1 / m: both parties draw one of the m synthetic rows."""
    return 1.0 / len(synthetic)


def _nearest_by(queries: Rows, candidates: Rows, columns: list[int]) -> np.ndarray:
    return is_nearest(add_gaps(no_distance(queries, candidates), queries, candidates, columns))
