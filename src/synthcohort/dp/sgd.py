r"""How is a network fitted so that no row shows?

DP-SGD [Abadi 2016, algorithm 1] with Adam's steps. At each of T steps every row takes part with probability q = b / n,
independently (Poisson sampling), and the optimiser is given

    g = ( sum_i clip_C(g_i) + sigma C N(0, I) ) / b,

b the expected number of rows, not the drawn one, which would tell. The number of steps is fixed: a stop that looks at
rows would have to be paid for. What is done with g costs nothing: Adam's moments, the falling rate, and the moving
average of the weights, which is returned,

    ema <- d ema + (1 - d) weights,    d = min(ema_decay, (1 + step) / (10 + step)).

Losses are not written down: each is a look at the rows.
"""

from __future__ import annotations

import math
import time

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from synthcohort.dp.accountant import PrivacyError
from synthcohort.dp.clipping import ClippedSum, RowLoss, Rows
from synthcohort.dp.randomness import Noise


class PrivateGradients:
    """Noisy mean gradients of Poisson samples.

    Args:
        network: the weights.
        loss: from rows [b, ...] and a generator to one loss a row, [b]; see `ClippedSum`.
        rows: tensors [n, ...] that share their first axis.
        batch_size: b, rows expected in a step, 1..n.
        clip_norm: C, > 0.
        noise_multiplier: sigma, >= 0.
        noise: decides who takes part, and hides them.
        generator: the noise of the losses, which hides nobody.
    """

    def __init__(
        self,
        network: nn.Module,
        loss: RowLoss,
        rows: Rows,
        *,
        batch_size: int,
        clip_norm: float,
        noise_multiplier: float,
        noise: Noise,
        generator: torch.Generator,
    ) -> None:
        self.rows = rows
        self.batch_size = batch_size
        self.rate = sampling_rate(batch_size, len(rows[0]))
        self.deviation = noise_multiplier * clip_norm
        self.noise = noise
        self.generator = generator
        self.clipped = ClippedSum(network, loss, clip_norm)

    def draw(self) -> list[Tensor]:
        """Return the gradient of one step, one tensor a weight."""
        taken = np.flatnonzero(self.noise.uniform(len(self.rows[0])) < self.rate)
        index = torch.from_numpy(taken).to(self.rows[0].device)
        sums = self.clipped(tuple(part[index] for part in self.rows), self.generator)
        if self.deviation:
            sizes = [s.numel() for s in sums]
            drawn = torch.from_numpy(self.noise.normal(sum(sizes))).to(sums[0])
            parts = drawn.split(sizes)
            sums = [s + self.deviation * part.view_as(s) for s, part in zip(sums, parts, strict=True)]
        return [s / self.batch_size for s in sums]


def sampling_rate(batch_size: int, n: int) -> float:
    """Return q = b / n.

    Raises:
        PrivacyError: if b is not in 1..n.
    """
    if not 1 <= batch_size <= n:
        raise PrivacyError(f"batch_size={batch_size} is not in 1..{n}, the number of rows; lower it")
    return batch_size / n


def train_privately(
    network: nn.Module,
    gradients: PrivateGradients,
    *,
    steps: int,
    learning_rate: float,
    weight_decay: float,
    ema_decay: float,
    label: str = "private training",
) -> list[dict[str, float]]:
    """Take `steps` private steps, leave the moving average in `network` and return the history without losses.

    Args:
        network: the weights, changed in place.
        gradients: of its loss.
        steps: T, >= 1, all of them taken.
        learning_rate: of AdamW, > 0; falls to zero on half a cosine.
        weight_decay: of AdamW, >= 0.
        ema_decay: weight of the past in the moving average, in [0, 1).
        label: name on the progress bar.
    """
    weights = gradients.clipped.weights
    average = [p.detach().clone() for p in weights]
    optimiser = torch.optim.AdamW(weights, lr=learning_rate, weight_decay=weight_decay, fused=True)
    start = time.perf_counter()
    for step in tqdm(range(steps), desc=label, unit="step", leave=False, mininterval=1.0):
        for group in optimiser.param_groups:
            group["lr"] = learning_rate * (1 + math.cos(math.pi * step / steps)) / 2
        for weight, gradient in zip(weights, gradients.draw(), strict=True):
            weight.grad = gradient
        optimiser.step()
        decay = min(ema_decay, (2 + step) / (11 + step))
        torch._foreach_lerp_(average, [p.detach() for p in weights], 1 - decay)
    gradients.clipped.close()
    with torch.no_grad():
        for weight, value in zip(weights, average, strict=True):
            weight.copy_(value)
    seconds = time.perf_counter() - start
    return [{"step": steps, "loss": math.nan, "validation_loss": math.nan, "seconds": seconds}]
