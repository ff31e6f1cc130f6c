"""What do generators share that pay for every look at the rows?

The budget is checked and the bins are made from declared bounds before a row is looked at; then a histogram of every
column is bought, then what the method wants. What was bought decides everything else, sampling included: that is
post-processing and costs nothing.

Tables are neighbours if one row of the one is blank in the other and counts nowhere; the number of rows is public.
"""

from __future__ import annotations

import time
from abc import abstractmethod
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from synthcohort.dp.accountant import PrivacyError
from synthcohort.dp.budget import Budget, Ledger
from synthcohort.dp.preprocessing import Measure
from synthcohort.dp.randomness import CryptographicNoise, Noise, SeededNoise
from synthcohort.generators.base import Generator, PrivacySpent
from synthcohort.generators.parts.fitting import at_least
from synthcohort.generators.parts.graphical import Measured
from synthcohort.generators.parts.private_labelled import edges_of
from synthcohort.generators.parts.private_table import PrivateTable
from synthcohort.rng import Rng


@dataclass(kw_only=True, eq=False)
class Budgeted(Generator):
    """Base of the generators that buy a histogram of every column, then more.

    Args:
        epsilon: budget, > 0; infinity adds next to no noise.
        delta: chance that the promise fails, below 1 / n; None: 1 / (10 n).
        bins: of a numeric column at most, >= 1, before bins with few rows are joined.
        least_signal: counts below so many deviations of their noise are joined with others, >= 0.
        histogram_share: part of the budget that the histograms of the columns take, in (0, 1).
        cryptographic: whether noise comes from the operating system and cannot be repeated, as a release needs;
            otherwise from the study's seed.
    """

    abilities: ClassVar[frozenset[str]] = frozenset({"condition-target", "private"})

    epsilon: float = 1.0
    delta: float | None = None
    bins: int = 16
    least_signal: float = 3.0
    histogram_share: float = 0.3
    cryptographic: bool = False

    def __post_init__(self) -> None:
        super().__init__()
        Budget(self.epsilon, 0.5 if self.delta is None else self.delta)
        at_least(self, bins=1, least_signal=0)
        if not 0 < self.histogram_share < 1:
            raise PrivacyError(f"{self.name}: histogram_share={self.histogram_share} is not in (0, 1)")

    def privacy_spent(self) -> PrivacySpent:
        """Return what the fit cost; a row adds at most 1 to each table, its clip norm."""
        return self.spent

    def _fit(self, train: pd.DataFrame, validation: pd.DataFrame | None, rng: Rng, device: str) -> None:
        edges = edges_of(self.schema, self.bins)
        ledger = Ledger(Budget.of(self.epsilon, self.delta, len(train)))
        noise = CryptographicNoise() if self.cryptographic else SeededNoise(rng.branch("privacy"))
        self.start = time.perf_counter()
        measure = self._histograms(ledger, noise)
        self.table, first = PrivateTable.fit(train, self.schema, edges, measure=measure, least_signal=self.least_signal)
        self._learn(train, first, ledger, noise, rng)
        spent = ledger.spent()
        says = f"{spent.accountant}, {noise.kind} noise"
        self.spent = PrivacySpent(spent.epsilon, spent.delta, says, clip_norm=1.0)
        self.composition = ledger.composition()

    def _log(self, loss: float) -> None:
        """Write down a step of the fit."""
        seconds = time.perf_counter() - self.start
        self.history.append(
            {"step": len(self.history) + 1, "loss": loss, "validation_loss": float("nan"), "seconds": seconds}
        )

    @property
    def root(self) -> int:
        """The number of the target's column."""
        return self.schema.names.index(self.schema.target.name)

    @abstractmethod
    def _histograms(self, ledger: Ledger, noise: Noise) -> Measure:
        """Return what buys one histogram."""

    @abstractmethod
    def _learn(self, train: pd.DataFrame, first: list[Measured], ledger: Ledger, noise: Noise, rng: Rng) -> None:
        """Learn from the histograms and from the rows, whose every use is paid for."""

    def _target_codes(self, conditions: pd.DataFrame | None) -> np.ndarray | None:
        """Return the coarse levels [n] of the target that are asked for."""
        return None if conditions is None else self.table.target_codes(conditions.iloc[:, 0])

    def _state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        return self.table.state(), {"spent": asdict(self.spent), "composition": self.composition}

    def _restore(self, arrays: dict[str, np.ndarray], record: dict[str, Any]) -> None:
        self.table = PrivateTable.restore(self.schema, arrays)
        self.spent = PrivacySpent(**record["spent"])
        self.composition = record["composition"]
