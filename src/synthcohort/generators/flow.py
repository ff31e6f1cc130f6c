r"""What does a normalising flow draw, and how likely does it say a row is?

A row is a label y, levels c_1..c_Q and normal scores z [P]; its law is factored without remainder,

    log p(row) = log p(y) + sum_j log p(c_j | y, c_1..c_{j-1}) + log p(z | y, c),
    log p(z | y, c) = log N(u; 0, I) + log |du / dz|,    u = f(z; y, c),

with p(y) the training frequencies, one masked network for all levels [Germain 2015, eq. 6] and, for the scores, a
neural spline flow f of autoregressive rational-quadratic layers [Durkan 2019, sec. 3.2]. All of it is fitted by maximum
likelihood, and rows are drawn by inverting it column by column.

`log_density` is exact, with nothing dropped or bounded, for this measure: counting on the label and the levels, length
on the normal scores. A cell that many rows share, or that is rounded, owns an interval of scores; the density is taken
at the interval's middle rank and is not the probability of the cell. In the column's own unit the density is that times
dz / dx, which depends on the training table alone and has no value at ties.

Departs: scores given levels instead of dequantised levels [Durkan 2019 has none], so that the density of a mixed table
is exact where uniform dequantisation of levels gives a lower bound. In training each cell's score is uniform over its
interval of ranks (`generators.parts.labelled`): a flow fitted to repeated values raises its density there without end.
See `networks.spline` for how the layers differ from the source's.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, cast

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn import functional

from synthcohort.diffusion.multinomial import Layout
from synthcohort.generators.base import FitError, Generator
from synthcohort.generators.parts.fitting import at_least, fit_network, loop_settings
from synthcohort.generators.parts.labelled import (
    LabelledEncoder,
    LabelledRows,
    network_state,
    restore_network,
    spread,
)
from synthcohort.networks.layers import embedding
from synthcohort.networks.masked import MaskedLinear, MaskedMLP
from synthcohort.networks.mlp import ResidualMLP
from synthcohort.networks.spline import AutoregressiveSpline
from synthcohort.rng import Rng

_AT_ONCE = 8192  # rows handed to the network at a time


@dataclass(kw_only=True, eq=False)
class Flow(Generator):
    """Autoregressive levels, then a spline flow of the normal scores given them.

    Args:
        layers: spline layers, >= 1; every second one reads the columns in reverse order.
        bins: bins of every spline, in 2..128.
        bound: half the interval that splines bend, in standard deviations, > 0.
        width: hidden width, >= 1.
        depth: residual blocks of every network, >= 0.
        max_steps: gradient steps at most, >= 1; validation rows stop the fit earlier.
        batch_size: rows a gradient step, >= 1.
        learning_rate: of AdamW, > 0.
        weight_decay: of AdamW, >= 0.
        ema_decay: weight of the past in the average of the weights, in [0, 1).
        evaluate_every: gradient steps between two looks at the validation loss, >= 1.
        patience: the fit stops at this multiple of the step with the lowest validation loss, > 1.
    """

    abilities: ClassVar[frozenset[str]] = frozenset({"condition-target", "density"})

    layers: int = 2
    bins: int = 8
    bound: float = 4.0
    width: int = 128
    depth: int = 1
    max_steps: int = 8_000
    batch_size: int = 256
    learning_rate: float = 5e-4
    weight_decay: float = 0.0
    ema_decay: float = 0.99
    evaluate_every: int = 50
    patience: float = 1.6

    def __post_init__(self) -> None:
        super().__init__()
        at_least(self, layers=1, width=1, depth=0)
        if not 2 <= self.bins <= 128:
            raise ValueError(f"flow: bins={self.bins} is not in 2..128")
        if not self.bound > 0:
            raise ValueError(f"flow: bound={self.bound} must be positive, in standard deviations")
        self.settings = loop_settings(self)

    def _fit(self, train: pd.DataFrame, validation: pd.DataFrame | None, rng: Rng, device: str) -> None:
        self.table = LabelledEncoder.fit(train, self.schema)
        if not self.table.numeric + len(self.table.levels):
            raise FitError(f"{self.name}: the table has no column besides its target; use independent instead")
        self._build(device, rng.branch("weights"))
        rows = [self.table.split(frame, device).parts() for frame in (train, validation) if frame is not None]
        self.history = fit_network(
            self.network, self._loss, rows, settings=self.settings, rng=rng.branch("training"), label=self.name
        )

    def _build(self, device: str, rng: Rng) -> None:
        self.device = device
        self.layout = Layout(self.table.levels, device)
        self.network = _Network(
            numeric=self.table.numeric,
            layout=Layout(self.table.levels),
            labels=len(self.table.counts),
            layers=self.layers,
            bins=self.bins,
            bound=self.bound,
            width=self.width,
            depth=self.depth,
            generator=rng.torch(),
        ).to(device)

    def _loss(self, batch: tuple[Tensor, ...], generator: torch.Generator) -> Tensor:
        """Return minus log p(scores, levels | label) of each row, [n], in nats."""
        ranks, codes, *labels = batch
        return -self._log_p(spread(ranks, generator), codes, labels[0] if labels else None)

    def _log_p(self, scores: Tensor, codes: Tensor, y: Tensor | None) -> Tensor:
        """Return log p(scores, levels | label), [n], for scores [n, P], codes [n, Q] and labels [n]."""
        one_hot = self.layout.one_hot(codes)  # [n, sum(K)]
        total = torch.zeros(len(scores), device=scores.device)
        if self.network.masked is not None:
            log_p = self.layout.log_softmax(self.network.masked(one_hot, self.network.label_vector(y, codes)))
            total = total + log_p.gather(1, codes + self.layout.offsets).sum(1)
        if not len(self.network.splines):
            return total
        context, u = self.network.context(one_hot, y), scores
        for layer in self.network.splines:
            u, log_det = layer(u, context)
            total = total + log_det
        return total - 0.5 * u.square().sum(1) - 0.5 * math.log(2 * math.pi) * u.shape[1]

    @torch.no_grad()
    def _sample(self, n: int, conditions: pd.DataFrame | None, rng: Rng, options: Mapping[str, Any]) -> pd.DataFrame:
        y = self.table.labels(n, conditions, rng.branch("label"), self.device)
        generator = rng.branch("noise").torch(self.device)
        uniform = torch.rand(n, len(self.table.levels), generator=generator, device=self.device)
        u = torch.randn(n, self.table.numeric, generator=generator, device=self.device)
        scores, codes = [], []
        for part in torch.arange(n, device=self.device).split(_AT_ONCE):
            y_part = None if y is None else y[part]
            codes.append(self._draw_codes(uniform[part], y_part))
            scores.append(self._draw_scores(u[part], codes[-1], y_part))
        return self.table.join(LabelledRows(torch.cat(scores), torch.cat(codes), y))

    def _draw_codes(self, uniform: Tensor, y: Tensor | None) -> Tensor:
        """Return codes [n, Q]: column after column the level whose share of (0, 1) holds the uniform number [n, Q]."""
        codes = torch.zeros(uniform.shape, dtype=torch.int64, device=uniform.device)
        if self.network.masked is None:
            return codes
        h = self.network.masked.begin(self.network.label_vector(y, codes))
        for j, (start, k) in enumerate(zip(self.layout.offsets.tolist(), self.table.levels, strict=True)):
            part = slice(start, start + k)
            shares = self.network.masked.read(h, part).softmax(1).cumsum(1)[:, :-1]  # [n, K - 1]
            codes[:, j] = (uniform[:, j : j + 1] > shares).sum(1)
            h = self.network.masked.extend(h, functional.one_hot(codes[:, j], k).float(), part)
        return codes

    def _draw_scores(self, u: Tensor, codes: Tensor, y: Tensor | None) -> Tensor:
        """Return scores [n, P] from standard normal numbers u [n, P]."""
        if not len(self.network.splines):
            return u
        context = self.network.context(self.layout.one_hot(codes), y)
        for layer in reversed(self.network.splines):
            u = cast(AutoregressiveSpline, layer).inverse(u, context)
        return u

    @torch.no_grad()
    def _log_density(self, rows: pd.DataFrame) -> np.ndarray:
        table = self.table.split(rows, self.device)
        scores = torch.special.ndtri(table.numeric.mean(2))  # [n, P]
        out = np.zeros(len(rows))
        for part in torch.arange(len(rows), device=self.device).split(_AT_ONCE):
            y = None if table.y is None else table.y[part]
            out[part.cpu().numpy()] = self._log_p(scores[part], table.codes[part], y).double().cpu().numpy()
        if table.y is None:
            return out
        with np.errstate(divide="ignore"):  # a label that no training row had has probability 0
            log_frequency = np.log(self.table.counts / self.table.counts.sum())
        return out + log_frequency[table.y.cpu().numpy()]

    def _state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        return {**network_state(self.network), **self.table.state()}, {}

    def _restore(self, arrays: dict[str, np.ndarray], record: dict[str, Any]) -> None:
        self.table = LabelledEncoder.restore(self.schema, arrays)
        self._build("cpu", Rng(0))
        restore_network(self.network, arrays)

    def _count_parameters(self) -> int:
        masked = [m.mask for m in self.network.modules() if isinstance(m, MaskedLinear)]
        return sum(p.numel() for p in self.network.parameters()) - sum(int((m == 0).sum()) for m in masked)


class _Network(nn.Module):
    """The masked network of the levels, the spline layers of the scores and what both are told."""

    def __init__(
        self,
        *,
        numeric: int,
        layout: Layout,
        labels: int,
        layers: int,
        bins: int,
        bound: float,
        width: int,
        depth: int,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.width = width
        self.masked: MaskedMLP | None = None
        self.code_label = embedding(labels, width, generator) if labels and layout.total else None
        if layout.total:
            places = layout.column + 1  # [sum(K)]
            self.masked = MaskedMLP(inputs=places, outputs=places, width=width, depth=depth, generator=generator)
        self.splines = nn.ModuleList()
        self.score_label: nn.Embedding | None = None
        if not numeric:
            return
        self.score_label = embedding(labels, width, generator) if labels else None
        self.teller = ResidualMLP(inputs=layout.total, outputs=width, width=width, depth=depth, generator=generator)
        for number in range(layers):
            self.splines.append(
                AutoregressiveSpline(
                    columns=numeric,
                    bins=bins,
                    bound=bound,
                    reverse=number % 2 == 1,
                    width=width,
                    depth=depth,
                    generator=generator,
                )
            )

    def label_vector(self, y: Tensor | None, codes: Tensor) -> Tensor:
        """Return what the levels are told, [n, width]."""
        if self.code_label is None:
            return torch.zeros(len(codes), self.width, device=codes.device)
        return self.code_label(y)

    def context(self, one_hot: Tensor, y: Tensor | None) -> Tensor:
        """Return what the splines are told, [n, width], of levels [n, sum(K)] and labels [n]."""
        return self.teller(one_hot, None if self.score_label is None else self.score_label(y))
