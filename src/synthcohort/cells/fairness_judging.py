"""What are the rows and the decisions of one arm worth, under one ask?

Decisions are judged on the real test rows, to all and to every group (`metrics.fairness`). Rows, where the arm has any,
are judged by the joint of label and groups they have, and by Shape and Trend (`metrics.group_fidelity`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from synthcohort import joint
from synthcohort.cells.fairness_material import Ask, Material
from synthcohort.disclosure import FLOOR
from synthcohort.metrics import fairness, group_fidelity
from synthcohort.metrics.matrix import DataProblem
from synthcohort.metrics.split import Measure, owed
from synthcohort.scores import Score, failed
from synthcohort.sensitive import Attribute

WHOLE = ("auroc", "accuracy")


def decision_scores(material: Material, decided: fairness.Decided, condition: str) -> list[Score]:
    """Return what an arm's decisions on the test rows are worth, to all and to every group."""
    n = len(material.test)
    right = decided.truth * decided.decision + (1 - decided.truth) * (1 - decided.decision)
    whole = [
        Score("fairness", "auroc", fairness.auroc(decided), n, "up", condition=condition),
        Score("fairness", "accuracy", float(right.mean()), n, "up", condition=condition),
    ]
    groups = [
        score
        for attribute in material.attributes
        for score in fairness.fairness_scores(
            decided, material.test, attribute, condition=condition, rng=material.rng.branch("bootstrap")
        )
    ]
    return [*whole, *(_covered(score, material) for score in groups)]


def table_scores(material: Material, ask: Ask, drawn: pd.DataFrame) -> list[Score]:
    """Return whether an arm's rows have the joint that was asked for, and whether they are like real ones."""
    grid, law, condition = material.grid(ask), material.law(ask), ask.condition
    held = joint.fewest(law, grid.counts(material.train))[1]
    shown = [
        Score("fairness", "joint_gap", joint.gap(law, grid.counts(drawn)), len(drawn), "down", condition=condition),
        _covered(Score("fairness", "fewest_rows", float(held), held, "up", condition=condition), material),
    ]
    rng = material.rng.branch("weighted", condition)

    def asked() -> list[Score]:
        try:
            return group_fidelity.asked_fidelity(
                material.test, drawn, material.schema, grid=grid, law=law, condition=condition, rng=rng
            )
        except joint.JointError as error:
            raise DataProblem(str(error)) from None

    found = Measure(owed("fairness", list(group_fidelity.ASKED), condition=condition), asked).run()
    for attribute in material.attributes:
        own = group_fidelity.group_fidelity(material.test, drawn, material.schema, attribute, condition=condition)
        found += [_covered(score, material) for score in own]
    return [*shown, *found]


def lost(attributes: Sequence[Attribute], condition: str, reason: str) -> list[Score]:
    """Return the failed scores of an arm that gave nothing under a condition."""
    names = [*WHOLE, *(name for a in attributes for name in fairness.parity_names(a))]
    return [failed("fairness", name, reason, condition=condition) for name in names]


def _covered(score: Score, material: Material) -> Score:
    """Return a score without a number of rows that a restricted table may not tell."""
    if material.restricted and 0 < score.n < FLOOR:
        why = f"fewer than {FLOOR} rows: withheld"
        return replace(failed("fairness", score.metric, why, condition=score.condition), direction=score.direction)
    return score
