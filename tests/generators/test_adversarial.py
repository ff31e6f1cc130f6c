"""What adversarial generators share: how many turns, who stands still, what is shown, which rows are shown."""

import math

import numpy as np
import pytest
import torch
from torch import nn

import toys
from synthcohort.generators.base import FitError
from synthcohort.generators.ctgan import CTGAN
from synthcohort.generators.medgan import MedGAN
from synthcohort.generators.parts.adversarial import descend, repeat, still, turns_of
from synthcohort.generators.parts.latent_game import Batch
from synthcohort.generators.parts.mode_game import Shown
from synthcohort.rng import Rng

RNG = Rng(3)


def test_turns_are_the_passes_over_the_rows_within_bounds() -> None:
    assert turns_of(300, 1000, 500, most=10_000) == 600
    assert turns_of(1, 501, 500, most=10_000) == 2
    assert turns_of(300, 1_000_000, 500, most=10_000) == 10_000
    assert turns_of(1, 10, 500, least=600, most=10_000) == 600
    assert turns_of(1, 10, 500, least=600, most=5) == 600
    assert turns_of(0.001, 10, 500, most=5) == 1


def test_a_network_that_stands_still_passes_gradients_on() -> None:
    first, second = nn.Linear(2, 2), nn.Linear(2, 1)
    with still(second):
        second(first(torch.ones(1, 2))).sum().backward()
    assert second.weight.grad is None
    assert torch.allclose(first.bias.grad, second.weight.detach()[0])
    assert all(p.requires_grad for p in second.parameters())


def test_a_step_goes_down_the_gradient_and_returns_the_loss_before_it() -> None:
    x = torch.tensor([3.0], requires_grad=True)
    optimiser = torch.optim.SGD([x], lr=0.1)
    assert descend(optimiser, (x**2).sum()) == 9.0
    assert float(x.detach()) == pytest.approx(3 - 0.1 * 6)


def test_history_shows_means_and_counts_on() -> None:
    history: list[dict[str, float]] = []
    losses = iter(range(1, 1000))
    repeat(lambda: float(next(losses)), 100, history=history, label="toy")
    assert [h["step"] for h in history] == list(range(2, 101, 2))
    assert [h["loss"] for h in history[:2]] == [1.5, 3.5]
    repeat(lambda: 1.0, 3, history=history, label="toy")
    assert [h["step"] for h in history[-3:]] == [101, 102, 103]
    seconds = [h["seconds"] for h in history]
    assert seconds == sorted(seconds)
    assert all(math.isnan(h["validation_loss"]) for h in history)
    with pytest.raises(FitError, match="toy diverged: the loss is nan at step 1 of 7"):
        repeat(lambda: math.nan, 7, history=[], label="toy")


def test_a_batch_is_split_with_its_labels() -> None:
    batch = Batch(torch.arange(6.0).view(6, 1), torch.arange(6))
    assert [(b.x[:, 0].tolist(), b.y.tolist()) for b in batch.split(4)] == [
        ([0, 1, 2, 3], [0, 1, 2, 3]),
        ([4, 5], [4, 5]),
    ]
    assert [b.y for b in Batch(batch.x, None).split(3)] == [None, None]


def test_rounds_show_real_and_drawn_rows_with_the_same_labels() -> None:
    frame, schema = toys.mixed(90)
    seen = []

    class Watched(MedGAN):
        def _rounds(self, count):
            rounds = super()._rounds(count)
            seen.append(rounds)
            return rounds

    Watched(latent=4, width=4, max_steps=2, batch_size=16, burn_in=1, discriminator_steps=3).fit(frame, schema, rng=RNG)
    assert [len(rounds) for rounds in seen] == [3, 3]
    for real, drawn in seen[0]:
        assert real.shape == drawn.shape == (16, 6 + 2)
        assert torch.equal(real[:, -2:], drawn[:, -2:])
        assert not torch.equal(real[:, :6], drawn[:, :6])


def test_real_rows_show_the_level_asked_for_and_all_levels_are_asked_for() -> None:
    frame, schema = toys.mixed(300)
    generator = CTGAN(latent=2, width=4, depth=1, epochs=1, least_steps=1, batch_size=20).fit(frame, schema, rng=RNG)
    shown = Shown(generator, generator.table.encode(frame, RNG), RNG.torch())
    places = shown.ask(2000)
    rows = shown.real(places)
    assert rows.shape == (2000, generator.table.width)
    assert (rows[torch.arange(2000), generator.table.numeric + generator.entry[places]] == 1).all()
    counts = np.concatenate([frame[c.name].cat.codes.value_counts().sort_index() for c in schema.categorical])
    logs = np.split(np.log1p(counts), np.cumsum([2, 3]))
    law = np.concatenate([part / part.sum() for part in logs]) / 3
    asked = torch.bincount(places, minlength=7) / len(places)
    assert np.abs(asked.numpy() - law).max() < 4 * math.sqrt(0.25 / 2000)


def test_without_categorical_columns_nothing_is_asked_for() -> None:
    frame, schema = toys.numeric(60)
    generator = CTGAN(latent=2, width=4, depth=1, epochs=1, least_steps=1, batch_size=20).fit(frame, schema, rng=RNG)
    shown = Shown(generator, generator.table.encode(frame, RNG), RNG.torch())
    assert generator.conditions == 0
    assert generator.indicator(shown.ask(5)).shape == (5, 0)
    assert shown.real(shown.ask(5)).shape == (5, generator.table.width)
    assert float(generator.told(torch.ones(5, generator.groups.total), shown.ask(5))) == 0
