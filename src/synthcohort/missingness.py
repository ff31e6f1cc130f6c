"""Which cells go missing, and why?

Three mechanisms [Rubin 1976] hide cells of a table whose truth is kept, so that whoever fills them can be judged:

- MCAR, completely at random: every cell alike, P(hidden) = q.
- MAR, at random given what is seen: some columns are never hidden; every other column j has a logistic model of them,
  P(hidden_ij) = sigmoid(s_ij + b_j) with s_ij = sum over the seen columns of a random effect of their cells.
- MNAR, not at random, self-masking: the same with s_ij a random effect of the hidden cell itself.

The effect of a numeric cell is a standard normal weight times its value in standard deviations, that of a level is a
standard normal number of its own; s is then scaled to mean 0 and standard deviation `strength`, and the intercept
b_j is solved for the rate: mean_i sigmoid(s_ij + b_j) = q [Muzellec 2020, sec. 4; 30 % of columns seen, strength 1].

`rate` is the expected share of hidden cells among those that may be hidden: cells that are there, outside the columns
that are never hidden. No row is left without a cell: where all its cells would be hidden, one of them, drawn evenly, is
given back. What this takes from the rate is put back by q, the root of

    sum_ij p_ij(q) - sum_{i that can lose all} prod_j p_ij(q) = rate * (cells that may be hidden),

so the expectation is exact for all three mechanisms. (Under MAR every row keeps its seen cells, so q = rate.)

Departs: the source's weights of categorical columns treat codes as numbers; here each level has its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import expit, logit

from synthcohort.rng import Rng
from synthcohort.schema import Column, Schema

Chances = Callable[[float], np.ndarray]


class MissingnessError(ValueError):
    """Cells cannot be hidden as asked; the message says what was asked, what is possible and what to change."""


def mcar(frame: pd.DataFrame, schema: Schema, *, rate: float, rng: Rng, spare_target: bool = False) -> np.ndarray:
    """Hide cells completely at random.

    Args:
        frame: [n, P + Q] rows; cells may be missing already and then stay out of the mask.
        schema: their schema.
        rate: expected share of the cells that may be hidden, in (0, 1).
        rng: draws the mask.
        spare_target: never hide the target.

    Returns:
        [n, P + Q] bool, True where a cell is to be hidden.

    Raises:
        SchemaError: if the frame breaks the schema.
        MissingnessError: if the rate is not in (0, 1) or cannot be reached, or a row has no cell at all.
    """
    _check(frame, schema, rate)
    cells = _Cells.of(frame, schema, [schema.target.name] if spare_target else [])
    return _draw(lambda q: np.where(cells.open, q, 0.0), cells, rate, rng)


def mar(
    frame: pd.DataFrame,
    schema: Schema,
    *,
    rate: float,
    rng: Rng,
    spare_target: bool = False,
    seen_share: float = 0.3,
    strength: float = 1.0,
) -> np.ndarray:
    """Hide cells by a logistic model of columns that are never hidden.

    Args:
        frame, schema, rate, rng: as in `mcar`.
        spare_target: never hide the target; it is then one of the columns that decide.
        seen_share: share of the columns that are never hidden, in (0, 1), drawn from those without missing cells; at
            least one.
        strength: standard deviation of the logit over the rows, >= 0; 0 is MCAR in the columns that are not seen.

    Returns:
        [n, P + Q] bool, True where a cell is to be hidden.

    Raises:
        SchemaError, MissingnessError: as in `mcar`, or if no column is complete, or none is left to hide.
    """
    _check(frame, schema, rate)
    seen = _deciding(frame, schema, seen_share, spare_target, rng.branch("seen"))
    cells = _Cells.of(frame, schema, [*seen, schema.target.name] if spare_target else seen)
    draw = rng.branch("effects").numpy()
    scores = [np.sum([_effect(frame[name], schema[name], draw) for name in seen], axis=0) for _ in schema.columns]
    return _draw(_logistic(np.stack(scores, axis=1), cells.open, strength), cells, rate, rng)


def mnar(
    frame: pd.DataFrame,
    schema: Schema,
    *,
    rate: float,
    rng: Rng,
    spare_target: bool = False,
    strength: float = 1.0,
) -> np.ndarray:
    """Hide cells by a logistic model of their own value: in a numeric column the high ones more often, or the low ones.

    Args:
        frame, schema, rate, rng, spare_target: as in `mcar`.
        strength: standard deviation of the logit over the rows, >= 0; 0 is MCAR.

    Returns:
        [n, P + Q] bool, True where a cell is to be hidden.

    Raises:
        SchemaError, MissingnessError: as in `mcar`.
    """
    _check(frame, schema, rate)
    cells = _Cells.of(frame, schema, [schema.target.name] if spare_target else [])
    draw = rng.branch("effects").numpy()
    scores = [_effect(frame[c.name], c, draw) for c in schema.columns]
    return _draw(_logistic(np.stack(scores, axis=1), cells.open, strength), cells, rate, rng)


MECHANISMS: dict[str, Callable[..., np.ndarray]] = {"mcar": mcar, "mar": mar, "mnar": mnar}


def hide(frame: pd.DataFrame, mask: np.ndarray) -> pd.DataFrame:
    """Return a copy of `frame` whose cells are missing where `mask` [n, P + Q] is True; the others stay bit for bit."""
    return pd.DataFrame({name: frame[name].mask(mask[:, j]) for j, name in enumerate(frame.columns)}, index=frame.index)


@dataclass(frozen=True)
class _Cells:
    """Which cells there are.

    Args:
        there: [n, d] cells that are not missing already.
        open: [n, d] cells that may be hidden.
    """

    there: np.ndarray
    open: np.ndarray

    @classmethod
    def of(cls, frame: pd.DataFrame, schema: Schema, kept: list[str]) -> _Cells:
        """Return the cells of a frame; columns of `kept` are never hidden."""
        there = frame.notna().to_numpy()
        cells = cls(there, there & ~np.isin(schema.names, kept))
        if not cells.open.any():
            raise MissingnessError(f"no cell is left to hide: columns {kept} are never hidden and the rest is missing")
        return cells

    @property
    def bare(self) -> np.ndarray:
        """Which rows could lose all their cells, [n] bool."""
        return (self.there == self.open).all(axis=1)


def _check(frame: pd.DataFrame, schema: Schema, rate: float) -> None:
    if not 0 < rate < 1:
        raise MissingnessError(f"rate={rate} is not in (0, 1)")
    schema.check(frame, allow_missing=True)
    empty = np.flatnonzero(frame.isna().all(axis=1))
    if len(empty):
        raise MissingnessError(f"row {frame.index[empty[0]]!r}: every cell is missing already; remove the row")


def _draw(chances: Chances, cells: _Cells, rate: float, rng: Rng) -> np.ndarray:
    mask = rng.branch("mask").numpy().random(cells.open.shape) < chances(_asked(chances, cells, rate))
    draw = rng.branch("back").numpy()
    for i in np.flatnonzero((mask == cells.there).all(axis=1)):
        mask[i, draw.choice(np.flatnonzero(mask[i]))] = False
    return mask


def _asked(chances: Chances, cells: _Cells, rate: float) -> float:
    """Return the q whose expected share, after one cell is given back to rows that would lose all, is `rate`."""
    total, bare = cells.open.sum(), cells.bare
    if not bare.any():
        return rate

    def surplus(q: float) -> float:
        p = chances(q)
        return float(p.sum() - np.where(cells.open, p, 1.0)[bare].prod(axis=1).sum() - rate * total)

    most = 1.0 - 1e-9
    if surplus(most) <= 0:
        reach = 1 - bare.sum() / total
        raise MissingnessError(
            f"rate={rate} cannot be reached: every row keeps a cell, so at most {reach:.3f} of the cells can be "
            f"hidden; ask for less"
        )
    return float(brentq(surplus, rate, most)) if surplus(rate) < 0 else rate


def _logistic(scores: np.ndarray, can: np.ndarray, strength: float) -> Chances:
    """Return q -> sigmoid(strength * standardised score + b_j) [n, d], b_j such that each column's mean is q."""
    columns = [j for j in range(can.shape[1]) if can[:, j].any()]
    scaled = {j: strength * _standardised(scores[can[:, j], j]) for j in columns}

    def chances(q: float) -> np.ndarray:
        p = np.zeros(can.shape)
        for j, s in scaled.items():
            p[can[:, j], j] = expit(s + intercept(s, q))
        return p

    return chances


def intercept(scores: np.ndarray, rate: float) -> float:
    """Return the b with mean(sigmoid(scores + b)) = rate, for scores [n] and a rate in (0, 1)."""
    middle = float(logit(rate))  # b lies between it minus the largest score and it minus the smallest
    ends = middle - scores.max() - 1.0, middle - scores.min() + 1.0
    return float(brentq(lambda b: expit(scores + b).mean() - rate, *ends, xtol=1e-12))


def _effect(cells: pd.Series, column: Column, draw: np.random.Generator) -> np.ndarray:
    """Return a random effect of each cell, [n]; 0 for a missing one."""
    if column.numeric:
        values = cells.to_numpy()
        there = ~np.isnan(values)
        effect = np.zeros(len(values))
        effect[there] = draw.standard_normal() * _standardised(values[there])
        return effect
    levels = np.append(draw.standard_normal(len(column.levels)), 0.0)  # code -1, a missing cell, takes the last
    return levels[cells.cat.codes.to_numpy()]


def _standardised(values: np.ndarray) -> np.ndarray:
    """Return the values [n] with mean 0 and standard deviation 1, or all 0 if they are equal."""
    if not len(values) or np.ptp(values) == 0:
        return np.zeros(len(values))
    return (values - values.mean()) / values.std()


def _deciding(frame: pd.DataFrame, schema: Schema, share: float, spare_target: bool, rng: Rng) -> list[str]:
    """Return the columns that are never hidden and decide about the others: complete ones, a spared target first."""
    if not 0 < share < 1:
        raise MissingnessError(f"seen_share={share} is not in (0, 1)")
    complete = [name for name in schema.names if frame[name].notna().all()]
    if not complete:
        raise MissingnessError("mar needs a column without missing cells to decide what is hidden; there is none")
    target = [name for name in complete if spare_target and name == schema.target.name]
    others = [name for name in complete if name not in target]
    count = min(max(1, round(share * len(schema.names))), len(others))
    return target + [str(name) for name in rng.numpy().choice(others, size=count, replace=False)]
