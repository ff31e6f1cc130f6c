r"""How much of a table is a few small tables, one a column?

PrivBayes without its noise [Zhang 2017]: a Bayesian network is built greedily by mutual information
(`parts.greedy_network`) and rows are drawn from

    P(x) = P(x_1) prod_{i > 1} P(x_i | parents_i)

in the network's order. Numeric columns are cut at quantiles of the training rows; within a bin the rank is uniform, so
each marginal keeps its shape, its digits and its atoms. A table has so few entries that `rows_per_cell` training rows
fall on each on average: the paper's theta-usefulness, which weighs information against noise, with the error of
counting in the noise's place. Conditional tables are

    P(x | pi) = (rows with x and pi + s m_x) / (rows with pi + s),        m the column's marginal,

so that a parents' cell that no row had gives the marginal, and a level that no row had never comes.

The target is the root: a class that is asked for is where the draw begins, which is exact. The density is exact too;
numeric cells have the probability of the window that rounds to them (`parts.ranks`).

The loss in the history is minus the information told so far, sum_i I(X_i; parents_i): the divergence of the table's law
from the network's, up to a constant, which the greedy choice makes small.

The noisy version changes two functions, `_choose` and `_measure`, and makes bins that do not look at the rows.

Departs: the root is the target, not a random column, so that a class can be asked for. Bins are quantiles, not equal
widths: clinical columns are skewed; few rows make few bins. The paper has no smoothing; its noise does that. Of a large
table the network is built on a part of the rows.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from synthcohort.encoding import Encoded, Encoder
from synthcohort.generators.base import Generator
from synthcohort.generators.parts import greedy_network, ranks
from synthcohort.generators.parts.greedy_network import Node
from synthcohort.rng import Rng


class BayesianNetwork(Generator):
    """A greedy Bayesian network of low degree over binned columns.

    Args:
        degree: k, parents of a column at most, >= 1.
        rows_per_cell: training rows for each entry of a conditional table on average, > 0.
        bins: of a numeric column at most, >= 2; of n rows never more than 2 n^(1/3), rounded up.
        smoothing: s, rows of the marginal added to each parents' cell, > 0.
        pool: columns among which the parents of a column are sought, >= degree.
        structure_rows: rows at most on which the network is built, >= 2; tables are counted on all.
    """

    abilities: ClassVar[frozenset[str]] = frozenset({"condition-target", "density"})

    def __init__(
        self,
        *,
        degree: int = 3,
        rows_per_cell: float = 4.0,
        bins: int = 32,
        smoothing: float = 1.0,
        pool: int = 8,
        structure_rows: int = 20_000,
    ) -> None:
        super().__init__()
        for name, value, least in (
            ("degree", degree, 1),
            ("bins", bins, 2),
            ("pool", pool, degree),
            ("structure_rows", structure_rows, 2),
        ):
            if value < least:
                raise ValueError(f"bayesian_network: {name}={value} must be at least {least}")
        for name, amount in (("rows_per_cell", rows_per_cell), ("smoothing", smoothing)):
            if not amount > 0:
                raise ValueError(f"bayesian_network: {name}={amount} must be positive")
        self.degree = degree
        self.rows_per_cell = rows_per_cell
        self.bins = bins
        self.smoothing = smoothing
        self.pool = pool
        self.structure_rows = structure_rows

    def _fit(self, train: pd.DataFrame, validation: pd.DataFrame | None, rng: Rng, device: str) -> None:
        self.encoder = Encoder.fit(train, self.schema)
        bins = min(self.bins, math.ceil(2 * len(train) ** (1 / 3)))  # Rice's rule
        self.cuts = [quantile_cuts(train[c.name].to_numpy(), c.decimals, bins) for c in self.schema.numeric]
        codes, n, told, start = self._codes(train), len(train), 0.0, time.perf_counter()
        some = codes
        if n > self.structure_rows:
            some = codes[:, np.sort(rng.branch("rows").numpy().choice(n, self.structure_rows, replace=False))]
        self.nodes = greedy_network.grow(
            some,
            self._levels(),
            [c.numeric for c in self.schema.columns],
            root=self.schema.names.index(self.schema.target.name),
            degree=self.degree,
            most_cells=n / self.rows_per_cell,
            pool=self.pool,
            choose=self._choose,
            label=self.name,
        )
        self.tables = []
        for step, node in enumerate(self.nodes, 1):
            counts = node.count(codes, self._levels())
            told += greedy_network.mutual_information(counts)
            seconds = time.perf_counter() - start
            self.history.append({"step": step, "loss": 0.0 - told, "validation_loss": math.nan, "seconds": seconds})
            self.tables.append(self._table(self._measure(counts)))

    def _choose(self, scores: np.ndarray) -> int:
        """Return the candidate to take; with noise: the exponential mechanism."""
        return greedy_network.largest(scores)

    def _measure(self, counts: np.ndarray) -> np.ndarray:
        """Return what may be known of a table of counts; with noise: the Laplace mechanism."""
        return counts

    def _table(self, counts: np.ndarray) -> np.ndarray:
        return greedy_network.conditional(counts, counts.sum(axis=0) / counts.sum(), self.smoothing)

    def _levels(self) -> list[int]:
        bins = iter(self.cuts)
        return [len(next(bins)) + 1 if c.numeric else len(c.levels) for c in self.schema.columns]

    def _small(self) -> np.dtype:
        """Return the smallest type that holds every code: 1,000 binary columns of 100,000 rows are then 100 MB."""
        return np.min_scalar_type(max(self._levels()))

    def _codes(self, frame: pd.DataFrame) -> np.ndarray:
        """Return level and bin numbers [d, n], columns in the schema's order."""
        bins = iter(self.cuts)
        columns = [
            ranks.codes(frame[c.name].to_numpy(), next(bins)) if c.numeric else frame[c.name].cat.codes.to_numpy()
            for c in self.schema.columns
        ]
        return np.stack(columns).astype(self._small())

    def _edges(self, j: int) -> np.ndarray:
        """Return the ranks [K + 1] between which the bins of numeric column j lie."""
        return np.concatenate([[0.0], ranks.rank(self.encoder, j, self.cuts[j]), [1.0]])

    def _sample(self, n: int, conditions: pd.DataFrame | None, rng: Rng, options: Mapping[str, Any]) -> pd.DataFrame:
        codes = np.zeros((len(self.nodes), n), dtype=self._small())
        for node, table in zip(self.nodes, self.tables, strict=True):
            uniform = rng.branch("levels", node.column).numpy().random(n)
            codes[node.column] = draw_levels(table, node.cell(codes, self._levels()), uniform)
            if conditions is not None and node is self.nodes[0]:
                codes[node.column] = self._asked(conditions.iloc[:, 0])
        numeric = [i for i, c in enumerate(self.schema.columns) if c.numeric]
        drawn = np.empty((n, len(numeric)))
        for j, i in enumerate(numeric):
            edges, uniform = self._edges(j), rng.branch("bins", i).numpy().random(n)
            drawn[:, j] = edges[codes[i]] + uniform * np.diff(edges)[codes[i]]
        levels = codes[[i for i, c in enumerate(self.schema.columns) if not c.numeric]]
        return self.encoder.decode(Encoded(ranks.scores(self.encoder, drawn), levels.T))

    def _asked(self, target: pd.Series) -> np.ndarray:
        """Return the codes [n] of the target cells asked for."""
        column = self.schema.target
        if column.numeric:
            return ranks.codes(target.to_numpy(), self.cuts[[c.name for c in self.schema.numeric].index(column.name)])
        asked = target.cat.codes.to_numpy(dtype=np.int64)
        unseen = asked[self.tables[0][0, asked] == 0]
        if len(unseen):
            known = [level for level, share in zip(column.levels, self.tables[0][0], strict=True) if share]
            raise ValueError(
                f"condition on level {column.levels[unseen[0]]!r} of {column.name!r}, which no training row had; "
                f"ask for one of {known}"
            )
        return asked

    def _log_density(self, rows: pd.DataFrame) -> np.ndarray:
        codes = self._codes(rows)
        total = np.full(len(rows), -ranks.log_measure(self.encoder))
        values = rows[[c.name for c in self.schema.numeric]].to_numpy(dtype=np.float64)
        windows = ranks.windows(self.encoder, values)  # [n, P, 2]
        numeric = [i for i, c in enumerate(self.schema.columns) if c.numeric]
        with np.errstate(divide="ignore"):
            for node, table in zip(self.nodes, self.tables, strict=True):
                total += np.log(table[node.cell(codes, self._levels()), codes[node.column]])
            for j, i in enumerate(numeric):
                edges = self._edges(j)
                low, high = edges[codes[i]], edges[1:][codes[i]]
                inside = np.clip(windows[:, j].T, low, high)  # [2, n]
                total += np.log((inside[1] - inside[0]) / (high - low))
        return total

    def _state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        cuts = {f"cuts_{j}": a for j, a in enumerate(self.cuts)}
        tables = {f"table_{i}": a for i, a in enumerate(self.tables)}
        nodes = [[node.column, [list(p) for p in node.parents]] for node in self.nodes]
        return {**self.encoder.state(), **cuts, **tables}, {"nodes": nodes}

    def _restore(self, arrays: dict[str, np.ndarray], record: dict[str, Any]) -> None:
        self.encoder = Encoder.restore(self.schema, arrays)
        self.cuts = [arrays[f"cuts_{j}"] for j in range(len(self.schema.numeric))]
        self.nodes = [Node(column, tuple((p, m) for p, m in parents)) for column, parents in record["nodes"]]
        self.tables = [arrays[f"table_{i}"] for i in range(len(self.nodes))]


def quantile_cuts(values: np.ndarray, decimals: int | None, bins: int) -> np.ndarray:
    """Return the cuts between training values [n] nearest to the quantiles 1 / bins, 2 / bins ..., each once."""
    every = ranks.cuts(values, decimals)
    if not len(every):
        return every
    share = np.searchsorted(np.sort(values), every) / len(values)
    wanted = np.arange(1, bins) / bins
    return every[np.unique(np.abs(share[:, None] - wanted).argmin(axis=0))]


def draw_levels(table: np.ndarray, cell: np.ndarray, uniform: np.ndarray) -> np.ndarray:
    """Return a level [n] from row `cell` [n] of conditional tables [C, K], by uniform numbers [n] in [0, 1).

    The rows' distribution functions, each raised by its number, are one ascending list, searched once.
    """
    upto = np.cumsum(table, axis=1)
    ladder = (upto / upto[:, -1:] + np.arange(len(table))[:, None]).ravel()
    found = np.searchsorted(ladder, cell + uniform, side="right") - cell * table.shape[1]
    return np.minimum(found, table.shape[1] - 1)
