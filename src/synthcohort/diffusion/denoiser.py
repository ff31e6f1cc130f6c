"""How does a network become a denoiser, and on what does it learn?

The network sees a noisy row as numbers, [values | indicators of the levels], and answers with [eps | logits of x_0].
It learns

    L = mean_P (eps - eps_hat)^2 + (1 / Q) sum_j L_j          [Kotelnikov 2023, eq. 6; Ceritli 2023],

the first term L_simple of [Ho 2020, eq. 14], with t uniform on (0, 1).

Departs: L_j is the cross-entropy of p(x_0 | x_t) at the true level, not the variational bound's divergence between
posteriors. Its minimiser is the true p(x_0 | x_t), which is what mixing the exact posteriors needs; it depends on no
step count and gives late times, where most of a row is decided, more weight.
Departs: times of a batch are stratified, t_i = (i / b + u) mod 1, which leaves each t_i uniform and lowers the loss's
variance [Kingma 2021, app. I.1].
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from synthcohort.diffusion import gaussian, multinomial
from synthcohort.diffusion.multinomial import Layout
from synthcohort.diffusion.sampler import Estimate, State
from synthcohort.diffusion.schedule import Schedule


@dataclass(frozen=True)
class Reader:
    """What turns rows into a network's input and its output into predictions.

    Args:
        network: (x [n, P + sum(K)], t [n], y [n] or None) -> [n, P + sum(K)].
        schedule: share of signal over time.
        layout: the levels of the categorical columns.
        numeric: P, the number of numeric columns.
        dtype: type of the network's matrix products.
    """

    network: nn.Module
    schedule: Schedule
    layout: Layout
    numeric: int
    dtype: torch.dtype

    def __call__(self, x_t: State, t: Tensor, y: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return eps_hat [n, P] and log p(x_0 | x_t) [n, sum(K)], float32."""
        x = torch.cat([x_t.numeric, self.layout.one_hot(x_t.codes)], dim=1)  # [n, P + sum(K)]
        fast = self.dtype != torch.float32
        with torch.autocast(x.device.type, dtype=self.dtype, enabled=fast):
            out = self.network(x, t, y)  # [n, P + sum(K)]
        eps, logits = out.float().split([self.numeric, self.layout.total], dim=1)
        return eps, self.layout.log_softmax(logits)


def loss(reader: Reader, x_0: State, y: Tensor | None, generator: torch.Generator) -> Tensor:
    """Return L for each row, [n]; times and noise come from `generator`."""
    n, device = len(x_0), x_0.numeric.device
    u = torch.rand(1, generator=generator, device=device)
    t = (torch.arange(n, device=device) / n + u) % 1  # [n]
    alpha_bar = reader.schedule.alpha_bar(t)[:, None]  # [n, 1]
    eps = torch.randn(x_0.numeric.shape, generator=generator, device=device)
    codes = multinomial.diffuse(x_0.codes, alpha_bar, layout=reader.layout, generator=generator)
    eps_hat, log_p = reader(State(gaussian.diffuse(x_0.numeric, eps, alpha_bar), codes), t, y)
    value = torch.zeros(n, device=device)
    if reader.numeric:
        value = value + (eps - eps_hat).square().mean(1)
    if reader.layout.levels:
        value = value - log_p.gather(1, x_0.codes + reader.layout.offsets).mean(1)
    return value


@dataclass(frozen=True)
class NetworkDenoiser:
    """A network as a `sampler.Denoiser`.

    E[x_0 | x_t] is an average of training rows, so it lies between the smallest and the largest of each column; an
    estimate outside is the network's error, large where eps is hard to tell from x_t, and is moved to the border.
    [Ho 2020] clips for the same reason to the range of pixels.

    Args:
        reader: the network and its reading.
        y: [n] labels of the rows to draw, or None.
        low: [P] smallest values of x_0.
        high: [P] largest values of x_0.
        rows_per_call: rows handed to the network at a time.
    """

    reader: Reader
    y: Tensor | None
    low: Tensor
    high: Tensor
    rows_per_call: int

    @torch.no_grad()
    def __call__(self, x_t: State, t: Tensor) -> Estimate:
        """Return what the network knows of x_0 at time t, a scalar."""
        alpha_bar = self.reader.schedule.alpha_bar(t).to(x_t.numeric.dtype)
        parts = [self._part(x_t, t, alpha_bar, rows) for rows in self._slices(len(x_t))]
        return Estimate(torch.cat([p.x_0 for p in parts]), torch.cat([p.p_0 for p in parts]))

    def _slices(self, n: int) -> list[slice]:
        return [slice(k, k + self.rows_per_call) for k in range(0, n, self.rows_per_call)]

    def _part(self, x_t: State, t: Tensor, alpha_bar: Tensor, rows: slice) -> Estimate:
        part = State(x_t.numeric[rows], x_t.codes[rows])
        y = None if self.y is None else self.y[rows]
        eps, log_p = self.reader(part, t.to(part.numeric.dtype).expand(len(part)), y)
        x_0 = gaussian.eps_to_x_0(eps, part.numeric, alpha_bar)
        return Estimate(x_0.maximum(self.low).minimum(self.high), log_p.exp())
