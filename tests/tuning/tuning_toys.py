"""A small study with two tables, the rows of one of them hard to tell apart: coarse cells, many of them missing."""

import numpy as np

import toys
from synthcohort.datasets.table import Card, Table
from synthcohort.rng import Rng

PARAMS = """
study: {seed: 5, splits: 2, test_share: 0.2, validation_share: 0.15}
datasets: {mixed: {}, gaps: {}}
generators:
  smote: {neighbours: 3}   # k
  gaussian_copula: {}
tuning: {trials: 3, tables: [mixed], rows: 130}
search:
  smote: {neighbours: [3, 1, 2, 5]}
  gaussian_copula: {shrinkage: [0.01, 0.1, 0.3]}
"""


def tables() -> dict[str, Table]:
    mixed, schema = toys.mixed(300)
    gaps = mixed.copy()
    holes = Rng(3).numpy().random((len(gaps), 3)) < 0.3
    gaps["age"] = (gaps["age"] // 5 * 5).clip(lower=30, upper=70)
    gaps["marker"] = np.ceil(gaps["marker"]).clip(upper=5)
    for place, name in enumerate(("age", "stage", "marker")):
        gaps[name] = gaps[name].where(~holes[:, place])
    card = Card("toy", "Toy", "nobody", (), "none", "none", simulated=True)
    return {
        "mixed": Table(mixed, schema, card),
        "gaps": Table(gaps, schema, card),
    }
