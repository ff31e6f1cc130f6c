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

Rows of the joint law are drawn with conditions as frequent as in the training rows; a row with a given target with the
target's level as condition, again up to 20 times if the drawn target is another, and then it keeps its other cells.

Departs: C is residual, without dropout. A table with a numeric target has no C, as the source classifies only. Rows
are drawn with the running moments of the batch normalisation, so that a row does not depend on its neighbours.
Networks have a quarter of the source's channels.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.nn import functional

from synthcohort.generators.base import Generator
from synthcohort.generators.parts.adversarial import check_ranges, descend, repeat, steps_of
from synthcohort.generators.parts.by_level import RowsByLevel, frequency_law, log_law
from synthcohort.generators.parts.labelled import network_state, restore_network
from synthcohort.generators.parts.mixed import MixedModes
from synthcohort.generators.parts.modes import ModeRows
from synthcohort.networks.conv import SquareGenerator, SquareJudge, moment_distance, moments
from synthcohort.networks.groups import Groups
from synthcohort.networks.mlp import ResidualMLP
from synthcohort.rng import Rng

ROUNDS = 20  # times a row is drawn again whose target is not the one asked for
ROWS_PER_CALL = 4_096


class CTABGAN(Generator):
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
        max_steps: turns of the game at most, >= 1.
        batch_size: rows a turn, >= 2.
        learning_rate: of Adam with moment weights (0.5, 0.9), > 0.
        weight_decay: of Adam, >= 0.
    """

    abilities: ClassVar[frozenset[str]] = frozenset({"condition-target"})

    def __init__(
        self,
        *,
        latent: int = 100,
        channels: int = 16,
        width: int = 128,
        depth: int = 2,
        tau: float = 0.2,
        max_modes: int = 10,
        special_share: float = 0.2,
        long_tail: float = 1.5,
        epochs: float = 300,
        max_steps: int = 4_000,
        batch_size: int = 128,
        learning_rate: float = 2e-4,
        weight_decay: float = 1e-5,
    ) -> None:
        super().__init__()
        whole = {"latent": (latent, 1), "channels": (channels, 1), "width": (width, 1), "depth": (depth, 0)}
        whole |= {"max_modes": (max_modes, 1), "max_steps": (max_steps, 1), "batch_size": (batch_size, 2)}
        positive = {"tau": tau, "long_tail": long_tail, "epochs": epochs, "learning_rate": learning_rate}
        check_ranges("ctab_gan", whole=whole, positive=positive)
        if not 0 < special_share <= 1:
            raise ValueError(f"ctab_gan: special_share={special_share} is not in (0, 1]")
        if weight_decay < 0:
            raise ValueError(f"ctab_gan: weight_decay={weight_decay} must not be negative")
        self.latent = latent
        self.channels = channels
        self.width = width
        self.depth = depth
        self.tau = tau
        self.max_modes = max_modes
        self.special_share = special_share
        self.long_tail = long_tail
        self.epochs = epochs
        self.max_steps = max_steps
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay

    def _fit(self, train_rows: pd.DataFrame, validation: pd.DataFrame | None, rng: Rng, device: str) -> None:
        self.table = MixedModes.fit(
            train_rows,
            self.schema,
            rng.branch("modes"),
            max_modes=self.max_modes,
            special_share=self.special_share,
            long_tail=self.long_tail,
        )
        rows = self.table.encode(train_rows, rng.branch("rows"), device)
        sizes = self.table.sizes
        self.counts = torch.cat([torch.bincount(c, minlength=k) for c, k in zip(rows.codes.T, sizes, strict=True)])
        self._build(device, rng.branch("weights"))
        game = _Game(self, rows, rng)
        steps = steps_of(self.epochs, len(train_rows), self.batch_size, self.max_steps)
        repeat(game.step, steps, history=self.history, label=self.name)
        self.network.eval()
        self._learned = sum(p.numel() for net in (self.network, *game.rivals) for p in net.parameters())

    def _build(self, device: str, rng: Rng) -> None:
        self.device = device
        self.groups = Groups(self.table.sizes, device)
        sizes = torch.tensor(self.table.sizes, dtype=torch.int64, device=device)
        group = torch.repeat_interleave(sizes)  # [sum(K)]
        inside = torch.arange(self.groups.total, device=device) - (sizes.cumsum(0) - sizes)[group]
        self.entry = self.groups.starts[group] + inside  # [sum(K)]: where the groups keep an entry's logit
        self.network = SquareGenerator(
            inputs=self.latent + self.groups.total,
            cells=self.table.numeric + self.groups.total,
            channels=self.channels,
            generator=rng.torch(),
        ).to(device)

    def indicator(self, places: Tensor) -> Tensor:
        """Return condition vectors [n, sum(K)] of places on the flat axis of all groups' entries [n]."""
        c = torch.zeros(len(places), self.groups.total, device=self.device)
        return c.scatter_(1, self.entry[places][:, None], 1)

    def forward(self, c: Tensor, noise: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return places alpha [n, P] and logits of all groups [n, sum(K)] for conditions c [n, sum(K)]."""
        z = torch.randn(len(c), self.latent, generator=noise, device=self.device)
        out = self.network(torch.cat([z, c], dim=1))
        places, logits = out.split([self.table.numeric, self.groups.total], dim=1)
        return places.tanh(), logits

    @torch.no_grad()
    def _sample(self, n: int, conditions: pd.DataFrame | None, rng: Rng, options: Mapping[str, Any]) -> pd.DataFrame:
        noise = rng.branch("noise").torch(self.device)
        if conditions is None:
            places = frequency_law(self.counts, self.table.sizes).draw(n, noise)
            return self.table.decode(self._draw(places, noise))
        asked = torch.tensor(self.table.modes.target_codes(conditions), device=self.device)
        target = self.table.modes.group(self.schema.target.name)
        places = sum(self.table.sizes[:target]) + asked
        rows = self._draw(places, noise)
        for _ in range(ROUNDS):
            wrong = (rows.codes[:, target] != asked).nonzero()[:, 0]
            if not len(wrong):
                break
            again = self._draw(places[wrong], noise)
            rows.alpha[wrong], rows.codes[wrong] = again.alpha, again.codes
        return self.table.decode(rows)

    def _draw(self, places: Tensor, noise: torch.Generator) -> ModeRows:
        parts = []
        for some in places.split(ROWS_PER_CALL):
            alpha, logits = self.forward(self.indicator(some), noise)
            parts.append((alpha, self.groups.draw(logits, noise)))
        alpha, codes = (torch.cat(part) for part in zip(*parts, strict=True))
        return ModeRows(alpha, codes)

    def _state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        counts = {"entry_counts": self.counts.cpu().numpy()}
        return {**network_state(self.network), **counts, **self.table.state()}, {}

    def _restore(self, arrays: dict[str, np.ndarray], record: dict[str, Any]) -> None:
        self.table = MixedModes.restore(self.schema, arrays)
        self.counts = torch.tensor(arrays["entry_counts"])
        self._build("cpu", Rng(0))
        restore_network(self.network, arrays)
        self.network.eval()

    def _count_parameters(self) -> int:
        return self._learned


class _Game:
    """The moving parts of one fit: the rivals of the generator, three optimisers, the rows and the noise."""

    def __init__(self, owner: CTABGAN, rows: ModeRows, rng: Rng) -> None:
        self.owner = owner
        self.noise = rng.branch("noise").torch(owner.device)
        self.rows = rows
        self.law = log_law(owner.counts, owner.table.sizes)
        self.by_level = RowsByLevel(rows.codes, owner.counts, owner.table.sizes)
        weights, total = rng.branch("rivals").torch(), owner.groups.total
        cells = owner.table.numeric + 2 * total
        self.judge = SquareJudge(cells=cells, outputs=1, channels=owner.channels, generator=weights).to(owner.device)
        self.rivals: list[torch.nn.Module] = [self.judge]
        self.target: int | None = None
        if not owner.schema.target.numeric:
            self.target = owner.table.modes.group(owner.schema.target.name)
            levels = owner.table.sizes[self.target]
            first = owner.table.numeric + int(owner.groups.starts[self.target])
            self.label = slice(first, first + levels)
            self.classifier = ResidualMLP(
                inputs=owner.table.numeric + total - levels,
                outputs=levels,
                width=owner.width,
                depth=owner.depth,
                generator=weights,
            ).to(owner.device)
            self.rivals.append(self.classifier)
            self.of_c = self._adam(self.classifier)
        self.of_d, self.of_g = self._adam(self.judge), self._adam(owner.network)

    def _adam(self, network: torch.nn.Module) -> torch.optim.Adam:
        settings: dict[str, Any] = {"lr": self.owner.learning_rate, "weight_decay": self.owner.weight_decay}
        return torch.optim.Adam(network.parameters(), betas=(0.5, 0.9), eps=1e-3, fused=True, **settings)

    def step(self) -> float:
        """Move D, C and G once; return L_D."""
        o = self.owner
        places = self.law.draw(o.batch_size, self.noise)
        c = o.indicator(places)
        index = self.by_level.draw(places, self.noise)
        real = torch.cat([self.rows.alpha[index], o.groups.one_hot(self.rows.codes[index])], dim=1)
        alpha, logits = o.forward(c, self.noise)
        drawn = torch.cat([alpha, o.groups.gumbel_softmax(logits, o.tau, self.noise)], dim=1)
        true, f_real = self.judge(torch.cat([real, c], dim=1))
        false, _ = self.judge(torch.cat([drawn.detach(), c], dim=1))
        loss = descend(self.of_d, functional.softplus(-true).mean() + functional.softplus(false).mean())
        if self.target is not None:
            descend(self.of_c, self.label_loss(real))
        for rival in self.rivals:
            rival.requires_grad_(False)
        false, f_drawn = self.judge(torch.cat([drawn, c], dim=1))
        told = -o.groups.log_softmax(logits).gather(1, o.entry[places][:, None]).mean()
        info = sum(moment_distance(moments(f_real.detach()), moments(f_drawn)))
        named = self.label_loss(drawn) if self.target is not None else 0.0
        descend(self.of_g, functional.softplus(-false).mean() + told + info + named)
        for rival in self.rivals:
            rival.requires_grad_(True)
        return loss

    def label_loss(self, rows: Tensor) -> Tensor:
        """Return the mean cross-entropy of C, which reads the other cells, against the target's entries of rows."""
        rest = torch.cat([rows[:, : self.label.start], rows[:, self.label.stop :]], dim=1)
        return -(rows[:, self.label] * self.classifier(rest).log_softmax(1)).sum(1).mean()
