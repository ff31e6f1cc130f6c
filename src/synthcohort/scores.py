"""How is one measured number written down?

Every metric returns `Score` records; every score file is a tidy CSV with the columns of `COLUMNS`. A metric that could
not be computed is a row whose value is missing and whose note says why: never a zero.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import pandas as pd

Axis = Literal["fidelity", "utility", "augmentation", "privacy", "fairness", "imputation", "cost"]
Direction = Literal["up", "down", "half", "zero"]

AXES: tuple[str, ...] = ("fidelity", "utility", "augmentation", "privacy", "fairness", "imputation", "cost")
COLUMNS = [
    *("dataset", "generator", "condition", "split", "axis", "metric"),
    *("value", "low", "high", "n", "direction", "note"),
]


@dataclass(frozen=True)
class Score:
    """One number.

    Args:
        axis: which question it belongs to.
        metric: stable snake_case name.
        value: the number; NaN if it could not be computed (then `note` says why).
        n: rows it was computed on.
        direction: "up" or "down" is better; "half": 0.5 is ideal; "zero": 0 is ideal.
        low, high: interval of this single number if the metric has one, else NaN.
        condition: what was asked of the generator, or the arm of an augmentation.
        note: reason of a missing value, else "".
    """

    axis: Axis
    metric: str
    value: float
    n: int
    direction: Direction
    low: float = math.nan
    high: float = math.nan
    condition: str = "as_observed"
    note: str = ""


def failed(axis: Axis, metric: str, reason: str, *, condition: str = "as_observed") -> Score:
    """Return the row of a metric that could not be computed."""
    return Score(axis, metric, math.nan, 0, "up", condition=condition, note=" ".join(reason.split()))


def to_frame(scores: Iterable[Score], *, dataset: str, generator: str, split: int) -> pd.DataFrame:
    """Return scores of one cell and split as a tidy frame with the columns `COLUMNS`."""
    cell = {"dataset": dataset, "generator": generator, "split": split}
    return pd.DataFrame([{**cell, **asdict(score)} for score in scores], columns=COLUMNS)


def write(frame: pd.DataFrame, path: Path) -> None:
    """Write a tidy score frame sorted and rounded to 10 significant digits, so that equal runs give equal bytes."""
    unknown = sorted(set(frame["axis"]) - set(AXES))
    if unknown:
        raise ValueError(f"unknown axis {unknown}; allowed are {list(AXES)}")
    keys = ["dataset", "generator", "axis", "metric", "condition", "split"]
    repeated = frame[frame.duplicated(keys)]
    if len(repeated):
        raise ValueError(f"the same score twice: {repeated.iloc[0][keys].to_dict()}")
    path.parent.mkdir(parents=True, exist_ok=True)
    ordered = frame[COLUMNS].sort_values(keys, kind="stable")
    partial = path.with_name(path.name + ".partial")
    ordered.to_csv(partial, index=False, float_format="%.10g", lineterminator="\n")
    partial.replace(path)


def read(path: Path) -> pd.DataFrame:
    """Read a score file; a missing column is an error that names the file."""
    frame = pd.read_csv(path, keep_default_na=False, na_values={"value": [""], "low": [""], "high": [""]})
    absent = [c for c in COLUMNS if c not in frame.columns]
    if absent:
        raise ValueError(f"{path}: columns {absent} are missing; a score file has {COLUMNS}")
    floats = {"value": "float64", "low": "float64", "high": "float64", "n": "int64", "split": "int64"}
    return frame[COLUMNS].astype(floats)
