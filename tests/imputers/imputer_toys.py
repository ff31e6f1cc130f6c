"""Laws whose conditionals are known, and settings that make every imputer quick."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthcohort.imputers.load import find
from synthcohort.schema import Column, Schema

QUICK = {
    "boosting": {"trees": 5, "rounds": 2},
    "forest_repaint": {"levels": 3, "rows": 200, "trees": 2, "resamplings": 2},
    "forests": {"trees": 5, "rounds": 2},
    "gain": {"max_steps": 30},
    "k_nearest_neighbours": {},
    "mean_mode": {},
    "mice": {"rounds": 3},
    "tabcsdi": {"width": 8, "depth": 1, "heads": 2, "feature": 4, "steps": 5, "max_steps": 20, "batch_size": 32},
}
MEAN = np.array([1.0, -2.0, 0.5])
COVARIANCE = np.array([[1.0, 0.8, 0.3], [0.8, 1.5, 0.6], [0.3, 0.6, 1.0]])
NAMES = ("a", "b", "y")
SCHEMA = Schema((Column("a", "numeric"), Column("b", "numeric"), Column("y", "numeric", "target")))


def quick(name):
    """Return an unfitted imputer that takes no time."""
    return find(name)(**QUICK[name])


def gaussian(n: int, seed: int) -> pd.DataFrame:
    """Return n rows of the three-dimensional normal law."""
    z = np.random.default_rng(seed).standard_normal((n, 3))
    return pd.DataFrame(MEAN + z @ np.linalg.cholesky(COVARIANCE).T, columns=list(NAMES))


@dataclass(frozen=True)
class Conditional:
    """The law of some columns of a Gaussian row given the others.

    Args:
        mean: [h].
        covariance: [h, h].
    """

    mean: np.ndarray
    covariance: np.ndarray


def given(row: np.ndarray, hidden: list[int]) -> Conditional:
    """Return the law of the columns `hidden` given the other cells of a row [3]."""
    seen = [j for j in range(3) if j not in hidden]
    slope = COVARIANCE[np.ix_(hidden, seen)] @ np.linalg.inv(COVARIANCE[np.ix_(seen, seen)])  # [h, s]
    mean = MEAN[hidden] + slope @ (row[seen] - MEAN[seen])
    return Conditional(mean, COVARIANCE[np.ix_(hidden, hidden)] - slope @ COVARIANCE[np.ix_(seen, hidden)])
