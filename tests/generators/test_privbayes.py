"""PrivBayes: sensitivities over every small table, offers, costs of the looks."""

import itertools
import math

import numpy as np
import pytest

import toys
from synthcohort.dp.budget import Budget
from synthcohort.generators import privbayes
from synthcohort.generators.parts.greedy_network import Node, mutual_information
from synthcohort.generators.privbayes import PrivBayes, dependence
from synthcohort.rng import Rng

RNG = Rng(35)


def _tables(n: int, shape: tuple[int, int]) -> list[np.ndarray]:
    """Every table of counts of up to n rows."""
    size = math.prod(shape)
    ways = itertools.combinations(range(n + size), size)
    return [np.diff([-1, *w])[:size].reshape(shape) - 1 for w in ways]


def _changes(score, n: int, shape: tuple[int, int]) -> tuple[float, float]:
    """The largest change of a score if one row becomes blank, and if one of n rows becomes another."""
    blank = swapped = 0.0
    for counts in _tables(n, shape):
        own = score(counts)
        for cell in zip(*np.nonzero(counts)):
            less = counts.copy()
            less[cell] -= 1
            blank = max(blank, abs(own - score(less)))
            for other in np.ndindex(shape) if counts.sum() == n else ():
                moved = less.copy()
                moved[other] += 1
                swapped = max(swapped, abs(own - score(moved)))
    return blank, swapped


@pytest.mark.parametrize(("n", "shape"), [(5, (2, 2)), (9, (2, 2)), (5, (2, 3)), (4, (3, 3))])
def test_one_row_changes_the_score_by_less_than_is_stated(n, shape) -> None:
    blank, swapped = _changes(lambda counts: dependence(counts, n), n, shape)
    assert blank < privbayes.SENSITIVITY
    assert swapped <= 3 + 2 / n + 1e-12  # n times the bound of [Zhang 2017] for neighbours of its kind
    assert blank > 0.6  # a bound far too large would be of no use: half of it is reached on these small tables


def test_the_bound_of_the_score_is_nearly_reached() -> None:
    n = 4000
    rows = np.array([[0, 0], [0, n - 1]])
    more = rows + np.array([[1, 0], [0, 0]])
    assert 1.49 < dependence(more, n) - dependence(rows, n) < privbayes.SENSITIVITY


def test_mutual_information_changes_by_more_and_by_the_more_the_more_rows_there_are() -> None:
    def information(counts: np.ndarray) -> float:
        return float(counts.sum() * mutual_information(counts)) if counts.sum() else 0.0

    few, many = (_changes(information, n, (2, 2))[0] for n in (4, 10))
    assert many > few > privbayes.SENSITIVITY


def test_the_score_of_independent_columns_is_near_nought() -> None:
    draw = RNG.numpy()
    found = [
        dependence(np.histogram2d(*draw.integers(0, (4, 5), (2000, 2)).T, bins=(4, 5))[0], 2000) for _ in range(200)
    ]
    assert abs(np.mean(found)) < 0.15 * math.sqrt(2 * 2000 * 12 / math.pi) / 2
    assert dependence(np.eye(4) * 500, 2000) > 1000


def test_the_looks_cost_what_the_larger_of_two_rules_allows() -> None:
    model = PrivBayes(epsilon=2.0, histogram_share=0.3, structure_share=0.2)
    model.schema = toys.mixed(60)[1]
    histogram, choice, table = model._costs(Budget(2.0, 1e-9))  # five columns and little delta: plain addition
    assert 5 * histogram + 4 * choice + 4 * table == pytest.approx(2.0)
    assert 5 * histogram == pytest.approx(0.6) and 4 * choice == pytest.approx(0.4)
    more = sum(model._costs(Budget(2.0, 0.01)))
    assert more > histogram + choice + table


def test_offers_are_parents_that_fit_and_every_column_is_taken_once() -> None:
    draw = RNG.branch("offers").numpy()
    codes, levels = draw.integers(0, 4, (4, 300)), [4, 4, 4, 4]
    offers = privbayes._Offers(codes, levels, [True, False, False, False], degree=2, most=40)
    nodes = [Node(0)]
    while len(nodes) < 4:
        offers.add(nodes)
        assert all(node.cells(levels) * 4 <= 40 for node in offers.nodes)
        assert len(offers.nodes) == len(offers.scores) == len(set(offers.nodes))
        inside = {node.column for node in nodes}
        assert all({p for p, _ in node.parents} <= inside and node.column not in inside for node in offers.nodes)
        nodes.append(offers.take(int(np.argmax(offers.scores))))
    assert sorted(node.column for node in nodes) == [0, 1, 2, 3]
    assert offers.scores == []


def test_a_table_of_many_cells_is_offered_only_with_budget_for_it() -> None:
    frame, schema = toys.mixed(400)
    sizes = []
    for epsilon in (0.5, 50.0):
        model = PrivBayes(epsilon=epsilon, degree=3, least_signal=0).fit(frame, schema, rng=RNG)
        sizes.append(max(t.size for t in model.tables))
        cost = model._costs(Budget(epsilon, 1 / 4000))[2]
        assert all(t.size <= max(400 * min(cost, 1) / 4, t.shape[1]) for t in model.tables)
    assert sizes[1] > sizes[0]
