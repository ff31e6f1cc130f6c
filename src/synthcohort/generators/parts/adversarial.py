"""What do generators share whose networks learn by playing against each other?

The loop of `training` follows one loss and can look at validation rows; a game has no height to measure. Here a *turn*
is any function that draws its batch, moves its networks and returns the loss to be shown. n rows are passed over
`epochs` times in batches of b, within bounds, so that a small table is learned and a large one is affordable:

    turns = max( least, min( most, ceil(epochs n / b) ) ).

Nothing is learned or chosen from validation rows.
"""

from __future__ import annotations

import math
import time
from abc import abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from synthcohort.generators.base import FitError, Generator
from synthcohort.generators.parts.labelled import network_state, restore_network
from synthcohort.rng import Rng

RECORDS = 50  # history records of one phase, at most about twice as many


class Adversarial(Generator):
    """A generator whose networks have learned in turns.

    A method sets `table` and `players` in its fit, and in `_build` the network that rows are drawn with, `sampled`.
    """

    abilities: ClassVar[frozenset[str]] = frozenset({"condition-target"})

    device: str
    table: Any  # the encoding of rows; its `state` is stored
    sampled: nn.Module
    players: list[nn.Module]

    @abstractmethod
    def _build(self, device: str, rng: Rng) -> None:
        """Set `device` and `sampled`, for rows as `table` encodes them."""

    @abstractmethod
    def _restore_table(self, arrays: dict[str, np.ndarray]) -> None:
        """Set `table` from the arrays of its state."""

    def _take_turns(self, turn: Callable[[], float], count: int) -> None:
        """Take `count` turns and leave `sampled` as it is drawn from."""
        repeat(turn, count, history=self.history, label=self.name)
        self.sampled.eval()

    def _state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        return {**network_state(self.sampled), **self.table.state()}, {}

    def _restore(self, arrays: dict[str, np.ndarray], record: dict[str, Any]) -> None:
        self._restore_table(arrays)
        self._build("cpu", Rng(0))
        restore_network(self.sampled, arrays)
        self.sampled.eval()

    def _count_parameters(self) -> int:
        return sum(p.numel() for network in self.players for p in network.parameters())


def above_zero(generator: Generator, *names: str) -> None:
    """Check that hyperparameters are positive.

    Raises:
        ValueError: if one is not, naming the generator, the hyperparameter and what was found.
    """
    for name in names:
        value = getattr(generator, name)
        if not value > 0:
            raise ValueError(f"{generator.name}: {name}={value} must be positive")


def turns_of(epochs: float, n: int, batch_size: int, *, least: int = 1, most: int) -> int:
    """Return how many batches make `epochs` passes over n rows, at most `most` and at least `least` >= 1."""
    return max(least, min(math.ceil(epochs * n / batch_size), most))


def descend(optimiser: torch.optim.Optimizer, loss: Tensor) -> float:
    """Take one step down `loss` and return it."""
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    optimiser.step()
    return float(loss.detach())


@contextmanager
def still(*networks: nn.Module) -> Iterator[None]:
    """Let `networks` pass gradients on without gathering their own."""
    for network in networks:
        network.requires_grad_(False)
    yield
    for network in networks:
        network.requires_grad_(True)


def repeat(turn: Callable[[], float], count: int, *, history: list[dict[str, float]], label: str) -> None:
    """Take `count` turns and append to `history`, whose step numbers and seconds are carried on.

    Raises:
        FitError: if a loss is not finite, with the step.
    """
    before = history[-1] if history else {"step": 0.0, "seconds": 0.0}
    start, every = time.perf_counter() - before["seconds"], max(1, count // RECORDS)
    total, counted = 0.0, 0
    for i in tqdm(range(1, count + 1), desc=label, unit="step", leave=False, mininterval=1.0):
        total, counted = total + turn(), counted + 1
        if not math.isfinite(total):
            raise FitError(f"{label} diverged: the loss is {total} at step {i} of {count}; lower the learning rate")
        if i % every and i != count:
            continue
        history.append(
            {
                "step": int(before["step"]) + i,
                "loss": total / counted,
                "validation_loss": math.nan,
                "seconds": time.perf_counter() - start,
            }
        )
        total, counted = 0.0, 0
