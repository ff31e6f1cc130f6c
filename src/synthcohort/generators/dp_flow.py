"""What does a normalising flow draw that was fitted with differential privacy, and how likely does it say a row is?

`generators.flow` under DP-SGD [Abadi 2016]: its networks, its exact likelihood and its way of drawing rows, with
private quantiles and private steps (`parts.private_network`). Its density is private too, as its weights are.

Departs from `flow`: defaults are smaller, because the noise that hides a row grows with the root of the number of
weights; steps are a fixed number and see no validation rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import pandas as pd
from torch import nn

from synthcohort.generators.base import FitError
from synthcohort.generators.flow import Flow
from synthcohort.generators.parts.private_network import PrivateNetwork
from synthcohort.rng import Rng


@dataclass(kw_only=True, eq=False)
class DPFlow(PrivateNetwork, Flow):
    """Autoregressive levels and a spline flow whose rows do not show; see `PrivateFit` for its budget and steps.

    Args:
        layers: spline layers, >= 1; every second one reads the columns in reverse order.
        bins: of every spline, in 2..128.
        bound: half the interval that splines bend, in standard deviations, > 0.
        width: hidden width, >= 1.
        depth: residual blocks of every network, >= 0.
        learning_rate: of AdamW, > 0.
        weight_decay: of AdamW, >= 0.
        ema_decay: weight of the past in the average of the weights, in [0, 1).
    """

    abilities: ClassVar[frozenset[str]] = Flow.abilities | {"private"}

    layers: int = 1
    bins: int = 6
    width: int = 48
    depth: int = 1
    max_steps: int = 400
    batch_size: int = 128
    learning_rate: float = 3e-3
    ema_decay: float = 0.98
    evaluate_every: int = field(init=False, default=1)
    patience: float = field(init=False, default=2.0)

    def _fit(self, train: pd.DataFrame, validation: pd.DataFrame | None, rng: Rng, device: str) -> None:
        if len(self.schema.columns) == 1 and not self.schema.target.numeric:
            raise FitError(f"{self.name}: the table has no column besides its target; use independent instead")
        super()._fit(train, validation, rng, device)

    def _learned(self) -> nn.Module:
        return self.network
