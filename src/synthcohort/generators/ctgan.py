"""What does a conditional generative adversarial network draw?

CTGAN [Xu 2019]. A numeric cell is one of several modes and a place on it (`generators.parts.modes`). The generator sees
noise z ~ N(0, I) and a condition c: the indicator of one level of one categorical column, in one vector over the levels
of all of them; in training (column, level) and the real row beside it come from `generators.parts.by_level`. Places are
drawn as tanh, modes and levels as Gumbel-softmax with tau = 0.2 [Xu 2019, sec. 4.4]. With packs of ten rows and their
conditions side by side (`networks.gan`), the critic and the generator go down

    L_C = E C(x~, c) - E C(x, c) + 10 E[ (|grad C| - 1)^2 ],
    L_G = -E C(x~, c) + H( c, p(conditioned column | z, c) ),

H the cross-entropy. Rows of the joint law are drawn with conditions that follow the frequencies of the training rows.
A row with a given target is drawn with the target's level as condition; if the drawn target is another, the row is
drawn again, up to 20 times, and then keeps its other cells beside the target that was asked for.

Departs: a small table is trained for `least_steps` steps at least, where 300 passes over 500 rows would be 300 steps.
Rows are drawn with the running moments of the batch normalisation, so that a row does not depend on its neighbours.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from synthcohort.generators.base import Generator
from synthcohort.generators.parts.adversarial import descend, repeat
from synthcohort.generators.parts.by_level import RowsByLevel, frequency_law, log_law
from synthcohort.generators.parts.labelled import network_state, restore_network
from synthcohort.generators.parts.modes import ModeRows, Modes
from synthcohort.networks.gan import ConcatGenerator, PackedCritic, gradient_penalty, pack
from synthcohort.networks.groups import Groups
from synthcohort.rng import Rng
from synthcohort.training import fast_dtype

ROUNDS = 20  # times a row is drawn again whose target is not the one asked for
ROWS_PER_CALL = 16_384


class CTGAN(Generator):
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
        least_steps: gradient steps at least, >= 1.
        batch_size: rows a gradient step, a multiple of `pac`.
        learning_rate: of Adam, both networks, > 0.
        weight_decay: of Adam, both networks, >= 0.
        max_modes: modes of a numeric column at most, >= 1.
    """

    abilities: ClassVar[frozenset[str]] = frozenset({"condition-target"})

    def __init__(
        self,
        *,
        latent: int = 128,
        width: int = 256,
        depth: int = 2,
        pac: int = 10,
        dropout: float = 0.5,
        tau: float = 0.2,
        penalty: float = 10.0,
        epochs: int = 300,
        least_steps: int = 600,
        batch_size: int = 500,
        learning_rate: float = 2e-4,
        weight_decay: float = 1e-6,
        max_modes: int = 10,
    ) -> None:
        super().__init__()
        whole = {"latent": latent, "width": width, "depth": depth, "pac": pac, "epochs": epochs}
        whole |= {"least_steps": least_steps, "max_modes": max_modes}
        for name, value in whole.items():
            if value < 1:
                raise ValueError(f"ctgan: {name}={value} must be at least 1")
        for name, real in (("learning_rate", learning_rate), ("tau", tau)):
            if not real > 0:
                raise ValueError(f"ctgan: {name}={real} must be positive")
        for name, real in (("penalty", penalty), ("weight_decay", weight_decay)):
            if real < 0:
                raise ValueError(f"ctgan: {name}={real} must not be negative")
        if not 0 <= dropout < 1:
            raise ValueError(f"ctgan: dropout={dropout} is not in [0, 1)")
        if batch_size < pac or batch_size % pac:
            raise ValueError(f"ctgan: batch_size={batch_size} must be a multiple of pac={pac}")
        self.latent = latent
        self.width = width
        self.depth = depth
        self.pac = pac
        self.dropout = dropout
        self.tau = tau
        self.penalty = penalty
        self.epochs = epochs
        self.least_steps = least_steps
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.max_modes = max_modes

    def _fit(self, train_rows: pd.DataFrame, validation: pd.DataFrame | None, rng: Rng, device: str) -> None:
        self.table = Modes.fit(train_rows, self.schema, rng.branch("modes"), max_modes=self.max_modes)
        self._build(device, rng.branch("weights"))
        critic = PackedCritic(
            features=self.table.width + self.conditions,
            pac=self.pac,
            width=self.width,
            depth=self.depth,
            dropout=self.dropout,
            generator=rng.branch("critic").torch(),
        ).to(device)
        game = _Game(self, critic, self.table.encode(train_rows, rng.branch("rows"), device), rng)
        steps = max(self.epochs * max(len(train_rows) // self.batch_size, 1), self.least_steps)
        self.network.train()
        repeat(game.step, steps, history=self.history, label=self.name)
        self.network.eval()
        self._learned = sum(p.numel() for net in (self.network, critic) for p in net.parameters())

    def _build(self, device: str, rng: Rng) -> None:
        self.device = device
        self.dtype = fast_dtype(device, self.width)
        self.groups = Groups(self.table.sizes, device)
        self.levels = self.table.sizes[self.table.numeric :]
        self.counts = torch.tensor(self.table.level_counts, device=device)
        sizes = torch.tensor(self.levels, dtype=torch.int64, device=device)
        column = torch.repeat_interleave(sizes)  # [sum(K)]
        inside = torch.arange(self.conditions, device=device) - (sizes.cumsum(0) - sizes)[column]
        self.entry = self.groups.starts[self.table.numeric + column] + inside  # [sum(K)]: where a level's logit is
        self.network = ConcatGenerator(
            inputs=self.latent + self.conditions,
            outputs=self.table.width,
            width=self.width,
            depth=self.depth,
            generator=rng.torch(),
        ).to(device)

    @property
    def conditions(self) -> int:
        """Length of the condition vector: all levels of all categorical columns."""
        return sum(self.levels)

    def indicator(self, places: Tensor) -> Tensor:
        """Return condition vectors [n, sum(K)] of places on the flat axis of levels [n]; [n, 0] without levels."""
        c = torch.zeros(len(places), self.conditions, device=self.device)
        return c.scatter_(1, places[:, None], 1) if self.conditions else c

    def forward(self, c: Tensor, noise: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return places alpha [n, P] and logits of modes and levels [n, sum(sizes)] for conditions c [n, sum(K)]."""
        z = torch.randn(len(c), self.latent, generator=noise, device=self.device)
        with self.autocast():
            out = self.network(torch.cat([z, c], dim=1))
        places, logits = out.float().split([self.table.numeric, self.groups.total], dim=1)
        return places.tanh(), logits

    def autocast(self) -> torch.autocast:
        """Return the context in which matrix products are fast."""
        kind = torch.device(self.device).type
        return torch.autocast(kind, dtype=self.dtype, enabled=self.dtype != torch.float32)

    @torch.no_grad()
    def _sample(self, n: int, conditions: pd.DataFrame | None, rng: Rng, options: Mapping[str, Any]) -> pd.DataFrame:
        noise = rng.branch("noise").torch(self.device)
        if conditions is None:
            return self.table.decode(self._draw(self._usual(n, noise), noise))
        asked = torch.tensor(self.table.target_codes(conditions), device=self.device)
        target = self.table.group(self.schema.target.name)
        places = sum(self.table.sizes[self.table.numeric : target]) + asked
        rows = self._draw(places, noise)
        for _ in range(ROUNDS):
            wrong = (rows.codes[:, target] != asked).nonzero()[:, 0]
            if not len(wrong):
                break
            again = self._draw(places[wrong], noise)
            rows.alpha[wrong], rows.codes[wrong] = again.alpha, again.codes
        return self.table.decode(rows)

    def _usual(self, n: int, noise: torch.Generator) -> Tensor:
        """Return n conditions as frequent as in the training rows; any without levels."""
        if not self.levels:
            return torch.zeros(n, dtype=torch.int64, device=self.device)
        return frequency_law(self.counts, self.levels).draw(n, noise)

    def _draw(self, places: Tensor, noise: torch.Generator) -> ModeRows:
        parts = []
        for some in places.split(ROWS_PER_CALL):
            alpha, logits = self.forward(self.indicator(some), noise)
            parts.append((alpha, self.groups.draw(logits, noise)))
        alpha, codes = (torch.cat(part) for part in zip(*parts))
        return ModeRows(alpha, codes)

    def _state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        return {**network_state(self.network), **self.table.state()}, {}

    def _restore(self, arrays: dict[str, np.ndarray], record: dict[str, Any]) -> None:
        self.table = Modes.restore(self.schema, arrays)
        self._build("cpu", Rng(0))
        restore_network(self.network, arrays)
        self.network.eval()

    def _count_parameters(self) -> int:
        return self._learned


class _Game:
    """The moving parts of one fit: both optimisers, the rows and the noise."""

    def __init__(self, owner: CTGAN, critic: PackedCritic, rows: ModeRows, rng: Rng) -> None:
        self.owner = owner
        self.critic = critic
        self.rows = rows
        self.noise = rng.branch("noise").torch(owner.device)
        self.law = log_law(owner.counts, owner.levels) if owner.levels else None
        codes = rows.codes[:, owner.table.numeric :]
        self.by_level = RowsByLevel(codes, owner.counts, owner.levels) if owner.levels else None
        settings: dict[str, Any] = {"lr": owner.learning_rate, "betas": (0.5, 0.9), "weight_decay": owner.weight_decay}
        self.up = torch.optim.Adam(critic.parameters(), fused=True, **settings)
        self.down = torch.optim.Adam(owner.network.parameters(), fused=True, **settings)

    def step(self) -> float:
        """Move the critic, then the generator; return the critic's estimate of their distance."""
        distance = self._move_critic()
        self.critic.requires_grad_(False)
        self._move_generator()
        self.critic.requires_grad_(True)
        return distance

    def _move_critic(self) -> float:
        o, places = self.owner, self._places()
        c = o.indicator(places)
        with torch.no_grad():
            generated, _ = self._generate(c)
        turned = torch.randperm(len(places), generator=self.noise, device=o.device)
        index = self._row_numbers(places[turned])
        real = torch.cat([self.rows.alpha[index], o.groups.one_hot(self.rows.codes[index])], dim=1)
        true, false = self._pack(real, c[turned]), self._pack(generated, c)
        judged_true, judged_false = self._judge(torch.cat([true, false])).chunk(2)
        gap = judged_false.mean() - judged_true.mean()
        descend(self.up, gap + o.penalty * gradient_penalty(self._judge, true, false, self.noise))
        return -float(gap.detach())

    def _move_generator(self) -> None:
        o, places = self.owner, self._places()
        c = o.indicator(places)
        generated, logits = self._generate(c)
        loss = -self._judge(self._pack(generated, c)).mean()
        if o.levels:
            loss = loss - o.groups.log_softmax(logits).gather(1, o.entry[places][:, None]).mean()
        descend(self.down, loss)

    def _generate(self, c: Tensor) -> tuple[Tensor, Tensor]:
        """Return relaxed rows [n, width] and the logits of their modes and levels."""
        o = self.owner
        alpha, logits = o.forward(c, self.noise)
        return torch.cat([alpha, o.groups.gumbel_softmax(logits, o.tau, self.noise)], dim=1), logits

    def _judge(self, packs: Tensor) -> Tensor:
        with self.owner.autocast():
            return self.critic(packs, self.noise).float()

    def _pack(self, rows: Tensor, c: Tensor) -> Tensor:
        return pack(torch.cat([rows, c], dim=1), self.owner.pac)

    def _places(self) -> Tensor:
        n, device = self.owner.batch_size, self.owner.device
        return torch.zeros(n, dtype=torch.int64, device=device) if self.law is None else self.law.draw(n, self.noise)

    def _row_numbers(self, places: Tensor) -> Tensor:
        if self.by_level is None:
            return torch.randint(
                len(self.rows.codes), (len(places),), generator=self.noise, device=self.rows.codes.device
            )
        return self.by_level.draw(places, self.noise)
