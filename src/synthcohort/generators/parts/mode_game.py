"""What do generators share that are asked for one entry at a time, and draw modes and levels?

A row is the places of its numeric cells and one group of indicators per column (`generators.parts.modes`). The
condition c is the indicator of one entry of one group, among those that may be asked for. In training (column, entry)
and the real row beside it come from `generators.parts.by_level`; from noise z ~ N(0, I) and c the network says places,
drawn as tanh, and logits, relaxed by Gumbel-softmax at temperature tau [Xu 2019, sec. 4.4]. Whether the entry asked for
is the one drawn is told by the cross-entropy

    H( c, p(conditioned column | z, c) ) = - log p(entry asked for | z, c).

Rows of the joint law are drawn with conditions as frequent as in the training rows. A row with a given target is drawn
with the target's level as condition; if the drawn target is another, the row is drawn again, up to 20 times, and then
keeps its other cells beside the target that was asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from synthcohort.generators.parts.adversarial import Adversarial
from synthcohort.generators.parts.by_level import RowsByLevel, frequency_law, log_law
from synthcohort.generators.parts.modes import ModeRows
from synthcohort.networks.groups import Groups
from synthcohort.rng import Rng

ROUNDS = 20  # times a row is drawn again whose target is not the one asked for
ROWS_PER_CALL = 8_192


class ModeGame(Adversarial):
    """A network that draws rows of modes and levels for one entry asked for.

    A method calls `_lay_out` in its `_build`, then sets `sampled`: [n, latent + conditions] -> [n, table.width].
    """

    latent: int
    tau: float
    table: Any  # Modes or MixedModes
    dtype: torch.dtype = torch.float32

    def _lay_out(self, device: str, counts: Tensor, first: int) -> None:
        """Set where entries lie.

        Args:
            device: torch's name of it.
            counts: [conditions] training rows of each entry that may be asked for, group after group.
            first: the first group whose entries may be asked for; so may those of all later ones.
        """
        self.device = device
        self.counts = counts
        self.first = first
        self.groups = Groups(self.table.sizes, device)
        self.levels = self.table.sizes[first:]
        sizes = torch.tensor(self.levels, dtype=torch.int64, device=device)
        group = torch.repeat_interleave(sizes)  # [conditions]
        inside = torch.arange(self.conditions, device=device) - (sizes.cumsum(0) - sizes)[group]
        self.entry = self.groups.starts[first + group] + inside  # [conditions]: where an entry's logit is

    @property
    def conditions(self) -> int:
        """Length of the condition vector: all entries that may be asked for."""
        return sum(self.levels)

    def indicator(self, places: Tensor) -> Tensor:
        """Return condition vectors [n, conditions] of places on their axis [n]; [n, 0] if nothing may be asked for."""
        c = torch.zeros(len(places), self.conditions, device=self.device)
        return c.scatter_(1, places[:, None], 1) if self.conditions else c

    def forward(self, c: Tensor, noise: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return places alpha [n, P] and logits of all groups [n, sum(sizes)] for conditions c [n, conditions]."""
        z = torch.randn(len(c), self.latent, generator=noise, device=self.device)
        with self.autocast():
            out = self.sampled(torch.cat([z, c], dim=1))
        places, logits = out.float().split([self.table.numeric, self.groups.total], dim=1)
        return places.tanh(), logits

    def relaxed(self, c: Tensor, noise: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return relaxed rows [n, width] for conditions c [n, conditions], and their logits [n, sum(sizes)]."""
        alpha, logits = self.forward(c, noise)
        return torch.cat([alpha, self.groups.gumbel_softmax(logits, self.tau, noise)], dim=1), logits

    def told(self, logits: Tensor, places: Tensor) -> Tensor:
        """Return the mean cross-entropy, a scalar, of logits [n, sum(sizes)] at the places asked for [n]."""
        if not self.levels:
            return logits.new_zeros(())
        return -self.groups.log_softmax(logits).gather(1, self.entry[places][:, None]).mean()

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
        places = sum(self.table.sizes[self.first : target]) + asked
        rows = self._draw(places, noise)
        for _ in range(ROUNDS):
            wrong = (rows.codes[:, target] != asked).nonzero()[:, 0]
            if not len(wrong):
                break
            again = self._draw(places[wrong], noise)
            rows.alpha[wrong], rows.codes[wrong] = again.alpha, again.codes
        return self.table.decode(rows)

    def _usual(self, n: int, noise: torch.Generator) -> Tensor:
        """Return n places as frequent as in the training rows; any if nothing may be asked for."""
        if not self.levels:
            return torch.zeros(n, dtype=torch.int64, device=self.device)
        return frequency_law(self.counts, self.levels).draw(n, noise)

    def _draw(self, places: Tensor, noise: torch.Generator) -> ModeRows:
        parts = []
        for some in places.split(ROWS_PER_CALL):
            alpha, logits = self.forward(self.indicator(some), noise)
            parts.append((alpha, self.groups.draw(logits, noise)))
        alpha, codes = (torch.cat(part) for part in zip(*parts, strict=True))
        return ModeRows(alpha, codes)


class Shown:
    """The training rows of one fit, shown by what is asked for.

    Args:
        game: who asks.
        rows: the training rows.
        noise: decides what is asked for and which row shows it.
    """

    def __init__(self, game: ModeGame, rows: ModeRows, noise: torch.Generator) -> None:
        self.game = game
        self.rows = rows
        self.noise = noise
        if game.levels:
            self.law = log_law(game.counts, game.levels)
            self.by_level = RowsByLevel(rows.codes[:, game.first :], game.counts, game.levels)

    def ask(self, n: int) -> Tensor:
        """Return n places to ask for, [n]; any if nothing may be asked for."""
        if not self.game.levels:
            return torch.zeros(n, dtype=torch.int64, device=self.game.device)
        return self.law.draw(n, self.noise)

    def real(self, places: Tensor) -> Tensor:
        """Return training rows [n, width] that show the entries at `places` [n]."""
        if self.game.levels:
            index = self.by_level.draw(places, self.noise)
        else:
            index = torch.randint(
                len(self.rows.codes), places.shape, generator=self.noise, device=self.rows.codes.device
            )
        return torch.cat([self.rows.alpha[index], self.game.groups.one_hot(self.rows.codes[index])], dim=1)
