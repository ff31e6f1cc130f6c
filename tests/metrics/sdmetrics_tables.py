"""Simulated tables on which SDMetrics was run once; plain columns, so that they can be made without `synthcohort`.

The expected numbers lie in `fixtures/sdmetrics.json`, whose first entry says how they were made.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

LEVELS = {
    "ward": ["north", "south", "west"],
    "smoker": ["never", "former", "current"],
    "sex": ["female", "male"],
    "died": ["no", "yes"],
}
NUMERIC = ["age", "marker", "stay", "noise"]
TABLES = {
    "numeric": [*NUMERIC, "died"],
    "categorical": list(LEVELS),
    "mixed": ["age", "ward", "marker", "sex", "noise", "died"],
}


def simulated(name: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the real and the synthetic frame of one table: text and float columns in the table's order."""
    columns = TABLES[name]
    return _cohort(300, 11, 1.0)[columns], _cohort(240, 12, 0.9)[columns]


def _cohort(n: int, seed: int, strength: float) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    died = draw.random(n) < 0.35
    age = np.round(draw.normal(50 + 12 * strength * died, 9), 1)
    marker = np.round(strength * age / 6 + 2 * died + draw.normal(0, 1, n), 2)
    stay = np.round(marker + draw.exponential(1.5, n), 2)
    noise = np.round(draw.random(n), 2)
    ward = np.where(draw.random(n) < 0.7 * strength, np.where(died, 0, 1), draw.integers(0, 3, n))
    smoker = np.where(draw.random(n) < 0.6 * strength, ward, draw.integers(0, 3, n))
    codes = {"ward": ward, "smoker": smoker, "sex": draw.integers(0, 2, n), "died": died.astype(int)}
    text = {key: np.array(LEVELS[key], dtype=object)[code] for key, code in codes.items()}
    return pd.DataFrame({"age": age, "marker": marker, "stay": stay, "noise": noise, **text})
