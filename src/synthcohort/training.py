"""How is a network fitted, and when does it stop?

The one training loop. Batches come from permutations of the training rows drawn by a generator of their own; AdamW
[Loshchilov 2019] follows the gradient; an exponential moving average of the weights is kept,

    ema <- d ema + (1 - d) weights,    d = min(ema_decay, (1 + step) / (10 + step)),

(its warm-up as in TensorFlow's ExponentialMovingAverage), and it alone is evaluated, kept and returned: after `train`
the network *is* the best average. Validation losses are comparable from step to step because every evaluation draws
the same times and noise. Nothing is learned from validation rows; they choose the step to keep.

Matrix products of the forward pass may run in bfloat16 where the processor has them; weights and losses are float32.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn
from tqdm import tqdm

from synthcohort.rng import Rng

Rows = tuple[Tensor, ...]
Loss = Callable[[Rows, torch.Generator], Tensor]

WIDE = 256  # hidden width from which bfloat16 products pay


class DivergenceError(RuntimeError):
    """The loss became infinite or not a number."""


@dataclass(frozen=True)
class Settings:
    """How long and how fast to train.

    Args:
        max_steps: gradient steps at most, >= 1.
        batch_size: rows a step, >= 1.
        learning_rate: of AdamW after the warm-up, > 0.
        warmup_steps: steps over which the learning rate rises linearly from zero, >= 0.
        final_rate: share of the learning rate left at max_steps, on a half cosine, in [0, 1].
        weight_decay: of AdamW, >= 0.
        ema_decay: weight of the past in the moving average, in [0, 1).
        evaluate_every: steps between two evaluations, >= 1.
        patience: the fit stops at `patience` times the step of the lowest validation loss, > 1; a multiple, so that
            the same value suits fits that need hundreds of steps and thousands.
        validation_draws: rows of one evaluation, >= 1: as many validation rows, or fewer repeated with other noise.
    """

    max_steps: int
    batch_size: int
    learning_rate: float
    warmup_steps: int = 100
    final_rate: float = 0.0
    weight_decay: float = 0.0
    ema_decay: float = 0.999
    evaluate_every: int = 250
    patience: float = 1.6
    validation_draws: int = 2048

    def __post_init__(self) -> None:
        at_least_one = ("max_steps", "batch_size", "evaluate_every", "validation_draws")
        for name in at_least_one:
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)} must be at least 1")
        for name in ("warmup_steps", "weight_decay"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name}={getattr(self, name)} must not be negative")
        if not self.patience > 1:
            raise ValueError(f"patience={self.patience} must be more than 1, in multiples of the best step")
        if not self.learning_rate > 0:
            raise ValueError(f"learning_rate={self.learning_rate} must be positive")
        if not 0 <= self.ema_decay < 1:
            raise ValueError(f"ema_decay={self.ema_decay} is not in [0, 1)")
        if not 0 <= self.final_rate <= 1:
            raise ValueError(f"final_rate={self.final_rate} is not in [0, 1]")


def train(
    network: nn.Module,
    loss: Loss,
    rows: Rows,
    *,
    validation: Rows | None,
    settings: Settings,
    rng: Rng,
    label: str = "training",
) -> list[dict[str, float]]:
    """Fit `network` in place and return the history.

    Args:
        network: the weights that `loss` reads; afterwards the moving average of the best evaluation.
        loss: from a tuple of tensors [b, ...] and a generator for its noise to one loss a row, [b].
        rows: tensors [n, ...] that share their first axis, on the device of the network.
        validation: the same of validation rows; None: no early stop, the last average is kept.
        settings: how long and how fast.
        rng: randomness of batches and noise.
        label: name on the progress bar.

    Returns:
        One record per evaluation: step, loss (mean over the steps since the last one), validation_loss (NaN
        without validation rows), seconds (wall, since the start).

    Raises:
        DivergenceError: if a loss is not finite, with the step.
    """
    fit = _Fit(network, settings, rng, rows[0].device)
    start = time.perf_counter()
    history: list[dict[str, float]] = []
    total, counted = 0.0, 0
    batches = _batches(len(rows[0]), settings.batch_size, rng.branch("batches").torch())
    with tqdm(total=settings.max_steps, desc=label, unit="step", leave=False, mininterval=1.0) as bar:
        for step in range(1, settings.max_steps + 1):
            index = next(batches).to(rows[0].device)
            total, counted = total + fit.step(loss, tuple(part[index] for part in rows)), counted + 1
            if not math.isfinite(total):
                raise DivergenceError(
                    f"{label} diverged: the loss is {total} at step {step} of {settings.max_steps} with "
                    f"learning_rate={settings.learning_rate}; lower the learning rate"
                )
            bar.update()
            if step % settings.evaluate_every and step != settings.max_steps:
                continue
            measured = fit.evaluate(loss, validation)
            history.append(
                {
                    "step": step,
                    "loss": total / counted,
                    "validation_loss": measured,
                    "seconds": time.perf_counter() - start,
                }
            )
            total, counted = 0.0, 0
            if validation is not None and step >= settings.patience * fit.best_step(measured):
                break
    fit.finish()
    return history


@dataclass
class _Fit:
    """The moving parts of one fit: optimiser, average, best evaluation so far."""

    network: nn.Module
    settings: Settings
    rng: Rng
    device: torch.device
    taken: int = 0
    best: float = math.inf
    at_best: int = 0
    kept: list[Tensor] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.weights = [p for p in self.network.parameters() if p.requires_grad]
        self.average = [p.detach().clone() for p in self.weights]
        self.noise = self.rng.branch("noise").torch(str(self.device))
        s = self.settings
        self.optimiser = torch.optim.AdamW(self.weights, lr=s.learning_rate, weight_decay=s.weight_decay, fused=True)

    def step(self, loss: Loss, batch: Rows) -> float:
        for group in self.optimiser.param_groups:
            group["lr"] = self.settings.learning_rate * _rate(self.taken, self.settings)
        value = loss(batch, self.noise).mean()
        self.optimiser.zero_grad(set_to_none=True)
        value.backward()
        self.optimiser.step()
        self.taken += 1
        decay = min(self.settings.ema_decay, (1 + self.taken) / (10 + self.taken))
        torch._foreach_lerp_(self.average, [p.detach() for p in self.weights], 1 - decay)
        return float(value.detach())

    @torch.no_grad()
    def evaluate(self, loss: Loss, validation: Rows | None) -> float:
        """Return the average's loss on the validation rows, with the same noise at every call."""
        if validation is None:
            return math.nan
        index = next(_batches(len(validation[0]), self.settings.validation_draws, self.rng.branch("rows").torch())).to(
            self.device
        )
        generator = self.rng.branch("validation").torch(str(self.device))
        self._swap()
        losses = loss(tuple(part[index] for part in validation), generator)
        self._swap()
        return float(losses.double().mean())

    def best_step(self, measured: float) -> int:
        """Return the step of the lowest validation loss so far; keep the average if it is this one."""
        if measured < self.best:
            self.best, self.at_best = measured, self.taken
            self.kept = [a.clone() for a in self.average]
        return self.at_best

    @torch.no_grad()
    def finish(self) -> None:
        for weight, value in zip(self.weights, self.kept or self.average, strict=True):
            weight.copy_(value)

    def _swap(self) -> None:
        for weight, value in zip(self.weights, self.average, strict=True):
            weight.data, value.data = value.data, weight.data


def _rate(taken: int, settings: Settings) -> float:
    """Return the share of the learning rate at a step: linear warm-up times half a cosine."""
    rise = min(1.0, (taken + 1) / (settings.warmup_steps + 1))
    fall = (1 + math.cos(math.pi * taken / settings.max_steps)) / 2
    return rise * (settings.final_rate + (1 - settings.final_rate) * fall)


def _batches(n: int, size: int, generator: torch.Generator) -> Iterator[Tensor]:
    """Yield row numbers [size], running through one permutation of the n rows after the other."""
    left = torch.empty(0, dtype=torch.int64)
    while True:
        while len(left) < size:
            left = torch.cat([left, torch.randperm(n, generator=generator)])
        yield left[:size]
        left = left[size:]


def fast_dtype(device: str, width: int, cpuinfo: Path = Path("/proc/cpuinfo")) -> torch.dtype:
    """Return the type of fast matrix products: bfloat16 where the hardware has it and layers are wide, else float32.

    Casting costs more than the product saves in narrow layers: a step of the autoencoder 128 wide takes two thirds of
    the time in float32, one of the denoiser 256 wide takes 1.6 times as long.

    Args:
        device: torch's name of it.
        width: of the hidden layers.
        cpuinfo: where a Linux kernel lists the processor's abilities.
    """
    if width < WIDE:
        return torch.float32
    if torch.device(device).type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float32
    if torch.device(device).type != "cpu" or not cpuinfo.exists():
        return torch.float32
    known = cpuinfo.read_text(encoding="utf-8", errors="replace")
    return torch.bfloat16 if "avx512_bf16" in known or "amx_bf16" in known else torch.float32
