"""How does multinomial diffusion scramble levels, and how is one step of it undone exactly?

Forward with the uniform kernel, for a column of K levels [Hoogeboom 2021, eq. 11 and 12]:

    q(x_t = k | x_0) = alpha_bar_t [x_0 = k] + (1 - alpha_bar_t) / K
    q(x_t = k | x_s) = alpha [x_s = k] + (1 - alpha) / K,        alpha = alpha_bar_t / alpha_bar_s

Posterior by Bayes' rule [Hoogeboom 2021, eq. 13]:

    q(x_s = k | x_t, x_0) = q(x_t | x_s = k) q(x_s = k | x_0) / Z(x_0),   Z(x_0) = q(x_t | x_0).

A denoiser knows only a law p(x_0). The reverse step is the mixture of the exact posteriors, each with its own Z:

    p(x_s = k | x_t) = sum_i p(x_0 = i) q(x_s = k | x_t, x_0 = i)
                     = q(x_t | x_s = k) ( alpha_bar_s w_k + (1 - alpha_bar_s) / K * sum_i w_i ),
    w_i = p(x_0 = i) / Z(i).

Departs: [Hoogeboom 2021, sec. 4.2] and its followers put p(x_0) in the place of x_0 inside the posterior and normalise
once. A jump from level j to k then happens at a rate proportional to E[q(k | x_0)] / E[q(j | x_0)] instead of
E[q(k | x_0) / q(j | x_0)]. With the true p(x_0 | x_t) that draws rare levels too often, at any number of steps.

Columns with different numbers of levels lie side by side in one flat axis of sum(K) entries, so that a step costs the
same few operations for any number of columns.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor


@dataclass(frozen=True)
class Layout:
    """Where the levels of Q categorical columns lie on one flat axis.

    Args:
        levels: K[j], the number of levels of each column.
        device: where the index tensors live.
    """

    levels: tuple[int, ...]
    device: str = "cpu"
    sizes: Tensor = field(init=False, repr=False, compare=False)  # [Q]
    offsets: Tensor = field(init=False, repr=False, compare=False)  # [Q]
    column: Tensor = field(init=False, repr=False, compare=False)  # [sum(K)]

    def __post_init__(self) -> None:
        sizes = torch.tensor(self.levels, dtype=torch.int64, device=self.device)
        object.__setattr__(self, "sizes", sizes)
        object.__setattr__(self, "offsets", sizes.cumsum(0) - sizes)
        object.__setattr__(self, "column", torch.repeat_interleave(sizes))

    @property
    def total(self) -> int:
        """sum(K), the length of the flat axis."""
        return sum(self.levels)

    def one_hot(self, codes: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
        """Return codes [n, Q] as indicators [n, sum(K)]."""
        flat = torch.zeros(len(codes), self.total, dtype=dtype, device=codes.device)  # [n, sum(K)]
        return flat.scatter_(1, codes + self.offsets, 1)

    def sums(self, flat: Tensor) -> Tensor:
        """Return the sum of each column's entries, [n, sum(K)] -> [n, Q]."""
        total = torch.zeros(len(flat), len(self.levels), dtype=flat.dtype, device=flat.device)
        return total.scatter_add(1, self.column.expand(len(flat), -1), flat)

    def spread(self, per_column: Tensor) -> Tensor:
        """Return each column's value at all its levels, [n, Q] -> [n, sum(K)]."""
        return per_column[:, self.column]

    def log_softmax(self, logits: Tensor) -> Tensor:
        """Return the log probabilities [n, sum(K)] of logits [n, sum(K)], column by column."""
        parts = [part.log_softmax(1) for part in logits.split(self.levels, dim=1)]
        return torch.cat(parts, dim=1) if parts else logits

    def draw(self, probabilities: Tensor, generator: torch.Generator) -> Tensor:
        """Return one code per row and column, [n, Q], from probabilities [n, sum(K)].

        The flat cumulative sum rises by one over each column, so column j is drawn by looking up u + j in it; one
        uniform number a cell, one search for all columns.
        """
        n, q = len(probabilities), len(self.levels)
        uniform = torch.rand(n, q, generator=generator, dtype=torch.float64, device=probabilities.device)
        flat = probabilities.to(torch.float64)
        flat = (flat / self.spread(self.sums(flat))).cumsum(1)  # [n, sum(K)]
        wanted = uniform + torch.arange(q, device=flat.device)  # [n, Q]
        codes = torch.searchsorted(flat, wanted, right=True) - self.offsets
        return codes.clamp(min=0).minimum(self.sizes - 1)  # rounding of the sum, 1e-13, may cross a border


def diffuse(x_0: Tensor, alpha_bar_t: Tensor, *, layout: Layout, generator: torch.Generator) -> Tensor:
    """Return codes x_t [n, Q] drawn from q(x_t | x_0) for codes x_0 [n, Q] [Hoogeboom 2021, eq. 12]."""
    kept = torch.rand(x_0.shape, generator=generator, device=x_0.device) < alpha_bar_t
    return torch.where(kept, x_0, uniform_codes(len(x_0), layout, generator))


def uniform_codes(n: int, layout: Layout, generator: torch.Generator) -> Tensor:
    """Return codes [n, Q], each level of a column equally likely: the law of x_t without signal."""
    uniform = torch.rand(n, len(layout.levels), generator=generator, dtype=torch.float64, device=layout.device)
    return (uniform * layout.sizes).long()


def forward_law(x_s: Tensor, alpha: Tensor, layout: Layout) -> Tensor:
    """Return q(x_t | x_s) [n, sum(K)] for a law of x_s [n, sum(K)].

    `alpha` is alpha_bar_t / alpha_bar_s; with s = 0 it is the closed form [Hoogeboom 2021, eq. 11 and 12].
    """
    return alpha * x_s + (1 - alpha) / layout.sizes[layout.column]


def posterior(x_0: Tensor, x_t: Tensor, *, alpha_bar_s: Tensor, alpha_bar_t: Tensor, layout: Layout) -> Tensor:
    """Return q(x_s | x_t, x_0) [n, sum(K)] for indicators x_0 and x_t [n, sum(K)] [Hoogeboom 2021, eq. 13].

    The kernel is symmetric in its two levels, so q(x_t | x_s = k) is `forward_law` of the indicators of x_t at k.
    """
    joint = forward_law(x_t, alpha_bar_t / alpha_bar_s, layout) * forward_law(x_0, alpha_bar_s, layout)
    return joint / layout.spread(layout.sums(joint))


def reverse_law(p_0: Tensor, x_t: Tensor, *, alpha_bar_s: Tensor, alpha_bar_t: Tensor, layout: Layout) -> Tensor:
    """Return p(x_s | x_t) [n, sum(K)], the exact posteriors mixed over a law of x_0.

    Args:
        p_0: [n, sum(K)] law of x_0 given x_t.
        x_t: [n, sum(K)] indicators of the noisy levels.
        alpha_bar_s: share of signal at s < t, a scalar or [n, 1].
        alpha_bar_t: share of signal at t > 0.
        layout: the columns' levels.
    """
    w = p_0 / forward_law(x_t, alpha_bar_t, layout)  # [n, sum(K)]
    everywhere = layout.spread(layout.sums(w)) / layout.sizes[layout.column]
    return forward_law(x_t, alpha_bar_t / alpha_bar_s, layout) * (alpha_bar_s * w + (1 - alpha_bar_s) * everywhere)
