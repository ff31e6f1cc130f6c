r"""How much of a table is a few small tables, one a column, chosen and counted with noise?

PrivBayes [Zhang 2017]: the Bayesian network of `bayesian_network`, bought. Of every column a histogram is bought; then
the network grows from the target, column by column: the exponential mechanism takes a column X and parents Pi, among
those that are in already, with a high dependence

    u = n R - b,    R = 1/2 sum_{x, pi} | p(x, pi) - p(x) p(pi) |,    b = 1/2 sqrt(2 n (K_X - 1) (K_Pi - 1) / pi),

and the table of counts of X and Pi is bought with Laplace noise of scale 1 / epsilon_t. R, not mutual information, is
the score of [Zhang 2017, sec. 5.3] for columns with several levels: n R changes by less than 3/2 if one row becomes
blank, n public (by 3 + 2 / n if it is replaced, as there), n times the mutual information by about log n.
b is what n R is near for independent columns and depends on no row.

Tables have n min(epsilon_t, 1) / theta cells at most, so that a cell's count is theta times its noise on average
[theta-usefulness, ibid. sec. 4.5]; a parent with ordered levels may be heard coarsely. A conditional table is

    P(x | pi) = (N(x, pi)^+ + s m_x) / (N(pi) + s),    N(pi) = sum over x of N(x, pi)^+,  s = 1 / epsilon_t,

m the column's histogram. The looks' epsilons keep the proportions that the shares state and are the largest that either
plain addition or zCDP allows (`dp.budget`): with many columns the latter is more.

Departs: neighbours as in `dp.accountant`. The root is the target, so that a class can be asked for; its table is its
histogram. The bias b is taken off, else large tables win by their emptiness. Cells without rows follow the histogram
and not the uniform law; no attempt is made to make the tables agree.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from synthcohort.dp import mechanisms
from synthcohort.dp.accountant import zcdp_rho
from synthcohort.dp.budget import Budget, Ledger
from synthcohort.dp.preprocessing import Measure, by_laplace
from synthcohort.dp.randomness import Noise
from synthcohort.generators.bayesian_network import draw_levels
from synthcohort.generators.parts import greedy_network
from synthcohort.generators.parts.budgeted import Budgeted
from synthcohort.generators.parts.fitting import at_least
from synthcohort.generators.parts.graphical import Measured
from synthcohort.generators.parts.greedy_network import Node
from synthcohort.rng import Rng

SENSITIVITY = 1.5  # of n R


@dataclass(kw_only=True, eq=False)
class PrivBayes(Budgeted):
    """A greedy Bayesian network of noisy choices and noisy tables; see `Budgeted` for the other settings.

    Args:
        structure_share: part of the budget that the choices take, > 0; with the histograms' below 1.
        degree: k, parents of a column at most, >= 1.
        theta: average count of a cell in units of its noise, > 0.
    """

    structure_share: float = 0.2
    degree: int = 2
    theta: float = 4.0

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least(self, degree=1)
        if not self.theta > 0:
            raise ValueError(f"privbayes: theta={self.theta} must be positive")
        if not (self.structure_share > 0 and self.structure_share + self.histogram_share < 1):
            raise ValueError(
                f"privbayes: structure_share={self.structure_share} must be positive and leave, with "
                f"histogram_share={self.histogram_share}, something below 1 for the tables"
            )

    def _histograms(self, ledger: Ledger, noise: Noise) -> Measure:
        return by_laplace(ledger, epsilon=self._costs(ledger.budget)[0], noise=noise)

    def _costs(self, budget: Budget) -> tuple[float, float, float]:
        """Return the epsilon of one histogram, one choice and one table."""
        d = len(self.schema.columns)
        more = max(1, d - 1)
        tables = 1 - self.histogram_share - self.structure_share
        each = self.histogram_share / d, self.structure_share / more, tables / more
        squares = d * each[0] ** 2 + more * (each[1] ** 2 + each[2] ** 2)
        by_zcdp = math.sqrt(2 * zcdp_rho(budget.epsilon, budget.delta) / squares)
        whole = max(budget.epsilon, by_zcdp) * (1 - 1e-9)
        return whole * each[0], whole * each[1], whole * each[2]

    def _learn(self, train: pd.DataFrame, first: list[Measured], ledger: Ledger, noise: Noise, rng: Rng) -> None:
        _, choice, cost = self._costs(ledger.budget)
        codes, n, levels = self.table.codes(train), len(train), self.table.levels
        histograms = [np.maximum(m.counts, 0) + 1e-6 for m in first]
        buy = by_laplace(ledger, epsilon=cost, noise=noise)
        self.nodes = [Node(self.root)]
        self.tables = [histograms[self.root][None] / histograms[self.root].sum()]
        offers = _Offers(codes, levels, self._ordered(), degree=self.degree, most=n * min(cost, 1.0) / self.theta)
        told = 0.0
        for _ in range(len(levels) - 1):
            offers.add(self.nodes)
            ledger.spend_pure(f"choice of node {len(self.nodes)}", choice)
            node = offers.take(
                mechanisms.exponential(np.array(offers.scores), sensitivity=SENSITIVITY, epsilon=choice, noise=noise)
            )
            names = [self.schema.names[c] for c in (node.column, *(p for p, _ in node.parents))]
            noisy, _ = buy(f"table of {', '.join(names)}", node.count(codes, levels))
            kept, share = np.maximum(noisy, 0), histograms[node.column] / histograms[node.column].sum()
            self.nodes.append(node)
            self.tables.append(greedy_network.conditional(kept, share, max(1 / cost, 1e-6)))
            told += greedy_network.mutual_information(kept + 1e-9)
            self._log(-told)

    def _ordered(self) -> list[bool]:
        return [c.numeric for c in self.schema.columns]

    def _sample(self, n: int, conditions: pd.DataFrame | None, rng: Rng, options: Mapping[str, Any]) -> pd.DataFrame:
        levels, asked = self.table.levels, self._target_codes(conditions)
        codes = np.zeros((len(levels), n), dtype=np.int64)
        for node, table in zip(self.nodes, self.tables, strict=True):
            uniform = rng.branch("node", node.column).numpy().random(n)
            codes[node.column] = draw_levels(table, node.cell(codes, levels), uniform)
            if asked is not None and node.column == self.root:
                codes[node.column] = asked
        return self.table.frame(codes, rng.branch("rows"))

    def _state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        arrays, record = super()._state()
        nodes = [[node.column, [list(p) for p in node.parents]] for node in self.nodes]
        return {**arrays, **{f"table_{i}": a for i, a in enumerate(self.tables)}}, {**record, "nodes": nodes}

    def _restore(self, arrays: dict[str, np.ndarray], record: dict[str, Any]) -> None:
        super()._restore(arrays, record)
        self.nodes = [Node(column, tuple((p, m) for p, m in parents)) for column, parents in record["nodes"]]
        self.tables = [arrays[f"table_{i}"] for i in range(len(self.nodes))]


class _Offers:
    """The nodes that may be added next, and their true scores, which only the exponential mechanism may see."""

    def __init__(self, codes: np.ndarray, levels: list[int], ordered: list[bool], *, degree: int, most: float) -> None:
        self.codes, self.levels, self.ordered = codes, levels, ordered
        self.degree, self.most = degree, most
        self.nodes: list[Node] = []
        self.scores: list[float] = []

    def add(self, nodes: list[Node]) -> None:
        """Add what the newest of the nodes of the network makes possible."""
        inside = [node.column for node in nodes]
        fresh = [Node(x) for x in range(len(self.levels)) if x not in inside] if len(nodes) == 1 else []
        fresh += self._with(inside[-1], inside[:-1])
        self.nodes += fresh
        self.scores += [dependence(node.count(self.codes, self.levels), self.codes.shape[1]) for node in fresh]

    def _with(self, newest: int, others: list[int]) -> Iterator[Node]:
        for x in (x for x in range(len(self.levels)) if x != newest and x not in others):
            for size in range(self.degree):
                for rest in combinations(others, size):
                    parents = (newest, *rest)
                    shape = tuple((self.levels[p], self.ordered[p]) for p in parents)
                    for merged in greedy_network.finest(shape, int(self.most // self.levels[x])):
                        yield Node(x, tuple(zip(parents, merged, strict=True)))

    def take(self, at: int) -> Node:
        """Return the chosen node and drop all of its column."""
        chosen = self.nodes[at]
        kept = [i for i, node in enumerate(self.nodes) if node.column != chosen.column]
        self.nodes, self.scores = [self.nodes[i] for i in kept], [self.scores[i] for i in kept]
        return chosen


def dependence(counts: np.ndarray, n: int) -> float:
    """Return n R - b of a table [C, K] of the counts of n rows, blank ones in no cell.

    One row more, where N < n are not blank and c_pi and c_x of them have its parents' cell and its level, moves n R by
    ( | 1 - (c_pi + c_x + 1) / n | + (2 N - c_pi - c_x) / n ) / 2 at most: less than 3 / 2.
    """
    c, k = counts.shape
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / n
    bias = math.sqrt(2 * n * (c - 1) * (k - 1) / math.pi) / 2
    return float(np.abs(counts - expected).sum()) / 2 - bias
