"""What does a conditional adversarial network draw whose critic was fitted with differential privacy?

`generators.ctgan` with a critic under DP-SGD [Abadi 2016; Xie 2018]: only the critic sees rows, so only what it learns
from them is clipped and hidden. Its loss,

    L_C = - (1/b) sum_i C(x_i, c_i)  +  E C(x~, c) + 10 E[ (|grad C(x^, c)| - 1)^2 ],

has one part that reads rows, with clipped gradients and noise (`dp.sgd`), and one that does not and costs nothing. The
generator learns from the critic alone, which is post-processing, and is drawn from without cost.

Departs from `ctgan`: the penalty is put between drawn rows x~ and rows x^ drawn evenly from all places and levels, not
between drawn and real rows, so that it reads none. A row's condition is its own level of a column drawn for it, where
training by sampling chooses rows by their level, which no sampling rate describes. No packs and no dropout: a pack
would mix rows. Numeric cells are ranks under a noisy histogram (`parts.private_modes`), since mixtures would be fitted
to rows. Defaults are smaller, because the noise that hides a row grows with the root of the number of weights.
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
    pac: int = field(init=False, default=1)
    dropout: float = field(init=False, default=0.0)
    epochs: int = field(init=False, default=1)
    least_steps: int = field(init=False, default=1)
    max_modes: int = field(init=False, default=1)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1 <= self.critic_steps <= self.max_steps:
            raise ValueError(f"{self.name}: critic_steps={self.critic_steps} is not in 1..max_steps={self.max_steps}")

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
        game.real.clipped.close()

    def _restore_table(self, arrays: dict[str, np.ndarray]) -> None:
        self.table = PrivateModes.restore(self.schema, arrays)


class _Game:
    """The moving parts of one fit: both optimisers, the noisy gradients of rows and the noise of the game."""

    def __init__(self, owner: DPCTGAN, critic: PackedCritic, rows: ModeRows, paid: Purchase, rng: Rng) -> None:
        self.owner = owner
        self.critic = critic
        self.noise = rng.branch("noise").torch(owner.device)
        self.real = owner._gradients(critic, self._row_loss, (rows.alpha, rows.codes), paid, rng.branch("losses"))
        settings: dict[str, Any] = {"lr": owner.learning_rate, "betas": (0.5, 0.9), "weight_decay": owner.weight_decay}
        self.up = torch.optim.Adam(critic.parameters(), fused=True, **settings)
        self.down = torch.optim.Adam(owner.sampled.parameters(), fused=True, **settings)

    def turn(self) -> float:
        """Move the critic as often as it is due, then the generator; return the loss that reads no row."""
        for _ in range(self.owner.critic_steps):
            loss = self.move_critic()
        with still(self.critic):
            self._move_generator()
        return loss

    def move_critic(self) -> float:
        """Take one noisy step of the critic; return the part of its loss that reads no row."""
        o = self.owner
        c = o.indicator(o._usual(o.batch_size, self.noise))
        with torch.no_grad():
            drawn = torch.cat([o.relaxed(c, self.noise)[0], c], dim=1)
        penalty = gradient_penalty(self._slope, self._anywhere(c), drawn, self.noise)
        free = self.critic(drawn, self.noise).mean() + o.penalty * penalty
        self.up.zero_grad(set_to_none=True)
        with quiet():
            free.backward()
        for weight, gradient in zip(self.real.clipped.weights, self.real.draw(), strict=True):
            weight.grad = gradient if weight.grad is None else weight.grad + gradient
        self.up.step()
        return float(free.detach())

    def _slope(self, rows: Tensor) -> Tensor:
        return self.critic.slope(rows, self.noise)

    def _row_loss(self, batch: tuple[Tensor, ...], generator: torch.Generator) -> Tensor:
        """Return -C(x_i, c_i) of each row, [b], c_i its own level of a column drawn for it."""
        o, (alpha, codes) = self.owner, batch
        rows = torch.cat([alpha, o.groups.one_hot(codes)], dim=1)
        return -self.critic(torch.cat([rows, o.indicator(self._own(codes, generator))], dim=1), generator)

    def _own(self, codes: Tensor, generator: torch.Generator) -> Tensor:
        """Return for each row the place of its own level of a column drawn for it, [b]; any if there is none."""
        levels = torch.tensor(self.owner.levels, dtype=torch.int64, device=codes.device)
        if not len(levels):
            return torch.zeros(len(codes), dtype=torch.int64, device=codes.device)
        column = torch.randint(len(levels), (len(codes), 1), generator=generator, device=codes.device)  # [b, 1]
        own = codes.gather(1, column + self.owner.first)
        return ((levels.cumsum(0) - levels)[column] + own)[:, 0]

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
