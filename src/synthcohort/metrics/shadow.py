"""Can an attacker who trains generators of his own tell whether a patient was among the training rows?

The attack is aimed at the rows at highest risk. A row's exposure is its mean distance to its k = 5 nearest other rows
[Meeus 2023]: rows far from all others are the ones whose presence changes what a generator draws. Departs: distances
are those of `nearest`, as in the other privacy metrics, not cosine distances.

M generators are fitted on the same rows, each with its own choice of the R targets left in. The statistic of run m for
target r says how close the synthetic table comes to the target,

    x[m, r] = - log(d[m, r] + 0.01),  d the distance of `nearest` to the nearest synthetic row,

so that a fixed factor in distance counts the same for every target; 0.01 is a hundredth of one column's range, below
which rows are as good as equal. Each run in turn is the victim. The other runs give, target by target, the mean of the
statistic with and without the target, and the victim's score is the log-likelihood ratio of two Gaussians
[Carlini 2022, algorithm 1],

    score = ((x - mean_out)^2 - (x - mean_in)^2) / (2 s^2),

s^2 the variance around these means, plus 0.01^2, since a generator that copies may leave no variance at all. Departs:
s^2 is pooled over targets and both groups, not estimated for each; a variance for every target needs many more runs
than a study of many generators can pay for.

Departs: [Carlini 2022] keeps every target in half of all runs and leaves out the victim alone. The other runs then hold
the target one time less often if the victim holds it, so its group's mean is the noisier one, and with few runs the
attack falls below chance on a generator that ignores its rows (AUROC .45 with six runs, .48 with sixteen, 20 targets,
simulated). Here runs come in complementary pairs, one holding the targets that the other lacks, and a pair is left out
together: what calibrates the attack is the same whether the victim holds the target or not.

Scores of all runs and targets are pooled:

- `mia_auroc_shadow`: the probability that a member's score exceeds a non-member's, ties counting half; 0.5 is ideal;
- `mia_tpr_at_fpr_1pct_shadow`, `mia_tpr_at_fpr_0p1pct_shadow`: the largest share of members found at a threshold that
  accuses at most 1 % (0.1 %) of the non-members; the level itself is ideal. No rate below `resolution`, one over the
  number of non-members' scores, can be observed: where the level lies below it, the threshold accuses nobody wrongly.

Intervals are bootstrap percentiles over targets: they speak of other exposed rows, not of other tables or runs.

A number near the ideal says that this attack failed, not that no attack succeeds.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.spatial.distance import cdist

from synthcohort.metrics.matrix import DataProblem, level_codes, require_rows, unit_numeric
from synthcohort.metrics.nearest import distance_rows, nearest
from synthcohort.rng import Rng
from synthcohort.schema import Schema
from synthcohort.scores import Score

NEIGHBOURS = 5
SMALL = 0.01
LEVELS = {"mia_tpr_at_fpr_1pct_shadow": 0.01, "mia_tpr_at_fpr_0p1pct_shadow": 0.001}
METRICS = ("mia_auroc_shadow", *LEVELS)
LEAST_RUNS = 6
RESAMPLES = 1000
_BLOCK = 128


def exposed(frame: pd.DataFrame, schema: Schema, count: int, rng: Rng) -> np.ndarray:
    """Return the positions of the rows at highest risk, [count], the most exposed first.

    Args:
        frame: [n, P + Q] rows; distances are on their own ranges.
        schema: their schema.
        count: how many rows, at most half of them.
        rng: decides between rows of equal exposure.

    Raises:
        DataProblem: if there are too few rows.
    """
    require_rows(frame, "training")
    if count > len(frame) // 2:
        raise DataProblem(f"{count} targets are more than half of the {len(frame)} training rows; attack fewer")
    exposure = _exposure(unit_numeric(frame, frame, schema), level_codes(frame, schema).astype(np.float64))  # [n]
    chance = rng.numpy().permutation(len(frame))
    return np.lexsort((chance, -exposure))[:count]


def closeness(targets: pd.DataFrame, synthetic: pd.DataFrame, reference: pd.DataFrame, schema: Schema) -> np.ndarray:
    """Return the statistic of one run, [R]: minus the log distance from each target to the nearest synthetic row.

    Args:
        targets: [R, P + Q] target rows.
        synthetic: [m, P + Q] rows drawn by the run's generator.
        reference: rows whose ranges scale the distances, the same for every run.
        schema: the schema of all three.

    Raises:
        DataProblem: if there are too few synthetic rows.
    """
    require_rows(synthetic, "synthetic")
    scaled = [distance_rows(frame, reference, schema) for frame in (targets, synthetic)]
    return -np.log(nearest(*scaled).distance + SMALL)


def design(models: int, targets: int, rng: Rng) -> np.ndarray:
    """Return which run holds which target, [M, R] bool: run 2i holds a random half, run 2i + 1 the other targets.

    Args:
        models: M, the number of runs, even.
        targets: R, the number of targets.
        rng: draws the halves.
    """
    order = rng.numpy().permuted(np.tile(np.arange(targets), (models // 2, 1)), axis=1)  # [M / 2, R]
    first = order < targets // 2
    return np.stack([first, ~first], axis=1).reshape(models, targets)  # [M, R]


def likelihood_ratio(statistics: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Return the attack's score of every run and target, [M, R], larger if the target seems to be a member.

    Args:
        statistics: [M, R] how close run m came to target r.
        inside: [M, R] whether target r was among the rows of run m; runs 2i and 2i + 1 are complementary.

    Raises:
        ValueError: if the two differ in shape, are not complementary pairs or too few, or a statistic is not finite.
    """
    _check(statistics, inside)
    scores = np.empty(statistics.shape)
    for pair in range(0, len(statistics), 2):
        scores[pair : pair + 2] = _against(
            statistics[pair : pair + 2],
            np.delete(statistics, [pair, pair + 1], 0),
            np.delete(inside, [pair, pair + 1], 0),
        )
    return scores


def attack_scores(scores: np.ndarray, inside: np.ndarray, *, confidence: float, rng: Rng) -> list[Score]:
    """Return the scores named in `METRICS`, each with its interval over targets.

    Args:
        scores: [M, R] what `likelihood_ratio` returned.
        inside: [M, R] membership.
        confidence: of the intervals, in (0, 1).
        rng: draws the targets of the bootstrap.
    """
    targets = scores.shape[1]
    drawn = rng.numpy().multinomial(targets, np.full(targets, 1.0 / targets), size=RESAMPLES)  # [B, R]
    weights = np.concatenate([np.ones((1, targets), dtype=np.int64), drawn])  # [1 + B, R], the first for the value
    false, true = _operating_points(scores, inside, weights)
    found = {"mia_auroc_shadow": np.trapezoid(true, false, axis=1)}
    found |= {name: _true_rate_at(level, false, true) for name, level in LEVELS.items()}
    tails = [(1.0 - confidence) / 2.0, (1.0 + confidence) / 2.0]
    bounds = {name: np.quantile(values[1:], tails) for name, values in found.items()}
    return [
        Score("privacy", name, float(found[name][0]), targets, "down", float(low), float(high))
        for name, (low, high) in bounds.items()
    ]


def roc(scores: np.ndarray, inside: np.ndarray) -> pd.DataFrame:
    """Return the share of non-members accused and of members found at every threshold: false_rate, true_rate."""
    false, true = _operating_points(scores, inside, np.ones((1, scores.shape[1]), dtype=np.int64))
    return pd.DataFrame({"false_rate": false[0], "true_rate": true[0]})


def resolution(inside: np.ndarray) -> float:
    """Return the smallest false positive rate above 0 that can be observed: one over the non-members' scores."""
    return 1.0 / float((~inside).sum())


def _exposure(numeric: np.ndarray, codes: np.ndarray) -> np.ndarray:
    exposure = np.empty(len(numeric))
    for start in range(0, len(numeric), _BLOCK):
        part = slice(start, start + _BLOCK)
        apart = np.zeros((len(numeric[part]), len(numeric)))  # [b, n]
        if numeric.shape[1]:
            apart += cdist(numeric[part], numeric, "cityblock")
        if codes.shape[1]:
            apart += codes.shape[1] * cdist(codes[part], codes, "hamming")
        np.fill_diagonal(apart[:, start:], np.inf)  # a row is not its own neighbour
        exposure[part] = np.partition(apart, NEIGHBOURS - 1, axis=1)[:, :NEIGHBOURS].mean(axis=1)
    return exposure


def _check(statistics: np.ndarray, inside: np.ndarray) -> None:
    if statistics.shape != inside.shape:
        raise ValueError(f"statistics are {statistics.shape} and memberships {inside.shape}; give both as [M, R]")
    if len(inside) < LEAST_RUNS or len(inside) % 2 or (inside[0::2] == inside[1::2]).any():
        raise ValueError(
            f"{len(inside)} runs are no {LEAST_RUNS // 2} or more complementary pairs; take memberships from `design`"
        )
    if not np.isfinite(statistics).all():
        raise ValueError("a statistic is not finite; leave a failed run out together with its partner")


def _against(victims: np.ndarray, others: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Return the scores of a pair of runs, [2, R], given the other runs, [M - 2, R]."""
    each = len(others) // 2  # runs with, and as many without, every target
    mean_in = np.where(inside, others, 0.0).sum(axis=0) / each  # [R]
    mean_out = np.where(inside, 0.0, others).sum(axis=0) / each  # [R]
    residual = others - np.where(inside, mean_in, mean_out)  # [M - 2, R]
    variance = (residual**2).sum() / (others.shape[1] * (len(others) - 2)) + SMALL**2
    return ((victims - mean_out) ** 2 - (victims - mean_in) ** 2) / (2.0 * variance)


def _operating_points(scores: np.ndarray, inside: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return false and true positive rates, [W, thresholds + 1] each, from (0, 0) to (1, 1), for weights of targets."""
    order = np.argsort(-scores, axis=None, kind="stable")
    ranked, member = scores.ravel()[order], inside.ravel()[order]
    last = np.append(ranked[1:] != ranked[:-1], True)  # equal scores are accused together
    spread = weights[:, np.tile(np.arange(scores.shape[1]), len(scores))[order]]  # [W, M * R]
    rates = []
    for group in (~member, member):
        accused = np.cumsum(spread * group, axis=1)  # [W, M * R]
        rate = accused[:, last] / accused[:, -1:]
        rates.append(np.concatenate([np.zeros((len(rate), 1)), rate], axis=1))
    return rates[0], rates[1]


def _true_rate_at(level: float, false: np.ndarray, true: np.ndarray) -> np.ndarray:
    return np.where(false <= level, true, 0.0).max(axis=1)  # [W]
