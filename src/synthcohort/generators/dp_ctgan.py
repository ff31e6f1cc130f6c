"""What does a conditional adversarial network draw whose critic was fitted with differential privacy?

`generators.ctgan` with a critic under DP-SGD [Abadi 2016; Xie 2018]: only the critic sees rows, so only what it learns
from them is clipped and hidden. Its loss,

    L_C = - (1/b) sum_i C(x_i, c_i)  +  (1/b) sum_k C(x~_k, c_k) + 10 E[ (|grad C(x^, c)| - 1)^2 ],

has one part that reads rows, with clipped gradients and noise (`dp.sgd`), and two that do not and cost nothing. The
generator learns from the critic alone, which is post-processing, and is drawn from without cost.

Departs from `ctgan`: gradients of drawn rows x~ are clipped as those of rows are, though no row shows in them. Were
only the latter clipped, as the budget asks, drawn rows would pull many times harder, and the critic would learn to
think little of everything instead of telling the two apart. Rows are drawn with the moving average of the generator's
weights over the turns, as a noisy critic leads it astray at every single one. The penalty is put between drawn rows and
rows x^ drawn evenly from all places and levels, not between drawn and real rows, so that it reads none. A row's
condition is its own level of a column drawn for it, where training by sampling chooses rows by their level, which no
sampling rate describes. No packs and no dropout: a pack would mix rows. Numeric cells are ranks under a noisy histogram
(`parts.private_modes`), since mixtures would be fitted to rows. Defaults are smaller, because the noise that hides a
row grows with the root of the number of weights. The first two were kept after a look at an invented table.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from synthcohort.dp.clipping import quiet
from synthcohort.generators.ctgan import CTGAN
from synthcohort.generators.parts.adversarial import descend, still
from synthcohort.generators.parts.modes import ModeRows
from synthcohort.generators.parts.private_labelled import buy_laws
from synthcohort.generators.parts.private_modes import PrivateModes
from synthcohort.generators.parts.private_network import PrivateFit, Purchase
from synthcohort.networks.gan import PackedCritic, gradient_penalty
from synthcohort.rng import Rng


@dataclass(kw_only=True, eq=False)
class DPCTGAN(PrivateFit, CTGAN):
    """A Wasserstein GAN on ranks and levels whose rows do not show; see `PrivateFit` for its budget and steps.

    Args:
        latent: width of z, >= 1.
        width: of the hidden layers of both networks, >= 1.
        depth: hidden layers of both networks, >= 1.
        tau: temperature of the Gumbel-softmax, > 0.
        penalty: weight of the gradient penalty, >= 0.
        learning_rate: of Adam, both networks, > 0.
        weight_decay: of Adam, both networks, >= 0.
        critic_steps: noisy steps of the critic before each of the generator's, >= 1.
        ema_decay: weight of the past in the average of the generator's weights, in [0, 1).
    """

    abilities: ClassVar[frozenset[str]] = CTGAN.abilities | {"private"}

    latent: int = 16
    width: int = 64
    depth: int = 2
    max_steps: int = 600
    batch_size: int = 128
    learning_rate: float = 2e-3
    weight_decay: float = 0.0
    critic_steps: int = 2
    ema_decay: float = 0.97
    pac: int = field(init=False, default=1)
    dropout: float = field(init=False, default=0.0)
    epochs: int = field(init=False, default=1)
    least_steps: int = field(init=False, default=1)
    max_modes: int = field(init=False, default=1)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1 <= self.critic_steps <= self.max_steps:
            raise ValueError(f"{self.name}: critic_steps={self.critic_steps} is not in 1..max_steps={self.max_steps}")
        if not 0 <= self.ema_decay < 1:
            raise ValueError(f"{self.name}: ema_decay={self.ema_decay} is not in [0, 1)")

    def _buy_table(self, train: pd.DataFrame, edges: list[np.ndarray], purchase: Purchase) -> None:
        encoder, counts = buy_laws(
            train,
            self.schema,
            edges,
            self.schema.categorical,
            ledger=purchase.ledger,
            noise_multiplier=purchase.noise_multiplier,
            noise=purchase.noise,
        )
        self.table = PrivateModes(encoder, np.concatenate([np.zeros(0), *counts]))

    def _build(self, device: str, rng: Rng) -> None:
        super()._build(device, rng)
        self.dtype = torch.float32

    def _descend(self, train: pd.DataFrame, paid: Purchase, rng: Rng, device: str) -> None:
        critic = PackedCritic(
            features=self.table.width + self.conditions,
            pac=1,
            width=self.width,
            depth=self.depth,
            dropout=0.0,
            generator=rng.branch("critic").torch(),
        ).to(device)
        self.players = [self.sampled, critic]
        game = _Game(self, critic, self.table.encode(train, rng.branch("rows"), device), paid, rng)
        self._take_turns(game.turn, self.max_steps // self.critic_steps)
        for _ in range(self.max_steps % self.critic_steps):
            game.move_critic()  # paid for, so taken
        game.end()

    def _restore_table(self, arrays: dict[str, np.ndarray]) -> None:
        self.table = PrivateModes.restore(self.schema, arrays)


class _Game:
    """The moving parts of one fit: both optimisers, the noisy gradients of rows, the average, the noise of the game."""

    def __init__(self, owner: DPCTGAN, critic: PackedCritic, rows: ModeRows, paid: Purchase, rng: Rng) -> None:
        self.owner = owner
        self.critic = critic
        self.noise = rng.branch("noise").torch(owner.device)
        shown = torch.cat([rows.alpha, owner.groups.one_hot(rows.codes)], dim=1)  # [n, width]
        real = shown, self._own(rows.codes), -shown.new_ones(len(shown))
        self.real = owner._gradients(critic, self._signed, real, paid, rng.branch("losses"))
        settings: dict[str, Any] = {"lr": owner.learning_rate, "betas": (0.5, 0.9), "weight_decay": owner.weight_decay}
        self.up = torch.optim.Adam(critic.parameters(), fused=True, **settings)
        self.down = torch.optim.Adam(owner.sampled.parameters(), fused=True, **settings)
        self.average = [part.clone() for part in owner.sampled.state_dict().values()]
        self.turns = 0

    def turn(self) -> float:
        """Move the critic as often as it is due, then the generator; return the loss that reads no row."""
        for _ in range(self.owner.critic_steps):
            loss = self.move_critic()
        with still(self.critic):
            self._move_generator()
        self.turns += 1
        decay = min(self.owner.ema_decay, (1 + self.turns) / (10 + self.turns))
        torch._foreach_lerp_(self.average, list(self.owner.sampled.state_dict().values()), 1 - decay)
        return loss

    def end(self) -> None:
        """Leave the average in the generator and take the hooks off the critic."""
        for part, value in zip(self.owner.sampled.state_dict().values(), self.average, strict=True):
            part.copy_(value)
        self.real.clipped.close()

    def move_critic(self) -> float:
        """Take one noisy step of the critic; return its penalty, which reads no row."""
        o = self.owner
        places = o._usual(o.batch_size, self.noise)
        c = o.indicator(places)
        with torch.no_grad():
            drawn = o.relaxed(c, self.noise)[0]
        penalty = gradient_penalty(self._slope, self._anywhere(c), torch.cat([drawn, c], dim=1), self.noise)
        self.up.zero_grad(set_to_none=True)
        with quiet():
            (o.penalty * penalty).backward()
        false = self.real.clipped((drawn, places[:, None], drawn.new_ones(len(drawn))), self.noise)
        for weight, up, down in zip(self.real.clipped.weights, self.real.draw(), false, strict=True):
            gap = up + down / len(drawn)
            weight.grad = gap if weight.grad is None else weight.grad + gap
        self.up.step()
        return float(penalty.detach())

    def _slope(self, rows: Tensor) -> Tensor:
        return self.critic.slope(rows, self.noise)

    def _signed(self, batch: tuple[Tensor, ...], generator: torch.Generator) -> Tensor:
        """Return s_i C(x_i, c_i) of each row, [b], c_i its own level of a column drawn for it; s_i is -1 for real."""
        rows, own, sign = batch
        column = torch.randint(own.shape[1], (len(own), 1), generator=generator, device=own.device)  # [b, 1]
        c = self.owner.indicator(own.gather(1, column)[:, 0])
        return sign * self.critic(torch.cat([rows, c], dim=1), generator)

    def _own(self, codes: Tensor) -> Tensor:
        """Return the places of each row's levels, [n, Q]; [n, 1] of any if there are no levels."""
        levels = torch.tensor(self.owner.levels, dtype=torch.int64, device=codes.device)
        if not len(levels):
            return torch.zeros(len(codes), 1, dtype=torch.int64, device=codes.device)
        return codes[:, self.owner.first :] + levels.cumsum(0) - levels

    def _anywhere(self, c: Tensor) -> Tensor:
        """Return rows with conditions c, places and levels drawn evenly, [b, features]."""
        o = self.owner
        alpha = 2 * torch.rand(len(c), o.table.numeric, generator=self.noise, device=c.device) - 1
        levels = o.groups.one_hot(o.groups.draw(torch.zeros(len(c), o.groups.total, device=c.device), self.noise))
        return torch.cat([alpha, levels, c], dim=1)

    def _move_generator(self) -> None:
        o = self.owner
        places = o._usual(o.batch_size, self.noise)
        c = o.indicator(places)
        drawn, logits = o.relaxed(c, self.noise)
        judged = self.critic(torch.cat([drawn, c], dim=1), self.noise).mean()
        with quiet():
            descend(self.down, o.told(logits, places) - judged)
