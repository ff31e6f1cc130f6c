"""Masked networks: who may see whom, and that drawing column by column reads the same numbers as one pass."""

import pytest
import torch

from synthcohort.networks.masked import MaskedLinear, MaskedMLP
from synthcohort.rng import Rng

PLACES = torch.tensor([1, 1, 2, 3, 3, 3])  # three columns of 2, 1 and 3 inputs


def _net(width: int = 16, depth: int = 2) -> MaskedMLP:
    net = MaskedMLP(inputs=PLACES, outputs=PLACES, width=width, depth=depth, generator=Rng(1).torch())
    noise = Rng(9).torch()
    with torch.no_grad():
        for p in net.parameters():
            p.add_(0.3 * torch.randn(p.shape, generator=noise))
    return net


def _jacobian(net: MaskedMLP, wrt: int) -> torch.Tensor:
    x, context = torch.randn(6, generator=Rng(2).torch()), torch.randn(16, generator=Rng(3).torch())
    both = torch.autograd.functional.jacobian(lambda x, c: net(x[None], c[None])[0], (x, context))
    return both[wrt]


def test_an_output_sees_exactly_the_columns_before_it() -> None:
    seen = _jacobian(_net(), 0) != 0  # [outputs, inputs]
    assert torch.equal(seen, PLACES[:, None] > PLACES)


def test_every_output_sees_the_context() -> None:
    assert (_jacobian(_net(), 1) != 0).any(1).all()


@torch.no_grad()
def test_column_by_column_equals_one_pass() -> None:
    net = _net()
    x, context = torch.randn(5, 6, generator=Rng(2).torch()), torch.randn(5, 16, generator=Rng(3).torch())
    h, parts = net.begin(context), []
    for part in (slice(0, 2), slice(2, 3), slice(3, 6)):
        parts.append(net.read(h, part))
        h = net.extend(h, x[:, part], part)
    assert torch.allclose(torch.cat(parts, dim=1), net(x, context), atol=1e-5)


@pytest.mark.parametrize("width", [1, 2, 5])
def test_fewer_units_than_columns_is_ordinary(width) -> None:
    net = MaskedMLP(inputs=PLACES, outputs=PLACES, width=width, depth=1, generator=Rng(1).torch())
    assert net(torch.ones(2, 6), torch.zeros(2, width)).shape == (2, 6)


def test_masked_weights_start_and_stay_at_zero() -> None:
    mask = torch.tensor([[1.0, 0.0], [1.0, 1.0]])
    layer = MaskedLinear(mask, Rng(1).torch())
    layer(torch.ones(3, 2)).sum().backward()
    assert float(layer.weight.detach()[0, 1]) == 0
    assert float(layer.weight.grad[0, 1]) == 0
    assert list(dict(layer.named_buffers())) == ["mask"]
    assert "mask" not in layer.state_dict()
