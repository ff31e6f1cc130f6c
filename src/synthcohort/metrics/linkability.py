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
from synthcohort.metrics.nearest import Gaps, column_positions, distance_rows, is_nearest
from synthcohort.metrics.release import Release
from synthcohort.metrics.risk import CONFIDENCE, attack_risk
from synthcohort.rng import Rng
from synthcohort.schema import Schema
from synthcohort.scores import Score

METRICS = ("linkability_risk",)


def linkability_scores(release: Release, *, attacks: int, rng: Rng, confidence: float = CONFIDENCE) -> list[Score]:
    """Return the score named in `METRICS`; arguments as in `risk.attack_risk`.

    Raises:
        DataProblem: if the schema has fewer than two features.
    """

    def link(targets: pd.DataFrame) -> np.ndarray:
        return link_probability(targets, release.synthetic, release.train, release.schema)

    return [attack_risk(METRICS[0], link, release, attacks=attacks, rng=rng, confidence=confidence)]


def link_probability(targets: pd.DataFrame, synthetic: pd.DataFrame, train: pd.DataFrame, schema: Schema) -> np.ndarray:
    """Return for each target row the probability that its two halves find the same synthetic row, [n] in [0, 1]."""
    place = column_positions(schema)
    first, second = ([place[name] for name in names] for names in known_columns(schema))
    gaps = Gaps(distance_rows(targets, train, schema), distance_rows(synthetic, train, schema))
    linked = []
    for part in gaps.parts():
        by_first, by_second = (is_nearest(gaps.distances(part, columns)) for columns in (first, second))  # [b, m]
        pairs = by_first.sum(axis=1) * by_second.sum(axis=1)
        linked.append((by_first & by_second).sum(axis=1) / pairs)
    return np.concatenate(linked)


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
