"""Which notebook does a stage of the pipeline run, and what happens where a table could not be had?

Each stage of dvc.yaml calls `run`, and so does the search for settings, `tune`, which no plain run of the study starts.
A table that is absent from this machine (its folder under data/ holds a marker instead) is not an error: its committed
scores and pages are kept, the pages get a visible box that says they were not made again here, and every other file the
stage owes the pipeline holds the reason. A cell that params.yaml leaves out is another matter, see `left_out`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from synthcohort import checks, left_out, scores, sources
from synthcohort.datasets import restricted
from synthcohort.kinds import LOOKS, ROOMS, STAGES, Stage
from synthcohort.pages import execute, template
from synthcohort.study import PIPELINE_VARIABLE, ParamsError, Study


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
        left_out.forget(study)
        return sources.write(study.paths.sources, plans(study))
    stage = _find(study, name, cell)
    if name == "raw":  # the first stage of every run; once is enough, since it loads every generator
        checks.check(study)
    executed = study.paths.executed(name, *cell.values())
    page = stage.page(study.paths, *cell.values()) if stage.page else executed.with_suffix(".html")
    marker = study.paths.skipped(cell["dataset"]) if "dataset" in cell else None
    if marker is not None and marker.is_file():
        return _keep(study, stage, cell, executed=executed, page=page, marker=marker)
    reason = left_out.reason(study, name, cell)
    if reason:
        return left_out.write(study, stage, cell, executed=executed, page=page, reason=reason)
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
    if name == "guidance":
        return list(params.guidance.tables), params.guidance.generators
    if name == "frontier":
        return params.frontier.tables, params.frontier.families
    if name == "audit":
        return params.audit.tables, params.audit.families
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
    generators = params.search if name == "tune" else _cells(study, name)[1]
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
