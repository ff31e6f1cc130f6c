"""Toy tables whose law is known: numeric, categorical and mixed with a sensitive column."""

import numpy as np
import pandas as pd

from synthcohort.rng import Rng
from synthcohort.schema import Column, Schema


def numeric(n: int = 400, seed: int = 1) -> tuple[pd.DataFrame, Schema]:
    """Three correlated columns and a regression target; no categorical column at all."""
    draw = Rng(seed, ("numeric",)).numpy()
    z = draw.standard_normal((n, 2)) @ np.array([[1.0, 0.8], [0.0, 0.6]])
    frame = pd.DataFrame({"a": z[:, 0], "b": np.exp(z[:, 1] / 2), "visits": np.round(draw.poisson(3, n).astype(float))})
    frame["y"] = np.round(frame["a"] + 0.5 * frame["visits"] + 0.3 * draw.standard_normal(n), 2)
    columns = [
        _numeric(frame, "a"),
        _numeric(frame, "b", unit="mg/dl"),
        _numeric(frame, "visits", decimals=0),
    ]
    schema = Schema((*columns, _numeric(frame, "y", decimals=2, role="target")))
    return schema.check(frame), schema


def categorical(n: int = 400, seed: int = 1) -> tuple[pd.DataFrame, Schema]:
    """A chain of categories and a three-class target; no numeric column at all."""
    draw = Rng(seed, ("categorical",)).numpy()
    ward = draw.choice(3, n, p=[0.5, 0.3, 0.2])
    drug = np.where(draw.random(n) < 0.8, ward, draw.integers(0, 3, n))
    outcome = np.where(draw.random(n) < 0.7, drug, draw.integers(0, 3, n))
    schema = Schema(
        (
            Column("ward", "categorical", levels=("north", "south", "école")),
            Column("drug", "categorical", levels=("x", "y", "z")),
            Column("outcome", "categorical", role="target", levels=("home", "hospice", "death")),
        ),
        positive="death",
    )
    texts = {c.name: np.array(c.levels)[codes] for c, codes in zip(schema.columns, (ward, drug, outcome), strict=True)}
    return schema.check(schema.cast(pd.DataFrame(texts))), schema


def mixed(n: int = 400, seed: int = 1) -> tuple[pd.DataFrame, Schema]:
    """Numeric and categorical columns, a sensitive one, and a binary target that depends on all of them."""
    draw = Rng(seed, ("mixed",)).numpy()
    sex = draw.integers(0, 2, n)
    age = np.round(50 + 12 * draw.standard_normal(n))
    stage = np.digitize(age + 8 * draw.standard_normal(n), [42, 55])
    marker = np.round(np.exp(0.03 * (age - 50) + 0.5 * stage + 0.3 * draw.standard_normal(n)), 3)
    logit = 1.2 * (stage - 1) + 0.8 * np.log(marker) + 0.5 * sex - 1.5
    died = (draw.random(n) < 1 / (1 + np.exp(-2 * logit))).astype(int)
    frame = pd.DataFrame({"age": age, "sex": np.array(["f", "m"])[sex], "stage": np.array(["I", "II", "III"])[stage]})
    frame["marker"] = marker
    frame["died"] = np.array(["no", "yes"])[died]
    schema = Schema(
        (
            _numeric(frame, "age", decimals=0, unit="years"),
            Column("sex", "categorical", role="sensitive", levels=("f", "m")),
            Column("stage", "categorical", levels=("I", "II", "III")),
            _numeric(frame, "marker", decimals=3),
            Column("died", "categorical", role="target", levels=("no", "yes")),
        ),
        positive="yes",
    )
    return schema.check(schema.cast(frame)), schema


def linked(n: int, seed: int = 1) -> tuple[pd.DataFrame, Schema]:
    """x ~ N(0, 1), y | x ~ N(0.9 x, 0.19), P(high | x) = 0.9 where x > 0 else 0.1: for methods that learn little."""
    draw = Rng(seed, ("linked",)).numpy()
    x = draw.standard_normal(n).clip(-4, 4)
    y = (0.9 * x + np.sqrt(0.19) * draw.standard_normal(n)).clip(-4, 4)
    high = draw.random(n) < np.where(x > 0, 0.9, 0.1)
    frame = pd.DataFrame({"x": x, "y": y, "dose": np.where(high, "high", "low")})
    numbers = [Column(name, "numeric", low=-4, high=4) for name in "xy"]
    schema = Schema((*numbers, Column("dose", "categorical", "target", ("low", "high"))), positive="high")
    return schema.check(schema.cast(frame)), schema


ALL = {"numeric": numeric, "categorical": categorical, "mixed": mixed}


def _numeric(frame: pd.DataFrame, name: str, **more) -> Column:
    return Column(name, "numeric", low=float(frame[name].min()), high=float(frame[name].max()), **more)
