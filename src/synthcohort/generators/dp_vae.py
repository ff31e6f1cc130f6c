"""What does a variational autoencoder draw that was fitted with differential privacy?

`generators.vae` under DP-SGD [Abadi 2016]: its networks, its evidence lower bound and its way of drawing rows, with
private quantiles and private steps (`parts.private_network`).

Departs from `vae`: the scales s_j of the numeric columns are one row of a table of vectors while the fit lasts, since
gradients of single rows are taken layer by layer; defaults are smaller, because the noise that hides a row grows with
the root of the number of weights; steps are a fixed number and see no validation rows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import ClassVar

import pandas as pd
import torch
from torch import Tensor, nn

from synthcohort.generators.parts.labelled import spread
from synthcohort.generators.parts.private_network import PrivateNetwork, Purchase
from synthcohort.generators.vae import VAE, divergence
from synthcohort.rng import Rng


@dataclass(kw_only=True, eq=False)
class DPVAE(PrivateNetwork, VAE):
    """A label-conditional autoencoder whose rows do not show; see `PrivateFit` for its budget and steps.

    Args:
        latent: width of z, >= 1.
        width: hidden width, >= 1.
        depth: residual blocks of each half, >= 0.
        learning_rate: of AdamW, > 0.
        weight_decay: of AdamW, >= 0.
        ema_decay: weight of the past in the average of the weights, in [0, 1).
    """

    abilities: ClassVar[frozenset[str]] = VAE.abilities | {"private"}

    latent: int = 8
    width: int = 64
    depth: int = 1
    max_steps: int = 400
    batch_size: int = 128
    learning_rate: float = 3e-3
    ema_decay: float = 0.98
    evaluate_every: int = field(init=False, default=1)
    patience: float = field(init=False, default=2.0)

    def _build(self, device: str, rng: Rng) -> None:
        super()._build(device, rng)
        self.dtype = torch.float32
        self.network.log_scale.requires_grad_(False)
        self.scales = nn.Embedding(1, self.table.numeric, device=device, _weight=torch.zeros(1, self.table.numeric))

    def _learned(self) -> nn.Module:
        return nn.ModuleList([self.network, self.scales] if self.table.numeric else [self.network])

    def _descend(self, train: pd.DataFrame, paid: Purchase, rng: Rng, device: str) -> None:
        super()._descend(train, paid, rng, device)
        self.network.log_scale.copy_(self.scales.weight.detach()[0])

    def _loss(self, batch: tuple[Tensor, ...], generator: torch.Generator) -> Tensor:
        """Return minus the evidence lower bound of each row, [n], in nats."""
        ranks, codes, *labels = batch
        y = labels[0] if labels else None
        scores = spread(ranks, generator)
        mu, log_sigma = self.network.encode(torch.cat([scores, self.layout.one_hot(codes)], dim=1), y)
        eps = torch.randn(mu.shape, generator=generator, device=mu.device)
        mean, log_p = self._laws(mu + log_sigma.exp() * eps, y)
        log_scale = self.scales(codes.new_zeros(len(codes)))  # [n, P]
        numeric = -0.5 * ((scores - mean) / log_scale.exp()).square() - log_scale - 0.5 * math.log(2 * math.pi)
        levels = log_p.gather(1, codes + self.layout.offsets)  # [n, Q]
        return divergence(mu, log_sigma) - numeric.sum(1) - levels.sum(1)
