"""How does a numeric cell reach a network that draws one of several bumps and a place on it?

Mode-specific normalisation [Xu 2019, sec. 4.2]. A variational Gaussian mixture with a Dirichlet process prior is fitted
to each numeric column; modes of small weight are dropped unless some row is out of reach of the others (|alpha| > 1,
which a network that ends in tanh never says); m are left:

    p(x) = sum_k w_k N(x; mu_k, sigma_k^2)
    k ~ r_k(x) = w_k N(x; mu_k, sigma_k^2) / p(x),      alpha = (x - mu_k) / (4 sigma_k)
    x = mu_k + 4 sigma_k alpha.

A cell becomes the scalar alpha and the indicator of a drawn mode k. A categorical cell becomes the indicator of its
level. An encoded row is alpha [P], then one group of indicators per numeric column (its modes) and per categorical
column (its levels).

Departs: the prior on a mode's variance is a hundredth of the column's variance (or the square of a tenth of its
recording step, if that is more), not the whole variance, which would give a spike of N equal values the width of the
column / sqrt(N): zeros of a zero-inflated column would come back as numbers near zero. Values drawn beyond the training
range are reflected at its ends, not cut off, so that none of them pile up there.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import BayesianGaussianMixture
from torch import Tensor

from synthcohort.generators.base import AbilityError
from synthcohort.rng import Rng
from synthcohort.schema import Column, Schema

SPAN = 4.0  # alpha = 1 lies this many sigma from the centre of a mode
MOST_ROWS = 20_000  # rows of a larger table that the mixtures are fitted on


@dataclass(frozen=True)
class ModeRows:
    """Rows as tensors.

    Args:
        alpha: [n, P] float32 places on the modes, mostly within +-1.
        codes: [n, P + Q] int64 entry of each group: the modes of the numeric cells, then the levels.
    """

    alpha: Tensor
    codes: Tensor


class Modes:
    """Maps frames to places on modes and indicators, and back.

    Args:
        schema: the table's schema.
        counts: m of each numeric column, [P].
        weights: w of all modes, column after column, [sum(m)]; they sum to one over each column.
        centres: mu of all modes, [sum(m)], in the columns' units.
        widths: sigma of all modes, [sum(m)]; 0 in a constant column.
        low: [P] smallest training value.
        high: [P] largest training value.
        level_counts: [sum(K)] training rows of each level, categorical column after categorical column.
    """

    def __init__(
        self,
        schema: Schema,
        *,
        counts: np.ndarray,
        weights: np.ndarray,
        centres: np.ndarray,
        widths: np.ndarray,
        low: np.ndarray,
        high: np.ndarray,
        level_counts: np.ndarray,
    ) -> None:
        self.schema = schema
        self.counts = counts
        self.weights = weights
        self.centres = centres
        self.widths = widths
        self.low = low
        self.high = high
        self.level_counts = level_counts
        self._starts = np.cumsum(counts) - counts

    @classmethod
    def fit(
        cls, train: pd.DataFrame, schema: Schema, rng: Rng, *, max_modes: int = 10, least_weight: float = 0.005
    ) -> Modes:
        """Fit the mixtures on training rows.

        Args:
            train: [n, P + Q] rows without missing cells.
            schema: their schema.
            rng: decides where the mixtures start, and the rows used of a large table.
            max_modes: modes per column at most, >= 1.
            least_weight: modes of a smaller weight are dropped, in [0, 1).
        """
        if max_modes < 1:
            raise ValueError(f"max_modes={max_modes} must be at least 1")
        if not 0 <= least_weight < 1:
            raise ValueError(f"least_weight={least_weight} is not in [0, 1)")
        cells = train[[c.name for c in schema.numeric]].to_numpy(dtype=np.float64)  # [n, P]
        used = cells
        if len(cells) > MOST_ROWS:
            used = cells[rng.branch("rows").numpy().choice(len(cells), MOST_ROWS, replace=False)]
        fitted = [
            fit_mixture(used[:, j], column, rng.branch(column.name), max_modes, least_weight)
            for j, column in enumerate(schema.numeric)
        ]
        levels = [np.bincount(train[c.name].cat.codes, minlength=len(c.levels)) for c in schema.categorical]
        weights, centres, widths = (np.concatenate([np.zeros(0), *(f[i] for f in fitted)]) for i in range(3))
        return cls(
            schema,
            counts=np.array([len(f[0]) for f in fitted], dtype=np.int64),
            weights=weights,
            centres=centres,
            widths=widths,
            low=cells.min(axis=0),
            high=cells.max(axis=0),
            level_counts=np.concatenate([np.zeros(0, dtype=np.int64), *levels]),
        )

    @property
    def sizes(self) -> tuple[int, ...]:
        """Entries of each group: modes of the numeric columns, then levels of the categorical ones, [P + Q]."""
        return (*(int(m) for m in self.counts), *(len(c.levels) for c in self.schema.categorical))

    @property
    def numeric(self) -> int:
        """P, the number of numeric columns."""
        return len(self.counts)

    @property
    def width(self) -> int:
        """Length of an encoded row: P + sum(sizes)."""
        return self.numeric + sum(self.sizes)

    def group(self, name: str) -> int:
        """Return which group of indicators belongs to column `name`."""
        numeric = [c.name for c in self.schema.numeric]
        return [*numeric, *(c.name for c in self.schema.categorical)].index(name)

    @property
    def target_counts(self) -> np.ndarray:
        """Training rows of each level of the target, [K]; empty for a numeric target."""
        target = self.schema.target
        if target.numeric:
            return np.zeros(0, dtype=np.int64)
        first = sum(self.sizes[self.numeric : self.group(target.name)])
        return self.level_counts[first : first + len(target.levels)]

    def target_codes(self, conditions: pd.DataFrame) -> np.ndarray:
        """Return the levels [n] that the caller asks of the target.

        Raises:
            AbilityError: if the target is numeric.
            ValueError: if a level is asked for that no training row had.
        """
        target = self.schema.target
        if target.numeric:
            raise AbilityError(
                f"condition on the target {target.name!r}: it is numeric, one more column of the joint law; "
                "only a categorical target can be asked for"
            )
        asked = conditions[target.name].cat.codes.to_numpy(dtype=np.int64)
        for code in np.unique(asked):
            if not self.target_counts[code]:
                known = [level for level, count in zip(target.levels, self.target_counts) if count]
                raise ValueError(
                    f"condition on level {target.levels[code]!r} of {target.name!r}, which no training row had; "
                    f"ask for one of {known}"
                )
        return asked

    def responsibilities(self, cells: np.ndarray, j: int) -> np.ndarray:
        """Return r_k(x) [n, m] of the modes of numeric column j for cells x [n]."""
        own = self._of(j)
        w, mu, sigma = self.weights[own], self.centres[own], self.widths[own]
        if len(w) == 1:
            return np.ones((len(cells), 1))
        logits = np.log(w) - np.log(sigma) - 0.5 * ((cells[:, None] - mu) / sigma) ** 2  # [n, m]
        r = np.exp(logits - logits.max(axis=1, keepdims=True))
        return r / r.sum(axis=1, keepdims=True)

    def encode(self, frame: pd.DataFrame, rng: Rng, device: str = "cpu") -> ModeRows:
        """Return the rows of `frame` as tensors; modes are drawn from their responsibilities with `rng`."""
        n = len(frame)
        alpha, codes = np.zeros((n, self.numeric)), np.zeros((n, len(self.sizes)), dtype=np.int64)
        uniform = rng.numpy().random((n, self.numeric))
        for j, column in enumerate(self.schema.numeric):
            cells = frame[column.name].to_numpy(dtype=np.float64)
            reached = self.responsibilities(cells, j).cumsum(axis=1)  # [n, m]
            codes[:, j] = (uniform[:, [j]] * reached[:, [-1]] >= reached[:, :-1]).sum(axis=1)
            mu, sigma = self.centres[self._of(j)][codes[:, j]], self.widths[self._of(j)][codes[:, j]]
            alpha[:, j] = (cells - mu) / np.where(sigma > 0, SPAN * sigma, 1.0)
        for q, column in enumerate(self.schema.categorical):
            codes[:, self.numeric + q] = frame[column.name].cat.codes
        return ModeRows(torch.tensor(alpha, dtype=torch.float32, device=device), torch.tensor(codes, device=device))

    def decode(self, rows: ModeRows) -> pd.DataFrame:
        """Return tensors as a frame that satisfies the schema."""
        alpha, codes = rows.alpha.double().cpu().numpy(), rows.codes.cpu().numpy()
        data: dict[str, object] = {}
        for j, column in enumerate(self.schema.numeric):
            place = self._starts[j] + codes[:, j]
            cells = self.centres[place] + SPAN * self.widths[place] * alpha[:, j]
            cells = reflect(cells, self.low[j], self.high[j])
            data[column.name] = cells if column.decimals is None else np.round(cells, column.decimals)
        for q, column in enumerate(self.schema.categorical):
            data[column.name] = pd.Categorical.from_codes(codes[:, self.numeric + q], categories=list(column.levels))
        return pd.DataFrame(data, columns=self.schema.names)

    def state(self) -> dict[str, np.ndarray]:
        """Return what `restore` needs, as arrays."""
        return {f"modes_{name}": getattr(self, name) for name in _ARRAYS}

    @classmethod
    def restore(cls, schema: Schema, arrays: dict[str, np.ndarray]) -> Modes:
        """Rebuild from `state`."""
        return cls(schema, **{name: arrays[f"modes_{name}"] for name in _ARRAYS})

    def _of(self, j: int) -> slice:
        return slice(int(self._starts[j]), int(self._starts[j] + self.counts[j]))


_ARRAYS = ("counts", "weights", "centres", "widths", "low", "high", "level_counts")


def fit_mixture(
    cells: np.ndarray, column: Column, rng: Rng, max_modes: int, least_weight: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return weights, centres and widths [m] of one column's mixture, m in 1..max_modes.

    Args:
        cells: [n] training values.
        column: what the schema says of them.
        rng: decides where the fit starts.
        max_modes: modes at most; never more than there are distinct values.
        least_weight: modes of a smaller weight are dropped unless they alone reach a row; the heaviest always stays.
    """
    centre, scale = float(cells.mean()), float(cells.std())
    distinct = len(np.unique(cells))
    if distinct == 1:
        return np.ones(1), cells[:1].copy(), np.zeros(1)
    step = 0.0 if column.decimals is None else 10.0**-column.decimals / scale
    floor = max(1e-6, (0.1 * step) ** 2)
    model = BayesianGaussianMixture(
        n_components=min(max_modes, distinct),
        weight_concentration_prior_type="dirichlet_process",
        weight_concentration_prior=1e-3,
        covariance_prior=np.array([[max(1e-2, floor)]]),
        reg_covar=floor,
        random_state=rng.integer(),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(((cells - centre) / scale)[:, None])
    weights, centres = model.weights_, centre + scale * model.means_[:, 0]
    widths = scale * np.sqrt(model.covariances_[:, 0, 0])
    kept = _worth_keeping(weights, np.abs(cells[:, None] - centres) <= SPAN * widths, least_weight)
    return weights[kept] / weights[kept].sum(), centres[kept], widths[kept]


def _worth_keeping(weights: np.ndarray, reaches: np.ndarray, least_weight: float) -> np.ndarray:
    """Return which modes [m] stay: heavy ones, and any that alone reaches some cell; `reaches` is [n, m]."""
    kept = (weights > least_weight) | (weights == weights.max())
    reached = reaches[:, kept].any(axis=1)  # [n]
    for k in np.argsort(-weights):
        if not kept[k] and (reaches[:, k] & ~reached).any():
            kept[k] = True
            reached |= reaches[:, k]
    return kept


def reflect(cells: np.ndarray, low: float, high: float) -> np.ndarray:
    """Return cells [n] within [low, high]: what lies beyond an end is mirrored at it, as often as needed."""
    span = high - low
    if span == 0:
        return np.full_like(cells, low)
    beyond = (cells < low) | (cells > high)
    folded = np.abs((cells - low + span) % (2 * span) - span)  # [n] distance from low, mirrored
    return np.where(beyond, np.minimum(low + folded, high), cells)
