"""What does diffusion of mixed columns draw?

TabDDPM [Kotelnikov 2023], in the form used for health records by [Ceritli 2023]: Gaussian diffusion on the normal
scores of numeric columns, multinomial diffusion on categorical ones, one multilayer perceptron that sees the noisy row,
the time and the label, and

    L = L_simple + (1 / Q) sum_j L_j.

A categorical target is the label: it is not diffused; its embedding is added to the time's. A numeric target is one
more numeric column. Rows come from the moving average of the weights, which is the only one kept.

Departs, each with its reason where it is coded: cross-entropy for L_j (`diffusion.denoiser`), exact reverse step for
levels (`diffusion.multinomial`), continuous time (`diffusion.schedule`), residual blocks, and numbers given by their
octaves too (`networks.mlp`), estimates of x_0 held within the training range (`diffusion.denoiser`), early stop on
validation rows (`training`). Equal values of a numeric column are spread over their interval of ranks before noise is
added (`generators.parts.labelled`): a spike in the density is harder to learn than a plateau. Rows are drawn with few
second-order steps (`diffusion.sampler`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import torch

from synthcohort.diffusion import denoiser, sampler
from synthcohort.diffusion.multinomial import Layout
from synthcohort.diffusion.sampler import State, Walk
from synthcohort.diffusion.schedule import Cosine
from synthcohort.generators.base import Generator
from synthcohort.generators.parts.fitting import at_least, fit_network, loop_settings
from synthcohort.generators.parts.labelled import LabelledEncoder, LabelledRows, network_state, restore_network, spread
from synthcohort.networks.mlp import DenoisingMLP
from synthcohort.rng import Rng
from synthcohort.training import fast_dtype

SOLVERS = {1: sampler.ddim, 2: sampler.multistep}


@dataclass(kw_only=True, eq=False)
class TabDDPM(Generator):
    """Gaussian and multinomial diffusion with an MLP.

    Args:
        width: hidden width, even, >= 2.
        depth: residual blocks, >= 1.
        octaves: sines and cosines by which the network is given each number besides, >= 0.
        max_steps: gradient steps at most, >= 1; validation rows stop the fit earlier.
        batch_size: rows a gradient step, >= 1.
        learning_rate: of AdamW, > 0.
        weight_decay: of AdamW, >= 0.
        ema_decay: weight of the past in the average of the weights, in [0, 1).
        evaluate_every: gradient steps between two looks at the validation loss, >= 1.
        patience: the fit stops at this multiple of the step with the lowest validation loss, > 1.
        steps: sampling steps, >= 1.
        eta: share of fresh noise in a numeric sampling step, 0 (DDIM) to 1 (ancestral).
    """

    abilities: ClassVar[frozenset[str]] = frozenset({"condition-target"})
    sampling_options: ClassVar[Mapping[str, str]] = {
        "steps": "sampling steps, >= 1",
        "eta": "share of fresh noise in a numeric step, 0 (DDIM) to 1 (ancestral)",
        "order": "of the steps in their length: 1 as published, 2",
        "rows_per_call": "rows handed to the network at a time, >= 1",
    }

    width: int = 256
    depth: int = 3
    octaves: int = 3
    max_steps: int = 10_000
    batch_size: int = 512
    learning_rate: float = 2e-3
    weight_decay: float = 0.0
    ema_decay: float = 0.999
    evaluate_every: int = 100
    patience: float = 1.6
    steps: int = 25
    eta: float = 1.0

    def __post_init__(self) -> None:
        super().__init__()
        if self.width < 2 or self.width % 2:
            raise ValueError(f"tabddpm: width={self.width} must be even and at least 2")
        at_least(self, depth=1, octaves=0)
        self.settings = loop_settings(self)
        _check_sampling(self.steps, self.eta, 1)

    def _fit(self, train: pd.DataFrame, validation: pd.DataFrame | None, rng: Rng, device: str) -> None:
        self.table = LabelledEncoder.fit(train, self.schema)
        self._build(device, rng.branch("weights"))
        rows = [self.table.split(frame, device).parts() for frame in (train, validation) if frame is not None]
        self.history = fit_network(
            self.reader.network, self._loss, rows, settings=self.settings, rng=rng.branch("training"), label=self.name
        )

    def _loss(self, batch: tuple[torch.Tensor, ...], generator: torch.Generator) -> torch.Tensor:
        numeric, codes, *y = batch
        return denoiser.loss(self.reader, State(spread(numeric, generator), codes), y[0] if y else None, generator)

    def _build(self, device: str, rng: Rng) -> None:
        layout = Layout(self.table.levels, device)
        features = self.table.numeric + layout.total
        network = DenoisingMLP(
            features=features,
            outputs=features,
            labels=len(self.table.counts),
            width=self.width,
            depth=self.depth,
            generator=rng.torch(),
            numeric=self.table.numeric,
            octaves=self.octaves,
        )
        self.device = device
        dtype = fast_dtype(device, self.width)
        self.reader = denoiser.Reader(network.to(device), Cosine(), layout, self.table.numeric, dtype)

    def _sample(self, n: int, conditions: pd.DataFrame | None, rng: Rng, options: Mapping[str, Any]) -> pd.DataFrame:
        steps, eta, order = options.get("steps", self.steps), options.get("eta", self.eta), options.get("order", 2)
        rows_per_call = options.get("rows_per_call", 8192)
        _check_sampling(steps, eta, rows_per_call)
        if order not in SOLVERS:
            raise ValueError(f"tabddpm: order={order} must be one of {sorted(SOLVERS)}")
        y = self.table.labels(n, conditions, rng.branch("label"), self.device)
        low = torch.tensor(self.table.low, dtype=torch.float32, device=self.device)
        high = torch.tensor(self.table.high, dtype=torch.float32, device=self.device)
        known = denoiser.NetworkDenoiser(self.reader, y, low, high, rows_per_call)
        walk = Walk(self.reader.schedule, steps, self.reader.layout)
        generator = rng.branch("noise").torch(self.device)
        x_1 = sampler.noise(n, numeric=self.table.numeric, layout=self.reader.layout, generator=generator)
        x_0 = SOLVERS[order](known, x_1, walk, generator, eta=eta)
        return self.table.join(LabelledRows(x_0.numeric, x_0.codes, y))

    def _state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        return {**network_state(self.reader.network), **self.table.state()}, {}

    def _restore(self, arrays: dict[str, np.ndarray], record: dict[str, Any]) -> None:
        self.table = LabelledEncoder.restore(self.schema, arrays)
        self._build("cpu", Rng(0))
        restore_network(self.reader.network, arrays)

    def _count_parameters(self) -> int:
        return sum(p.numel() for p in self.reader.network.parameters())


def _check_sampling(steps: int, eta: float, rows_per_call: int) -> None:
    if steps < 1:
        raise ValueError(f"tabddpm: steps={steps} must be at least 1")
    if not 0 <= eta <= 1:
        raise ValueError(f"tabddpm: eta={eta} is not in [0, 1]")
    if rows_per_call < 1:
        raise ValueError(f"tabddpm: rows_per_call={rows_per_call} must be at least 1")
