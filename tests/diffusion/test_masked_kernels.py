"""Diffusion under masks: what is in the loss, what a walk leaves alone, and the conditional laws that come back."""

import math

import pytest
import torch
from torch import Tensor, nn

from synthcohort.diffusion import gaussian, masked, multinomial, sampler
from synthcohort.diffusion.masked import Cells, CompletingDenoiser, Reader
from synthcohort.diffusion.multinomial import Layout
from synthcohort.diffusion.sampler import State, Walk
from synthcohort.diffusion.schedule import Cosine
from synthcohort.rng import Rng

SCHEDULE = Cosine()
LAYOUT = Layout((3, 2))


def _generator(name: str) -> torch.Generator:
    return Rng(8, (name,)).torch()


class Constant(nn.Module):
    """Answers mean 1, variance 1/4, correction 0.4, the same logits everywhere, and keeps what it was asked."""

    def __init__(self, numeric: int, layout: Layout) -> None:
        super().__init__()
        self.numbers = nn.Parameter(torch.tensor([1.0, math.log(0.25), 0.4]).expand(numeric, 3).clone())
        self.logits = nn.Parameter(torch.arange(layout.total, dtype=torch.float32))

    def encode(self, values: Tensor, codes: Tensor, given: Tensor) -> tuple[Tensor, ...]:
        return (values.where(given[:, : values.shape[1]], 0.0),)

    def decode(self, values, codes, certainty, free, t, memory) -> tuple[Tensor, Tensor]:
        self.asked, self.read = (codes, t), (values, certainty)
        self.answered = self.numbers.expand(len(t), -1, -1), self.logits.expand(len(t), -1)
        return self.answered


def test_cells_are_read_by_what_they_are_worth() -> None:
    """sqrt(alpha_bar) x_t is E[x_0 | x_t] of a standard normal x_0: its regression on x_t."""
    n = 100_000
    alpha_bar = SCHEDULE.alpha_bar(torch.tensor(0.6))
    x_0, eps = torch.randn(2, n, 1, generator=_generator("worth"))
    x_t = State(gaussian.diffuse(x_0, eps, alpha_bar), torch.zeros(n, 2, dtype=torch.int64))
    network = Constant(1, LAYOUT)
    Reader(network, SCHEDULE, LAYOUT, 1).decode(x_t, torch.full((n,), 0.6), torch.ones(n, 3, dtype=torch.bool), ())
    values, certainty = network.read
    assert torch.allclose(certainty, alpha_bar.expand(n, 1))
    slope = (x_0 * x_t.numeric).mean() / x_t.numeric.square().mean()
    assert torch.allclose(values, slope * x_t.numeric, atol=0.02)


def test_v_gives_back_the_row_it_was_made_of() -> None:
    x_0, eps = torch.randn(2, 6, 3, generator=_generator("v"), dtype=torch.float64)
    alpha_bar = torch.tensor([1e-6, 0.01, 0.3, 0.5, 0.9, 1.0], dtype=torch.float64)[:, None]
    x_t = gaussian.diffuse(x_0, eps, alpha_bar)
    assert torch.allclose(masked.v_to_x_0(masked.v_of(x_0, eps, alpha_bar), x_t, alpha_bar), x_0, atol=1e-12)


def test_log_softmax_is_that_of_each_column() -> None:
    logits = 50 * torch.randn(5, LAYOUT.total, generator=_generator("logits"))
    expected = torch.cat([part.log_softmax(1) for part in logits.split([3, 2], dim=1)], dim=1)
    assert torch.allclose(masked.log_softmax(logits, LAYOUT), expected, atol=1e-5)
    assert masked.log_softmax(torch.zeros(4, 0), Layout(())).shape == (4, 0)


@pytest.mark.parametrize("observed", [4, 3, 1])
def test_the_number_of_free_cells_is_uniform_and_every_set_of_a_size_equally_likely(observed: int) -> None:
    n = 24_000
    there = torch.arange(4).expand(n, 4) < observed
    free = masked.dynamic(there, _generator("dynamic"))
    assert not (free & ~there).any()
    sizes = torch.bincount(free.sum(1), minlength=5)[1 : observed + 1]
    assert torch.allclose(sizes / n, torch.full_like(sizes, 1 / observed, dtype=torch.float32), atol=0.002)
    for size in range(1, observed + 1):
        sets = torch.bincount((free * 2 ** torch.arange(4)).sum(1)[free.sum(1) == size])
        sets = sets[sets > 0]
        assert len(sets) == math.comb(observed, size)
        assert (sets / sets.sum() - 1 / len(sets)).abs().max() < 4 * math.sqrt(1 / (len(sets) * int(sets.sum())))


def test_the_number_of_free_cells_does_not_depend_on_the_time() -> None:
    """Both are stratified: in every tenth of the times the mean number is that of all."""
    n = 2_000
    free = masked.dynamic(torch.ones(n, 9, dtype=torch.bool), _generator("lattice")).sum(1).float()
    means = free.view(10, -1).mean(1)
    assert (means - 5).abs().max() < 0.1


def _rows(n: int) -> tuple[State, Cells]:
    g = _generator("rows")
    codes = multinomial.uniform_codes(n, LAYOUT, g)
    x_0 = State(torch.randn(n, 2, generator=g), codes)
    kind = torch.randint(0, 3, (n, 4), generator=g)  # free, given, neither
    kind[:, 1] = torch.where((kind == 0).any(1), kind[:, 1], 0)
    return x_0, Cells(x_0, kind == 1, kind == 0)


def test_only_free_cells_are_in_the_loss() -> None:
    x_0, cells = _rows(200)
    network = Constant(2, LAYOUT)
    reader = Reader(network, SCHEDULE, LAYOUT, 2)
    losses = masked.loss(reader, x_0, cells, _generator("noise"))
    of_numbers, of_logits = torch.autograd.grad(losses.sum(), network.answered)
    assert torch.equal(of_numbers != 0, cells.free[:, :2, None].expand(-1, -1, 3))
    assert torch.equal(of_logits.split([3, 2], dim=1)[0].abs().sum(1) > 0, cells.free[:, 2])
    other = State(x_0.numeric.where(cells.free[:, :2], 9.0), x_0.codes.where(cells.free[:, 2:], 0))
    assert torch.equal(losses, masked.loss(reader, other, cells, _generator("noise")))


def test_the_loss_is_the_mean_over_free_cells() -> None:
    """Each term computed again from Bayes' rule: v of the posterior mean, cross-entropy of the posterior law."""
    x_0, cells = _rows(50)
    network = Constant(2, LAYOUT)
    losses = masked.loss(Reader(network, SCHEDULE, LAYOUT, 2), x_0, cells, _generator("again")).detach()
    g = _generator("again")
    torch.rand(1, generator=g)
    eps = torch.randn(50, 2, generator=g)
    codes, t = network.asked
    alpha_bar = SCHEDULE.alpha_bar(t)
    signal, noise = alpha_bar[:, None].sqrt(), (1 - alpha_bar[:, None]).sqrt()
    x_t = signal * x_0.numeric + noise * eps
    mean = (1.0 / 0.25 + signal * x_t / noise**2) / (1 / 0.25 + (signal / noise) ** 2)
    wrong = (signal * eps - noise * x_0.numeric) - (signal * x_t - mean) / noise - 0.4
    for i in range(50):
        free = cells.free[i]
        terms = [float(wrong[i, j] ** 2) for j in range(2) if free[j]]
        for j, levels in enumerate((3, 2)):
            likelihood = alpha_bar[i] * (torch.arange(levels) == codes[i, j]) + (1 - alpha_bar[i]) / levels
            law = likelihood * torch.arange(float(levels)).exp()
            terms += [-math.log(law[x_0.codes[i, j]] / law.sum())] if free[2 + j] else []
        assert math.isclose(float(losses[i]), sum(terms) / len(terms), rel_tol=1e-3)


def test_times_are_stratified() -> None:
    x_0, cells = _rows(100)
    network = Constant(2, LAYOUT)
    masked.loss(Reader(network, SCHEDULE, LAYOUT, 2), x_0, cells, _generator("times"))
    assert torch.equal((network.asked[1] * 100).long().sort().values, torch.arange(100))


RHO = 0.8


class Exact(nn.Module):
    """The exact laws of two standard normals of correlation RHO given the other, of which the second may be given."""

    def encode(self, values: Tensor, codes: Tensor, given: Tensor) -> tuple[Tensor, ...]:
        assert not given[:, 0].any()
        return (values[:, 1:], given[:, 1:])

    def decode(self, values, codes, certainty, free, t, memory) -> tuple[Tensor, Tensor]:
        other, given = memory
        mean = torch.where(given, RHO * other, 0.0)
        variance = torch.where(given, 1 - RHO**2, 1.0)
        first = torch.stack([mean, variance.log(), torch.zeros_like(mean)], dim=2)  # [n, 1, 3]
        return torch.cat([first, torch.full_like(first, torch.nan)], dim=1), values.new_zeros(len(values), 0)


def _conditional(given: bool, steps: int, solver=sampler.multistep, eta: float = 1.0) -> State:
    n = 40_000
    told = State(torch.full((n, 2), 1.5, dtype=torch.float64), torch.zeros(n, 0, dtype=torch.int64))
    cells = Cells(told, torch.tensor([False, given]).expand(n, 2), torch.tensor([True, False]).expand(n, 2))
    reader = Reader(Exact(), SCHEDULE, Layout(()), 2)
    denoiser = CompletingDenoiser(reader, cells, torch.tensor(-9.0), torch.tensor(9.0), rows_per_call=15_000)
    walk = Walk(SCHEDULE, steps, Layout(()))
    return masked.complete(denoiser, walk, _generator("walk"), solver=solver, eta=eta)


@pytest.mark.parametrize("eta", [0.0, 1.0])
@pytest.mark.parametrize("given", [True, False])
def test_25_second_order_steps_draw_the_conditional_law(given: bool, eta: float) -> None:
    drawn = _conditional(given, 25, eta=eta).numeric
    mean, variance = (RHO * 1.5, 1 - RHO**2) if given else (0.0, 1.0)
    assert abs(float(drawn[:, 0].mean()) - mean) < 0.02
    assert abs(float(drawn[:, 0].var()) / variance - 1) < 0.08  # of a standard deviation, 4 %
    assert (drawn[:, 1] == 1.5).all()  # what is not free is as it was


def test_first_order_steps_are_farther_off() -> None:
    """The same walk with published steps is visibly too narrow at 10 evaluations, the second-order one is not."""
    off = [abs(float(_conditional(True, 10, solver).numeric[:, 0].var()) / (1 - RHO**2) - 1) for solver in
           (sampler.ddim, sampler.multistep)]  # fmt: skip
    assert off[1] < 0.5 * off[0]


JOINT = torch.tensor([[0.30, 0.10], [0.05, 0.15], [0.10, 0.30]], dtype=torch.float64)  # of a 3- and a 2-level column


class ExactLevels(nn.Module):
    """The exact law of the first column when the second is given, as logits."""

    def encode(self, values: Tensor, codes: Tensor, given: Tensor) -> tuple[Tensor, ...]:
        return (codes[:, 1],)

    def decode(self, values, codes, certainty, free, t, memory) -> tuple[Tensor, Tensor]:
        return values.new_zeros(len(values), 0, 3), torch.cat(
            [JOINT[:, memory[0]].T.log(), torch.zeros(len(codes), 2)], dim=1
        )  # [n, 3 + 2]


@pytest.mark.parametrize("steps", [1, 5])
def test_levels_follow_their_conditional_law(steps: int) -> None:
    n = 40_000
    codes = torch.stack([torch.zeros(n, dtype=torch.int64), torch.arange(n) % 2], dim=1)
    told = State(torch.zeros(n, 0), codes)
    cells = Cells(told, torch.tensor([False, True]).expand(n, 2), torch.tensor([True, False]).expand(n, 2))
    reader = Reader(ExactLevels(), SCHEDULE, LAYOUT, 0)
    denoiser = CompletingDenoiser(reader, cells, torch.zeros(0), torch.zeros(0), rows_per_call=n)
    drawn = masked.complete(
        denoiser, Walk(SCHEDULE, steps, LAYOUT), _generator("levels"), solver=sampler.multistep, eta=1.0
    ).codes
    assert torch.equal(drawn[:, 1], codes[:, 1])
    for given in (0, 1):
        seen = torch.bincount(drawn[given::2, 0], minlength=3) / (n / 2)
        law = JOINT[:, given] / JOINT[:, given].sum()
        assert ((seen - law).abs() < 5 * (law * (1 - law) / (n / 2)).sqrt()).all()


def test_rows_per_call_changes_no_draw() -> None:
    _, cells = _rows(30)
    reader = Reader(Constant(2, LAYOUT), SCHEDULE, LAYOUT, 2)
    high = torch.full((2,), 3.0)
    drawn = [
        masked.complete(
            CompletingDenoiser(reader, cells, -high, high, rows_per_call),
            Walk(SCHEDULE, 4, LAYOUT),
            _generator("calls"),
            solver=sampler.multistep,
            eta=1.0,
        )
        for rows_per_call in (30, 7)
    ]
    assert torch.equal(drawn[0].numeric, drawn[1].numeric)
    assert torch.equal(drawn[0].codes, drawn[1].codes)
