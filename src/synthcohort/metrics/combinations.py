"""Do the columns go together in the synthetic table as they do in the real one, down to the rare combinations?

- `correlation_difference`: mean over pairs of columns |a_real - a_synthetic| of the association a. Two numeric columns:
  Pearson's correlation. Two categorical columns: Cramer's V = sqrt(chi^2 / (n min(K - 1, K' - 1))) [Cramer 1946], not
  corrected for bias, over the levels that occur. One of each: the correlation ratio eta = sqrt(SS_between / SS_total)
  [Pearson 1905]. A column without variation is associated with nothing: a = 0.
- `rare_combinations`: over all cells of all pairs of columns whose real share p lies in (0, 2 %],
  sum |p - q| / sum (p + q) with q the synthetic share, in [0, 1]: 0 if every rare combination has its share, 1 if all
  of them are lost. Columns with many levels have more rare cells and hence more weight.
- `rule_confidence`: association rules A = a -> B = b [Agrawal 1993] with support P(a, b) >= 5 % and confidence
  P(b | a) >= 80 % in the real table; mean |confidence_real - confidence_synthetic|. A rule whose antecedent never
  occurs in the synthetic table has lost its confidence altogether: 0 there.
- `out_of_range`: share of synthetic rows with a numeric value below the smallest or above the largest real one. A
  row of the same law leaves the range of n real rows in one numeric column with probability 2 / (n + 1), not 0.
- `impossible_combinations`: share of synthetic rows that hold a pair of levels that no real row holds, although
  independence of the two columns would let one expect at least 5. Of pairs that are independent in truth up to
  exp(-5) = 0.7 % look impossible by chance, so fresh real rows are not exactly at 0 either.

For the three scores of combinations a numeric column counts with four levels, cut at the real table's quartiles.
Shares carry sampling noise and none of these scores is 0 for fresh real rows: read them beside the ceiling.

The counts of all pairs come at once, from the product of the one-hot matrix with itself: a thousand columns need no
loop over half a million pairs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthcohort.metrics.fidelity import correlations
from synthcohort.metrics.matrix import DataProblem, level_codes, numeric_values
from synthcohort.schema import Schema
from synthcohort.scores import Score

METRICS = (
    "correlation_difference",
    "rare_combinations",
    "rule_confidence",
    "out_of_range",
    "impossible_combinations",
)
RARE_SHARE = 0.02
MIN_SUPPORT = 0.05
MIN_CONFIDENCE = 0.8
MIN_EXPECTED_ROWS = 5.0
BLOCK = 8192


@dataclass(frozen=True)
class Levels:
    """A table of levels only.

    Args:
        codes: [n, C] the level of each cell, 0 .. sizes[c] - 1.
        sizes: [C] number of levels of each column.
    """

    codes: np.ndarray
    sizes: np.ndarray

    @property
    def starts(self) -> np.ndarray:
        """[C] position of each column's first level among the L = sum(sizes) levels of the table."""
        return np.concatenate([[0], np.cumsum(self.sizes)[:-1]]).astype(np.int64)

    @property
    def column_of_level(self) -> np.ndarray:
        """[L] position of the column each level belongs to."""
        return np.repeat(np.arange(len(self.sizes)), self.sizes)


def correlation_difference(real: pd.DataFrame, synthetic: pd.DataFrame, schema: Schema) -> list[Score]:
    """Return `correlation_difference`, in [0, 2].

    Args:
        real: [n, P + Q] rows the generator was asked to imitate.
        synthetic: [m, P + Q] rows of the generator.
        schema: the schema of both.

    Raises:
        DataProblem: if the table has a single column, so that no pair exists.
    """
    _require_pairs(schema)
    gap = np.abs(associations(real, schema) - associations(synthetic, schema))  # [P + Q, P + Q]
    value = gap[np.triu_indices(len(gap), k=1)].mean()
    return [Score("fidelity", "correlation_difference", float(value), len(synthetic), "down")]


def rare_combinations(real: pd.DataFrame, synthetic: pd.DataFrame, schema: Schema) -> list[Score]:
    """Return `rare_combinations`, in [0, 1]; arguments as in `correlation_difference`.

    Raises:
        DataProblem: if the table has a single column, or no pair of columns has a rare combination.
    """
    _require_pairs(schema)
    ours, theirs = quartile_levels(real, real, schema), quartile_levels(synthetic, real, schema)
    p, q = pair_counts(ours) / len(real), pair_counts(theirs) / len(synthetic)  # [L, L]
    rare = (p > 0) & (p <= RARE_SHARE) & _apart(ours)  # every pair of columns twice: numerator and denominator alike
    if not rare.any():
        raise DataProblem(
            f"no combination of two levels is held by more than none and at most {RARE_SHARE:.0%} of the real rows"
        )
    value = np.abs(p - q)[rare].sum() / (p + q)[rare].sum()
    return [Score("fidelity", "rare_combinations", float(value), len(synthetic), "down")]


def rule_confidence(real: pd.DataFrame, synthetic: pd.DataFrame, schema: Schema) -> list[Score]:
    """Return `rule_confidence`, in [0, 1]; arguments as in `correlation_difference`.

    Raises:
        DataProblem: if the table has a single column, or the real table holds no such rule.
    """
    _require_pairs(schema)
    ours, theirs = quartile_levels(real, real, schema), quartile_levels(synthetic, real, schema)
    counts = pair_counts(ours)  # [L, L]
    confidence = _confidences(counts)
    rules = (counts >= MIN_SUPPORT * len(real)) & (confidence >= MIN_CONFIDENCE) & _apart(ours)
    if not rules.any():
        raise DataProblem(
            f"the real table holds no rule between two levels with support of at least {MIN_SUPPORT:.0%} and "
            f"confidence of at least {MIN_CONFIDENCE:.0%}"
        )
    value = np.abs(confidence - _confidences(pair_counts(theirs)))[rules].mean()
    return [Score("fidelity", "rule_confidence", float(value), len(synthetic), "down")]


def out_of_range(real: pd.DataFrame, synthetic: pd.DataFrame, schema: Schema) -> list[Score]:
    """Return `out_of_range`, in [0, 1]; arguments as in `correlation_difference`.

    Raises:
        DataProblem: if the table has no numeric column.
    """
    if not schema.numeric:
        raise DataProblem("the table has no numeric column, so no value can leave its range")
    base, values = numeric_values(real, schema), numeric_values(synthetic, schema)
    outside = (values < base.min(axis=0)) | (values > base.max(axis=0))  # [m, P]
    return [Score("fidelity", "out_of_range", float(outside.any(axis=1).mean()), len(synthetic), "down")]


def impossible_combinations(real: pd.DataFrame, synthetic: pd.DataFrame, schema: Schema) -> list[Score]:
    """Return `impossible_combinations`, in [0, 1]; arguments as in `correlation_difference`.

    Raises:
        DataProblem: if the table has a single column, or no combination is missing from the real table, so that
            nothing is forbidden and every generator would pass.
    """
    _require_pairs(schema)
    ours, theirs = quartile_levels(real, real, schema), quartile_levels(synthetic, real, schema)
    counts = pair_counts(ours)  # [L, L]
    rows = np.diag(counts)
    forbidden = (counts == 0) & (np.outer(rows, rows) >= MIN_EXPECTED_ROWS * len(real)) & _apart(ours)
    if not forbidden.any():
        raise DataProblem(
            f"every combination of two levels expected in at least {MIN_EXPECTED_ROWS:.0f} real rows is there: "
            "nothing is impossible"
        )
    matrix = forbidden.astype(np.float32)
    hits = [((block @ matrix) * block).any(axis=1).sum() for block in _one_hot_blocks(theirs)]
    return [Score("fidelity", "impossible_combinations", float(sum(hits) / len(synthetic)), len(synthetic), "down")]


def quartile_levels(frame: pd.DataFrame, reference: pd.DataFrame, schema: Schema) -> Levels:
    """Return the numeric columns cut at the reference's quartiles, each cell (low, high], beside the categorical ones.

    Equal quartiles are one cut, so a numeric column has at most four levels and a constant one at most two.
    """
    values, base = numeric_values(frame, schema), numeric_values(reference, schema)
    cuts = [np.unique(np.quantile(column, [0.25, 0.5, 0.75])) for column in base.T]
    parts = [np.searchsorted(edges, values[:, j], side="left")[:, None] for j, edges in enumerate(cuts)]
    codes = np.concatenate([*parts, level_codes(frame, schema)], axis=1)  # [n, P + Q]
    sizes = [len(edges) + 1 for edges in cuts] + [len(c.levels) for c in schema.categorical]
    return Levels(codes.astype(np.int64), np.array(sizes, dtype=np.int64))


def pair_counts(levels: Levels) -> np.ndarray:
    """Return how many rows hold both levels, [L, L] float64; the diagonal holds the counts of single levels."""
    total = int(levels.sizes.sum())
    counts = np.zeros((total, total))
    for block in _one_hot_blocks(levels):
        counts += block.T @ block  # whole numbers up to BLOCK are exact in float32
    return counts


def cramers_v(counts: np.ndarray, levels: Levels) -> np.ndarray:
    """Return Cramer's V of every pair of columns over the levels that occur, [C, C]; 0 where a column has one level.

    Args:
        counts: [L, L] as from `pair_counts`.
        levels: the columns the counts belong to.
    """
    rows = np.diag(counts)  # [L]
    n = rows[: levels.sizes[0]].sum()
    expected = np.outer(rows, rows) / n
    chi2 = block_sums((counts - expected) ** 2 / np.where(expected > 0, expected, 1.0), levels)  # [C, C]
    seen = np.add.reduceat((rows > 0).astype(np.float64), levels.starts)  # [C]
    freedom = np.minimum.outer(seen, seen) - 1.0
    return np.sqrt(np.where(freedom > 0, chi2 / (n * np.where(freedom > 0, freedom, 1.0)), 0.0))


def block_sums(matrix: np.ndarray, levels: Levels) -> np.ndarray:
    """Return the sums of a matrix [L, L] over the cells of every pair of columns, [C, C]."""
    return np.add.reduceat(np.add.reduceat(matrix, levels.starts, axis=0), levels.starts, axis=1)


def associations(frame: pd.DataFrame, schema: Schema) -> np.ndarray:
    """Return the association of every pair of columns, numeric columns first, [P + Q, P + Q]."""
    p, q = len(schema.numeric), len(schema.categorical)
    result = np.eye(p + q)
    result[:p, :p] = correlations(frame, schema)
    if q:
        levels = Levels(
            level_codes(frame, schema).astype(np.int64), np.array([len(c.levels) for c in schema.categorical])
        )
        result[p:, p:] = cramers_v(pair_counts(levels), levels)
        result[:p, p:] = correlation_ratios(numeric_values(frame, schema), levels)
        result[p:, :p] = result[:p, p:].T
    np.fill_diagonal(result, 1.0)
    return result


def correlation_ratios(values: np.ndarray, levels: Levels) -> np.ndarray:
    """Return eta of every numeric with every categorical column, [P, C]; 0 for a constant numeric column.

    Args:
        values: [n, P] numeric columns.
        levels: the categorical columns of the same rows.
    """
    varies = np.ptp(values, axis=0) > 0  # [P]
    centred = values - values.mean(axis=0)
    sums, rows = np.zeros((values.shape[1], int(levels.sizes.sum()))), np.zeros(int(levels.sizes.sum()))
    for start, block in zip(range(0, len(values), BLOCK), _one_hot_blocks(levels)):
        sums += centred[start : start + BLOCK].T @ block.astype(np.float64)  # [P, L]
        rows += block.sum(axis=0)
    between = np.add.reduceat(sums**2 / np.maximum(rows, 1.0), levels.starts, axis=1)  # [P, C]
    total = np.where(varies, (centred**2).sum(axis=0), 1.0)
    return np.sqrt(between / total[:, None]) * varies[:, None]


def _confidences(counts: np.ndarray) -> np.ndarray:
    rows = np.diag(counts)
    return counts / np.maximum(rows, 1.0)[:, None]  # [L, L]: P(second | first), 0 where the first never occurs


def _apart(levels: Levels) -> np.ndarray:
    column = levels.column_of_level
    return column[:, None] != column[None, :]  # [L, L]


def _one_hot_blocks(levels: Levels) -> Iterator[np.ndarray]:
    positions = levels.codes + levels.starts  # [n, C]
    for start in range(0, len(positions), BLOCK):
        part = positions[start : start + BLOCK]
        block = np.zeros((len(part), int(levels.sizes.sum())), dtype=np.float32)
        np.put_along_axis(block, part, 1.0, axis=1)
        yield block


def _require_pairs(schema: Schema) -> None:
    if len(schema.columns) < 2:
        raise DataProblem(f"combinations need two columns; the table has only {schema.names}")
