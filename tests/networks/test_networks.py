"""Layers and networks: where weights come from, what reaches the output, and that they can learn."""

import math

import torch

from synthcohort.networks.autoencoder import Autoencoder
from synthcohort.networks.layers import ResidualBlock, TimeEmbedding, embedding, linear, sinusoids
from synthcohort.networks.mlp import DenoisingMLP, Octaves, ResidualMLP
from synthcohort.rng import Rng


def _denoiser(seed: int = 1, labels: int = 3) -> DenoisingMLP:
    return DenoisingMLP(features=5, outputs=4, labels=labels, width=16, depth=2, generator=Rng(seed).torch())


def _stirred(network: torch.nn.Module) -> torch.nn.Module:
    """Give every weight a value, since last layers start at zero."""
    noise = Rng(9).torch()
    with torch.no_grad():
        for p in network.parameters():
            p.add_(0.3 * torch.randn(p.shape, generator=noise))
    return network


def test_weights_come_from_the_generator_alone() -> None:
    torch.manual_seed(3)
    before = torch.get_rng_state()
    first, again, other = _denoiser(1), _denoiser(1), _denoiser(2)
    Autoencoder(features=3, numeric=1, labels=2, latent=2, width=4, depth=1, generator=Rng(1).torch())
    assert torch.equal(before, torch.get_rng_state())
    for name, weight in first.state_dict().items():
        assert torch.equal(weight, again.state_dict()[name])
    assert any(not torch.equal(w, other.state_dict()[k]) for k, w in first.state_dict().items())


def test_first_weights_lie_within_their_bound() -> None:
    layer = linear(25, 400, Rng(1).torch())
    assert float(layer.weight.detach().abs().max()) <= 0.2
    assert abs(float(layer.weight.detach().std()) - 0.2 / math.sqrt(3)) < 0.005
    assert not linear(4, 4, Rng(1).torch(), zero=True).weight.any()
    assert abs(float(embedding(50, 40, Rng(1).torch()).weight.detach().std()) - 1) < 0.1


def test_sinusoids_follow_their_formula() -> None:
    got = sinusoids(torch.tensor([0.0, 3.0]), 4, longest=100.0)
    w = [1.0, 100.0**-0.5]
    want = [[1, 1, 0, 0], [math.cos(3 * w[0]), math.cos(3 * w[1]), math.sin(3 * w[0]), math.sin(3 * w[1])]]
    assert torch.allclose(got, torch.tensor(want))


def test_a_block_starts_as_the_identity() -> None:
    h = torch.randn(3, 8, generator=Rng(1).torch())
    assert torch.equal(ResidualBlock(8, Rng(2).torch())(h), h)


def test_row_time_and_label_all_reach_the_output() -> None:
    network = _stirred(_denoiser())
    x, t, y = torch.randn(6, 5, generator=Rng(4).torch()), torch.full((6,), 0.3), torch.zeros(6, dtype=torch.int64)
    out = network(x, t, y)
    assert out.shape == (6, 4)
    for changed in (network(x + 1, t, y), network(x, t + 0.2, y), network(x, t, y + 1)):
        assert not torch.allclose(out, changed, atol=1e-3)


def test_without_labels_there_is_no_label_table() -> None:
    network = _stirred(_denoiser(labels=0))
    assert network.label is None
    assert network(torch.zeros(2, 5), torch.zeros(2), None).shape == (2, 4)


def test_every_weight_receives_a_gradient() -> None:
    network = _stirred(_denoiser())
    network(torch.ones(3, 5), torch.tensor([0.1, 0.5, 0.9]), torch.tensor([0, 1, 2])).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())


def test_rows_do_not_see_each_other() -> None:
    network = _stirred(ResidualMLP(inputs=3, outputs=2, width=8, depth=2, generator=Rng(1).torch()))
    x = torch.randn(5, 3, generator=Rng(2).torch())
    assert torch.allclose(network(x)[2:3], network(x[2:3]), atol=1e-6)


def test_no_inputs_are_ordinary() -> None:
    network = ResidualMLP(inputs=0, outputs=2, width=8, depth=1, generator=Rng(1).torch())
    assert network(torch.zeros(4, 0)).shape == (4, 2)


def test_time_embedding_has_its_width() -> None:
    assert TimeEmbedding(16, Rng(1).torch())(torch.tensor([0.0, 0.5, 1.0])).shape == (3, 16)


def test_autoencoder_halves_have_their_shapes() -> None:
    network = Autoencoder(features=5, numeric=2, labels=3, latent=4, width=8, depth=1, generator=Rng(1).torch())
    y = torch.tensor([0, 2])
    mu, log_sigma = network.encode(torch.zeros(2, 5), y)
    assert mu.shape == log_sigma.shape == (2, 4)
    assert network.decode(mu, y).shape == (2, 5)
    assert network.log_scale.shape == (2,)


def test_octaves_are_sines_and_cosines_of_the_numbers():
    x = torch.tensor([[0.3, -1.2], [2.0, 0.0]])
    angles = torch.stack([2.0**f * x[:, j] for j in range(2) for f in range(3)], dim=1)
    assert torch.allclose(Octaves(3)(x), torch.cat([angles.sin(), angles.cos()], dim=1))
    assert Octaves(0)(x).shape == (2, 0)


def test_octaves_are_given_of_the_numbers_and_of_nothing_else():
    network = DenoisingMLP(
        features=5, outputs=2, labels=0, width=8, depth=0, generator=Rng(1).torch(), numeric=2, octaves=3
    )
    _stirred(network)
    x, t = torch.randn(4, 5, generator=Rng(2).torch()), torch.linspace(0.1, 0.9, 4)
    before = network(x, t, None)
    with torch.no_grad():
        network.body.enter.weight[:, :5] = 0  # only the octaves are left
    assert not torch.allclose(network(x, t, None), before)
    moved = x.clone()
    moved[:, 2:] += 1.0
    assert torch.equal(network(moved, t, None), network(x, t, None))
    moved[:, :2] += 1.0
    assert not torch.allclose(network(moved, t, None), network(x, t, None))
