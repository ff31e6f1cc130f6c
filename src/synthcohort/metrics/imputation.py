"""How near are the draws of an imputer to the cells that were hidden, and do they know how far off they are?

y is a hidden cell's truth and x_1 .. x_m are its draws, numeric cells in units of the reference table's range. Scores
are means over the hidden cells of a column, then over columns. Numeric columns:

- `impute_mae_mean`, `impute_rmse_mean`, `impute_mae_median`, `impute_rmse_median`: error of the draws' mean or median,
  as a mean absolute error or the root of a mean squared one.
- `impute_crps`: the continuous ranked probability score, E|X - y| - E|X - X'| / 2 [Gneiting 2007, sec. 4.2], by the
  estimator whose mean does not depend on m [Ferro 2014, fair scores]:
      mean_k |x_k - y| - sum_{k,l} |x_k - x_l| / (2 m (m - 1)).
- `impute_coverage_gap`: share of the cells within the central 90 % interval of their draws, less 0.9; `impute_width`:
  width of that interval. Its ends are the quantiles at 5 and 95 % with the p-th at place p (m + 1) among the sorted
  draws, between which a further draw falls with 90 % [Hyndman 1996, definition 6]; they need `LEAST_DRAWS` draws.
- `impute_wasserstein_numeric`: Wasserstein-1 distance of the pooled draws of a column to its hidden truths.
- `impute_diversity_numeric`: mean_k |x_k - median|.

Categorical columns, y and x_k levels, f the share of the draws that are a level:

- `impute_accuracy`: share of the cells whose commonest draw (the first level of equals) is the truth.
- `impute_brier`: sum over levels of (f - 1[y])^2 - f (1 - f) / (m - 1), the fair Brier score [Ferro 2014].
- `impute_wasserstein_categorical`: total variation of the pooled draws to the hidden truths, their Wasserstein-1
  distance where a changed level costs 1.
- `impute_diversity_categorical`: share of the draws that are not the commonest one.

Diversity counts as better the more there is of it, as in its source; noise has most, so it is read beside coverage.

All columns together, as the imputation study of [Jolicoeur-Martineau 2024]: a draw's error of a cell is |x - y| or
1[x != y]; `impute_avg_mae` is its mean over hidden cells and draws, and `impute_min_mae` takes for each *row* the draw
that errs least. Both are 0 for the truth; the least error falls with m, and the average one of honest draws stays above
that of a point: compare them at equal m, and neither with an error of the mean.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import wasserstein_distance

from synthcohort.metrics.matrix import DataProblem
from synthcohort.schema import Schema
from synthcohort.scores import Direction, Score, failed

NOMINAL = 0.9
LEAST_DRAWS = 19  # the least m with 0.05 (m + 1) >= 1: between the extremes of fewer draws fewer than 90 % fall


@dataclass(frozen=True)
class Hidden:
    """The hidden cells of one column.

    Args:
        rows: [c] positions of their rows.
        truth: [c] values in ranges of the reference, or codes.
        drawn: [m, c] the same of the draws.
        levels: K of a categorical column, 0 of a numeric one.
    """

    rows: np.ndarray
    truth: np.ndarray
    drawn: np.ndarray
    levels: int

    @property
    def errors(self) -> np.ndarray:
        """|x - y|, or 1 for another level, [m, c]."""
        return (self.drawn != self.truth) * 1.0 if self.levels else np.abs(self.drawn - self.truth)


def imputation_scores(
    truth: pd.DataFrame,
    mask: np.ndarray,
    draws: Sequence[pd.DataFrame],
    schema: Schema,
    *,
    reference: pd.DataFrame,
    condition: str = "as_observed",
) -> list[Score]:
    """Return every score of `METRICS`; their n is the number of hidden cells they judge.

    Args:
        truth: [n, P + Q] rows before cells were hidden; cells outside the mask may be missing.
        mask: [n, P + Q] bool, the hidden cells.
        draws: m completed frames [n, P + Q], m >= 1.
        schema: the schema of all.
        reference: rows whose range is the unit of a numeric column (its own unit, where it is constant).
        condition: how cells were hidden.

    Raises:
        ValueError: if there is no draw, no cell is hidden, a hidden cell has no truth, or a draw changed a cell that
            was not hidden.
        SchemaError: if a draw breaks the schema.
    """
    columns = hidden_cells(truth, mask, draws, schema, reference)
    groups = {
        "numeric": [c for c in columns if not c.levels],
        "categorical": [c for c in columns if c.levels],
        "": columns,
    }
    scores = []
    for name, measure in METRICS.items():
        group = groups[measure.kind]
        try:
            if not group:
                raise DataProblem(f"no {measure.kind} cell is hidden")
            value, n = measure.compute(group), sum(len(c.truth) for c in group)
            scores.append(Score("imputation", name, value, n, measure.direction, condition=condition))
        except DataProblem as problem:
            scores.append(failed("imputation", name, str(problem), condition=condition))
    return scores


def hidden_cells(
    truth: pd.DataFrame, mask: np.ndarray, draws: Sequence[pd.DataFrame], schema: Schema, reference: pd.DataFrame
) -> list[Hidden]:
    """Return the columns that have hidden cells; arguments and errors as in `imputation_scores`."""
    if not len(draws) or not mask.any():
        raise ValueError(f"{len(draws)} draws and {int(mask.sum())} hidden cells; at least one of each is needed")
    for draw in draws:
        schema.check(draw)
    columns = []
    for j, column in enumerate(schema.columns):
        y, *x = (_numbers(frame[column.name]) for frame in (truth, *draws))
        drawn, cells = np.stack(x), np.flatnonzero(mask[:, j])
        told = ~mask[:, j] & truth[column.name].notna().to_numpy()
        if truth[column.name].isna().to_numpy()[cells].any():
            raise ValueError(f"column {column.name!r}: a hidden cell has no truth")
        if (drawn[:, told] != y[told]).any():
            raise ValueError(f"column {column.name!r}: a draw changed a cell that was not hidden")
        if not len(cells):
            continue
        unit = 1.0 if not column.numeric else float(reference[column.name].max() - reference[column.name].min()) or 1.0
        columns.append(Hidden(cells, y[cells] / unit, drawn[:, cells] / unit, len(column.levels)))
    return columns


def crps(truth: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """Return the fair CRPS of each cell, [c], for truth [c] and draws [m, c].

    Raises:
        DataProblem: if there are fewer than two draws.
    """
    m = _at_least(2, drawn)
    weights = 2 * np.arange(1, m + 1) - m - 1  # sum_{k<l} |x_k - x_l| = sum_k weight_k x_(k)
    spread = weights @ np.sort(drawn, axis=0) / (m * (m - 1))
    return np.abs(drawn - truth).mean(axis=0) - spread


def brier(truth: np.ndarray, drawn: np.ndarray, levels: int) -> np.ndarray:
    """Return the fair Brier score of each cell, [c], for codes truth [c] and draws [m, c].

    Raises:
        DataProblem: if there are fewer than two draws.
    """
    m = _at_least(2, drawn)
    f = _shares(drawn, levels)  # [K, c]
    return ((f - (np.arange(levels)[:, None] == truth)) ** 2 - f * (1 - f) / (m - 1)).sum(axis=0)


def interval(drawn: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the ends [c], [c] of the central 90 % interval of draws [m, c].

    Raises:
        DataProblem: if there are fewer than `LEAST_DRAWS` draws.
    """
    _at_least(LEAST_DRAWS, drawn)
    tail = (1 - NOMINAL) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail], axis=0, method="weibull")
    return low, high


def least_error(columns: Sequence[Hidden]) -> float:
    """Return the error a hidden cell of the draw that errs least in its row."""
    total = np.zeros((len(columns[0].drawn), 1 + max(int(c.rows.max()) for c in columns)))  # [m, n]
    for c in columns:
        total[:, c.rows] += c.errors
    return float(total.min(axis=0).sum() / sum(len(c.rows) for c in columns))


def average_error(columns: Sequence[Hidden]) -> float:
    """Return the error of a hidden cell, the mean over draws and cells."""
    return float(sum(c.errors.mean(axis=0).sum() for c in columns) / sum(len(c.rows) for c in columns))


@dataclass(frozen=True)
class Measure:
    """One score of hidden cells.

    Args:
        kind: of the columns it judges; "" for all.
        direction: which values are better.
        compute: the columns, at least one -> the number, or raises `DataProblem`.
    """

    kind: str
    direction: Direction
    compute: Callable[[Sequence[Hidden]], float]


def _mean(of: Callable[[Hidden], np.ndarray | float]) -> Callable[[Sequence[Hidden]], float]:
    """Return the mean over cells, then over columns, of a number a cell."""
    return lambda columns: float(np.mean([np.mean(of(c)) for c in columns]))


def _root(of: Callable[[Hidden], np.ndarray]) -> Callable[[Sequence[Hidden]], float]:
    return lambda columns: float(np.sqrt(_mean(of)(columns)))


def _off_mean(c: Hidden) -> np.ndarray:
    return np.abs(c.drawn.mean(axis=0) - c.truth)


def _off_median(c: Hidden) -> np.ndarray:
    return np.abs(np.median(c.drawn, axis=0) - c.truth)


def _covered(c: Hidden) -> np.ndarray:
    low, high = interval(c.drawn)
    return (low <= c.truth) & (c.truth <= high)


def _width(c: Hidden) -> np.ndarray:
    low, high = interval(c.drawn)
    return high - low


def _total_variation(c: Hidden) -> float:
    gap = _shares(c.drawn.reshape(-1, 1), c.levels) - _shares(c.truth.reshape(-1, 1), c.levels)
    return float(np.abs(gap).sum() / 2)


def _shares(codes: np.ndarray, levels: int) -> np.ndarray:
    """Return the share of each level among codes [m, c], [K, c]."""
    return np.stack([(codes == k).mean(axis=0) for k in range(levels)])


def _numbers(cells: pd.Series) -> np.ndarray:
    return cells.cat.codes.to_numpy() if isinstance(cells.dtype, pd.CategoricalDtype) else cells.to_numpy()


def _at_least(least: int, drawn: np.ndarray) -> int:
    if len(drawn) < least:
        raise DataProblem(f"needs at least {least} draws, got {len(drawn)}")
    return len(drawn)


METRICS = {
    "impute_mae_mean": Measure("numeric", "down", _mean(_off_mean)),
    "impute_rmse_mean": Measure("numeric", "down", _root(lambda c: _off_mean(c) ** 2)),
    "impute_mae_median": Measure("numeric", "down", _mean(_off_median)),
    "impute_rmse_median": Measure("numeric", "down", _root(lambda c: _off_median(c) ** 2)),
    "impute_crps": Measure("numeric", "down", _mean(lambda c: crps(c.truth, c.drawn))),
    "impute_coverage_gap": Measure("numeric", "zero", lambda columns: _mean(_covered)(columns) - NOMINAL),
    "impute_width": Measure("numeric", "down", _mean(_width)),
    "impute_wasserstein_numeric": Measure(
        "numeric", "down", _mean(lambda c: wasserstein_distance(c.drawn.reshape(-1), c.truth))
    ),
    "impute_diversity_numeric": Measure("numeric", "up", _mean(lambda c: np.abs(c.drawn - np.median(c.drawn, axis=0)))),
    "impute_accuracy": Measure(
        "categorical", "up", _mean(lambda c: _shares(c.drawn, c.levels).argmax(axis=0) == c.truth)
    ),
    "impute_brier": Measure("categorical", "down", _mean(lambda c: brier(c.truth, c.drawn, c.levels))),
    "impute_wasserstein_categorical": Measure("categorical", "down", _mean(_total_variation)),
    "impute_diversity_categorical": Measure(
        "categorical", "up", _mean(lambda c: 1 - _shares(c.drawn, c.levels).max(axis=0))
    ),
    "impute_avg_mae": Measure("", "down", average_error),
    "impute_min_mae": Measure("", "down", least_error),
}
