"""Agreement of orders by hand, by enumeration, and between forests trained on known tables."""

from itertools import permutations

import numpy as np
import pandas as pd
import pytest

from synthcohort.metrics.agreement import importance_agreement, importances, ranking_agreement
from synthcohort.metrics.classifiers import PREDICTORS
from synthcohort.metrics.matrix import DataProblem
from synthcohort.metrics.utility import judge
from synthcohort.rng import Rng
from synthcohort.schema import Column, Schema

REAL = {"a": 0.9, "b": 0.8, "c": 0.7, "d": 0.6}


def tau(synthetic, real=REAL):
    return ranking_agreement(real, synthetic)[0].value


def test_orders_of_four_by_hand():
    # one neighbouring pair swapped: five of six pairs in order; rank differences 0, 0, 1, 1
    assert tau({"a": 0.9, "b": 0.8, "d": 0.7, "c": 0.6}) == pytest.approx((5 - 1) / 6)
    got = importance_agreement(np.array([0.4, 0.3, 0.2, 0.1]), np.array([0.5, 0.4, 0.02, 0.08]))[0]
    assert got.value == pytest.approx(1 - 6 * 2 / (4 * 15))
    assert (got.axis, got.direction, got.n) == ("utility", "up", 4)


def test_identity_is_one_and_reversal_minus_one():
    assert tau(REAL) == 1.0
    assert tau({name: -value for name, value in REAL.items()}) == -1.0
    weights = np.array([0.5, 0.3, 0.2])
    assert importance_agreement(weights, weights)[0].value == pytest.approx(1.0)


def test_random_orders_agree_by_nothing_on_average():
    every = [tau(dict(zip("abcd", order))) for order in permutations((0.6, 0.7, 0.8, 0.9))]
    assert np.mean(every) == pytest.approx(0.0, abs=1e-12)
    weights = np.array([0.4, 0.3, 0.2, 0.1])
    every = [importance_agreement(weights, np.array(order))[0].value for order in permutations(weights)]
    assert np.mean(every) == pytest.approx(0.0, abs=1e-12)


def test_families_of_one_side_only_are_left_out():
    score = ranking_agreement({**REAL, "e": 0.1}, {**REAL, "f": 1.0})[0]
    assert (score.value, score.n) == (1.0, 4)


def test_what_has_no_order_is_refused():
    with pytest.raises(DataProblem, match="an order of 2 families"):
        tau({"a": 0.9, "b": 0.8})
    with pytest.raises(DataProblem, match="equal areas under the curve on the synthetic side"):
        tau(dict.fromkeys("abcd", 0.5))
    with pytest.raises(DataProblem, match="equal importances on the real side"):
        importance_agreement(np.zeros(4), np.arange(4.0))
    with pytest.raises(DataProblem, match="an order of 2 columns"):
        importance_agreement(np.array([0.6, 0.4]), np.array([0.6, 0.4]))


SCHEMA = Schema(
    (*(Column(f"x{j}", "numeric") for j in range(5)), Column("t", "categorical", "target", levels=("0", "1"))), "1"
)


def graded(n, seed, effects=(2.0, 1.4, 0.9, 0.5, 0.2)):
    """Return rows whose columns matter in a known order."""
    draw = np.random.default_rng(seed)
    x = draw.normal(size=(n, 5))
    hit = draw.random(n) < 1 / (1 + np.exp(-x @ np.array(effects)))
    return SCHEMA.cast(pd.DataFrame({**{f"x{j}": x[:, j] for j in range(5)}, "t": np.where(hit, "1", "0")}))


def forest(train):
    judged = judge(PREDICTORS["random_forest"], train=train, test=graded(50, 9), schema=SCHEMA, rng=Rng(0))
    return importances(judged)


def test_fresh_rows_of_the_same_law_agree_and_another_law_does_not():
    real = forest(graded(800, 0))
    assert real.sum() == pytest.approx(1.0) and (np.argsort(-real) == np.arange(5)).all()
    assert importance_agreement(real, forest(graded(800, 1)))[0].value > 0.85
    turned = forest(graded(400, 2, (0.2, 0.5, 0.9, 1.4, 2.0)))
    assert importance_agreement(real, turned)[0].value < -0.5


def test_agreement_falls_as_targets_are_shuffled():
    real = forest(graded(400, 0))
    means = []
    for share in (0.0, 1.0):
        values = []
        for seed in range(2):
            rows, draw = graded(300, 20 + seed), np.random.default_rng(seed)
            hit = draw.random(len(rows)) < share
            rows.loc[hit, "t"] = draw.permutation(rows.loc[hit, "t"].to_numpy())
            values.append(importance_agreement(real, forest(SCHEMA.cast(rows)))[0].value)
        means.append(np.mean(values))
    assert means[0] > 0.85 > 0.6 > means[1]
