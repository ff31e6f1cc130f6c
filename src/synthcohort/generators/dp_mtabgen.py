"""What does diffusion draw that learns every cell given any others and was fitted with differential privacy?

`generators.mtabgen` under DP-SGD [Abadi 2016]: its diffusion, its dynamic masks and its one network for drawing rows,
drawing them with any cells given and imputing, with private quantiles (`parts.private_masked`) and private steps
(`parts.private_network`). Training rows may miss cells: which ones is part of the row and as hidden as the rest.

Departs from `mtabgen`: the denoiser is the perceptron of `mtabgen_mlp`, whose layers give the lengths of single rows'
gradients from one backward pass (`dp.clipping`); the embeddings and heads of the transformer do not, and written out,
gradients of single rows cost several times a step. Each row draws its time and its number of free cells by itself: on a
lattice over the batch both would depend on how many rows are in it, and one row would move the losses of all others.
The logits of levels begin at the logarithms of their noisy shares, so that a fit begins at independent columns for
levels as it does for numbers, and noisy steps go into dependence alone. Defaults are smaller, because the noise that
hides a row grows with the root of the number of weights; steps are a fixed number and see no validation rows. A column
or a row without any cell is refused as everywhere, and nobody pays for what that tells.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, cast

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from synthcohort.diffusion import gaussian, masked, multinomial
from synthcohort.diffusion.masked import Cells
from synthcohort.diffusion.sampler import State
from synthcohort.generators.mtabgen_mlp import MTabGenMLP
from synthcohort.generators.parts.labelled import spread
from synthcohort.generators.parts.private_masked import buy_masked
from synthcohort.generators.parts.private_network import PrivateNetwork, Purchase
from synthcohort.networks.completing_mlp import CompletingMLP
from synthcohort.rng import Rng


@dataclass(kw_only=True, eq=False)
class DPMTabGen(PrivateNetwork, MTabGenMLP):  # type: ignore[misc]  # the table is that of the second base
    """Masked diffusion whose rows do not show; see `PrivateFit` for its budget and steps.

    Args:
        width: hidden width, even, >= 2.
        depth: residual blocks, >= 1.
        learning_rate: of AdamW, > 0.
        weight_decay: of AdamW, >= 0.
        ema_decay: weight of the past in the average of the weights, in [0, 1).
        steps: sampling steps, >= 1.
        eta: share of fresh noise in a numeric sampling step, 0 (DDIM) to 1 (ancestral).
    """

    abilities: ClassVar[frozenset[str]] = MTabGenMLP.abilities | {"private"}

    width: int = 64
    depth: int = 1
    max_steps: int = 600
    batch_size: int = 128
    learning_rate: float = 3e-3
    ema_decay: float = 0.98
    evaluate_every: int = field(init=False, default=1)
    patience: float = field(init=False, default=2.0)

    def _buy_table(self, train: pd.DataFrame, edges: list[np.ndarray], purchase: Purchase) -> None:
        self.table = buy_masked(  # type: ignore[assignment]  # as above
            train,
            self.schema,
            edges,
            ledger=purchase.ledger,
            noise_multiplier=purchase.noise_multiplier,
            noise=purchase.noise,
        )

    def _build(self, device: str, rng: Rng) -> None:
        super()._build(device, rng)
        counts = torch.tensor(self.table.counts, dtype=torch.float32, device=device)
        logits = masked.log_softmax(counts.log()[None], self.reader.layout)[0]  # [sum(K)]
        leave = cast(CompletingMLP, self.network).body.body.leave
        with torch.no_grad():
            leave.bias[3 * self.table.numeric :] = logits

    def _learned(self) -> nn.Module:
        return self.network

    def _mask(self, known: Tensor, generator: torch.Generator) -> Tensor:
        """Return free cells [n, P + Q] as `masked.dynamic`, their number drawn for each row by itself."""
        most = known.sum(1)
        u = torch.rand(len(known), generator=generator, device=known.device)
        return masked.some(known, 1 + (u * most).long().minimum(most - 1), generator)

    def _loss(self, batch: tuple[Tensor, ...], generator: torch.Generator) -> Tensor:
        """Return the loss of `diffusion.masked` of each row, [n], at a time of its own."""
        ranks, values, codes, known = batch
        free = self._mask(known, generator)
        scores = spread(ranks, generator)
        t = torch.rand(len(scores), generator=generator, device=scores.device)
        alpha_bar = self.reader.schedule.alpha_bar(t)[:, None]  # [n, 1]
        eps = torch.randn(scores.shape, generator=generator, device=scores.device)
        layout = self.reader.layout
        noisy = multinomial.diffuse(codes, alpha_bar, layout=layout, generator=generator)
        x_t = State(gaussian.diffuse(scores, eps, alpha_bar), noisy)
        memory = self.reader.encode(Cells(State(values, codes), known & ~free, free))
        v_hat, log_p = self.reader.decode(x_t, t, free, memory)
        wrong = (masked.v_of(scores, eps, alpha_bar) - v_hat).square()  # [n, P]
        surprise = -log_p.gather(1, codes + layout.offsets)  # [n, Q]
        return torch.cat([wrong, surprise], dim=1).where(free, 0.0).sum(1) / free.sum(1)
