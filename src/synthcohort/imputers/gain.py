"""What does a generator put into the holes when a critic tries to tell them from the cells that were there?

GAIN [Yoon 2018]. With m the mask (1: the cell is there), x the row in [0, 1] and z noise, the generator G completes it

    x_bar = G(x~, m),  x~ = m x + (1 - m) z    [eq. 2],        x_hat = m x + (1 - m) x_bar    [eq. 3],

and the discriminator D says of every cell of x_hat whether it was there. A hint h tells D most of the mask, since the
mask would otherwise not decide what the best G is,

    h = b m + (1 - b) / 2,    b ~ Bernoulli(hint_rate) a cell    [sec. 4 and 5].

They take turns on batches [algorithm 1], D down L_D and G down L_G + alpha L_M,

    L_D = - mean( m log D + (1 - m) log(1 - D) ),    L_G = - mean( (1 - m) log D ),    D = D(x_hat, h),
    L_M = sum( m (x - x_bar)^2 ) / sum m.

Both networks are perceptrons with two hidden layers as wide as the row. Draws differ in z only.

Departs, as the authors' release does: a hint bit a cell, kept with `hint_rate`, where the paper withholds one cell a
row; the losses of D and G count every cell, not the withheld ones; z ~ U(0, 0.01); L_M is the squared error of all
columns. Departs from the release: levels are indicators, not numbers; the level with the largest one is taken. What no
training row shows, another value in a constant column or another level, is never given.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, logsigmoid

from synthcohort.imputation import ImputationError
from synthcohort.imputers.base import Imputer
from synthcohort.imputers.parts.design import Design
from synthcohort.networks.medgan import dense
from synthcohort.rng import Rng

NOISE = 0.01
RECORDS = 50  # of the history


class GAIN(Imputer):
    """A generator and a discriminator of cells.

    Args:
        hint_rate: share of the cells whose mask D is told, in [0, 1).
        alpha: weight of the reconstruction of cells that are there, >= 0.
        max_steps: batches, >= 1.
        batch_size: rows of a batch, >= 1.
        learning_rate: of Adam, > 0.
    """

    def __init__(
        self,
        *,
        hint_rate: float = 0.9,
        alpha: float = 100.0,
        max_steps: int = 10_000,
        batch_size: int = 128,
        learning_rate: float = 1e-3,
    ) -> None:
        if not 0 <= hint_rate < 1:
            raise ValueError(f"gain: hint_rate={hint_rate} is not in [0, 1)")
        if alpha < 0 or not learning_rate > 0:
            raise ValueError(f"gain: alpha={alpha} must not be negative, learning_rate={learning_rate} be positive")
        if max_steps < 1 or batch_size < 1:
            raise ValueError(f"gain: max_steps={max_steps} and batch_size={batch_size} must be at least 1")
        self.hint_rate = hint_rate
        self.alpha = alpha
        self.max_steps = max_steps
        self.batch_size = batch_size
        self.learning_rate = learning_rate

    def _fit(self, train: pd.DataFrame, rng: Rng, device: str) -> None:
        if not train.isna().to_numpy().any():
            raise ImputationError(
                "gain learns from holes and the train rows have none: hide some cells of them (synthcohort.missingness)"
            )
        self.device = device
        self.design = Design.unit_range(train, self.schema)
        x, m = self._tensors(train)
        self.shown = (x.amax(dim=0) > 0).to(x.dtype)  # [D]; 0 for a constant number and a level no row has
        weights = rng.branch("weights").torch()
        width = x.shape[1]
        self.generator = _perceptron(width, weights).to(device)
        self.discriminator = _perceptron(width, weights).to(device)
        chosen, noise = rng.branch("batches").torch(), rng.branch("noise").torch(device)
        adam = [
            torch.optim.Adam(n.parameters(), self.learning_rate, fused=True)
            for n in (self.discriminator, self.generator)
        ]
        self.history: list[dict[str, float]] = []
        for step in range(1, self.max_steps + 1):
            rows = torch.randint(len(x), (self.batch_size,), generator=chosen).to(device)
            losses = self._step(x[rows], m[rows], adam, noise)
            if not all(math.isfinite(loss) for loss in losses):
                raise ImputationError(f"gain diverged at step {step} of {self.max_steps}; lower the learning rate")
            if step % max(1, self.max_steps // RECORDS) == 0 or step == self.max_steps:
                self.history.append({"step": step, "discriminator": losses[0], "generator": losses[1]})

    def _step(self, x: Tensor, m: Tensor, adam: list[torch.optim.Adam], noise: torch.Generator) -> tuple[float, float]:
        """Take one step of D and one of G on rows x [b, D] with masks m [b, D]; return their losses."""
        x = m * x + (1 - m) * self._noise(x, noise)
        b = (torch.rand(m.shape, generator=noise, device=m.device) < self.hint_rate).to(m.dtype)
        hint = hints(b, m)
        with torch.no_grad():
            x_hat = completed(x, m, self._complete(x, m))
        of_d = discriminator_loss(self._judge(x_hat, hint), m)
        _descend(adam[0], of_d)
        x_bar = self._complete(x, m)
        of_g = adversarial_loss(self._judge(completed(x, m, x_bar), hint), m)
        of_g = of_g + self.alpha * reconstruction_loss(x, x_bar, m)
        _descend(adam[1], of_g)
        return float(of_d.detach()), float(of_g.detach())

    def _complete(self, x: Tensor, m: Tensor) -> Tensor:
        return self.shown * torch.sigmoid(self.generator(torch.cat([x, m], dim=1)))

    def _judge(self, x_hat: Tensor, hint: Tensor) -> Tensor:
        return self.discriminator(torch.cat([x_hat, hint], dim=1))

    def _noise(self, like: Tensor, noise: torch.Generator) -> Tensor:
        return NOISE * torch.rand(like.shape, generator=noise, device=like.device)

    def _tensors(self, frame: pd.DataFrame) -> tuple[Tensor, Tensor]:
        """Return x [n, D], 0 in holes, and m [n, D]."""
        matrix = self.design.matrix(frame)
        m = torch.tensor(~np.isnan(matrix), dtype=torch.float32, device=self.device)
        return torch.tensor(np.nan_to_num(matrix), dtype=torch.float32, device=self.device), m

    @torch.no_grad()
    def _impute(self, rows: pd.DataFrame, rng: Rng, draws: int) -> list[pd.DataFrame]:
        x, m = self._tensors(rows)
        drawn = []
        for i in range(draws):
            z = self._noise(x, rng.branch("draw", i).torch(self.device))
            x_bar = self._complete(m * x + (1 - m) * z, m)
            drawn.append(self.design.frame(x_bar.double().cpu().numpy()))
        return drawn


def hints(b: Tensor, m: Tensor) -> Tensor:
    """Return what D is told, [b, D]: the mask where b is 1, one half where it is 0."""
    return b * m + (1 - b) / 2


def completed(x: Tensor, m: Tensor, x_bar: Tensor) -> Tensor:
    """Return x where cells are there and x_bar elsewhere [Yoon 2018, eq. 3]."""
    return m * x + (1 - m) * x_bar


def discriminator_loss(logits: Tensor, m: Tensor) -> Tensor:
    """Return L_D for D's logits [b, D] and the mask [b, D], a scalar."""
    return binary_cross_entropy_with_logits(logits, m)


def adversarial_loss(logits: Tensor, m: Tensor) -> Tensor:
    """Return L_G, a scalar: holes that D does not take for cells that were there cost."""
    return -((1 - m) * logsigmoid(logits)).mean()


def reconstruction_loss(x: Tensor, x_bar: Tensor, m: Tensor) -> Tensor:
    """Return L_M, a scalar: the mean squared error of cells that are there."""
    return (m * (x - x_bar).square()).sum() / m.sum().clamp(min=1.0)


def _perceptron(width: int, generator: torch.Generator) -> nn.Sequential:
    """Return [n, 2 width] -> [n, width] with two hidden layers."""
    first, second, last = (dense(a, width, generator) for a in (2 * width, width, width))
    return nn.Sequential(first, nn.ReLU(), second, nn.ReLU(), last)


def _descend(optimiser: torch.optim.Optimizer, loss: Tensor) -> None:
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    optimiser.step()
