"""Which rows may be learned from, which may choose, and which may only judge?

Repeated random splits into train, validation and test, each stratified by the target (a numeric target by its deciles)
so that every class is in every part, and each from its own branch of the randomness. Rows that are the same in every
column are kept together, and so are rows that become the same once their missing cells are filled as `preparation`
fills them: otherwise a generator that repeats its training rows would be caught repeating test rows it never saw.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from synthcohort.fingerprint import fingerprints
from synthcohort.imputation import Filling
from synthcohort.rng import Rng
from synthcohort.schema import Schema

__all__ = ["Split", "SplitError", "fingerprints", "make_splits", "strata"]

_BINS = 10
_ROUNDS = 20


class SplitError(ValueError):
    """A table cannot be split as asked; the message names the share or the class, and the remedy."""


@dataclass(frozen=True)
class Split:
    """Row numbers of one split, each ascending; together they are 0..n-1, each once.

    Args:
        train: [n_train] int64.
        validation: [n_validation] int64.
        test: [n_test] int64.
    """

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray


def make_splits(
    frame: pd.DataFrame,
    schema: Schema,
    *,
    count: int,
    test_share: float,
    validation_share: float,
    rng: Rng,
) -> list[Split]:
    """Return `count` splits of the n rows of `frame`.

    Args:
        test_share: share of all rows in test, in (0, 1).
        validation_share: share of all rows in validation, in (0, 1); the rest is train.
        rng: split k draws from its branch ("split", k).

    Raises:
        SplitError: if the shares leave no train rows, or a class has too few different rows to be in every part.
    """
    if not (test_share > 0 and validation_share > 0 and test_share + validation_share < 1):
        raise SplitError(
            f"test_share {test_share:g} and validation_share {validation_share:g} must be above 0 and leave room for "
            f"train: their sum must be below 1"
        )
    absent = int(frame[schema.target.name].isna().sum())
    if absent:
        raise SplitError(f"column {schema.target.name!r}: {absent} target cell(s) are missing; remove those rows")
    shares = (test_share, validation_share)
    return [_split_apart(frame, schema, shares, rng.branch("split", k)) for k in range(count)]


def strata(frame: pd.DataFrame, schema: Schema) -> np.ndarray:
    """Return the stratum of each row, [n] int64: the target's level, or the decile of a numeric target."""
    cells = frame[schema.target.name]
    if not schema.target.numeric:
        return cells.cat.codes.to_numpy(dtype=np.int64)
    edges = np.unique(np.quantile(cells, np.linspace(0, 1, _BINS + 1)[1:-1]))
    return np.unique(np.searchsorted(edges, cells, side="right"), return_inverse=True)[1].astype(np.int64)


def _split_apart(frame: pd.DataFrame, schema: Schema, shares: tuple[float, float], rng: Rng) -> Split:
    """Split, join the rows that imputation made equal across parts, and split again until there are none."""
    groups, labels = _numbered(fingerprints(frame)), strata(frame, schema)
    gaps = bool(frame.isna().to_numpy().any())
    for _ in range(_ROUNDS):
        parts = _assign(schema, groups, labels, shares, rng.numpy())
        split = Split(*(np.flatnonzero(parts == part) for part in (2, 1, 0)))
        if not gaps:
            return split
        filled = _numbered(fingerprints(Filling.fit(frame.iloc[split.train], schema).apply(frame)))
        if not _straddles(filled, parts):
            return split
        groups = _joined(groups, filled)
    raise SplitError(
        f"{_ROUNDS} attempts left rows in two parts that are the same once missing cells are filled; drop the columns "
        f"with the most missing cells"
    )


def _assign(
    schema: Schema, groups: np.ndarray, labels: np.ndarray, shares: tuple[float, float], g: np.random.Generator
) -> np.ndarray:
    """Return the part of each row, [n]: 0 test, 1 validation, 2 train; a group's rows share one.

    In each stratum the groups come in random order; each goes to test if that brings test no further from its quota,
    else to validation likewise, else to train. What a stratum leaves over or overdraws, the next larger one settles.
    A group lies in one stratum: its rows share the target, which is never filled.
    """
    quotas = [_quotas(np.bincount(labels), share) for share in shares]
    home = labels[np.unique(groups, return_index=True)[1]]  # [groups]
    sizes = np.bincount(groups)
    chosen = np.full(len(sizes), 2)  # [groups]
    room = [0, 0]
    for stratum in np.argsort(np.bincount(labels), kind="stable"):
        room = [left + int(quota[stratum]) for left, quota in zip(room, quotas)]
        for group in g.permutation(np.flatnonzero(home == stratum)):
            part = next((p for p in (0, 1) if sizes[group] <= 2 * room[p]), 2)
            chosen[group] = part
            if part < 2:
                room[part] -= int(sizes[group])
    parts = chosen[groups]  # [n]
    if not schema.target.numeric:
        for stratum in np.unique(labels):
            _check_class(schema, int(stratum), np.bincount(parts[labels == stratum], minlength=3))
    return parts


def _quotas(sizes: np.ndarray, share: float) -> np.ndarray:
    """Return how many rows of each stratum go to a part: at least one each, largest remainders, total rounded."""
    exact = share * sizes
    quota = np.floor(exact).astype(np.int64)
    left = round(share * sizes.sum()) - quota.sum()
    quota[np.argsort(quota - exact, kind="stable")[:left]] += 1
    return np.where(sizes > 0, np.maximum(quota, 1), 0)


def _check_class(schema: Schema, stratum: int, sizes: np.ndarray) -> None:
    if sizes.min() == 0:
        raise SplitError(
            f"column {schema.target.name!r}: class {schema.target.levels[stratum]!r} has too few different rows to be "
            f"in train, validation and test ({sizes.sum()} rows); merge it with another class, or use more rows"
        )


def _numbered(keys: np.ndarray) -> np.ndarray:
    return np.unique(keys, return_inverse=True)[1]


def _straddles(groups: np.ndarray, parts: np.ndarray) -> bool:
    pairs = np.unique(np.stack([groups, parts]), axis=1)  # [2, pairs]
    return pairs.shape[1] > groups.max() + 1


def _joined(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the finest grouping, [n], in which rows that share a group of either share one."""
    n = one.max() + 1
    shape = (n + other.max() + 1,) * 2
    graph = coo_matrix((np.ones(len(one)), (one, n + other)), shape=shape)
    return _numbered(connected_components(graph, directed=False)[1][one])
