"""Where does every random number of the study come from?

One integer seed grows a tree of named branches. A branch is a value: asking it twice gives the same stream, and
two branches with different names are independent, so the order in which parts run never changes a result and no
part needs a global generator. Branch keys are SHA-256 digests of (seed, names): stable across processes, platforms
and Python versions, unlike `hash`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Rng:
    """A named branch of the study's randomness.

    Args:
        seed: the study's seed, any integer.
        path: names of the branches from the root to here.
    """

    seed: int
    path: tuple[str, ...] = ()

    def branch(self, *names: str | int) -> Rng:
        """Return the branch below this one called `names`; numbers are names too."""
        if not names:
            raise ValueError("branch needs at least one name; the rng itself is the unnamed branch")
        return Rng(self.seed, self.path + tuple(str(name) for name in names))

    def numpy(self) -> np.random.Generator:
        """Return a fresh numpy generator at the start of this branch's stream."""
        return np.random.default_rng(list(self._digest()))

    def torch(self, device: str = "cpu") -> torch.Generator:
        """Return a fresh torch generator on `device` at the start of this branch's stream."""
        import torch

        return torch.Generator(device=device).manual_seed(int.from_bytes(self._digest()[:7], "big"))

    def integer(self) -> int:
        """Return this branch as one integer in [0, 2**31), for libraries that take a seed."""
        return int.from_bytes(self._digest()[:4], "big") >> 1

    def _digest(self) -> bytes:
        text = "\x1f".join((str(int(self.seed)), *self.path))
        return hashlib.sha256(text.encode()).digest()
