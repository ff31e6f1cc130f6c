r"""Which convolutional networks draw and judge a row that is folded into a square?

DCGAN [Radford 2016, sec. 3] on squares of one channel: the m cells of a row, padded with zeros, fill a square line by
line [Park 2018, sec. 4.2]. A square's side is s = b 2^k with b = 2 or 3, k >= 2. The generator starts from a b x b
square of many channels and doubles its side k times with transposed convolutions, halving the channels; the judge goes
the same way back:

    generator  z -> Linear -> [BN, ReLU, ConvT 4x4 / 2] x k -> s x s,    side (a - 1) 2 - 2 + 4 = 2 a
    judge      s x s -> [Conv 4x4 / 2, BN, LeakyReLU 0.2] x k -> f -> Linear,    side (a + 2 - 4) / 2 + 1 = a / 2

without normalisation at the generator's output and the judge's input. The judge's last hidden layer f is handed out
too: its moments are what information losses compare. Weights start as N(0, 0.02^2).
"""

from __future__ import annotations

import math
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import skip_init

SIDES = tuple(sorted(b * 2**k for b in (2, 3) for k in range(2, 8)))  # 8, 12, 16, 24 ... 384
SLOPE = 0.2  # of the leaky ReLU

Layer = TypeVar("Layer", nn.Linear, nn.Conv2d, nn.ConvTranspose2d)


def side_of(cells: int) -> int:
    """Return the side of the smallest square that holds `cells` cells.

    Raises:
        ValueError: if no square is that large.
    """
    for side in SIDES:
        if side * side >= cells:
            return side
    raise ValueError(f"a row of {cells} cells does not fit a square of side {SIDES[-1]}; give it fewer columns")


def fold(rows: Tensor, side: int) -> Tensor:
    """Return rows [n, m] as squares [n, 1, side, side], padded with zeros."""
    return functional.pad(rows, (0, side * side - rows.shape[1])).view(len(rows), 1, side, side)


def unfold(squares: Tensor, cells: int) -> Tensor:
    """Return the first `cells` entries of squares [n, 1, side, side], [n, cells]."""
    return squares.flatten(1)[:, :cells]


class SquareGenerator(nn.Module):
    """Numbers [n, inputs] -> cells [n, cells], unbounded.

    Args:
        inputs: width of the noise and what stands beside it.
        cells: m, cells of a row.
        channels: channels of the last hidden square, doubled for every halving of the side.
        generator: source of the first weights.
    """

    def __init__(self, *, inputs: int, cells: int, channels: int, generator: torch.Generator) -> None:
        super().__init__()
        self.cells = cells
        self.base, widths = _widths(side_of(cells), channels)
        widths = widths[::-1]
        self.enter = _normal(skip_init(nn.Linear, inputs, widths[0] * self.base**2), generator)
        self.norms = nn.ModuleList([nn.BatchNorm2d(width) for width in widths])
        ups = zip(widths, [*widths[1:], 1], strict=True)
        self.ups = nn.ModuleList(
            [_normal(skip_init(nn.ConvTranspose2d, a, b, 4, stride=2, padding=1), generator) for a, b in ups]
        )

    def forward(self, z: Tensor) -> Tensor:
        h = self.enter(z).view(len(z), -1, self.base, self.base)  # [n, C, b, b]
        for norm, up in zip(self.norms, self.ups, strict=True):
            h = up(functional.relu(norm(h)))  # [n, C / 2, 2 a, 2 a]
        return unfold(h, self.cells)


class SquareJudge(nn.Module):
    """Cells [n, cells] -> outputs [n, outputs] and hidden features f [n, F].

    Args:
        cells: m, cells of a row.
        outputs: width of the output.
        channels: channels of the first hidden square, doubled for every halving of the side.
        generator: source of the first weights.
    """

    def __init__(self, *, cells: int, outputs: int, channels: int, generator: torch.Generator) -> None:
        super().__init__()
        self.side = side_of(cells)
        base, widths = _widths(self.side, channels)
        downs = zip([1, *widths[:-1]], widths, strict=True)
        self.downs = nn.ModuleList(
            [_normal(skip_init(nn.Conv2d, a, b, 4, stride=2, padding=1), generator) for a, b in downs]
        )
        self.norms = nn.ModuleList([nn.Identity(), *(nn.BatchNorm2d(width) for width in widths[1:])])
        self.leave = _normal(skip_init(nn.Linear, widths[-1] * base**2, outputs), generator)

    def forward(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        h = fold(rows, self.side)
        for down, norm in zip(self.downs, self.norms, strict=True):
            h = functional.leaky_relu(norm(down(h)), SLOPE)  # [n, 2 C, a / 2, a / 2]
        f = h.flatten(1)  # [n, F]
        return self.leave(f), f


def moment_distance(real: tuple[Tensor, Tensor], drawn: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """Return L_mean = |E f - E f'| and L_sd = |SD f - SD f'|, Euclidean [Park 2018, sec. 4.3].

    Args:
        real: mean and standard deviation [F] of the features of real rows.
        drawn: the same of drawn rows.
    """
    return torch.linalg.vector_norm(real[0] - drawn[0]), torch.linalg.vector_norm(real[1] - drawn[1])


def moments(f: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and standard deviation of each feature, [n, F] -> [F] each; gradients exist at zero spread."""
    return f.mean(0), (f.var(0, unbiased=False) + 1e-8).sqrt()


def _widths(side: int, channels: int) -> tuple[int, list[int]]:
    """Return b and the channels of the hidden squares from the largest to the b x b one, [k]."""
    base = 3 if side % 3 == 0 else 2
    return base, [channels * 2**i for i in range(int(math.log2(side // base)))]


def _normal(layer: Layer, generator: torch.Generator) -> Layer:
    nn.init.normal_(layer.weight, std=0.02, generator=generator)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer
