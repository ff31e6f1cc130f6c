"""Which class answers to a generator's name?

A generator is looked up by module name, so that adding one file adds one generator and no registry has to change.
"""

from __future__ import annotations

import difflib
import importlib
import inspect
import pkgutil
from pathlib import Path
from typing import Any

from synthcohort import generators
from synthcohort.generators.base import Generator, hyperparameter_names

_NOT_METHODS = {"base", "load"}


def names() -> list[str]:
    """Return the names of every generator there is."""
    return sorted(
        m.name for m in pkgutil.iter_modules(generators.__path__) if not m.ispkg and m.name not in _NOT_METHODS
    )


def find(name: str) -> type[Generator]:
    """Return the class of the generator called `name`.

    Raises:
        LookupError: if there is no such module, listing those there are.
    """
    if name not in names():
        close = difflib.get_close_matches(name, names(), n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise LookupError(f"no generator {name!r}.{hint} There are: {', '.join(names())}")
    module = importlib.import_module(f"{generators.__name__}.{name}")
    kinds = [
        kind
        for kind in vars(module).values()
        if inspect.isclass(kind) and issubclass(kind, Generator) and kind.__module__ == module.__name__
    ]
    concrete = [kind for kind in kinds if not inspect.isabstract(kind)]
    if len(concrete) != 1:
        raise LookupError(
            f"{module.__name__} must define exactly one generator, found {[k.__name__ for k in concrete]}"
        )
    return concrete[0]


def build(name: str, hyperparameters: dict[str, Any]) -> Generator:
    """Return an unfitted generator.

    Raises:
        TypeError: if a hyperparameter is unknown, listing the known ones.
    """
    kind = find(name)
    check(name, hyperparameters)
    return kind(**hyperparameters)


def check(name: str, hyperparameters: dict[str, Any]) -> None:
    """Refuse hyperparameters that the constructor of `name` does not take."""
    known = hyperparameter_names(find(name))
    for key in hyperparameters:
        if key not in known:
            close = difflib.get_close_matches(key, known, n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            raise TypeError(
                f"generators.{name}: unknown hyperparameter {key!r}.{hint} Known: {', '.join(known) or 'none'}"
            )


def load(name: str, folder: Path) -> Generator:
    """Read a fitted generator that was saved into `folder`."""
    return find(name).load(folder)
