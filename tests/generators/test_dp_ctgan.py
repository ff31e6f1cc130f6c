"""Of a private adversarial network only the critic reads rows, and only through clipped and noisy gradients."""

import math

import numpy as np
import pytest
import torch

import toys
from synthcohort.dp.accountant import PrivacyError
from synthcohort.dp.budget import Budget, Ledger
from synthcohort.dp.clipping import ClippedSum
from synthcohort.dp.randomness import SeededNoise
from synthcohort.generators.dp_ctgan import DPCTGAN, _Game
from synthcohort.generators.parts.private_network import Purchase
from synthcohort.networks.gan import PackedCritic
from synthcohort.rng import Rng

FAST = {"width": 8, "max_steps": 5, "batch_size": 20}
RNG = Rng(5)


def fitted(table="mixed", **settings):
    frame, schema = toys.ALL[table](80)
    return DPCTGAN(**{**FAST, **settings}).fit(frame, schema, rng=RNG), frame


def game(model, rows):
    critic = PackedCritic(
        features=model.table.width + model.conditions,
        pac=1,
        width=8,
        depth=2,
        dropout=0.0,
        generator=Rng(1).torch(),
    )
    paid = Purchase(Ledger(Budget(math.inf, 1e-3)), 0.0, SeededNoise(Rng(2)))
    return _Game(model, critic, rows, paid, Rng(3))


def test_the_budget_is_spent_on_the_steps_of_the_critic():
    model, _ = fitted(epsilon=2.0, critic_steps=2)
    spent = model.privacy_spent()
    assert 0.98 * 2 < spent.epsilon <= 2
    assert "5 histograms of columns" in model.composition
    assert "5 Gaussian step(s)" in model.composition
    assert model.history[-1]["step"] == 2  # turns of two steps each; the fifth step is the critic's alone


@pytest.mark.parametrize("table", list(toys.ALL))
def test_the_clipped_sum_is_that_of_single_rows(table):
    model, frame = fitted(table)
    rows = model.table.encode(frame[:20], Rng(4))
    played = game(model, rows)
    played.real.clipped.close()
    weights = list(played.critic.parameters())
    losses = played._signed(played.real.rows, Rng(6).torch())
    singles = [torch.autograd.grad(one, weights, retain_graph=True) for one in losses]
    lengths = [float(torch.cat([g.flatten() for g in s]).norm()) for s in singles]
    clip = float(np.median(lengths))
    found = ClippedSum(played.critic, played._signed, clip)(played.real.rows, Rng(6).torch())
    for k, total in enumerate(found):
        wanted = sum(s[k] * min(1, clip / length) for s, length in zip(singles, lengths, strict=True))
        torch.testing.assert_close(total, wanted, rtol=1e-3, atol=1e-5)


def test_without_the_gradients_of_rows_the_game_does_not_depend_on_them():
    model, frame = fitted()
    weights = []
    for part in (frame[:30], frame[40:70]):
        played = game(model, model.table.encode(part, Rng(4)))
        played.real.draw = lambda w=played.real.clipped.weights: [torch.zeros_like(p) for p in w]
        for _ in range(3):
            played.move_critic()
        weights.append([p.detach().clone() for p in played.critic.parameters()])
    for one, other in zip(*weights, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)


def test_the_condition_of_a_row_is_a_level_that_it_has():
    model, frame = fitted()
    rows = model.table.encode(frame, Rng(4))
    played, seen = game(model, rows), []
    played.critic = lambda whole, generator: seen.append(whole) or whole[:, 0]
    played._signed(tuple(part.repeat(20, *[1] * (part.dim() - 1)) for part in played.real.rows), Rng(6).torch())
    chosen = seen[0][:, model.table.width :]
    levels = rows.codes[:, model.table.numeric :].repeat(20, 1)
    own = torch.cat([torch.nn.functional.one_hot(levels[:, q], k) for q, k in enumerate(model.levels)], dim=1)
    assert (own[chosen.bool()] == 1).all()
    of_column = torch.stack([part.sum() for part in chosen.split(model.levels, dim=1)])
    assert of_column.min() > 0.8 * of_column.mean()  # columns are chosen alike


def test_drawn_rows_pull_no_harder_than_real_ones():
    """Both gradients are clipped; a gap of unclipped drawn rows would be a hundred times longer here."""
    model, frame = fitted(epsilon=math.inf, clip_norm=0.01, penalty=0.0)
    played = game(model, model.table.encode(frame, Rng(4)))
    for _ in range(5):
        played.move_critic()
        gap = torch.cat([w.grad.flatten() for w in played.real.clipped.weights]).norm()
        assert 0 < gap < 0.01 * 3  # once for drawn rows, b' / b times for b' real ones, of whom b = 20 are expected


def test_with_an_ample_budget_it_learns_what_independent_columns_have_not():
    frame, schema = toys.linked(1_000)
    drawn = DPCTGAN(epsilon=30.0, max_steps=400).fit(frame, schema, rng=RNG).sample(1_000, rng=RNG)
    assert drawn["x"].corr(drawn["y"]) > 0.9 / 2  # half of the law's; independent columns have 0
    high = drawn["dose"] == "high"
    assert high[drawn["x"] > 0].mean() - high[drawn["x"] < 0].mean() > 0.8 / 2
    assert abs(drawn["x"].mean()) < 0.3 and abs(high.mean() - 0.5) < 0.1


def test_the_average_over_the_turns_is_what_is_drawn_with():
    kept = [fitted(max_steps=12, epsilon=math.inf, ema_decay=decay)[0].sampled.state_dict() for decay in (0.0, 0.9)]
    assert any(not torch.equal(a, b) for a, b in zip(*(state.values() for state in kept), strict=True))
    with pytest.raises(ValueError, match=r"ema_decay=1\.0 is not in"):
        DPCTGAN(ema_decay=1.0)


def test_places_are_ranks_under_the_bought_histogram_and_decode_to_their_cells():
    model, frame = fitted(epsilon=math.inf)
    rows = model.table.encode(frame, Rng(4))
    assert rows.alpha.abs().max() <= 1
    again = model.table.decode(rows)
    for column in model.schema.numeric:
        error = (again[column.name] - frame[column.name]).abs()
        assert error.max() <= 1.01 * 10.0**-column.decimals
    assert (again["stage"] == frame["stage"]).all()


def test_settings_and_tables_that_cannot_be_kept_private_are_refused():
    with pytest.raises(ValueError, match=r"critic_steps=6 is not in 1\.\.max_steps=5"):
        DPCTGAN(**FAST, critic_steps=6)
    with pytest.raises(PrivacyError, match="clip_norm=0"):
        DPCTGAN(clip_norm=0)
    frame, schema = toys.mixed(80)
    with pytest.raises(PrivacyError, match=r"delta=0\.5 must be below"):
        DPCTGAN(**FAST, delta=0.5).fit(frame, schema, rng=RNG)


def test_what_was_spent_is_saved(tmp_path):
    model, _ = fitted()
    model.save(tmp_path)
    again = DPCTGAN.load(tmp_path)
    assert again.privacy_spent() == model.privacy_spent()
    assert again.sample(10, rng=RNG).equals(model.sample(10, rng=RNG))
