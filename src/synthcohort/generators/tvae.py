"""What does a variational autoencoder on modes draw?

TVAE [Xu 2019, sec. 4.5]. A numeric cell is one of several modes and a place alpha on it (`generators.parts.modes`), a
categorical cell one of its levels; given z ~ N(0, I), places are Gaussian and modes and levels categorical, all of them
independent (`networks.tvae`). The two halves go down

    L = -f E_q[ sum_j log p(alpha_j | z) + sum_g log p(k_g | z) ] + KL( q(z | x) || N(0, I) ),
    KL = sum_i ( mu_i^2 + sigma_i^2 - 1 - 2 log sigma_i ) / 2,

with one draw of z a row and f = 2, as in the authors' release. Cells are drawn from these laws.

The label is no condition of the networks but one more column, as in the source. Rows with a given target y follow from
Bayes' rule with nothing added to the fit: because cells are independent given z,

    p(z | y) = N(z; 0, I) p(y | z) / p(y),

and z is resampled from a pool of N(0, I) in proportion to p(y | z); the pool holds 8 / p(y) points for each row asked
for, so that at most about one row in eight shares its z with another, not its cells.

Departs: the fit stops early on validation rows, and weight decay is decoupled (AdamW), both of `training`; a small
table is trained for `least_steps` steps if validation rows do not end it before.
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

from synthcohort.generators.base import Generator
from synthcohort.generators.parts.fitting import at_least, fit_network, loop_settings
from synthcohort.generators.parts.labelled import network_state, restore_network
from synthcohort.generators.parts.modes import ModeRows, Modes
from synthcohort.networks.groups import Groups
from synthcohort.networks.tvae import ModeAutoencoder
from synthcohort.rng import Rng
from synthcohort.training import Settings

POOL = 8  # candidates a row asked for, over the share of its class
ROWS_PER_CALL = 32_768


@dataclass(kw_only=True, eq=False)
class TVAE(Generator):
    """A Gaussian-latent autoencoder on modes and levels.

    Args:
        latent: width of z, >= 1.
        width: of the hidden layers of both halves, >= 1.
        depth: hidden layers of both halves, >= 1.
        loss_factor: f, weight of the reconstruction, > 0.
        epochs: passes over the training rows, >= 1.
        least_steps: gradient steps at least, >= 1; validation rows may stop the fit earlier.
        batch_size: rows a gradient step, >= 1.
        learning_rate: of AdamW, > 0.
        weight_decay: of AdamW, >= 0.
        evaluate_every: gradient steps between two looks at the validation loss, >= 1.
        patience: the fit stops at this multiple of the step with the lowest validation loss, > 1.
        max_modes: modes of a numeric column at most, >= 1.
    """

    abilities: ClassVar[frozenset[str]] = frozenset({"condition-target"})

    latent: int = 128
    width: int = 128
    depth: int = 2
    loss_factor: float = 2.0
    epochs: int = 300
    least_steps: int = 800
    batch_size: int = 500
    learning_rate: float = 1e-3
    weight_decay: float = 1e-5
    evaluate_every: int = 50
    patience: float = 1.6
    max_modes: int = 10

    def __post_init__(self) -> None:
        super().__init__()
        at_least(self, latent=1, width=1, depth=1, epochs=1, least_steps=1, max_modes=1)
        if not self.loss_factor > 0:
            raise ValueError(f"tvae: loss_factor={self.loss_factor} must be positive")
        self._settings(self.least_steps)  # checks the rest

    def _settings(self, steps: int) -> Settings:
        """Return the loop's settings: no warm-up, a constant rate and no average of the weights, as in the source."""
        return loop_settings(self, max_steps=steps, warmup_steps=0, final_rate=1.0, ema_decay=0.0)

    def _fit(self, train: pd.DataFrame, validation: pd.DataFrame | None, rng: Rng, device: str) -> None:
        self.table = Modes.fit(train, self.schema, rng.branch("modes"), max_modes=self.max_modes)
        self._build(device, rng.branch("weights"))
        frames = {"rows": train, "held out": validation}
        split = [self.table.encode(f, rng.branch(name), device) for name, f in frames.items() if f is not None]
        passes = self.epochs * math.ceil(len(train) / self.batch_size)
        self.history = fit_network(
            self.network,
            self._loss,
            [(rows.alpha, rows.codes) for rows in split],
            settings=self._settings(max(passes, self.least_steps)),
            rng=rng.branch("training"),
            label=self.name,
        )

    def _build(self, device: str, rng: Rng) -> None:
        self.device = device
        self.groups = Groups(self.table.sizes, device)
        self.network = ModeAutoencoder(
            numeric=self.table.numeric,
            entries=self.groups.total,
            latent=self.latent,
            width=self.width,
            depth=self.depth,
            generator=rng.torch(),
        ).to(device)

    def _loss(self, batch: tuple[Tensor, ...], generator: torch.Generator) -> Tensor:
        """Return the weighted evidence lower bound of each row with its sign changed, [n], in nats."""
        alpha, codes = batch
        mu, log_sigma = self.network.encode(torch.cat([alpha, self.groups.one_hot(codes)], dim=1))
        eps = torch.randn(mu.shape, generator=generator, device=mu.device)
        centre, logits = self.network.decode(mu + log_sigma.exp() * eps)
        delta = self.network.delta
        error = (alpha - centre) / delta
        places = -0.5 * error.square() - delta.log() - 0.5 * math.log(2 * math.pi)  # [n, P]
        entries = self.groups.log_likelihood(logits, codes)  # [n, P + Q]
        divergence = 0.5 * (mu.square() + (2 * log_sigma).exp() - 1 - 2 * log_sigma).sum(1)
        return divergence - self.loss_factor * (places.sum(1) + entries.sum(1))

    @torch.no_grad()
    def _sample(self, n: int, conditions: pd.DataFrame | None, rng: Rng, options: Mapping[str, Any]) -> pd.DataFrame:
        noise = rng.branch("noise").torch(self.device)
        if conditions is None:
            z = torch.randn(n, self.latent, generator=noise, device=self.device)
        else:
            z = self._latent_of(self.table.target_codes(conditions), noise)
        parts = []
        for some in z.split(ROWS_PER_CALL):
            centre, logits = self.network.decode(some)
            eps = torch.randn(centre.shape, generator=noise, device=self.device)
            parts.append((centre + self.network.delta * eps, self.groups.draw(logits, noise)))
        alpha, codes = (torch.cat(part) for part in zip(*parts))
        return self.table.decode(ModeRows(alpha, codes))

    def _latent_of(self, asked: np.ndarray, noise: torch.Generator) -> Tensor:
        """Return z [n, latent] of rows whose target is `asked` [n], each resampled from a pool."""
        z = torch.empty(len(asked), self.latent, device=self.device)
        counts = self.table.target_counts
        for code in np.unique(asked):
            share = counts[code] / counts.sum()
            rows = torch.tensor(np.flatnonzero(asked == code), device=self.device)
            for some in rows.split(max(1, int(ROWS_PER_CALL * share / POOL))):
                pool = torch.randn(
                    math.ceil(POOL * len(some) / share), self.latent, generator=noise, device=self.device
                )
                z[some] = pool[self._resample(pool, int(code), len(some), noise)]
        return z

    def _resample(self, pool: Tensor, code: int, count: int, noise: torch.Generator) -> Tensor:
        """Return `count` numbers of points of the pool [m, latent], drawn in proportion to p(target = code | z)."""
        _, logits = self.network.decode(pool)
        own = self.groups.of(self.table.group(self.schema.target.name), logits)  # [m, K]
        log_p = own.log_softmax(1)[:, code]
        return torch.multinomial((log_p - log_p.max()).exp(), count, replacement=True, generator=noise)

    def _state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        return {**network_state(self.network), **self.table.state()}, {}

    def _restore(self, arrays: dict[str, np.ndarray], record: dict[str, Any]) -> None:
        self.table = Modes.restore(self.schema, arrays)
        self._build("cpu", Rng(0))
        restore_network(self.network, arrays)

    def _count_parameters(self) -> int:
        return sum(p.numel() for p in self.network.parameters())
