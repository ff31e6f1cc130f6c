"""How do independent cells of the pipeline run side by side?

DVC itself runs one stage at a time. Cells of one wave do not depend on each other, so each is started as
`dvc --wait-for-lock repro -s CELL` (through `lockfile`), a few at once; the next wave begins when all are done, and a
closing plain `dvc repro` proves that nothing is left to do. Cells of a table that is absent from this machine are left
out (they keep what is committed, see `stages.keep_absent`), and only `site` is left to close with. Searches for
settings run side by side too, but only when asked for.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from synthcohort.study import ParamsError, Study

PAGES = (  # one cell each
    *("findings", "faithful", "rare_class", "leak", "useful", "few_steps_page", "impute_page"),
    *("ablations_page", "width_page", "settings", "scale_page", "fairness_page", "frontier_page", "audit_page"),
    "cost",
)
WAVES = (
    ("sources",),
    ("raw",),
    ("prepare",),
    ("reference", "train", "impute", "few_steps_impute", "dependence", "width"),
    ("evaluate", "shadow", "few_steps", "scale", "fairness", "fairness_rivals", "guidance", "frontier", "audit"),
    ("side_by_side", *PAGES),
)


def run(study: Study, jobs: int) -> int:
    """Bring the whole study up to date with `jobs` cells at a time; return DVC's exit code.

    Args:
        study: settings and paths.
        jobs: cells at a time, >= 1; each uses one core.
    """
    _check(jobs)
    if jobs == 1:
        return _dvc(["repro"], study.paths.root)
    absent = {name for name in study.params.datasets if study.paths.skipped(name).is_file()}
    cells = [cell for cell in _cells(study) if _dataset(cell) not in absent]
    stale = _stale(study.paths.root)
    for wave in WAVES:
        own = [c for c in cells if c.split("@")[0] in wave]
        if not stale.issuperset(own):  # a cell that was up to date may have a new input from the wave before
            stale = _stale(study.paths.root)
        failed = _run_wave([c for c in own if c in stale], jobs, study.paths.root)
        if failed:
            print(
                f"failed: {', '.join(failed)}; mend the cause and run again, finished cells are kept", file=sys.stderr
            )
            return 1
    return _dvc(["repro", *(["-s", "site"] if absent else [])], study.paths.root)


def tune(study: Study, generators: Sequence[str], jobs: int) -> int:
    """Search for the settings of generators, `jobs` of them at a time; return the exit code.

    No stage of dvc.yaml does this: it would start with every plain `dvc repro` after a change of the library.

    Raises:
        ParamsError: if no table is named for it, or one is absent from this machine.
    """
    _check(jobs)
    tables = study.params.tuning.tables
    absent = [name for name in tables if study.paths.skipped(name).is_file()]
    if absent or not tables:
        found = f"names {absent[0]}, which could not be had on this machine" if absent else "names no table"
        raise ParamsError(f"tuning.tables {found}; name tables that are here")
    code = _dvc(["repro", *(f"raw@{name}" for name in tables)], study.paths.root)
    if code:
        return code
    with ThreadPoolExecutor(jobs) as pool:
        codes = list(pool.map(lambda name: _search(name, study.paths.root), generators))
    failed = [name for name, code in zip(generators, codes, strict=True) if code]
    if failed:
        print(f"failed: {', '.join(failed)}; mend the cause and run again, finished trials are kept", file=sys.stderr)
    return int(bool(failed))


def _check(jobs: int) -> None:
    if jobs < 1:
        raise ValueError(f"jobs={jobs} must be 1 or more")


def _search(generator: str, root: Path) -> int:
    command = [sys.executable, "-m", "synthcohort.cli", "run", "tune", "--generator", generator]
    return subprocess.run(command, cwd=root, env=environment(), check=False).returncode


def _cells(study: Study) -> list[str]:
    """Return every cell but the closing `site`, those of the largest raw tables first."""

    def size(dataset: str) -> int:
        return sum(f.stat().st_size for f in study.paths.raw(dataset).rglob("*") if f.is_file())

    datasets = sorted(study.params.datasets, key=size, reverse=True)
    per_table = [f"{stage}@{d}" for d in datasets for stage in ("raw", "prepare", "reference", "side_by_side")]
    generators = list(reversed(study.params.generators))
    per_cell = [f"{stage}@{d}-{g}" for d in datasets for g in generators for stage in ("train", "evaluate")]
    attacked = [f"shadow@{d}-{g}" for d in datasets if d in study.params.shadow.tables for g in generators]
    again = study.params.few_steps
    drawn = [f"few_steps@{d}-{g}" for d in datasets if d in again.tables for g in again.generators]
    filling = study.params.imputation
    filled = [f"impute@{d}-{i}" for d in datasets if d in filling.tables for i in reversed(filling.imputers)]
    filled += [f"few_steps_impute@{d}-{i}" for d in datasets if d in again.imputed_tables for i in again.imputers]
    described = [f"dependence@{d}" for d in datasets if d in filling.tables]
    widened = [f"width@{method}" for method in reversed(study.params.width.methods)]
    scaled = [f"scale@{d}-{g}" for d in datasets if d in study.params.scale.tables for g in generators]
    fair = study.params.fairness
    fairly = [f"fairness@{d}-{g}" for d in datasets if d in fair.tables for g in fair.generators]
    fairly += [f"fairness_rivals@{d}" for d in datasets if d in fair.tables]
    steered = study.params.guidance
    fairly += [f"guidance@{d}-{g}" for d in datasets if d in steered.tables for g in steered.generators]
    private = [
        f"{stage}@{d}-{g}"
        for stage, block in (("frontier", study.params.frontier), ("audit", study.params.audit))
        for d in datasets
        if d in block.tables
        for g in block.families
    ]
    asked = [*attacked, *drawn, *filled, *described, *widened, *scaled, *fairly, *private]
    return ["sources", *per_table, *PAGES, *asked, *per_cell]


def _stale(root: Path) -> set[str]:
    """Return the cells whose own inputs or outputs differ from what DVC last saw."""
    command = [sys.executable, "-m", "dvc", "status", "--json"]
    told = subprocess.run(command, cwd=root, env=environment(), check=True, capture_output=True, text=True).stdout
    return set(json.loads(told))


def _dataset(cell: str) -> str:
    return cell.partition("@")[2].partition("-")[0]


def _run_wave(cells: list[str], jobs: int, root: Path) -> list[str]:
    with ThreadPoolExecutor(jobs) as pool:
        codes = list(pool.map(lambda cell: _dvc(["--wait-for-lock", "repro", "-s", cell], root), cells))
    return [cell for cell, code in zip(cells, codes, strict=True) if code]


def _dvc(arguments: list[str], root: Path) -> int:
    return subprocess.run(
        [sys.executable, "-m", "synthcohort.lockfile", *arguments], cwd=root, env=environment(), check=False
    ).returncode


def environment() -> dict[str, str]:
    """Return the environment of every cell: this interpreter first, one thread per process.

    Logistic detection stops after 100 steps by its definition; that it says so in every fold helps nobody.
    """
    single = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1")
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    quiet = {"DVC_NO_ANALYTICS": "1", "PYTHONWARNINGS": "ignore:lbfgs failed to converge"}
    return {**os.environ, **single, **quiet, "PATH": path}
