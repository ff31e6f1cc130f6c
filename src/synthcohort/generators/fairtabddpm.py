"""What does guided diffusion in a latent space draw when the groups are asked to be balanced?

FairTabDDPM [Yang 2025]: mixed columns as in TabDDPM [Kotelnikov 2023], a U-Net with attention on a latent row
(`networks.unet`), and guidance to the target and to each sensitive attribute, added up in the latent row
(`diffusion.guidance`),

    e_bar = e() + w_g ( e(y) - e() + sum_i gamma_i ).

The target is set apart; sensitive columns stay columns that are diffused, so that the network says a group of its own.
A row comes back with the group that was asked for; `agreement` says how often the network had said the same.

Departs: sampling takes 25 second-order steps, not 100 first-order ones; loss, times and numbers as in
`generators.tabddpm`. The release keeps the weights of the smallest loss on one batch of training rows; here validation
rows choose. Momentum is off by default since the release's does nothing, and the gate is the release's, since its
figures are. Attributes are hidden at random in training instead of three networks' work a step, and what guidance is
made of is all that a row is ever shown: one attribute or none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import pandas as pd
import torch
from torch import Tensor, nn

from synthcohort.diffusion.guidance import Guided
from synthcohort.diffusion.sampler import State
from synthcohort.generators.parts.fitting import at_least
from synthcohort.generators.parts.given import attributes
from synthcohort.generators.parts.guided import OPTIONS, Asked, GuidedDiffusion, strength
from synthcohort.networks.unet import GROUPS, LatentUNet
from synthcohort.rng import Rng
from synthcohort.schema import Schema


@dataclass(kw_only=True, eq=False)
class FairTabDDPM(GuidedDiffusion):
    """Gaussian and multinomial diffusion with a latent U-Net, guided to target and sensitive attributes.

    Args:
        side: of the latent square, even, >= 2.
        channels: of the U-Net's full squares, a multiple of 8.
        width: of the embeddings of time and attributes, even, >= 2.
        dropout: share of the rows that are shown one attribute or none in training, in [0, 1]; the rest sees all.
        max_steps: gradient steps at most, >= 1; validation rows stop the fit earlier.
        batch_size: rows a gradient step, >= 1.
        learning_rate: of AdamW, > 0.
        weight_decay: of AdamW, >= 0.
        ema_decay: weight of the past in the average of the weights, in [0, 1).
        evaluate_every: gradient steps between two looks at the validation loss, >= 1.
        patience: the fit stops at this multiple of the step with the lowest validation loss, > 1.
        steps: sampling steps, >= 1.
        eta: share of fresh noise in a numeric sampling step, 0 (DDIM) to 1 (ancestral).
        guidance: w_g, any sign.
        gate: the security gate, "printed" or "coded".
        gate_weight: w of the gate, >= 0.
        gate_threshold: lambda of the gate, >= 0.
        warm_up: share of the walk, from its start, without sensitive guidance, in [0, 1].
        momentum: weight of past sensitive guidance, >= 0.
        momentum_decay: weight of the past within it, in [0, 1).
    """

    sampling_options: ClassVar[Mapping[str, str]] = {
        **OPTIONS,
        "guidance": "weight of the guidance to target and sensitive attributes, any sign",
    }

    side: int = 8
    channels: int = 16
    width: int = 128
    dropout: float = 1.0
    max_steps: int = 6_000
    batch_size: int = 256
    learning_rate: float = 2e-3
    weight_decay: float = 0.0
    ema_decay: float = 0.999
    evaluate_every: int = 100
    patience: float = 1.6
    steps: int = 25
    eta: float = 1.0
    guidance: float = 1.0
    gate: str = "coded"
    gate_weight: float = 1.0
    gate_threshold: float = 1.0
    warm_up: float = 0.0
    momentum: float = 0.0
    momentum_decay: float = 0.5

    def __post_init__(self) -> None:
        super().__init__()
        at_least(self, side=2, channels=GROUPS)
        if self.side % 2:
            raise ValueError(f"fairtabddpm: side={self.side} must be even")
        if self.channels % GROUPS:
            raise ValueError(f"fairtabddpm: channels={self.channels} must be a multiple of {GROUPS}")
        self._check_shared()

    def agreement(
        self, conditions: pd.DataFrame, *, rng: Rng, options: Mapping[str, Any] | None = None
    ) -> dict[str, float]:
        """Return how often the network says the group that was asked for, a share of the rows per sensitive column.

        Args:
            conditions: [n, ...] cells that are asked for, n >= 1.
            rng: the randomness of the draw; the rows are those of `sample` with the same.
            options: sampling options.
        """
        drawn = self._sample(len(conditions), conditions, rng, options or {})
        names = [c.name for c in self.schema.sensitive if c.name in conditions.columns]
        return {name: float((drawn[name].to_numpy() == conditions[name].to_numpy()).mean()) for name in names}

    def _apart(self, schema: Schema) -> frozenset[str]:
        return frozenset(c.name for c in attributes(schema)[:1] if c.role == "target")

    def _network(self, rng: Rng) -> nn.Module:
        self.unet = LatentUNet(
            features=self.table.numeric + sum(self.table.levels),
            levels=self.table.given_levels,
            side=self.side,
            channels=self.channels,
            width=self.width,
            generator=rng.torch(),
        )
        return self.unet

    def _body(self, x_t: State, t: Tensor, shown: Tensor) -> Tensor:
        x = torch.cat([x_t.numeric, self.reader.layout.one_hot(x_t.codes)], dim=1)  # [n, F]
        with self._fast():
            latent: Tensor = self.unet.latent(x, t, shown)
        return latent.float()

    def _head(self, estimate: Tensor) -> Tensor:
        with self._fast():
            out: Tensor = self.unet.decode(estimate)
        return out.float()

    def _guided(self, asked: Asked, settings: Mapping[str, Any]) -> Guided:
        wanted = strength(settings, target=settings["guidance"], sensitive=settings["guidance"])
        return Guided(asked.free, asked.free, asked.target, asked.sensitive, wanted)

    def _fast(self) -> torch.autocast:
        dtype = self.reader.dtype
        return torch.autocast(torch.device(self.device).type, dtype=dtype, enabled=dtype != torch.float32)
