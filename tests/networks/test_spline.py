"""Splines: the identity, eq. 4 and 5 by autograd, the inverse, monotonicity, densities that integrate to one."""

import math

import pytest
import torch

from synthcohort.networks.spline import AutoregressiveSpline, raw_numbers, spline, unspline
from synthcohort.rng import Rng

BINS, BOUND = 6, 3.0


def _raw(*shape: int, scale: float = 2.0) -> torch.Tensor:
    return scale * torch.randn(*shape, raw_numbers(BINS), generator=Rng(3).torch(), dtype=torch.float64)


def _layer(columns: int, *, reverse: bool = False, seed: int = 1) -> AutoregressiveSpline:
    layer = AutoregressiveSpline(
        columns=columns, bins=BINS, bound=BOUND, reverse=reverse, width=12, depth=1, generator=Rng(seed).torch()
    ).double()
    noise = Rng(9).torch()
    with torch.no_grad():
        for p in layer.parameters():
            p.add_(0.3 * torch.randn(p.shape, generator=noise, dtype=p.dtype))
    return layer


def test_zero_numbers_are_the_identity() -> None:
    x = torch.linspace(-5, 5, 41, dtype=torch.float64)
    y, log_slope = spline(x, torch.zeros(41, raw_numbers(BINS), dtype=torch.float64), BOUND)
    assert torch.allclose(y, x, atol=1e-12)
    assert torch.allclose(log_slope, torch.zeros_like(x), atol=1e-12)


def test_it_is_the_rational_quadratic_of_its_knots_worked_by_hand() -> None:
    """Two bins of equal width and height with slope d in the middle: s = 1, d_0 = d_2 = 1."""
    d = 3.0
    raw = torch.zeros(1, raw_numbers(2), dtype=torch.float64)
    raw[0, -1] = math.log(math.expm1(d - 1e-3)) - math.log(math.expm1(1 - 1e-3))
    x = torch.tensor([-0.5], dtype=torch.float64)  # the middle of the first bin of [-1, 1]: xi = 1/2
    y, log_slope = spline(x, raw, 1.0)
    under = 1 + (d + 1 - 2) / 4
    assert float(y) == pytest.approx(-1 + (1 / 4 + 1 / 4) / under)
    assert float(log_slope) == pytest.approx(math.log((d / 4 + 2 / 4 + 1 / 4) / under**2))


def test_the_slope_is_the_derivative() -> None:
    x = torch.linspace(-4, 4, 200, dtype=torch.float64).requires_grad_()
    y, log_slope = spline(x, _raw(200), BOUND)
    (slope,) = torch.autograd.grad(y.sum(), x)
    assert torch.allclose(slope.log(), log_slope, atol=1e-9)


def test_the_inverse_undoes_it() -> None:
    x = torch.linspace(-4, 4, 400, dtype=torch.float64)
    raw = _raw(400)
    assert torch.allclose(unspline(spline(x, raw, BOUND)[0], raw, BOUND), x, atol=1e-9)
    assert torch.allclose(spline(unspline(x, raw, BOUND), raw, BOUND)[0], x, atol=1e-9)
    gentle, single = _raw(400, scale=0.5).float(), x.float()
    assert torch.allclose(unspline(spline(single, gentle, BOUND)[0], gentle, BOUND), single, atol=1e-4)


def test_it_rises_and_is_continuous_at_its_bound() -> None:
    x = torch.linspace(-3.5, 3.5, 20_001, dtype=torch.float64)
    y, _ = spline(x, _raw(1).expand(len(x), -1), BOUND)
    assert (y.diff() > 0).all()
    assert float(y.diff().max()) < 0.2
    assert torch.equal(y[x.abs() >= BOUND], x[x.abs() >= BOUND])


@pytest.mark.parametrize("reverse", [False, True])
def test_the_log_determinant_is_that_of_the_jacobian(reverse) -> None:
    layer = _layer(4, reverse=reverse)
    x = torch.randn(5, 4, generator=Rng(2).torch(), dtype=torch.float64)
    context = torch.randn(5, 12, generator=Rng(4).torch(), dtype=torch.float64)
    _, log_det = layer(x, context)
    for i in range(5):
        jacobian = torch.autograd.functional.jacobian(lambda v, i=i: layer(v[None], context[i : i + 1])[0][0], x[i])
        assert float(torch.linalg.slogdet(jacobian)[1]) == pytest.approx(float(log_det[i].detach()), abs=1e-8)


@pytest.mark.parametrize("reverse", [False, True])
@torch.no_grad()
def test_a_layer_is_undone_column_by_column(reverse) -> None:
    layer = _layer(4, reverse=reverse)
    x = 2 * torch.randn(50, 4, generator=Rng(2).torch(), dtype=torch.float64)
    context = torch.randn(50, 12, generator=Rng(4).torch(), dtype=torch.float64)
    u, _ = layer(x, context)
    assert torch.allclose(layer.inverse(u, context), x, atol=1e-7)


@torch.no_grad()
def test_a_layer_over_normal_noise_is_a_density() -> None:
    layer = _layer(2)
    grid = torch.linspace(-12, 12, 801, dtype=torch.float64)
    x = torch.cartesian_prod(grid, grid)
    u, log_det = layer(x, torch.zeros(len(x), 12, dtype=torch.float64))
    log_p = log_det - 0.5 * u.square().sum(1) - math.log(2 * math.pi)
    mass = torch.trapezoid(torch.trapezoid(log_p.exp().view(801, 801), grid), grid)
    assert float(mass) == pytest.approx(1, abs=5e-3)


def test_a_fresh_layer_is_the_identity() -> None:
    layer = AutoregressiveSpline(
        columns=3, bins=BINS, bound=BOUND, reverse=False, width=8, depth=1, generator=Rng(1).torch()
    )
    x = torch.randn(6, 3, generator=Rng(2).torch())
    u, log_det = layer(x, torch.randn(6, 8, generator=Rng(5).torch()))
    assert torch.allclose(u, x, atol=1e-5)
    assert torch.allclose(log_det, torch.zeros(6), atol=1e-5)
