"""Graphical models: junction trees, exact marginals and draws against enumeration, fits against a general optimiser."""

import itertools

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import logsumexp
from scipy.stats import chisquare

from synthcohort.generators.parts import factors, graphical
from synthcohort.generators.parts.graphical import Law, Measured
from synthcohort.generators.parts.junction import junction_tree, largest_table
from synthcohort.rng import Rng

RNG = Rng(33)
LEVELS = [2, 3, 2, 4]
LOOP = [(0, 1), (1, 2), (2, 3), (0, 3)]  # needs a chord


def _joint(theta: dict[tuple[int, ...], np.ndarray], levels: list[int]) -> np.ndarray:
    """The law proportional to exp(sum of tables), by enumeration."""
    logs = np.zeros(levels)
    for clique, table in theta.items():
        logs = logs + table.reshape([levels[c] if c in clique else 1 for c in range(len(levels))])
    return np.exp(logs - logsumexp(logs))


def _sum_to(joint: np.ndarray, columns: tuple[int, ...]) -> np.ndarray:
    return joint.sum(axis=tuple(c for c in range(joint.ndim) if c not in columns))


def _law(theta: dict[tuple[int, ...], np.ndarray], levels: list[int], root: int = 0) -> Law:
    tree = junction_tree(list(theta), levels, root)
    tables = [Measured(c, t, 1.0) for c, t in theta.items()]
    return Law(tree, graphical._Passing(tree, tables, levels).beliefs(list(theta.values())))


@pytest.fixture(scope="module")
def loop() -> tuple[Law, np.ndarray]:
    draw = RNG.branch("loop").numpy()
    theta = {c: draw.normal(size=[LEVELS[x] for x in c]) for c in LOOP}
    return _law(theta, LEVELS, root=2), _joint(theta, LEVELS)


# ---- trees -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(20))
def test_trees_have_a_home_for_every_table_and_no_column_in_two_places(seed) -> None:
    draw = RNG.branch("tree", seed).numpy()
    d = int(draw.integers(1, 9))
    tables = [
        tuple(sorted(draw.choice(d, int(draw.integers(1, min(d, 3) + 1)), replace=False).tolist()))
        for _ in range(int(draw.integers(0, 10)))
    ]
    root = int(draw.integers(d))
    tree = junction_tree(tables, [3] * d, root)
    assert all(tree.home(t) is not None for t in tables)
    assert root in tree.cliques[0] and set().union(*tree.cliques) == set(range(d))
    for c in range(d):  # the cliques with a column hang together: all but one have a parent with it
        assert sum(c in clique and c not in separator for clique, separator in zip(tree.cliques, tree.separators)) == 1
    assert sum(3 ** len(c) for c in tree.cliques) == largest_table(tables, [3] * d)
    assert all(set(s) <= set(tree.cliques[p]) for s, p in zip(tree.separators[1:], tree.parents[1:]))


# ---- inference -------------------------------------------------------------------------------------------------------


def test_marginals_of_any_columns_are_those_of_the_whole_law(loop) -> None:
    law, joint = loop
    for size in range(5):
        for columns in itertools.combinations(range(4), size):
            assert np.allclose(law.marginal(columns), _sum_to(joint, columns), atol=1e-12)


@pytest.mark.parametrize("tables", [[(0, 1), (1, 2), (2, 3), (3, 4)], [(0, 1), (0, 2), (0, 3)], [(1, 3), (0, 4)], []])
def test_marginals_across_a_chain_a_star_and_a_forest(tables) -> None:
    draw, levels = RNG.branch("shapes").numpy(), [2, 3, 2, 2, 3]
    theta = {c: draw.normal(size=[levels[x] for x in c]) for c in tables}
    law, joint = _law(theta, levels, root=3), _joint(theta, levels)
    for columns in itertools.combinations(range(5), 3):
        assert np.allclose(law.marginal(columns), _sum_to(joint, columns), atol=1e-12)


def test_draws_follow_the_law_with_and_without_a_known_column(loop) -> None:
    law, joint = loop
    uniform = [RNG.branch("draw", i).numpy().random(20_000) for i in range(len(law.tree.cliques))]
    for known in ({}, {2: np.ones(20_000, dtype=np.int64)}):
        codes = law.sample(20_000, uniform, known)
        wanted = joint.copy()
        if known:
            wanted[:, :, 0] = 0
            wanted /= wanted.sum()
        seen = factors.count(codes, (0, 1, 2, 3), LEVELS)
        assert seen[wanted == 0].sum() == 0
        assert chisquare(seen[wanted > 0], 20_000 * wanted[wanted > 0]).pvalue > 1e-3


def test_conditional_tables_survive_cells_of_no_mass() -> None:
    found = factors.given(np.array([[-2000.0, -2001.0], [0.0, -1.0]]), (0, 1), (0,))
    assert np.allclose(found, [[1 / (1 + np.exp(-1)), 1 / (1 + np.exp(1))]] * 2)


# ---- fits ------------------------------------------------------------------------------------------------------------


def _best_loss(measured: list[Measured], levels: list[int], rows: float) -> float:
    """The least loss of any law at all, by a general optimiser over the logarithms of every cell."""

    def loss(logits: np.ndarray) -> tuple[float, np.ndarray]:
        joint = np.exp(logits - logsumexp(logits)).reshape(levels)
        value, slope = 0.0, np.zeros(levels)
        for m in measured:
            gap = rows * _sum_to(joint, m.clique) - m.counts
            value += float((gap**2 / (2 * np.asarray(m.sigma) ** 2)).sum())
            pull = rows * gap / np.asarray(m.sigma) ** 2
            slope += pull.reshape([levels[c] if c in m.clique else 1 for c in range(len(levels))])
        return value, (joint * (slope - (joint * slope).sum())).ravel()

    found = [
        minimize(
            loss,
            RNG.branch("start", k).numpy().normal(size=np.prod(levels)),
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": 5000, "maxfun": 20_000, "ftol": 1e-14, "gtol": 1e-9},
        )
        for k in range(2)
    ]
    return min(f.fun for f in found)


def _noisy(joint: np.ndarray, cliques: list, rows: float, sigma: float) -> list[Measured]:
    draw = RNG.branch("noisy", str(sigma)).numpy()
    return [
        Measured(c, rows * _sum_to(joint, c) + sigma * draw.normal(size=_sum_to(joint, c).shape), sigma)
        for c in cliques
    ]


def test_exact_tables_are_met(loop) -> None:
    joint = loop[1]
    fitted = graphical.fit(_noisy(joint, LOOP, 1000, 1e-9), LEVELS, rows=1000, root=0, rounds=3000)
    for clique in LOOP:
        assert np.allclose(fitted.law.marginal(clique), _sum_to(joint, clique), atol=1e-4)
    whole = fitted.law.marginal((0, 1, 2, 3))
    assert (
        np.abs(whole - joint).sum() < 2e-3
    )  # of all laws with these tables the one of largest entropy: the law itself


@pytest.mark.parametrize("sigma", [3.0, 60.0])
def test_no_law_at_all_is_closer_to_noisy_tables(loop, sigma) -> None:
    measured = _noisy(loop[1], [*LOOP, (1,), (0, 1)], 400, sigma)
    fitted = graphical.fit(measured, LEVELS, rows=400, root=0, rounds=2000)
    merged = graphical.merge(measured)
    assert fitted.loss <= _best_loss(merged, LEVELS, 400) * 1.001 + 1e-3


def test_two_tables_of_one_clique_count_by_their_precision() -> None:
    one, other = Measured((0,), np.array([10.0, 0.0]), 1.0), Measured((0,), np.array([4.0, 6.0]), np.array([2.0, 1.0]))
    merged = graphical.merge([one, other])
    assert len(merged) == 1
    assert np.allclose(merged[0].counts, [(10 + 4 / 4) / (1 + 1 / 4), 3.0])
    assert np.allclose(merged[0].sigma, [1.25**-0.5, 2**-0.5])


def test_a_fit_goes_on_from_an_earlier_one(loop) -> None:
    measured = _noisy(loop[1], LOOP, 400, 5.0)
    start = graphical.fit(measured[:3], LEVELS, rows=400, root=0, rounds=300)
    cold = graphical.fit(measured, LEVELS, rows=400, root=0, rounds=3)
    warm = graphical.fit(measured, LEVELS, rows=400, root=0, rounds=3, start=start)
    assert warm.loss < cold.loss


def test_the_maintained_library_finds_the_same_loss(loop) -> None:
    mbi = pytest.importorskip("mbi")
    measured = _noisy(loop[1], LOOP, 400, 10.0)
    own = graphical.fit(measured, LEVELS, rows=400, root=0, rounds=2000)
    names = [str(c) for c in range(4)]
    domain = mbi.Domain(names, LEVELS)
    given = [mbi.LinearMeasurement(m.counts.ravel(), tuple(str(c) for c in m.clique), stddev=10.0) for m in measured]
    theirs = mbi.estimation.MirrorDescent().estimate(domain, given, known_total=400, iters=3000)
    for c in LOOP:
        table = np.asarray(theirs.project(tuple(str(x) for x in c)).datavector()).reshape([LEVELS[x] for x in c])
        assert np.allclose(400 * own.law.marginal(c), table, atol=0.5)
