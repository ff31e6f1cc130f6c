r"""Can a generative adversarial network learn from votes alone?

PATE-GAN [Jordon 2019]. The rows are dealt out to k teachers (`dp.pate`), each a discriminator that learns to tell its
rows from generated ones. A student discriminator sees generated rows only, with the teachers' noisy majority as labels;
the generator learns from the student:

    L_teacher t = - E log T_t(x, y) - E log(1 - T_t(G(z, y), y))           over the rows of teacher t
    L_student   = cross-entropy of S(G(z, y), y) and label(G(z, y), y)
    L_generator = - E log S(G(z, y), y).

Only labels and histograms are bought, so everything that is drawn with is post-processing of them. A turn asks for
`batch_size` labels; turns are many and labels weak, or few and strong: what T labels tell together does not depend
on T much, since their noise grows with its square root.

The condition y is the target's level, so a class can be asked for. Cells become ranks in their noisy histograms
(`parts.ranked`).

Departs: the noise is Gaussian and its bound holds for all tables (`dp.pate`), where the paper's depends on the rows and
is printed without noise of its own. A row's teacher is drawn, not dealt in turn, so that one row touches one teacher.
Generated levels are relaxed by Gumbel-softmax.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn import functional

from synthcohort.dp.budget import Ledger
from synthcohort.dp.pate import Votes, assign
from synthcohort.dp.preprocessing import Measure, by_gaussian
from synthcohort.dp.randomness import Noise
from synthcohort.generators.parts.adversarial import above_zero, descend, repeat, still
from synthcohort.generators.parts.budgeted import Budgeted
from synthcohort.generators.parts.fitting import at_least
from synthcohort.generators.parts.graphical import Measured
from synthcohort.generators.parts.labelled import network_state, restore_network
from synthcohort.generators.parts.ranked import Ranked
from synthcohort.networks.layers import linear
from synthcohort.networks.teachers import Stacked
from synthcohort.rng import Rng


@dataclass(kw_only=True, eq=False)
class PateGAN(Budgeted):
    """A generator whose critic learned from noisy votes; see `Budgeted` for the other settings.

    Args:
        teachers: k, >= 1.
        turns: moves of the generator, >= 1.
        teacher_steps: moves of the teachers before each, >= 1.
        batch_size: generated rows of a move, >= 1: as many labels a turn are bought.
        latent: width of z, >= 1.
        width: hidden units of the generator and of the student, >= 1.
        teacher_width: hidden units of a teacher, >= 1.
        tau: temperature of the Gumbel-softmax, > 0.
        learning_rate: of Adam, > 0.
    """

    teachers: int = 20
    turns: int = 500
    teacher_steps: int = 2
    batch_size: int = 64
    latent: int = 16
    width: int = 64
    teacher_width: int = 16
    tau: float = 0.5
    learning_rate: float = 1e-3

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least(self, teachers=1, turns=1, teacher_steps=1, batch_size=1, latent=1, width=1, teacher_width=1)
        above_zero(self, "tau", "learning_rate")

    def _histograms(self, ledger: Ledger, noise: Noise) -> Measure:
        """All costs are Gaussian: noise of sigma is worth 1 / sigma^2, and the histograms take their share of it."""
        sigma = ledger.noise_multiplier(sampling_rate=1.0, steps=1)
        rho = self.histogram_share / (2 * len(self.schema.columns) * sigma**2) if sigma else float("inf")
        return by_gaussian(ledger, rho=rho, noise=noise)

    def _learn(self, train: pd.DataFrame, first: list[Measured], ledger: Ledger, noise: Noise, rng: Rng) -> None:
        self._build(rng.branch("weights"))
        votes = Votes(self.turns * self.batch_size, ledger, noise)
        repeat(_Game(self, train, votes, noise, rng).turn, self.turns, history=self.history, label=self.name)

    def _build(self, rng: Rng) -> None:
        self.rows = Ranked(self.table)
        generator = rng.torch()
        self.network = nn.Sequential(
            linear(self.latent + self.rows.classes, self.width, generator),
            nn.ReLU(),
            linear(self.width, self.width, generator),
            nn.ReLU(),
            linear(self.width, self.rows.width, generator),
        )

    def play(self, y: Tensor, noise: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return numbers [n, P] in [-1, 1] and logits [n, sum(K)] for indicators y [n, classes]."""
        z = torch.randn(len(y), self.latent, generator=noise)
        numeric, logits = self.network(torch.cat([z, y], dim=1)).split(
            [len(self.rows.numeric), self.rows.groups.total], dim=1
        )
        return numeric.tanh(), logits

    def _sample(self, n: int, conditions: pd.DataFrame | None, rng: Rng, options: Mapping[str, Any]) -> pd.DataFrame:
        y = self._target_codes(conditions)
        if y is None:
            y = rng.branch("classes").numpy().choice(self.rows.classes, n, p=self.rows.class_shares)
        noise = rng.branch("rows").torch()
        with torch.no_grad():
            numeric, logits = self.play(self.rows.one_hot(torch.tensor(y)), noise)
            levels = self.rows.groups.draw(logits, noise)
        return self.rows.decode(numeric.double().numpy(), levels.numpy(), y, rng.branch("cells"))

    def _count_parameters(self) -> int:
        return sum(p.numel() for p in self.network.parameters())

    def _state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        arrays, record = super()._state()
        return {**arrays, **network_state(self.network)}, record

    def _restore(self, arrays: dict[str, np.ndarray], record: dict[str, Any]) -> None:
        super()._restore(arrays, record)
        self._build(Rng(0))
        restore_network(self.network, arrays)


class _Game:
    """The moving parts of one fit. Only `_teach` and `_votes` touch rows or what learned from them."""

    def __init__(self, owner: PateGAN, train: pd.DataFrame, votes: Votes, noise: Noise, rng: Rng) -> None:
        self.owner, self.votes = owner, votes
        x, y = owner.rows.encode(train)
        self.real = torch.cat([x, y], dim=1)
        dealt = assign(len(train), owner.teachers, noise)
        self.hands = [torch.tensor(np.flatnonzero(dealt == t)) for t in range(owner.teachers)]
        features = self.real.shape[1]
        self.teachers = Stacked(
            count=owner.teachers, features=features, width=owner.teacher_width, generator=rng.branch("teachers").torch()
        )
        student = rng.branch("student").torch()
        self.student = nn.Sequential(linear(features, owner.width, student), nn.ReLU(), linear(owner.width, 1, student))
        self.deal = rng.branch("deal").torch()
        self.noise = rng.branch("noise", "networks").torch()
        self.shares = torch.tensor(owner.rows.class_shares)
        self.moves = {
            part: torch.optim.Adam(part.parameters(), lr=owner.learning_rate, betas=(0.5, 0.9))
            for part in (self.teachers, self.student, owner.network)
        }

    def turn(self) -> float:
        """Move the teachers, the student and the generator; return the generator's loss."""
        for _ in range(self.owner.teacher_steps):
            self._teach()
        with torch.no_grad():
            asked = self._generated()
            labels = self._votes(asked)
        told = functional.binary_cross_entropy_with_logits(self.student(asked).squeeze(1), labels)
        descend(self.moves[self.student], told)
        with still(self.student):
            return descend(self.moves[self.owner.network], functional.softplus(-self.student(self._generated())).mean())

    def _generated(self) -> Tensor:
        """Return generated rows and their conditions, [b, features]."""
        codes = torch.multinomial(self.shares, self.owner.batch_size, replacement=True, generator=self.noise)
        y = self.owner.rows.one_hot(codes)
        numeric, logits = self.owner.play(y, self.noise)
        return torch.cat([numeric, self.owner.rows.groups.gumbel_softmax(logits, self.owner.tau, self.noise), y], dim=1)

    def _teach(self) -> None:
        """Move every teacher on rows of its own; one without rows learns from generated ones alone."""
        place = torch.rand(self.owner.teachers, self.owner.batch_size, generator=self.deal)
        own = [
            self.real[hand[(u * len(hand)).long()]]
            if len(hand)
            else torch.zeros(self.owner.batch_size, self.real.shape[1])
            for hand, u in zip(self.hands, place)
        ]
        held = torch.tensor([float(len(hand) > 0) for hand in self.hands])[:, None]
        with torch.no_grad():
            fake = self._generated()
        loss = held * functional.softplus(-self.teachers(torch.stack(own))) + functional.softplus(self.teachers(fake))
        descend(self.moves[self.teachers], loss.mean(dim=1).sum())

    def _votes(self, asked: Tensor) -> Tensor:
        """Return the noisy majorities [b] on generated rows."""
        votes = (self.teachers(asked) > 0).numpy()
        return torch.tensor(self.votes.majority(votes), dtype=torch.float32)
