"""PATE-GAN: what the student sees, how rows are encoded, that teachers do not hear of one another, a law."""

import numpy as np
import pandas as pd
import pytest
import torch

import toys
from synthcohort.dp.pate import Votes
from synthcohort.generators import pate_gan
from synthcohort.generators.parts.adversarial import repeat
from synthcohort.generators.parts.ranked import Ranked
from synthcohort.generators.pate_gan import PateGAN
from synthcohort.networks.teachers import Stacked
from synthcohort.rng import Rng

RNG = Rng(36)


def test_stacked_networks_are_networks_of_their_own() -> None:
    stacked = Stacked(count=3, features=4, width=5, generator=RNG.torch())
    x = torch.randn(6, 4, generator=RNG.branch("x").torch())
    for t, row in enumerate(stacked(x)):
        hidden = torch.relu(x @ stacked.inner[t] + stacked.inner_bias[t])
        assert torch.allclose(row, (hidden @ stacked.outer[t])[:, 0] + stacked.outer_bias[t], atol=1e-6)
    own = x.expand(3, 6, 4).clone().requires_grad_()
    stacked(own)[1].sum().backward()
    assert own.grad is not None and own.grad[[0, 2]].abs().max() == 0 < own.grad[1].abs().max()


def test_a_row_moves_no_teacher_but_its_own(monkeypatch) -> None:
    """One row is changed and the same labels are told: the weights of one teacher differ, and of nobody else."""
    frame, schema = toys.mixed(40)
    changed = frame.copy()
    changed.loc[7, "age"], changed.loc[7, "marker"] = schema["age"].low, schema["marker"].high
    table = PateGAN(epsilon=1e5, turns=1).fit(frame, schema, rng=RNG).table
    games = []

    def remember(turn, count, **settings):
        games.append(turn.__self__)
        repeat(turn, count, **settings)

    monkeypatch.setattr(pate_gan, "repeat", remember)
    monkeypatch.setattr(Votes, "majority", lambda self, votes: np.arange(votes.shape[1]) % 2 == 0)
    monkeypatch.setattr("synthcohort.generators.parts.private_table.PrivateTable.fit", lambda *a, **k: (table, []))
    for rows in (frame, changed):
        PateGAN(teachers=5, turns=10, batch_size=32, teacher_steps=2).fit(rows, schema, rng=RNG)
    one, other = (game.teachers for game in games)
    moved = [
        t for t in range(5) if not all(torch.equal(a[t], b[t]) for a, b in zip(one.parameters(), other.parameters()))
    ]
    assert len(moved) == 1
    assert all(torch.equal(a, b) for a, b in zip(games[0].student.parameters(), games[1].student.parameters()))


def test_cells_become_ranks_and_come_back() -> None:
    frame, schema = toys.mixed(500)
    rows = Ranked(PateGAN(epsilon=1e6, turns=1, batch_size=1, bins=64).fit(frame, schema, rng=RNG).table)
    x, y = rows.encode(frame)
    assert x.shape == (500, 2 + 2 + 3) and y.shape == (500, 2)
    assert x[:, :2].abs().max() <= 1 and abs(float(x[:, 0].mean())) < 0.1  # ranks are about even
    levels = torch.stack([rows.groups.of(g, x[:, 2:]).argmax(1) for g in range(2)], dim=1).numpy()
    back = rows.decode(x[:, :2].double().numpy(), levels, y.argmax(1).numpy(), RNG)
    assert np.abs(back["age"] - frame["age"]).max() <= 1
    assert np.abs(back["marker"] - frame["marker"]).max() < 0.01 * frame["marker"].max()
    pd.testing.assert_frame_equal(back[["sex", "stage", "died"]], frame[["sex", "stage", "died"]])


def test_a_dependence_on_the_class_is_learned_where_the_budget_is_ample() -> None:
    frame, schema = toys.mixed(1000)
    model = PateGAN(epsilon=1e5, teachers=5, turns=250, learning_rate=3e-3).fit(frame, schema, rng=RNG)
    asked = {c: pd.DataFrame({"died": pd.Categorical([c] * 600, categories=["no", "yes"])}) for c in ("no", "yes")}
    real = [frame.loc[frame["died"] == c, "age"].mean() for c in asked]
    fake = [model.sample(600, rng=RNG, conditions=conditions)["age"].mean() for conditions in asked.values()]
    assert fake[1] - fake[0] == pytest.approx(real[1] - real[0], rel=0.6)
    shares = model.sample(2000, rng=RNG)["died"].value_counts(normalize=True)
    assert shares["yes"] == pytest.approx((frame["died"] == "yes").mean(), abs=0.05)


@pytest.mark.parametrize(
    "change",
    [
        {"teachers": 3},
        {"turns": 12},
        {"teacher_steps": 5},
        {"batch_size": 16},
        {"latent": 3},
        {"width": 9},
        {"teacher_width": 3},
        {"tau": 3.0},
        {"learning_rate": 0.01},
        {"epsilon": 30.0},
        {"delta": 1e-4},
        {"bins": 4},
        {"least_signal": 60.0},
        {"histogram_share": 0.6},
    ],
    ids=str,
)
def test_every_setting_changes_the_rows(change) -> None:
    frame, schema = (toys.mixed if "tau" in change else toys.numeric)(120)
    base = {"epsilon": 300.0, "turns": 10, "batch_size": 12, "least_signal": 2.0}
    one, other = (
        PateGAN(**{**base, **settings}).fit(frame, schema, rng=RNG).sample(30, rng=RNG) for settings in ({}, change)
    )
    assert not one.equals(other)
