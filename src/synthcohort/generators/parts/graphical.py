r"""Which law agrees best with noisy tables of counts, and what else does it say?

Of all laws whose marginals mu_c are as close as can be to the measured tables y_c, in

    L(mu) = sum_c |N mu_c - y_c|^2 / (2 sigma_c^2),

the one of largest entropy is a product over the measured cliques, p(x) proportional to exp(sum_c theta_c(x_c)).
Mirror descent moves theta against the gradient of L at the marginals of theta [McKenna 2019, alg. 1],

    theta_c <- theta_c - step N (N mu_c - y_c) / sigma_c^2,    mu <- marginals of theta,

the step halved until L falls by half of step <gradient, change of mu> and doubled before the next round. Marginals of
theta come from passing messages over a junction tree in logarithms [Koller 2009, alg. 10.2]. A table that is new
starts from one step of iterative proportional fitting, which alone meets exact tables of pairs on a tree,

    theta_c = log( (y_c^+ + sigma_c) / (N mu_c + sigma_c) ).

N is the number of rows. All of this is post-processing: it costs no privacy.

Departs: a log table is kept for every measured clique instead of every clique of the tree, so that a fit can go on from
an earlier one after further cliques were measured.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synthcohort.generators.bayesian_network import draw_levels
from synthcohort.generators.parts.factors import Clique, given, log_total, spread, total
from synthcohort.generators.parts.junction import JunctionTree, junction_tree

_HALVINGS = 25


@dataclass(frozen=True)
class Measured:
    """A noisy table of counts.

    Args:
        clique: its columns, ascending.
        counts: the table.
        sigma: standard deviation of the noise, one for all cells or one for each.
    """

    clique: Clique
    counts: np.ndarray
    sigma: float | np.ndarray


class Law:
    """A law over d columns with a table for each clique of a junction tree.

    Args:
        tree: the tree.
        log_tables: logarithm of the marginal of each clique.
    """

    def __init__(self, tree: JunctionTree, log_tables: list[np.ndarray]) -> None:
        self.tree = tree
        self.log_tables = log_tables

    def marginal(self, columns: Clique) -> np.ndarray:
        """Return the probabilities of the cells of any columns (ascending).

        A clique hands its parent the law of the wanted columns below it given what both share; branches without any
        would hand on ones.
        """
        home = self.tree.home(columns)
        if home is not None:
            return total(np.exp(self.log_tables[home]), self.tree.cliques[home], columns)
        inbox: list[list[tuple[np.ndarray, Clique]]] = [[] for _ in self.tree.cliques]
        for i in reversed(range(len(self.tree.cliques))):
            clique, separator, parent = self.tree.cliques[i], self.tree.separators[i], self.tree.parents[i]
            found = set(clique).union(*[own for _, own in inbox[i]]) & set(columns)
            if not found - set(separator) and parent >= 0:
                continue
            log_table = self.log_tables[i]
            if parent >= 0:
                log_table = log_table - spread(log_total(log_table, clique, separator), separator, clique)
            table, own = np.exp(log_table), clique
            for message, axes in inbox[i]:
                wider = tuple(sorted({*own, *axes}))
                table, own = spread(table, own, wider) * spread(message, axes, wider), wider
            kept = tuple(c for c in own if c in separator or c in found)
            table = total(table, own, kept)
            if parent < 0:
                return table
            inbox[parent].append((table, kept))
        raise AssertionError("a junction tree has a root")

    def sample(self, n: int, uniform: list[np.ndarray], known: dict[int, np.ndarray]) -> np.ndarray:
        """Return n rows of level numbers, [d, n].

        Args:
            uniform: for each clique n numbers in [0, 1).
            known: level numbers [n] of columns of the root clique that the caller fixes.
        """
        shape = {c: k for clique, t in zip(self.tree.cliques, self.log_tables) for c, k in zip(clique, t.shape)}
        codes = np.zeros((len(shape), n), dtype=np.int64)
        for column, levels in known.items():
            codes[column] = levels
        for i, clique in enumerate(self.tree.cliques):
            fixed = tuple(sorted(known)) if i == 0 else self.tree.separators[i]
            fresh = tuple(c for c in clique if c not in fixed)
            if not fresh:
                continue
            cell = np.zeros(n, dtype=np.int64)
            for c in fixed:
                cell = cell * shape[c] + codes[c]
            drawn = draw_levels(given(self.log_tables[i], clique, fixed), cell, uniform[i])
            for c in reversed(fresh):
                drawn, codes[c] = np.divmod(drawn, shape[c])
        return codes


def merge(measured: list[Measured]) -> list[Measured]:
    """Return one table a clique: the mean of its tables weighted by 1 / sigma^2."""
    weight: dict[Clique, np.ndarray] = {}
    weighted: dict[Clique, np.ndarray] = {}
    for one in measured:
        precision = np.broadcast_to(np.asarray(one.sigma, dtype=np.float64) ** -2.0, one.counts.shape)
        weight[one.clique] = weight.get(one.clique, 0.0) + precision
        weighted[one.clique] = weighted.get(one.clique, 0.0) + precision * one.counts
    return [Measured(c, weighted[c] / weight[c], weight[c] ** -0.5) for c in weight]


@dataclass
class Fit:
    """A law and what it takes to go on from it: the log tables theta of the measured cliques, and the loss."""

    law: Law
    theta: dict[Clique, np.ndarray]
    loss: float


def fit(
    measured: list[Measured], levels: list[int], *, rows: float, root: int, rounds: int, start: Fit | None = None
) -> Fit:
    """Return the law closest to the measured tables.

    Args:
        measured: at least one table.
        levels: [d] levels of each column.
        rows: N, > 0.
        root: column that the tree's root clique must have.
        rounds: of mirror descent, >= 1.
        start: an earlier fit to go on from.
    """
    tables = merge(measured)
    tree = junction_tree([m.clique for m in tables], levels, root)
    passing = _Passing(tree, tables, levels)
    old = start.theta if start else {}
    theta = [old.get(m.clique, np.zeros(m.counts.shape)) for m in tables]
    for i, m in enumerate(tables):
        if m.clique not in old:
            now = rows * passing.marginals(passing.beliefs(theta))[i]
            theta[i] = np.log((np.maximum(m.counts, 0) + m.sigma) / (now + m.sigma))
    beliefs = passing.beliefs(theta)
    mu = passing.marginals(beliefs)
    loss, slope = _loss(mu, tables, rows)
    step = 1 / max(rows**2 * np.max(np.asarray(m.sigma) ** -2.0) for m in tables)
    for _ in range(rounds):
        step *= 2
        for _ in range(_HALVINGS):
            trial = [t - step * g for t, g in zip(theta, slope)]
            trial_beliefs = passing.beliefs(trial)
            trial_mu = passing.marginals(trial_beliefs)
            trial_loss, trial_slope = _loss(trial_mu, tables, rows)
            gain = sum(float((g * (a - b)).sum()) for g, a, b in zip(slope, mu, trial_mu))
            if loss - trial_loss >= 0.5 * gain:
                break
            step /= 2
        else:
            break
        theta, beliefs, mu, loss, slope = trial, trial_beliefs, trial_mu, trial_loss, trial_slope
    return Fit(Law(tree, beliefs), {m.clique: t for m, t in zip(tables, theta)}, loss)


def _loss(mu: list[np.ndarray], tables: list[Measured], rows: float) -> tuple[float, list[np.ndarray]]:
    gaps = [rows * p - m.counts for p, m in zip(mu, tables)]
    loss = sum(float((g * g / (2 * m.sigma**2)).sum()) for g, m in zip(gaps, tables))
    return loss, [rows * g / m.sigma**2 for g, m in zip(gaps, tables)]


class _Passing:
    """Messages on one tree, with a home for each measured table."""

    def __init__(self, tree: JunctionTree, tables: list[Measured], levels: list[int]) -> None:
        self.tree = tree
        self.cliques = [m.clique for m in tables]
        homes = [tree.home(c) for c in self.cliques]
        self.homes = [h for h in homes if h is not None]
        assert len(self.homes) == len(homes), "a junction tree has a home for every measured clique"
        self.shapes = [tuple(levels[c] for c in clique) for clique in tree.cliques]

    def beliefs(self, theta: list[np.ndarray]) -> list[np.ndarray]:
        """Return the log marginal of each clique of the tree."""
        cliques, parents, separators = self.tree.cliques, self.tree.parents, self.tree.separators
        logs = [np.zeros(shape) for shape in self.shapes]
        for clique, home, table in zip(self.cliques, self.homes, theta):
            logs[home] += spread(table, clique, cliques[home])
        upward: list[np.ndarray] = [np.zeros(())] * len(logs)
        for i in reversed(range(1, len(logs))):
            upward[i] = log_total(logs[i], cliques[i], separators[i])
            logs[parents[i]] += spread(upward[i], separators[i], cliques[parents[i]])
        logs[0] -= log_total(logs[0], cliques[0], ())
        for i in range(1, len(logs)):
            above = log_total(logs[parents[i]], cliques[parents[i]], separators[i])
            logs[i] += spread(above - upward[i], separators[i], cliques[i])
        return logs

    def marginals(self, beliefs: list[np.ndarray]) -> list[np.ndarray]:
        """Return the marginal of each measured clique."""
        tables = [np.exp(b) for b in beliefs]
        return [total(tables[home], self.tree.cliques[home], clique) for clique, home in zip(self.cliques, self.homes)]
