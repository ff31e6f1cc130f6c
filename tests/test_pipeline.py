"""The pipeline's declared dependencies are true: what a notebook imports is what its stage depends on."""

import ast
import json
from functools import cache
from pathlib import Path

import pytest
import yaml

from synthcohort import sources, stages, study
from synthcohort.generators import load as registry
from synthcohort.imputers import load as imputers

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "synthcohort"
SETTINGS = ("study.py", "blocks", "paths.py")
PIPELINE = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
PLANS = stages.plans(study.load(ROOT))


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
def needs(path: Path, apart: tuple[str, ...] = ()) -> frozenset[Path]:
    """Files of the package that `path` imports, directly or not, without going through those `apart`."""
    seen: set[Path] = set()
    waiting = [path]
    while waiting:
        text = waiting.pop().read_text(encoding="utf-8")
        for name in imports(ast.parse(text)):
            file = as_file(name)
            if file and file not in seen and not file.relative_to(SOURCE).as_posix().startswith(apart):
                seen.add(file)
                waiting.append(file)
    return frozenset(file for file in seen if file.relative_to(SOURCE).parts[0] not in SETTINGS)


def of_notebook(path: Path, tmp_path: Path, apart: tuple[str, ...] = ()) -> frozenset[Path]:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    module = tmp_path / f"{path.stem}_as_a_module.py"
    module.write_text("\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "code"), encoding="utf-8")
    return needs(module, apart)


def listed(name: str, module: str = "") -> set[Path]:
    """Files of the package that the list of a kind of cell names."""
    plan = PLANS[f"{name}/{module}" if module else name]
    return {SOURCE / line.partition("  ")[2] for line in sources.listing(plan).splitlines()[1:]}


def test_a_plain_run_makes_every_stage_but_the_search_for_settings():
    assert set(stages.STAGES) - set(PIPELINE) == {"tune"}
    assert set(PIPELINE) - set(stages.STAGES) == {"sources", "site"}


@pytest.mark.parametrize("name", [name for name in PIPELINE if name != "sources"])
def test_a_stage_depends_on_its_list_of_sources_and_on_no_source_besides(name):
    by_name = {
        "datasets": "/${item.dataset}", "generators": "/${item.generator}", "imputers": "/${item.imputer}",
        "methods": "/${item.method}", "": "",
    }  # fmt: skip
    own = by_name[stages.STAGES[name].by_name if name in stages.STAGES else ""]
    deps = PIPELINE[name]["deps"]
    assert f"build/sources/{name}{own}.txt" in deps
    assert not [dep for dep in deps if dep.startswith(("src", "notebooks"))]
    assert not {"notebooks", "src/synthcohort"} - set(PIPELINE["sources"]["deps"])


@pytest.mark.parametrize("name", [name for name in stages.STAGES if name in PIPELINE])
def test_what_a_notebook_imports_is_on_its_list(name, tmp_path):
    """By a walk of this file's own; settings are tracked as params, and no picture is worth a new fit."""
    stage = stages.STAGES[name]
    apart = ("figures/", "report/") if stage.long else ()
    needed = of_notebook(ROOT / "notebooks" / f"{stage.notebook}.ipynb", tmp_path, apart)
    for plan in [plan for plan in PLANS if plan.partition("/")[0] == name]:
        assert needed <= listed(*plan.split("/"))


@pytest.mark.parametrize("name", ["train", "shadow", "few_steps", "scale", "fairness", "guidance", "frontier", "audit"])
@pytest.mark.parametrize("generator", registry.names())
def test_a_cell_that_loads_a_generator_depends_on_all_it_uses_and_on_no_other_method(name, generator):
    own, found = SOURCE / "generators" / f"{generator}.py", listed(name, generator)
    assert {own, *needs(own)} <= found
    methods = {SOURCE / "generators" / f"{other}.py" for other in registry.names()}
    assert found & methods == ({own, *needs(own)} & methods)


@pytest.mark.parametrize("name", ["impute", "few_steps_impute"])
@pytest.mark.parametrize("imputer", [*imputers.names(), "mtabgen", "arf"])
def test_a_cell_of_an_imputer_depends_on_all_it_uses_and_on_no_other_method(name, imputer):
    room = "imputers" if imputer in imputers.names() else "generators"
    own, found = SOURCE / room / f"{imputer}.py", listed(name, imputer)
    assert {own, *needs(own)} <= found
    methods = {SOURCE / "imputers" / f"{other}.py" for other in imputers.names()}
    methods |= {SOURCE / "generators" / f"{other}.py" for other in registry.names()}
    assert found & methods == ({own, *needs(own)} & methods)


@pytest.mark.parametrize("name", ["train", "shadow", "scale", "audit"])
def test_what_fits_neither_depends_on_nor_imports_anything_that_knows_the_test_rows(name, tmp_path):
    deps = PIPELINE[name]["deps"]
    assert not [d for d in deps if d.startswith(("build/test", "build/tables", "data"))]
    used = {
        f.relative_to(SOURCE).as_posix()
        for f in of_notebook(ROOT / "notebooks" / f"{stages.STAGES[name].notebook}.ipynb", tmp_path)
    }
    assert "cells/holdout.py" not in used
    assert name in ("shadow", "audit") or not [f for f in used if f.startswith("metrics/")]


def test_every_notebook_belongs_to_a_stage():
    assert {p.stem for p in (ROOT / "notebooks").glob("*.ipynb")} == {s.notebook for s in stages.STAGES.values()}


def test_each_cell_tracks_only_its_own_settings():
    assert "generators.${item.generator}" in PIPELINE["train"]["params"]
    assert not {"generators", "datasets", "study"} & set(PIPELINE["train"]["params"])
    assert "generators.${item.generator}" in PIPELINE["shadow"]["params"]
    assert not {"generators", "datasets", "study", "shadow"} & set(PIPELINE["shadow"]["params"])
    assert "imputation.imputers.${item.imputer}" in PIPELINE["impute"]["params"]
    settings = {f"imputation.{name}" for name in study.ImputationBlock.model_fields} - {"imputation.tables"}
    assert settings - set(PIPELINE["impute"]["params"]) == {"imputation.imputers"}
    again = set(PIPELINE["few_steps_impute"]["params"])
    assert "imputation.imputers.${item.imputer}" in again and "imputation.imputers" not in again
    assert again >= {"imputation.fitted", "few_steps.evaluations", "few_steps.ancestral", "few_steps.draws"}
    settings = {f"width.{name}" for name in study.WidthBlock.model_fields}
    assert settings - set(PIPELINE["width"]["params"]) == {"width.methods"}


def test_committed_results_outlive_a_table_that_cannot_be_had():
    for name, stage in PIPELINE.items():
        for out in stage["outs"]:
            path, options = next(iter(out.items())) if isinstance(out, dict) else (out, {})
            in_git = path.startswith("reports") or path == "README.md"
            rows = path.startswith(tuple(f"build/{of}" for of in ("tables", "development", "holes", "test", "trained")))
            wanted = {"cache": False, "persist": True} if in_git else {"push": False} if rows else {}
            assert options == wanted, f"{name}: {path}"


def test_what_holds_rows_or_weights_goes_neither_to_git_nor_to_a_remote():
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    raw = yaml.safe_load((ROOT / "data.dvc").read_text(encoding="utf-8"))["outs"]
    assert {"/data/", "/build/"} <= set(ignored)
    assert [out["push"] for out in raw] == [False]
    cells = [(stage, ("d", "g")[: len(stage.per)]) for stage in stages.STAGES.values()]
    kept = {folder(study.Paths(ROOT), *cell) for stage, cell in cells for folder in stage.folders}
    declared = {
        ROOT / path.replace("${item.dataset}", "d").replace("${item.generator}", "g")
        for stage in PIPELINE.values()
        for out in stage["outs"]
        if isinstance(out, dict)
        for path, options in out.items()
        if options == {"push": False}
    }
    assert declared == kept
