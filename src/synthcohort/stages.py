"""Which notebook does a stage of the pipeline run, and what happens where a table could not be had?

Each stage of dvc.yaml calls `run`, and so does the search for settings, `tune`, which no plain run of the study starts.
A table that is absent from this machine (its folder under data/ holds a marker instead) is not an error: its committed
scores and pages are kept, the pages get a visible box that says they were not made again here, and every other file the
stage owes the pipeline holds the reason.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from synthcohort import checks, scores, sources
from synthcohort.datasets import restricted
from synthcohort.pages import execute, template
from synthcohort.study import PIPELINE_VARIABLE, ParamsError, Paths, Study


@dataclass(frozen=True)
class Stage:
    """One kind of stage.

    Args:
        notebook: its notebook, by name.
        per: the names of the parameters that tell its cells apart: (), ("dataset",), or that and one of "generator" and
            "imputer"; or ("method",).
        page: the page it renders, from (paths, cell); None: beside the executed notebook.
        folders: folders it fills besides its page.
        tables: tidy score files it writes.
        records: JSON files it writes.
        by_name: the room whose module a cell looks up, a key of `ROOMS`; "" for none.
        long: whether it is too long to run again for a figure or a sentence of its working page.
    """

    notebook: str
    per: tuple[str, ...]
    page: Callable[..., Path] | None = None
    folders: tuple[Callable[..., Path], ...] = ()
    tables: tuple[Callable[..., Path], ...] = ()
    records: tuple[Callable[..., Path], ...] = ()
    by_name: str = ""
    long: bool = False


LOOKS = ("figures", "report")
ROOMS = {
    "datasets": ("datasets",),
    "generators": ("generators",),
    "imputers": ("imputers", "generators"),
    "methods": ("imputers", "generators"),
}
STAGES: dict[str, Stage] = {
    "raw": Stage(
        "00_raw_table",
        ("dataset",),
        page=lambda paths, dataset: paths.page(f"raw/{dataset}"),
        folders=(Paths.table,),
        by_name="datasets",
    ),
    "prepare": Stage(
        "10_prepare",
        ("dataset",),
        folders=(Paths.development, Paths.test, Paths.holes),
        by_name="datasets",
    ),
    "tune": Stage("15_tune", ("generator",)),
    "train": Stage(
        "20_train",
        ("dataset", "generator"),
        folders=(Paths.trained,),
        tables=(Paths.cost,),
        records=(Paths.machine,),
        by_name="generators",
        long=True,
    ),
    "reference": Stage(
        "25_reference", ("dataset",), tables=(lambda paths, dataset: paths.scores(dataset, "real"),), long=True
    ),
    "evaluate": Stage("30_evaluate", ("dataset", "generator"), tables=(Paths.scores,), long=True),
    "shadow": Stage("35_shadow", ("dataset", "generator"), tables=(Paths.shadow,), by_name="generators", long=True),
    "few_steps": Stage(
        "36_few_steps",
        ("dataset", "generator"),
        tables=(Paths.few_steps, Paths.few_steps_cost),
        records=(Paths.few_steps_machine,),
        by_name="generators",
        long=True,
    ),
    "impute": Stage(
        "37_impute",
        ("dataset", "imputer"),
        tables=(Paths.impute, Paths.impute_cost),
        records=(Paths.impute_machine,),
        by_name="imputers",
        long=True,
    ),
    "few_steps_impute": Stage(
        "34_few_steps_impute",
        ("dataset", "imputer"),
        tables=(Paths.few_steps_impute, Paths.few_steps_impute_cost),
        records=(Paths.few_steps_impute_machine,),
        by_name="imputers",
        long=True,
    ),
    "dependence": Stage("38_dependence", ("dataset",), tables=(Paths.dependence,)),
    "width": Stage(
        "39_width",
        ("method",),
        tables=(Paths.width, Paths.width_cost),
        records=(Paths.width_machine,),
        by_name="methods",
        long=True,
    ),
    "scale": Stage(
        "33_scale",
        ("dataset", "generator"),
        tables=(Paths.scale,),
        records=(Paths.scale_machine,),
        by_name="generators",
        long=True,
    ),
    "fairness": Stage(
        "32_fairness", ("dataset", "generator"), tables=(Paths.fairness,), by_name="generators", long=True
    ),
    "fairness_rivals": Stage(
        "32_fairness_rivals",
        ("dataset",),
        tables=(lambda paths, dataset: paths.fairness(dataset, "rivals"),),
        long=True,
    ),
    "side_by_side": Stage("40_side_by_side", ("dataset",), page=lambda paths, dataset: paths.page(f"tables/{dataset}")),
    "faithful": Stage("50_faithful", (), page=lambda paths: paths.page("faithful")),
    "useful": Stage("51_useful", (), page=lambda paths: paths.page("useful")),
    "rare_class": Stage("52_rare_class", (), page=lambda paths: paths.page("rare_class")),
    "leak": Stage("53_leak", (), page=lambda paths: paths.page("leak")),
    "few_steps_page": Stage("54_few_steps", (), page=lambda paths: paths.page("few_steps")),
    "impute_page": Stage("55_impute", (), page=lambda paths: paths.page("impute")),
    "ablations_page": Stage("56_ablations", (), page=lambda paths: paths.page("ablations")),
    "width_page": Stage("57_width", (), page=lambda paths: paths.page("width")),
    "fairness_page": Stage("60_fair", (), page=lambda paths: paths.page("fair")),
    "settings": Stage("58_settings", (), page=lambda paths: paths.page("settings")),
    "scale_page": Stage("59_scale", (), page=lambda paths: paths.page("scale")),
    "cost": Stage("80_cost", (), page=lambda paths: paths.page("cost")),
    "findings": Stage("90_findings", (), page=lambda paths: paths.page("findings")),
}


def run(study: Study, name: str, cell: dict[str, str]) -> Path:
    """Run one cell of a stage and return the page it made.

    Args:
        study: settings and paths.
        name: a key of `STAGES`, "sources" or "site".
        cell: a value for each of the stage's `per`.

    Raises:
        ParamsError: for an unknown stage, dataset or generator.
        PageError: if the notebook fails.
    """
    if name == "site":
        from synthcohort import site

        return site.write(study)
    if name == "sources":
        return sources.write(study.paths.sources, plans(study))
    stage = _find(study, name, cell)
    if name == "raw":  # the first stage of every run; once is enough, since it loads every generator
        checks.check(study)
    executed = study.paths.executed(name, *cell.values())
    page = stage.page(study.paths, *cell.values()) if stage.page else executed.with_suffix(".html")
    marker = study.paths.skipped(cell["dataset"]) if "dataset" in cell else None
    if marker is not None and marker.is_file():
        return _keep(study, stage, cell, executed=executed, page=page, marker=marker)
    os.environ[PIPELINE_VARIABLE] = name
    notebook = study.paths.root / "notebooks" / f"{stage.notebook}.ipynb"
    veil = restricted.veil(study, study.params.tuning.tables if name == "tune" else [cell.get("dataset", "")])
    made = execute.execute(notebook, cell, executed=executed, page=page, root=study.paths.root, veil=veil)
    if veil is not None:
        for table in stage.tables:
            path = table(study.paths, *cell.values())
            scores.write(veil.over_notes(scores.read(path)), path)
    return made


def plans(study: Study) -> dict[str, sources.Plan]:
    """Return where the source files of every kind of cell are looked for: STAGE, or STAGE/NAME by a module's name."""
    found = {"site": sources.Plan(sources.PACKAGE / "site.py")}
    for name, stage in STAGES.items():
        notebook = study.paths.root / "notebooks" / f"{stage.notebook}.ipynb"
        apart = LOOKS if stage.long else ()
        if not stage.by_name:
            found[name] = sources.Plan(notebook, apart=apart)
        for module, own in _looked_up(study, stage.by_name).items():
            found[f"{name}/{module}"] = sources.Plan(notebook, own, apart)
    return found


def _looked_up(study: Study, by_name: str) -> dict[str, tuple[Path, ...]]:
    """Return the names a cell may look up, each with its module; a table of the user's own has none."""
    from synthcohort.generators import load as generators
    from synthcohort.imputers import load as imputers

    names = {"datasets": list(study.params.datasets), "generators": generators.names(), "imputers": imputers.names()}
    found: dict[str, tuple[Path, ...]] = {}
    for room in ROOMS.get(by_name, ()):
        for name in names[room]:
            own = sources.PACKAGE / room / f"{name}.py"
            found.setdefault(name, (own,) if own.is_file() else ())
    return found


def keep_absent(study: Study) -> None:
    """Let every cell of the tables that are absent from this machine leave its reason and mark its page.

    The pipeline need not be asked: there is nothing to compute and nothing to record.
    """
    for dataset in study.params.datasets:
        if not study.paths.skipped(dataset).is_file():
            continue
        for name, stage in STAGES.items():
            tables, methods = _cells(study, name)
            if "dataset" not in stage.per or dataset not in tables:
                continue
            for method in methods if len(stage.per) > 1 else [""]:
                run(study, name, dict(zip(stage.per, (dataset, method))))


def _cells(study: Study, name: str) -> tuple[Iterable[str], Iterable[str]]:
    """Return the tables of a stage's cells, and their generators or imputers."""
    params = study.params
    if name == "impute":
        return params.imputation.tables, params.imputation.imputers
    if name == "dependence":
        return params.imputation.tables, ()
    if name == "few_steps":
        return params.few_steps.tables, params.few_steps.generators
    if name == "few_steps_impute":
        return params.few_steps.imputed_tables, params.few_steps.imputers
    if name in ("fairness", "fairness_rivals"):
        return list(params.fairness.tables), params.fairness.generators
    some = {"shadow": params.shadow.tables, "scale": params.scale.tables}
    return some.get(name, params.datasets), params.generators


def _find(study: Study, name: str, cell: dict[str, str]) -> Stage:
    if name not in STAGES:
        raise ParamsError(f"no stage {name!r}; there are {', '.join([*STAGES, 'sources', 'site'])}")
    stage = STAGES[name]
    if set(cell) != set(stage.per):
        wanted = " ".join(f"--{p} NAME" for p in stage.per) or "no further arguments"
        raise ParamsError(f"stage {name} takes {wanted}")
    params = study.params
    generators = params.search if name == "tune" else params.generators
    imputers = params.imputation.imputers
    asked = {"dataset": params.datasets, "generator": generators, "imputer": imputers, "method": params.width.methods}
    for kind, known in asked.items():
        if kind in cell and cell[kind] not in known:
            raise ParamsError(f"params.yaml has no {kind} {cell[kind]!r}; it has {', '.join(known) or 'none'}")
    return stage


def _keep(study: Study, stage: Stage, cell: dict[str, str], *, executed: Path, page: Path, marker: Path) -> Path:
    """Leave what is committed, mark the page, and put the reason where the pipeline expects files."""
    from synthcohort.report import gathering

    reason = gathering.why_skipped(marker)
    print(f"{stage.notebook} {' '.join(cell.values())}: not run here: {reason}")
    note = json.dumps({"reason": reason}, ensure_ascii=False) + "\n"
    for folder in stage.folders:
        place = folder(study.paths, *cell.values())
        place.mkdir(parents=True, exist_ok=True)
        (place / "SKIPPED.json").write_text(note, encoding="utf-8")
    for table in stage.tables:
        path = table(study.paths, *cell.values())
        if not path.is_file():
            scores.write(pd.DataFrame(columns=scores.COLUMNS), path)
    for record in stage.records:
        path = record(study.paths, *cell.values())
        if not path.is_file():
            execute.write_text(path, note)
    execute.write_text(executed, note)
    if not page.is_file():
        home = (
            "../" * len(page.relative_to(study.paths.root / "reports").parent.parts) if "reports" in page.parts else ""
        )
        execute.write_text(page, template.page(f"{cell['dataset']}: not run", "", home=home))
    template.mark_skipped(page, reason)
    return page
