"""How does one flat output of a network speak for many columns of levels?

Column g has K[g] levels; its logits lie side by side and

    p_gk = exp(l_gk) / sum_i exp(l_gi).

Groups are laid out by their number of entries, so that those of equal size are one tensor [n, count, K] and a softmax
over a thousand binary columns costs as much as over one. Draws use Gumbel noise G = -log(-log U), of which

    argmax_k ( l_k + G_k ) has the law softmax(l),      softmax( (l + G) / tau ) is its relaxation [Jang 2017, eq. 1-2].
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby

import torch
from torch import Tensor


class Groups:
    """Where the entries of G groups lie on one flat axis of sum(K) entries.

    Args:
        sizes: K[g] of each group, each >= 1, in the caller's order; codes go in and out in that order.
        device: where the index tensors live.
    """

    def __init__(self, sizes: tuple[int, ...], device: str = "cpu") -> None:
        self.sizes = sizes
        self.total = sum(sizes)
        order = sorted(range(len(sizes)), key=lambda g: sizes[g])
        self.runs = [(len(list(members)), size) for size, members in groupby(sizes[g] for g in order)]
        ordered = torch.tensor([sizes[g] for g in order], dtype=torch.int64)
        self._order = torch.tensor(order, dtype=torch.int64, device=device)
        self._inverse = torch.argsort(self._order)
        starts = (ordered.cumsum(0) - ordered).to(device)
        self.starts = starts[self._inverse]  # [G], in the caller's order

    def one_hot(self, codes: Tensor) -> Tensor:
        """Return codes [n, G] as indicators [n, sum(K)]."""
        flat = torch.zeros(len(codes), self.total, device=codes.device)
        return flat.scatter_(1, codes + self.starts, 1)

    def of(self, g: int, flat: Tensor) -> Tensor:
        """Return the entries of group g, [n, sum(K)] -> [n, K[g]]."""
        first = int(self.starts[g])
        return flat[:, first : first + self.sizes[g]]

    def log_softmax(self, logits: Tensor) -> Tensor:
        """Return log probabilities [n, sum(K)] of logits [n, sum(K)], group by group."""
        return self._by_run(logits, lambda run: run.log_softmax(2))

    def log_likelihood(self, logits: Tensor, codes: Tensor) -> Tensor:
        """Return the log probability of codes [n, G] under logits [n, sum(K)], cell by cell, [n, G]."""
        return self.log_softmax(logits).gather(1, codes + self.starts)

    def gumbel_softmax(self, logits: Tensor, tau: float, generator: torch.Generator) -> Tensor:
        """Return relaxed indicators [n, sum(K)] of logits [n, sum(K)] at temperature tau > 0."""
        noisy = (logits + gumbel(logits, generator)) / tau
        return self._by_run(noisy, lambda run: run.softmax(2))

    def draw(self, logits: Tensor, generator: torch.Generator) -> Tensor:
        """Return one code per row and group, [n, G], from softmax(logits)."""
        noisy = logits + gumbel(logits, generator)
        parts = [run.argmax(2) for run in self._runs(noisy)]
        if not parts:
            return torch.zeros(len(logits), 0, dtype=torch.int64, device=logits.device)
        return torch.cat(parts, dim=1)[:, self._inverse]

    def _by_run(self, flat: Tensor, function: Callable[[Tensor], Tensor]) -> Tensor:
        parts = [function(run).flatten(1) for run in self._runs(flat)]
        return torch.cat(parts, dim=1) if parts else flat

    def _runs(self, flat: Tensor) -> list[Tensor]:
        parts = flat.split([count * size for count, size in self.runs], dim=1)
        return [part.unflatten(1, run) for part, run in zip(parts, self.runs)]  # [n, count, K] each


def gumbel(like: Tensor, generator: torch.Generator) -> Tensor:
    """Return standard Gumbel noise of the shape of `like`; the uniform numbers are multiples of 2^-24, never 0 here."""
    uniform = torch.rand(like.shape, generator=generator, device=like.device).clamp_(min=2.0**-25)
    return uniform.log_().neg_().log_().neg_()
