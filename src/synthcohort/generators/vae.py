"""What does a plain variational autoencoder draw?

A row is a latent point z ~ N(0, I) seen through noisy columns: normal scores with a Gaussian, levels with a categorical
law. Both halves are fitted by the evidence lower bound [Kingma 2014, eq. 3 and 7, app. B],

    E_q[ sum_j log p(x_j | z, y) ] - KL( q(z | x, y) || N(0, I) ),
    KL = sum_k ( mu_k^2 + sigma_k^2 - 1 - 2 log sigma_k ) / 2,

with one draw of z a row. A categorical target is the label y of both halves; a numeric target is one more column. Rows
are drawn from the decoder's law of the cells, not from its means: the means alone would be too alike.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from synthcohort.diffusion.multinomial import Layout
from synthcohort.generators.base import Generator
from synthcohort.generators.parts.fitting import at_least, fit_network, loop_settings
from synthcohort.generators.parts.labelled import (
    LabelledEncoder,
    LabelledRows,
    network_state,
    restore_network,
    spread,
)
from synthcohort.networks.autoencoder import Autoencoder
from synthcohort.rng import Rng
from synthcohort.training import fast_dtype


@dataclass(kw_only=True, eq=False)
class VAE(Generator):
    """A label-conditional Gaussian-latent autoencoder.

    Args:
        latent: width of z, >= 1.
        width: hidden width, >= 1.
        depth: residual blocks of each half, >= 0.
        max_steps: gradient steps at most, >= 1; validation rows stop the fit earlier.
        batch_size: rows a gradient step, >= 1.
        learning_rate: of AdamW, > 0.
        weight_decay: of AdamW, >= 0.
        ema_decay: weight of the past in the average of the weights, in [0, 1).
        evaluate_every: gradient steps between two looks at the validation loss, >= 1.
        patience: the fit stops at this multiple of the step with the lowest validation loss, > 1.
    """

    abilities: ClassVar[frozenset[str]] = frozenset({"condition-target"})

    latent: int = 32
    width: int = 256
    depth: int = 2
    max_steps: int = 6_000
    batch_size: int = 256
    learning_rate: float = 1e-3
    weight_decay: float = 0.0
    ema_decay: float = 0.999
    evaluate_every: int = 200
    patience: float = 1.6

    def __post_init__(self) -> None:
        super().__init__()
        at_least(self, latent=1, width=1, depth=0)
        self.settings = loop_settings(self)

    def _fit(self, train: pd.DataFrame, validation: pd.DataFrame | None, rng: Rng, device: str) -> None:
        self.table = LabelledEncoder.fit(train, self.schema)
        self._build(device, rng.branch("weights"))
        rows = [self.table.split(frame, device).parts() for frame in (train, validation) if frame is not None]
        self.history = fit_network(
            self.network, self._loss, rows, settings=self.settings, rng=rng.branch("training"), label=self.name
        )

    def _build(self, device: str, rng: Rng) -> None:
        self.device = device
        self.dtype = fast_dtype(device, self.width)
        self.layout = Layout(self.table.levels, device)
        self.network = Autoencoder(
            features=self.table.numeric + self.layout.total,
            numeric=self.table.numeric,
            labels=len(self.table.counts),
            latent=self.latent,
            width=self.width,
            depth=self.depth,
            generator=rng.torch(),
        ).to(device)

    def _loss(self, batch: tuple[Tensor, ...], generator: torch.Generator) -> Tensor:
        """Return minus the evidence lower bound of each row, [n], in nats."""
        ranks, codes, *labels = batch
        y = labels[0] if labels else None
        scores = spread(ranks, generator)
        x = torch.cat([scores, self.layout.one_hot(codes)], dim=1)  # [n, P + sum(K)]
        with self._autocast():
            mu, log_sigma = self.network.encode(x, y)
        mu, log_sigma = mu.float(), log_sigma.float()
        eps = torch.randn(mu.shape, generator=generator, device=mu.device)
        mean, log_p = self._laws(mu + log_sigma.exp() * eps, y)
        log_scale = self.network.log_scale
        error = (scores - mean) / log_scale.exp()
        numeric = -0.5 * error.square() - log_scale - 0.5 * math.log(2 * math.pi)  # [n, P]
        levels = log_p.gather(1, codes + self.layout.offsets)  # [n, Q]
        return divergence(mu, log_sigma) - numeric.sum(1) - levels.sum(1)

    def _laws(self, z: Tensor, y: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return means [n, P] and log probabilities of levels [n, sum(K)] at z [n, latent]."""
        with self._autocast():
            out = self.network.decode(z, y)  # [n, P + sum(K)]
        mean, logits = out.float().split([self.table.numeric, self.layout.total], dim=1)
        return mean, self.layout.log_softmax(logits)

    def _autocast(self) -> torch.autocast:
        kind = torch.device(self.device).type
        return torch.autocast(kind, dtype=self.dtype, enabled=self.dtype != torch.float32)

    @torch.no_grad()
    def _sample(self, n: int, conditions: pd.DataFrame | None, rng: Rng, options: Mapping[str, Any]) -> pd.DataFrame:
        y = self.table.labels(n, conditions, rng.branch("label"), self.device)
        generator = rng.branch("noise").torch(self.device)
        z = torch.randn(n, self.latent, generator=generator, device=self.device)
        mean, log_p = self._laws(z, y)
        noise = torch.randn(mean.shape, generator=generator, device=self.device)
        scores = mean + self.network.log_scale.exp() * noise  # [n, P]
        return self.table.join(LabelledRows(scores, self.layout.draw(log_p.exp(), generator), y))

    def _state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        return {**network_state(self.network), **self.table.state()}, {}

    def _restore(self, arrays: dict[str, np.ndarray], record: dict[str, Any]) -> None:
        self.table = LabelledEncoder.restore(self.schema, arrays)
        self._build("cpu", Rng(0))
        restore_network(self.network, arrays)

    def _count_parameters(self) -> int:
        return sum(p.numel() for p in self.network.parameters())


def divergence(mu: Tensor, log_sigma: Tensor) -> Tensor:
    """Return KL( N(mu, sigma^2) || N(0, I) ) in nats, [n, latent] -> [n] [Kingma 2014, app. B]."""
    return 0.5 * (mu.square() + (2 * log_sigma).exp() - 1 - 2 * log_sigma).sum(1)
