"""What do generators share that learn from clipped, noisy gradients?

Everything that can be refused is refused before a row is looked at: the budget, the batch, bounds that are not
declared. Then a share of the budget buys the quantiles of the numeric columns and counts of levels
(`parts.private_labelled`), and what is left pays for all gradient steps (`dp.sgd`), whose noise is solved for. Rows
drawn afterwards cost nothing, however many.

A method without privacy gives its networks and way of drawing rows; `PrivateFit` is put before it in the order of bases
and changes how it is fitted. `PrivateNetwork` is the same for a method of one network and one loss a row.

Neighbouring tables differ in one row that is blank in one of them; the number of rows is public, and so is the schema:
bounds and levels that were read off the rows are not paid for, so declare them. Validation rows are not looked at.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from torch import Tensor, nn

from synthcohort.dp import accountant
from synthcohort.dp.accountant import PrivacyError
from synthcohort.dp.budget import Budget, Ledger
from synthcohort.dp.clipping import ClippingError, RowLoss, Rows
from synthcohort.dp.randomness import CryptographicNoise, Noise, SeededNoise
from synthcohort.dp.sgd import PrivateGradients, sampling_rate, train_privately
from synthcohort.generators.base import FitError, Generator, PrivacySpent
from synthcohort.generators.parts.fitting import at_least
from synthcohort.generators.parts.private_labelled import buy_encoder, edges_of
from synthcohort.rng import Rng
from synthcohort.training import Settings


@dataclass(frozen=True)
class Purchase:
    """What is looked at with noise: the ledger that pays, the deviation of the noise in sensitivities, its source."""

    ledger: Ledger
    noise_multiplier: float
    noise: Noise


@dataclass(kw_only=True, eq=False)
class PrivateFit(Generator):
    """Base of the generators fitted by DP-SGD; the method without privacy is the next base.

    Args:
        epsilon: budget, > 0; infinity clips but adds no noise.
        delta: chance that the promise fails, below 1 / n; None: 1 / (10 n).
        clip_norm: length a row's gradient is held to, > 0.
        encoder_share: part of the budget, as zCDP, for quantiles and counts of levels, in (0, 1).
        histogram_bins: of a numeric column, >= 1.
        cryptographic: whether noise comes from the operating system and cannot be repeated, as a release needs;
            otherwise from the study's seed.
        max_steps: noisy gradient steps, all of them taken, >= 1.
        batch_size: rows expected in a step, 1..n.
    """

    epsilon: float = 1.0
    delta: float | None = None
    clip_norm: float = 1.0
    encoder_share: float = 0.1
    histogram_bins: int = 32
    cryptographic: bool = False
    max_steps: int = 400
    batch_size: int = 128

    _build: ClassVar[Callable[..., None]]  # the method's: makes the networks for rows as its table encodes them

    def __post_init__(self) -> None:
        super().__post_init__()  # type: ignore[misc]  # of the method without privacy
        Budget(self.epsilon, 0.5 if self.delta is None else self.delta)
        if not 0 < self.clip_norm < math.inf:
            raise PrivacyError(f"{self.name}: clip_norm={self.clip_norm} must be positive and finite")
        if not 0 < self.encoder_share < 1:
            raise PrivacyError(f"{self.name}: encoder_share={self.encoder_share} is not in (0, 1)")
        at_least(self, histogram_bins=1, max_steps=1)

    def privacy_spent(self) -> PrivacySpent:
        """Return what the fit cost; the accountant's text says where its noise came from."""
        return self.spent

    def _fit(self, train: pd.DataFrame, validation: pd.DataFrame | None, rng: Rng, device: str) -> None:
        edges, n = edges_of(self.schema, self.histogram_bins), len(train)
        ledger, rate = Ledger(Budget.of(self.epsilon, self.delta, n)), sampling_rate(self.batch_size, n)
        noise = CryptographicNoise() if self.cryptographic else SeededNoise(rng.branch("privacy"))
        self._buy_table(train, edges, Purchase(ledger, self._table_noise(ledger.budget), noise))
        self._build(device, rng.branch("weights"))
        sigma = ledger.noise_multiplier(sampling_rate=rate, steps=self.max_steps)
        ledger.spend_gaussian_sgd("gradients", noise_multiplier=sigma, sampling_rate=rate, steps=self.max_steps)
        try:
            self._descend(train, Purchase(ledger, sigma, noise), rng, device)
        except ClippingError as error:
            raise FitError(f"{self.name}: {error}") from error
        spent = ledger.spent()
        says = f"{spent.accountant}, {noise.kind} noise"
        self.spent = PrivacySpent(spent.epsilon, spent.delta, says, self.clip_norm)
        self.composition = ledger.composition()

    def _table_noise(self, budget: Budget) -> float:
        rho = self.encoder_share * accountant.zcdp_rho(budget.epsilon, budget.delta)
        return 1 / math.sqrt(2 * rho)

    def _gradients(self, network: nn.Module, loss: RowLoss, rows: Rows, paid: Purchase, rng: Rng) -> PrivateGradients:
        """Return the noisy gradients that were paid for, of a loss of rows [n, ...]."""
        return PrivateGradients(
            network,
            loss,
            rows,
            batch_size=self.batch_size,
            clip_norm=self.clip_norm,
            noise_multiplier=paid.noise_multiplier,
            noise=paid.noise,
            generator=rng.torch(str(rows[0].device)),
        )

    @abstractmethod
    def _buy_table(self, train: pd.DataFrame, edges: list[np.ndarray], purchase: Purchase) -> None:
        """Set `table` from noisy histograms of the rows."""

    @abstractmethod
    def _descend(self, train: pd.DataFrame, paid: Purchase, rng: Rng, device: str) -> None:
        """Take all noisy steps, which are paid for."""

    def _state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        arrays, record = super()._state()  # type: ignore[safe-super]  # of the method without privacy
        return arrays, {**record, "spent": asdict(self.spent), "composition": self.composition}

    def _restore(self, arrays: dict[str, np.ndarray], record: dict[str, Any]) -> None:
        super()._restore(arrays, record)  # type: ignore[safe-super]  # of the method without privacy
        self.spent = PrivacySpent(**record["spent"])
        self.composition = record["composition"]


@dataclass(kw_only=True, eq=False)
class PrivateNetwork(PrivateFit):
    """Base of those of one network and one loss a row; see `PrivateFit`."""

    settings: Settings = field(init=False)

    _loss: ClassVar[Callable[..., Tensor]]  # one loss a row, [n], of this row and noise of its own alone

    @abstractmethod
    def _learned(self) -> nn.Module:
        """Return the network that `_loss` reads, each layer once."""

    def _buy_table(self, train: pd.DataFrame, edges: list[np.ndarray], purchase: Purchase) -> None:
        self.table = buy_encoder(
            train,
            self.schema,
            edges,
            ledger=purchase.ledger,
            noise_multiplier=purchase.noise_multiplier,
            noise=purchase.noise,
        )

    def _descend(self, train: pd.DataFrame, paid: Purchase, rng: Rng, device: str) -> None:
        network, rows = self._learned(), self.table.split(train, device).parts()
        self.history = train_privately(
            network,
            self._gradients(network, self._loss, rows, paid, rng.branch("training")),
            steps=self.max_steps,
            learning_rate=self.settings.learning_rate,
            weight_decay=self.settings.weight_decay,
            ema_decay=self.settings.ema_decay,
            label=self.name,
        )
