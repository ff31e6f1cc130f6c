"""Which level is a generator asked for next, and which training row shows it?

Training-by-sampling [Xu 2019, sec. 4.3]: a categorical column is chosen, all alike; one of its levels, by the logarithm
of its count; a row with that level, all alike:

    P(column j, level k) = 1/Q * log(1 + n_jk) / sum_i log(1 + n_ji).

Departs: log(1 + n), not log(n), so that a level with a single row is asked for.
"""

from __future__ import annotations

import torch
from torch import Tensor


class LevelLaw:
    """A law of (column, level) on the flat axis of sum(K) levels: columns alike, levels by weight.

    Args:
        weights: [sum(K)] of each level, >= 0, some positive in each column.
        levels: K[j] of the Q columns, Q >= 1.
    """

    def __init__(self, weights: Tensor, levels: tuple[int, ...]) -> None:
        parts = [part / part.sum() for part in weights.double().split(levels)]
        self.probabilities = torch.cat(parts) / len(levels)  # [sum(K)]
        self._reached = self.probabilities.cumsum(0)
        self._last = int(self.probabilities.nonzero()[-1])

    def draw(self, n: int, generator: torch.Generator) -> Tensor:
        """Return n places on the flat axis, [n] int64."""
        device = self.probabilities.device
        uniform = torch.rand(n, generator=generator, dtype=torch.float64, device=device)
        return torch.searchsorted(self._reached, uniform, right=True).clamp(max=self._last)


def log_law(counts: Tensor, levels: tuple[int, ...]) -> LevelLaw:
    """Return the law of training: levels by log(1 + count), counts [sum(K)]."""
    return LevelLaw(counts.double().log1p(), levels)


def frequency_law(counts: Tensor, levels: tuple[int, ...]) -> LevelLaw:
    """Return the law of the table: levels by count, counts [sum(K)]."""
    return LevelLaw(counts, levels)


class RowsByLevel:
    """The rows that show each level.

    Args:
        codes: [n, Q] int64 levels of the training rows, Q >= 1.
        counts: [sum(K)] rows of each level.
        levels: K[j].
    """

    def __init__(self, codes: Tensor, counts: Tensor, levels: tuple[int, ...]) -> None:
        self.order = codes.T.argsort(dim=1, stable=True).int().flatten()  # [Q * n]: rows of column j, by level
        self.counts = counts
        self.first = counts.cumsum(0) - counts  # [sum(K)]: each column's counts sum to n

    def draw(self, places: Tensor, generator: torch.Generator) -> Tensor:
        """Return one row number for each place on the flat axis, [m] -> [m], every row with that level alike."""
        uniform = torch.rand(len(places), generator=generator, dtype=torch.float64, device=places.device)
        inside = (uniform * self.counts[places]).long()
        return self.order[self.first[places] + inside].long()
