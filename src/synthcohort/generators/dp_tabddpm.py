"""What does diffusion of mixed columns draw that was fitted with differential privacy?

`generators.tabddpm` under DP-SGD [Abadi 2016]: its denoiser, its loss and its way of drawing rows, with private
quantiles and private steps (`parts.private_network`). The idea is that of [Dockhorn 2023], for pictures.

Departs from `tabddpm`: each row draws its time by itself. Times that are spread over a batch depend on how many rows
are in it and where, so one row would change the loss of all others and a sum of clipped gradients by more than the clip
norm. Defaults are smaller, because the noise that hides a row grows with the root of the number of weights; steps are a
fixed number and see no validation rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar

import torch
from torch import Tensor, nn

from synthcohort.diffusion import gaussian, multinomial
from synthcohort.diffusion.sampler import State
from synthcohort.generators.parts.labelled import spread
from synthcohort.generators.parts.private_network import PrivateNetwork
from synthcohort.generators.tabddpm import TabDDPM
from synthcohort.rng import Rng


@dataclass(kw_only=True, eq=False)
class DPTabDDPM(PrivateNetwork, TabDDPM):
    """Gaussian and multinomial diffusion whose rows do not show; see `PrivateFit` for its budget and steps.

    Args:
        width: hidden width, even, >= 2.
        depth: residual blocks, >= 1.
        octaves: sines and cosines by which the network is given each number besides, >= 0.
        learning_rate: of AdamW, > 0.
        weight_decay: of AdamW, >= 0.
        ema_decay: weight of the past in the average of the weights, in [0, 1).
        steps: sampling steps, >= 1.
        eta: share of fresh noise in a numeric sampling step, 0 (DDIM) to 1 (ancestral).
    """

    abilities: ClassVar[frozenset[str]] = TabDDPM.abilities | {"private"}

    width: int = 64
    depth: int = 1
    octaves: int = 0
    max_steps: int = 600
    batch_size: int = 128
    learning_rate: float = 3e-3
    ema_decay: float = 0.98
    evaluate_every: int = field(init=False, default=1)
    patience: float = field(init=False, default=2.0)

    def _build(self, device: str, rng: Rng) -> None:
        super()._build(device, rng)
        self.reader = replace(self.reader, dtype=torch.float32)

    def _learned(self) -> nn.Module:
        return self.reader.network

    def _loss(self, batch: tuple[Tensor, ...], generator: torch.Generator) -> Tensor:
        """Return L of each row, [n] [Kotelnikov 2023, eq. 6], at a time of its own."""
        ranks, codes, *labels = batch
        scores = spread(ranks, generator)
        t = torch.rand(len(scores), generator=generator, device=scores.device)
        alpha_bar = self.reader.schedule.alpha_bar(t)[:, None]  # [n, 1]
        eps = torch.randn(scores.shape, generator=generator, device=scores.device)
        layout = self.reader.layout
        noisy = multinomial.diffuse(codes, alpha_bar, layout=layout, generator=generator)
        x_t = State(gaussian.diffuse(scores, eps, alpha_bar), noisy)
        eps_hat, log_p = self.reader(x_t, t, labels[0] if labels else None)
        value = torch.zeros_like(t)
        if self.reader.numeric:
            value = value + (eps - eps_hat).square().mean(1)
        if layout.levels:
            value = value - log_p.gather(1, codes + layout.offsets).mean(1)
        return value
