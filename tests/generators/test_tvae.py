"""TVAE: its loss by hand, its scales, its labels by Bayes' rule, its noise."""

import pandas as pd
import pytest
import torch
from torch.distributions import Categorical, Normal, kl_divergence

import toys
from synthcohort.generators.tvae import TVAE
from synthcohort.networks.tvae import ModeAutoencoder
from synthcohort.rng import Rng

RNG = Rng(9)
SMALL = {"latent": 4, "width": 8, "depth": 1, "epochs": 1, "least_steps": 20, "batch_size": 30, "evaluate_every": 5}


def _fit(**changes) -> TVAE:
    frame, schema = toys.mixed(120)
    return TVAE(**{**SMALL, **changes}).fit(frame[:90], schema, rng=RNG, validation=frame[90:])


def _asked(level: str, n: int) -> pd.DataFrame:
    return pd.DataFrame({"died": pd.Categorical([level] * n, categories=["no", "yes"])})


def test_loss_is_the_weighted_lower_bound() -> None:
    generator = _fit(loss_factor=3.0)
    frame, _ = toys.mixed(10)
    rows = generator.table.encode(frame, RNG)
    with torch.no_grad():
        loss = generator._loss((rows.alpha, rows.codes), RNG.torch())
        x = torch.cat([rows.alpha, generator.groups.one_hot(rows.codes)], dim=1)
        mu, log_sigma = generator.network.encode(x)
        z = mu + log_sigma.exp() * torch.randn(mu.shape, generator=RNG.torch())
        centre, logits = generator.network.decode(z)
        log_p = Normal(centre, generator.network.delta).log_prob(rows.alpha).sum(1)
        for g in range(len(generator.table.sizes)):
            log_p += Categorical(logits=generator.groups.of(g, logits)).log_prob(rows.codes[:, g])
        divergence = kl_divergence(Normal(mu, log_sigma.exp()), Normal(0.0, 1.0)).sum(1)
    assert torch.allclose(loss, divergence - 3.0 * log_p, atol=1e-4)


def test_scales_start_at_a_tenth_and_stay_between_a_hundredth_and_one() -> None:
    network = ModeAutoencoder(numeric=3, entries=2, latent=2, width=4, depth=1, generator=RNG.torch())
    assert network.delta.tolist() == pytest.approx([0.1] * 3)
    with torch.no_grad():
        network.scale.copy_(torch.tensor([-1e3, 0.0, 1e3]))
    assert network.delta.tolist() == pytest.approx([0.01, 0.1, 1.0])


def test_rows_with_a_target_follow_bayes_rule() -> None:
    """With one latent number and p(yes | z) = sigmoid(3 z), z given yes has the mean found by integration."""
    generator = _fit(latent=1)
    group = generator.table.group("died")
    first = generator.table.numeric + int(generator.groups.starts[group])
    with torch.no_grad():
        for p in generator.network.decoder.parameters():
            p.zero_()
        body = generator.network.decoder
        body.layers[0].weight[:2, 0] = torch.tensor([1.0, -1.0])  # ReLU(z), ReLU(-z)
        body.leave.weight[first + 1, :2] = torch.tensor([3.0, -3.0])
        z = generator._latent_of(torch.ones(20_000, dtype=torch.int64).numpy(), RNG.torch())[:, 0].double()
    grid = torch.linspace(-9, 9, 20_001, dtype=torch.float64)
    weight = Normal(0.0, 1.0).log_prob(grid).exp() * torch.sigmoid(3 * grid)
    for power in (1, 2):
        expected = float((weight * grid**power).sum() / weight.sum())
        assert float((z**power).mean()) == pytest.approx(expected, abs=0.03)
    assert len(z.unique()) > 0.9 * len(z)


def test_a_target_the_decoder_never_shows_can_be_asked_for() -> None:
    generator = _fit()
    group = generator.table.group("died")
    first = generator.table.numeric + int(generator.groups.starts[group])
    with torch.no_grad():
        generator.network.decoder.leave.bias[first + 1] = -1e4
    assert len(generator.sample(30, rng=RNG, conditions=_asked("yes", 30))) == 30


def test_cells_are_drawn_from_the_decoders_law_not_its_mode() -> None:
    """With a decoder that ignores z, most likely cells would all be equal; the drawn cells are not."""
    generator = _fit()
    with torch.no_grad():
        for p in generator.network.decoder.parameters():
            p.zero_()
    drawn = generator.sample(200, rng=RNG)
    assert drawn["marker"].nunique() > 20
    assert drawn["stage"].value_counts().min() > 40
