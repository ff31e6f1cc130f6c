"""What do generators share that draw rows for asked attributes by guided diffusion?

The rows are noise in the columns that are not set apart (`generators.parts.given`); one network, from which attributes
are hidden at random while it learns, says everything that guidance adds up (`diffusion.guidance`); the walk back is
`diffusion.sampler`'s. A method says which network that is, in which numbers its estimates are added, and which estimate
a draw starts from.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from synthcohort.diffusion import denoiser, sampler
from synthcohort.diffusion.estimate import Read, Shown
from synthcohort.diffusion.guidance import Gate, Guided, Strength, gate_as_coded, gate_as_printed, hide, only
from synthcohort.diffusion.multinomial import Layout
from synthcohort.diffusion.sampler import State, Walk
from synthcohort.diffusion.schedule import Cosine
from synthcohort.generators.base import FitError, Generator
from synthcohort.generators.parts.fitting import at_least, fit_network, loop_settings
from synthcohort.generators.parts.given import GivenEncoder, GivenRows
from synthcohort.generators.parts.labelled import network_state, restore_network, spread
from synthcohort.rng import Rng
from synthcohort.schema import Schema
from synthcohort.training import fast_dtype

SOLVERS = {1: sampler.ddim, 2: sampler.multistep}
GATES: dict[str, Callable[..., Tensor]] = {"printed": gate_as_printed, "coded": gate_as_coded}
ROWS_PER_CALL = 8_192

OPTIONS = {
    "steps": "sampling steps, >= 1",
    "eta": "share of fresh noise in a numeric step, 0 (DDIM) to 1 (ancestral)",
    "order": "of the steps in their length: 1 as published, 2",
    "rows_per_call": "rows handed to the network at a time, >= 1",
    "gate": "the security gate: printed or coded",
    "gate_weight": "w of the gate, >= 0",
    "gate_threshold": "lambda of the gate, >= 0",
    "warm_up": "share of the walk, from its start, without sensitive guidance, in [0, 1]",
    "momentum": "weight of past sensitive guidance, >= 0",
    "momentum_decay": "weight of the past within it, in [0, 1)",
}


@dataclass(frozen=True)
class Asked:
    """The estimates of one draw.

    Args:
        everything: shown all attributes.
        free: shown none.
        target: shown the target alone; None without a categorical target.
        sensitive: shown one sensitive attribute alone, each.
    """

    everything: Shown
    free: Shown
    target: Shown | None
    sensitive: tuple[Shown, ...]


class GuidedDiffusion(Generator):
    """A diffusion of mixed columns whose estimates are guided; see the module's text for what a method writes."""

    abilities: ClassVar[frozenset[str]] = frozenset({"condition-target", "condition-sensitive"})

    width: int
    dropout: float
    steps: int

    @abstractmethod
    def _apart(self, schema: Schema) -> frozenset[str]:
        """Return the attributes that are not diffused."""

    @abstractmethod
    def _network(self, rng: Rng) -> nn.Module:
        """Return (x [n, F], t [n], shown [n, A]) -> [eps | logits], F = P + sum(K), for rows of `table`."""

    @abstractmethod
    def _body(self, x_t: State, t: Tensor, shown: Tensor) -> Tensor:
        """Return the numbers [n, G] in which estimates are added."""

    @abstractmethod
    def _head(self, estimate: Tensor) -> Tensor:
        """Return [eps | logits] of estimates [n, G]."""

    @abstractmethod
    def _guided(self, asked: Asked, settings: Mapping[str, Any]) -> Guided:
        """Return the estimator of one draw, from its settings: hyperparameters with sampling options over them."""

    def _check_shared(self) -> None:
        """Check the hyperparameters that every method has and set those of the loop."""
        at_least(self, width=2)
        if self.width % 2:
            raise ValueError(f"{self.name}: width={self.width} must be even")
        if not 0 <= self.dropout <= 1:
            raise ValueError(f"{self.name}: dropout={self.dropout} is not in [0, 1]")
        self.settings = loop_settings(self)
        self._settings({})

    def _settings(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a draw follows, options over hyperparameters.

        Raises:
            ValueError: if one is out of its range, naming it.
        """
        found = {"order": 2, "rows_per_call": ROWS_PER_CALL, **self.hyperparameters(), **options}
        for name in ("steps", "rows_per_call"):
            if found[name] < 1:
                raise ValueError(f"{self.name}: {name}={found[name]} must be at least 1")
        if not 0 <= found["eta"] <= 1:
            raise ValueError(f"{self.name}: eta={found['eta']} is not in [0, 1]")
        for name, known in (("order", SOLVERS), ("gate", GATES)):
            if found[name] not in known:
                raise ValueError(f"{self.name}: {name}={found[name]} must be one of {sorted(known)}")
        for name in ("gate_weight", "gate_threshold"):
            if not found[name] >= 0 or (name == "gate_weight" and math.isinf(found[name])):
                raise ValueError(f"{self.name}: {name}={found[name]} must be 0 or more, and a gate's weight finite")
        strength(found, target=0, sensitive=0)
        return found

    def _fit(self, train: pd.DataFrame, validation: pd.DataFrame | None, rng: Rng, device: str) -> None:
        self.table = GivenEncoder.fit(train, self.schema, apart=self._apart(self.schema))
        if not self.table.numeric and not self.table.levels:
            raise FitError(f"{self.name}: the table has no column beside its target and its sensitive columns")
        self._build(device, rng.branch("weights"))
        rows = [self.table.split(frame, device).parts() for frame in (train, validation) if frame is not None]
        self.history = fit_network(
            self.reader.network, self._loss, rows, settings=self.settings, rng=rng.branch("training"), label=self.name
        )

    def _loss(self, batch: tuple[Tensor, ...], generator: torch.Generator) -> Tensor:
        ranks, codes, given = batch
        shown = hide(given, self.dropout, generator)
        return denoiser.loss(self.reader, State(spread(ranks, generator), codes), shown, generator)

    def _build(self, device: str, rng: Rng) -> None:
        self.device = device
        layout = Layout(self.table.levels, device)
        network = self._network(rng).to(device)
        self.reader = denoiser.Reader(network, Cosine(), layout, self.table.numeric, fast_dtype(device, self.width))

    def _sample(self, n: int, conditions: pd.DataFrame | None, rng: Rng, options: Mapping[str, Any]) -> pd.DataFrame:
        given = self.table.asked(n, conditions, rng.branch("label"), self.device)
        return self._walked(given, self._settings(options), rng)

    def _walked(self, given: Tensor, settings: Mapping[str, Any], rng: Rng) -> pd.DataFrame:
        """Return rows of the attributes [n, A], by settings as `_settings` gives them."""
        n = len(given)
        guided = self._guided(self._asked(given, settings["rows_per_call"]), settings)
        low = torch.tensor(self.table.low, dtype=torch.float32, device=self.device)
        high = torch.tensor(self.table.high, dtype=torch.float32, device=self.device)
        known = Read(guided, self._head, self.reader.schedule, self.reader.layout, low, high)
        generator = rng.branch("noise").torch(self.device)
        x_1 = sampler.noise(n, numeric=self.table.numeric, layout=self.reader.layout, generator=generator)
        walk = Walk(self.reader.schedule, settings["steps"], self.reader.layout)
        x_0 = SOLVERS[settings["order"]](known, x_1, walk, generator, eta=settings["eta"])
        return self.table.join(GivenRows(x_0.numeric, x_0.codes, given))

    def _asked(self, given: Tensor, rows_per_call: int) -> Asked:
        first = 0 if self.schema.target.numeric else 1  # the target is the first attribute, if it is one
        alone = [Shown(self._body, only(given, a), rows_per_call) for a in range(given.shape[1])]
        return Asked(
            everything=Shown(self._body, given + 1, rows_per_call),
            free=Shown(self._body, only(given, None), rows_per_call),
            target=alone[0] if first else None,
            sensitive=tuple(alone[first:]),
        )

    def _state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        return {**network_state(self.reader.network), **self.table.state()}, {}

    def _restore(self, arrays: dict[str, np.ndarray], record: dict[str, Any]) -> None:
        self.table = GivenEncoder.restore(self.schema, arrays, apart=self._apart(self.schema))
        self._build("cpu", Rng(0))
        restore_network(self.reader.network, arrays)

    def _count_parameters(self) -> int:
        return sum(p.numel() for p in self.reader.network.parameters())


def strength(settings: Mapping[str, Any], *, target: float, sensitive: float) -> Strength:
    """Return how much a draw is guided, with weights w_y and w_s, by its settings."""
    gate: Gate = partial(GATES[settings["gate"]], weight=settings["gate_weight"], threshold=settings["gate_threshold"])
    return Strength(
        target=target,
        sensitive=sensitive,
        gate=gate,
        warm_up=settings["warm_up"],
        momentum=settings["momentum"],
        decay=settings["momentum_decay"],
    )
