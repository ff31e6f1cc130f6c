"""Where does the noise of a private mechanism come from?

A guarantee of differential privacy holds only while the noise cannot be guessed. In a study results must repeat, so the
noise comes from the study's seed: whoever knows the seed can take the noise away again, and nothing drawn with it may
be handed out. For a release it comes from the operating system's cryptographic generator and cannot be repeated.

Both sources have the same members, and `kind` says which one was used.

Cryptographic normals add four independent ones and halve the sum: the low bits of a single one computed in floating
point tell the value it was added to [Mironov 2012; Holohan 2021, sec. 4].

Departs: Laplace noise is the difference of two exponentials in floating point and is not protected in this way; the
mechanisms that are released here use normals and exponential choices.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from typing import ClassVar, Protocol

import numpy as np

from synthcohort.rng import Rng

Shape = int | Sequence[int]
_SUMMED = 4  # normals added to one cryptographic normal


class Noise(Protocol):
    """A source of independent random numbers."""

    @property
    def kind(self) -> str:
        """Return what a sample says of its noise."""

    def uniform(self, shape: Shape) -> np.ndarray:
        """Return numbers uniform on the open interval (0, 1), float64."""

    def normal(self, shape: Shape) -> np.ndarray:
        """Return standard normal numbers, float64."""


class SeededNoise:
    """Noise that repeats: for studies, never for a release.

    Args:
        rng: the branch of the study's randomness it starts from; two sources of one branch give the same numbers.
    """

    kind: ClassVar[str] = "seeded"

    def __init__(self, rng: Rng) -> None:
        self._generator = rng.numpy()

    def uniform(self, shape: Shape) -> np.ndarray:
        """Return numbers uniform on (0, 1)."""
        return _open(self._generator.integers(0, 2**53, size=_size(shape), dtype=np.int64))

    def normal(self, shape: Shape) -> np.ndarray:
        """Return standard normal numbers."""
        return self._generator.standard_normal(_size(shape))


class CryptographicNoise:
    """Noise that nobody can repeat: for releases."""

    kind: ClassVar[str] = "cryptographic"

    def uniform(self, shape: Shape) -> np.ndarray:
        """Return numbers uniform on (0, 1)."""
        size = _size(shape)
        bits = np.frombuffer(os.urandom(8 * math.prod(size)), dtype=np.uint64) >> np.uint64(11)
        return _open(bits.reshape(size))

    def normal(self, shape: Shape) -> np.ndarray:
        """Return standard normal numbers, each the half of a sum of four [Box 1958]."""
        size = _size(shape)
        u, v = self.uniform((2, _SUMMED, *size))
        return (np.sqrt(-2 * np.log(u)) * np.cos(2 * np.pi * v)).sum(axis=0) / math.sqrt(_SUMMED)


def _size(shape: Shape) -> tuple[int, ...]:
    return (shape,) if isinstance(shape, int) else tuple(shape)


def _open(integers: np.ndarray) -> np.ndarray:
    """Return integers in [0, 2^53) as the middles of as many cells of (0, 1)."""
    return (integers + 0.5) * 2.0**-53
