"""Which source files decide what a cell gives?

DVC compares files. Were whole rooms of the library among a cell's dependencies, one new network would make every
generator's cells run again; were all files named one by one, nobody would keep the names true. So one cheap stage
follows the imports of each notebook and writes, for each kind of cell, the files it comes to with their digests. A cell
depends on that list, and runs again when a file on it changes, comes or goes.

A module that is looked up by name, such as the generator of a cell, is no import statement; its cell's list starts from
it too. Two things are left out: `study` with its `blocks` and `paths`, since settings are tracked one by one as
parameters, and, for stages that take long, the rooms that only draw or word what they found.
"""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
SETTINGS = ("study.py", "blocks", "paths.py")


@dataclass(frozen=True)
class Plan:
    """Where a cell's list starts from, and where it stops.

    Args:
        start: a notebook or a module.
        modules: modules of the package that are looked up by name.
        apart: rooms of the package that are not followed, such as "figures".
    """

    start: Path
    modules: tuple[Path, ...] = ()
    apart: tuple[str, ...] = ()


def write(folder: Path, plans: Mapping[str, Plan]) -> Path:
    """Write the list of each plan as `folder`/NAME.txt, remove lists that no plan makes, and return the folder.

    Args:
        folder: where the lists stand.
        plans: name, with slashes for folders -> plan.
    """
    wanted = {folder / f"{name}.txt": listing(plan) for name, plan in plans.items()}
    for path in [p for p in folder.rglob("*.txt") if p not in wanted]:
        path.unlink()
    for path, text in wanted.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(path.name + ".partial")
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
    return folder


def listing(plan: Plan) -> str:
    """Return the files a plan comes to, one a line with its digest, in order."""
    lines = [f"{_digest(plan.start)}  {plan.start.name}"]
    lines += [f"{_digest(PACKAGE / name)}  {name}" for name in sorted(files(plan))]
    return "\n".join(lines) + "\n"


def files(plan: Plan) -> set[str]:
    """Return the files of the package that a plan comes to, relative to the package."""
    seen: set[Path] = set()
    waiting = {*plan.modules, *imported(plan.start)}
    while waiting:
        waiting = {path for path in waiting if _room(path) not in plan.apart}
        seen |= waiting
        waiting = {file for path in waiting for file in imported(path)} - seen
    return {path.relative_to(PACKAGE).as_posix() for path in seen if _room(path) not in SETTINGS}


@cache
def imported(path: Path) -> frozenset[Path]:
    """Return the files of the package that a notebook or module imports itself, at any place in it."""
    return frozenset(file for name in _names(ast.parse(_code(path))) if (file := _file(name)))


def _code(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".ipynb":
        return text
    return "\n".join("".join(cell["source"]) for cell in json.loads(text)["cells"] if cell["cell_type"] == "code")


def _names(tree: ast.AST) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return {name for name in names if name.partition(".")[0] == PACKAGE.name}


def _file(name: str) -> Path | None:
    path = PACKAGE.joinpath(*name.split(".")[1:]).with_suffix(".py")
    return path if path.is_file() else None


def _room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0]


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
