"""What is the label of a row, by boosted trees?

P(y | x) of a categorical target y given all other columns x: gradient boosting [Chen & Guestrin 2016] on the numbers as
they are and the level numbers as categories. It is no judge of anything: a generator asks it which of its own rows to
keep (`generators.picked_tabddpm`). Probabilities are kept away from 0 and 1 by `LEAST`, since their ratios are used.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xgboost

from synthcohort.rng import Rng
from synthcohort.schema import Schema

LEAST = 1e-3


@dataclass(frozen=True)
class Posterior:
    """P(y | x) of one table's rows.

    Args:
        schema: of the rows; its target is categorical.
        trees: the fitted trees.
    """

    schema: Schema
    trees: xgboost.Booster

    @classmethod
    def fit(cls, rows: pd.DataFrame, schema: Schema, *, rounds: int, depth: int, rate: float, rng: Rng) -> Posterior:
        """Learn from rows [n, P + Q].

        Args:
            rows: satisfying the schema, without missing cells.
            schema: theirs.
            rounds: of boosting, >= 1.
            depth: of a tree, >= 1.
            rate: learning rate, > 0.
            rng: the seed of the trees.
        """
        levels = len(schema.target.levels)
        settings = {
            "max_depth": depth,
            "eta": rate,
            "tree_method": "hist",
            "nthread": 1,
            "seed": rng.integer() % 2**31,
            **(
                {"objective": "binary:logistic"}
                if levels == 2
                else {"objective": "multi:softprob", "num_class": levels}
            ),
        }
        data = _matrix(rows, schema)
        data.set_label(labels(rows, schema))
        return cls(schema, xgboost.train(settings, data, rounds))

    def log_probabilities(self, rows: pd.DataFrame) -> np.ndarray:
        """Return log P(level | row), [n, K], of probabilities kept in [`LEAST`, 1]."""
        found = self.trees.predict(_matrix(rows, self.schema)).astype(np.float64)
        whole = np.stack([1 - found, found], axis=1) if found.ndim == 1 else found  # [n, K]
        return np.log(whole.clip(LEAST, 1.0))

    def state(self) -> np.ndarray:
        """Return the trees as bytes, [bytes] uint8."""
        return np.frombuffer(zlib.compress(bytes(self.trees.save_raw("ubj"))), np.uint8)

    @classmethod
    def restore(cls, schema: Schema, state: np.ndarray) -> Posterior:
        """Return what `state` was taken of."""
        trees = xgboost.Booster({"nthread": 1})
        trees.load_model(bytearray(zlib.decompress(state.tobytes())))
        return cls(schema, trees)

    def count(self) -> int:
        """Return the number of split points and of the numbers in leaves."""
        trees = json.loads(self.trees.save_raw("json"))["learner"]["gradient_booster"]["model"]["trees"]
        return sum(int(tree["tree_param"]["num_nodes"]) for tree in trees)


def labels(rows: pd.DataFrame, schema: Schema) -> np.ndarray:
    """Return the level number of each row's target, [n] int64."""
    return rows[schema.target.name].cat.codes.to_numpy(dtype=np.int64)


def _matrix(rows: pd.DataFrame, schema: Schema) -> xgboost.DMatrix:
    columns = [c for c in schema.columns if c.name != schema.target.name]
    cells = [rows[c.name].to_numpy(float) if c.numeric else rows[c.name].cat.codes.to_numpy(float) for c in columns]
    kinds = ["q" if c.numeric else "c" for c in columns]
    whole = np.stack(cells, axis=1) if cells else np.zeros((len(rows), 1))
    return xgboost.DMatrix(whole, feature_types=kinds or ["q"], enable_categorical=True)
