r"""What does a diffusion model draw that is trained for nothing but filling holes?

TabCSDI [Zheng 2022]. Numbers are standardised and levels are indicators, one of the paper's three encodings; in
training, a share r ~ U(0, 1) of the cells of a row that are there is asked for and the rest is given. The asked-for
numbers x are noised on T steps, beta from `beta_first` to `beta_last` on a quadratic scale [sec. 4],

    x_t = sqrt(alpha_bar_t) x + sqrt(1 - alpha_bar_t) eps,
    L = mean over asked-for numbers of (eps - eps_hat(x_t, given, t))^2    [eq. 5],

and holes are drawn by T ancestral steps [Ho 2020, alg. 2] while what is there stays given.

Departs: the paper trains for a number of epochs per table and lowers the rate in two steps; here the project's loop
(`training`) does so along a cosine, and the average of the weights is kept. The level with the largest indicator is
taken, and numbers are held within the range of the training cells. What is not in a row in training is neither asked
for nor given.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from synthcohort.imputation import ImputationError
from synthcohort.imputers.base import Imputer
from synthcohort.imputers.parts.design import Design
from synthcohort.networks.csdi import CSDI
from synthcohort.rng import Rng
from synthcohort.training import DivergenceError, Settings, train

ROWS_PER_CALL = 4096


class TabCSDI(Imputer):
    """Conditional diffusion over the numbers of a row.

    Args:
        width: channels of a token, even and a multiple of `heads`.
        depth: residual layers, >= 1.
        heads: heads of an attention, >= 1.
        feature: width of a token's own embedding, >= 1.
        steps: T, >= 1.
        beta_first: variance of the first step, in (0, 1).
        beta_last: variance of the last step, in [beta_first, 1).
        max_steps: gradient steps, >= 1.
        batch_size: rows of a gradient step, >= 1.
        learning_rate: of AdamW, > 0.
    """

    def __init__(
        self,
        *,
        width: int = 64,
        depth: int = 4,
        heads: int = 8,
        feature: int = 64,
        steps: int = 100,
        beta_first: float = 1e-4,
        beta_last: float = 0.5,
        max_steps: int = 2_000,
        batch_size: int = 64,
        learning_rate: float = 5e-4,
    ) -> None:
        if depth < 1 or heads < 1 or feature < 1 or steps < 1:
            raise ValueError(
                f"tabcsdi: depth={depth}, heads={heads}, feature={feature}, steps={steps} must be at least 1"
            )
        if width < 2 or width % 2 or width % heads:
            raise ValueError(f"tabcsdi: width={width} must be even and a multiple of heads={heads}")
        if not 0 < beta_first <= beta_last < 1:
            raise ValueError(f"tabcsdi: 0 < beta_first={beta_first} <= beta_last={beta_last} < 1 must hold")
        self.settings = Settings(max_steps=max_steps, batch_size=batch_size, learning_rate=learning_rate)
        self.width = width
        self.depth = depth
        self.heads = heads
        self.feature = feature
        self.betas = quadratic(steps, beta_first, beta_last)

    def _fit(self, train_rows: pd.DataFrame, rng: Rng, device: str) -> None:
        self.device = device
        self.design = Design.standardised(train_rows, self.schema)
        x, there = self._tensors(train_rows)
        self.low = x.masked_fill(there == 0, np.inf).amin(0)  # [D]
        self.high = x.masked_fill(there == 0, -np.inf).amax(0)
        self.owner = self._owner().to(device)
        self.alpha_bar = (1 - self.betas).cumprod(0).to(device)
        self.network = CSDI(
            columns=x.shape[1],
            width=self.width,
            depth=self.depth,
            heads=self.heads,
            feature=self.feature,
            generator=rng.branch("weights").torch(),
        ).to(device)
        try:
            self.history = train(
                self.network,
                self._loss,
                (x, there),
                validation=None,
                settings=self.settings,
                rng=rng.branch("training"),
                label=self.name,
            )
        except DivergenceError as error:
            raise ImputationError(str(error)) from error

    def _loss(self, batch: tuple[Tensor, ...], generator: torch.Generator) -> Tensor:
        """Return L of each row, [b], for numbers x [b, D] of which some are there [b, D]."""
        x, there = batch
        asked = asked_for(there, self.owner, generator)
        step = torch.randint(len(self.betas), (len(x),), generator=generator, device=x.device)
        eps = torch.randn(x.shape, generator=generator, device=x.device)
        alpha_bar = self.alpha_bar[step][:, None]
        noisy = alpha_bar.sqrt() * x + (1 - alpha_bar).sqrt() * eps
        hat = self.network(noisy * asked, x, there - asked, self._time(step))
        return ((eps - hat).square() * asked).sum(1) / asked.sum(1).clamp(min=1)

    @torch.no_grad()
    def _impute(self, rows: pd.DataFrame, rng: Rng, draws: int) -> list[pd.DataFrame]:
        x, there = self._tensors(rows)
        drawn = []
        for i in range(draws):
            generator = rng.branch("draw", i).torch(self.device)
            inside = self._walk(x, there, generator).maximum(self.low).minimum(self.high)
            filled = there * x + (1 - there) * inside
            drawn.append(self.design.frame(filled.double().cpu().numpy()))
        return drawn

    def _walk(self, x: Tensor, there: Tensor, generator: torch.Generator) -> Tensor:
        """Return drawn numbers [n, D] by ancestral steps from noise."""
        drawn = torch.randn(x.shape, generator=generator, device=x.device)
        for k in reversed(range(len(self.betas))):
            step = torch.full((len(x),), k, device=x.device)
            known = zip(*(part.split(ROWS_PER_CALL) for part in (drawn * (1 - there), x, there, self._time(step))))
            eps = torch.cat([self.network(*part) for part in known])
            noise = torch.randn(x.shape, generator=generator, device=x.device) if k else torch.zeros_like(x)
            drawn = ancestral(drawn, eps, noise, k=k, betas=self.betas, alpha_bar=self.alpha_bar)
        return drawn

    def _time(self, step: Tensor) -> Tensor:
        return (step + 1) / len(self.betas)

    def _owner(self) -> Tensor:
        """Return the number of the column each of the D numbers belongs to, [D]."""
        widths = [1] * len(self.schema.numeric) + [len(c.levels) for c in self.schema.categorical]
        return torch.repeat_interleave(torch.tensor(widths))

    def _tensors(self, frame: pd.DataFrame) -> tuple[Tensor, Tensor]:
        """Return x [n, D], 0 in holes, and what is there [n, D], 0 or 1."""
        matrix = self.design.matrix(frame)
        there = torch.tensor(~np.isnan(matrix), dtype=torch.float32, device=self.device)
        return torch.tensor(np.nan_to_num(matrix), dtype=torch.float32, device=self.device), there


def quadratic(steps: int, first: float, last: float) -> Tensor:
    """Return beta_1 .. beta_T, whose square roots are evenly spaced, [T]."""
    return torch.linspace(first**0.5, last**0.5, steps).square()


def asked_for(there: Tensor, owner: Tensor, generator: torch.Generator) -> Tensor:
    """Return which numbers are asked for, [n, D] 0 or 1: of each row a share r ~ U(0, 1) of the cells that are there.

    Args:
        there: [n, D] 0 or 1.
        owner: [D] the column of each number; the numbers of a column go together.
        generator: draws r and the cells.
    """
    n, columns = len(there), int(owner.max()) + 1
    share = torch.rand(n, 1, generator=generator, device=there.device)
    cells = torch.rand(n, columns, generator=generator, device=there.device) < share
    return cells.to(there.dtype)[:, owner] * there


def ancestral(x_t: Tensor, eps: Tensor, noise: Tensor, *, k: int, betas: Tensor, alpha_bar: Tensor) -> Tensor:
    """Return x at the step before the k-th (from 0) [Ho 2020, alg. 2, with the posterior's variance], [n, D]."""
    mean = (x_t - betas[k] / (1 - alpha_bar[k]).sqrt() * eps) / (1 - betas[k]).sqrt()
    before = alpha_bar[k - 1] if k else torch.ones_like(alpha_bar[0])
    return mean + (betas[k] * (1 - before) / (1 - alpha_bar[k])).sqrt() * noise
