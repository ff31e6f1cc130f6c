"""What does a conditional generative adversarial network draw?

CTGAN [Xu 2019]. A numeric cell is one of several modes and a place on it (`generators.parts.modes`); a row is drawn for
one level of one categorical column, its condition c (`generators.parts.mode_game`). With packs of ten rows and their
conditions side by side (`networks.gan`), the critic and the generator go down

    L_C = E C(x~, c) - E C(x, c) + 10 E[ (|grad C| - 1)^2 ],
    L_G = -E C(x~, c) + H( c, p(conditioned column | z, c) ),

H the cross-entropy.

Departs: a small table is trained for `least_steps` turns at least, where 300 passes over 500 rows would be 300 turns;
a large one for `max_steps` at most, where 300 passes over 34,000 rows would be 20,400. Rows are
drawn with the running moments of the batch normalisation, so that a row does not depend on its neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from synthcohort.generators.parts.adversarial import above_zero, descend, still, turns_of
from synthcohort.generators.parts.fitting import at_least
from synthcohort.generators.parts.mode_game import ModeGame, Shown
from synthcohort.generators.parts.modes import ModeRows, Modes
from synthcohort.networks.gan import ConcatGenerator, PackedCritic, gradient_penalty, pack
from synthcohort.rng import Rng
from synthcohort.training import fast_dtype


@dataclass(kw_only=True, eq=False)
class CTGAN(ModeGame):
    """A Wasserstein GAN on modes and levels, asked for one level at a time.

    Args:
        latent: width of z, >= 1.
        width: of the hidden layers of both networks, >= 1.
        depth: hidden layers of both networks, >= 1.
        pac: rows the critic sees at once, >= 1.
        dropout: share of the critic's hidden values set to zero, in [0, 1).
        tau: temperature of the Gumbel-softmax, > 0.
        penalty: weight of the gradient penalty, >= 0.
        epochs: passes over the training rows, >= 1.
        least_steps: turns at least, >= 1.
        max_steps: turns at most, >= 1; `least_steps` has the last word.
        batch_size: rows a gradient step, a multiple of `pac`.
        learning_rate: of Adam, both networks, > 0.
        weight_decay: of Adam, both networks, >= 0.
        max_modes: modes of a numeric column at most, >= 1.
    """

    latent: int = 128
    width: int = 256
    depth: int = 2
    pac: int = 10
    dropout: float = 0.5
    tau: float = 0.2
    penalty: float = 10.0
    epochs: int = 300
    least_steps: int = 600
    max_steps: int = 10_000
    batch_size: int = 500
    learning_rate: float = 2e-4
    weight_decay: float = 1e-6
    max_modes: int = 10

    def __post_init__(self) -> None:
        super().__init__()
        at_least(self, latent=1, width=1, depth=1, pac=1, epochs=1, least_steps=1, max_steps=1, max_modes=1)
        at_least(self, penalty=0, weight_decay=0)
        above_zero(self, "learning_rate", "tau")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"ctgan: dropout={self.dropout} is not in [0, 1)")
        if self.batch_size < self.pac or self.batch_size % self.pac:
            raise ValueError(f"ctgan: batch_size={self.batch_size} must be a multiple of pac={self.pac}")

    def _fit(self, train: pd.DataFrame, validation: pd.DataFrame | None, rng: Rng, device: str) -> None:
        self.table = Modes.fit(train, self.schema, rng.branch("modes"), max_modes=self.max_modes)
        self._build(device, rng.branch("weights"))
        critic = PackedCritic(
            features=self.table.width + self.conditions,
            pac=self.pac,
            width=self.width,
            depth=self.depth,
            dropout=self.dropout,
            generator=rng.branch("critic").torch(),
        ).to(device)
        self.players = [self.sampled, critic]
        game = _Game(self, critic, self.table.encode(train, rng.branch("rows"), device), rng)
        steps = turns_of(self.epochs, len(train), self.batch_size, least=self.least_steps, most=self.max_steps)
        self._take_turns(game.turn, steps)

    def _build(self, device: str, rng: Rng) -> None:
        self._lay_out(device, torch.tensor(self.table.level_counts, device=device), self.table.numeric)
        self.dtype = fast_dtype(device, self.width)
        self.sampled = ConcatGenerator(
            inputs=self.latent + self.conditions,
            outputs=self.table.width,
            width=self.width,
            depth=self.depth,
            generator=rng.torch(),
        ).to(device)

    def _restore_table(self, arrays: dict[str, np.ndarray]) -> None:
        self.table = Modes.restore(self.schema, arrays)


class _Game:
    """The moving parts of one fit: both optimisers, the rows and the noise."""

    def __init__(self, owner: CTGAN, critic: PackedCritic, rows: ModeRows, rng: Rng) -> None:
        self.owner = owner
        self.critic = critic
        self.noise = rng.branch("noise").torch(owner.device)
        self.shown = Shown(owner, rows, self.noise)
        settings: dict[str, Any] = {"lr": owner.learning_rate, "betas": (0.5, 0.9), "weight_decay": owner.weight_decay}
        self.up = torch.optim.Adam(critic.parameters(), fused=True, **settings)
        self.down = torch.optim.Adam(owner.sampled.parameters(), fused=True, **settings)

    def turn(self) -> float:
        """Move the critic, then the generator; return the critic's estimate of their distance."""
        distance = self._move_critic()
        with still(self.critic):
            self._move_generator()
        return distance

    def _move_critic(self) -> float:
        o, places = self.owner, self.shown.ask(self.owner.batch_size)
        c = o.indicator(places)
        with torch.no_grad():
            generated, _ = o.relaxed(c, self.noise)
        turned = torch.randperm(len(places), generator=self.noise, device=o.device)
        true, false = self._pack(self.shown.real(places[turned]), c[turned]), self._pack(generated, c)
        judged_true, judged_false = self._judge(torch.cat([true, false])).chunk(2)
        gap = judged_false.mean() - judged_true.mean()
        descend(self.up, gap + o.penalty * gradient_penalty(self._slope, true, false, self.noise))
        return -float(gap.detach())

    def _move_generator(self) -> None:
        o, places = self.owner, self.shown.ask(self.owner.batch_size)
        c = o.indicator(places)
        generated, logits = o.relaxed(c, self.noise)
        descend(self.down, o.told(logits, places) - self._judge(self._pack(generated, c)).mean())

    def _judge(self, packs: Tensor) -> Tensor:
        with self.owner.autocast():
            return self.critic(packs, self.noise).float()

    def _slope(self, packs: Tensor) -> Tensor:
        with self.owner.autocast():
            return self.critic.slope(packs, self.noise).float()

    def _pack(self, rows: Tensor, c: Tensor) -> Tensor:
        return pack(torch.cat([rows, c], dim=1), self.owner.pac)
