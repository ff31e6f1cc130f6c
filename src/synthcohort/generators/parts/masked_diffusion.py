"""What do the generators share that learn to draw any cells of a row given any others by diffusion?

Everything but the network and the mask: rows with holes as numbers (`masked_rows`), the loss and the walk under masks
(`diffusion.masked`), the training loop, and one fitted network for all asks (`completing`). A subclass names its
network and, if it is not the dynamic one, its mask.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, cast

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from synthcohort.diffusion import masked, sampler
from synthcohort.diffusion.masked import Cells, CompletingDenoiser, Reader
from synthcohort.diffusion.multinomial import Layout
from synthcohort.diffusion.sampler import State, Walk
from synthcohort.diffusion.schedule import Cosine
from synthcohort.generators.parts.completing import Completer
from synthcohort.generators.parts.fitting import fit_network, loop_settings
from synthcohort.generators.parts.labelled import network_state, restore_network, spread
from synthcohort.generators.parts.masked_rows import MaskedEncoder
from synthcohort.rng import Rng

SOLVERS = {1: sampler.ddim, 2: sampler.multistep}
CELLS = 65_536  # of the rows of one gradient step, and of one call in drawing, at most: bounds memory on wide tables
WALKING = 4_194_304  # cells of rows drawn together, at most: meanwhile what the encoder said of them is held


@dataclass(kw_only=True, eq=False)
class MaskedDiffusion(Completer):
    """Diffusion of the free cells of rows given the others; hyperparameters are those of every such generator.

    Args:
        max_steps: gradient steps at most, >= 1; validation rows stop the fit earlier.
        batch_size: rows a gradient step, >= 1; fewer where they would be more than `CELLS` cells.
        learning_rate: of AdamW, > 0.
        weight_decay: of AdamW, >= 0.
        ema_decay: weight of the past in the average of the weights, in [0, 1).
        evaluate_every: gradient steps between two looks at the validation loss, >= 1.
        patience: the fit stops at this multiple of the step with the lowest validation loss, > 1.
        steps: sampling steps, >= 1.
        eta: share of fresh noise in a numeric sampling step, 0 (DDIM) to 1 (ancestral).
    """

    sampling_options: ClassVar[Mapping[str, str]] = {
        "steps": "sampling steps, >= 1",
        "eta": "share of fresh noise in a numeric step, 0 (DDIM) to 1 (ancestral)",
        "order": "of the steps in their length: 1 as published, 2",
        "rows_per_call": "rows handed to the network at a time, >= 1",
    }

    max_steps: int = 8_000
    batch_size: int = 128
    learning_rate: float = 2e-3
    weight_decay: float = 0.0
    ema_decay: float = 0.999
    evaluate_every: int = 100
    patience: float = 1.6
    steps: int = 25
    eta: float = 1.0

    def __post_init__(self) -> None:
        super().__init__()
        self.settings = loop_settings(self)
        self._check_sampling(self.steps, self.eta, 1)

    @abstractmethod
    def _network(self, numeric: int, levels: tuple[int, ...], generator: torch.Generator) -> nn.Module:
        """Return a `diffusion.masked.Network` with fresh weights."""

    def _mask(self, known: Tensor, generator: torch.Generator) -> Tensor:
        """Return which of the known cells [n, P + Q] of training rows are free, some in every row."""
        return masked.dynamic(known, generator)

    def _fit(self, train: pd.DataFrame, validation: pd.DataFrame | None, rng: Rng, device: str) -> None:
        self.table = MaskedEncoder.fit(train, self.schema)
        self._build(device, rng.branch("weights"))
        rows = [self.table.split(frame, device).parts() for frame in (train, validation) if frame is not None]
        rows = [tuple(part[known.any(1)] for part in parts) for parts in rows for known in parts[-1:]]
        rows = [parts for parts in rows if len(parts[0])]  # a validation row may show nothing but unseen levels
        size = max(1, min(self.batch_size, CELLS // len(self.table.names)))
        draws = max(1, min(self.settings.validation_draws, CELLS // len(self.table.names)))
        settings = loop_settings(self, batch_size=size, validation_draws=draws)
        self.history = fit_network(
            self.network, self._loss, rows, settings=settings, rng=rng.branch("training"), label=self.name
        )

    def _loss(self, batch: tuple[Tensor, ...], generator: torch.Generator) -> Tensor:
        ranks, values, codes, known = batch
        free = self._mask(known, generator)
        cells = Cells(State(values, codes), known & ~free, free)
        return masked.loss(self.reader, State(spread(ranks, generator), codes), cells, generator)

    def _build(self, device: str, rng: Rng) -> None:
        self.device = device
        self.network = self._network(self.table.numeric, self.table.levels, rng.torch()).to(device)
        layout = Layout(self.table.levels, device)
        self.reader = Reader(cast(masked.Network, self.network), Cosine(), layout, self.table.numeric)

    def _complete(self, rows: pd.DataFrame, free: np.ndarray, rng: Rng, options: Mapping[str, Any]) -> pd.DataFrame:
        steps, eta, order = options.get("steps", self.steps), options.get("eta", self.eta), options.get("order", 2)
        rows_per_call = options.get("rows_per_call", max(1, CELLS // len(self.table.names)))
        self._check_sampling(steps, eta, rows_per_call)
        if order not in SOLVERS:
            raise ValueError(f"{self.name}: order={order} must be one of {sorted(SOLVERS)}")
        walk = Walk(self.reader.schedule, steps, self.reader.layout)
        draw = partial(masked.complete, walk=walk, solver=SOLVERS[order], eta=eta)
        generator = rng.branch("noise").torch(self.device)
        size = max(1, WALKING // len(self.table.names))
        blocks = [slice(k, k + size) for k in range(0, len(rows), size)]
        states = [
            draw(self._denoiser(rows.iloc[block], free[block], rows_per_call), generator=generator) for block in blocks
        ]
        whole = State(torch.cat([s.numeric for s in states]), torch.cat([s.codes for s in states]))
        return self.table.join(whole)

    def _denoiser(self, rows: pd.DataFrame, free: np.ndarray, rows_per_call: int) -> CompletingDenoiser:
        """Return the network on some rows; what its encoder says of them is kept as long as they walk."""
        there = self.table.split(rows, self.device)
        asked = torch.tensor(self.table.order(free), device=self.device)
        cells = Cells(State(there.values, there.codes), there.known, asked)
        high = torch.tensor(self.table.high, dtype=torch.float32, device=self.device)
        return CompletingDenoiser(self.reader, cells, -high, high, rows_per_call)

    def _check_sampling(self, steps: int, eta: float, rows_per_call: int) -> None:
        if steps < 1:
            raise ValueError(f"{self.name}: steps={steps} must be at least 1")
        if not 0 <= eta <= 1:
            raise ValueError(f"{self.name}: eta={eta} is not in [0, 1]")
        if rows_per_call < 1:
            raise ValueError(f"{self.name}: rows_per_call={rows_per_call} must be at least 1")

    def _state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        return {**network_state(self.network), **self.table.state()}, {}

    def _restore(self, arrays: dict[str, np.ndarray], record: dict[str, Any]) -> None:
        self.table = MaskedEncoder.restore(self.schema, arrays)
        self._build("cpu", Rng(0))
        restore_network(self.network, arrays)

    def _count_parameters(self) -> int:
        return sum(p.numel() for p in self.network.parameters())
