r"""What does an image generator draw when a row is shown to it as a picture?

Table-GAN [Park 2018] folds a row into a square and lets a convolutional generator G and discriminator D (DCGAN, see
`networks.conv`) play; a third network C learns from real rows to tell the label from the other cells. Numeric cells are
scaled to [-1, 1] by their range, levels are numbered and scaled likewise. With f the last hidden layer of D
[Park 2018, sec. 4.3 and alg. 1]:

    L_D      = - E log D(x) - E log(1 - D(G(z)))
    L_mean   = |E f(x) - E f(G(z))|,    L_sd = |SD f(x) - SD f(G(z))|       (moments averaged over batches, weight 0.99)
    L_info   = max(0, L_mean - slack_mean) + max(0, L_sd - slack_sd)
    L_C      = E d(l(x), C(rest of x)),    L_class = E d(l(G(z)), C(rest of G(z)))
    L_G      = - E log D(G(z)) + L_info + L_class.

The slacks are the source's privacy knob: 0 asks for the closest rows.

Departs: a categorical label is not drawn but given, as indicators beside z and as the label's cell, so that rows of a
class can be asked for; d is then the cross-entropy, since the source's |l - C| knows two classes only and has no slope
where C is sure; a numeric target keeps |l - C|. The gradient of the averaged moments is that of the batch, not a
hundredth of it, or L_info would be idle. G minimises - log D(G(z)), as DCGAN does, where alg. 1 prints the saturating
form. Squares are at least 8 x 8, G, D and C have a quarter of the channels of DCGAN, and turns are bounded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn import functional

from synthcohort.generators.parts.adversarial import Adversarial, above_zero, descend, still, turns_of
from synthcohort.generators.parts.fitting import at_least
from synthcohort.generators.parts.labelled import LabelledEncoder
from synthcohort.networks.conv import SquareGenerator, SquareJudge, moment_distance, moments
from synthcohort.rng import Rng
from synthcohort.schema import Schema

ROWS_PER_CALL = 4_096
KEPT = 0.99  # weight of the past in the averaged moments [Park 2018, alg. 1]


@dataclass(kw_only=True, eq=False)
class TableGAN(Adversarial):
    """A convolutional game over rows folded into squares, with information and classification losses.

    Args:
        latent: width of z, >= 1.
        channels: channels of the largest hidden square, >= 1.
        slack_mean: distance of mean features that costs nothing, >= 0.
        slack_sd: distance of their standard deviations that costs nothing, >= 0.
        epochs: passes over the training rows, > 0.
        max_steps: turns of the game at most, >= 1.
        batch_size: rows a turn, >= 2.
        learning_rate: of Adam with moment weights (0.5, 0.999), > 0.
    """

    latent: int = 100
    channels: int = 16
    slack_mean: float = 0.0
    slack_sd: float = 0.0
    epochs: float = 200
    max_steps: int = 2_000
    batch_size: int = 128
    learning_rate: float = 2e-4

    def __post_init__(self) -> None:
        super().__init__()
        at_least(self, latent=1, channels=1, max_steps=1, batch_size=2, slack_mean=0, slack_sd=0)
        above_zero(self, "epochs", "learning_rate")

    def _fit(self, train: pd.DataFrame, validation: pd.DataFrame | None, rng: Rng, device: str) -> None:
        numeric = train[[c.name for c in self.schema.numeric]].to_numpy(dtype=np.float64)
        self.table = LabelledEncoder.fit(train, self.schema)
        self.low, self.high = numeric.min(0), numeric.max(0)
        self._build(device, rng.branch("weights"))
        cells = torch.tensor(to_cells(train, self.schema, self.low, self.high), device=device)
        self.rows = (cells, *self.table.split(train, device).parts()[2:])
        self._play(rng, turns_of(self.epochs, len(train), self.batch_size, most=self.max_steps))
        del self.rows

    def _build(self, device: str, rng: Rng) -> None:
        self.device = device
        self.cells = len(self.schema.names)
        self.place = self.schema.names.index(self.schema.target.name)
        self.labels = len(self.table.counts)
        self.sampled = SquareGenerator(
            inputs=self.latent + self.labels, cells=self.cells, channels=self.channels, generator=rng.torch()
        ).to(device)

    def _play(self, rng: Rng, count: int) -> None:
        """Let D, C and G take turns; the history shows L_D."""
        chosen, noise = rng.branch("batches").torch(), rng.branch("noise").torch(self.device)
        weights = rng.branch("rivals").torch()
        judge, classifier = (
            SquareJudge(cells=self.cells, outputs=outputs, channels=self.channels, generator=weights).to(self.device)
            for outputs in (1, max(self.labels, 1))
        )
        self.players = [self.sampled, judge, classifier]
        of_g, of_d, of_c = (
            torch.optim.Adam(network.parameters(), lr=self.learning_rate, betas=(0.5, 0.999), fused=True)
            for network in self.players
        )
        average = Average(KEPT)

        def turn() -> float:
            index = torch.randint(len(self.rows[0]), (self.batch_size,), generator=chosen).to(self.device)
            x, *labels = (part[index] for part in self.rows)
            y = labels[0] if labels else None
            drawn = self._rows(torch.randn(len(x), self.latent, generator=noise, device=self.device), y)
            true, f_real = judge(x)
            false, _ = judge(drawn.detach())
            loss = descend(of_d, functional.softplus(-true).mean() + functional.softplus(false).mean())
            descend(of_c, self._label_loss(classifier, x, y))
            with still(judge, classifier):
                false, f_drawn = judge(drawn)
                apart = moment_distance(*average.of(moments(f_real.detach()), moments(f_drawn)))
                info = sum(functional.relu(a - s) for a, s in zip(apart, (self.slack_mean, self.slack_sd), strict=True))
                descend(of_g, functional.softplus(-false).mean() + info + self._label_loss(classifier, drawn, y))
            return loss

        self._take_turns(turn, count)

    def _rows(self, z: Tensor, y: Tensor | None) -> Tensor:
        """Return G's cells [n, M] in [-1, 1] for noise z [n, latent]; the label's cell is that of y [n]."""
        if y is None:
            return self.sampled(z).tanh()
        cells = self.sampled(torch.cat([z, functional.one_hot(y, self.labels).to(z.dtype)], dim=1)).tanh()
        given = scale_levels(y, self.labels).to(z.dtype)[:, None]  # [n, 1]
        return torch.cat([cells[:, : self.place], given, cells[:, self.place + 1 :]], dim=1)

    def _label_loss(self, classifier: nn.Module, x: Tensor, y: Tensor | None) -> Tensor:
        """Return the mean distance between the label of rows x [n, M] and what C reads from their other cells."""
        rest = torch.cat([x[:, : self.place], torch.zeros_like(x[:, :1]), x[:, self.place + 1 :]], dim=1)
        read, _ = classifier(rest)
        if y is not None:
            return functional.cross_entropy(read, y)
        return (x[:, self.place] - read[:, 0].tanh()).abs().mean()

    @torch.no_grad()
    def _sample(self, n: int, conditions: pd.DataFrame | None, rng: Rng, options: Mapping[str, Any]) -> pd.DataFrame:
        y = self.table.labels(n, conditions, rng.branch("label"), self.device)
        z = torch.randn(n, self.latent, generator=rng.branch("noise").torch(self.device), device=self.device)
        parts = [
            self._rows(z[rows], None if y is None else y[rows])
            for rows in torch.arange(n, device=self.device).split(ROWS_PER_CALL)
        ]
        return from_cells(torch.cat(parts).double().cpu().numpy(), self.schema, self.low, self.high)

    def _state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        arrays, record = super()._state()
        return {**arrays, "low": self.low, "high": self.high}, record

    def _restore_table(self, arrays: dict[str, np.ndarray]) -> None:
        self.table = LabelledEncoder.restore(self.schema, arrays)
        self.low, self.high = arrays["low"], arrays["high"]


class Average:
    """Moving averages of the moments of real and drawn features whose gradient is that of the last batch.

    Args:
        kept: weight of the past, in [0, 1).
    """

    def __init__(self, kept: float) -> None:
        self.kept = kept
        self.past: list[Tensor] = []

    def of(self, *pairs: tuple[Tensor, Tensor]) -> list[tuple[Tensor, Tensor]]:
        """Return the averages of the given pairs, this batch's included; the first batch is its own average."""
        now = [moment for pair in pairs for moment in pair]
        past = self.past or [moment.detach() for moment in now]
        self.past = [torch.lerp(m.detach(), p, self.kept) for m, p in zip(now, past, strict=True)]
        kept = [p + m - m.detach() for m, p in zip(now, self.past, strict=True)]
        return list(zip(kept[::2], kept[1::2], strict=True))


def scale_levels(codes: Any, levels: int) -> Any:
    """Return level numbers 0 ... K - 1, equally spaced in [-1, 1]; 0 for a single level."""
    return 2 * codes / (levels - 1) - 1 if levels > 1 else 0.0 * codes


def to_cells(frame: pd.DataFrame, schema: Schema, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Return rows as float32 cells [n, M] in [-1, 1], in the schema's order.

    Args:
        frame: [n, M] rows without missing cells.
        schema: their schema.
        low: [P] numbers that become -1.
        high: [P] numbers that become 1; a constant column becomes 0.
    """
    cells, at = np.zeros((len(frame), len(schema.names)), dtype=np.float32), 0
    for i, column in enumerate(schema.columns):
        if not column.numeric:
            cells[:, i] = scale_levels(frame[column.name].cat.codes.to_numpy(dtype=np.float64), len(column.levels))
            continue
        if high[at] > low[at]:
            cells[:, i] = 2 * (frame[column.name] - low[at]) / (high[at] - low[at]) - 1
        at += 1
    return cells


def from_cells(cells: np.ndarray, schema: Schema, low: np.ndarray, high: np.ndarray) -> pd.DataFrame:
    """Undo `to_cells` for cells [n, M] in [-1, 1]: the nearest level, the nearest recordable number."""
    data: dict[str, Any] = {}
    at = 0
    for i, column in enumerate(schema.columns):
        place = (cells[:, i] + 1) / 2
        if not column.numeric:
            codes = np.rint(place * (len(column.levels) - 1)).astype(np.int64)
            data[column.name] = pd.Categorical.from_codes(codes, categories=list(column.levels))
            continue
        values = low[at] + place * (high[at] - low[at])
        values = values if column.decimals is None else np.round(values, column.decimals)
        data[column.name] = np.clip(values, low[at], high[at])  # against the last bit of a product
        at += 1
    return pd.DataFrame(data, columns=schema.names)
