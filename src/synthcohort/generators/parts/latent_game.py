"""What do generators share that play a game in the latent space of an autoencoder?

First an autoencoder (Enc, Dec) is trained on the table's rows as a matrix in [0, 1] (`generators.parts.records`). Then
a generator G and a discriminator D take turns, a drawn row being Dec(G(z)), z ~ N(0, I). Which networks they are and
what the two descend is the method's own.

Departs: the sources generate every column. Here a categorical target is given, not generated: its label y enters G, and
D sees indicators of it beside the row, real and drawn rows of a batch with the same labels [Mirza 2014]. A class can so
be asked for exactly; without an ask labels follow the training frequencies. A numeric target is one more column. G does
not move between the steps that D takes in a turn, so the rows of all of them are drawn at once, and normalised so.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn import functional

from synthcohort.generators.base import FitError
from synthcohort.generators.parts.adversarial import Adversarial, descend, repeat, turns_of
from synthcohort.generators.parts.labelled import LabelledEncoder, LabelledRows
from synthcohort.generators.parts.records import Records
from synthcohort.networks.medgan import LatentAutoencoder
from synthcohort.rng import Rng

ROWS_PER_CALL = 8192
ROWS_AHEAD = 4096  # training rows gathered at once, about


@dataclass(frozen=True)
class Batch:
    """Some rows: x [b, D] in [0, 1] and labels y [b], or None for a numeric target."""

    x: Tensor
    y: Tensor | None

    def split(self, size: int) -> list[Batch]:
        """Return batches of `size` rows."""
        x = self.x.split(size)
        y = [None] * len(x) if self.y is None else self.y.split(size)
        return [Batch(*part) for part in zip(x, y, strict=True)]


class LatentGame(Adversarial):
    """An autoencoder, a generator of its codes, and a discriminator of rows.

    A method sets its networks in `_networks` and plays in `_play`; the hyperparameters below are among its own.
    """

    latent: int
    pretrain_epochs: float
    epochs: float
    max_steps: int
    batch_size: int
    learning_rate: float
    l2: float
    table: LabelledEncoder
    autoencoder: LatentAutoencoder
    generator: nn.Module
    discriminator: nn.Module

    @abstractmethod
    def _networks(self, width: int, labels: int, weights: torch.Generator) -> None:
        """Set the three networks for rows of `width` columns and `labels` classes (0: a numeric target)."""

    @abstractmethod
    def _play(self, count: int) -> None:
        """Play `count` turns and leave G and Dec ready to be sampled."""

    def _fit(self, train: pd.DataFrame, validation: pd.DataFrame | None, rng: Rng, device: str) -> None:
        self.table = LabelledEncoder.fit(train, self.schema)
        if not Records.of(self.schema, device).width:
            raise FitError(f"{self.name}: no column beside the target has two values; there is nothing to generate")
        self._build(device, rng.branch("weights"))
        self.noise = rng.branch("noise").torch(device)
        self.ahead = self._batches(self.table.split(train, device).parts(), rng.branch("batches").torch())
        n = len(train)
        self._pretrain(turns_of(self.pretrain_epochs, n, self.batch_size, most=self.max_steps))
        self._play(turns_of(self.epochs, n, self.batch_size, most=self.max_steps))
        del self.ahead, self.noise

    def _build(self, device: str, rng: Rng) -> None:
        self.device = device
        self.records = Records.of(self.schema, device)
        self._networks(self.records.width, len(self.table.counts), rng.torch())
        self.sampled = nn.ModuleDict({"generator": self.generator, "decoder": self.autoencoder.decoder})
        self.players = [network.to(device) for network in (self.autoencoder, self.generator, self.discriminator)]

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

    def _batches(self, rows: tuple[Tensor, ...], chosen: torch.Generator) -> Iterator[Batch]:
        """Yield batches of training rows without end, drawn with replacement and gathered many at a time."""
        count = max(1, ROWS_AHEAD // self.batch_size)
        while True:
            index = torch.randint(len(rows[0]), (count * self.batch_size,), generator=chosen).to(self.device)
            ranks, codes, *y = (part[index] for part in rows)
            x = self.records.encode(ranks, codes, self.noise)
            yield from Batch(x, y[0] if y else None).split(self.batch_size)

    def _batch(self) -> Batch:
        """Return the next `batch_size` training rows."""
        return next(self.ahead)

    @torch.no_grad()
    def _rounds(self, count: int) -> list[tuple[Tensor, Tensor]]:
        """Return what D sees in its next `count` steps: real rows and drawn ones with their labels, [b, ...] each."""
        real = [self._batch() for _ in range(count)]
        y = None if real[0].y is None else torch.cat([batch.y for batch in real if batch.y is not None])
        drawn = self._drawn(y, count * self.batch_size).split(self.batch_size)
        return [(self._seen(r), self._seen(d)) for r, d in zip(real, drawn, strict=True)]

    def _drawn(self, y: Tensor | None, n: int) -> Batch:
        """Return n drawn rows, as probabilities, with labels y [n]."""
        z = torch.randn(n, self.latent, generator=self.noise, device=self.device)
        return Batch(self._decoded(z, y), y)

    def _drawn_anew(self) -> Tensor:
        """Return what D sees of a batch of drawn rows, labels as in training rows, for a step of G."""
        return self._seen(self._drawn(self._batch().y, self.batch_size))

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

    def _restore_table(self, arrays: dict[str, np.ndarray]) -> None:
        self.table = LabelledEncoder.restore(self.schema, arrays)
