r"""Which smooth, strictly increasing map can be evaluated, differentiated and undone in closed form?

The rational-quadratic spline [Durkan 2019, sec. 3.1; Gregory 1982]. Between knots (x_k, y_k) and (x_{k+1}, y_{k+1})
with slopes d_k, d_{k+1} at the knots, w = x_{k+1} - x_k, h = y_{k+1} - y_k, s = h / w, xi = (x - x_k) / w:

    y       = y_k + h (s xi^2 + d_k xi (1 - xi)) / (s + (d_{k+1} + d_k - 2 s) xi (1 - xi))              [eq. 4]
    dy / dx = s^2 (d_{k+1} xi^2 + 2 s xi (1 - xi) + d_k (1 - xi)^2) / (s + (...) xi (1 - xi))^2         [eq. 5]
    xi      = 2 c / (-b - sqrt(b^2 - 4 a c)),   a = h (s - d_k) + (y - y_k)(d_{k+1} + d_k - 2 s),
              b = h d_k - (y - y_k)(d_{k+1} + d_k - 2 s),   c = -s (y - y_k)                            [app. A.1]

on [-bound, bound]; outside it is the identity, whose slope the outermost knots share. `AutoregressiveSpline` gives
every column i a shift m_i and a log scale a_i of its own, then a spline, all read from the columns before it:

    u_i = spline_i( (x_i - m_i) exp(-a_i) ),    log |du / dx| = sum_i log spline_i' - a_i.              [sec. 3.2]

Departs: between two splines the source mixes columns by a learned linear map; here the order of columns is reversed,
and the shift and scale that come before each spline carry the linear dependence, so that the spline's bins are spent on
shape alone and few bins do.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from synthcohort.networks.masked import MaskedMLP

LEAST = 1e-3  # smallest width, height (shares of the interval) and slope, as in the source's release
_UNIT = math.log(math.expm1(1 - LEAST))  # softplus(_UNIT) + LEAST = 1: raw slope 0 is slope 1
_STEEPEST = 6.0  # largest |log scale| of a column given those before it


def raw_numbers(bins: int) -> int:
    """Return how many unconstrained numbers define a spline: widths, heights, inner slopes."""
    return 3 * bins - 1


def spline(x: Tensor, raw: Tensor, bound: float) -> tuple[Tensor, Tensor]:
    """Return y and log dy/dx, both of the shape of x [Durkan 2019, eq. 4 and 5].

    Args:
        x: [...] points.
        raw: [..., 3 bins - 1] unconstrained widths, heights and inner slopes; all zero is the identity.
        bound: half the interval that is bent, > 0.
    """
    inside = x.abs() < bound
    held = torch.where(inside, x, torch.zeros_like(x))
    knots = _knots(raw, bound)
    x_k, y_k, w, h, d_k, d_next = _pick(held, knots[0], knots)
    s = h / w
    xi = (held - x_k) / w
    mixed = xi * (1 - xi)
    under = s + (d_next + d_k - 2 * s) * mixed
    y = y_k + h * (s * xi.square() + d_k * mixed) / under
    over = d_next * xi.square() + 2 * s * mixed + d_k * (1 - xi).square()
    log_slope = 2 * s.log() + over.log() - 2 * under.log()
    return torch.where(inside, y, x), torch.where(inside, log_slope, torch.zeros_like(x))


def unspline(y: Tensor, raw: Tensor, bound: float) -> Tensor:
    """Return the x whose `spline` is y, of the shape of y [Durkan 2019, app. A.1]."""
    inside = y.abs() < bound
    held = torch.where(inside, y, torch.zeros_like(y))
    knots = _knots(raw, bound)
    x_k, y_k, w, h, d_k, d_next = _pick(held, knots[1], knots)
    s = h / w
    rise = held - y_k
    bend = rise * (d_next + d_k - 2 * s)
    a, b, c = h * (s - d_k) + bend, h * d_k - bend, -s * rise
    root = (b.square() - 4 * a * c).clamp(min=0).sqrt()  # rounding alone makes it negative
    return torch.where(inside, x_k + w * (2 * c / (-b - root)), y)


def _knots(raw: Tensor, bound: float) -> tuple[Tensor, Tensor, Tensor]:
    """Return places, heights and slopes of the knots, [..., bins + 1] each."""
    bins = (raw.shape[-1] + 1) // 3
    widths, heights, slopes = raw.split([bins, bins, bins - 1], dim=-1)
    slopes = functional.pad(LEAST + functional.softplus(slopes + _UNIT), (1, 1), value=1.0)
    return _steps(widths, bound), _steps(heights, bound), slopes


def _steps(raw: Tensor, bound: float) -> Tensor:
    """Return increasing places from -bound to bound, [..., bins] -> [..., bins + 1]."""
    bins = raw.shape[-1]
    shares = LEAST + (1 - LEAST * bins) * raw.softmax(-1)
    inner = (2 * shares.cumsum(-1) - 1)[..., :-1] * bound
    return functional.pad(functional.pad(inner, (1, 0), value=-bound), (0, 1), value=bound)


def _pick(v: Tensor, along: Tensor, knots: tuple[Tensor, Tensor, Tensor]) -> tuple[Tensor, ...]:
    """Return x_k, y_k, w, h, d_k, d_{k+1} of the bin of `along` that holds each v."""
    k = (v[..., None] >= along[..., 1:-1]).sum(-1)[..., None, None]  # [..., 1, 1]
    table = torch.stack(knots, dim=-1)  # [..., bins + 1, 3]
    k = k.expand(*k.shape[:-1], 3)  # [..., 1, 3]
    x_k, y_k, d_k = table.gather(-2, k).squeeze(-2).unbind(-1)
    x_next, y_next, d_next = table.gather(-2, k + 1).squeeze(-2).unbind(-1)
    return x_k, y_k, x_next - x_k, y_next - y_k, d_k, d_next


class AutoregressiveSpline(nn.Module):
    """One invertible layer, x [n, P] <-> u [n, P], given a context [n, width].

    Args:
        columns: P, >= 1.
        bins: bins of every spline, >= 2.
        bound: half the interval that is bent, in standard deviations.
        reverse: whether the last column comes first.
        width: hidden width, and the context's.
        depth: residual blocks, >= 0.
        generator: source of the first weights.
    """

    def __init__(
        self,
        *,
        columns: int,
        bins: int,
        bound: float,
        reverse: bool,
        width: int,
        depth: int,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.columns = columns
        self.bound = bound
        self.each = 2 + raw_numbers(bins)
        self.order = list(range(columns))[::-1] if reverse else list(range(columns))
        place = torch.tensor(self.order).argsort() + 1  # [P] in 1..P
        self.net = MaskedMLP(
            inputs=place,
            outputs=place.repeat_interleave(self.each),
            width=width,
            depth=depth,
            generator=generator,
        )

    def forward(self, x: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
        """Return u [n, P] and log |du / dx| [n]."""
        raw = self.net(x, context).unflatten(1, (self.columns, self.each))  # [n, P, each]
        shift, log_scale, bends = _split(raw)
        u, log_slope = spline((x - shift) * (-log_scale).exp(), bends, self.bound)
        return u, (log_slope - log_scale).sum(1)

    def inverse(self, u: Tensor, context: Tensor) -> Tensor:
        """Return the x [n, P] whose u this is, one column after the other."""
        x = torch.zeros_like(u)
        h = self.net.begin(context)  # [n, width]
        for i in self.order:
            raw = self.net.read(h, slice(i * self.each, (i + 1) * self.each))  # [n, each]
            shift, log_scale, bends = _split(raw)
            x[:, i] = unspline(u[:, i], bends, self.bound) * log_scale.exp() + shift
            h = self.net.extend(h, x[:, i : i + 1], slice(i, i + 1))
        return x


def _split(raw: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return shift, log scale (bounded smoothly by +-_STEEPEST) and the spline's numbers."""
    return raw[..., 0], _STEEPEST * torch.tanh(raw[..., 1] / _STEEPEST), raw[..., 2:]
