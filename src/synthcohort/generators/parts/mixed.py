r"""How does a numeric column that is partly a category, or has a long tail, reach a network?

CTAB-GAN's encoding [Zhao 2021, sec. 3.3 and 3.5]. Some values of a numeric column are no measurements but marks, as the
zeros of a sum nobody earned: each becomes a level of its own, next to the modes of the other cells,

    cell = special value v_i     alpha = 0,                        indicator m + i
    other cell x                 alpha = (x - mu_k) / (4 sigma_k), indicator k < m                (see `modes`),

and the other cells of a column with a long tail are squeezed first,

    x <- log x if low > 0,   log(x - low + eps) otherwise,   eps = 1.

Departs: the source is told by its user which columns are mixed and which have long tails. Here a value is special if at
least a stated share of the training rows hold it, and a tail is long if the skewness is above a stated number and the
logarithm lowers it. eps is the recording step or a thousandth of the column's standard deviation: a fixed 1 flattens
columns of small numbers. A column that holds special values only has one mode nobody draws.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch
from scipy.stats import skew

from synthcohort.generators.parts.modes import ModeRows, Modes, fit_mixture
from synthcohort.rng import Rng
from synthcohort.schema import Column, Schema

MOST_ROWS = 20_000  # rows of a larger table that the mixtures are fitted on


class MixedModes:
    """Maps frames to places on modes and indicators, special values and long tails apart, and back.

    Args:
        schema: the table's schema.
        modes: the modes of the cells that are not special, tails squeezed.
        special: special values of all numeric columns, column after column, ascending.
        counts: special values of each numeric column, [P].
        shift: [P] what is added to a cell before the logarithm is taken; NaN: no logarithm.
        low: [P] smallest training value.
        high: [P] largest training value.
    """

    def __init__(
        self,
        schema: Schema,
        modes: Modes,
        *,
        special: np.ndarray,
        counts: np.ndarray,
        shift: np.ndarray,
        low: np.ndarray,
        high: np.ndarray,
    ) -> None:
        self.schema = schema
        self.modes = modes
        self.special = special
        self.counts = counts
        self.shift = shift
        self.low = low
        self.high = high
        self._starts = np.cumsum(counts) - counts

    @classmethod
    def fit(
        cls, train: pd.DataFrame, schema: Schema, rng: Rng, *, max_modes: int, special_share: float, long_tail: float
    ) -> MixedModes:
        """Find special values and long tails in training rows and fit the mixtures of the other cells.

        Args:
            train: [n, P + Q] rows without missing cells.
            schema: their schema.
            rng: decides where the mixtures start, and the rows used of a large table.
            max_modes: modes per column at most, >= 1.
            special_share: share of the rows that makes a value special, > 0.
            long_tail: skewness above which the logarithm is tried.
        """
        cells = train[[c.name for c in schema.numeric]].to_numpy(dtype=np.float64)  # [n, P]
        special, shift, fitted, ends = [], [], [], []
        for j, column in enumerate(schema.numeric):
            special.append(special_values(cells[:, j], special_share))
            rest = cells[~np.isin(cells[:, j], special[j]), j]
            rest = rest if len(rest) else cells[:1, j]
            shift.append(tail_shift(rest, column, long_tail))
            rest = squeeze(rest, shift[j])
            ends.append((rest.min(), rest.max()))
            own = rng.branch(column.name)
            if len(rest) > MOST_ROWS:
                rest = rest[own.branch("rows").numpy().choice(len(rest), MOST_ROWS, replace=False)]
            fitted.append(fit_mixture(rest, _squeezed(column, shift[j]), own, max_modes, 0.005))
        weights, centres, widths = (np.concatenate([np.zeros(0), *(f[i] for f in fitted)]) for i in range(3))
        numeric = len(schema.numeric)
        levels = [np.bincount(train[c.name].cat.codes, minlength=len(c.levels)) for c in schema.categorical]
        modes = Modes(
            _squeezed_schema(schema, np.array(shift)),
            counts=np.array([len(f[0]) for f in fitted], dtype=np.int64),
            weights=weights,
            centres=centres,
            widths=widths,
            low=np.array(ends).reshape(numeric, 2)[:, 0],
            high=np.array(ends).reshape(numeric, 2)[:, 1],
            level_counts=np.concatenate([np.zeros(0, dtype=np.int64), *levels]),
        )
        return cls(
            schema,
            modes,
            special=np.concatenate([np.zeros(0), *special]),
            counts=np.array([len(s) for s in special], dtype=np.int64),
            shift=np.array(shift, dtype=np.float64),
            low=cells.min(axis=0),
            high=cells.max(axis=0),
        )

    @property
    def numeric(self) -> int:
        """P, the number of numeric columns."""
        return len(self.counts)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Entries of each group: modes and special values of the numeric columns, then levels, [P + Q]."""
        own = self.modes.sizes
        return (*(m + int(s) for m, s in zip(own, self.counts, strict=False)), *own[self.numeric :])

    @property
    def width(self) -> int:
        """Length of an encoded row: P + sum(sizes)."""
        return self.numeric + sum(self.sizes)

    def group(self, name: str) -> int:
        """Return which group of indicators belongs to column `name`."""
        return self.modes.group(name)

    def target_codes(self, conditions: pd.DataFrame) -> np.ndarray:
        """Return the levels [n] that the caller asks of the target; raises as `Modes.target_codes`."""
        return self.modes.target_codes(conditions)

    def encode(self, frame: pd.DataFrame, rng: Rng, device: str = "cpu") -> ModeRows:
        """Return the rows of `frame` as tensors; modes are drawn from their responsibilities with `rng`."""
        squeezed, marks = frame.copy(), np.full((len(frame), self.numeric), -1)
        for j, column in enumerate(self.schema.numeric):
            cells, special = frame[column.name].to_numpy(dtype=np.float64), self._special(j)
            if len(special):
                place = np.searchsorted(special, cells).clip(max=len(special) - 1)
                marks[:, j] = np.where(special[place] == cells, place, -1)
            others = marks[:, j] < 0
            inside = np.full(len(cells), self.modes.low[j])
            inside[others] = squeeze(cells[others], self.shift[j])
            squeezed[column.name] = inside
        rows = self.modes.encode(squeezed, rng, device)
        found = torch.tensor(marks, device=device)
        modes = torch.tensor(self.modes.counts, device=device)
        codes = torch.where(found < 0, rows.codes[:, : self.numeric], modes + found)
        alpha = rows.alpha.masked_fill(found >= 0, 0.0)
        return ModeRows(alpha, torch.cat([codes, rows.codes[:, self.numeric :]], dim=1))

    def decode(self, rows: ModeRows) -> pd.DataFrame:
        """Return tensors as a frame that satisfies the schema."""
        last = torch.tensor(self.modes.counts - 1, device=rows.codes.device)
        codes = rows.codes.clone()
        codes[:, : self.numeric] = codes[:, : self.numeric].minimum(last)
        frame = self.modes.decode(ModeRows(rows.alpha, codes))
        drawn = rows.codes.cpu().numpy()
        for j, column in enumerate(self.schema.numeric):
            cells = unsqueeze(frame[column.name].to_numpy(), self.shift[j])
            cells = cells if column.decimals is None else np.round(cells, column.decimals)
            cells = np.clip(cells, self.low[j], self.high[j])  # against the last bit of an exponential
            mark = drawn[:, j] - self.modes.counts[j]
            if self.counts[j]:
                cells = np.where(mark >= 0, self._special(j)[mark.clip(min=0)], cells)
            frame[column.name] = cells
        return frame

    def state(self) -> dict[str, np.ndarray]:
        """Return what `restore` needs, as arrays."""
        return {f"mixed_{name}": getattr(self, name) for name in _ARRAYS} | self.modes.state()

    @classmethod
    def restore(cls, schema: Schema, arrays: dict[str, np.ndarray]) -> MixedModes:
        """Rebuild from `state`."""
        modes = Modes.restore(_squeezed_schema(schema, arrays["mixed_shift"]), arrays)
        return cls(schema, modes, **{name: arrays[f"mixed_{name}"] for name in _ARRAYS})

    def _special(self, j: int) -> np.ndarray:
        return self.special[self._starts[j] : self._starts[j] + self.counts[j]]


_ARRAYS = ("special", "counts", "shift", "low", "high")


def special_values(cells: np.ndarray, share: float) -> np.ndarray:
    """Return the values that at least `share` of the cells [n] hold, ascending; none if all cells are equal."""
    values, counts = np.unique(cells, return_counts=True)
    return values[counts >= share * len(cells)] if len(values) > 1 else values[:0]


def tail_shift(cells: np.ndarray, column: Column, long_tail: float) -> float:
    """Return what to add to cells [n] before taking their logarithm; NaN if their tail is not long."""
    if len(np.unique(cells)) < 3 or not skew(cells) > long_tail:
        return np.nan
    step = 1e-3 * cells.std() if column.decimals is None else 10.0**-column.decimals
    shift = 0.0 if cells.min() > 0 else float(step - cells.min())
    return shift if abs(skew(np.log(cells + shift))) < skew(cells) else np.nan


def squeeze(cells: np.ndarray, shift: float) -> np.ndarray:
    """Return log(cells + shift), or the cells if `shift` is NaN; cells below every training value count as the end."""
    return cells if np.isnan(shift) else np.log(np.maximum(cells + shift, np.finfo(float).tiny))


def unsqueeze(cells: np.ndarray, shift: float) -> np.ndarray:
    """Undo `squeeze`."""
    return cells if np.isnan(shift) else np.exp(cells) - shift


def _squeezed(column: Column, shift: float) -> Column:
    """Return the column of the squeezed cells: without a recording step where a logarithm was taken."""
    return Column(column.name, "numeric", role=column.role, decimals=column.decimals if np.isnan(shift) else None)


def _squeezed_schema(schema: Schema, shift: np.ndarray) -> Schema:
    of = {c.name: s for c, s in zip(schema.numeric, shift, strict=True)}
    columns = tuple(_squeezed(c, of[c.name]) if c.numeric else c for c in schema.columns)
    return Schema(columns, schema.positive)
