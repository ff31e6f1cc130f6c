"""What may be set of the scores, and of the attack that is scored apart?"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from synthcohort.blocks.base import Block

Family = Literal[
    "random_forest", "xgboost", "logistic_regression", "k_nearest_neighbours", "support_vector_machine",
    "multilayer_perceptron", "decision_tree",
]  # fmt: skip


class MetricsBlock(Block):
    """Settings of the metrics.

    Args:
        classifiers: families trained on synthetic rows and judged on real ones.
        augmentation_classifiers: families that learn the rare class from augmented rows.
        augmentation_shares: synthetic minority rows added, as shares of what full balance takes.
        max_rows_pairwise: rows of a table in kernel statistics and neighbourhoods.
        max_rows_distance: synthetic rows of the nearest-record metrics, rows of the linear models.
        max_rows_transport: rows of a table in the transport distance; its time grows with the cube.
        max_rows_membership: members, and as many controls, that membership attacks are scored on.
        attacks: guesses of each of the attacks that single out, link and infer.
    """

    classifiers: list[Family] = ["random_forest", "xgboost"]
    augmentation_classifiers: list[Family] = ["random_forest", "xgboost"]
    augmentation_shares: list[float] = [0.25, 0.5, 1.0]
    max_rows_pairwise: int = Field(default=2000, ge=50)
    max_rows_distance: int = Field(default=5000, ge=50)
    max_rows_transport: int = Field(default=1000, ge=50)
    max_rows_membership: int = Field(default=1000, ge=20)
    attacks: int = Field(default=500, ge=20)


class ShadowBlock(Block):
    """The shadow-model membership attack.

    Args:
        tables: tables it is run on, none to do without it; each costs `models` fits a generator.
        models: fits a cell, half of them with each target; even, since runs come in complementary pairs.
        targets: rows attacked, the most exposed of the first split's train rows.
    """

    tables: list[str] = []
    models: int = Field(default=16, ge=6, multiple_of=2)
    targets: int = Field(default=20, ge=2)
