r"""How does diffusion learn and draw some cells of a row while others stay clean?

Each cell of a row is free, given or neither. Free cells are noised and drawn; given cells stay clean, are read by the
network and are never in the loss; a cell that is neither (a missing cell of a training row) is not there at all. With
F_i the free cells of row i, the loss is

    L_i = (1 / |F_i|) ( sum over numeric free cells of (v - v_hat)^2  +  sum over categorical ones of L_j ),

the cross-entropy L_j of `denoiser`, and v = sqrt(alpha_bar) eps - sqrt(1 - alpha_bar) x_0 [Salimans 2022, app. D], so
that x_0 = sqrt(alpha_bar) x_t - sqrt(1 - alpha_bar) v.

Which observed cells of a training row are free is drawn: with `dynamic` their number is uniform on 1..K, K observed
cells, and each set of that size equally likely [Villaizan-Vallelado 2025, sec. 4.5]. One fitted network then knows the
law of any cells given any others, and a sampler of `sampler` draws it: its denoiser answers with what is given there.

Departs: v instead of eps. Where other cells are given, much is known of x_0 even at t = 1, when x_t tells nothing; an
error in eps is multiplied by sqrt((1 - alpha_bar) / alpha_bar) on its way to x_0, one in v by less than 1.
Departs: a network speaks of each cell as all other cells show it, and the cell's own noisy self enters by Bayes' rule,
p(x_0 | x_t, others) proportional to q(x_t | x_0) p(x_0 | others): what is known need not be learned. For levels the
network gives the logits of p(x_0 | others). For a number it gives mean m and variance s^2 of a normal law, so that

    E[x_0 | x_t, others] = ((1 - alpha_bar) m + s^2 sqrt(alpha_bar) x_t) / (s^2 alpha_bar + 1 - alpha_bar),

and a correction that is added to the v of this mean, for laws that are not normal. With m = 0, s = 1 and no correction,
v = 0 and a fit begins at independent columns.
Departs: the network reads sqrt(alpha_bar) x_t instead of x_t, and a level's indicator times alpha_bar. Between the
columns of a normal law E[x_0 | other columns at t] is then linear, with the same slopes at all times.
Departs: numbers of free cells and times of a batch are stratified together, on a lattice of the golden ratio.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor

from synthcohort.diffusion import gaussian, multinomial, sampler
from synthcohort.diffusion.multinomial import Layout
from synthcohort.diffusion.sampler import Estimate, State, Walk
from synthcohort.diffusion.schedule import Schedule

Memory = tuple[Tensor, ...]

GOLDEN = 0.6180339887498949  # (sqrt(5) - 1) / 2


class Network(Protocol):
    """A network that reads given cells once and noisy free cells at each time."""

    def encode(self, values: Tensor, codes: Tensor, given: Tensor) -> Memory:
        """Return what `decode` needs of clean values [n, P] and codes [n, Q] where given [n, C]; each part [n, ...]."""
        ...

    def decode(
        self, values: Tensor, codes: Tensor, certainty: Tensor, free: Tensor, t: Tensor, memory: Memory
    ) -> tuple[Tensor, Tensor]:
        """Return m, log s^2 and correction [n, P, 3] and logits [n, sum(K)]; read only where `free` [n, C].

        Args:
            values: [n, P] sqrt(alpha_bar) x_t, the mean of a standard normal x_0 given x_t.
            codes: [n, Q] levels at t.
            certainty: [n, 1] alpha_bar: what of a level is not noise.
            free: [n, C] which cells are free.
            t: [n] times.
            memory: what `encode` returned.
        """
        ...


@dataclass(frozen=True)
class Cells:
    """What is given of rows, and what is asked for.

    Args:
        told: clean values and codes; arbitrary but finite where nothing is given.
        given: [n, P + Q] which cells the network may read.
        free: [n, P + Q] which cells are drawn, at least one a row.
    """

    told: State
    given: Tensor
    free: Tensor

    def part(self, rows: slice) -> Cells:
        """Return some of the rows."""
        told = State(self.told.numeric[rows], self.told.codes[rows])
        return Cells(told, self.given[rows], self.free[rows])


@dataclass(frozen=True)
class Reader:
    """A network and how its answers are read.

    Args:
        network: see `Network`.
        schedule: share of signal over time.
        layout: the levels of the categorical columns.
        numeric: P, the number of numeric columns.
    """

    network: Network
    schedule: Schedule
    layout: Layout
    numeric: int

    def encode(self, cells: Cells) -> Memory:
        """Return what the network knows of the given cells."""
        return self.network.encode(cells.told.numeric, cells.told.codes, cells.given)

    def decode(self, x_t: State, t: Tensor, free: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
        """Return v [n, P] and log p(x_0 | x_t, given) [n, sum(K)] at times t [n]."""
        alpha_bar = self.schedule.alpha_bar(t)[:, None]  # [n, 1]
        values = alpha_bar.sqrt() * x_t.numeric
        numbers, logits = self.network.decode(values, x_t.codes, alpha_bar, free, t, memory)
        likelihood = multinomial.forward_law(self.layout.one_hot(x_t.codes), alpha_bar, self.layout)
        mean, log_variance, correction = numbers.unbind(2)
        v = v_of_law(mean, log_variance.exp(), x_t.numeric, alpha_bar) + correction
        return v, log_softmax(logits + likelihood.log(), self.layout)


def log_softmax(logits: Tensor, layout: Layout) -> Tensor:
    """Return log probabilities [n, sum(K)] of logits [n, sum(K)], all columns in one go."""
    column = layout.column.expand(len(logits), -1)
    top = logits.new_full((len(logits), len(layout.levels)), -torch.inf)
    top = top.scatter_reduce(1, column, logits.detach(), "amax")  # [n, Q]
    lower = logits - top.index_select(1, layout.column)
    return lower - layout.sums(lower.exp()).log().index_select(1, layout.column)


def dynamic(observed: Tensor, generator: torch.Generator) -> Tensor:
    """Return free cells [n, C]: their number uniform on 1..K[i], K[i] >= 1 the observed cells of row i."""
    n, device = len(observed), observed.device
    u = torch.rand(1, generator=generator, device=device)
    share = (torch.arange(n, device=device) * GOLDEN + u) % 1  # [n]
    most = observed.sum(1)
    return some(observed, 1 + (share * most).long().minimum(most - 1), generator)


def some(observed: Tensor, number: Tensor, generator: torch.Generator) -> Tensor:
    """Return a random set of `number` [n] cells of each row among those observed, [n, C]."""
    order = torch.rand(observed.shape, generator=generator, device=observed.device)
    order = order.masked_fill_(~observed, 2.0)
    return order.argsort(1).argsort(1) < number[:, None]


def loss(reader: Reader, x_0: State, cells: Cells, generator: torch.Generator) -> Tensor:
    """Return L for each row, [n]; times and noise come from `generator`.

    Args:
        reader: the network and its reading.
        x_0: the clean rows whose free cells are noised; other cells arbitrary but finite.
        cells: what is given, what is free.
        generator: source of times and noise.
    """
    n, device = len(x_0), x_0.numeric.device
    u = torch.rand(1, generator=generator, device=device)
    t = (torch.arange(n, device=device) / n + u) % 1  # [n]
    alpha_bar = reader.schedule.alpha_bar(t)[:, None]  # [n, 1]
    eps = torch.randn(x_0.numeric.shape, generator=generator, device=device)
    codes = multinomial.diffuse(x_0.codes, alpha_bar, layout=reader.layout, generator=generator)
    x_t = State(gaussian.diffuse(x_0.numeric, eps, alpha_bar), codes)
    v_hat, log_p = reader.decode(x_t, t, cells.free, reader.encode(cells))
    wrong = (v_of(x_0.numeric, eps, alpha_bar) - v_hat).square()  # [n, P]
    surprise = -log_p.gather(1, x_0.codes + reader.layout.offsets)  # [n, Q]
    each = torch.cat([wrong, surprise], dim=1)
    return each.where(cells.free, 0.0).sum(1) / cells.free.sum(1)


def v_of(x_0: Tensor, eps: Tensor, alpha_bar: Tensor) -> Tensor:
    """Return v of clean values and their noise [Salimans 2022, app. D]; all [n, P]."""
    return alpha_bar.sqrt() * eps - (1 - alpha_bar).sqrt() * x_0


def v_of_law(mean: Tensor, variance: Tensor, x_t: Tensor, alpha_bar: Tensor) -> Tensor:
    """Return the v [n, P] of E[x_0 | x_t] where x_0 is normal with this mean and variance, all [n, P].

    The module's formula put into v = (sqrt(alpha_bar) x_t - x_0) / sqrt(1 - alpha_bar), without its division by zero.
    """
    off = alpha_bar.sqrt() * (1 - variance) * x_t - mean
    return (1 - alpha_bar).sqrt() * off / (variance * alpha_bar + 1 - alpha_bar)


def v_to_x_0(v: Tensor, x_t: Tensor, alpha_bar: Tensor) -> Tensor:
    """Return the x_0 [n, P] whose v this is."""
    return alpha_bar.sqrt() * x_t - (1 - alpha_bar).sqrt() * v


@dataclass(frozen=True)
class CompletingDenoiser:
    """A network as a `sampler.Denoiser` of free cells; what is given of a row is its own estimate.

    The encoder reads the given cells once. Estimates outside the range of x_0 are moved to its border, for the reason
    in `denoiser.NetworkDenoiser`.

    Args:
        reader: the network and its reading.
        cells: what is given, what is free.
        low: [P] smallest values of x_0.
        high: [P] largest values of x_0.
        rows_per_call: rows handed to the network at a time.
    """

    reader: Reader
    cells: Cells
    low: Tensor
    high: Tensor
    rows_per_call: int
    memories: list[Memory] = field(init=False, repr=False, compare=False)

    @torch.no_grad()
    def __post_init__(self) -> None:
        memories = [self.reader.encode(self.cells.part(rows)) for rows in self._slices()]
        object.__setattr__(self, "memories", memories)

    @torch.no_grad()
    def __call__(self, x_t: State, t: Tensor) -> Estimate:
        """Return what is known of x_0 at time t, a scalar."""
        alpha_bar = self.reader.schedule.alpha_bar(t).to(x_t.numeric.dtype)
        parts = [self._part(x_t, t, alpha_bar, *each) for each in zip(self._slices(), self.memories, strict=True)]
        return Estimate(torch.cat([p.x_0 for p in parts]), torch.cat([p.p_0 for p in parts]))

    def _slices(self) -> list[slice]:
        return [slice(k, k + self.rows_per_call) for k in range(0, len(self.cells.free), self.rows_per_call)]

    def _part(self, x_t: State, t: Tensor, alpha_bar: Tensor, rows: slice, memory: Memory) -> Estimate:
        cells, part = self.cells.part(rows), State(x_t.numeric[rows], x_t.codes[rows])
        v, log_p = self.reader.decode(part, t.to(part.numeric.dtype).expand(len(part)), cells.free, memory)
        x_0 = v_to_x_0(v, part.numeric, alpha_bar).maximum(self.low).minimum(self.high)
        free = cells.free.split([self.reader.numeric, len(self.reader.layout.levels)], dim=1)
        certain = self.reader.layout.one_hot(cells.told.codes)  # [n, sum(K)]
        return Estimate(
            torch.where(free[0], x_0, cells.told.numeric),
            torch.where(self.reader.layout.spread(free[1]), log_p.exp(), certain),
        )


def complete(
    denoiser: CompletingDenoiser, walk: Walk, generator: torch.Generator, *, solver: Callable[..., State], eta: float
) -> State:
    """Return rows whose free cells are drawn given the given ones.

    Args:
        denoiser: the network on these cells.
        walk: schedule, number of steps, levels.
        generator: source of all noise of the walk.
        solver: `sampler.multistep` or `sampler.ddim`.
        eta: share of fresh noise in a numeric step.
    """
    n, numeric = denoiser.cells.told.numeric.shape
    x_1 = sampler.noise(n, numeric=numeric, layout=denoiser.reader.layout, generator=generator)
    return solver(denoiser, x_1, walk, generator, eta=eta)
