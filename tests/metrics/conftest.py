"""Toy tables of a known law for the metrics."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from toy_tables import resampled, shuffled

from synthcohort.rng import Rng
from synthcohort.schema import Column, Schema


@dataclass(frozen=True)
class Settings:
    classifiers: tuple[str, ...] = ("random_forest", "xgboost", "logistic_regression")
    augmentation_classifiers: tuple[str, ...] = ("random_forest", "xgboost")
    augmentation_shares: tuple[float, ...] = (0.5, 1.0)
    max_rows_pairwise: int = 300
    max_rows_distance: int = 300
    max_rows_transport: int = 200
    max_rows_membership: int = 300
    attacks: int = 100


SCHEMA = Schema(
    (
        Column("age", "numeric", decimals=1),
        Column("marker", "numeric", decimals=3),
        Column("ward", "categorical", levels=("north", "south", "west")),
        Column("died", "categorical", "target", levels=("no", "yes")),
    ),
    "yes",
)


def cohort(n: int, seed: int, rate: float = 0.3) -> pd.DataFrame:
    """Return n rows in which every column depends on the others."""
    draw = np.random.default_rng(seed)
    died = draw.random(n) < rate
    age = np.round(draw.normal(50 + 15 * died, 10), 1)
    marker = np.round(0.1 * age + 2.0 * died + draw.normal(0, 1, n), 3)
    ward = np.where(draw.random(n) < 0.5, np.where(died, "north", "south"), draw.choice(["north", "south", "west"], n))
    return SCHEMA.cast(pd.DataFrame({"age": age, "marker": marker, "ward": ward, "died": np.where(died, "yes", "no")}))


@pytest.fixture
def schema() -> Schema:
    return SCHEMA


@pytest.fixture
def settings() -> Settings:
    return Settings()


@pytest.fixture(scope="session")
def metric_settings() -> Settings:
    return Settings()


@pytest.fixture
def rng() -> Rng:
    return Rng(7)


@pytest.fixture
def make_cohort() -> Callable[..., pd.DataFrame]:
    return cohort


@pytest.fixture
def shuffle() -> Callable[..., pd.DataFrame]:
    return shuffled


@pytest.fixture
def bootstrap() -> Callable[..., pd.DataFrame]:
    return resampled
