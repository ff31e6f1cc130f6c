"""The parts of chained models and of GAIN: by hand, by enumeration, and what settings change."""

import numpy as np
import pandas as pd
import pytest
import torch
from imputer_toys import SCHEMA, gaussian

from synthcohort.imputers import gain
from synthcohort.imputers.boosting import _Donors, _Levels
from synthcohort.imputers.gain import GAIN
from synthcohort.imputers.parts.chained import Chain
from synthcohort.imputers.parts.design import Design, settle
from synthcohort.missingness import hide, mcar
from synthcohort.networks.medgan import dense
from synthcohort.rng import Rng
from synthcohort.schema import Column, Schema


class Copies:
    """A model whose prediction is its first feature plus one."""

    def draw(self, features, rng):
        return features[:, 0] + 1.0


def test_a_chain_fills_from_the_fewest_holes_and_round_by_round():
    schema = Schema((Column("a", "numeric"), Column("b", "numeric"), Column("t", "numeric", "target")))
    nan = np.nan
    train = pd.DataFrame({"a": [nan, nan, 1.0, 5.0], "b": [nan, 2.0, 3.0, 4.0], "t": [1.0, 2.0, 3.0, 4.0]})
    seen = []

    def learn(column, features, cells, rng):
        seen.append((column.name, features[:, 0].tolist(), cells.tolist()))
        return Copies()

    chain = Chain.fit(train, schema, learn, rounds=2, rng=Rng(0))
    # t has no hole; b's features are (a, t), a starting at its mean 3; a's are (b, t) with b's hole at 3 + 1.
    assert seen[:3] == [
        ("t", [3.0, 3.0, 1.0, 5.0], [1.0, 2.0, 3.0, 4.0]),
        ("b", [3.0, 1.0, 5.0], [2.0, 3.0, 4.0]),
        ("a", [3.0, 4.0], [1.0, 5.0]),
    ]
    # Then a's holes are 5 and 3, and round two sees them; b's hole is 5 + 1, a's 6 + 1.
    assert seen[3] == ("t", [5.0, 3.0, 1.0, 5.0], [1.0, 2.0, 3.0, 4.0])
    rows = chain.complete(train, Rng(1))
    assert rows["b"].tolist() == [6.0, 2.0, 3.0, 4.0] and rows["a"].tolist() == [7.0, 3.0, 1.0, 5.0]


def test_a_chain_without_holes_is_fitted_once():
    frame, fits = gaussian(30, 1), []

    def learn(column, features, cells, rng):
        fits.append(column.name)
        return Copies()

    Chain.fit(frame, SCHEMA, learn, rounds=5, rng=Rng(0))
    assert fits == ["a", "b", "y"]


class Constant:
    """A booster that predicts given numbers."""

    def __init__(self, predictions):
        self.predictions = np.asarray(predictions, dtype=float)

    def predict(self, matrix):
        return self.predictions


@pytest.mark.parametrize(("wanted", "lending"), [(-9.0, range(50)), (40.0, range(50)), (60.0, range(50, 100))])
def test_a_number_comes_from_the_nearest_of_a_new_pool_of_donors(wanted, lending):
    # Donors 0 .. 49 are predicted 0, donors 50 .. 99 are predicted 100.
    donors = _Donors([Constant([wanted] * 40)], np.repeat([0.0, 100.0], 50), np.arange(100.0), 5)
    drawn = np.array([donors.draw(np.zeros((40, 1)), Rng(call)) for call in range(500)])  # [call, hole]
    assert np.isin(drawn, lending).all()
    assert max(len(np.unique(row)) for row in drawn) == 5  # holes with one prediction share their donors
    share = np.bincount(drawn[:, 0].astype(int), minlength=100)[list(lending)] / 500
    assert share == pytest.approx([0.02] * 50, abs=5 * np.sqrt(0.02 / 500))  # and every pool has its own


def test_donors_may_be_as_few_as_asked_for():
    donors = _Donors([Constant([0.0] * 300)], np.arange(3.0), np.array([5.0, 6.0, 7.0]), 3)
    assert {value for call in range(9) for value in donors.draw(np.zeros((300, 1)), Rng(call))} == {5.0, 6.0, 7.0}


def test_levels_are_drawn_with_the_mean_of_the_models_probabilities():
    p, q = np.array([0.2, 0.0, 0.8]), np.array([0.6, 0.0, 0.4])
    model = _Levels([Constant(np.tile(p, (20_000, 1))), Constant(np.tile(q, (20_000, 1)))])
    share = np.bincount(model.draw(np.zeros((20_000, 1)), Rng(1)).astype(int), minlength=3) / 20_000
    assert share == pytest.approx([0.4, 0.0, 0.6], abs=0.015)


def test_settle_rounds_to_the_grid_point_inside():
    column = Column("x", "numeric", low=0.25, high=2.05, decimals=1)
    assert settle(np.array([-3.0, 0.26, 1.04, 2.04, 9.0]), column).tolist() == [0.3, 0.3, 1.0, 2.0, 2.0]
    assert settle(np.array([1.234]), Column("x", "numeric")).tolist() == [1.234]


def test_a_design_goes_there_and_back():
    frame = gaussian(40, 3).round(3)
    levels = ["u", "v", "w"]
    frame["k"] = pd.Categorical.from_codes(np.arange(40) % 3, levels)
    schema = Schema((*SCHEMA.columns, Column("k", "categorical", levels=tuple(levels))))
    for design in (Design.standardised(frame, schema), Design.unit_range(frame, schema)):
        matrix = design.matrix(frame)
        pd.testing.assert_frame_equal(design.frame(matrix), frame)
        holes = hide(frame, mcar(frame, schema, rate=0.4, rng=Rng(1)))
        seen = ~np.isnan(design.matrix(holes))
        assert (design.matrix(holes)[seen] == matrix[seen]).all() and (seen[:, 3] == holes["k"].notna()).all()
    assert Design.standardised(frame, schema).matrix(frame)[:, :3].std(axis=0) == pytest.approx([1, 1, 1])
    assert np.ptp(Design.unit_range(frame, schema).matrix(frame)[:, :3], axis=0) == pytest.approx([1, 1, 1])


def test_gains_equations_by_hand():
    m = torch.tensor([[1.0, 0.0], [1.0, 1.0]])
    b = torch.tensor([[1.0, 1.0], [0.0, 1.0]])
    assert gain.hints(b, m).tolist() == [[1.0, 0.0], [0.5, 1.0]]
    x, x_bar = torch.tensor([[0.2, 0.9], [0.4, 0.6]]), torch.tensor([[0.5, 0.7], [0.4, 0.1]])
    assert gain.completed(x, m, x_bar).flatten().tolist() == pytest.approx([0.2, 0.7, 0.4, 0.6])
    assert float(gain.reconstruction_loss(x, x_bar, m)) == pytest.approx((0.3**2 + 0 + 0.5**2) / 3)
    p = torch.tensor([[0.9, 0.2], [0.5, 0.8]])
    logits = torch.logit(p)
    of_d = -(np.log(0.9) + np.log(1 - 0.2) + np.log(0.5) + np.log(0.8)) / 4
    assert float(gain.discriminator_loss(logits, m)) == pytest.approx(of_d, rel=1e-5)
    assert float(gain.adversarial_loss(logits, m)) == pytest.approx(-np.log(0.2) / 4, rel=1e-5)


def test_gains_discriminator_cannot_tell_holes_filled_by_the_truth():
    # With x_hat all true and half the hints withheld, the best D says P(m = 1 | h): the loss is the entropy of what
    # the hint leaves open, (1 - hint_rate) * H(share of cells there) = 0.5 * H(0.7).
    x = torch.rand(4000, 6, generator=torch.Generator().manual_seed(0))
    m = (torch.rand(4000, 6, generator=torch.Generator().manual_seed(1)) < 0.7).float()
    b = (torch.rand(4000, 6, generator=torch.Generator().manual_seed(2)) < 0.5).float()
    hint = gain.hints(b, m)
    weights = torch.Generator().manual_seed(3)
    network = torch.nn.Sequential(dense(12, 64, weights), torch.nn.ReLU(), dense(64, 6, weights))
    adam = torch.optim.Adam(network.parameters(), 0.01)
    for _ in range(300):
        loss = gain.discriminator_loss(network(torch.cat([x, hint], dim=1)), m)
        gain._descend(adam, loss)
    left = 0.5 * -(0.7 * np.log(0.7) + 0.3 * np.log(0.3))
    assert float(loss.detach()) == pytest.approx(left, rel=0.05)


def test_every_setting_of_gain_changes_its_history():
    frame = gaussian(200, 1)
    train = hide(frame, mcar(frame, SCHEMA, rate=0.3, rng=Rng(1)))
    base = {"hint_rate": 0.9, "alpha": 100.0, "max_steps": 20, "batch_size": 32, "learning_rate": 1e-3}
    changed = {"hint_rate": 0.5, "alpha": 1.0, "max_steps": 25, "batch_size": 16, "learning_rate": 1e-2}
    first = GAIN(**base).fit(train, SCHEMA, rng=Rng(1)).history
    assert GAIN(**base).fit(train, SCHEMA, rng=Rng(1)).history == first
    for key, value in changed.items():
        assert GAIN(**{**base, key: value}).fit(train, SCHEMA, rng=Rng(1)).history != first, key
