"""How does a mixed table become one matrix in [0, 1], as networks for binary records want it?

medGAN [Choi 2017] and corGAN [Torfi 2020] see a patient as a row of zeros and ones, x in {0, 1}^D, and score a
reconstruction p by the cross-entropy summed over its columns,

    - sum_d x_d log p_d + (1 - x_d) log(1 - p_d),      p = sigmoid(logits).

A column with two levels is one such column, exactly. Columns keep the schema's order, which convolutions see.

Departs: the sources know no other columns. One with K > 2 levels becomes K indicators whose p is a softmax, scored by
- sum_k x_k log p_k; one with a single level needs none. A numeric cell becomes its rank in (0, 1), spread over the
interval of ranks that decode to it, and is scored like a binary one: the cross-entropy's least value is then at p = x
too. A drawn row takes the numeric p as its rank and draws its levels from the other p's; the releases give p itself or
round it at 1/2, which loses every level that is nowhere more likely than the rest.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from synthcohort.diffusion.multinomial import Layout
from synthcohort.schema import Schema


@dataclass(frozen=True)
class Records:
    """Where the columns of a table lie in the matrix.

    Args:
        numeric: P.
        levels: K[j] of the Q categorical columns that are not the label.
        binary: [B] which of them have two levels.
        several: [S] which of them have more than two.
        layout: the levels of those with more than two.
        order: [D] place of each matrix column in the grouped order: numeric, binary, indicators.
        place: [D] place of each grouped column in the matrix, the inverse of `order`.
    """

    numeric: int
    levels: tuple[int, ...]
    binary: Tensor
    several: Tensor
    layout: Layout
    order: Tensor
    place: Tensor

    @classmethod
    def of(cls, schema: Schema, device: str) -> Records:
        """Return the places of the columns of `schema`, a categorical target left out."""
        columns = [c for c in schema.columns if c.numeric or c.role != "target"]
        levels = tuple(len(c.levels) for c in columns if not c.numeric)
        numeric, wide = sum(c.numeric for c in columns), tuple(k for k in levels if k > 2)
        starts = [0, numeric, numeric + levels.count(2)]  # of the three groups
        order: list[int] = []
        for column in columns:
            group = 0 if column.numeric else min(len(column.levels), 3) - 1
            taken = 1 if group < 2 else len(column.levels)
            if column.numeric or len(column.levels) > 1:
                order += range(starts[group], starts[group] + taken)
                starts[group] += taken
        index = torch.tensor(order, dtype=torch.int64, device=device)
        binary = [j for j, k in enumerate(levels) if k == 2]
        several = [j for j, k in enumerate(levels) if k > 2]
        return cls(
            numeric=numeric,
            levels=levels,
            binary=torch.tensor(binary, dtype=torch.int64, device=device),
            several=torch.tensor(several, dtype=torch.int64, device=device),
            layout=Layout(wide, device),
            order=index,
            place=index.argsort(),
        )

    @property
    def width(self) -> int:
        """D, the number of columns of the matrix."""
        return len(self.order)

    def encode(self, ranks: Tensor, codes: Tensor, generator: torch.Generator) -> Tensor:
        """Return x [n, D] for intervals of ranks [n, P, 2] and codes [n, Q]."""
        low, high = ranks.unbind(2)
        rank = low + (high - low) * torch.rand(low.shape, generator=generator, device=low.device)  # [n, P]
        indicators = self.layout.one_hot(codes[:, self.several])
        return torch.cat([rank, codes[:, self.binary].to(rank.dtype), indicators], dim=1)[:, self.order]

    def probabilities(self, logits: Tensor) -> Tensor:
        """Return p [n, D] of logits [n, D]."""
        single, several = self._grouped(logits)
        if not len(self.several):
            return single.sigmoid()[:, self.order]
        return torch.cat([single.sigmoid(), self.layout.log_softmax(several).exp()], dim=1)[:, self.order]

    def cross_entropy(self, logits: Tensor, x: Tensor) -> Tensor:
        """Return the loss of each row of x [n, D] under logits [n, D], [n], in nats."""
        single, several = self._grouped(logits)
        x_single, x_several = self._grouped(x)
        losses = functional.binary_cross_entropy_with_logits(single, x_single, reduction="none").sum(1)
        return losses - (x_several * self.layout.log_softmax(several)).sum(1)

    def draw(self, p: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return normal scores [n, P] and codes [n, Q] of rows with probabilities p [n, D]."""
        single, several = self._grouped(p)
        rank, flags = single.split([self.numeric, len(self.binary)], dim=1)
        codes = torch.zeros(len(p), len(self.levels), dtype=torch.int64, device=p.device)
        codes[:, self.binary] = (torch.rand(flags.shape, generator=generator, device=p.device) < flags).long()
        codes[:, self.several] = self.layout.draw(several, generator)
        return torch.special.ndtri(rank.double()), codes

    def _grouped(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return columns of a matrix [n, D] in the grouped order: [n, P + B] and the indicators [n, sum(K)]."""
        single = self.numeric + len(self.binary)
        first, rest = x[:, self.place].split([single, self.width - single], dim=1)
        return first, rest
