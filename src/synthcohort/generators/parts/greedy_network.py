r"""Which columns should each column hear, if it may hear only a few?

A Bayesian network writes the law of a row as prod_i P(x_i | parents_i). Greedy construction [Zhang 2017]: start with a
root; again and again add the column X and the parents Pi, taken among the columns that are in already, with the largest
mutual information

    I(X; Pi) = sum_{x, pi} p(x, pi) log( p(x, pi) / (p(x) p(pi)) )

among all pairs with at most `degree` parents whose table has at most a given number of cells. A column with ordered
cells may be heard coarsely, neighbouring cells merged in pairs h times, and parents are as fine as the table allows
[there: taxonomy trees, maximal parent sets].

A version with noise picks one of the candidates of a step by another `choose` (the exponential mechanism); here the
largest score is taken.

Departs: from I its expectation under independence is subtracted, (cells - rows - columns + 1) / (2 n) over the cells,
rows and columns of the table that are not empty [after Miller 1955]; else wide tables win by their noise, in
particular on a few hundred rows. So smaller parent sets compete too, not only maximal ones. Parents are sought among
the `pool` columns that share most information with X one by one: of all sets of 1,000 columns most would be looked at
in vain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import combinations, product

import numpy as np
from scipy.special import xlogy
from tqdm import tqdm

Choose = Callable[[np.ndarray], int]  # scores of all candidates [c] -> the one to take

_COARSE = 8  # cells of a column while parents are shortlisted
_BLOCK = 4096  # rows turned into 0/1 columns at a time


@dataclass(frozen=True)
class Node:
    """A column and what it hears.

    Args:
        column: its number.
        parents: numbers of its parents, and how often the cells of each are merged in pairs.
    """

    column: int
    parents: tuple[tuple[int, int], ...] = ()

    def cell(self, codes: np.ndarray, levels: list[int]) -> np.ndarray:
        """Return the number of the parents' joint cell, [n], for codes [d, n]."""
        key = np.zeros(codes.shape[1], dtype=np.int64)
        for parent, merged in self.parents:
            key = key * width(levels[parent], merged) + (codes[parent] >> merged)
        return key

    def cells(self, levels: list[int]) -> int:
        """Return how many joint cells the parents have."""
        return int(np.prod([width(levels[parent], merged) for parent, merged in self.parents], dtype=np.int64))

    def count(self, codes: np.ndarray, levels: list[int]) -> np.ndarray:
        """Return how many rows have each parents' cell and each level of the column, [C, K]."""
        k, c = levels[self.column], self.cells(levels)
        key = self.cell(codes, levels) * k + codes[self.column]
        return np.bincount(key, minlength=c * k).reshape(c, k)


def width(levels: int, merged: int) -> int:
    """Return how many cells are left of `levels` after `merged` mergers in pairs."""
    return ((levels - 1) >> merged) + 1


def mutual_information(counts: np.ndarray) -> float:
    """Return I in nats of a table of counts [C, K]."""
    total = counts.sum()
    entropy = xlogy(counts, counts).sum()
    margins = sum(xlogy(m, m).sum() for m in (counts.sum(axis=0), counts.sum(axis=1)))
    return float((entropy - margins) / total + np.log(total))


def chance(counts: np.ndarray) -> float:
    """Return what I is expected to be if rows and columns are independent."""
    cells = (counts > 0).sum() - (counts.any(axis=0)).sum() - (counts.any(axis=1)).sum() + 1
    return float(cells / (2 * counts.sum()))


def largest(scores: np.ndarray) -> int:
    """Return the place of the largest score, the first one of equals."""
    return int(np.argmax(scores))


def grow(
    codes: np.ndarray,
    levels: list[int],
    ordered: list[bool],
    *,
    root: int,
    degree: int,
    most_cells: float,
    pool: int,
    choose: Choose = largest,
    label: str = "network",
) -> list[Node]:
    """Return the nodes in the order in which they were added: parents come before children.

    Args:
        codes: [d, n] level numbers.
        levels: [d] how many levels each column has.
        ordered: [d] whether its neighbouring levels may be merged.
        root: the first column.
        degree: parents of a column at most.
        most_cells: cells of a table at most, the column's own levels included.
        pool: columns among which parents are sought.
        choose: picks a candidate.
        label: name shown while the network grows.
    """
    shared = pairwise(codes, levels, ordered)
    waiting = np.ones(len(codes), dtype=bool)
    candidates = [Node(x) for x in range(len(codes)) if x != root]
    scores = np.zeros(len(candidates))
    alive = np.arange(len(candidates))
    child = np.array([c.column for c in candidates], dtype=np.int64)
    nodes = [Node(root)]
    for _ in tqdm(range(len(codes) - 1), desc=label, unit="column", leave=False, mininterval=1.0):
        newest = nodes[-1].column
        waiting[newest] = False
        inside = np.array([node.column for node in nodes])
        fresh = [
            node
            for x in np.flatnonzero(waiting).tolist()
            for node in _parent_sets(
                x, newest, _shortlist(shared[x], inside, newest, pool), levels, ordered, degree, most_cells
            )
        ]
        tables = (node.count(codes, levels) for node in fresh)
        scores = np.concatenate([scores, [mutual_information(t) - chance(t) for t in tables]])
        alive = np.concatenate([alive, np.arange(len(candidates), len(scores))])
        child = np.concatenate([child, [node.column for node in fresh]]).astype(np.int64)
        candidates += fresh
        alive = alive[waiting[child[alive]]]
        nodes.append(candidates[alive[choose(scores[alive])]])
    return nodes


def _shortlist(shared: np.ndarray, inside: np.ndarray, newest: int, pool: int) -> list[int] | None:
    """Return the other columns of the pool if the newest column is in it."""
    others = inside[inside != newest]
    better = others[shared[others] >= shared[newest]]
    if len(better) >= pool:
        return None
    return others[np.argsort(-shared[others], kind="stable")[: pool - 1]].tolist()


def _parent_sets(
    x: int,
    newest: int,
    others: list[int] | None,
    levels: list[int],
    ordered: list[bool],
    degree: int,
    most_cells: float,
) -> Iterator[Node]:
    """Yield every candidate for x whose parents are the newest column and some of the others."""
    if others is None:
        return
    for size in range(degree):
        for rest in combinations(others, size):
            parents = (newest, *rest)
            shape = tuple((levels[p], ordered[p]) for p in parents)
            for merged in finest(shape, int(most_cells // levels[x])):
                yield Node(x, tuple(zip(parents, merged, strict=True)))


@cache
def finest(shape: tuple[tuple[int, bool], ...], most: int) -> tuple[tuple[int, ...], ...]:
    """Return the mergers of each parent that make at most `most` joint cells and none of which can be undone.

    Args:
        shape: levels of each parent, and whether they may be merged (down to two).
        most: joint cells at most.
    """

    def size(merged: tuple[int, ...]) -> int:
        return int(np.prod([width(k, m) for (k, _), m in zip(shape, merged, strict=True)], dtype=np.int64))

    steps = [range(max(1, int(np.ceil(np.log2(k)))) if may and k > 1 else 1) for k, may in shape]
    fits = [merged for merged in product(*steps) if size(merged) <= most]
    return tuple(
        m for m in fits if not any(m[i] and (*m[:i], m[i] - 1, *m[i + 1 :]) in set(fits) for i in range(len(m)))
    )


def pairwise(codes: np.ndarray, levels: list[int], ordered: list[bool]) -> np.ndarray:
    """Return the mutual information [d, d], less its chance value, of all pairs of columns [d, n].

    Ordered columns are merged to at most 8 cells. Memory: the square of the number of cells of all columns together.
    """
    merged = [max(0, int(np.ceil(np.log2(k / _COARSE)))) if may else 0 for k, may in zip(levels, ordered, strict=True)]
    size = np.array([width(k, m) for k, m in zip(levels, merged, strict=True)])
    start = np.cumsum(size) - size
    d, n = codes.shape
    joint = np.zeros((size.sum(), size.sum()), dtype=np.float32)
    column = start[:, None] + (codes >> np.array(merged)[:, None])  # [d, n]
    for at in range(0, n, _BLOCK):
        some = column[:, at : at + _BLOCK]
        flags = np.zeros((some.shape[1], len(joint)), dtype=np.float32)
        np.put_along_axis(flags, some.T, 1.0, axis=1)
        joint += flags.T @ flags
    margin = np.diag(joint).astype(np.float64)
    own = np.add.reduceat(xlogy(margin, margin), start)
    filled = np.add.reduceat(margin > 0, start, dtype=np.int64)
    out = np.empty((d, d))
    for j in range(d):
        block = joint[start[j] : start[j] + size[j]].astype(np.float64)  # [K_j, cells]
        inner = np.add.reduceat(xlogy(block, block).sum(axis=0), start)
        cells = np.add.reduceat((block > 0).sum(axis=0), start, dtype=np.int64)
        out[j] = (inner - own[j] - own) / n + np.log(n) - (cells - filled[j] - filled + 1) / (2 * n)
    return out


def conditional(counts: np.ndarray, marginal: np.ndarray, smoothing: float) -> np.ndarray:
    """Return P(x | parents' cell), [C, K]: counts [C, K] and `smoothing` rows spread as the column's marginal [K]."""
    return (counts + smoothing * marginal) / (counts.sum(axis=1, keepdims=True) + smoothing)
