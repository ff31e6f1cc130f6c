"""A law in which every column depends on the others, tables of known quality made of its rows, and their scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from synthcohort.metrics.cell import evaluate_split, reference_split
from synthcohort.rng import Rng
from synthcohort.schema import Column, Schema
from synthcohort.scores import Score

LEVELS = ("a", "b", "c", "d")
FAMILIES = ("xgboost", "logistic_regression", "decision_tree", "random_forest")
SCHEMA = Schema(
    (
        *(Column(f"x{j}", "numeric", decimals=3) for j in range(5)),
        Column("ward", "categorical", levels=LEVELS),
        Column("drug", "categorical", levels=LEVELS),
        Column("died", "categorical", "target", levels=("no", "yes")),
    ),
    "yes",
)


def law(n: int, seed: int) -> pd.DataFrame:
    """Return n rows of a law in which every column depends on the others."""
    draw = np.random.default_rng(seed)
    z = draw.standard_normal((n, 2))
    x = z @ np.array([[1.0, 0.8, 0.5, 0.0, 0.3], [0.0, 0.6, -0.8, 1.0, 0.9]]) + 0.4 * draw.standard_normal((n, 5))
    x[:, 3] = x[:, 3] ** 2
    ward = np.digitize(z[:, 0] + 0.3 * draw.standard_normal(n), [-1.0, 0.0, 1.0])
    drug = np.where(draw.random(n) < 0.85, ward, draw.integers(0, 4, n))
    died = draw.random(n) < 1 / (1 + np.exp(-(2.0 * z[:, 0] + 1.5 * z[:, 1] - 1.2)))
    frame = pd.DataFrame({f"x{j}": np.round(x[:, j], 3) for j in range(5)})
    frame["ward"], frame["drug"] = np.array(LEVELS)[ward], np.array(LEVELS)[drug]
    frame["died"] = np.where(died, "yes", "no")
    return SCHEMA.cast(frame)


def target_shuffled(frame: pd.DataFrame) -> pd.DataFrame:
    """Return `frame` with the target alone shuffled."""
    return SCHEMA.cast(frame.assign(died=np.random.default_rng(12).permutation(frame["died"].to_numpy())))


def noisy(frame: pd.DataFrame, size: float = 0.05) -> pd.DataFrame:
    """Return `frame` with N(0, size x range) added to every number and a share `size` of the levels drawn anew."""
    draw, out = np.random.default_rng(13), frame.copy()
    for column in SCHEMA.columns:
        cells = frame[column.name].to_numpy()
        if column.numeric:
            out[column.name] = np.round(cells + size * np.ptp(cells) * draw.standard_normal(len(cells)), 3)
        else:
            out[column.name] = np.where(draw.random(len(cells)) < size, draw.choice(column.levels, len(cells)), cells)
    return SCHEMA.cast(out)


def uniform(frame: pd.DataFrame) -> pd.DataFrame:
    """Return as many rows, every cell uniform over the range or the levels of its column."""
    draw, out = np.random.default_rng(14), {}
    for column in SCHEMA.columns:
        cells = frame[column.name]
        if column.numeric:
            out[column.name] = np.round(draw.uniform(cells.min(), cells.max(), len(cells)), 3)
        else:
            out[column.name] = draw.choice(column.levels, len(cells))
    return SCHEMA.cast(pd.DataFrame(out))


@dataclass(frozen=True)
class Judge:
    """Scores any table against the same real rows.

    Args:
        parts: `train`, `validation` and `test` rows, the schema and the settings, as the cell takes them.
        real: the scores of the real table itself.
    """

    parts: Mapping[str, Any]
    real: list[Score]

    def scores(self, table: pd.DataFrame) -> list[Score]:
        """Return every score of `table` but those of augmentation."""
        prefix = "trtr_auroc_"
        areas = {s.metric.removeprefix(prefix): s.value for s in self.real if s.metric.startswith(prefix)}
        found = evaluate_split(**self.parts, samples={"as_observed": table}, rng=Rng(0), real_auroc=areas)
        return [score for score in found if score.axis != "augmentation"]


def judge(*sizes: int, settings: Any) -> Judge:
    """Return a judge with so many train, validation and test rows of the law."""
    rows = dict(zip(("train", "validation", "test"), (law(n, seed) for seed, n in enumerate(sizes)), strict=True))
    few = replace(settings, classifiers=FAMILIES, augmentation_classifiers=("xgboost",), augmentation_shares=(1.0,))
    parts = {**rows, "schema": SCHEMA, "metrics": few}
    return Judge(parts, reference_split(**parts, rng=Rng(0)))


def turned(score: Score) -> float:
    """Return the value of a score, turned so that larger is better."""
    value = score.value
    return {"up": value, "down": -value, "half": -abs(value - 0.5), "zero": -abs(value)}[score.direction]
