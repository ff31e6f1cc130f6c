"""Tables of a known law for the attacks: seven columns, both kinds, nearly every row alone in its numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from synthcohort.schema import Column, Schema

SCHEMA = Schema(
    (
        Column("age", "numeric", decimals=2),
        Column("dose", "numeric", decimals=3),
        Column("ward", "categorical", levels=("north", "south", "west")),
        Column("sex", "categorical", "sensitive", levels=("f", "m")),
        Column("marker", "numeric", decimals=3),
        Column("weight", "numeric", decimals=2),
        Column("died", "categorical", "target", levels=("no", "yes")),
    ),
    "yes",
)
EXTREMES = ("age", "dose", "marker", "weight")


def patients(n: int, seed: int) -> pd.DataFrame:
    """Return n rows; every number is positive and depends on the others."""
    draw = np.random.default_rng(seed)
    frailty, died = draw.normal(0, 1, n), draw.random(n) < 0.3
    numbers = {
        "age": np.round(60 + 8 * frailty + 6 * draw.normal(0, 1, n), 2),
        "dose": np.round(np.exp(0.3 * frailty + 0.5 * draw.normal(0, 1, n)), 3),
        "marker": np.round(20 + 5 * died + 3 * draw.normal(0, 1, n), 3),
        "weight": np.round(80 - 4 * frailty + 9 * draw.normal(0, 1, n), 2),
    }
    ward = np.array(["north", "south", "west"])[np.digitize(frailty + draw.normal(0, 1, n), [-0.5, 0.8])]
    sex = np.where(draw.random(n) < 0.5, "f", "m")
    return SCHEMA.cast(pd.DataFrame({**numbers, "ward": ward, "sex": sex, "died": np.where(died, "yes", "no")}))


def uniform_patients(n: int, seed: int) -> pd.DataFrame:
    """Return n such rows of one class, one sex and one dose."""
    return SCHEMA.cast(patients(n, seed).assign(dose=1.0, sex="f", died="no"))


def simulated() -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return the training, test and synthetic rows on which the fixture of anonymeter was computed.

    Half of the synthetic rows are training rows with noise of a few percent. The first two synthetic and training rows
    hold the extremes of every number, so that the training range is the range of all rows.
    """
    train, test, fresh = patients(120, 100), patients(80, 101), patients(60, 102)
    close = train.head(60).copy()
    draw = np.random.default_rng(103)
    for name in EXTREMES:
        close[name] = np.round(close[name] * draw.uniform(0.97, 1.03, len(close)), SCHEMA[name].decimals or 0)
    synthetic = pd.concat([close, fresh], ignore_index=True)
    for name in EXTREMES:
        every = pd.concat([train[name], test[name], synthetic[name]])
        for frame in (train, synthetic):
            frame.loc[[0, 1], name] = [every.min() - 1e-3, every.max() + 1e-3]
    return SCHEMA.cast(train), SCHEMA.cast(test), SCHEMA.cast(synthetic)


def anonymeter() -> dict[str, Any]:
    """Return the constants computed by anonymeter."""
    return json.loads((Path(__file__).parent / "fixtures" / "anonymeter.json").read_text(encoding="utf-8"))


def values(scores: list) -> dict[str, float]:
    """Return metric -> value."""
    return {score.metric: score.value for score in scores}
