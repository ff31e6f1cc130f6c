r"""What does a convolutional game draw that knows marks, long tails and which rows are rare?

CTAB-GAN [Zhao 2021]. Numeric cells are modes or special values with a place on them, long tails squeezed
(`generators.parts.mixed`); a row is its places and the indicators of its modes, marks and levels. The condition c is
the indicator of one entry of one of all these groups, numeric columns included [Zhao 2021, sec. 3.4]; in training
(column, entry) follow the logarithm of counts (`generators.parts.by_level`). Generator G and discriminator D are
convolutional (`networks.conv`), D reading row and condition side by side; C is a perceptron that learns from real rows
to tell the target from the other cells. With f the last hidden layer of D [Zhao 2021, sec. 3.2 and 3.3]:

    L_D     = - E log D(x, c) - E log(1 - D(G(z, c), c))
    L_info  = |E f(x) - E f(G)| + |SD f(x) - SD f(G)|,    L_cond = H( c, p(conditioned column | z, c) )
    L_class = H( l(G), C(rest of G) )                      C goes down the same on real rows
    L_G     = - E log D(G(z, c), c) + L_cond + L_info + L_class.

Departs: C is residual, without dropout. A table with a numeric target has no C, as the source classifies only. Rows
are drawn with the running moments of the batch normalisation, so that a row does not depend on its neighbours.
Networks have a quarter of the source's channels. Batches of 128 rows instead of 500, since a cohort may have fewer, and
turns are bounded from both sides: 150 passes over a few hundred rows are some 300 turns, too few to learn from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.nn import functional

from synthcohort.generators.parts.adversarial import above_zero, descend, still, turns_of
from synthcohort.generators.parts.fitting import at_least
from synthcohort.generators.parts.mixed import MixedModes
from synthcohort.generators.parts.mode_game import ModeGame, Shown
from synthcohort.generators.parts.modes import ModeRows
from synthcohort.networks.conv import SquareGenerator, SquareJudge, moment_distance, moments
from synthcohort.networks.mlp import ResidualMLP
from synthcohort.rng import Rng


@dataclass(kw_only=True, eq=False)
class CTABGAN(ModeGame):
    """A convolutional game over modes, marks and levels, asked for one entry at a time.

    Args:
        latent: width of z, >= 1.
        channels: channels of the largest hidden square, >= 1.
        width: hidden width of the classifier, >= 1.
        depth: residual blocks of the classifier, >= 0.
        tau: temperature of the Gumbel-softmax, > 0.
        max_modes: modes of a numeric column at most, >= 1.
        special_share: share of the training rows that makes a numeric value a mark, in (0, 1].
        long_tail: skewness of a numeric column above which its logarithm is tried, > 0.
        epochs: passes over the training rows, > 0.
        least_steps: turns of the game at least, >= 1.
        max_steps: turns of the game at most, >= 1; `least_steps` has the last word.
        batch_size: rows a turn, >= 2.
        learning_rate: of Adam with moment weights (0.5, 0.9), > 0.
        weight_decay: of Adam, >= 0.
    """

    latent: int = 100
    channels: int = 16
    width: int = 128
    depth: int = 2
    tau: float = 0.2
    max_modes: int = 10
    special_share: float = 0.2
    long_tail: float = 1.5
    epochs: float = 150
    least_steps: int = 1_000
    max_steps: int = 2_000
    batch_size: int = 128
    learning_rate: float = 2e-4
    weight_decay: float = 1e-5

    def __post_init__(self) -> None:
        super().__init__()
        at_least(self, latent=1, channels=1, width=1, depth=0, max_modes=1, least_steps=1, max_steps=1)
        at_least(self, batch_size=2, weight_decay=0)
        above_zero(self, "tau", "long_tail", "epochs", "learning_rate")
        if not 0 < self.special_share <= 1:
            raise ValueError(f"ctab_gan: special_share={self.special_share} is not in (0, 1]")

    def _fit(self, train: pd.DataFrame, validation: pd.DataFrame | None, rng: Rng, device: str) -> None:
        self.table = MixedModes.fit(
            train,
            self.schema,
            rng.branch("modes"),
            max_modes=self.max_modes,
            special_share=self.special_share,
            long_tail=self.long_tail,
        )
        rows = self.table.encode(train, rng.branch("rows"), device)
        sizes = self.table.sizes
        self.counts = torch.cat([torch.bincount(c, minlength=k) for c, k in zip(rows.codes.T, sizes, strict=True)])
        self._build(device, rng.branch("weights"))
        game = _Game(self, rows, rng)
        self.players = [self.sampled, *game.rivals]
        turns = turns_of(self.epochs, len(train), self.batch_size, least=self.least_steps, most=self.max_steps)
        self._take_turns(game.turn, turns)

    def _build(self, device: str, rng: Rng) -> None:
        self._lay_out(device, self.counts, 0)
        self.sampled = SquareGenerator(
            inputs=self.latent + self.conditions,
            cells=self.table.width,
            channels=self.channels,
            generator=rng.torch(),
        ).to(device)

    def _state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        arrays, record = super()._state()
        return {**arrays, "entry_counts": self.counts.cpu().numpy()}, record

    def _restore_table(self, arrays: dict[str, np.ndarray]) -> None:
        self.table = MixedModes.restore(self.schema, arrays)
        self.counts = torch.tensor(arrays["entry_counts"])


class _Game:
    """The moving parts of one fit: the rivals of the generator, three optimisers, the rows and the noise."""

    def __init__(self, owner: CTABGAN, rows: ModeRows, rng: Rng) -> None:
        self.owner = owner
        self.noise = rng.branch("noise").torch(owner.device)
        self.shown = Shown(owner, rows, self.noise)
        weights, width = rng.branch("rivals").torch(), owner.table.width
        self.judge = SquareJudge(
            cells=width + owner.conditions, outputs=1, channels=owner.channels, generator=weights
        ).to(owner.device)
        self.rivals: list[torch.nn.Module] = [self.judge]
        self.of_d, self.of_g = self._adam(self.judge), self._adam(owner.sampled)
        self.classifies = not owner.schema.target.numeric
        if self.classifies:
            target = owner.table.group(owner.schema.target.name)
            levels = owner.table.sizes[target]
            first = owner.table.numeric + int(owner.groups.starts[target])
            self.label = slice(first, first + levels)
            self.classifier = ResidualMLP(
                inputs=width - levels, outputs=levels, width=owner.width, depth=owner.depth, generator=weights
            ).to(owner.device)
            self.rivals.append(self.classifier)
            self.of_c = self._adam(self.classifier)

    def _adam(self, network: torch.nn.Module) -> torch.optim.Adam:
        settings: dict[str, Any] = {"lr": self.owner.learning_rate, "weight_decay": self.owner.weight_decay}
        return torch.optim.Adam(network.parameters(), betas=(0.5, 0.9), eps=1e-3, fused=True, **settings)

    def turn(self) -> float:
        """Move D, C and G once; return L_D."""
        o, places = self.owner, self.shown.ask(self.owner.batch_size)
        c, real = o.indicator(places), self.shown.real(places)
        drawn, logits = o.relaxed(c, self.noise)
        true, f_real = self.judge(torch.cat([real, c], dim=1))
        false, _ = self.judge(torch.cat([drawn.detach(), c], dim=1))
        loss = descend(self.of_d, functional.softplus(-true).mean() + functional.softplus(false).mean())
        if self.classifies:
            descend(self.of_c, self.label_loss(real))
        with still(*self.rivals):
            false, f_drawn = self.judge(torch.cat([drawn, c], dim=1))
            info = sum(moment_distance(moments(f_real.detach()), moments(f_drawn)))
            named = self.label_loss(drawn) if self.classifies else 0.0
            descend(self.of_g, functional.softplus(-false).mean() + o.told(logits, places) + info + named)
        return loss

    def label_loss(self, rows: Tensor) -> Tensor:
        """Return the mean cross-entropy of C, which reads the other cells, against the target's entries of rows."""
        rest = torch.cat([rows[:, : self.label.start], rows[:, self.label.stop :]], dim=1)
        return -(rows[:, self.label] * self.classifier(rest).log_softmax(1)).sum(1).mean()
