r"""What does diffusion draw if, of several candidates, the one is kept whose label fits the row best?

`guided_tabddpm` draws `candidates` rows x_1 ... x_m for each asked label y and groups s, and keeps one of them by
importance resampling [Rubin 1988], row j with a probability in proportion to

    w_j = P(y | x_j, s) / Q(y | x_j, s) * P'(y | x_j, s)^a,      a = `sharpness`.

P is learned from the training rows, Q from rows the network draws with labels and groups as in these, both by the same
boosted trees (`parts.posterior`). With m large and Q exact the kept rows of a label and group have the density

    q(x | y, s) P(y | x, s) / Q(y | x, s)  ~  p(x | y, s) q(x | s) / p(x | s),

so what the network blurs between labels is put right, whatever it has wrong of the rows themselves, q(x | s), stays.
a > 0 draws rows that are clearer about their label, as guidance towards it does,

    p(x | y, s) P'(y | x, s)^a,      P'(y | x, s) ~ P(y | x, s) asked(y, s) / train(y, s),

but within the groups, and by the label's chances in the joint that is asked for, not in the training rows: there the
label is as rare in a group as it was, and clear rows of a rare label are those of the other groups. asked(y, s) and
train(y, s) are shares of rows with label y and groups s, each count with 1/2 added.

Every asked cell comes back as asked: candidates for a row have its label and groups. A table without a categorical
target has nothing to pick by and is drawn as `guided_tabddpm` draws it.

Departs: resampling is within the candidates of one asked row, so that no row is kept twice. P is fitted to training
rows that candidates may resemble; trees are few and shallow for that reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import torch

from synthcohort.generators.guided_tabddpm import GuidedTabDDPM
from synthcohort.generators.parts.fitting import at_least
from synthcohort.generators.parts.given import level_numbers
from synthcohort.generators.parts.posterior import Posterior
from synthcohort.rng import Rng

HALF = 0.5  # row added to the count of every label and group


@dataclass(kw_only=True, eq=False)
class PickedTabDDPM(GuidedTabDDPM):
    """`GuidedTabDDPM` with several candidates for each row; its own arguments besides.

    Args:
        candidates: m, rows drawn for each that is kept, >= 1.
        sharpness: a, any sign.
        rounds: of boosting, of each of the two classifiers, >= 1.
        tree_depth: of their trees, >= 1.
        tree_rate: their learning rate, in (0, 1].
    """

    sampling_options: ClassVar[Mapping[str, str]] = {
        **GuidedTabDDPM.sampling_options,
        "candidates": "rows drawn for each that is kept, >= 1",
        "sharpness": "how much clearer a row is to be about its label, any sign; 0: as the training rows",
    }

    candidates: int = 4
    sharpness: float = 0.5
    rounds: int = 150
    tree_depth: int = 4
    tree_rate: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least(self, rounds=1, tree_depth=1)
        if not 0 < self.tree_rate <= 1:
            raise ValueError(f"{self.name}: tree_rate={self.tree_rate} is not in (0, 1]")

    def _settings(self, options: Mapping[str, Any]) -> dict[str, Any]:
        found = super()._settings(options)
        if found["candidates"] < 1:
            raise ValueError(f"{self.name}: candidates={found['candidates']} must be at least 1")
        if not np.isfinite(found["sharpness"]):
            raise ValueError(f"{self.name}: sharpness={found['sharpness']} must be a finite weight")
        return found

    def _fit(self, train: pd.DataFrame, validation: pd.DataFrame | None, rng: Rng, device: str) -> None:
        super()._fit(train, validation, rng, device)
        self.posteriors: list[Posterior] = []  # P and Q
        if self.schema.target.numeric:
            return
        cells = level_numbers(train, self.schema, self.table.edges)  # [n, A]
        self.groups, self.counts = _counted(cells)
        drawn = self._walked(torch.tensor(cells, device=device), self._settings({}), rng.branch("own"))
        self.posteriors = [
            Posterior.fit(
                rows,
                self.schema,
                rounds=self.rounds,
                depth=self.tree_depth,
                rate=self.tree_rate,
                rng=rng.branch("trees"),
            )
            for rows in (train, drawn)
        ]

    def _sample(self, n: int, conditions: pd.DataFrame | None, rng: Rng, options: Mapping[str, Any]) -> pd.DataFrame:
        settings = self._settings(options)
        given = self.table.asked(n, conditions, rng.branch("label"), self.device)
        m = settings["candidates"] if self.posteriors else 1
        if m == 1:
            return self._walked(given, settings, rng)
        drawn = self._walked(given.repeat(m, 1), settings, rng)
        cells = given.cpu().numpy()
        weights = self._log_weights(drawn, np.tile(cells, (m, 1)), self._shift(cells), settings["sharpness"])
        chosen = choose(weights.reshape(m, n), rng.branch("pick"))
        return drawn.iloc[chosen * n + np.arange(n)].reset_index(drop=True)

    def _log_weights(self, rows: pd.DataFrame, cells: np.ndarray, shift: dict, sharpness: float) -> np.ndarray:
        """Return log w of rows [n] with labels and groups `cells` [n, A]."""
        real, own = (posterior.log_probabilities(rows) for posterior in self.posteriors)  # [n, K]
        label = cells[:, :1]
        moved = real + np.stack([shift[tuple(group)] for group in cells[:, 1:]])  # [n, K]
        asked = moved - np.logaddexp.reduce(moved, axis=1, keepdims=True)
        found = real - own + sharpness * asked
        return np.take_along_axis(found, label, axis=1)[:, 0]

    def _shift(self, cells: np.ndarray) -> dict[tuple[int, ...], np.ndarray]:
        """Return log asked(y, s) - log train(y, s) by groups, [K] each, of asked cells [n, A]."""
        levels = len(self.schema.target.levels)
        asked = _by_group(*_counted(cells), levels)
        train = _by_group(self.groups, self.counts, levels)
        none = np.zeros(levels)
        return {group: np.log(count + HALF) - np.log(train.get(group, none) + HALF) for group, count in asked.items()}

    def _state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        arrays, record = super()._state()
        own = {f"posterior_{i}": posterior.state() for i, posterior in enumerate(self.posteriors)}
        counted = {"label_cells": self.groups, "label_counts": self.counts} if own else {}
        return {**arrays, **own, **counted}, record

    def _restore(self, arrays: dict[str, np.ndarray], record: dict[str, Any]) -> None:
        super()._restore(arrays, record)
        names = [name for name in ("posterior_0", "posterior_1") if name in arrays]
        self.posteriors = [Posterior.restore(self.schema, arrays[name]) for name in names]
        if names:
            self.groups, self.counts = arrays["label_cells"], arrays["label_counts"]

    def _count_parameters(self) -> int:
        return super()._count_parameters() + sum(posterior.count() for posterior in self.posteriors)


def choose(log_weights: np.ndarray, rng: Rng) -> np.ndarray:
    """Return which candidate of each row is kept, [n], with probabilities in proportion to the weights.

    Args:
        log_weights: [m, n] of m candidates for each of n rows.
        rng: the draw.
    """
    return (log_weights + rng.numpy().gumbel(size=log_weights.shape)).argmax(axis=0)


def _counted(cells: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the different rows of [n, A] and how often each is there."""
    return np.unique(cells, axis=0, return_counts=True)


def _by_group(cells: np.ndarray, counts: np.ndarray, levels: int) -> dict[tuple[int, ...], np.ndarray]:
    """Return the counts of every label, [K], by groups."""
    found: dict[tuple[int, ...], np.ndarray] = {}
    for (label, *group), count in zip(cells, counts, strict=True):
        found.setdefault(tuple(group), np.zeros(levels))[label] += count
    return found
