"""What does a private fit promise, how is it made up, and what does it not cover?

Costs are fixed before a row is looked at, so that a page can compose them again from the settings, the number of rows
and delta alone, by the same ledger that the fit keeps.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from synthcohort.dp.accountant import GaussianSteps, zcdp_rho
from synthcohort.dp.budget import Budget, Entry, Ledger
from synthcohort.dp.sgd import sampling_rate
from synthcohort.generators import load as registry
from synthcohort.generators.base import PrivacySpent
from synthcohort.generators.parts.budgeted import Budgeted
from synthcohort.generators.parts.private_network import PrivateFit

UNPAID = (
    "Not paid for, so given away beside ε: the number of rows; the schema, whose bounds, and levels where they are not "
    "named beforehand, are read off all rows of most built-in tables, test rows too; and the values that fill missing "
    "cells, medians and most frequent levels of the train rows."
)
SEEDED = (
    "Noise came from the study's seed, so that the run repeats: whoever knows the seed can take it away, and "
    "these rows are for study, not for release. A release draws from a cryptographic generator."
)
CRYPTOGRAPHIC = "Noise came from a cryptographic generator and cannot be repeated."


def composed(generator: str, settings: Mapping[str, Any], *, budget: Budget, n: int) -> str:
    """Return how a family's budget is made up on n train rows, in one sentence.

    Args:
        generator: the private family.
        settings: its constructor's arguments but epsilon, where they are not the defaults.
        budget: what a fit may cost.
        n: train rows.
    """
    model = registry.build(generator, {**settings, "epsilon": budget.epsilon})
    if isinstance(model, PrivateFit):
        return _steps(model, budget, n)
    if isinstance(model, Budgeted):
        return (
            f"{100 * model.histogram_share:g} % of the budget for a histogram of every column, the rest for what "
            "the method chooses and counts besides; rows drawn cost nothing"
        )
    return "as its module says"


def _steps(model: PrivateFit, budget: Budget, n: int) -> str:
    """Return the costs of a fit by DP-SGD; they are those of `PrivateFit`, whose fit asks in the same order."""
    ledger = Ledger(budget)
    bought = GaussianSteps((2 * model.encoder_share * zcdp_rho(budget.epsilon, budget.delta)) ** -0.5)
    ledger.spend_gaussian("histograms", bought.noise_multiplier)
    rate = sampling_rate(model.batch_size, n)
    sigma = ledger.noise_multiplier(sampling_rate=rate, steps=model.max_steps)
    ledger.spend_gaussian_sgd("gradients", noise_multiplier=sigma, sampling_rate=rate, steps=model.max_steps)
    spent = ledger.spent()
    return (
        f"histograms of columns, {_text(ledger.entries[0])}; gradients, {_text(ledger.entries[1])}; together "
        f"ε = {spent.epsilon:.4g} by the {spent.accountant} accountant; rows drawn cost nothing"
    )


def _text(entry: Entry) -> str:
    return entry.text().replace("(s)", "s" if entry.steps and entry.steps.steps > 1 else "")


def promise(record: Mapping[str, Any], settings: Mapping[str, Any]) -> list[str]:
    """Return what a kept fit promised, in sentences; none of a generator without privacy.

    Args:
        record: what the fit wrote down of itself, `record` in its `generator.json`.
        settings: its hyperparameters.
    """
    if "spent" not in record:
        return []
    spent = PrivacySpent(**record["spent"])
    return [
        f"The fit spent ε = {spent.epsilon:.4g} at δ = {spent.delta:.2g} of differential privacy, for tables that "
        f"differ in one row ({spent.accountant}): {'; '.join(record['composition'].splitlines())}.",
        CRYPTOGRAPHIC if settings.get("cryptographic", False) else SEEDED,
        UNPAID,
    ]
