"""The cheap token autoencoder: against the plain one, and what it does before its first step."""

import math

import pytest
import torch

from synthcohort.networks.column_tokens import NOISE, TOLERANCE, ColumnAutoencoder, StackedBlocks, attend
from synthcohort.networks.tokens import TokenAutoencoder, TransformerBlock
from synthcohort.rng import Rng

RNG = Rng(5)
SETTINGS = {"numeric": 2, "levels": (3, 4), "token": 4, "layers": 2, "factor": 2, "most_tokens": 64}


def _rows(n: int) -> torch.Tensor:
    generator = RNG.branch("rows").torch()
    codes = [torch.randint(0, k, (n,), generator=generator) for k in SETTINGS["levels"]]
    levels = [torch.eye(k)[code] for k, code in zip(SETTINGS["levels"], codes, strict=True)]
    return torch.cat([torch.randn(n, SETTINGS["numeric"], generator=generator), *levels], dim=1)


def _fresh() -> ColumnAutoencoder:
    return ColumnAutoencoder(**SETTINGS, generator=RNG.torch())


@torch.no_grad()
def _shaken(network: torch.nn.Module) -> torch.nn.Module:
    """Give every weight a value, so that no branch is idle."""
    generator = RNG.branch("shaken").torch()
    for weight in network.parameters():
        torch.nn.init.normal_(weight, std=0.5, generator=generator)
    return network


@torch.no_grad()
def _copy_block(plain: TransformerBlock, stacked: StackedBlocks, place: int) -> None:
    for name in ("ask", "answer", "inner", "outer"):
        getattr(stacked, name).weight[place] = getattr(plain, name).weight
        getattr(stacked, name).bias[place] = getattr(plain, name).bias[:, None]
    for name in ("first_norm", "second_norm"):
        getattr(stacked, name).weight[place] = getattr(plain, name).weight[:, None, None]
        getattr(stacked, name).bias[place] = getattr(plain, name).bias[:, None, None]


@torch.no_grad()
def test_rows_along_the_last_axis_change_nothing() -> None:
    """With the weights of the plain autoencoder, whose latent entries run token by token, both say the same."""
    plain, cheap = _shaken(TokenAutoencoder(**SETTINGS, generator=RNG.torch())), _fresh()
    number_by_number = torch.arange(16).view(4, 4).t().flatten()
    cheap.enter.weight.copy_(plain.enter.weight[number_by_number])
    cheap.enter.bias.copy_(plain.enter.bias[number_by_number])
    cheap.position.copy_(plain.position.flatten()[number_by_number])
    cheap.leave.weight.copy_(plain.leave.weight[:, number_by_number])
    cheap.leave.bias.copy_(plain.leave.bias)
    cheap.deviation.weight[0] = torch.eye(4)
    cheap.deviation.bias.zero_()
    for layer in range(SETTINGS["layers"]):
        _copy_block(plain.mean[layer], cheap.there[layer], 0)
        _copy_block(plain.log_sigma[layer], cheap.there[layer], 1)
        _copy_block(plain.back[layer], cheap.back[layer], 0)
    x = _rows(7)
    for expected, found in zip(plain.encode(x), cheap.encode(x), strict=True):
        assert torch.allclose(found, expected[:, number_by_number], atol=1e-4)
    z = torch.randn(7, 16, generator=RNG.torch())
    assert torch.allclose(cheap.decode(z[:, number_by_number]), plain.decode(z), atol=1e-4)


def test_attention_equals_its_formula() -> None:
    q, k, v = torch.randn(3, 2, 4, 5, 6, generator=RNG.torch(), dtype=torch.float64)  # [S, d, G, n]
    rows = [part.permute(0, 3, 2, 1) for part in (q, k, v)]  # [S, n, G, d]
    expected = (rows[0] @ rows[1].mT / 2).softmax(3) @ rows[2]
    assert torch.allclose(attend(q, k, v), expected.permute(0, 3, 2, 1))


@torch.no_grad()
def test_numbers_come_back_before_the_first_step() -> None:
    network, x = _fresh(), _rows(50)
    mu, log_sigma = network.encode(x)
    assert torch.allclose(network.decode(mu)[:, :2], x[:, :2], atol=1e-5)
    assert torch.allclose(log_sigma, torch.full_like(log_sigma, math.log(NOISE)))
    assert mu.view(50, 4, 4).norm(dim=1)[:, :2].tolist() == pytest.approx(x[:, :2].abs())
    noisy = network.decode(mu + log_sigma.exp() * torch.randn(mu.shape, generator=RNG.torch()))
    assert float((noisy[:, :2] - x[:, :2]).std()) == pytest.approx(NOISE, rel=0.3)  # |w| = 1


@torch.no_grad()
def test_levels_are_the_posterior_of_their_points_before_the_first_step() -> None:
    network = _fresh()
    z = torch.randn(20, 16, generator=RNG.torch()) / 2
    points = (network.enter.weight * network.enter.mask)[:, 2:5].view(4, 4, 3)[:, 2]  # [d, K] of the third token
    assert torch.allclose(points.norm(dim=0), torch.ones(3))
    squares = (z.view(20, 4, 4)[:, :, 2, None] - points).square().sum(1)  # [n, K]
    expected = (-squares / (2 * TOLERANCE**2)).softmax(1)
    assert torch.allclose(network.decode(z)[:, 2:5].softmax(1), expected, atol=1e-4)


@torch.no_grad()
def test_a_cell_reaches_other_tokens_only_through_attention() -> None:
    x = _rows(1).repeat(2, 1)
    x[1, 0] += 1.0
    for layers, others in ((0, False), (1, True)):
        network = _shaken(ColumnAutoencoder(**{**SETTINGS, "layers": layers}, generator=RNG.torch()))
        moved = network.encode(x)[0].diff(dim=0).view(4, 4).abs().sum(0) > 0  # [G]
        assert moved.tolist() == [True, others, others, others]


def test_a_table_without_columns_has_no_latent_row() -> None:
    assert ColumnAutoencoder(**{**SETTINGS, "numeric": 0, "levels": ()}, generator=RNG.torch()).latent == 0
    wide = ColumnAutoencoder(**{**SETTINGS, "numeric": 1000, "levels": ()}, generator=RNG.torch())
    assert wide.latent == 63 * 4
