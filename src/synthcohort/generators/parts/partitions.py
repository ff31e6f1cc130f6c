r"""Into which boxes do the trees of a forest cut the space of rows, and which box holds a row?

Every tree is a partition of integer cells (codes) into boxes; a node sends a row left if its code of one column is at
most a threshold. All trees of a forest are kept in one set of arrays, nodes in breadth-first order, so that every
question is answered by one pass over depths, for all trees and rows or leaves at once.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np
from sklearn.ensemble import RandomForestClassifier


@dataclass(frozen=True)
class Partition:
    """The trees of a forest.

    Args:
        feature: [N] column a node splits, -1 for a leaf.
        threshold: [N] largest code that goes left.
        left: [N] left child, -1 for a leaf.
        right: [N] right child, -1 for a leaf.
        roots: [B] the root of each tree.
    """

    feature: np.ndarray
    threshold: np.ndarray
    left: np.ndarray
    right: np.ndarray
    roots: np.ndarray

    @cached_property
    def levels(self) -> tuple[np.ndarray, ...]:
        """The nodes at each depth."""
        return _levels(self.left, self.right, self.roots)

    @cached_property
    def leaf(self) -> np.ndarray:
        """The number of each node that is a leaf, -1 for the others, [N]."""
        ends = self.feature < 0
        return np.where(ends, np.cumsum(ends) - 1, -1)

    @property
    def leaves(self) -> int:
        """L, the number of leaves of all trees."""
        return int((self.feature < 0).sum())

    def locate(self, codes: np.ndarray) -> np.ndarray:
        """Return the number of the leaf, [n, B], that holds each row of codes [n, d] in each tree."""
        n, trees = len(codes), len(self.roots)
        row, node = np.repeat(np.arange(n), trees), np.tile(self.roots, n)  # [n B]
        where, out = np.arange(n * trees), np.empty(n * trees, dtype=np.int64)
        while len(where):
            at_leaf = self.feature[node] < 0
            out[where[at_leaf]] = self.leaf[node[at_leaf]]
            where, row, node = where[~at_leaf], row[~at_leaf], node[~at_leaf]
            goes_left = codes[row, self.feature[node]] <= self.threshold[node]
            node = np.where(goes_left, self.left[node], self.right[node])
        return out.reshape(n, trees)

    def reach(self, codes: np.ndarray, given: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return every pair (row, leaf) such that the row's given cells lie inside the leaf's box.

        Args:
            codes: [m, d] codes.
            given: [m, d] which of them are known; an unknown one may be on either side of a split.

        Returns:
            rows [pairs] and leaf numbers [pairs], sorted by row.
        """
        m, trees = len(codes), len(self.roots)
        row, node = np.repeat(np.arange(m), trees), np.tile(self.roots, m)
        rows, leaves = [], []
        while len(node):
            at_leaf = self.feature[node] < 0
            rows.append(row[at_leaf])
            leaves.append(self.leaf[node[at_leaf]])
            row, node = row[~at_leaf], node[~at_leaf]
            column = self.feature[node]
            goes_left, free = codes[row, column] <= self.threshold[node], ~given[row, column]
            to_left, to_right = goes_left | free, ~goes_left | free
            row = np.concatenate([row[to_left], row[to_right]])
            node = np.concatenate([self.left[node[to_left]], self.right[node[to_right]]])
        order = np.argsort(np.concatenate(rows), kind="stable")
        return np.concatenate(rows)[order], np.concatenate(leaves)[order]

    def sides(self, column: int, top: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the smallest and the largest code [L] of `column` in each leaf's box; codes run from 0 to `top`."""
        low, high = np.zeros(len(self.feature), dtype=np.int64), np.full(len(self.feature), top, dtype=np.int64)
        for nodes in self.levels:
            inner = nodes[self.feature[nodes] >= 0]
            left, right = self.left[inner], self.right[inner]
            low[left] = low[right] = low[inner]
            high[left] = high[right] = high[inner]
            cut = self.feature[inner] == column
            high[left[cut]] = self.threshold[inner[cut]]
            low[right[cut]] = self.threshold[inner[cut]] + 1
        leaf = self.feature < 0
        return low[leaf], high[leaf]

    def pruned(self, codes: np.ndarray, least: int) -> Partition:
        """Return the partition in which every leaf holds at least `least` of the rows of codes [n, d].

        A split with one side too small is left out and the other side takes the whole box; a split with both sides
        too small becomes a leaf.
        """
        count = np.zeros(len(self.feature), dtype=np.int64)
        count[self.feature < 0] = np.bincount(self.locate(codes).ravel(), minlength=self.leaves)
        stands_for = np.arange(len(self.feature))
        feature = self.feature.copy()
        for nodes in reversed(self.levels):
            inner = nodes[self.feature[nodes] >= 0]
            left, right = self.left[inner], self.right[inner]
            count[inner] = count[left] + count[right]
            keep_left, keep_right = count[left] >= least, count[right] >= least
            feature[inner[~keep_left & ~keep_right]] = -1
            stands_for[inner[keep_left & ~keep_right]] = stands_for[left[keep_left & ~keep_right]]
            stands_for[inner[~keep_left & keep_right]] = stands_for[right[~keep_left & keep_right]]
        split = feature >= 0
        left = np.where(split, stands_for[self.left], -1)
        right = np.where(split, stands_for[self.right], -1)
        return _renumbered(feature, self.threshold, left, right, stands_for[self.roots])

    def state(self) -> dict[str, np.ndarray]:
        """Return what `restore` needs, as arrays."""
        return {f"partition_{name}": getattr(self, name).astype(np.int32) for name in _STORED}

    @classmethod
    def restore(cls, arrays: dict[str, np.ndarray]) -> Partition:
        """Rebuild from `state`."""
        return cls(**{name: arrays[f"partition_{name}"].astype(np.int64) for name in _STORED})


_STORED = tuple(f.name for f in fields(Partition))


def of_forest(forest: RandomForestClassifier) -> Partition:
    """Return the partition of a fitted forest that was grown on integer codes."""
    trees = [estimator.tree_ for estimator in forest.estimators_]
    starts = np.cumsum([0] + [tree.node_count for tree in trees])
    feature = np.concatenate([np.where(tree.children_left < 0, -1, tree.feature) for tree in trees])
    threshold = np.concatenate([np.floor(tree.threshold).astype(np.int64) for tree in trees])
    shift = np.repeat(starts[:-1], [tree.node_count for tree in trees])
    left = np.concatenate([tree.children_left for tree in trees])
    right = np.concatenate([tree.children_right for tree in trees])
    inner = feature >= 0
    left, right = np.where(inner, left + shift, -1), np.where(inner, right + shift, -1)
    return _renumbered(feature.astype(np.int64), threshold, left, right, starts[:-1])


def _levels(left: np.ndarray, right: np.ndarray, roots: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return the nodes at each depth that are reached from the roots."""
    levels, nodes = [], roots
    while len(nodes):
        levels.append(nodes)
        children = np.concatenate([left[nodes], right[nodes]])
        nodes = children[children >= 0]
    return tuple(levels)


def _renumbered(
    feature: np.ndarray, threshold: np.ndarray, left: np.ndarray, right: np.ndarray, roots: np.ndarray
) -> Partition:
    """Return the nodes that are reached, in breadth-first order."""
    kept = np.concatenate(_levels(left, right, roots))
    new = np.full(len(feature), -1)
    new[kept] = np.arange(len(kept))
    inner = feature[kept] >= 0
    return Partition(
        feature=np.where(inner, feature[kept], -1),
        threshold=np.where(inner, threshold[kept], 0),
        left=np.where(inner, new[left[kept]], -1),
        right=np.where(inner, new[right[kept]], -1),
        roots=new[roots],
    )
