r"""Can boosted trees, instead of a network, move noise to rows?

ForestFlow [Jolicoeur-Martineau 2024; conditional flow matching: Lipman 2023; Tong 2024]. Between noise
x_0 ~ N(0, I) and a row x_1 lies the segment x_t = t x_1 + (1 - t) x_0; the field that moves the law of x_0 to x_1's,

    v(x, t) = E[ x_1 - x_0 | x_t = x ],      dx / dt = v(x, t),  t from 0 to 1,

is a regression, so trees can learn it: for every label and every level t_i = i / T one boosted forest, fitted to copies
of the training rows with fresh noise. Labels are drawn from the training frequencies. A column of two levels is one
number -1 or 1, one of K > 2 levels K such numbers (`generators.parts.codebooks`).

At t = 0 the field is known, v = E[x_1] - x. Elsewhere trees start from the field that independent normal columns of
mean mu and variance s^2 would have,

    v_j(x, t) = mu_j + (t s_j^2 - (1 - t)) / (t^2 s_j^2 + (1 - t)^2) (x_j - t mu_j),

and learn what is left. Departs, in this and in:
- that start: v holds -x / (1 - t), a straight line which steps imitate badly; and no forest at t = 0, where v is known;
- normal scores in place of columns scaled to [-1, 1], a cell's score being uniform over its interval of ranks, since
  clipping to the range would pile rows up at its ends;
- trees with a vector in each leaf, one forest for all columns [Cresswell 2024], because a forest a column
  takes P times the space; depth 5 for 7, 32 bins for 256, T = 20 levels for 50, 10 noisy copies for 100: a fraction of
  the time, paid with a coarser path and noisier forests;
- as many trees as validation rows ask for, at most 100, instead of always 100: later ones fit the noise of the copies;
- steps of the trapezoid rule in place of Euler's, since there are fewer; the last is Euler's, as t = 1 has no forest;
- a bound on the work of a tree, which adds n D^2 products over n rows of D numbers and reads D^2 sums a bin and node:
  long tables get fewer copies, and below one copy a subset of rows a level; wide ones get fewer bins and, above
  `most_numbers`, binary digits for the columns of most levels. Tables of many hundred columns stay slow.
"""

from __future__ import annotations

import json
import math
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import torch
import xgboost
from tqdm import tqdm

from synthcohort.generators.base import FitError, Generator
from synthcohort.generators.parts.codebooks import codebooks, to_codes, to_numbers
from synthcohort.generators.parts.fitting import at_least
from synthcohort.generators.parts.labelled import LabelledEncoder, LabelledRows, spread
from synthcohort.rng import Rng

_FEWEST = 1000  # rows of one level, over all labels, that the bound on work leaves
_HISTOGRAM = 40_000  # bins times squared numbers at most: a node's histogram stays within a megabyte
_FEWEST_BINS = 8
_JUDGES = 4000  # noisy validation rows of one forest at most


@dataclass(kw_only=True, eq=False)
class ForestDiffusion(Generator):
    """Flow matching with one boosted forest per label and level.

    Args:
        levels: T, levels of t and steps of sampling, >= 2.
        copies: noisy copies of every training row at a level, >= 1.
        trees: trees of a forest at most, >= 1.
        depth: of a tree, in 1..12.
        learning_rate: weight of each tree, in (0, 1].
        bins: candidate split points of a number, in 2..1024; fewer in wide tables (`bins_of`).
        patience: trees without a lower validation loss after which a forest stops, >= 1.
        work: rows times squared numbers a row of one level at most, in millions, > 0.
        most_numbers: numbers a row above which the columns of most levels are coded in binary, >= 1.
    """

    abilities: ClassVar[frozenset[str]] = frozenset({"condition-target"})

    levels: int = 20
    copies: int = 10
    trees: int = 100
    depth: int = 5
    learning_rate: float = 0.3
    bins: int = 32
    patience: int = 5
    work: float = 10.0
    most_numbers: int = 40

    def __post_init__(self) -> None:
        super().__init__()
        at_least(self, levels=2, copies=1, trees=1, patience=1, most_numbers=1)
        if not 1 <= self.depth <= 12:
            raise ValueError(f"forest_diffusion: depth={self.depth} is not in 1..12")
        if not 0 < self.learning_rate <= 1:
            raise ValueError(f"forest_diffusion: learning_rate={self.learning_rate} is not in (0, 1]")
        if not 2 <= self.bins <= 1024:
            raise ValueError(f"forest_diffusion: bins={self.bins} is not in 2..1024")
        if not self.work > 0:
            raise ValueError(f"forest_diffusion: work={self.work} must be positive, in millions")

    @property
    def books(self) -> list[np.ndarray]:
        """The codebooks of the categorical columns."""
        return codebooks(self.table.levels, self.most_numbers - self.table.numeric)

    def _fit(self, train: pd.DataFrame, validation: pd.DataFrame | None, rng: Rng, device: str) -> None:
        self.table = LabelledEncoder.fit(train, self.schema)
        columns = self.table.numeric + sum(book.shape[1] for book in self.books)
        if not columns:
            raise FitError(f"{self.name}: the table has no column besides its target; use independent instead")
        rows = self.table.split(train, "cpu")
        held_out = None if validation is None or not len(validation) else self.table.split(validation, "cpu")
        share = min(self.copies, max(self.work * 1e6 / columns**2, _FEWEST) / len(train))
        labels = np.zeros(len(train), np.int64) if rows.y is None else rows.y.numpy()
        self.forests: dict[tuple[int, int], xgboost.Booster] = {}
        self.mean = np.zeros((max(len(self.table.counts), 1), columns), np.float32)
        self.variance = np.zeros_like(self.mean)
        present = np.unique(labels).tolist()
        start = time.perf_counter()
        with tqdm(total=len(present) * (self.levels - 1), desc=self.name, unit="level", leave=False) as bar:
            for label in present:
                part = _of_label(rows, label)
                judges = None if held_out is None else _of_label(held_out, label)
                count = math.ceil(share * len(part.codes))
                branch = rng.branch("label", label)
                whole = self._repeat(part, max(count, len(part.codes)), branch.branch("moments"))
                self.mean[label], self.variance[label] = whole.mean(0), whole.var(0)
                for i in range(1, self.levels):
                    losses = self._fit_level(label, i, part, count, judges, branch.branch("level", i))
                    self.history.append(
                        {"step": len(self.history) + 1, **losses, "seconds": time.perf_counter() - start}
                    )
                    bar.update()

    def _fit_level(
        self, label: int, i: int, rows: LabelledRows, count: int, judges: LabelledRows | None, rng: Rng
    ) -> dict[str, float]:
        """Fit the forest of one label at t_i; return its losses, mean squares per column."""
        x_t, left = self._regression(label, i, rows, count, rng.branch("train"))
        bins = bins_of(self.bins, x_t.shape[1])
        data = xgboost.QuantileDMatrix(x_t, label=left, max_bin=bins, nthread=1)
        watched, callbacks = [(data, "train")], []
        if judges is not None and len(judges.codes):
            number = min(self.copies * len(judges.codes), _JUDGES)
            x_v, left_v = self._regression(label, i, judges, number, rng.branch("validation"))
            judged = xgboost.QuantileDMatrix(x_v, label=left_v, max_bin=bins, nthread=1, ref=data)
            watched.append((judged, "validation"))
            callbacks = [xgboost.callback.EarlyStopping(rounds=self.patience, data_name="validation", save_best=True)]
        settings = {
            "tree_method": "hist",
            "multi_strategy": "multi_output_tree",
            "objective": "reg:squarederror",
            "base_score": 0.0,
            "max_depth": self.depth,
            "learning_rate": self.learning_rate,
            "max_bin": bins,
            "reg_lambda": 0.0,
            "nthread": 1,
            "seed": rng.integer(),
        }
        seen: dict[str, dict[str, list[float]]] = {}
        forest = xgboost.train(
            settings, data, self.trees, evals=watched, evals_result=seen, callbacks=callbacks, verbose_eval=False
        )
        self.forests[label, i] = forest
        errors = {name: np.square(values["rmse"]) for name, values in seen.items()}
        best = int(np.argmin(errors["validation"])) if "validation" in errors else self.trees - 1
        loss = float(errors["train"][best])
        validation_loss = float(errors["validation"][best]) if "validation" in errors else math.nan
        if not math.isfinite(loss):
            raise FitError(f"{self.name}: the loss is {loss} at level {i} of {self.levels}; lower the learning rate")
        return {"loss": loss, "validation_loss": validation_loss}

    def _regression(
        self, label: int, i: int, rows: LabelledRows, count: int, rng: Rng
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return x_t and what the starting field leaves of x_1 - x_0 at t_i, [count, D] each."""
        t = np.float32(i / self.levels)
        x_1 = self._repeat(rows, count, rng.branch("rows"))
        x_0 = rng.branch("noise").numpy().standard_normal(x_1.shape, dtype=np.float32)
        x_t = t * x_1 + (1 - t) * x_0
        return x_t, x_1 - x_0 - normal_field(x_t, float(t), self.mean[label], self.variance[label])

    def _repeat(self, rows: LabelledRows, count: int, rng: Rng) -> np.ndarray:
        """Return `count` rows as numbers [count, D]: whole copies of all rows, then some of one more."""
        order = rng.branch("order").numpy().permutation(len(rows.codes))
        index = torch.tensor(order[np.arange(count) % len(order)])
        scores = spread(rows.numeric[index], rng.branch("spread").torch())
        return np.hstack([scores.numpy(), to_numbers(rows.codes[index].numpy(), self.books)]).astype(np.float32)

    def _sample(self, n: int, conditions: pd.DataFrame | None, rng: Rng, options: Mapping[str, Any]) -> pd.DataFrame:
        y = self.table.labels(n, conditions, rng.branch("label"), "cpu")
        labels = np.zeros(n, np.int64) if y is None else y.numpy()
        x = rng.branch("noise").numpy().standard_normal((n, self.mean.shape[1]), dtype=np.float32)
        for label in np.unique(labels).tolist():
            asked = labels == label
            x[asked] = self._move(label, x[asked])
        p = self.table.numeric
        codes = torch.tensor(to_codes(x[:, p:], self.books))
        return self.table.join(LabelledRows(torch.tensor(x[:, :p]), codes, y))

    def _move(self, label: int, x: np.ndarray) -> np.ndarray:
        """Return where the field of one label takes noise x [n, D] from t = 0 to 1."""
        h = np.float32(1 / self.levels)
        v = self._field(label, 0, x)
        for i in range(1, self.levels):
            ahead = self._field(label, i, x + h * v)
            x = x + h * (v + ahead) / 2
            v = self._field(label, i, x)
        return x + h * v

    def _field(self, label: int, i: int, x: np.ndarray) -> np.ndarray:
        """Return v(x, t_i) of one label at x [n, D]."""
        v = normal_field(x, i / self.levels, self.mean[label], self.variance[label])
        return v if i == 0 else v + self.forests[label, i].inplace_predict(x).reshape(x.shape)

    def _state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        forests = {
            f"forest_{label}_{i}": np.frombuffer(zlib.compress(bytes(forest.save_raw("ubj"))), np.uint8)
            for (label, i), forest in self.forests.items()
        }
        return {**forests, "flow_mean": self.mean, "flow_variance": self.variance, **self.table.state()}, {}

    def _restore(self, arrays: dict[str, np.ndarray], record: dict[str, Any]) -> None:
        self.table = LabelledEncoder.restore(self.schema, arrays)
        self.mean, self.variance = arrays["flow_mean"], arrays["flow_variance"]
        self.forests = {}
        for name in arrays:
            if name.startswith("forest_"):
                label, i = (int(part) for part in name.split("_")[1:])
                forest = xgboost.Booster({"nthread": 1})
                forest.load_model(bytearray(zlib.decompress(arrays[name].tobytes())))
                self.forests[label, i] = forest

    def _count_parameters(self) -> int:
        """Return the number of split points and of the numbers in leaves."""
        total = 0
        for forest in self.forests.values():
            trees = json.loads(forest.save_raw("json"))["learner"]["gradient_booster"]["model"]["trees"]
            leaves = [(int(tree["tree_param"]["num_nodes"]) + 1) // 2 for tree in trees]
            total += sum(leaves) * (self.mean.shape[1] + 1) - len(leaves)
        return total


def bins_of(bins: int, numbers: int) -> int:
    """Return how many bins rows of `numbers` numbers get: those asked for, or what the bound on a histogram leaves."""
    return min(bins, max(_FEWEST_BINS, _HISTOGRAM // numbers**2))


def normal_field(x: np.ndarray, t: float, mean: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """Return E[x_1 - x_0 | x_t = x] of independent normal columns, [n, D].

    Args:
        x: [n, D] points.
        t: in [0, 1).
        mean: [D] of the rows' numbers.
        variance: [D] of the rows' numbers.
    """
    slope = (t * variance - (1 - t)) / (t**2 * variance + (1 - t) ** 2)
    return mean + slope * (x - t * mean)


def _of_label(rows: LabelledRows, label: int) -> LabelledRows:
    if rows.y is None:
        return rows
    own = rows.y == label
    return LabelledRows(rows.numeric[own], rows.codes[own], rows.y[own])
