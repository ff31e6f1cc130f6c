r"""What is the law of a row whose columns are independent inside every box of a partition?

    p(x) = 1/B sum_b sum_{leaves l of tree b} q_l prod_j p_lj(x_j)                               [Watson 2023, "FORDE"]

q_l is the share of training rows in leaf l. A numeric column is a normal law of its normal score, truncated to the
box, with the mean and variance of the leaf's rows (a row's score is spread over its window). A categorical one has

    p_lj(k) = (rows of leaf l with code k + alpha m_k / M) / (rows of leaf l + alpha),

m the column's marginal and M its share inside the box. The counts are kept as the training rows' codes and leaves,
n (d + B) integers, since a table over leaves, columns and levels would be far larger; a draw from the counts is the
code of a random row of the leaf.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from scipy.special import logsumexp

from synthcohort.generators.parts import truncated
from synthcohort.generators.parts.gridded import Cells, Grid
from synthcohort.generators.parts.partitions import Partition
from synthcohort.rng import Rng

_LEAST_SPREAD = 0.01  # of a leaf's normal scores: a spike of one value is never narrower


class Members:
    """The rows of every leaf.

    Args:
        leaf: [n, B] the leaf of each row in each tree; leaves of different trees have different numbers.
        leaves: L.
    """

    def __init__(self, leaf: np.ndarray, leaves: int) -> None:
        self.leaf = leaf
        self.count = np.bincount(leaf.ravel(), minlength=leaves)
        self.start = np.cumsum(self.count) - self.count
        self.order = np.argsort(leaf, axis=None, kind="stable") // leaf.shape[1]

    def one_of(self, leaves: np.ndarray, uniform: np.ndarray) -> np.ndarray:
        """Return a row of each leaf [m], chosen by uniform numbers [m] in [0, 1)."""
        return self.order[self.start[leaves] + (uniform * self.count[leaves]).astype(np.int64)]

    def cover(self, m: int, draw: np.random.Generator) -> np.ndarray:
        """Return m leaves: a random tree, in it a leaf by its share of rows."""
        n, trees = self.leaf.shape
        return self.leaf[draw.integers(n, size=m), draw.integers(trees, size=m)]


class Factorised:
    """A mixture of products over the boxes of a partition.

    Args:
        boxes: the partition.
        codes: [n, d] codes of the training rows.
        members: the rows of every leaf.
        normal: [2, L, P] mu and sigma of the numeric columns before truncation.
        grid: the table's grid.
        alpha: rows of the marginal added to a leaf's level shares.
    """

    def __init__(
        self, boxes: Partition, codes: np.ndarray, members: Members, normal: np.ndarray, grid: Grid, alpha: float
    ) -> None:
        self.boxes = boxes
        self.codes = codes
        self.members = members
        self.normal = normal
        self.grid = grid
        self.alpha = alpha

    @classmethod
    def fit(cls, boxes: Partition, cells: Cells, grid: Grid, alpha: float) -> Factorised:
        """Learn the laws of every leaf from the training rows."""
        members = Members(boxes.locate(cells.codes), boxes.leaves)
        empty = np.empty((2, boxes.leaves, cells.windows.shape[1]))
        self = cls(boxes, cells.codes, members, empty, grid, alpha)
        for i, column in enumerate(grid.columns):
            if column.numeric:
                j = grid.place[i]
                self.normal[:, :, j] = _normal(members, cells.windows[:, j], *self._ends(i))
        return self

    def _ends(self, i: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the normal scores [L] between which numeric column i lies in each leaf."""
        low, high = self.boxes.sides(i, self.grid.top[i])
        edges = self.grid.edges[self.grid.place[i]]
        return edges[low], edges[high + 1]

    def marginal(self, i: int) -> np.ndarray:
        """Return how many training rows have each code [K] of categorical column i."""
        return np.bincount(self.codes[:, i], minlength=self.grid.top[i] + 1)

    def draw(self, leaves: np.ndarray, rng: Rng) -> tuple[np.ndarray, np.ndarray]:
        """Return one row of each leaf [n]: normal scores [n, P] and codes of the categorical columns [n, Q]."""
        numeric: list[np.ndarray] = []
        codes: list[np.ndarray] = []
        for i, column in enumerate(self.grid.columns):
            draw = rng.branch(i).numpy()
            if column.numeric:
                mu, sigma = self.normal[:, leaves, self.grid.place[i]]
                low, high = (end[leaves] for end in self._ends(i))
                numeric.append(truncated.draw(mu, sigma, low, high, draw.random(len(leaves))))
            else:
                codes.append(self._draw_codes(i, leaves, draw))
        n = len(leaves)
        return (
            np.stack(numeric, axis=1) if numeric else np.empty((n, 0)),
            np.stack(codes, axis=1) if codes else np.empty((n, 0), dtype=np.int64),
        )

    def _draw_codes(self, i: int, leaves: np.ndarray, draw: np.random.Generator) -> np.ndarray:
        """Return a code [n] of column i: of a row of the leaf or, rarely, of the marginal inside the box."""
        from_leaf = self.codes[self.members.one_of(leaves, draw.random(len(leaves))), i].astype(np.int64)
        other = np.flatnonzero(draw.random(len(leaves)) * (self.members.count[leaves] + self.alpha) < self.alpha)
        low, high = (side[leaves[other]] for side in self.boxes.sides(i, self.grid.top[i]))
        below = np.concatenate([[0], np.cumsum(self.marginal(i))])
        row = below[low] + draw.random(len(other)) * (below[high + 1] - below[low])
        from_leaf[other] = np.searchsorted(below, row, side="right") - 1
        return from_leaf

    def table(self, i: int) -> np.ndarray:
        """Return what the law of column i needs in every leaf.

        Returns:
            [L, K] log p_lj(k), -inf outside the box, of a categorical column; [L, 2] ends of the box of a numeric one.
        """
        if self.grid.columns[i].numeric:
            return np.stack(self._ends(i), axis=1)
        levels, leaves = self.grid.top[i] + 1, self.boxes.leaves
        key = self.members.leaf * levels + self.codes[:, i, None]  # [n, B]
        count = np.bincount(key.ravel(), minlength=leaves * levels).reshape(leaves, levels)
        low, high = self.boxes.sides(i, self.grid.top[i])
        k = np.arange(levels)
        base = self.marginal(i) * ((k >= low[:, None]) & (k <= high[:, None]))  # [L, K]
        smoothed = count + self.alpha * base / base.sum(axis=1, keepdims=True)
        with np.errstate(divide="ignore"):
            return np.log(smoothed / (self.members.count[:, None] + self.alpha))

    def log_cell(self, i: int, table: np.ndarray, leaf: np.ndarray, cells: Cells) -> np.ndarray:
        """Return log p_lj of the cells of column i of m rows, each in its leaf [m]; `table` as above."""
        if not self.grid.columns[i].numeric:
            return table[leaf, cells.codes[:, i]]
        j = self.grid.place[i]
        mu, sigma = self.normal[:, leaf, j]
        low, high = table[leaf].T
        inside = np.clip(cells.windows[:, j].T, low, high)  # [2, m]
        whole = truncated.log_mass((low - mu) / sigma, (high - mu) / sigma)
        return truncated.log_mass(*(inside - mu) / sigma) - whole

    def log_weight(
        self, owner: np.ndarray, leaf: np.ndarray, cells: Cells, tables: Iterable[tuple[int, np.ndarray]]
    ) -> np.ndarray:
        """Return log(q_l prod_j p_lj) of pairs of a row and a leaf, the product over the row's given cells.

        Args:
            owner: [pairs] rows of `cells`.
            leaf: [pairs] leaves.
            cells: the rows.
            tables: columns with a given cell, and their `table`.
        """
        total = np.log(self.members.count[leaf] / len(self.codes))
        for i, table in tables:
            some = np.flatnonzero(cells.given[owner, i])
            total[some] += self.log_cell(i, table, leaf[some], cells.rows(owner[some]))
        return total

    def log_density(self, cells: Cells) -> np.ndarray:
        """Return log p of whole rows, [n]: of each tree one leaf counts."""
        leaf = self.boxes.locate(cells.codes)  # [n, B]
        owner = np.repeat(np.arange(len(leaf)), leaf.shape[1])
        columns = ((i, self.table(i)) for i in range(len(self.grid.columns)))
        weight = self.log_weight(owner, leaf.ravel(), cells, columns).reshape(leaf.shape)
        with np.errstate(divide="ignore"):
            return logsumexp(weight, axis=1) - np.log(leaf.shape[1])

    def state(self) -> dict[str, np.ndarray]:
        """Return what `restore` needs, as arrays."""
        own = {"codes": self.codes, "leaf": self.members.leaf.astype(np.int32), "normal": self.normal}
        return {**own, **self.boxes.state()}

    @classmethod
    def restore(cls, arrays: dict[str, np.ndarray], grid: Grid, alpha: float) -> Factorised:
        """Rebuild from `state`."""
        boxes = Partition.restore(arrays)
        members = Members(arrays["leaf"].astype(np.int64), boxes.leaves)
        return cls(boxes, arrays["codes"], members, arrays["normal"], grid, alpha)


def recombine(codes: np.ndarray, members: Members, rng: Rng) -> np.ndarray:
    """Return n rows of codes [n, d]: a random leaf by its share of rows, then every column from a row of that leaf."""
    draw = rng.numpy()
    leaves = members.cover(len(codes), draw)
    out = np.empty_like(codes)
    for i in range(codes.shape[1]):
        out[:, i] = codes[members.one_of(leaves, draw.random(len(codes))), i]
    return out


def pick(owner: np.ndarray, log_weight: np.ndarray, wanted: np.ndarray, uniform: np.ndarray) -> np.ndarray:
    """Return for each draw [n] a pair of the owner it wants, chosen by weight.

    Args:
        owner: [pairs] 0, 1, ... ascending, each with at least one pair of positive weight.
        log_weight: [pairs] logarithms of weights.
        wanted: [n] owners.
        uniform: [n] numbers in [0, 1).
    """
    begin = np.searchsorted(owner, np.arange(owner[-1] + 2))
    peak = np.maximum.reduceat(log_weight, begin[:-1])
    total = np.concatenate([[0.0], np.cumsum(np.exp(log_weight - peak[owner]))])
    low, high = total[begin[wanted]], total[begin[wanted + 1]]
    place = np.searchsorted(total, low + uniform * (high - low), side="right") - 1
    return np.minimum(place, begin[wanted + 1] - 1)


def _normal(members: Members, windows: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Return mu and sigma [2, L] of a column with windows [n, 2], cut to (low, high) [L].

    A score spread over its window (a, b) of a standard normal has the mean (phi(a) - phi(b)) / w and the variance of
    the law cut to the window. A single row, which has no variance, is given one that puts 95 % inside the box.
    """
    zero, one = np.zeros(len(windows)), np.ones(len(windows))
    a, b = windows.T
    wide = b - a > 1e-4
    middle, spread = truncated.moments(zero, one, np.where(wide, a, -1), np.where(wide, b, 1))
    middle, spread = np.where(wide, middle, (a + b) / 2), np.where(wide, np.maximum(spread, 0), 0)

    def mean(values: np.ndarray) -> np.ndarray:
        weights = np.repeat(values, members.leaf.shape[1])
        return np.bincount(members.leaf.ravel(), weights=weights, minlength=len(low)) / members.count

    centre = mean(middle)
    between = np.maximum(mean(middle**2) - centre**2, 0) * members.count / np.maximum(members.count - 1, 1)
    variance = np.where(members.count > 1, between + mean(spread), ((high - low) / 3.92) ** 2)
    return np.stack(truncated.fit(centre, np.maximum(variance, _LEAST_SPREAD**2), low, high))
