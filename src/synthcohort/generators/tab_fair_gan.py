r"""What does a generative adversarial network draw that is charged for unequal groups?

TabFairGAN [Rajabi 2022]: a Wasserstein GAN with gradient penalty, levels relaxed by Gumbel-softmax, taught in two
phases. The critic C and, in the first phase, the generator go down

    L_C = E C(x~) - E C(x) + 10 E[ (|grad C| - 1)^2 ],      L_G = - E C(x~);

in the second phase L_G also carries the demographic parity of the rows themselves,

    L_G = - E C(x~) + lambda_f gap,        gap = | P(positive | s = 0) - P(positive | s = 1) |        [Rajabi 2022].

It is the table that becomes fair, in the share of positive rows of each group, and nothing can be asked of it.

Departs: the source is told which group is underprivileged and charges the signed difference, which goes on below zero
(its release divides it by the batch size once more). Here no group is named, there may be several sensitive columns,
their gaps averaged, and more than two groups g of share pi_g and positive rate r_g in the batch, r over all:

    gap = sum_g pi_g |r_g - r| / (1 - sum_g pi_g^2),

which is |r_0 - r_1| for two groups and does not hang on a group that a batch hardly shows. Without a categorical target
or a categorical sensitive column there is no gap and the second phase is like the first. Numbers are normal scores
drawn linearly, where the source has uniform ones drawn by ReLU; the generator widens as CTGAN's does (`networks.gan`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from synthcohort.encoding import Encoded, Encoder
from synthcohort.generators.parts.adversarial import Adversarial, above_zero, descend, still, turns_of
from synthcohort.generators.parts.fitting import at_least
from synthcohort.generators.parts.labelled import rank_intervals, spread
from synthcohort.networks.gan import ConcatGenerator, PackedCritic, gradient_penalty
from synthcohort.networks.groups import Groups
from synthcohort.rng import Rng
from synthcohort.training import fast_dtype

ROWS_PER_CALL = 8_192


@dataclass(kw_only=True, eq=False)
class TabFairGAN(Adversarial):
    """A Wasserstein GAN whose last turns are charged for groups of unequal positive rates.

    Args:
        latent: width of z, >= 1.
        width: of the hidden layers of both networks, >= 1.
        depth: hidden layers of both networks, >= 1.
        tau: temperature of the Gumbel-softmax, > 0.
        penalty: weight of the gradient penalty, >= 0.
        fairness: lambda_f, weight of the gap in the second phase, >= 0.
        fair_share: share of the turns that are the second phase, in [0, 1].
        critic_steps: moves of the critic a turn, >= 1.
        epochs: passes over the training rows, both phases together, > 0.
        least_steps: turns at least, >= 1.
        max_steps: turns at most, >= 1; `least_steps` has the last word.
        batch_size: rows a move, >= 2.
        learning_rate: of Adam, both networks, > 0.
    """

    abilities: ClassVar[frozenset[str]] = frozenset()

    latent: int = 128
    width: int = 256
    depth: int = 2
    tau: float = 0.2
    penalty: float = 10.0
    fairness: float = 0.5
    fair_share: float = 0.15
    critic_steps: int = 4
    epochs: float = 200
    least_steps: int = 400
    max_steps: int = 4_000
    batch_size: int = 256
    learning_rate: float = 2e-4

    def __post_init__(self) -> None:
        super().__init__()
        at_least(self, latent=1, width=1, depth=1, critic_steps=1, least_steps=1, max_steps=1, batch_size=2)
        at_least(self, penalty=0, fairness=0)
        above_zero(self, "tau", "epochs", "learning_rate")
        if not 0 <= self.fair_share <= 1:
            raise ValueError(f"tab_fair_gan: fair_share={self.fair_share} is not in [0, 1]")

    def _fit(self, train: pd.DataFrame, validation: pd.DataFrame | None, rng: Rng, device: str) -> None:
        self.table = Encoder.fit(train, self.schema)
        self._build(device, rng.branch("weights"))
        critic = PackedCritic(
            features=self.numeric + self.groups.total,
            pac=1,
            width=self.width,
            depth=self.depth,
            dropout=0.0,
            generator=rng.branch("critic").torch(),
        ).to(device)
        self.players = [self.sampled, critic]
        game = _Game(self, critic, self._rows(train, rng.branch("rows")), rng.branch("game"))
        per_turn = self.batch_size * self.critic_steps
        turns = turns_of(self.epochs, len(train), per_turn, least=self.least_steps, most=self.max_steps)
        fair = round(self.fair_share * turns)
        self._take_turns(partial(game.turn, 0.0), turns - fair)
        self.sampled.train()
        self._take_turns(partial(game.turn, self.fairness), fair)

    def _build(self, device: str, rng: Rng) -> None:
        self.device = device
        self.dtype = fast_dtype(device, self.width)
        self.numeric = len(self.schema.numeric)
        self.groups = Groups(tuple(len(c.levels) for c in self.schema.categorical), device)
        self.sampled = ConcatGenerator(
            inputs=self.latent,
            outputs=self.numeric + self.groups.total,
            width=self.width,
            depth=self.depth,
            generator=rng.torch(),
        ).to(device)

    def _rows(self, frame: pd.DataFrame, rng: Rng) -> Tensor:
        """Return rows as the critic sees them, [n, P + sum(K)]."""
        ranks = torch.tensor(rank_intervals(self.table, frame), dtype=torch.float32, device=self.device)
        codes = torch.tensor(self.table.encode_codes(frame), device=self.device)
        return torch.cat([spread(ranks, rng.torch(self.device)), self.groups.one_hot(codes)], dim=1)

    def _forward(self, n: int, noise: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return scores [n, P] and logits [n, sum(K)] of n drawn rows."""
        z = torch.randn(n, self.latent, generator=noise, device=self.device)
        with self._fast():
            out = self.sampled(z)
        scores, logits = out.float().split([self.numeric, self.groups.total], dim=1)
        return scores, logits

    def _gap(self, rows: Tensor) -> Tensor:
        """Return the gap of relaxed rows [n, P + sum(K)], averaged over the sensitive columns, a scalar."""
        names = [c.name for c in self.schema.categorical]
        sensitive = [names.index(c.name) for c in self.schema.sensitive if not c.numeric]
        target = self.schema.target
        if target.numeric or not sensitive:
            return rows.new_zeros(())
        levels = rows[:, self.numeric :]
        positive = self.groups.of(names.index(target.name), levels)[:, target.levels.index(self.schema.positive)]
        return torch.stack([parity_gap(positive, self.groups.of(g, levels)) for g in sensitive]).mean()

    def _fast(self) -> torch.autocast:
        kind = torch.device(self.device).type
        return torch.autocast(kind, dtype=self.dtype, enabled=self.dtype != torch.float32)

    @torch.no_grad()
    def _sample(self, n: int, conditions: pd.DataFrame | None, rng: Rng, options: Mapping[str, Any]) -> pd.DataFrame:
        noise = rng.branch("noise").torch(self.device)
        parts = []
        for first in range(0, n, ROWS_PER_CALL):
            scores, logits = self._forward(min(ROWS_PER_CALL, n - first), noise)
            parts.append((scores, self.groups.draw(logits, noise)))
        scores, codes = (torch.cat(part) for part in zip(*parts, strict=True))
        return self.table.decode(Encoded(scores.double().cpu().numpy(), codes.cpu().numpy()))

    def _restore_table(self, arrays: dict[str, np.ndarray]) -> None:
        self.table = Encoder.restore(self.schema, arrays)


class _Game:
    """The moving parts of one fit: both optimisers, the rows and the noise."""

    def __init__(self, owner: TabFairGAN, critic: PackedCritic, rows: Tensor, rng: Rng) -> None:
        self.owner = owner
        self.critic = critic
        self.rows = rows
        self.chosen, self.noise = rng.branch("batches").torch(), rng.branch("noise").torch(owner.device)
        settings: dict[str, Any] = {"lr": owner.learning_rate, "betas": (0.5, 0.999), "fused": True}
        self.up = torch.optim.Adam(critic.parameters(), **settings)
        self.down = torch.optim.Adam(owner.sampled.parameters(), **settings)

    def turn(self, fairness: float) -> float:
        """Move the critic, then the generator; return the critic's estimate of their distance."""
        distance = [self._move_critic() for _ in range(self.owner.critic_steps)][-1]
        with still(self.critic):
            drawn = self._relaxed()
            loss = -self._judge(drawn).mean()
            descend(self.down, loss + fairness * self.owner._gap(drawn) if fairness else loss)
        return distance

    def _move_critic(self) -> float:
        size = self.owner.batch_size
        real = self.rows[torch.randint(len(self.rows), (size,), generator=self.chosen).to(self.rows.device)]
        with torch.no_grad():
            drawn = self._relaxed()
        true, false = self._judge(torch.cat([real, drawn])).chunk(2)
        distance = true.mean() - false.mean()
        descend(self.up, self.owner.penalty * gradient_penalty(self._slope, real, drawn, self.noise) - distance)
        return float(distance.detach())

    def _relaxed(self) -> Tensor:
        """Return a batch of drawn rows, levels relaxed, [b, P + sum(K)]."""
        scores, logits = self.owner._forward(self.owner.batch_size, self.noise)
        return torch.cat([scores, self.owner.groups.gumbel_softmax(logits, self.owner.tau, self.noise)], dim=1)

    def _judge(self, rows: Tensor) -> Tensor:
        with self.owner._fast():
            return self.critic(rows, self.noise).float()

    def _slope(self, rows: Tensor) -> Tensor:
        with self.owner._fast():
            return self.critic.slope(rows, self.noise).float()


def parity_gap(positive: Tensor, groups: Tensor) -> Tensor:
    """Return sum_g pi_g |r_g - r| / (1 - sum_g pi_g^2), a scalar; 0 where a batch shows one group only.

    Args:
        positive: [n] weight of the positive level, in [0, 1].
        groups: [n, K] weights of the levels of one sensitive column, rows sum to 1.
    """
    size = groups.sum(0)  # [K]
    share = size / len(groups)
    rate = positive @ groups / size.clamp(min=1e-6)  # [K]
    spread_ = (share * (rate - positive.mean()).abs()).sum()
    return spread_ / (1 - share.square().sum()).clamp(min=1e-6)
