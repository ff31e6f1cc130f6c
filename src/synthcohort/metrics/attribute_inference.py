"""Does the synthetic table reveal a patient's unknown value to someone who knows all the others?

The attacker knows every column of a patient but one, the secret; looks up the synthetic row nearest in the known
columns, and takes its value of the secret for the patient's [Giomi 2023]. A category is guessed right if
it is equal; a number g for the true x if |g - x| <= 0.05 |g|. Every column is the secret in turn, the target included,
but for columns that are constant in training, which hold no secret.

`attribute_inference_risk` is the excess of right guesses on members over controls (see `risk`), where a patient's
success is the share of the secrets guessed right. Over secrets j this is

    sum_j (a_j - c_j) / sum_j (1 - c_j):

a secret that anybody guesses weighs nothing.

Distances are those of `nearest`, without the secret. Of the synthetic rows tied at the smallest distance each is
equally likely to be taken, so a guess succeeds by the share of the tied rows that are right.

Departs: the secrets are pooled, where the source attacks one; ranges are those of the training table, not of the
targets and the synthetic rows together; ties are averaged, not settled by a sorting algorithm; and the difference is
judged by |g|: by g itself, as in anonymeter 1.1.0, every negative guess is right. The tolerance is relative to the
number's own zero, so it is generous where a column lies far from 0 compared with its spread; members and controls
share that.

Constant known columns add nothing where the synthetic column is constant too. Numbers outside the training range are
further than 1 away. Without numeric, or without categorical, columns nothing changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from synthcohort.metrics.matrix import DataProblem
from synthcohort.metrics.nearest import Gaps, column_positions, distance_rows, is_nearest
from synthcohort.metrics.release import Release
from synthcohort.metrics.risk import CONFIDENCE, attack_risk
from synthcohort.rng import Rng
from synthcohort.schema import Column, Schema
from synthcohort.scores import Score

METRICS = ("attribute_inference_risk",)
TOLERANCE = 0.05


def attribute_inference_scores(
    release: Release, *, attacks: int, rng: Rng, confidence: float = CONFIDENCE
) -> list[Score]:
    """Return the score named in `METRICS`; arguments as in `risk.attack_risk`.

    Raises:
        DataProblem: if the schema has one column only, or no column varies in training.
    """
    secrets = varying_columns(release.train)

    def guess(targets: pd.DataFrame) -> np.ndarray:
        right = right_guesses(targets, release.synthetic, release.train, release.schema, secrets=secrets)  # [n, S]
        return right.mean(axis=1)

    return [attack_risk(METRICS[0], guess, release, attacks=attacks, rng=rng, confidence=confidence)]


def varying_columns(train: pd.DataFrame) -> list[str]:
    """Return the columns that take more than one value in training.

    Raises:
        DataProblem: if there is none.
    """
    names = [str(name) for name in train.columns if (train[name] != train[name].iloc[0]).any()]
    if not names:
        raise DataProblem("every column is constant in training: there is no secret to guess")
    return names


def right_guesses(
    targets: pd.DataFrame, synthetic: pd.DataFrame, train: pd.DataFrame, schema: Schema, *, secrets: Sequence[str]
) -> np.ndarray:
    """Return how probably each secret of each target is guessed right, [n, S] in [0, 1].

    Args:
        targets: the rows attacked.
        synthetic: the published rows.
        train: rows that give the ranges of numeric columns.
        schema: the schema of all three.
        secrets: the columns to guess, each from all the others.

    Raises:
        DataProblem: if the schema has one column only.
    """
    if len(schema.columns) < 2:
        raise DataProblem(f"column {schema.names[0]!r} stands alone: there is nothing to guess it from")
    places = column_positions(schema)
    wanted = {places[name]: s for s, name in enumerate(secrets)}
    truths, values = ([_values(frame, schema[name]) for name in secrets] for frame in (targets, synthetic))
    gaps = Gaps(distance_rows(targets, train, schema), distance_rows(synthetic, train, schema))
    right = np.empty((len(targets), len(secrets)))
    for part in gaps.parts():
        for place, distance in leave_one_out(gaps, part):
            if place in wanted:
                s = wanted[place]
                query, found = np.nonzero(is_nearest(distance))
                hits = _right(values[s][found], truths[s][part][query], schema[secrets[s]])
                right[part, s] = np.bincount(query, hits) / np.bincount(query)
    return right


def leave_one_out(gaps: Gaps, part: slice) -> Iterator[tuple[int, np.ndarray]]:
    """Yield each column's position with the distance over all the other columns, [b, candidates] float32.

    The sums are built by halving the columns, in D log D additions for D columns; taking one term from the full sum
    would let its rounding, hence the secret, decide between rows that are equal in the known columns.
    """
    yield from _without_each(gaps, part, gaps.columns, gaps.distances(part, ()))


def attribute_inference_baseline(
    targets: pd.DataFrame, synthetic: pd.DataFrame, schema: Schema, *, secrets: Sequence[str]
) -> float:
    """Return the success rate of the guess that a random synthetic row gives, over all targets and secrets."""
    rates = []
    for name in secrets:
        truth, guesses = _values(targets, schema[name]), _values(synthetic, schema[name])
        guess, count = np.unique(guesses, return_counts=True)
        rates += [count[_right(guess, value, schema[name])].sum() / len(guesses) for value in truth]
    return float(np.mean(rates))


def _without_each(
    gaps: Gaps, part: slice, columns: Sequence[int], others: np.ndarray
) -> Iterator[tuple[int, np.ndarray]]:
    if len(columns) == 1:
        yield columns[0], others
        return
    left, right = columns[: len(columns) // 2], columns[len(columns) // 2 :]
    for kept, added in ((left, right), (right, left)):
        yield from _without_each(gaps, part, kept, gaps.add(others.copy(), part, added))


def _values(frame: pd.DataFrame, column: Column) -> np.ndarray:
    cells = frame[column.name]
    return cells.to_numpy(np.float64) if column.numeric else cells.cat.codes.to_numpy(np.int64)


def _right(guess: np.ndarray, truth: np.ndarray, column: Column) -> np.ndarray:
    if column.numeric:
        return np.abs(guess - truth) <= TOLERANCE * np.abs(guess)
    return guess == truth
