"""What is a generator asked for?

A condition is a frame of the cells the caller fixes, one row per wanted draw. Balancing is a condition, not a method,
so every generator faces the same ask.
"""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from synthcohort.rng import Rng
from synthcohort.schema import Schema

MINORITY_ROWS = 2  # rows of the rarest class asked for, in multiples of what full balance takes


def as_observed(train: pd.DataFrame, schema: Schema, rng: Rng) -> pd.DataFrame | None:
    """Ask for a table of the training table's size with nothing fixed: one empty condition row per training row."""
    return pd.DataFrame(index=range(len(train)))


def minority(train: pd.DataFrame, schema: Schema, rng: Rng) -> pd.DataFrame | None:
    """Ask for `MINORITY_ROWS` times the rows of the rarest class that full balance with the commonest class takes.

    More than balance, so that it can be seen what adding still more does. Returns None where the ask has no meaning: a
    numeric target, or classes that are balanced already.
    """
    if schema.target.numeric:
        return None
    counts = train[schema.target.name].value_counts(sort=False)
    counts = counts[counts > 0]
    lacking = int(counts.max() - counts.min())
    if lacking == 0:
        return None
    rarest = minority_level(train, schema)
    levels = list(schema.target.levels)
    asked = [rarest] * (MINORITY_ROWS * lacking)
    return pd.DataFrame({schema.target.name: pd.Categorical(asked, categories=levels)})


def minority_level(train: pd.DataFrame, schema: Schema) -> str:
    """Return the rarest class that training rows show; the first in level order among equals."""
    counts = train[schema.target.name].value_counts(sort=False)
    return str(counts[counts > 0].idxmin())


CONDITIONS: dict[str, Callable[[pd.DataFrame, Schema, Rng], pd.DataFrame | None]] = {
    "as_observed": as_observed,
    "minority": minority,
}


def find(name: str) -> Callable[[pd.DataFrame, Schema, Rng], pd.DataFrame | None]:
    """Return the condition called `name`; LookupError lists the known ones."""
    if name not in CONDITIONS:
        raise LookupError(f"no condition {name!r}; there are: {', '.join(CONDITIONS)}")
    return CONDITIONS[name]
