"""Private steps sample rows one by one, add the stated noise and forget what they must not tell."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from synthcohort.dp.accountant import PrivacyError
from synthcohort.dp.randomness import SeededNoise
from synthcohort.dp.sgd import PrivateGradients, sampling_rate, train_privately
from synthcohort.networks.layers import linear
from synthcohort.rng import Rng

N, CLIP = 40, 0.5


class Counting(nn.Module):
    """A bias per row: the gradient of row i is the unit vector i, so a sum shows who took part."""

    def __init__(self, n: int = N) -> None:
        super().__init__()
        self.places = nn.Embedding(n, 1, _weight=torch.zeros(n, 1))

    def loss(self, batch, generator):
        return self.places(batch[0])[:, 0]


def gradients(network, rows, sigma=0.0, seed=1, batch_size=10):
    return PrivateGradients(
        network,
        network.loss,
        rows,
        batch_size=batch_size,
        clip_norm=CLIP,
        noise_multiplier=sigma,
        noise=SeededNoise(Rng(seed)),
        generator=Rng(9).torch(),
    )


def test_every_row_takes_part_by_itself_with_the_stated_chance():
    own = gradients(Counting(), (torch.arange(N),))
    drawn = np.stack([own.draw()[0][:, 0].numpy() for _ in range(800)])  # [steps, N]
    taken = drawn > 0
    assert drawn[taken] == pytest.approx(CLIP / 10, rel=1e-5)  # clipped, over the expected number of rows
    rate = taken.mean(0)
    assert np.abs(rate - 0.25).max() < 5 * math.sqrt(0.25 * 0.75 / 800)
    sizes = taken.sum(1)
    assert sizes.var() == pytest.approx(N * 0.25 * 0.75, rel=0.25)  # of a binomial number, not a fixed one


def test_the_noise_has_the_stated_deviation_and_each_step_its_own():
    sigma = 3.0
    own = gradients(Counting(2_000), (torch.arange(2_000),), sigma=sigma, batch_size=1)
    one, other = (own.draw()[0][:, 0].numpy() for _ in range(2))
    for drawn in (one, other):
        assert drawn.std() == pytest.approx(sigma * CLIP, rel=0.1)
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.1


def test_rows_that_are_blank_move_a_step_by_the_clip_norm_at_most():
    """The same draws on two neighbours: the true change must be within what the noise is scaled to."""
    x = torch.randn(N, 3, generator=Rng(4).torch())
    blank = x.clone()
    blank[7] = 0  # this network's loss of a row of zeros is constant, so the row counts nowhere

    def steps(rows):
        network = linear(3, 1, Rng(5).torch())
        network.bias.requires_grad_(False)
        own = PrivateGradients(
            network,
            lambda batch, generator: (network(batch[0])[:, 0] - network.bias).square(),
            (rows,),
            batch_size=20,
            clip_norm=CLIP,
            noise_multiplier=0.0,
            noise=SeededNoise(Rng(6)),
            generator=Rng(9).torch(),
        )
        return [20 * own.draw()[0] for _ in range(30)]

    moved = [float((a - b).norm()) for a, b in zip(steps(x), steps(blank))]
    assert 0 < max(moved) <= CLIP * (1 + 1e-4)
    assert min(moved) == 0  # a step in which the row takes no part


def test_training_learns_a_mean_and_tells_no_loss():
    x = 1.0 + 0.1 * torch.randn(200, 1, generator=Rng(4).torch())
    network = Counting(1)
    own = PrivateGradients(
        network,
        lambda batch, generator: (network.places(batch[0].new_zeros(len(batch[0]), dtype=torch.int64)) - batch[0])[
            :, 0
        ].square(),
        (x,),
        batch_size=50,
        clip_norm=1.0,
        noise_multiplier=1.0,
        noise=SeededNoise(Rng(1)),
        generator=Rng(9).torch(),
    )
    history = train_privately(
        network, own, steps=150, learning_rate=0.1, weight_decay=0.0, ema_decay=0.9, label="a mean"
    )
    assert float(network.places.weight[0, 0].detach()) == pytest.approx(1.0, abs=0.15)
    assert history[-1]["step"] == 150
    assert all(math.isnan(record["loss"]) and math.isnan(record["validation_loss"]) for record in history)


@pytest.mark.parametrize("batch_size", [0, -1, N + 1])
def test_a_batch_larger_than_the_table_is_refused(batch_size):
    with pytest.raises(PrivacyError, match=rf"batch_size={batch_size} is not in 1..{N}"):
        sampling_rate(batch_size, N)
