"""Do rare combinations of attributes in the synthetic table point at single patients of the training table?

A register suppresses small cells of its tables because a cell of one patient tells who it is. Here the
quasi-identifiers are the categorical features, then the numeric features cut at the quartiles of training, the first
six of them; the tables are all their three-way tables. A synthetic cell is small if 1 to 4 synthetic rows fall in it.
It discloses a patient if exactly one real row, of training and test rows together, lies in the same cell (a k-map of
k = 1).

Some cells do so by chance, in members and in controls alike. With K small cells and u_i the number of them that
disclose the real row i,

    small_cell_disclosure = n_train / K * (mean of u over training rows - mean of u over test rows):

the share of small synthetic cells that disclose a member, less the share that would if members were like controls. It
is 0 for fresh rows of the same law, because the one row of a cell is then equally likely to be any real row.

The interval is +- z n_train / K * sqrt(s^2 (1 / n_train + 1 / n_test)), s^2 the variance of u over all real rows: that
of the difference if members and controls are exchangeable. Cells that disclose the same row are thus no independent
evidence. Even copies of the training rows stay far below 1, as few cells of 1 to 4 rows hold one row exactly.

Departs: uniqueness is judged among training and test rows together, and not in each, since in a smaller table more
cells are unique; and numeric columns are cut at quartiles, for a three-way cell of exact numbers is always small.

A constant column makes coarser cells and numbers outside the training range fall in the outer quarters. Numeric or
categorical columns may be absent. Without a small synthetic cell the share is not defined, and refused.
"""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.stats import norm

from synthcohort.metrics.matrix import DataProblem
from synthcohort.metrics.release import Release
from synthcohort.metrics.risk import CONFIDENCE, Rate, rate_score
from synthcohort.schema import Schema
from synthcohort.scores import Score

METRICS = ("small_cell_disclosure",)
SMALL = 5  # a cell of fewer rows is small
WAYS = 3
MOST_COLUMNS = 6


def disclosure_scores(release: Release, *, confidence: float = CONFIDENCE) -> list[Score]:
    """Return the score named in `METRICS`; its n is the number K of small synthetic cells.

    Args:
        release: what is judged.
        confidence: of the interval.

    Raises:
        DataProblem: if the schema has fewer than three features, or no synthetic cell is small.
    """
    train = release.train
    disclosed, small = disclosed_cells(train, release.test, release.synthetic, release.schema)
    return [rate_score(METRICS[0], excess_disclosure(disclosed, small, len(train), confidence), small)]


def excess_disclosure(disclosed: np.ndarray, small: int, members: int, confidence: float = CONFIDENCE) -> Rate:
    """Return the excess of disclosed members with its error.

    Args:
        disclosed: [n_train + n_test] number of small cells that disclose each real row, members first.
        small: number K of small cells.
        members: n_train.
        confidence: of the error.
    """
    controls = len(disclosed) - members
    scale = members / small
    gap = float(disclosed[:members].mean() - disclosed[members:].mean())
    spread = math.sqrt(float(disclosed.var(ddof=1)) * (1.0 / members + 1.0 / controls))
    return Rate(scale * gap, scale * float(norm.ppf((1.0 + confidence) / 2.0)) * spread)


def disclosed_cells(
    train: pd.DataFrame, test: pd.DataFrame, synthetic: pd.DataFrame, schema: Schema
) -> tuple[np.ndarray, int]:
    """Return how many small cells disclose each row of train and test, [n_train + n_test], and their number K.

    Raises:
        DataProblem: if there are fewer than three features or no small cells.
    """
    real = quasi_identifiers(pd.concat([train, test]), train, schema)  # [C, n]
    ours = quasi_identifiers(synthetic, train, schema)  # [C, m]
    if len(real) < WAYS:
        raise DataProblem(f"{WAYS}-way tables need {WAYS} features; the schema has {len(real)}")
    sizes = np.maximum(real.max(axis=1), ours.max(axis=1)) + 1
    disclosed, small = np.zeros(real.shape[1], np.int64), 0
    for ways in map(list, combinations(range(len(real)), WAYS)):
        cells = np.ravel_multi_index(tuple(real[ways]), tuple(sizes[ways]))  # [n]
        published, rows = np.unique(np.ravel_multi_index(tuple(ours[ways]), tuple(sizes[ways])), return_counts=True)
        rare = published[rows < SMALL]
        _, where, counts = np.unique(cells, return_inverse=True, return_counts=True)
        disclosed += (counts[where] == 1) & np.isin(cells, rare)
        small += len(rare)
    if small == 0:
        raise DataProblem(f"no cell of the synthetic {WAYS}-way tables has fewer than {SMALL} rows: nothing is rare")
    return disclosed, small


def quasi_identifiers(frame: pd.DataFrame, train: pd.DataFrame, schema: Schema) -> np.ndarray:
    """Return the codes of the first `MOST_COLUMNS` quasi-identifiers, [C, n] int64: levels, or quarters 0 to 3."""
    ordered = sorted(schema.features, key=lambda column: column.numeric)[:MOST_COLUMNS]
    codes = [
        np.searchsorted(np.quantile(train[c.name], [0.25, 0.5, 0.75]), frame[c.name], side="left")
        if c.numeric
        else frame[c.name].cat.codes
        for c in ordered
    ]
    return np.array(codes, dtype=np.int64).reshape(len(ordered), len(frame))
