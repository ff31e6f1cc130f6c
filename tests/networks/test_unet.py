"""The latent U-Net and the embedding of attributes."""

import pytest
import torch

from synthcohort.networks.given import Attributes, ConditionedMLP
from synthcohort.networks.unet import LatentUNet, ResidualConv, conv
from synthcohort.rng import Rng

RNG = Rng(8)


def _unet(levels: tuple[int, ...] = (2, 3)) -> LatentUNet:
    """Return a network whose branches have left zero, as after a step of training."""
    network = LatentUNet(features=5, levels=levels, side=4, channels=8, width=12, generator=RNG.torch())
    for weight in network.parameters():
        if not weight.detach().any():
            torch.nn.init.normal_(weight, std=0.3, generator=RNG.branch("awake").torch())
    return network


def test_attributes_add_up_and_every_level_has_its_own_numbers() -> None:
    table = Attributes((2, 3), 6, RNG.torch())
    everything = torch.tensor([[a, b] for a in range(3) for b in range(4)])
    said = table(everything)
    assert table.table.weight.shape == (3 + 4, 6)
    first, second = table.table.weight[:3], table.table.weight[3:]
    torch.testing.assert_close(said, torch.stack([first[a] + second[b] for a, b in everything.tolist()]))


@pytest.mark.parametrize("levels", [(), (2, 3)])
def test_shapes_and_what_the_network_is_shown_matters(levels) -> None:
    x, t = torch.randn(7, 5, generator=RNG.torch()), torch.linspace(0.1, 0.9, 7)
    shown = torch.zeros(7, len(levels), dtype=torch.int64)
    for network in (_unet(levels), ConditionedMLP(levels=levels, features=5, outputs=5, width=8, depth=1, **_own())):
        assert network(x, t, shown).shape == (7, 5)
    e = _unet(levels).latent(x, t, shown)
    assert e.shape == (7, 16)
    assert not torch.equal(e, _unet(levels).latent(x, 1 - t, shown))
    if levels:
        assert not torch.equal(e, _unet(levels).latent(x, t, shown + 1))


def _own() -> dict[str, torch.Generator]:
    return {"generator": RNG.torch()}


def test_the_whole_is_the_latent_row_decoded() -> None:
    network, x, t = _unet(), torch.randn(3, 5, generator=RNG.torch()), torch.full((3,), 0.4)
    shown = torch.tensor([[1, 0], [0, 0], [2, 3]])
    assert torch.equal(network(x, t, shown), network.decode(network.latent(x, t, shown)))
    assert network(x, t, shown).abs().sum() > 0


def test_a_block_starts_as_the_identity_or_the_narrow_convolution() -> None:
    h, w = torch.randn(2, 8, 4, 4, generator=RNG.torch()), torch.randn(2, 6, generator=RNG.torch())
    assert torch.equal(ResidualConv(8, 8, 6, RNG.torch())(h, w), h)
    wider = ResidualConv(8, 16, 6, RNG.torch())
    assert torch.equal(wider(h, w), wider.past(h))


def test_a_convolution_keeps_the_side_or_halves_it() -> None:
    h = torch.randn(2, 3, 6, 6, generator=RNG.torch())
    assert conv(3, 5, RNG.torch())(h).shape == (2, 5, 6, 6)
    assert conv(3, 5, RNG.torch(), stride=2)(h).shape == (2, 5, 3, 3)
    assert conv(3, 5, RNG.torch(), zero=True)(h).abs().max() == 0


def test_same_generator_same_weights_and_the_global_one_is_untouched() -> None:
    before = torch.get_rng_state()
    one, other = _unet().state_dict(), _unet().state_dict()
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert torch.equal(before, torch.get_rng_state())
