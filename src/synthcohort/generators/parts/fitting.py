"""How does a generator hand its network to the training loop?

A hyperparameter of a generator that is named like a setting of the loop (`training.Settings`) is that setting, so that
it is written down once: in the generator's own list. A fit whose loss diverges is a `FitError`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from torch import nn

from synthcohort.generators.base import FitError, Generator
from synthcohort.rng import Rng
from synthcohort.training import DivergenceError, Loss, Rows, Settings, train


def at_least(generator: Generator, **floors: int) -> None:
    """Check hyperparameters against the smallest values they may have.

    Raises:
        ValueError: if one is smaller, naming the generator, the hyperparameter and its floor.
    """
    for name, floor in floors.items():
        value = getattr(generator, name)
        if value < floor:
            raise ValueError(f"{generator.name}: {name}={value} must be at least {floor}")


def loop_settings(generator: Generator, **others: Any) -> Settings:
    """Return the settings of the training loop: the hyperparameters that share their names, and `others` over them.

    Raises:
        ValueError: if one is out of its range, naming it.
    """
    names = {field.name for field in fields(Settings)}
    own = {name: value for name, value in generator.hyperparameters().items() if name in names}
    return Settings(**{**own, **others})


def fit_network(
    network: nn.Module, loss: Loss, rows: Sequence[Rows], *, settings: Settings, rng: Rng, label: str
) -> list[dict[str, float]]:
    """Fit `network` in place and return the history (see `training.train`).

    Args:
        network: the weights that `loss` reads.
        loss: from a tuple of tensors [b, ...] and a generator for its noise to one loss a row, [b].
        rows: the tensors [n, ...] of the training rows, then those of the validation rows if there are any.
        settings: how long and how fast.
        rng: randomness of batches and noise.
        label: name on the progress bar.

    Raises:
        FitError: if a loss is not finite, with the step.
    """
    validation = rows[1] if len(rows) > 1 else None
    try:
        return train(network, loss, rows[0], validation=validation, settings=settings, rng=rng, label=label)
    except DivergenceError as error:
        raise FitError(str(error)) from error
