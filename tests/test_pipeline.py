"""The pipeline's declared dependencies are true: what a notebook imports is what its stage depends on."""

import ast
import json
from functools import cache
from pathlib import Path

import pytest
import yaml

from synthcohort import stages

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "synthcohort"
PIPELINE = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]

# Settings are tracked as params, not as the file that reads them.
SETTINGS = ("study.py",)
# Long stages whose results no figure or sentence can change; their working pages are not worth a new fit.
LOOKS = dict.fromkeys(("train", "reference", "evaluate", "shadow", "few_steps"), ("figures/", "report/"))
# Looked up by name, so no import statement shows them; the template names the one file that a cell uses.
BY_NAME = "generators/${item.generator}.py"


def imports(tree: ast.AST) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("synthcohort"):
            names |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names if alias.name.startswith("synthcohort")}
    return names


def as_file(name: str) -> Path | None:
    path = SOURCE.joinpath(*name.split(".")[1:])
    return path.with_suffix(".py") if path != SOURCE and path.with_suffix(".py").is_file() else None


@cache
def needs(path: Path) -> frozenset[Path]:
    """Files of the package that `path` imports, directly or not."""
    seen: set[Path] = set()
    waiting = [path]
    while waiting:
        for name in imports(ast.parse(waiting.pop().read_text(encoding="utf-8"))):
            file = as_file(name)
            if file and file not in seen:
                seen.add(file)
                waiting.append(file)
    return frozenset(seen)


def of_notebook(path: Path) -> set[Path]:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    code = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "code")
    direct = {f for name in imports(ast.parse(code)) if (f := as_file(name))}
    return direct.union(*(needs(f) for f in direct))


def is_declared(file: Path, deps: list[str]) -> bool:
    relative = file.relative_to(ROOT).as_posix()
    return any(relative == dep or relative.startswith(dep.rstrip("/") + "/") for dep in deps)


def test_a_plain_run_makes_every_stage_but_the_search_for_settings():
    assert set(stages.STAGES) - set(PIPELINE) == {"tune"}


@pytest.mark.parametrize("name", [name for name in stages.STAGES if name in PIPELINE])
def test_what_a_stage_imports_is_among_its_dependencies(name):
    stage, deps = stages.STAGES[name], PIPELINE[name]["deps"]
    assert f"notebooks/{stage.notebook}.ipynb" in deps
    exempt = (*SETTINGS, *LOOKS.get(name, ()))
    needed = {
        file
        for file in of_notebook(ROOT / "notebooks" / f"{stage.notebook}.ipynb")
        if not file.relative_to(SOURCE).as_posix().startswith(exempt)
    }
    missing = sorted(f.relative_to(ROOT).as_posix() for f in needed if not is_declared(f, deps))
    assert not missing


@pytest.mark.parametrize("name", ["train", "shadow", "few_steps"])
def test_a_cell_that_loads_a_generator_depends_on_its_generator_and_all_that_generators_share(name):
    deps = PIPELINE[name]["deps"]
    assert f"src/synthcohort/{BY_NAME}" in deps
    methods = set((SOURCE / "generators").glob("*.py")) - {SOURCE / "generators" / "__init__.py"}
    named = {p for p in methods if not is_declared(p, deps)}
    shared = {f for p in named for f in needs(p)} - named
    missing = sorted(f.relative_to(ROOT).as_posix() for f in shared if not is_declared(f, deps))
    assert not missing


@pytest.mark.parametrize("name", ["train", "shadow"])
def test_what_fits_neither_depends_on_nor_imports_anything_that_knows_the_test_rows(name):
    deps = PIPELINE[name]["deps"]
    assert not [d for d in deps if d.startswith(("build/test", "build/tables", "data"))]
    used = {
        f.relative_to(SOURCE).as_posix()
        for f in of_notebook(ROOT / "notebooks" / f"{stages.STAGES[name].notebook}.ipynb")
    }
    assert "cells/holdout.py" not in used
    assert name == "shadow" or not [f for f in used if f.startswith("metrics/")]


def test_every_dependency_and_notebook_exists():
    for name, stage in PIPELINE.items():
        for dep in stage["deps"]:
            if "${" not in dep and not dep.startswith(("build", "reports", "data")):
                assert (ROOT / dep).exists(), f"{name} depends on {dep}, which does not exist"
    assert {p.stem for p in (ROOT / "notebooks").glob("*.ipynb")} == {s.notebook for s in stages.STAGES.values()}


def test_each_cell_tracks_only_its_own_settings():
    assert "generators.${item.generator}" in PIPELINE["train"]["params"]
    assert not {"generators", "datasets", "study"} & set(PIPELINE["train"]["params"])
    assert "generators.${item.generator}" in PIPELINE["shadow"]["params"]
    assert not {"generators", "datasets", "study", "shadow"} & set(PIPELINE["shadow"]["params"])


def test_committed_results_outlive_a_table_that_cannot_be_had():
    for name, stage in PIPELINE.items():
        for out in stage["outs"]:
            path, options = next(iter(out.items())) if isinstance(out, dict) else (out, {})
            in_git = path.startswith("reports") or path == "README.md"
            assert options == ({"cache": False, "persist": True} if in_git else {}), f"{name}: {path}"
