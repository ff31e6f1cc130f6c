"""Do the columns, and the pairs of columns, of a synthetic table look like those of the real one?

- Shape of a column [SDMetrics 0.11.1]: numeric, 1 - D with D the two-sample Kolmogorov-Smirnov distance; categorical,
  1 - TV, TV = 1/2 sum_k |p_real(k) - p_synthetic(k)|. The score is the mean over columns, target included.
- Trend of a pair [SDMetrics 0.11.1]: two numeric columns, 1 - |rho_real - rho_synthetic| / 2 with Pearson's rho; any
  other pair, 1 - TV of the contingency tables. The score is the mean over all pairs.
- Dimension-wise probability [Choi 2017; Ceritli 2023]: sqrt(mean_j (mean_real(j) - mean_synthetic(j))^2) over the
  dimensions j: each level of each categorical column, and each numeric column scaled by the real table's range.

Departs: SDMetrics cuts each table into bins of its own range, so that a table shifted as a whole keeps its Trend; here
both are cut at the real table's edges, `BINS` of equal width, with a cell below and one at or above the largest real
value. Newer releases also average over strongly associated pairs only; here every pair counts.
A constant numeric column has no linear association with anything, so its rho is taken as 0: constant in both
tables scores 1, constant in the synthetic table alone loses |rho_real| / 2. If it is the real one that is constant,
its bins span one unit around the constant.
"""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
from scipy.stats import ks_2samp

from synthcohort.metrics.matrix import DataProblem, numeric_values, unit_range
from synthcohort.schema import Column, Schema
from synthcohort.scores import Score

BINS = 10
METRICS = ("shape", "trend", "dimension_wise_probability")


def fidelity_scores(real: pd.DataFrame, synthetic: pd.DataFrame, schema: Schema) -> list[Score]:
    """Return `shape`, `trend` and `dimension_wise_probability`.

    Args:
        real: [n, P + Q] rows the generator was asked to imitate.
        synthetic: [m, P + Q] rows of the generator.
        schema: the schema of both.

    Raises:
        DataProblem: if the table has a single column, so that no pair exists.
    """
    if len(schema.columns) < 2:
        raise DataProblem(f"trend needs two columns; the table has only {schema.names}")
    n = len(synthetic)
    return [
        Score("fidelity", "shape", float(column_shapes(real, synthetic, schema)["shape"].mean()), n, "up"),
        Score("fidelity", "trend", float(pair_trends(real, synthetic, schema)["trend"].mean()), n, "up"),
        Score("fidelity", "dimension_wise_probability", dimension_wise_probability(real, synthetic, schema), n, "down"),
    ]


def column_shapes(real: pd.DataFrame, synthetic: pd.DataFrame, schema: Schema) -> pd.DataFrame:
    """Return the Shape of every column: `column`, `kind`, `shape` in [0, 1], one row a column in the schema's order."""
    rows = [
        {"column": c.name, "kind": c.kind, "shape": _shape(real[c.name], synthetic[c.name], c)} for c in schema.columns
    ]
    return pd.DataFrame(rows, columns=["column", "kind", "shape"])


def pair_trends(real: pd.DataFrame, synthetic: pd.DataFrame, schema: Schema) -> pd.DataFrame:
    """Return the Trend of every pair: `first`, `second`, `kind` (numeric, categorical, mixed), `trend` in [0, 1]."""
    numeric = [c.name for c in schema.numeric]
    gap = np.abs(correlations(real, schema) - correlations(synthetic, schema))  # [P, P]
    real_cells = {c.name: _cells(real[c.name], real[c.name], c) for c in schema.columns}
    synthetic_cells = {c.name: _cells(synthetic[c.name], real[c.name], c) for c in schema.columns}
    rows = []
    for first, second in itertools.combinations(schema.columns, 2):
        if first.numeric and second.numeric:
            trend = 1.0 - float(gap[numeric.index(first.name), numeric.index(second.name)]) / 2.0
        else:
            width = _count_cells(second)
            trend = 1.0 - total_variation(
                real_cells[first.name] * width + real_cells[second.name],
                synthetic_cells[first.name] * width + synthetic_cells[second.name],
                _count_cells(first) * width,
            )
        kind = first.kind if first.kind == second.kind else "mixed"
        rows.append({"first": first.name, "second": second.name, "kind": kind, "trend": trend})
    return pd.DataFrame(rows, columns=["first", "second", "kind", "trend"])


def correlations(frame: pd.DataFrame, schema: Schema) -> np.ndarray:
    """Return Pearson's correlation of every pair of numeric columns, [P, P]; that of a constant column is 0."""
    values = numeric_values(frame, schema)
    varies = np.ptp(values, axis=0) > 0 if len(values) else np.zeros(values.shape[1], dtype=bool)
    result = np.eye(values.shape[1])
    if varies.sum() > 1:
        result[np.ix_(varies, varies)] = np.corrcoef(values[:, varies], rowvar=False)
    return result


def dimension_wise_probability(real: pd.DataFrame, synthetic: pd.DataFrame, schema: Schema) -> float:
    """Return the root mean squared difference of the two tables' means over all dimensions, >= 0."""
    gap = dimension_means(real, real, schema) - dimension_means(synthetic, real, schema)
    return float(np.sqrt(np.mean(gap**2)))


def dimension_means(frame: pd.DataFrame, reference: pd.DataFrame, schema: Schema) -> np.ndarray:
    """Return the mean of every dimension, [P + sum K]: range-scaled numeric columns, then the levels."""
    return unit_range(frame, reference, schema).mean(axis=0)


def total_variation(real: np.ndarray, synthetic: np.ndarray, size: int) -> float:
    """Return the total variation distance, in [0, 1], of two samples of cell numbers 0 .. size - 1."""
    p = np.bincount(real, minlength=size) / len(real)
    q = np.bincount(synthetic, minlength=size) / len(synthetic)
    return float(np.abs(p - q).sum() / 2.0)


def _shape(real: pd.Series, synthetic: pd.Series, column: Column) -> float:
    if column.numeric:
        return 1.0 - float(ks_2samp(real.to_numpy(), synthetic.to_numpy(), method="asymp").statistic)
    return 1.0 - total_variation(_level_cells(real), _level_cells(synthetic), len(column.levels))


def _cells(cells: pd.Series, real: pd.Series, column: Column) -> np.ndarray:
    if not column.numeric:
        return _level_cells(cells)
    edges = np.histogram_bin_edges(real.to_numpy(), bins=BINS)
    return np.digitize(cells.to_numpy(), edges).astype(np.int64)  # 0: below, BINS + 1: at or above the largest


def _level_cells(cells: pd.Series) -> np.ndarray:
    return cells.cat.codes.to_numpy(dtype=np.int64)


def _count_cells(column: Column) -> int:
    return BINS + 2 if column.numeric else len(column.levels)
