"""Canaries lie in the domain and are like nobody; attacks find the ones that were copied and no others."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import toys
from synthcohort.metrics import canaries, privacy_audit
from synthcohort.metrics.matrix import DataProblem
from synthcohort.rng import Rng
from synthcohort.schema import Column, Schema

PAIR = Schema(
    (
        Column("a", "categorical", levels=("x", "y")),
        Column("b", "numeric", low=0.0, high=10.0),
        Column("t", "categorical", "target", levels=("no", "yes")),
    ),
    "yes",
)


def rows(*cells):
    return PAIR.cast(pd.DataFrame(list(cells), columns=["a", "b", "t"]))


@pytest.mark.parametrize("toy", toys.ALL)
def test_canaries_satisfy_the_schema_and_repeat(toy):
    _, schema = toys.ALL[toy](60)
    drawn = canaries.draw(200, schema, Rng(1))
    schema.check(drawn)
    pd.testing.assert_frame_equal(drawn, canaries.draw(200, schema, Rng(1)))
    assert not drawn.equals(canaries.draw(200, schema, Rng(2)))
    for column in schema.columns:
        if column.numeric:
            assert drawn[column.name].between(column.low, column.high).all()
            assert drawn[column.name].max() > column.low + 0.9 * (column.high - column.low)
        else:
            assert set(drawn[column.name]) == set(column.levels)


def test_marginal_scores_by_hand():
    train = rows(("x", 1.0, "no"), ("x", 1.0, "no"), ("y", 9.0, "yes"), ("y", 9.0, "no"))
    synthetic = rows(("x", 1.0, "no"), ("x", 9.5, "yes"))
    # counts of (a, b), (a, t), (b, t) that agree: synthetic 1, 1, 1 of 2 rows, train 0, 0, 1; N = 4 + 1/2
    excess = [4.5 / 2 - 0.5, 4.5 / 2 - 0.5, 4.5 / 2 - 1 - 0.5]
    wanted = (excess[0] + excess[1] + excess[2] / 2) / (1 + 1 + 1 / 2 + 4)
    assert canaries._marginals(rows(("x", 9.0, "yes")), synthetic, train, PAIR) == pytest.approx([wanted])


def test_marginal_scores_of_two_canaries_are_those_of_the_whole_design():
    """The estimate with the matrix A of cells and canaries written out."""
    frame, schema = toys.categorical(50)
    drawn = canaries.draw(12, schema, Rng(8))
    synthetic = frame.sample(30, random_state=1)
    codes = [np.stack([f[c].cat.codes for c in f], axis=1).astype(int) for f in (drawn, synthetic, frame)]
    design, excess, weights = [], [], []
    for a, b in ((0, 1), (0, 2), (1, 2)):
        for k, l in np.ndindex(3, 3):
            held, s, t = (((c[:, a] == k) & (c[:, b] == l)) for c in codes)
            design.append(held.astype(float))
            excess.append((50 + 6) * s.mean() - t.sum())
            weights.append(1 / (t.sum() + 1))
    matrix, w = np.array(design), np.diag(weights)
    right = matrix.T @ w @ (np.array(excess) - matrix @ np.full(12, 0.5))
    wanted = np.linalg.inv(matrix.T @ w @ matrix + 4 * np.eye(12)) @ right
    assert canaries._marginals(drawn, synthetic, frame, schema) == pytest.approx(wanted)


def test_a_table_that_copies_its_rows_is_found_out_and_one_that_ignores_them_is_not():
    frame, schema = toys.mixed(300)
    drawn = canaries.draw(200, schema, Rng(3))
    inside = privacy_audit.coins(200, Rng(4))
    copies = pd.concat([frame, drawn[inside]], ignore_index=True)
    for synthetic, sees in ((copies, True), (frame.sample(300, replace=True, random_state=0), False)):
        scores = canaries.attacks(drawn, synthetic, frame, schema)
        assert set(scores) == {"distance", "marginals"}
        for name, own in scores.items():
            bound = privacy_audit.audit({name: own}, inside, delta=0, confidence=0.95)
            assert (bound.epsilon > 1.0) if sees else (bound.epsilon < 0.4), (name, bound)


def test_a_column_without_bounds_is_refused_by_name():
    open_ended = Schema((PAIR["a"], replace(PAIR["b"], high=None), PAIR["t"]), "yes")
    with pytest.raises(DataProblem, match="column 'b' has no bounds"):
        canaries.draw(5, open_ended, Rng(1))
