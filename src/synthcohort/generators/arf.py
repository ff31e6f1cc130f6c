r"""What does a forest draw that no longer tells its own rows from real ones?

Adversarial random forest [Watson 2023, alg. 1]: a random forest learns to tell the n training rows from n synthetic
ones, at first drawn column by column from the marginals. Its trees cut the space into boxes; new synthetic rows are
drawn box by box, every column on its own, and a new forest tries again, until its out-of-bag accuracy is at most
1/2 + delta. Then the columns are nearly independent inside every box. The density ("FORDE", draws: "FORGE") is

    p(x) = 1/B sum_b sum_{leaves l of tree b} q_l prod_j p_lj(x_j),    q_l = share of training rows in leaf l,

with p_lj zero outside the leaf's box: a truncated normal law of a numeric column, level shares of a categorical one.
Columns are independent given the leaf, hence any cells g may be given, and exactly so:

    p(l | g) ~ q_l prod_{j in g} p_lj(g_j),    then the free columns from p_lj.

A class is such a cell; so are the observed cells of a row to be completed. A number given outside the training range
counts as the nearest end of it. Numeric cells have the probability of the window that rounds to them (`parts.ranks`).

As in the authors' release, the loop also stops when accuracy does not fall, the forest that is kept is the one before
the last (the one whose rows deceived), and leaves are pruned to a least number of real rows.

Departs: numeric columns are cut, fitted and drawn as normal scores, not raw, so that a leaf without information gives
back the marginal with its skewness, atoms and digits; the truncated law is fitted by its own likelihood, where the
release takes the moments of the law before truncation. Categories are split as ordered numbers, ordered by the mean of
the target (of itself for the target): scikit-learn splits no sets. A leaf's level shares are smoothed by alpha rows of
the column's marginal inside the leaf's box, where the release adds equal pseudo-counts: unseen levels stay unseen. A
split whose sides are both too small is pruned to a leaf. The outermost boxes end where the training rows do; in the
release they are infinite.
"""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from tqdm import tqdm

from synthcohort.generators.base import Generator
from synthcohort.generators.parts import partitions
from synthcohort.generators.parts.factorised import Factorised, Members, pick, recombine
from synthcohort.generators.parts.gridded import Cells, Grid
from synthcohort.generators.parts.partitions import Partition
from synthcohort.rng import Rng

_MOST_PAIRS = 2_000_000


class ARF(Generator):
    """A forest of boxes inside which columns are independent.

    Args:
        trees: B, trees of a forest, >= 2.
        min_leaf: least rows of a leaf, real and synthetic while growing, real ones in the end, >= 1.
        max_rounds: adversarial rounds at most, >= 1.
        delta: the loop stops at an out-of-bag accuracy of 1/2 + delta, in [0, 0.5).
        alpha: rows of the marginal added to a leaf's level shares, > 0.
    """

    abilities: ClassVar[frozenset[str]] = frozenset(
        {"condition-target", "condition-sensitive", "condition-any", "impute", "density"}
    )

    def __init__(
        self, *, trees: int = 30, min_leaf: int = 5, max_rounds: int = 10, delta: float = 0.0, alpha: float = 0.2
    ) -> None:
        super().__init__()
        for name, value, least in (("trees", trees, 2), ("min_leaf", min_leaf, 1), ("max_rounds", max_rounds, 1)):
            if value < least:
                raise ValueError(f"arf: {name}={value} must be at least {least}")
        if not 0 <= delta < 0.5:
            raise ValueError(f"arf: delta={delta} must be in [0, 0.5)")
        if not alpha > 0:
            raise ValueError(f"arf: alpha={alpha} must be positive")
        self.trees = trees
        self.min_leaf = min_leaf
        self.max_rounds = max_rounds
        self.delta = delta
        self.alpha = alpha

    def _fit(self, train: pd.DataFrame, validation: pd.DataFrame | None, rng: Rng, device: str) -> None:
        self.grid = Grid.fit(train, self.schema)
        cells = self.grid.cells(train)
        boxes = self._contest(cells.codes, rng).pruned(cells.codes, self.min_leaf)
        self.law = Factorised.fit(boxes, cells, self.grid, self.alpha)

    def _contest(self, codes: np.ndarray, rng: Rng) -> Partition:
        """Return the partition of the forest whose rows are hardest to tell from the real ones, codes [n, d]."""
        labels = np.repeat([1, 0], len(codes))
        members, last, start = Members(np.zeros((len(codes), 1), dtype=np.int64), 1), math.inf, time.perf_counter()
        boxes: Partition | None = None
        for i in tqdm(range(1, self.max_rounds + 1), desc=self.name, unit="round", leave=False, mininterval=1.0):
            synthetic = recombine(codes, members, rng.branch("rows", i))
            forest = self._grow(np.concatenate([codes, synthetic]).astype(np.float32), labels, rng.branch("forest", i))
            accuracy, seconds = float(forest.oob_score_), time.perf_counter() - start
            self.history.append({"step": i, "loss": accuracy, "validation_loss": math.nan, "seconds": seconds})
            stop = accuracy <= 0.5 + self.delta or accuracy >= last
            if boxes is None or not stop:
                boxes = partitions.of_forest(forest)
                members = Members(boxes.locate(codes), boxes.leaves)
            if stop:
                break
            last = accuracy
        assert boxes is not None
        return boxes

    def _grow(self, rows: np.ndarray, labels: np.ndarray, rng: Rng) -> RandomForestClassifier:
        forest = RandomForestClassifier(
            n_estimators=self.trees,
            min_samples_leaf=self.min_leaf,
            max_features="sqrt",
            oob_score=True,
            n_jobs=1,
            random_state=rng.integer(),
        )
        with warnings.catch_warnings():  # a row in every tree's sample: rare, counted as called synthetic
            warnings.filterwarnings("ignore", "Some inputs do not have OOB scores", UserWarning)
            return forest.fit(rows, labels)

    def _sample(self, n: int, conditions: pd.DataFrame | None, rng: Rng, options: Mapping[str, Any]) -> pd.DataFrame:
        if conditions is None:
            leaves = self.law.members.cover(n, rng.branch("leaves").numpy())
            return self.grid.frame(*self.law.draw(leaves, rng.branch("cells")))
        return self._complete(conditions.reset_index(drop=True), rng)

    def _complete(self, part: pd.DataFrame, rng: Rng) -> pd.DataFrame:
        """Return a row drawn given the cells of each row of `part`; the given cells themselves are not put back.

        Rows with equal given cells share one weighing of the leaves they may lie in.
        """
        part = self.grid.nearest(part)
        distinct, pattern = self.grid.distinct(part)
        cells = self.grid.cells(distinct)
        self._refuse_unseen(cells)
        tables = [(i, self.law.table(i)) for i in np.flatnonzero(cells.given.any(axis=0)).tolist()]
        order = np.argsort(pattern, kind="stable")
        begin = np.searchsorted(pattern[order], np.arange(len(distinct) + 1))
        uniform = rng.branch("leaves").numpy().random(len(part))
        leaves = np.empty(len(part), dtype=np.int64)
        at, size = 0, 16
        while at < len(distinct):
            to = min(at + size, len(distinct))
            some, mine = cells.rows(slice(at, to)), order[begin[at] : begin[to]]
            owner, leaf = self.law.boxes.reach(some.codes, some.given)
            weight = self.law.log_weight(owner, leaf, some, tables)
            leaves[mine] = leaf[pick(owner, weight, pattern[mine] - at, uniform[mine])]
            at, size = to, max(1, min(2 * (to - at), (to - at) * _MOST_PAIRS // len(owner)))
        return self.grid.frame(*self.law.draw(leaves, rng.branch("cells")))

    def _refuse_unseen(self, cells: Cells) -> None:
        """Raise if a given level was never seen: no leaf has a probability for it."""
        for i, column in enumerate(self.schema.columns):
            if column.numeric:
                continue
            seen = self.law.marginal(i)[cells.codes[:, i]] > 0
            unseen = np.flatnonzero(cells.given[:, i] & ~seen)
            if len(unseen):
                level = column.levels[self.grid.order[self.grid.place[i]][cells.codes[unseen[0], i]]]
                raise ValueError(f"arf: condition on level {level!r} of {column.name!r}, which no training row had")

    def _impute(self, rows: pd.DataFrame, rng: Rng, draws: int, options: Mapping[str, Any]) -> list[pd.DataFrame]:
        self.schema.check(rows, allow_missing=True)
        if not len(rows):
            return [rows.copy() for _ in range(draws)]
        return [self._filled(rows, rng.branch("draw", i)) for i in range(draws)]

    def _filled(self, rows: pd.DataFrame, rng: Rng) -> pd.DataFrame:
        drawn = self._complete(rows.reset_index(drop=True), rng).set_axis(rows.index, axis=0)
        return self.schema.check(pd.DataFrame({c: rows[c].where(rows[c].notna(), drawn[c]) for c in self.schema.names}))

    def _log_density(self, rows: pd.DataFrame) -> np.ndarray:
        return self.law.log_density(self.grid.cells(rows)) - self.grid.log_measure

    def _state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        return {**self.grid.state(), **self.law.state()}, {}

    def _restore(self, arrays: dict[str, np.ndarray], record: dict[str, Any]) -> None:
        self.grid = Grid.restore(self.schema, arrays)
        self.law = Factorised.restore(arrays, self.grid, self.alpha)
