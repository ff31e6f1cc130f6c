"""How do rows reach a network when the label is not a column but a condition?

A categorical target is taken out of the codes and becomes the label y [n]; a numeric target stays one more numeric
column and there is no label. `join` puts drawn rows together again. The label of a draw is the one the caller asks for
or follows the frequencies of the training rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from scipy.stats import norm
from torch import Tensor

from synthcohort.encoding import Encoded, Encoder
from synthcohort.generators.base import AbilityError
from synthcohort.rng import Rng
from synthcohort.schema import Schema


@dataclass(frozen=True)
class LabelledRows:
    """Rows as tensors.

    Args:
        numeric: [n, P, 2] float32 ranks in (0, 1) between which each cell lies (see `rank_intervals`).
        codes: [n, Q] int64 level numbers, without the label.
        y: [n] int64 labels, or None.
    """

    numeric: Tensor
    codes: Tensor
    y: Tensor | None

    def parts(self) -> tuple[Tensor, ...]:
        """Return the tensors there are, each with n entries along its first axis."""
        return (self.numeric, self.codes) if self.y is None else (self.numeric, self.codes, self.y)


class LabelledEncoder:
    """An encoder that sets the label apart.

    Args:
        encoder: the table's encoder.
        counts: [labels] training rows of each label; empty for a numeric target.
        low: [P] smallest normal score of the training rows.
        high: [P] largest normal score of the training rows.
    """

    def __init__(self, encoder: Encoder, counts: np.ndarray, low: np.ndarray, high: np.ndarray) -> None:
        self.encoder = encoder
        self.counts = counts
        self.low = low
        self.high = high
        categorical = [c.name for c in encoder.schema.categorical]
        target = encoder.schema.target
        self.place = None if target.numeric else categorical.index(target.name)

    @classmethod
    def fit(cls, train: pd.DataFrame, schema: Schema) -> LabelledEncoder:
        """Learn scores, their range and the label frequencies from training rows."""
        encoder = Encoder.fit(train, schema)
        edge = np.full(len(schema.numeric), norm.ppf(encoder.lo))
        target = schema.target
        counts = np.zeros(0, dtype=np.int64)
        if not target.numeric:
            counts = np.bincount(train[target.name].cat.codes, minlength=len(target.levels)).astype(np.int64)
        return cls(encoder, counts, edge, -edge)

    @property
    def levels(self) -> tuple[int, ...]:
        """K[j] of the categorical columns without the label."""
        return tuple(k for j, k in enumerate(self.encoder.levels) if j != self.place)

    @property
    def numeric(self) -> int:
        """P, the number of numeric columns."""
        return len(self.low)

    def split(self, frame: pd.DataFrame, device: str) -> LabelledRows:
        """Return the rows of a frame as tensors."""
        encoded = self.encoder.encode(frame)
        ranks = rank_intervals(self.encoder, frame)
        numeric = torch.tensor(ranks, dtype=torch.float32, device=device)  # [n, P, 2]
        codes = torch.tensor(encoded.codes, device=device)  # [n, Q + label]
        if self.place is None:
            return LabelledRows(numeric, codes, None)
        others = [j for j in range(codes.shape[1]) if j != self.place]
        return LabelledRows(numeric, codes[:, others], codes[:, self.place])

    def join(self, rows: LabelledRows) -> pd.DataFrame:
        """Return tensors as a frame that satisfies the schema."""
        codes = rows.codes.cpu().numpy()
        if rows.y is not None and self.place is not None:
            codes = np.insert(codes, self.place, rows.y.cpu().numpy(), axis=1)  # [n, Q + label]
        return self.encoder.decode(Encoded(rows.numeric.double().cpu().numpy(), codes))

    def labels(self, n: int, conditions: pd.DataFrame | None, rng: Rng, device: str) -> Tensor | None:
        """Return the labels [n] of rows to draw: those asked for, else drawn from the training frequencies.

        Raises:
            AbilityError: if a numeric target is asked for.
            ValueError: if a level is asked for that no training row had.
        """
        target = self.encoder.schema.target
        if self.place is None:
            if conditions is not None:
                raise AbilityError(
                    f"condition on the target {target.name!r}: it is numeric, one more column of the joint law; "
                    "only a categorical target can be asked for"
                )
            return None
        if conditions is None:
            drawn = rng.numpy().choice(len(self.counts), size=n, p=self.counts / self.counts.sum())
            return torch.tensor(drawn, device=device)
        asked = conditions[target.name].cat.codes.to_numpy(dtype=np.int64)
        for code in np.unique(asked):
            if not self.counts[code]:
                known = [level for level, count in zip(target.levels, self.counts) if count]
                raise ValueError(
                    f"condition on level {target.levels[code]!r} of {target.name!r}, which no training row had; "
                    f"ask for one of {known}"
                )
        return torch.tensor(asked, device=device)

    def state(self) -> dict[str, np.ndarray]:
        """Return what `restore` needs, as arrays."""
        own = {"label_counts": self.counts, "score_low": self.low, "score_high": self.high}
        return {**own, **self.encoder.state()}

    @classmethod
    def restore(cls, schema: Schema, arrays: dict[str, np.ndarray]) -> LabelledEncoder:
        """Rebuild from `state`."""
        encoder = Encoder.restore(schema, arrays)
        return cls(encoder, arrays["label_counts"], arrays["score_low"], arrays["score_high"])


def rank_intervals(encoder: Encoder, frame: pd.DataFrame) -> np.ndarray:
    """Return the ranks [n, P, 2], in [lo, 1 - lo], that decode to each numeric cell."""
    out = np.empty((len(frame), len(encoder.schema.numeric), 2))
    for j, column in enumerate(encoder.schema.numeric):
        half = 0.0 if column.decimals is None else 0.5 * 10.0**-column.decimals
        cells, q = frame[column.name].to_numpy(), encoder.quantiles[:, j]
        f = np.linspace(0, 1, len(q))
        out[:, j, 0] = -np.interp(half - cells, -q[::-1], -f[::-1])
        out[:, j, 1] = np.interp(cells + half, q, f)
    return encoder.lo + (1 - 2 * encoder.lo) * out


def spread(ranks: Tensor, generator: torch.Generator) -> Tensor:
    """Return normal scores [n, P], uniform in rank within each cell's interval [n, P, 2]."""
    low, high = ranks.unbind(2)
    u = torch.rand(low.shape, generator=generator, device=low.device)
    return torch.special.ndtri(low + (high - low) * u)


def network_state(network: torch.nn.Module) -> dict[str, np.ndarray]:
    """Return a network's weights as arrays named `network.<parameter>`."""
    return {f"network.{name}": weight.detach().cpu().numpy() for name, weight in network.state_dict().items()}


def restore_network(network: torch.nn.Module, arrays: dict[str, np.ndarray]) -> None:
    """Fill `network` with the weights of `network_state`."""
    prefix = "network."
    own = {name[len(prefix) :]: torch.tensor(a) for name, a in arrays.items() if name.startswith(prefix)}
    network.load_state_dict(own)
