"""The clipped sum equals the one-at-a-time loop, and one row moves it by the clip norm at most."""

import pytest
import torch
from torch import nn

from synthcohort.dp.accountant import PrivacyError
from synthcohort.dp.clipping import ClippedSum, ClippingError
from synthcohort.networks.layers import embedding, linear
from synthcohort.networks.masked import MaskedLinear
from synthcohort.networks.mlp import ResidualMLP
from synthcohort.rng import Rng

CLIP = 7.6


class Toy(nn.Module):
    """Every kind of layer that the private generators have."""

    def __init__(self) -> None:
        super().__init__()
        g = Rng(1).torch()
        self.label = embedding(3, 8, g)
        self.body = ResidualMLP(inputs=4, outputs=6, width=8, depth=1, generator=g)
        self.masked = MaskedLinear((torch.arange(5)[:, None] >= torch.arange(6)).float(), g)
        self.last = linear(5, 1, g)
        for p in self.parameters():
            nn.init.normal_(p, std=0.5, generator=g)

    def loss(self, batch, generator):
        x, y = batch
        h = self.masked(torch.tanh(self.body(x, self.label(y))))
        return self.last(h)[:, 0].square()


def rows(n: int, scale: float = 1.0):
    g = Rng(2).torch()
    return scale * torch.randn(n, 4, generator=g), torch.randint(3, (n,), generator=g)


def one_at_a_time(network, batch, clip=CLIP):
    total = [torch.zeros_like(p) for p in network.parameters()]
    lengths = []
    for i in range(len(batch[0])):
        loss = network.loss(tuple(part[i : i + 1] for part in batch), None).sum()
        gradient = torch.autograd.grad(loss, list(network.parameters()))
        length = torch.cat([g.flatten() for g in gradient]).norm()
        lengths.append(float(length))
        total = [t + g * min(1.0, clip / float(length)) for t, g in zip(total, gradient)]
    return total, lengths


def test_the_sum_is_that_of_single_clipped_gradients():
    network, batch = Toy(), rows(12)
    expected, lengths = one_at_a_time(network, batch)
    assert min(lengths) < CLIP < max(lengths)  # some rows are clipped, some are not
    clipped = ClippedSum(network, network.loss, CLIP)
    for _ in range(2):  # nothing is left over from one call to the next
        for found, wanted in zip(clipped(batch, None), expected, strict=True):
            torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("scale", [0.01, 1.0, 1e3])
def test_one_blank_row_moves_the_sum_by_the_clip_norm_at_most(scale):
    network, batch = Toy(), rows(9, scale)
    clipped = ClippedSum(network, network.loss, CLIP)
    whole = torch.cat([t.flatten() for t in clipped(batch, None)])
    moved = []
    for left_out in range(9):
        kept = [i for i in range(9) if i != left_out]
        without = torch.cat([t.flatten() for t in clipped(tuple(part[kept] for part in batch), None)])
        moved.append(float((whole - without).norm()))
    assert max(moved) <= CLIP * (1 + 1e-4)
    assert max(moved) > 0.99 * CLIP or scale < 1  # the bound is reached, so a smaller one would be wrong


def test_no_rows_give_a_sum_of_zero():
    network = Toy()
    assert all(not t.any() for t in ClippedSum(network, network.loss, CLIP)(rows(0), None))


def test_hooks_leave_the_network_as_it_was():
    network, batch = Toy(), rows(3)
    before = network.loss(batch, None)
    clipped = ClippedSum(network, network.loss, CLIP)
    clipped(batch, None)
    clipped.close()
    network.loss(batch, None).sum().backward()
    torch.testing.assert_close(network.loss(batch, None), before)
    assert not any(hasattr(m, "activations") and m.activations for m in network.modules())


def test_a_gradient_that_is_not_finite_is_refused():
    network, (x, y) = Toy(), rows(3)
    x[1, 0] = float("nan")
    with pytest.raises(ClippingError, match="not finite"):
        ClippedSum(network, network.loss, CLIP)((x, y), None)


@pytest.mark.parametrize("clip", [0.0, -1.0, float("nan"), float("inf")])
def test_a_clip_norm_that_holds_nothing_is_refused(clip):
    with pytest.raises(PrivacyError, match="clip_norm="):
        ClippedSum(Toy(), Toy().loss, clip)
