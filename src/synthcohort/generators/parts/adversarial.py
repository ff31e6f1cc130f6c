"""What do generators share that play a game in the latent space of an autoencoder?

First an autoencoder (Enc, Dec) is trained on the table's rows as a matrix in [0, 1] (`generators.parts.records`). Then
a generator G and a discriminator D take turns, a drawn row being Dec(G(z)), z ~ N(0, I). Which networks they are and
what the two descend is the method's own.

Departs: the sources generate every column. Here a categorical target is given, not generated: its label y enters G, and
D sees indicators of it beside the row, real and drawn rows of a batch with the same labels [Mirza 2014]. A class can so
be asked for exactly; without an ask labels follow the training frequencies. A numeric target is one more column.

The loop of `training` follows one loss and can look at validation rows; a game has no height to measure. Here a *step*
is any function that draws its batch, moves its networks and returns the loss to be shown.
"""

from __future__ import annotations

import math
import time
from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm

from synthcohort.generators.base import FitError, Generator
from synthcohort.generators.parts.labelled import LabelledEncoder, LabelledRows, network_state, restore_network
from synthcohort.generators.parts.records import Records
from synthcohort.networks.medgan import LatentAutoencoder
from synthcohort.rng import Rng

RECORDS = 50  # history records of one phase, at most about twice as many
ROWS_PER_CALL = 8192


@dataclass(frozen=True)
class Batch:
    """Some rows: x [b, D] in [0, 1] and labels y [b], or None for a numeric target."""

    x: Tensor
    y: Tensor | None


class LatentGame(Generator):
    """An autoencoder, a generator of its codes, and a discriminator of rows.

    A method sets its networks in `_networks` and plays in `_play`; the hyperparameters below are among its own.
    """

    abilities: ClassVar[frozenset[str]] = frozenset({"condition-target"})

    latent: int
    pretrain_epochs: float
    epochs: float
    max_steps: int
    batch_size: int
    learning_rate: float
    l2: float
    autoencoder: LatentAutoencoder
    generator: nn.Module
    discriminator: nn.Module

    @abstractmethod
    def _networks(self, width: int, labels: int, weights: torch.Generator) -> None:
        """Set the three networks for rows of `width` columns and `labels` classes (0: a numeric target)."""

    @abstractmethod
    def _play(self, count: int) -> None:
        """Play `count` rounds and leave G and Dec ready to be sampled."""

    def _fit(self, train_rows: pd.DataFrame, validation: pd.DataFrame | None, rng: Rng, device: str) -> None:
        self.table = LabelledEncoder.fit(train_rows, self.schema)
        if not Records.of(self.schema, device).width:
            raise FitError(f"{self.name}: no column beside the target has two values; there is nothing to generate")
        self._build(device, rng.branch("weights"))
        self.rows = self.table.split(train_rows, device).parts()
        self.chosen = rng.branch("batches").torch()
        self.noise = rng.branch("noise").torch(device)
        n = len(train_rows)
        self._pretrain(steps_of(self.pretrain_epochs, n, self.batch_size, self.max_steps))
        self._play(steps_of(self.epochs, n, self.batch_size, self.max_steps))
        self.sampled.eval()
        del self.rows, self.chosen, self.noise

    def _build(self, device: str, rng: Rng) -> None:
        self.device = device
        self.records = Records.of(self.schema, device)
        self._networks(self.records.width, len(self.table.counts), rng.torch())
        self.sampled = nn.ModuleDict({"generator": self.generator, "decoder": self.autoencoder.decoder})
        for network in (self.autoencoder, self.generator, self.discriminator):
            network.to(device)

    def _adam(self, *groups: tuple[nn.Module, float]) -> torch.optim.Adam:
        """Return Adam with the L2 penalty l2 / 2 w^2 for networks, each with its share of the learning rate."""
        parts = [{"params": list(network.parameters()), "lr": self.learning_rate * share} for network, share in groups]
        return torch.optim.Adam(parts, weight_decay=self.l2, fused=True)

    def _pretrain(self, count: int) -> None:
        optimiser = self._adam((self.autoencoder, 1.0))

        def step() -> float:
            x = self._batch().x
            return descend(optimiser, self.records.cross_entropy(self.autoencoder(x), x).mean())

        repeat(step, count, history=self.history, label=f"{self.name}, autoencoder")

    def _batch(self) -> Batch:
        """Return `batch_size` training rows, drawn with replacement."""
        index = torch.randint(len(self.rows[0]), (self.batch_size,), generator=self.chosen).to(self.device)
        ranks, codes, *y = (part[index] for part in self.rows)
        return Batch(self.records.encode(ranks, codes, self.noise), y[0] if y else None)

    def _drawn(self, like: Batch) -> Batch:
        """Return as many drawn rows, as probabilities, with the same labels."""
        z = torch.randn(len(like.x), self.latent, generator=self.noise, device=self.device)
        return Batch(self._decoded(z, like.y), like.y)

    def _decoded(self, z: Tensor, y: Tensor | None) -> Tensor:
        """Return the probabilities [b, D] of Dec(G(z, y)) for z [b, latent] and y [b]."""
        return self.records.probabilities(self.autoencoder.decode(self.generator(z, y)))

    def _seen(self, batch: Batch) -> Tensor:
        """Return what D sees of rows: beside x the indicators of y, [b, D + labels]."""
        if batch.y is None:
            return batch.x
        return torch.cat([batch.x, functional.one_hot(batch.y, len(self.table.counts)).to(batch.x.dtype)], dim=1)

    @torch.no_grad()
    def _sample(self, n: int, conditions: pd.DataFrame | None, rng: Rng, options: Mapping[str, Any]) -> pd.DataFrame:
        y = self.table.labels(n, conditions, rng.branch("label"), self.device)
        z = torch.randn(n, self.latent, generator=rng.branch("noise").torch(self.device), device=self.device)
        levels = rng.branch("levels").torch(self.device)
        parts = []
        for rows in torch.arange(n, device=self.device).split(ROWS_PER_CALL):
            parts.append(self.records.draw(self._decoded(z[rows], None if y is None else y[rows]), levels))
        scores, codes = (torch.cat(part) for part in zip(*parts, strict=True))
        return self.table.join(LabelledRows(scores, codes, y))

    def _state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        return {**network_state(self.sampled), **self.table.state()}, {}

    def _restore(self, arrays: dict[str, np.ndarray], record: dict[str, Any]) -> None:
        self.table = LabelledEncoder.restore(self.schema, arrays)
        self._build("cpu", Rng(0))
        restore_network(self.sampled, arrays)
        self.sampled.eval()

    def _count_parameters(self) -> int:
        networks = (self.autoencoder, self.generator, self.discriminator)
        return sum(p.numel() for network in networks for p in network.parameters())


def check_ranges(name: str, *, whole: Mapping[str, tuple[int, int]], positive: Mapping[str, float]) -> None:
    """Refuse a whole hyperparameter below its least value (`whole`: name -> value, least) or one that is not > 0."""
    for key, (value, least) in whole.items():
        if value < least:
            raise ValueError(f"{name}: {key}={value} must be at least {least}")
    for key, real in positive.items():
        if not real > 0:
            raise ValueError(f"{name}: {key}={real} must be positive")


def steps_of(epochs: float, n: int, batch_size: int, most: int) -> int:
    """Return how many batches make `epochs` passes over n rows, at least 1 and at most `most`."""
    return max(1, min(math.ceil(epochs * n / batch_size), most))


def descend(optimiser: torch.optim.Optimizer, loss: Tensor) -> float:
    """Take one step down `loss` and return it."""
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    optimiser.step()
    return float(loss.detach())


def repeat(step: Callable[[], float], count: int, *, history: list[dict[str, float]], label: str) -> None:
    """Call `step` `count` times and append to `history`, whose step numbers and seconds are carried on.

    Raises:
        FitError: if a loss is not finite, with the step.
    """
    before = history[-1] if history else {"step": 0.0, "seconds": 0.0}
    start, every = time.perf_counter() - before["seconds"], max(1, count // RECORDS)
    total, counted = 0.0, 0
    for i in tqdm(range(1, count + 1), desc=label, unit="step", leave=False, mininterval=1.0):
        total, counted = total + step(), counted + 1
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
