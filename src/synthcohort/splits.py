"""Which rows may be learned from, which may choose, and which may only judge?

Repeated random splits into train, validation and test, each stratified by the target (a numeric target by its deciles)
so that every class is in every part, and each from its own branch of the randomness. Rows that are the same in every
column are kept together, and so are rows that become the same once their missing cells are filled as `preparation`
fills them: otherwise a generator that repeats its training rows would be caught repeating test rows it never saw.
Rows of one group, such as the stays of one patient, are kept together too where groups are given: otherwise a judge
would meet patients whom a generator has learned by heart.

A share of the rows may be held in reserve: once no more than it are left that no split tests, later splits draw their
test rows from those that were tested before. Settings may be chosen on the rows of the reserve.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

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
    groups: np.ndarray | None = None,
    reserve: float = 0.0,
) -> list[Split]:
    """Return `count` splits of the n rows of `frame`.

    Args:
        test_share: share of all rows in test, in (0, 1).
        validation_share: share of all rows in validation, in (0, 1); the rest is train.
        rng: split k draws from its branch ("split", k).
        groups: [n] int64 from 0 without gaps, the group of each row; default: no two rows belong together.
        reserve: share of all rows that no split tests, in [0, 1 - 2 test_share].

    Raises:
        SplitError: if the shares leave no train rows, or no test rows beside the reserve, or a class has too few
            different rows or groups to be in every part.
    """
    if not (test_share > 0 and validation_share > 0 and test_share + validation_share < 1):
        raise SplitError(
            f"test_share {test_share:g} and validation_share {validation_share:g} must be above 0 and leave room for "
            f"train: their sum must be below 1"
        )
    if reserve and not 0 < reserve <= 1 - 2 * test_share:
        raise SplitError(
            f"reserve {reserve:g} must be between 0 and {max(0, 1 - 2 * test_share):g}: beside it must be room for the "
            f"different test rows of two splits, test_share {test_share:g} each"
        )
    absent = int(frame[schema.target.name].isna().sum())
    if absent:
        raise SplitError(f"column {schema.target.name!r}: {absent} target cell(s) are missing; remove those rows")
    clusters = _numbered(fingerprints(frame))
    if groups is not None:
        clusters = _joined(clusters, groups)
    shares = (test_share, validation_share)
    splits: list[Split] = []
    anywhere = np.ones(len(frame), dtype=bool)
    tested = ~anywhere
    for k in range(count):
        draw = partial(_split_apart, frame, schema, clusters, shares, rng.branch("split", k))
        split = draw(anywhere)
        if _untested(tested, split) < reserve:
            split = draw(tested)
        tested[split.test] = True
        splits.append(split)
    if groups is not None:
        for split in splits:
            _check_sizes(split, shares)
    return splits


def strata(frame: pd.DataFrame, schema: Schema) -> np.ndarray:
    """Return the stratum of each row, [n] int64: the target's level, or the decile of a numeric target."""
    cells = frame[schema.target.name]
    if not schema.target.numeric:
        return cells.cat.codes.to_numpy(dtype=np.int64)
    edges = np.unique(np.quantile(cells, np.linspace(0, 1, _BINS + 1)[1:-1]))
    return np.unique(np.searchsorted(edges, cells, side="right"), return_inverse=True)[1].astype(np.int64)


def _split_apart(
    frame: pd.DataFrame,
    schema: Schema,
    clusters: np.ndarray,
    shares: tuple[float, float],
    rng: Rng,
    testable: np.ndarray,
) -> Split:
    """Split, join the rows that imputation made equal across parts, and split again until there are none."""
    labels = strata(frame, schema)
    gaps = bool(frame.isna().to_numpy().any())
    for _ in range(_ROUNDS):
        parts = _assign(schema, clusters, labels, shares, rng.numpy(), testable)
        split = Split(*(np.flatnonzero(parts == part) for part in (2, 1, 0)))
        if not gaps:
            return split
        filled = _numbered(fingerprints(Filling.fit(frame.iloc[split.train], schema).apply(frame)))
        if not _straddles(filled, parts):
            return split
        clusters = _joined(clusters, filled)
    raise SplitError(
        f"{_ROUNDS} attempts left rows in two parts that are the same once missing cells are filled; drop the columns "
        f"with the most missing cells"
    )


def _assign(
    schema: Schema,
    clusters: np.ndarray,
    labels: np.ndarray,
    shares: tuple[float, float],
    g: np.random.Generator,
    testable: np.ndarray,
) -> np.ndarray:
    """Return the part of each row, [n]: 0 test, 1 validation, 2 train; a cluster's rows share one.

    Strata take turns, the smallest first. In each the clusters that have no row in an earlier one come in random order;
    each goes to test if its rows of the stratum bring test no further from its quota, else to validation likewise, else
    to train; one with a row that is not testable never goes to test. Its rows of later strata count against the quotas
    there. What a stratum leaves over or overdraws, the next one settles.
    """
    sizes = np.bincount(labels)
    order = np.argsort(sizes, kind="stable")
    quotas = [_quotas(sizes, share) for share in shares]
    turns = np.full(clusters.max() + 1, len(order))  # [clusters]
    np.minimum.at(turns, clusters, np.argsort(order)[labels])
    chosen = np.full(len(turns), 2)  # [clusters]
    first = np.zeros(len(turns), dtype=np.int64)  # [clusters], the first part that a cluster may go to
    first[clusters[~testable]] = 1
    room = [0, 0]
    for turn, stratum in enumerate(order):
        rows = np.bincount(clusters[labels == stratum], minlength=len(turns))  # [clusters]
        room = [room[p] + int(quotas[p][stratum]) - int(rows[chosen == p].sum()) for p in (0, 1)]
        for cluster in g.permutation(np.flatnonzero(turns == turn)):
            part = next((p for p in range(first[cluster], 2) if rows[cluster] <= 2 * room[p]), 2)
            chosen[cluster] = part
            if part < 2:
                room[part] -= int(rows[cluster])
    parts = chosen[clusters]  # [n]
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
            f"column {schema.target.name!r}: class {schema.target.levels[stratum]!r} has too few different rows, or "
            f"groups of rows, to be in train, validation and test ({sizes.sum()} rows); merge it with another class, "
            f"or use more rows"
        )


def _check_sizes(split: Split, shares: tuple[float, float]) -> None:
    """Refuse grouped rows if test or validation has less than half, or more than twice, the rows asked for."""
    n = len(split.train) + len(split.validation) + len(split.test)
    for name, part, share in zip(("test", "validation"), (split.test, split.validation), shares):
        if not 0.5 <= len(part) / (share * n) <= 2:
            raise SplitError(
                f"{name} would be {len(part) / n:.2f} of the rows where {name}_share asks for {share:g}: the groups "
                f"are too few or too unequal, or equal rows tie many of them together; use more groups, other shares, "
                f"or finer columns"
            )


def _untested(tested: np.ndarray, split: Split) -> float:
    """Return the share of rows that neither earlier splits nor this one test."""
    return 1 - (tested.sum() + (~tested[split.test]).sum()) / len(tested)


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
