r"""Which tables of counts should be bought, if each shows what to buy next?

AIM [McKenna 2022]. Round after round the exponential mechanism takes, among all tables r over up to `order` columns,
one that the law so far gets wrong by more than the noise of a purchase would,

    u_r = w_r ( | M_r - n p_r |_1 - sqrt(2 / pi) sigma cells_r ),    w_r = sum over s of | r and s have in common |,

s running over the tables that matter: all of `order` columns. One row changes M_r by one in one cell, so u_r by
max w at most. The table is bought with noise sigma and the law fitted again (`parts.graphical`). A round costs
epsilon^2 / 8 + 1 / (2 sigma^2) of zCDP, a tenth of it for the choice; it starts at 1 / `rounds_per_column` d of what
there is. Where a purchase has changed its table by less than the noise would, sigma is halved and epsilon doubled. The
last round takes what is left.

A table may be chosen only if the cliques of the model would hold at most `most_cells` cells times the share of the
budget that is then spent, so that late rounds may build wider cliques than early ones.

Departs: every column's histogram is bought first with `histogram_share` of the budget, not with d of the rounds,
because levels are joined by it. A table whose columns already share a clique is always allowed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from synthcohort.dp import mechanisms
from synthcohort.dp.budget import Ledger
from synthcohort.dp.preprocessing import by_gaussian
from synthcohort.dp.randomness import Noise
from synthcohort.generators.parts.factors import Clique, count
from synthcohort.generators.parts.fitting import at_least
from synthcohort.generators.parts.graphical import Fit, Measured
from synthcohort.generators.parts.graphical_based import GraphicalBased
from synthcohort.generators.parts.junction import largest_table
from synthcohort.rng import Rng

_CHOICE = 0.1  # share of a round that its choice costs [McKenna 2022, alg. 2: 1 - alpha]
_NOISE = math.sqrt(2 / math.pi)  # mean of |N(0, 1)|


@dataclass(kw_only=True, eq=False)
class AIM(GraphicalBased):
    """An adaptive and iterative mechanism; see `GraphicalBased` for the other settings.

    Args:
        order: columns of a table at most, >= 1.
        rounds_per_column: T / d, how small the first rounds are, >= 1.
        rounds_between: of mirror descent between two purchases, >= 1.
        most_cells: cells of the model's cliques together at most, >= 1.
    """

    histogram_share: float = 0.2
    order: int = 2
    rounds_per_column: int = 16
    rounds_between: int = 50
    most_cells: int = 200_000

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least(self, order=1, rounds_per_column=1, rounds_between=1, most_cells=1)

    def _learn(self, train: pd.DataFrame, first: list[Measured], ledger: Ledger, noise: Noise, rng: Rng) -> None:
        codes, levels, n, measured = self.table.codes(train), self.table.levels, len(train), list(first)
        tables = candidates(len(levels), min(self.order, len(levels)))
        true = {r: count(codes, r, levels) for r in tables}
        fitted = self._fit_law(measured, n, rounds=self.rounds)
        whole = left = self.rho_left(ledger)
        share = whole / (self.rounds_per_column * len(levels))
        while left > 0:
            if left < 2 * share:
                share = left
            left -= share
            sigma = mechanisms.gaussian_scale(sensitivity=1.0, rho=(1 - _CHOICE) * share)
            allowed = self._allowed(tables, measured, fitted, (1 - left / whole) * self.most_cells)
            ledger.spend_zcdp(f"choice of table {len(self.history)}", _CHOICE * share)
            r = self._choose(allowed, true, fitted, n, sigma, share, noise)
            buy = by_gaussian(ledger, rho=(1 - _CHOICE) * share, noise=noise)
            counts, deviation = buy(f"table of {self._names(r)}", true[r])
            measured.append(Measured(r, counts, deviation))
            before = n * fitted.law.marginal(r)
            fitted = self._fit_law(measured, n, rounds=self.rounds_between, start=fitted)
            if np.abs(n * fitted.law.marginal(r) - before).sum() <= _NOISE * sigma * counts.size:
                share *= 4  # sigma halved, epsilon doubled
        self.law = self._fit_law(measured, n, rounds=self.rounds, start=fitted).law

    def _allowed(
        self, tables: dict[Clique, int], measured: list[Measured], fitted: Fit, most: float
    ) -> dict[Clique, int]:
        """Return the tables with which the model stays small, and those it can tell of already."""
        held = [m.clique for m in measured]
        return {
            r: w
            for r, w in tables.items()
            if fitted.law.tree.home(r) is not None or largest_table([*held, r], self.table.levels) <= most
        }

    def _choose(
        self,
        tables: dict[Clique, int],
        true: dict[Clique, np.ndarray],
        fitted: Fit,
        n: int,
        sigma: float,
        share: float,
        noise: Noise,
    ) -> Clique:
        utility = [
            w * (np.abs(true[r] - n * fitted.law.marginal(r)).sum() - _NOISE * sigma * true[r].size)
            for r, w in tables.items()
        ]
        at = mechanisms.exponential(
            np.array(utility),
            sensitivity=float(max(tables.values())),
            epsilon=mechanisms.exponential_epsilon(_CHOICE * share),
            noise=noise,
        )
        return list(tables)[at]


def candidates(d: int, order: int) -> dict[Clique, int]:
    """Return every table over 1 to `order` of d columns and its weight: each of its columns is in C(d - 1, order - 1)
    of the tables that matter."""
    return {r: size * math.comb(d - 1, order - 1) for size in range(1, order + 1) for r in combinations(range(d), size)}
