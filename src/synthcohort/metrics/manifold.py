"""Do the synthetic rows lie where the real ones do, do they reach everywhere the real ones are, and are they new?

Rows are standardised numeric columns beside one-hot levels, on the scale of the whole real table, with Euclidean
distance d. x_1 .. x_n are real, y_1 .. y_m synthetic rows; c_r and c_g are their means; S_r^alpha is the ball around
c_r that holds the share alpha of the real rows, S_g^beta the ball around c_g that holds the share beta of the synthetic
ones; r_k(i) is the distance from x_i to the k-th nearest other real row.

- `alpha_precision` = 1 - 2 int_0^1 |P(alpha) - alpha| d alpha, P(alpha) = share of y_j in S_r^alpha
  [Alaa 2022, section 4].
- `beta_recall` = 1 - 2 int_0^1 |R(beta) - beta| d beta, R(beta) = share of x_i whose nearest synthetic row y is within
  d(x_i, y) <= r_1(i) and lies in S_g^beta [Alaa 2022, section 4].
- `authenticity` = share of y_j with d(y_j, x_i) > r_1(i), x_i the real row nearest to y_j [Alaa 2022, section 4].
- `density` = sum_j #{i: d(x_i, y_j) < r_5(i)} / (5 m) [Naeem 2020].
- `coverage` = share of x_i with d(x_i, y_j) < r_5(i) for some j [Naeem 2020].

What fresh rows of the real law score, with n real and m synthetic rows:

- `alpha_precision`: about 1 - sqrt(pi / 8) sqrt(1/n + 1/m) (the mean absolute Brownian bridge): 0.96 for 540 and 540.
- `beta_recall`: about the chance m / (n - 1 + m) that the nearest of all other rows is a synthetic one, one half for
  n = m and not 1; somewhat more with many columns, where nearest rows are more central than rows at large (normal
  columns: 0.5 for two, 0.6 for eight, 0.7 for sixteen). Copies score up to 1, so a value above that of fresh rows is a
  sign of copying and not of merit.
- `authenticity`: 1 - P(a row is the nearest neighbour of its own nearest neighbour) if rows have about as many real
  neighbours everywhere: 1/3 for one column, and more with more (0.4 for two, 0.55 for eight, 0.7 for sixteen). Copies
  score 0. A value above that of fresh rows says only that rows stray.
- `density`: mean 1, not bounded by it. Rows near the middle of many columns lie in the balls of many others: a table
  drawn in to a fifth of its spread has 1 in two columns, 3 in eight, 14 in sixteen. Its direction is "up", as in its
  source, because a low value has one meaning, rows where no patient is; one above 1 is no merit, and a low
  `alpha_precision` and `beta_recall` beside it show what it is. Do not rank tables by it.
- `coverage`: mean 1 - prod_{a < 5} (n - 1 - a) / (n - 1 + m - a): 0.97 for n = m.

Because of these sizes all but `authenticity` take equally many rows of both tables, so that generators that give many
rows and tables that have few are on one scale. `authenticity` looks at every real row, since a copy of a row that was
left out would pass for new.

Ties: in a table of few categorical columns most rows have equals, all radii can be 0, and no row is nearer than "<" or
all of them are within "<=". Here tied rows stand in random order and a score is its mean over these orders. The values
of fresh rows above then hold for `density` and `coverage` of any table exactly, and `beta_recall` stays about one half;
`authenticity` nears 1, since a row that equals many patients is a copy of none.

With s real rows nearer than r_k(i) and t at r_k(i), x_i itself not counted, and u synthetic rows at r_k(i):

- a synthetic row at r_k(i) is inside with weight (k - s) / (t + 1) (`density`), and at least one of u is with
  1 - prod_{a < k - s} (t - a) / (t + u - a) (`coverage`; k = 1, `beta_recall`: u / (t + u));
- a synthetic row as far from its nearest real row x_i as t other real rows, at r_1(i), is authentic with weight
  t / (t + 1); of several nearest real rows one is drawn;
- the ball of a share alpha holds so much of the rows on its surface as fills it.

A table judged against itself has `alpha_precision` 1 and, if no two rows are equal, `beta_recall` and `coverage` 1 and
`authenticity` 0; its `density` is then 1.1, since every row lies in its own ball: the strict "<" of the source gives 1,
but 1.1 as soon as the copies are moved by a hair.

Departs: the space is the standardised one and not the embedding of a learned one-class network, so that the score needs
no training run of its own; the nearest synthetic row is that of all rows and not of those in S_g^beta, so that the real
table itself scores 1; both integrals are exact and not sums over a grid; ties as above.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthcohort.metrics.matrix import require_rows, sample_rows
from synthcohort.metrics.points import Blocks, Points, distance_blocks, other_rows, points
from synthcohort.rng import Rng
from synthcohort.schema import Schema
from synthcohort.scores import Score

METRICS = ("alpha_precision", "beta_recall", "density", "coverage", "authenticity")
NEIGHBOURS = 5


@dataclass(frozen=True)
class Balls:
    """The ball around each row that reaches to its k-th nearest other row; float32 distances.

    Args:
        radius: [b] distance to that row.
        inside: [b] how many other rows are nearer, < k.
        tied: [b] how many other rows are at that distance, >= k - inside.
    """

    radius: np.ndarray
    inside: np.ndarray
    tied: np.ndarray


@dataclass(frozen=True)
class Closest:
    """The synthetic rows closest to each real row; float32 distances.

    Args:
        distance: [n] distance to them.
        ties: [n] how many are at that distance.
    """

    distance: np.ndarray
    ties: np.ndarray


def manifold_scores(
    real: pd.DataFrame, synthetic: pd.DataFrame, schema: Schema, *, max_rows: int, rng: Rng
) -> list[Score]:
    """Return the scores named in `METRICS`.

    Args:
        real: [n, P + Q] the rows the generator learned from (`authenticity` asks for copies of these).
        synthetic: [m, P + Q] rows of the generator.
        schema: the schema of both.
        max_rows: use at most so many rows of each table; of the real one, all for `authenticity`.
        rng: draws the subsamples and the order of tied rows.

    Raises:
        DataProblem: if fewer than `MIN_ROWS` rows of a table are there or allowed.
    """
    size = min(len(real), len(synthetic), max_rows)
    kept = sample_rows(real, size, rng.branch("real"))
    made = sample_rows(synthetic, size, rng.branch("synthetic"))
    require_rows(kept, "real")
    require_rows(made, "synthetic")
    x, y = points(kept, real, schema), points(made, real, schema)
    across, others = list(distance_blocks(x, y)), list(other_rows(x, np.arange(size)))  # each serves several scores
    balls, found = neighbour_balls(others, NEIGHBOURS), closest_points(across)
    members = points(real, real, schema).take(rng.branch("ties").numpy().permutation(len(real)))
    judged = points(sample_rows(synthetic, max_rows, rng.branch("synthetic")), real, schema)
    held = covered(neighbour_balls(others, 1), found, 1)
    return [
        Score("fidelity", "alpha_precision", alpha_precision(x, y), size, "up"),
        Score("fidelity", "beta_recall", beta_recall(y, across, found, held), size, "up"),
        Score("fidelity", "density", density(across, balls, NEIGHBOURS), size, "up"),
        Score("fidelity", "coverage", float(covered(balls, found, NEIGHBOURS).mean()), size, "up"),
        Score("privacy", "authenticity", authenticity(members, judged), len(judged), "up"),
    ]


def alpha_precision(x: Points, y: Points) -> float:
    """Return 1 - 2 int |P(alpha) - alpha|, in [0, 1]; 1 if y lies around the middle of x as x itself does."""
    centre = _centre(x)
    low, high = _levels(_radii(y, centre), _radii(x, centre))  # [m]
    return 1.0 - 2.0 * curve_gap(low, high, np.full(len(y), 1.0 / len(y)), len(x))


def beta_recall(y: Points, across: Blocks, found: Closest, held: np.ndarray) -> float:
    """Return 1 - 2 int |R(beta) - beta|, in [0, 1].

    Args:
        y: [m] synthetic rows.
        across: distances from n real rows to these.
        found: the synthetic rows nearest to each real row.
        held: [n] how likely the ball of each real row, to its nearest other, is to hold a synthetic row.
    """
    radii = _radii(y, _centre(y))
    low, high = _levels(radii, radii)  # [m]
    share = held / found.ties / len(held)  # [n]
    weight = np.zeros(len(y))  # the real rows that each synthetic row covers as their nearest
    for part, distances in across:
        weight += share[part] @ (distances == found.distance[part, None])  # [m]
    return 1.0 - 2.0 * curve_gap(low, high, weight, len(y))


def density(across: Blocks, balls: Balls, k: int) -> float:
    """Return the mean number of real balls that hold a synthetic row, over k; >= 0.

    Args:
        across: distances from the real rows to the synthetic ones.
        balls: of the real rows, to their k-th nearest other.
        k: as in `balls`.
    """
    surface = (k - balls.inside) / (balls.tied + 1)  # [n]
    total = 0.0
    for part, distances in across:
        radius = balls.radius[part, None]
        total += float((distances < radius).sum() + surface[part] @ (distances == radius).sum(axis=1))
    return total / (k * distances.shape[1])


def covered(balls: Balls, found: Closest, k: int) -> np.ndarray:
    """Return how likely each ball is to hold a synthetic row, [n] in [0, 1]; neither 0 nor 1 only if rows are tied.

    Args:
        balls: of the real rows, to their k-th nearest other.
        found: the synthetic rows nearest to each real row.
        k: as in `balls`.
    """
    place = np.arange(k)
    before = place < (k - balls.inside)[:, None]  # [n, k]
    tied, both = balls.tied[:, None] - place, (balls.tied + found.ties)[:, None] - place
    missed = np.where(before, tied / np.where(before, both, 1), 1.0).prod(axis=1)  # [n]
    return np.where(found.distance == balls.radius, 1.0 - missed, found.distance < balls.radius)


def authenticity(x: Points, y: Points) -> float:
    """Return the share of y farther from the nearest row of x than that row is from the rest of x, in [0, 1].

    Args:
        x: [n] real rows. Of several nearest ones the first is taken: give them in random order.
        y: [m] rows judged.
    """
    place, distance = np.empty(len(y), np.int64), np.empty(len(y), np.float32)
    for part, distances in distance_blocks(y, x):
        place[part] = distances.argmin(axis=1)
        distance[part] = distances.min(axis=1)
    rows, which = np.unique(place, return_inverse=True)
    balls = neighbour_balls(other_rows(x, rows), 1)
    radius, tied = balls.radius[which], balls.tied[which]  # [m]
    return float(np.where(distance == radius, tied / (tied + 1), distance > radius).mean())


def neighbour_balls(others: Blocks, k: int) -> Balls:
    """Return the balls around rows that reach to their k-th nearest other row, from what `other_rows` yields."""
    parts = []
    for _, distances in others:
        radius = np.partition(distances, k - 1, axis=1)[:, k - 1]
        inside, tied = ((compare(distances, radius[:, None])).sum(axis=1) for compare in (np.less, np.equal))
        parts.append((radius, inside, tied))
    return Balls(*(np.concatenate(column) for column in zip(*parts)))


def closest_points(across: Blocks) -> Closest:
    """Return the distance from each row of one table to its nearest row of another, and how many rows share it."""
    least = [(distances, distances.min(axis=1)) for _, distances in across]
    ties = [(distances == nearest[:, None]).sum(axis=1) for distances, nearest in least]
    return Closest(np.concatenate([nearest for _, nearest in least]), np.concatenate(ties))


def curve_gap(low: np.ndarray, high: np.ndarray, weight: np.ndarray, steps: int) -> float:
    """Return int_0^1 |C(t) - t| dt, exactly, of a curve C made of rising pieces.

    Row j lifts C by its weight: evenly as t goes from low_j / steps to high_j / steps, at once if these are equal.

    Args:
        low, high: [m] integers in 0 .. steps, low <= high.
        weight: [m] nonnegative.
        steps: number of cells of [0, 1]; C is linear within each.
    """
    sudden = low == high
    jumps = np.bincount(low[sudden], weight[sudden], steps + 1)  # [steps + 1]
    slope = weight[~sudden] / (high - low)[~sudden]
    rising = np.bincount(low[~sudden], slope, steps + 1) - np.bincount(high[~sudden], slope, steps + 1)
    rises = np.cumsum(rising)[:-1]  # [steps] what C gains within each cell
    start = np.cumsum(jumps)[:-1] + np.cumsum(rises) - rises  # [steps]
    first = start - np.arange(steps) / steps
    last = start + rises - np.arange(1, steps + 1) / steps
    reach = np.abs(first) + np.abs(last)
    crossing = (first**2 + last**2) / np.where(reach > 0, reach, 1.0)  # two triangles
    return float(np.where(first * last < 0, crossing, reach).sum() / (2 * steps))


def _centre(x: Points) -> Points:
    mean = x.numeric.mean(axis=0, keepdims=True), x.levels.mean(axis=0, dtype=np.float64, keepdims=True)
    return Points(*mean, x.columns)


def _radii(x: Points, centre: Points) -> np.ndarray:
    squared = ((x.numeric - centre.numeric) ** 2).sum(axis=1) + ((x.levels - centre.levels) ** 2).sum(axis=1)
    return np.sqrt(squared).astype(np.float32)  # [n]


def _levels(radii: np.ndarray, among: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return how many of `among` are below, and how many at or below, each radius: [m] and [m]."""
    ordered = np.sort(among)
    return np.searchsorted(ordered, radii, "left"), np.searchsorted(ordered, radii, "right")
