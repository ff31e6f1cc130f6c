r"""How much of a table is a tree of pairs, each counted with noise?

MST [McKenna 2021], winner of a public challenge: a histogram of each column is bought; then a spanning tree of pairs of
columns is chosen, and the table of each chosen pair is bought; the law is that of largest entropy among those closest
to all tables (`parts.graphical`). Pairs are chosen one by one, as Kruskal's algorithm does: among those that join two
parts of the tree so far the exponential mechanism takes one with a high

    u_ab = | M_ab - n p_a p_b |_1,

M_ab the table of true counts and p the histograms' law. A row that becomes blank changes one cell of M_ab by one, so
u_ab changes by 1 at most; the table that is bought has sensitivity 1.

What is left after the histograms is halved between choices and tables, each alike, in zCDP: a choice of epsilon costs
epsilon^2 / 8, a table of noise sigma 1 / (2 sigma^2).

Departs: rare levels are joined with their neighbours where they have an order (`parts.private_table`); the histograms'
share is a setting, 0.3, where the paper has a third.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from synthcohort.dp import mechanisms
from synthcohort.dp.budget import Ledger
from synthcohort.dp.preprocessing import by_gaussian
from synthcohort.dp.randomness import Noise
from synthcohort.generators.parts.factors import Clique, count
from synthcohort.generators.parts.graphical import Measured
from synthcohort.generators.parts.graphical_based import GraphicalBased
from synthcohort.rng import Rng


@dataclass(kw_only=True, eq=False)
class MST(GraphicalBased):
    """A maximum spanning tree of noisy pairs; see `GraphicalBased` for the settings."""

    def _learn(self, train: pd.DataFrame, first: list[Measured], ledger: Ledger, noise: Noise, rng: Rng) -> None:
        codes, levels, n, measured = self.table.codes(train), self.table.levels, len(train), list(first)
        start = self._fit_law(measured, n, rounds=self.rounds)
        share = self.rho_left(ledger) / (2 * max(1, len(levels) - 1))
        alone = [start.law.marginal((c,)) for c in range(len(levels))]
        utility: dict[Clique, float] = {
            (a, b): float(np.abs(count(codes, (a, b), levels) - n * np.outer(alone[a], alone[b])).sum())
            for a, b in combinations(range(len(levels)), 2)
        }
        buy = by_gaussian(ledger, rho=share, noise=noise)
        for pair in self._tree(utility, ledger, share, noise):
            counts, sigma = buy(f"table of {self._names(pair)}", count(codes, pair, levels))
            measured.append(Measured(pair, counts, sigma))
        self.law = self._fit_law(measured, n, rounds=self.rounds).law

    def _tree(self, utility: dict[Clique, float], ledger: Ledger, rho: float, noise: Noise) -> list[Clique]:
        """Return the pairs of a spanning tree; each choice costs rho."""
        part = list(range(len(self.schema.columns)))
        chosen: list[Clique] = []
        for step in range(1, len(part)):
            open_pairs = [pair for pair in utility if part[pair[0]] != part[pair[1]]]
            ledger.spend_zcdp(f"choice of pair {step}", rho)
            at = mechanisms.exponential(
                np.array([utility[pair] for pair in open_pairs]),
                sensitivity=1.0,
                epsilon=mechanisms.exponential_epsilon(rho),
                noise=noise,
            )
            a, b = open_pairs[at]
            chosen.append((a, b))
            part = [part[a] if p == part[b] else p for p in part]
        return chosen
