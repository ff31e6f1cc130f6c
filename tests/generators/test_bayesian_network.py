"""Bayesian network: information, parents and tables by enumeration, then its density, its draws and a known law."""

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chisquare, kstest

import toys
from synthcohort.generators import bayesian_network
from synthcohort.generators.bayesian_network import BayesianNetwork, draw_levels, quantile_cuts
from synthcohort.generators.parts import greedy_network
from synthcohort.generators.parts.greedy_network import Node
from synthcohort.rng import Rng
from synthcohort.schema import Column, Schema

RNG = Rng(15)


def _table(codes: dict[str, np.ndarray], target: str) -> tuple[pd.DataFrame, Schema]:
    """A table of categories named by their numbers."""
    levels = {name: tuple(str(k) for k in range(int(c.max()) + 1)) for name, c in codes.items()}
    columns = [
        Column(name, "categorical", role="target" if name == target else "feature", levels=levels[name])
        for name in codes
    ]
    schema = Schema(tuple(columns), levels[target][-1])
    return schema.cast(pd.DataFrame({name: c.astype(str) for name, c in codes.items()})), schema


def _diamond(n: int, rng: Rng) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Draw y -> a, y -> b, (a, b) -> c with 2 x 3 x 2 x 2 levels; return rows and the law [2, 3, 2, 2]."""
    p_a = np.array([[0.6, 0.3, 0.1], [0.1, 0.3, 0.6]])
    p_b = np.array([[0.7, 0.3], [0.25, 0.75]])
    p_c = np.array([[[0.9, 0.1], [0.2, 0.8]], [[0.5, 0.5], [0.6, 0.4]], [[0.1, 0.9], [0.85, 0.15]]])  # [a, b, c]
    law = np.array([0.6, 0.4])[:, None, None, None] * p_a[:, :, None, None] * p_b[:, None, :, None] * p_c[None]
    cell = rng.numpy().choice(law.size, size=n, p=law.ravel())
    y, a, b, c = np.unravel_index(cell, law.shape)
    return {"a": a, "b": b, "c": c, "y": y}, law.transpose(1, 2, 3, 0)


def _every_cell(schema: Schema) -> pd.DataFrame:
    return schema.cast(pd.DataFrame(itertools.product(*[c.levels for c in schema.columns]), columns=schema.names))


# ---- information -----------------------------------------------------------------------------------------------------


def test_mutual_information_by_enumeration() -> None:
    counts = np.array([[3, 1, 0], [2, 0, 4]])
    p = counts / counts.sum()
    terms = [
        p[i, j] * np.log(p[i, j] / (p[i].sum() * p[:, j].sum())) for i in range(2) for j in range(3) if counts[i, j]
    ]
    assert greedy_network.mutual_information(counts) == pytest.approx(sum(terms), abs=1e-12)
    assert greedy_network.mutual_information(np.eye(4)) == pytest.approx(np.log(4))
    assert greedy_network.mutual_information(np.outer([1, 2], [3, 4, 5])) == pytest.approx(0, abs=1e-12)
    assert greedy_network.chance(counts) == pytest.approx((4 - 3 - 2 + 1) / 20)


def test_chance_is_the_mean_information_of_independent_columns() -> None:
    draw = RNG.numpy()
    tables = [np.histogram2d(*draw.integers(0, (4, 5), (400, 2)).T, bins=(4, 5))[0] for _ in range(400)]
    found = [greedy_network.mutual_information(t) for t in tables]
    expected = np.mean([greedy_network.chance(t) for t in tables])
    assert expected == pytest.approx(np.mean(found), abs=4 * np.std(found) / 20)
    assert expected == pytest.approx(12 / 800)


def test_pairwise_information_is_that_of_each_pair() -> None:
    draw = RNG.numpy()
    levels, ordered = [3, 2, 30, 1], [False, False, True, False]
    codes = np.stack([draw.integers(0, k, 5000) for k in levels])
    codes[0] = np.where(draw.random(5000) < 0.5, codes[2] // 10, codes[0])
    shared = greedy_network.pairwise(codes, levels, ordered)
    codes[2] >>= 2  # 30 levels are merged twice, to 8
    for i, j in itertools.permutations(range(4), 2):
        counts = np.histogram2d(codes[i], codes[j], bins=(np.arange(31), np.arange(31)))[0]
        wanted = greedy_network.mutual_information(counts) - greedy_network.chance(counts)
        assert shared[i, j] == pytest.approx(wanted, abs=1e-6)


# ---- the network -----------------------------------------------------------------------------------------------------


def _grow(codes: np.ndarray, **changes) -> list[Node]:
    settings = {"root": 0, "degree": 2, "most_cells": 1e9, "pool": 8}
    levels = [int(c.max()) + 1 for c in codes]
    ordered = changes.pop("ordered", [False] * len(codes))
    return greedy_network.grow(codes, levels, ordered, **{**settings, **changes})


def test_a_chain_is_found_link_by_link() -> None:
    """Columns 0 -> 3 -> 1 -> 2, each a worse copy of the one before: added in this order, each hears the one before."""
    draw = RNG.numpy()
    chain = [draw.integers(0, 3, 20_000)]
    for _ in range(3):
        chain.append(np.where(draw.random(20_000) < 0.8, chain[-1], draw.integers(0, 3, 20_000)))
    codes = np.stack([chain[0], chain[2], chain[3], chain[1]])
    nodes = _grow(codes, degree=1)
    assert [(node.column, node.parents) for node in nodes] == [(0, ()), (3, ((0, 0),)), (1, ((3, 0),)), (2, ((1, 0),))]


def test_two_parents_are_found_where_neither_alone_tells_anything() -> None:
    draw = RNG.numpy()
    one, other = draw.integers(0, 2, (2, 4000))
    nodes = _grow(np.stack([one, other, one ^ other]))
    assert nodes[-1].column in (1, 2)
    assert {p for p, _ in nodes[-1].parents} == {0, 1, 2} - {nodes[-1].column}


def test_a_column_that_depends_on_nothing_hears_nothing() -> None:
    lonely = sum(not _grow(RNG.branch(i).numpy().integers(0, 3, (2, 300)), degree=1)[1].parents for i in range(60))
    assert lonely > 25  # in more than half of all tables the information stays below its expectation


def test_parents_are_as_fine_as_the_table_allows() -> None:
    assert greedy_network.finest(((16, True), (2, False)), 8) == ((2, 0),)
    assert greedy_network.finest(((16, True), (16, True)), 16) == ((1, 3), (2, 2), (3, 1))
    assert greedy_network.finest(((5, False),), 4) == ()
    assert [greedy_network.width(k, m) for k, m in ((16, 2), (5, 1), (1, 0), (9, 3))] == [4, 3, 1, 2]
    draw = RNG.numpy()
    codes = draw.integers(0, 16, (5, 500))
    codes[1:] = (codes[0] + draw.integers(0, 3, (4, 500))) % 16
    nodes = _grow(codes, ordered=[True] * 5, degree=3, most_cells=125)
    assert all(node.cells([16] * 5) * 16 <= 125 for node in nodes)
    assert any(merged for node in nodes for _, merged in node.parents)


def test_joint_cells_and_counts_by_hand() -> None:
    codes, levels = np.array([[0, 3, 3, 1], [0, 1, 1, 2], [1, 0, 1, 1]]), [4, 3, 2]
    node = Node(2, ((0, 1), (1, 0)))
    assert node.cell(codes, levels).tolist() == [0, 4, 4, 2]
    assert node.cells(levels) == 6
    assert node.count(codes, levels).tolist() == [[0, 1], [0, 0], [0, 1], [0, 0], [1, 1], [0, 0]]


def test_conditional_table_by_hand() -> None:
    found = greedy_network.conditional(np.array([[3, 1], [0, 0]]), np.array([0.75, 0.25]), 2.0)
    assert np.allclose(found, [[4.5 / 6, 1.5 / 6], [0.75, 0.25]])


def test_levels_are_drawn_by_inverting_each_cells_law() -> None:
    table = np.array([[0.2, 0.0, 0.8], [0.0, 1.0, 0.0]])
    cell, uniform = np.array([0, 0, 0, 1, 1]), np.array([0.0, 0.19, 0.21, 0.0, 0.999])
    assert draw_levels(table, cell, uniform).tolist() == [0, 0, 2, 1, 1]


def test_bins_are_cut_at_quantiles_between_values() -> None:
    values = np.array([0.0] * 60 + list(range(1, 41)))
    cuts = quantile_cuts(values, 0, 4)
    assert cuts.tolist() == [0.5, 15.5]  # 60 % zeros are one bin; 0.75 lies after the value 15
    assert quantile_cuts(np.ones(5), 0, 4).tolist() == []


# ---- the generator ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def diamond() -> tuple[BayesianNetwork, np.ndarray]:
    codes, law = _diamond(20_000, RNG.branch("diamond"))
    frame, schema = _table(codes, "y")
    return BayesianNetwork().fit(frame, schema, rng=RNG), law.ravel()


def test_a_known_law_is_learned(diamond) -> None:
    fitted, law = diamond
    found = np.exp(fitted.log_density(_every_cell(fitted.schema)))
    assert found.sum() == pytest.approx(1, abs=1e-12)
    assert np.abs(found - law).sum() / 2 < 0.02


def test_draws_follow_the_density_with_and_without_a_class(diamond) -> None:
    fitted, _ = diamond
    every = _every_cell(fitted.schema)
    density = np.exp(fitted.log_density(every))
    asked = pd.DataFrame({"y": pd.Categorical(["1"] * 5000, categories=["0", "1"])})
    for conditions, law in ((None, density), (asked, density * (every["y"] == "1"))):
        drawn = fitted.sample(5000, rng=RNG, conditions=conditions)
        counts = drawn.astype(str).value_counts()
        seen = np.array([counts.get(tuple(row), 0) for row in every.astype(str).to_numpy()])
        assert seen[law == 0].sum() == 0
        assert chisquare(seen[law > 0], 5000 * law[law > 0] / law.sum()).pvalue > 1e-3


def test_density_by_hand() -> None:
    """Two columns, two tables: P(y) P(drug | y), counted by hand and smoothed."""
    frame, schema = _table({"drug": np.array([0, 0, 0, 1] * 25), "y": np.array([0, 0, 1, 1] * 25)}, "y")
    fitted = BayesianNetwork(smoothing=2.0).fit(frame, schema, rng=RNG)
    assert [node.column for node in fitted.nodes] == [1, 0]
    p_drug = {"0": (50 + 2 * 0.75) / 52, "1": (25 + 2 * 0.75) / 52}  # of drug 0 given y
    wanted = [0.5 * (p_drug[y] if d == "0" else 1 - p_drug[y]) for d, y in itertools.product("01", "01")]
    assert np.allclose(np.exp(fitted.log_density(_every_cell(schema))), wanted)


def test_density_sums_to_one_over_a_grid_and_integrates_to_one_over_a_line() -> None:
    frame, _ = toys.mixed(300)
    columns = (
        Column("age", "numeric", low=0, high=120, decimals=0),
        Column("died", "categorical", role="target", levels=("no", "yes")),
    )
    schema = Schema(columns, "yes")
    fitted = BayesianNetwork().fit(frame[["age", "died"]], schema, rng=RNG)
    cells = schema.cast(pd.DataFrame(itertools.product(np.arange(121.0), ["no", "yes"]), columns=schema.names))
    assert np.exp(fitted.log_density(cells)).sum() == pytest.approx(1, abs=1e-9)

    numeric, whole = toys.numeric(200)
    schema = Schema((whole["a"], Column("y", "numeric", role="target", low=-9, high=9, decimals=0)))
    part = schema.cast(pd.DataFrame({"a": numeric["a"], "y": np.clip(np.round(numeric["y"]), -9, 9)}))
    fitted = BayesianNetwork().fit(part, schema, rng=RNG)
    a = np.linspace(part["a"].min(), part["a"].max(), 20_001)
    sums = [
        np.trapezoid(np.exp(fitted.log_density(schema.cast(pd.DataFrame({"a": a, "y": y})))), a)
        for y in np.unique(part["y"])
    ]
    assert sum(sums) == pytest.approx(1, abs=0.005)


def test_marginals_and_a_dependence_of_numbers_are_kept() -> None:
    frame, schema = toys.mixed(3000)
    drawn = BayesianNetwork().fit(frame, schema, rng=RNG).sample(3000, rng=RNG)
    fresh = toys.mixed(3000, seed=2)[0]
    assert kstest(drawn["marker"], fresh["marker"]).statistic < 0.05
    real, fake = (np.corrcoef(f["age"], np.log(f["marker"]))[0, 1] for f in (fresh, drawn))
    assert fake == pytest.approx(real, abs=0.08)


def test_a_numeric_target_can_be_asked_for() -> None:
    frame, schema = toys.numeric(1500)
    fitted = BayesianNetwork().fit(frame, schema, rng=RNG)
    low, high = (
        fitted.sample(500, rng=RNG, conditions=pd.DataFrame({"y": [round(y, 2)] * 500}))["visits"].mean()
        for y in frame["y"].quantile([0.1, 0.9], interpolation="nearest")
    )
    assert high > low + 1


def test_a_level_that_no_training_row_had_never_comes_and_cannot_be_asked_for() -> None:
    frame, schema = _table({"drug": np.array([0, 1] * 30), "y": np.array([0, 0, 1, 1] * 15)}, "y")
    wider = Schema((schema["drug"], Column("y", "categorical", role="target", levels=("0", "1", "2"))), "1")
    fitted = BayesianNetwork().fit(wider.cast(frame), wider, rng=RNG)
    assert set(fitted.sample(500, rng=RNG)["y"]) == {"0", "1"}
    asked = pd.DataFrame({"y": pd.Categorical(["2"], categories=["0", "1", "2"])})
    with pytest.raises(ValueError, match=r"condition on level '2' of 'y'.*ask for one of \['0', '1'\]"):
        fitted.sample(1, rng=RNG, conditions=asked)


def test_choice_and_measurement_are_open_to_a_noisy_version() -> None:
    codes, _ = _diamond(500, RNG)
    frame, schema = _table(codes, "y")
    usual = BayesianNetwork().fit(frame, schema, rng=RNG)

    class Worst(BayesianNetwork):
        def _choose(self, scores: np.ndarray) -> int:
            return int(np.argmin(scores))

        def _measure(self, counts: np.ndarray) -> np.ndarray:
            return counts + 7.0

    other = Worst().fit(frame, schema, rng=RNG)
    assert other.nodes != usual.nodes
    assert np.allclose(other.tables[0], (usual.tables[0] * 500 + 7) / 514, atol=0.01)


@pytest.mark.parametrize(
    "change",
    [{"degree": 1}, {"rows_per_cell": 60.0}, {"bins": 4}, {"smoothing": 90.0}, {"pool": 3}, {"structure_rows": 30}],
    ids=str,
)
def test_every_hyperparameter_changes_the_network_or_its_tables(change) -> None:
    """Beside three numbers stand coins, whose few rows make many sets of parents look a little informative."""
    frame, schema = toys.numeric(150)
    coins = {f"coin_{j}": RNG.branch("coin", j).numpy().integers(0, 2, 150).astype(str) for j in range(9)}
    wider = Schema((*schema.columns, *(Column(name, "categorical", levels=("0", "1")) for name in coins)))
    rows = wider.cast(frame.assign(**coins))
    one, other = (
        BayesianNetwork(**{"rows_per_cell": 1.0, **settings}).fit(rows, wider, rng=RNG) for settings in ({}, change)
    )
    same = one.nodes == other.nodes and all(
        a.shape == b.shape and np.allclose(a, b) for a, b in zip(one.tables, other.tables, strict=True)
    )
    assert not same


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"degree": 0}, "bayesian_network: degree=0 must be at least 1"),
        ({"bins": 1}, "bayesian_network: bins=1 must be at least 2"),
        ({"pool": 2}, "bayesian_network: pool=2 must be at least 3"),
        ({"structure_rows": 1}, "bayesian_network: structure_rows=1 must be at least 2"),
        ({"rows_per_cell": 0.0}, "bayesian_network: rows_per_cell=0.0 must be positive"),
        ({"smoothing": 0.0}, "bayesian_network: smoothing=0.0 must be positive"),
    ],
)
def test_settings_out_of_range_are_refused(change, message) -> None:
    with pytest.raises(ValueError, match=message):
        BayesianNetwork(**change)


def test_many_binary_columns() -> None:
    draw = RNG.numpy()
    base = draw.integers(0, 2, 400)
    codes = {f"code_{j}": np.where(draw.random(400) < 0.15, 1 - base, base) for j in range(60)}
    frame, schema = _table({**codes, "y": base}, "y")
    fitted = bayesian_network.BayesianNetwork(pool=4).fit(frame, schema, rng=RNG)
    drawn = fitted.sample(1000, rng=RNG)
    real, fake = ((f["code_3"].astype(str) == f["code_44"].astype(str)).mean() for f in (frame, drawn))
    assert fake == pytest.approx(real, abs=0.1)
