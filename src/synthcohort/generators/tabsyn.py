r"""What does diffusion draw in a latent space that was learned first?

TabSyn [Zhang 2024] works in two stages. A variational autoencoder over column tokens (`networks.column_tokens`) is
fitted by

    L = mean_j (x_j - m_j)^2 + mean_j CE_j + beta KL,   beta <- 0.7 beta when reconstruction stops improving,

from beta = 1e-2 down to `beta_min` [Zhang 2024, sec. 3.2]: a weak pull to the prior, so that latent rows are nearly
free of loss. The posterior means z_0 of the training rows, centred and halved, are then the data of a diffusion with
the linear noise schedule sigma(t) = t, z_t = z_0 + t eps [Zhang 2024, sec. 3.3]; denoiser, loss and the walk back are
in `diffusion.edm`.

Departs: a categorical target is no token but the label of the score model, so that rows of a class can be asked for.
Latent rows are scaled by one number so that s = 0.5 is their standard deviation, where the source always divides by 2.
The score model learns from several latent copies of a row, each with its numeric cells elsewhere within their interval
of ranks (`generators.parts.labelled`). Levels are drawn from the decoder's law, not its likeliest: rare levels would
be lost. The reverse walk adds no noise and takes 25 evaluations of the network where the source takes 99 (see
`diffusion.edm`). A stack is one block of factor 8, not two of 32; widths and steps are a hundredth of the source's,
whose budget is hours, and validation rows stop both stages. The autoencoder starts nearly without loss (see
`networks.column_tokens`), so that 500 steps do, at a rate its narrow tokens bear; beta ends at 1e-3, not 1e-5.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from synthcohort.diffusion import edm
from synthcohort.diffusion.multinomial import Layout
from synthcohort.generators.base import FitError, Generator
from synthcohort.generators.parts.fitting import at_least, fit_network, loop_settings
from synthcohort.generators.parts.labelled import LabelledEncoder, LabelledRows, network_state, restore_network, spread
from synthcohort.networks.column_tokens import ColumnAutoencoder
from synthcohort.networks.mlp import DenoisingMLP
from synthcohort.rng import Rng
from synthcohort.training import Loss, Settings, fast_dtype

LATENT_ROWS = 16_384  # at least so many latent rows, copies of the training rows included
ROWS_PER_CALL = 8_192


@dataclass(kw_only=True, eq=False)
class TabSyn(Generator):
    """A token autoencoder and a score model of its latent rows.

    Args:
        token: numbers a column token, >= 1.
        layers: transformer blocks of each stack of the autoencoder, >= 0.
        factor: width of a block's perceptron in multiples of `token`, >= 1.
        most_tokens: tokens at most, >= 1; a wider table lets neighbouring columns share one.
        beta_max: first weight of the divergence, >= beta_min.
        beta_min: last weight of the divergence, > 0.
        autoencoder_steps: gradient steps of the autoencoder at most, >= 1.
        autoencoder_pace: learning rate of the autoencoder in multiples of `learning_rate`, > 0.
        width: hidden width of the score model, even, >= 2.
        depth: residual blocks of the score model, >= 1.
        max_steps: gradient steps of the score model at most, >= 1; validation rows stop both stages earlier.
        passes: a long table has as many steps as so many passes through its train rows take, if these are more, >= 0.
        batch_size: rows a gradient step, >= 1.
        learning_rate: of AdamW, > 0.
        weight_decay: of AdamW, >= 0.
        ema_decay: weight of the past in the average of the weights, in [0, 1).
        evaluate_every: gradient steps between two looks at the validation loss, >= 1.
        patience: a stage stops at this multiple of the step with the lowest validation loss, > 1.
        steps: evaluations of the score model a draw, >= 2.
    """

    abilities: ClassVar[frozenset[str]] = frozenset({"condition-target"})
    sampling_options: ClassVar[Mapping[str, str]] = {"steps": "evaluations of the score model, >= 2"}

    token: int = 4
    layers: int = 1
    factor: int = 8
    most_tokens: int = 64
    beta_max: float = 1e-2
    beta_min: float = 1e-3
    autoencoder_steps: int = 500
    autoencoder_pace: float = 2.5
    width: int = 256
    depth: int = 3
    max_steps: int = 4_000
    passes: int = 75
    batch_size: int = 256
    learning_rate: float = 2e-3
    weight_decay: float = 0.0
    ema_decay: float = 0.999
    evaluate_every: int = 100
    patience: float = 1.6
    steps: int = 25

    def __post_init__(self) -> None:
        super().__init__()
        at_least(self, token=1, layers=0, factor=1, most_tokens=1, autoencoder_steps=1, width=2, depth=1, passes=0)
        if self.width % 2:
            raise ValueError(f"tabsyn: width={self.width} must be even")
        if not 0 < self.beta_min <= self.beta_max:
            raise ValueError(f"tabsyn: beta_min={self.beta_min} must be positive and at most beta_max={self.beta_max}")
        if not self.autoencoder_pace > 0:
            raise ValueError(f"tabsyn: autoencoder_pace={self.autoencoder_pace} must be positive")
        _check_steps(self.steps)
        self.settings = loop_settings(self)

    def _fit(self, train: pd.DataFrame, validation: pd.DataFrame | None, rng: Rng, device: str) -> None:
        self.table = LabelledEncoder.fit(train, self.schema)
        self._build(device, rng.branch("weights"))
        if not self.autoencoder.latent:
            raise FitError(f"{self.name}: the table has no column beside its target; there is nothing to generate")
        split = [self.table.split(frame, device) for frame in (train, validation) if frame is not None]
        self.beta = Beta(self.beta_max, self.beta_min, max(1, self.autoencoder_steps // 100))
        cells = [rows.parts()[:2] for rows in split]
        rate = self.autoencoder_pace * self.learning_rate
        first = replace(self.settings, max_steps=self.autoencoder_steps, learning_rate=rate)
        self._train("autoencoder", self._autoencoder_loss, cells, settings=first, rng=rng)
        latent = [self._latent(rows, rng.branch("latent", i)) for i, rows in enumerate(split)]
        self.centre = latent[0][0].mean(0)
        self.unit = (latent[0][0].std() / edm.SCALE).clamp(min=1e-6)
        scaled = [((z - self.centre) / self.unit, *y) for z, *y in latent]
        second = replace(self.settings, max_steps=max(self.max_steps, self.passes * len(train) // self.batch_size))
        self._train("score", self._score_loss, scaled, settings=second, rng=rng)

    def _train(self, stage: str, loss: Loss, rows: list[tuple[Tensor, ...]], *, settings: Settings, rng: Rng) -> None:
        """Fit one stage and append its history, steps counted on."""
        before = int(self.history[-1]["step"]) if self.history else 0
        seconds = self.history[-1]["seconds"] if self.history else 0.0
        label = f"{self.name} {stage}"
        own = rng.branch("training", stage)
        history = fit_network(self.network[stage], loss, rows, settings=settings, rng=own, label=label)
        self.history += [{**h, "step": h["step"] + before, "seconds": h["seconds"] + seconds} for h in history]

    def _build(self, device: str, rng: Rng) -> None:
        self.device = device
        self.dtype = fast_dtype(device, self.width)
        self.layout = Layout(self.table.levels, device)
        generator = rng.torch()
        self.autoencoder = ColumnAutoencoder(
            numeric=self.table.numeric,
            levels=self.table.levels,
            token=self.token,
            layers=self.layers,
            factor=self.factor,
            most_tokens=self.most_tokens,
            generator=generator,
        )
        self.score = DenoisingMLP(
            features=self.autoencoder.latent,
            outputs=self.autoencoder.latent,
            labels=len(self.table.counts),
            width=self.width,
            depth=self.depth,
            generator=generator,
        )
        self.network = nn.ModuleDict({"autoencoder": self.autoencoder, "score": self.score}).to(device)

    def _autoencoder_loss(self, batch: tuple[Tensor, ...], generator: torch.Generator) -> Tensor:
        """Return reconstruction plus beta times divergence of each row, [n].

        Validation rows are measured with beta_min, so that their losses are comparable while beta falls.
        """
        ranks, codes = batch
        x = self._cells(ranks, codes, generator)
        mu, log_sigma = self.autoencoder.encode(x)
        z = mu + log_sigma.exp() * torch.randn(mu.shape, generator=generator, device=mu.device)
        means, logits = self.autoencoder.decode(z).split([self.table.numeric, self.layout.total], dim=1)
        error = _mean((x[:, : self.table.numeric] - means).square())
        surprise = -_mean(self.layout.log_softmax(logits).gather(1, codes + self.layout.offsets))
        divergence = 0.5 * _mean(mu.square() + (2 * log_sigma).exp() - 1 - 2 * log_sigma)
        if not torch.is_grad_enabled():
            return error + surprise + self.beta_min * divergence
        beta = self.beta.value
        self.beta.observe(float((error + surprise).detach().mean()))
        return error + surprise + beta * divergence

    def _cells(self, ranks: Tensor, codes: Tensor, generator: torch.Generator) -> Tensor:
        return torch.cat([spread(ranks, generator), self.layout.one_hot(codes)], dim=1)  # [n, F]

    @torch.no_grad()
    def _latent(self, rows: LabelledRows, rng: Rng) -> tuple[Tensor, ...]:
        """Return posterior means [copies n, G d] of the rows, and their labels if there are any."""
        copies, generator = max(1, LATENT_ROWS // len(rows.codes)), rng.torch(self.device)
        parts = list(zip(rows.numeric.split(ROWS_PER_CALL), rows.codes.split(ROWS_PER_CALL), strict=True))
        z = [self.autoencoder.encode(self._cells(*part, generator))[0] for _ in range(copies) for part in parts]
        return torch.cat(z), *(y.repeat(copies) for y in rows.parts()[2:])

    def _score_loss(self, batch: tuple[Tensor, ...], generator: torch.Generator) -> Tensor:
        z_0, *y = batch
        return edm.loss(partial(self._denoise, y=y[0] if y else None), z_0, generator)

    def _denoise(self, z: Tensor, t: Tensor, y: Tensor | None) -> Tensor:
        """Return D(z, t) [n, G d] for z [n, G d], times t [n] and labels y [n]."""

        def score(x: Tensor, place: Tensor) -> Tensor:
            kind = torch.device(self.device).type
            with torch.autocast(kind, dtype=self.dtype, enabled=self.dtype != torch.float32):
                out: Tensor = self.score(x, place, y)
            return out.float()

        return edm.denoise(score, z, t)

    @torch.no_grad()
    def _sample(self, n: int, conditions: pd.DataFrame | None, rng: Rng, options: Mapping[str, Any]) -> pd.DataFrame:
        steps = options.get("steps", self.steps)
        _check_steps(steps)
        y = self.table.labels(n, conditions, rng.branch("label"), self.device)
        generator = rng.branch("noise").torch(self.device)
        noise = torch.randn(n, self.autoencoder.latent, generator=generator, device=self.device)
        means, codes = [], []
        for rows in torch.arange(n, device=self.device).split(ROWS_PER_CALL):
            denoiser = partial(self._denoise, y=None if y is None else y[rows])
            z = self.centre + self.unit * edm.multistep(denoiser, noise[rows], edm.times(steps))
            mean, logits = self.autoencoder.decode(z).split([self.table.numeric, self.layout.total], dim=1)
            means.append(mean)
            codes.append(self.layout.draw(self.layout.log_softmax(logits).exp(), generator))
        return self.table.join(LabelledRows(torch.cat(means), torch.cat(codes), y))

    def _state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        latent = {"latent_centre": self.centre.cpu().numpy(), "latent_unit": self.unit.cpu().numpy().reshape(1)}
        return {**network_state(self.network), **latent, **self.table.state()}, {}

    def _restore(self, arrays: dict[str, np.ndarray], record: dict[str, Any]) -> None:
        self.table = LabelledEncoder.restore(self.schema, arrays)
        self._build("cpu", Rng(0))
        restore_network(self.network, arrays)
        self.centre = torch.tensor(arrays["latent_centre"])
        self.unit = torch.tensor(arrays["latent_unit"][0])

    def _count_parameters(self) -> int:
        return sum(p.numel() for p in self.network.parameters())


class Beta:
    """The weight of the divergence: it falls when a window's mean reconstruction loss is not the lowest so far.

    Args:
        largest: first value.
        smallest: last value.
        window: gradient steps averaged between two looks, >= 1.
        fall: factor of one fall, in (0, 1) [Zhang 2024, sec. 3.2: 0.7].
    """

    def __init__(self, largest: float, smallest: float, window: int, fall: float = 0.7) -> None:
        self.value = largest
        self.smallest = smallest
        self.window = window
        self.fall = fall
        self.best = math.inf
        self.seen: list[float] = []

    def observe(self, reconstruction: float) -> None:
        """Take note of one step's reconstruction loss."""
        self.seen.append(reconstruction)
        if len(self.seen) < self.window:
            return
        mean, self.seen = sum(self.seen) / self.window, []
        if mean >= self.best:
            self.value = max(self.smallest, self.fall * self.value)
        self.best = min(self.best, mean)


def _mean(cells: Tensor) -> Tensor:
    return cells.sum(1) / max(cells.shape[1], 1)  # 0 without columns


def _check_steps(steps: int) -> None:
    if steps < 2:
        raise ValueError(f"tabsyn: steps={steps} must be at least 2")
