"""How much may a fit cost, and what has it spent so far?

A `Budget` is a promise made before any row is looked at. A `Ledger` writes down every look at the rows, refuses one
that would break the promise, and composes all of them (`dp.accountant`). Neighbouring tables differ in one row that is
blank in one of them; n is public. Delta is the chance that the promise fails for somebody: it must be below 1 / n, or a
mechanism that prints one row in the clear would keep it.

Costs are fixed before the answers are seen; zCDP and Renyi costs compose so even when each mechanism depends on the
answers before it [Bun 2016, lemma 2.3].

Where the noise of an answer is Gaussian, `spend_gaussian` takes less of the budget than `spend_zcdp` once subsampled
steps follow: both are then convolved exactly.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from synthcohort.dp import accountant
from synthcohort.dp.accountant import GaussianSteps, PrivacyError

DELTA_SHARE = 10  # delta is 1 / (DELTA_SHARE n) where it is not stated


class BudgetExceeded(PrivacyError):
    """A mechanism would cost more than is left of the budget; nothing was computed from the rows."""


@dataclass(frozen=True)
class Budget:
    """What a fit may cost.

    Args:
        epsilon: > 0; infinity spends without limit and adds no noise.
        delta: in (0, 1).
    """

    epsilon: float
    delta: float

    def __post_init__(self) -> None:
        if not self.epsilon > 0:
            raise PrivacyError(f"epsilon={self.epsilon} must be positive (.inf for no privacy)")
        if not 0 < self.delta < 1:
            raise PrivacyError(f"delta={self.delta} is not in (0, 1)")

    @classmethod
    def of(cls, epsilon: float, delta: float | None, n: int) -> Budget:
        """Return the budget of a table of n rows, checked; a delta of None is 1 / (10 n)."""
        if n < 1:
            raise PrivacyError(f"a budget needs at least one row, got n={n}")
        return cls(epsilon, 1 / (DELTA_SHARE * n) if delta is None else delta).check(n)

    def check(self, n: int) -> Budget:
        """Return the budget if it protects each of n rows.

        Raises:
            PrivacyError: if delta is 1 / n or more.
        """
        if self.delta >= 1 / n:
            raise PrivacyError(
                f"delta={self.delta} must be below 1 / n = {1 / n:.3g} for n={n} rows: at 1 / n a mechanism may "
                f"print one row in the clear; take delta=None for 1 / ({DELTA_SHARE} n)"
            )
        return self


@dataclass(frozen=True)
class Entry:
    """One look at the rows and its cost: exactly one of `rho` > 0, `pure` > 0 or `steps` is given."""

    name: str
    rho: float = 0.0
    pure: float = 0.0
    steps: GaussianSteps | None = None

    def text(self) -> str:
        """Return the cost in words."""
        if self.steps is None:
            return f"{self.rho:.4g}-zCDP" if self.rho else f"{self.pure:.4g}-DP"
        s = self.steps
        sampled = "" if s.sampling_rate == 1 else f", each row in a step with probability {s.sampling_rate:.4g}"
        return f"{s.steps} Gaussian step(s), noise {s.noise_multiplier:.4g} times the sensitivity{sampled}"


@dataclass(frozen=True)
class Spent:
    """What a ledger adds up to: (epsilon, delta) and the accountant that says so."""

    epsilon: float
    delta: float
    accountant: str


@dataclass
class Ledger:
    """Every look at the rows of one fit, in order.

    Args:
        budget: what they may cost together.
    """

    budget: Budget
    entries: list[Entry] = field(default_factory=list, init=False)

    def spend_zcdp(self, name: str, rho: float) -> None:
        """Spend rho of zero-concentrated privacy; raises BudgetExceeded before anything is written down."""
        self._spend(Entry(name, rho=_positive("rho", rho)))

    def spend_pure(self, name: str, epsilon: float) -> None:
        """Spend epsilon of pure privacy; raises BudgetExceeded before anything is written down."""
        self._spend(Entry(name, pure=_positive("epsilon", epsilon)))

    def spend_gaussian(self, name: str, noise_multiplier: float) -> None:
        """Spend one Gaussian mechanism over all rows; raises BudgetExceeded before anything is written down."""
        self._spend(Entry(name, steps=GaussianSteps(noise_multiplier)))

    def spend_gaussian_sgd(self, name: str, *, noise_multiplier: float, sampling_rate: float, steps: int) -> None:
        """Spend Poisson-subsampled Gaussian steps; raises BudgetExceeded before anything is written down."""
        self._spend(Entry(name, steps=GaussianSteps(noise_multiplier, sampling_rate, steps)))

    def noise_multiplier(self, *, sampling_rate: float, steps: int) -> float:
        """Return the least noise with which so many Gaussian steps use up what is left; 0 if the budget is infinite.

        Raises:
            BudgetExceeded: if nothing is left.
        """
        if not self.remaining > 0:
            raise BudgetExceeded(
                f"nothing is left of epsilon={self.budget.epsilon}; spent so far:\n{self.composition()}"
            )
        return accountant.noise_multiplier(
            epsilon=self.budget.epsilon,
            delta=self.budget.delta,
            sampling_rate=sampling_rate,
            steps=steps,
            cost=lambda mechanism: self._epsilon([*self.entries, Entry("", steps=mechanism)]),
        )

    @property
    def remaining(self) -> float:
        """What is left of epsilon; further costs compose and take less than their own epsilon from it."""
        spent = self._epsilon(self.entries)
        return math.inf if math.isinf(self.budget.epsilon) else max(0.0, self.budget.epsilon - spent)

    @property
    def remaining_rho(self) -> float:
        """The zCDP that may still be spent.

        Raises:
            PrivacyError: if subsampled steps were spent, whose cost is no zCDP.
        """
        whole = accountant.zcdp_rho(self.budget.epsilon, self.budget.delta)
        return max(0.0, whole - sum(_rho(e) for e in self.entries)) if math.isfinite(whole) else whole

    def spent(self) -> Spent:
        """Return what all entries cost together."""
        sampled = [e for e in self.entries if e.steps is not None]
        others = [e for e in self.entries if e.steps is None]
        names = {(True, False): "PRV", (False, True): "zCDP", (True, True): "Renyi", (False, False): "none"}
        return Spent(self._epsilon(self.entries), self.budget.delta, names[bool(sampled), bool(others)])

    def composition(self) -> str:
        """Return the entries and their sum as text, a line each."""
        spent = self.spent()
        lines = [f"{entry.name}: {entry.text()}" for entry in self.entries]
        total = f"together: epsilon {spent.epsilon:.4g} of {self.budget.epsilon:g} at delta {spent.delta:.3g}"
        return "\n".join([*lines, f"{total} ({spent.accountant})"])

    def _spend(self, entry: Entry) -> None:
        after = self._epsilon([*self.entries, entry])
        if after > self.budget.epsilon:
            raise BudgetExceeded(
                f"{entry.name!r} ({entry.text()}) would bring epsilon to {after:.6g} at delta={self.budget.delta:.3g}, "
                f"above the budget of {self.budget.epsilon:g}; spent so far:\n{self.composition()}"
            )
        self.entries.append(entry)

    def _epsilon(self, entries: list[Entry]) -> float:
        """Return the epsilon of `entries` together: by zCDP, and by plain addition where all are pure."""
        steps = [e.steps for e in entries if e.steps is not None]
        rho = sum(e.rho + e.pure**2 / 2 for e in entries)  # epsilon-DP is epsilon^2 / 2-zCDP [Bun 2016, prop. 1.4]
        composed = accountant.mixed_epsilon(steps, rho, self.budget.delta)
        if all(e.pure for e in entries):
            return min(composed, sum(e.pure for e in entries))
        return composed


def _rho(entry: Entry) -> float:
    if entry.steps is None:
        return entry.rho + entry.pure**2 / 2
    if entry.steps.sampling_rate != 1:
        raise PrivacyError(f"{entry.name!r} samples rows: its cost is no zCDP; spend zCDP before it and read it then")
    s = entry.steps
    return s.steps / (2 * s.noise_multiplier**2) if s.noise_multiplier else math.inf


def _positive(name: str, value: float) -> float:
    if not value > 0:
        raise PrivacyError(f"{name}={value} must be positive: a look at the rows is never free")
    return value
