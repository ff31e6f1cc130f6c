"""Which class answers to an imputer's name?

An imputer is looked up by module name, so that adding one file adds one imputer and no registry has to change.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil

from synthcohort import imputers
from synthcohort.imputers.base import Imputer

_NOT_METHODS = {"base", "load"}


def names() -> list[str]:
    """Return the names of every imputer there is."""
    return sorted(m.name for m in pkgutil.iter_modules(imputers.__path__) if not m.ispkg and m.name not in _NOT_METHODS)


def find(name: str) -> type[Imputer]:
    """Return the class of the imputer called `name`; its hyperparameters are the constructor's keyword arguments.

    Raises:
        LookupError: if there is no such module, listing those there are.
    """
    if name not in names():
        raise LookupError(f"no imputer {name!r}; there are: {', '.join(names())}")
    module = importlib.import_module(f"{imputers.__name__}.{name}")
    kinds = [kind for kind in vars(module).values() if inspect.isclass(kind) and kind.__module__ == module.__name__]
    (found,) = [kind for kind in kinds if issubclass(kind, Imputer)]
    return found
