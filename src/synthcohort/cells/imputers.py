"""Who can fill missing cells: the imputers, and the generators that have the ability to.

Either kind is looked up by its module's name, fitted on rows with holes, and completes other rows.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Mapping
from typing import Any

import pandas as pd

from synthcohort.generators import load as generators
from synthcohort.generators.base import Generator
from synthcohort.imputers import load as imputers
from synthcohort.imputers.base import Imputer
from synthcohort.rng import Rng
from synthcohort.schema import Schema

ABILITY = "impute"


def find(name: str) -> type[Imputer] | type[Generator]:
    """Return the class of the imputer, or of the generator that fills missing cells, called `name`.

    Raises:
        LookupError: if there is none, listing those there are.
    """
    if name in imputers.names():
        return imputers.find(name)
    if name in generators.names() and ABILITY in generators.find(name).abilities:
        return generators.find(name)
    able = [other for other in generators.names() if ABILITY in generators.find(other).abilities]
    known = [*imputers.names(), *able]
    close = difflib.get_close_matches(name, known, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    raise LookupError(
        f"{name!r} fills no missing cells.{hint} There are the imputers {', '.join(imputers.names())} and the "
        f"generators {', '.join(able)}"
    )


def build(name: str, hyperparameters: Mapping[str, Any]) -> Imputer | Generator:
    """Return an unfitted one.

    Raises:
        LookupError: if there is none of that name.
        TypeError: if a hyperparameter is unknown, listing the known ones.
        ValueError: if one is out of range.
    """
    kind = find(name)
    known = list(inspect.signature(kind).parameters)
    for key in hyperparameters:
        if key not in known:
            close = difflib.get_close_matches(key, known, n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            raise TypeError(f"unknown hyperparameter {key!r}.{hint} Known: {', '.join(known) or 'none'}")
    return kind(**hyperparameters)


def fit(
    model: Imputer | Generator,
    train: pd.DataFrame,
    schema: Schema,
    *,
    validation: pd.DataFrame,
    rng: Rng,
    device: str,
) -> None:
    """Let the model learn from train rows with holes; a generator may stop early by validation rows with holes."""
    if isinstance(model, Generator):
        model.fit(train, schema, rng=rng, validation=validation, device=device)
    else:
        model.fit(train, schema, rng=rng, device=device)
