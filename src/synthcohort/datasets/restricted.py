"""Which tables are restricted, and what may be said of them?

A block's own word counts; without one, a table whose module hands out its files only to people who signed for them is
restricted, and a reader's own CSV is not.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from synthcohort.datasets.catalogue import CATALOGUE
from synthcohort.disclosure import Veil
from synthcohort.schema import Schema

if TYPE_CHECKING:
    from synthcohort.study import DatasetBlock, Study


def is_restricted(name: str, block: DatasetBlock) -> bool:
    """Return whether the table called `name` is restricted, given its block of params.yaml."""
    if block.restricted is not None:
        return block.restricted
    return name in CATALOGUE and CATALOGUE[name].credentialed


def veils(study: Study) -> dict[str, Veil]:
    """Return restricted table -> what is laid over messages about it."""
    blocks = study.params.datasets
    return {name: _veil(study, name, block) for name, block in blocks.items() if is_restricted(name, block)}


def veil(study: Study, tables: Iterable[str]) -> Veil | None:
    """Return what is laid over messages of what reads rows of these tables; None if none of them is restricted."""
    found = veils(study)
    own = [found[table] for table in tables if table in found]
    return Veil(own[0].table, frozenset().union(*(one.names for one in own))) if own else None


def _veil(study: Study, name: str, block: DatasetBlock) -> Veil:
    """Let through what params.yaml says, which is no secret, and the names of the columns once they are known."""
    names = {name, *study.params.generators, *study.params.conditions, "train", "validation", "test"}
    names |= set(study.params.imputation.imputers)
    names |= {*block.kinds, *block.sensitive, *block.drop, *([block.target] if block.target else [])}
    path = study.paths.table(name) / "schema.json"
    if path.is_file():
        names |= set(Schema.from_json(path).names)
    return Veil(name, frozenset(names))
