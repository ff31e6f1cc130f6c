"""Whom do the nearest synthetic rows betray?

Three attacks that measure how the synthetic rows crowd around a target x, by the distances d of `nearest`. Each gives a
score per target, higher = more likely a row the generator learned from. The attacker holds the synthetic rows
s_1 .. s_m and other real rows, the reference, by which all distances are scaled: the training table is not known.

- `distance`: -min_j d(x, s_j), the attack of GAN-Leaks without a model [Chen 2020] and of the membership
  inference risk of diffusion models for patient records [Ceritli 2023].
  Departs: d is Gower's, not Euclid's, so that categorical columns count as they do in the other privacy scores.
- `domias`: log p_synthetic(x) - log p_reference(x) [van Breugel 2023, eq. 2]; a row is suspicious where synthetic rows
  lie denser than the population does, not wherever they lie dense.
  Departs: densities are those of nearest neighbours, p(x) ~ k / (n r_k(x)^D) with r_k the distance to the k-th, hence
  the score log r_5(x; reference) - log r_1(x; synthetic) up to constants. k = 1 for the synthetic rows, because a
  copied row is an atom that any wider kernel smears out (a Gaussian kernel of the usual bandwidth hardly tells copies);
  k = 5 for the population, which has none. No decomposition, no bandwidth, and categorical columns take part.
  A radius of 0 is an infinite density, as the estimate has it: such targets score +inf, or -inf if the population
  alone has an atom there, or 0 if both have.
- `monte_carlo`: -(1 / m) sum_j 1[d(x, s_j) <= epsilon] log d(x, s_j), the estimator of [Hilprecht 2019] that weighs
  the rows of the ball by their distance; epsilon is the median over all targets of min_j d(x, s_j), which they call
  the median heuristic. Their other estimator, the share of rows in the ball, ranks a stranger in a crowd above a copy
  that stands alone.
  Departs: d is Gower's mean over columns, in [0, 1] within the reference's range; a row at distance 0 scores +inf,
  as the sum has it, where releases add a small constant.

An attack that cannot tell two targets apart gives them the same score; nothing is added to break such ties.
"""

from __future__ import annotations

import numpy as np

from synthcohort.metrics.attacks_scene import Scene
from synthcohort.metrics.matrix import DataProblem
from synthcohort.metrics.nearest import closeness_within, neighbour_distance
from synthcohort.rng import Rng

REFERENCE_NEIGHBOUR = 5


def distance_attack(scene: Scene, rng: Rng) -> np.ndarray:
    """Return minus the distance to the nearest synthetic row, [n]."""
    return -scene.nearest_synthetic


def domias_attack(scene: Scene, rng: Rng) -> np.ndarray:
    """Return the log ratio of the synthetic to the population density up to a constant, [n]; may be infinite.

    Raises:
        DataProblem: if the reference has fewer than `REFERENCE_NEIGHBOUR` rows.
    """
    if len(scene.reference) < REFERENCE_NEIGHBOUR:
        raise DataProblem(f"the reference has {len(scene.reference)} rows; its density needs {REFERENCE_NEIGHBOUR}")
    targets, _, population = scene.scaled
    return log_ratio(neighbour_distance(targets, population, REFERENCE_NEIGHBOUR), scene.nearest_synthetic)


def monte_carlo_attack(scene: Scene, rng: Rng) -> np.ndarray:
    """Return how many synthetic rows lie in a ball around each target and how close, [n] >= 0; may be infinite."""
    targets, synthetic, _ = scene.scaled
    return closeness_within(targets, synthetic, float(np.median(scene.nearest_synthetic)))


def log_ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """Return log(above / below), [n], of numbers >= 0: +inf or -inf where one of them is 0, 0 where both are."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.log(above) - np.log(below)
    return np.where((above == 0) & (below == 0), 0.0, ratio)
