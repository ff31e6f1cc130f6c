"""Which numbers stand behind the pictures of real and synthetic rows?

- Informative columns: mutual information with the target in nats, I = sum p log(p / (p_a p_b)), on the joint counts of
  levels; a numeric column is cut at its deciles first.
- Pair gaps: 1 - Trend of every pair, as `metrics.fidelity` defines it.
- Embedding: features scaled by the real table's mean and standard deviation, levels as indicators, projected on the
  first two right singular vectors of the real table [Jolliffe 2002, sec. 3.5]; their signs are fixed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthcohort.metrics import fidelity
from synthcohort.schema import Column, Schema

BINS = 10


@dataclass(frozen=True)
class Embedding:
    """Rows in a plane.

    Args:
        points: columns generator, first, second.
        explained: share of the real table's variance along the two axes.
    """

    points: pd.DataFrame
    explained: tuple[float, float]


def informative_columns(frame: pd.DataFrame, schema: Schema, count: int) -> list[str]:
    """Return the target and the `count` - 1 features with the most mutual information about it, most first."""
    target = _cells(frame[schema.target.name], schema.target)
    worth = {c.name: _mutual_information(_cells(frame[c.name], c), target) for c in schema.features}
    ranked = sorted(worth, key=lambda name: -worth[name])
    return [schema.target.name, *ranked][:count]


def pair_gaps(real: pd.DataFrame, synthetic: pd.DataFrame, schema: Schema) -> pd.DataFrame:
    """Return 1 - Trend of every pair of columns as a symmetric square frame with a zero diagonal."""
    pairs = fidelity.pair_trends(real, synthetic, schema)
    square = pd.DataFrame(0.0, index=schema.names, columns=schema.names)
    for pair in pairs.itertuples():
        square.loc[str(pair.first), str(pair.second)] = 1 - float(pair.trend)  # type: ignore[arg-type]
    return square + square.T


def embed(real: pd.DataFrame, samples: Mapping[str, pd.DataFrame], schema: Schema) -> Embedding:
    """Return real rows ("real") and every generator's rows in the plane of the real table's first two components."""
    whole = _indicators(real, schema)  # [n, P + sum K]
    centre, scale = whole.mean(axis=0), whole.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)  # a constant column has no direction to project on
    standard = (whole - centre) / scale
    _, singular, right = np.linalg.svd(standard, full_matrices=False)
    axes = right[:2] * np.sign(right[:2].sum(axis=1, keepdims=True) + 1e-300)  # [2, P + sum K]
    parts = []
    for name, frame in {"real": real, **samples}.items():
        plane = ((_indicators(frame, schema) - centre) / scale) @ axes.T  # [n, 2]
        parts.append(pd.DataFrame({"generator": name, "first": plane[:, 0], "second": plane[:, 1]}))
    shares = singular**2 / (singular**2).sum()
    return Embedding(pd.concat(parts, ignore_index=True), (float(shares[0]), float(shares[1])))


def _indicators(frame: pd.DataFrame, schema: Schema) -> np.ndarray:
    parts = []
    for column in schema.columns:
        if column.numeric:
            parts.append(frame[column.name].to_numpy(dtype=float)[:, None])
        else:
            parts.append(np.eye(len(column.levels))[frame[column.name].cat.codes.to_numpy()])
    return np.hstack(parts)


def _cells(cells: pd.Series, column: Column) -> np.ndarray:
    if not column.numeric:
        return cells.cat.codes.to_numpy()
    edges = np.unique(np.quantile(cells, np.linspace(0, 1, BINS + 1)[1:-1]))
    return np.searchsorted(edges, cells.to_numpy(), side="right")


def _mutual_information(a: np.ndarray, b: np.ndarray) -> float:
    joint = pd.crosstab(a, b, normalize=True).to_numpy()
    product = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)
    seen = joint > 0
    return float((joint[seen] * np.log(joint[seen] / product[seen])).sum())
