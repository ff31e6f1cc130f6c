"""Which network turns a row into a latent law and a latent point into the laws of a row's cells?

A variational autoencoder's two halves, both residual perceptrons that see the label [Kingma 2014, sec. 3 and app. C]:

    q(z | x, y) = N( mu(x, y), diag sigma(x, y)^2 ),      p(x_j | z, y) = N( m_j(z, y), s_j^2 ) or Categorical.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from synthcohort.networks.layers import embedding
from synthcohort.networks.mlp import ResidualMLP


class Autoencoder(nn.Module):
    """Encoder and decoder with one learned scale s_j per numeric column.

    Args:
        features: width of a row, numeric values and level indicators.
        numeric: P, how many of the outputs are means of numeric columns.
        labels: number of classes, 0 without a categorical target.
        latent: width of z.
        width: hidden width.
        depth: residual blocks of each half, >= 0.
        generator: source of the first weights.
    """

    def __init__(
        self,
        *,
        features: int,
        numeric: int,
        labels: int,
        latent: int,
        width: int,
        depth: int,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.encoder = ResidualMLP(inputs=features, outputs=2 * latent, width=width, depth=depth, generator=generator)
        self.decoder = ResidualMLP(inputs=latent, outputs=features, width=width, depth=depth, generator=generator)
        self.encoder_label = embedding(labels, width, generator) if labels else None
        self.decoder_label = embedding(labels, width, generator) if labels else None
        self.log_scale = nn.Parameter(torch.zeros(numeric))

    def encode(self, x: Tensor, y: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return mu and log sigma, [n, latent] each, of rows x [n, features] with labels y [n]."""
        embedded = None if self.encoder_label is None else self.encoder_label(y)  # [n, width]
        mu, log_sigma = self.encoder(x, embedded).chunk(2, dim=1)  # [n, latent] each
        return mu, log_sigma

    def decode(self, z: Tensor, y: Tensor | None) -> Tensor:
        """Return means of numeric cells and logits of levels, [n, features], at z [n, latent] and labels y [n]."""
        embedded = None if self.decoder_label is None else self.decoder_label(y)  # [n, width]
        return self.decoder(z, embedded)
