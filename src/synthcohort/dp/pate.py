r"""How do teachers who saw disjoint rows label a row for a student who may see none?

PATE [Papernot 2017]: every row goes to one of k teachers by a draw of its own, so that a row that becomes blank changes
one teacher. Asked about a query, v of them vote yes, and the student is told

    label = [ v + N(0, sigma^2) > k / 2 ].

One teacher changes v by one at most. T labels are thus T steps of the Gaussian mechanism of noise multiplier sigma over
all rows, and cost what one of sigma / sqrt(T) does, exactly (`dp.accountant`): the moments of the privacy loss are
linear in their order, T lambda (lambda + 1) / (2 sigma^2), and that is all that the moments accountant adds up.
Queries may depend on earlier labels and never on rows.

The bound holds for all tables. That of [Papernot 2018, theorem 6] is smaller where teachers agree, but then tells of
the rows itself and may only be printed with noise from its smooth sensitivity [ibid., sec. B]; it is not used.

Departs: noise is Gaussian, not Laplacian, and added to the one count of a yes-or-no vote instead of to both: for the
same spread the composed cost is half and half again.
"""

from __future__ import annotations

import numpy as np

from synthcohort.dp.accountant import PrivacyError
from synthcohort.dp.budget import BudgetExceeded, Ledger
from synthcohort.dp.randomness import Noise


def assign(n: int, teachers: int, noise: Noise) -> np.ndarray:
    """Return the teacher of each of n rows, [n] int64, each drawn on its own."""
    if teachers < 1:
        raise PrivacyError(f"teachers={teachers} must be at least 1")
    return np.floor(noise.uniform(n) * teachers).astype(np.int64)


class Votes:
    """Noisy majorities, all paid for before the first is told.

    Args:
        queries: T, labels that will be told at most, >= 1.
        ledger: what pays; everything that is left of it is spent.
        noise: source of the noise.
    """

    def __init__(self, queries: int, ledger: Ledger, noise: Noise) -> None:
        self.sigma = ledger.noise_multiplier(sampling_rate=1.0, steps=queries)
        ledger.spend_gaussian_sgd("teachers' votes", noise_multiplier=self.sigma, sampling_rate=1.0, steps=queries)
        self.left = queries
        self._noise = noise

    def majority(self, votes: np.ndarray) -> np.ndarray:
        """Return one label [m] for each query.

        Args:
            votes: [k, m] whether each teacher says yes.

        Raises:
            BudgetExceeded: if fewer than m labels are left.
        """
        k, m = votes.shape
        if m > self.left:
            raise BudgetExceeded(f"{m} labels are asked for and {self.left} are paid for; fit with more queries")
        self.left -= m
        return votes.sum(axis=0) + self.sigma * self._noise.normal(m) > k / 2
