"""What does diffusion of mixed columns draw if target and sensitive attributes can be asked for together?

TabDDPM as in `generators.tabddpm`, Gaussian and multinomial diffusion with a multilayer perceptron [Kotelnikov 2023],
whose network is shown the target and every sensitive attribute, each by an embedding of its own (`networks.given`).
Categorical ones are set apart: no row can disagree with what it was asked for. The walk starts from the joint estimate
e(y, s_1 ... s_k) and costs one evaluation a step. Guidance may be added to it (`diffusion.guidance`),

    e_bar = e(y, s_1 ... s_k) + w_y ( e(y) - e() ) + w_s sum_i gamma_i.

w_y > 0 draws rows that are clearer about their target, w_s > 0 rows that are clearer about their groups. The second is
a dial beyond balance. Drawn rows have the law q(x | y, s), proportional to p(x | y) p(s | x)^(1 + w_s) where target and
group are independent given the row. A model that learns from rows whose groups are balanced within each label then has
the log odds

    log q(y = 1 | x, s) / q(y = 0 | x, s) = log p(y = 1 | x) / p(y = 0 | x) - log Z_1 / Z_0,
    Z_y = E[ p(s | x)^(1 + w_s) | y ],

whose correction by group grows with w_s.

Departs from guided sampling as published [Yang 2025], where e() + w_g ( ... ) stands for the joint estimate: that is
e(y, s) only where target and attributes are independent given the row. The gate is open by default for the same reason:
the joint estimate already knows where a group says something else of the row than its label does. Numbers are added as
eps and log p(x_0 | x_t). Further departures in `generators.tabddpm`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from synthcohort.diffusion.guidance import Guided
from synthcohort.diffusion.sampler import State
from synthcohort.generators.parts.fitting import at_least
from synthcohort.generators.parts.given import attributes
from synthcohort.generators.parts.guided import OPTIONS, Asked, GuidedDiffusion, strength
from synthcohort.networks.given import ConditionedMLP
from synthcohort.rng import Rng
from synthcohort.schema import Schema


@dataclass(kw_only=True, eq=False)
class GuidedTabDDPM(GuidedDiffusion):
    """Gaussian and multinomial diffusion with an MLP that is shown target and sensitive attributes.

    Args:
        width: hidden width, even, >= 2.
        depth: residual blocks, >= 1.
        octaves: sines and cosines by which the network is given each number besides, >= 0.
        dropout: share of the rows from which attributes are hidden in training, in [0, 1]; guidance needs some.
        max_steps: gradient steps at most, >= 1; validation rows stop the fit earlier.
        batch_size: rows a gradient step, >= 1.
        learning_rate: of AdamW, > 0.
        weight_decay: of AdamW, >= 0.
        ema_decay: weight of the past in the average of the weights, in [0, 1).
        evaluate_every: gradient steps between two looks at the validation loss, >= 1.
        patience: the fit stops at this multiple of the step with the lowest validation loss, > 1.
        steps: sampling steps, >= 1.
        eta: share of fresh noise in a numeric sampling step, 0 (DDIM) to 1 (ancestral).
        target_guidance: w_y, any sign.
        sensitive_guidance: w_s, any sign.
        gate: the security gate, "printed" or "coded".
        gate_weight: w of the gate, >= 0.
        gate_threshold: lambda of the gate, >= 0.
        warm_up: share of the walk, from its start, without sensitive guidance, in [0, 1].
        momentum: weight of past sensitive guidance, >= 0.
        momentum_decay: weight of the past within it, in [0, 1).
    """

    sampling_options: ClassVar[Mapping[str, str]] = {
        **OPTIONS,
        "target_guidance": "weight of the guidance to the target, any sign",
        "sensitive_guidance": "weight of the guidance to the sensitive attributes, any sign",
    }

    width: int = 256
    depth: int = 3
    octaves: int = 3
    dropout: float = 0.1
    max_steps: int = 10_000
    batch_size: int = 512
    learning_rate: float = 2e-3
    weight_decay: float = 0.0
    ema_decay: float = 0.999
    evaluate_every: int = 100
    patience: float = 1.6
    steps: int = 25
    eta: float = 1.0
    target_guidance: float = 0.0
    sensitive_guidance: float = 0.0
    gate: str = "printed"
    gate_weight: float = 0.0
    gate_threshold: float = math.inf
    warm_up: float = 0.0
    momentum: float = 0.0
    momentum_decay: float = 0.5

    def __post_init__(self) -> None:
        super().__init__()
        at_least(self, depth=1, octaves=0)
        self._check_shared()

    def _apart(self, schema: Schema) -> frozenset[str]:
        return frozenset(c.name for c in attributes(schema) if not c.numeric)

    def _network(self, rng: Rng) -> nn.Module:
        features = self.table.numeric + sum(self.table.levels)
        return ConditionedMLP(
            features=features,
            outputs=features,
            levels=self.table.given_levels,
            width=self.width,
            depth=self.depth,
            generator=rng.torch(),
            numeric=self.table.numeric,
            octaves=self.octaves,
        )

    def _body(self, x_t: State, t: Tensor, shown: Tensor) -> Tensor:
        return torch.cat(self.reader(x_t, t, shown), dim=1)

    def _head(self, estimate: Tensor) -> Tensor:
        return estimate

    def _guided(self, asked: Asked, settings: Mapping[str, Any]) -> Guided:
        wanted = strength(settings, target=settings["target_guidance"], sensitive=settings["sensitive_guidance"])
        return Guided(asked.everything, asked.free, asked.target, asked.sensitive, wanted)
