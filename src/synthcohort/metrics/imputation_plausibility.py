"""Do cells that were missing from the first look like those that are there?

Of a real hole no truth is known, so no error is. What can be said of m completed draws of test rows, per column with
holes, and then as a mean over columns:

- `found_in_range`: share of the drawn numbers between the smallest and the largest number observed in train rows.
- `found_wasserstein_numeric`: Wasserstein-1 distance of the completed column (its observed cells and, m times over, its
  holes), in ranges of the observed train cells, to these.
- `found_wasserstein_categorical`: the total variation of the same, their Wasserstein-1 distance where a changed level
  costs 1.

These speak of plausibility, not of truth. Who draws from a column's margin alone has the least distance, and where
cells are missing for a reason the truth lies elsewhere than what is observed: read them beside what learns from
completed rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import wasserstein_distance

from synthcohort.schema import Column, Schema
from synthcohort.scores import Direction, Score, failed

CONDITION = "as_found"
METRICS: dict[str, Direction] = {
    "found_in_range": "up",
    "found_wasserstein_numeric": "down",
    "found_wasserstein_categorical": "down",
}


@dataclass(frozen=True)
class Found:
    """The holes of one column.

    Args:
        observed: [a] train cells that are there, numbers or codes.
        seen: [b] test cells that are there.
        drawn: [m, c] draws of the test cells that are not.
        levels: K of a categorical column, 0 of a numeric one.
    """

    observed: np.ndarray
    seen: np.ndarray
    drawn: np.ndarray
    levels: int

    @property
    def in_range(self) -> float:
        """Share of the drawn numbers within the range of those observed."""
        return float(((self.drawn >= self.observed.min()) & (self.drawn <= self.observed.max())).mean())

    @property
    def distance(self) -> float:
        """Wasserstein-1 distance of the completed column to the observed cells, in ranges or in changed levels."""
        completed = np.concatenate([np.tile(self.seen, len(self.drawn)), self.drawn.reshape(-1)])
        if not self.levels:
            unit = float(np.ptp(self.observed)) or 1.0
            return float(wasserstein_distance(completed, self.observed)) / unit
        shares = [np.bincount(codes, minlength=self.levels) / len(codes) for codes in (completed, self.observed)]
        return float(np.abs(shares[0] - shares[1]).sum() / 2)


def plausibility_scores(
    train: pd.DataFrame, test: pd.DataFrame, draws: Sequence[pd.DataFrame], schema: Schema
) -> list[Score]:
    """Return every score of `METRICS`; their n is the number of holes they judge.

    Args:
        train: [n, P + Q] train rows with the holes they had from the first, no column without a cell.
        test: [k, P + Q] test rows with theirs.
        draws: m completed frames of the test rows, m >= 1.
        schema: of all.
    """
    holed = [_found(train, test, draws, column) for column in schema.columns if test[column.name].isna().any()]
    numeric, categorical = [f for f in holed if not f.levels], [f for f in holed if f.levels]
    return [
        _score("found_in_range", "numeric", numeric, [f.in_range for f in numeric]),
        _score("found_wasserstein_numeric", "numeric", numeric, [f.distance for f in numeric]),
        _score("found_wasserstein_categorical", "categorical", categorical, [f.distance for f in categorical]),
    ]


def _score(name: str, kind: str, judged: Sequence[Found], values: Sequence[float]) -> Score:
    if not judged:
        reason = f"no {kind} cell of the test rows was missing from the first"
        return failed("imputation", name, reason, condition=CONDITION)
    holes = sum(found.drawn.shape[1] for found in judged)
    return Score("imputation", name, float(np.mean(values)), holes, METRICS[name], condition=CONDITION)


def _found(train: pd.DataFrame, test: pd.DataFrame, draws: Sequence[pd.DataFrame], column: Column) -> Found:
    holes = test[column.name].isna().to_numpy()
    return Found(
        observed=_numbers(train[column.name].dropna()),
        seen=_numbers(test[column.name])[~holes],
        drawn=np.stack([_numbers(draw[column.name])[holes] for draw in draws]),
        levels=len(column.levels),
    )


def _numbers(cells: pd.Series) -> np.ndarray:
    return cells.cat.codes.to_numpy(np.int64) if isinstance(cells.dtype, pd.CategoricalDtype) else cells.to_numpy()
