"""Which notebook does a stage of the pipeline run, and what happens where a table could not be had?

Each stage of dvc.yaml calls `run`, and so does the search for settings, `tune`, which no plain run of the study starts.
A table that is absent from this machine (its folder under data/ holds a marker instead) is not an error: its committed
scores and pages are kept, the pages get a visible box that says they were not made again here, and every other file the
stage owes the pipeline holds the reason.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from synthcohort import conditions, scores, sources
from synthcohort.datasets import restricted
from synthcohort.pages import execute, template
from synthcohort.study import PIPELINE_VARIABLE, ParamsError, Paths, Study


@dataclass(frozen=True)
class Stage:
    """One kind of stage.

    Args:
        notebook: its notebook, by name.
        per: the names of the parameters that tell its cells apart: (), ("dataset",) or ("dataset", "generator").
        page: the page it renders, from (paths, cell); None: beside the executed notebook.
        folders: folders it fills besides its page.
        tables: tidy score files it writes.
        records: JSON files it writes.
        by_name: the room whose module a cell looks up, "generators" or "datasets"; "" for none.
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
STAGES: dict[str, Stage] = {
    "raw": Stage(
        "00_raw_table",
        ("dataset",),
        page=lambda paths, dataset: paths.page(f"raw/{dataset}"),
        folders=(Paths.table,),
        by_name="datasets",
    ),
    "prepare": Stage("10_prepare", ("dataset",), folders=(Paths.development, Paths.test), by_name="datasets"),
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
    "fairness_page": Stage("60_fair", (), page=lambda paths: paths.page("fair")),
    "settings": Stage("58_settings", (), page=lambda paths: paths.page("settings")),
    "cost": Stage("80_cost", (), page=lambda paths: paths.page("cost")),
    "findings": Stage("90_findings", (), page=lambda paths: paths.page("findings")),
}


def check(study: Study) -> None:
    """Refuse settings that no room understands: generators, hyperparameters and their choices, conditions, tables.

    Raises:
        ParamsError: naming the key, what was found and what is known.
    """
    from synthcohort.generators import load as registry

    known = {*study.params.generators, "real"}
    try:
        for name, hyperparameters in study.params.generators.items():
            registry.build(name, hyperparameters)
        for name in study.params.conditions:
            conditions.find(name)
    except (LookupError, TypeError, ValueError) as error:
        raise ParamsError(f"params.yaml: {error}") from None
    _check_tables(study, "shadow", study.params.shadow.tables)
    _check_few_steps(study)
    _check_fairness(study)
    _check_tables(study, "tuning", study.params.tuning.tables)
    for name in study.params.search:
        _check_search(study, name)
    for name in study.params.tuning.kept:
        if name not in study.params.search:
            raise ParamsError(f"tuning.kept: {name!r} is not searched; search has {list(study.params.search)}")
    for name, claim in study.params.claims.items():
        _check_tables(study, f"claims.{name}", claim.tables)
        for arm in (claim.better, claim.worse):
            if arm not in known:
                raise ParamsError(f"claims.{name}: no generator {arm!r}; there are {sorted(known)}")


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
        check(study)
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
        for module in _looked_up(study, stage.by_name):
            own = sources.PACKAGE / stage.by_name / f"{module}.py"
            found[f"{name}/{module}"] = sources.Plan(notebook, (own,) if own.is_file() else (), apart)
    return found


def _looked_up(study: Study, room: str) -> list[str]:
    """Return the names a cell may look up in a room; a table of the user's own has no module."""
    from synthcohort.generators import load as registry

    return {"": [], "generators": registry.names(), "datasets": list(study.params.datasets)}[room]


def keep_absent(study: Study) -> None:
    """Let every cell of the tables that are absent from this machine leave its reason and mark its page.

    The pipeline need not be asked: there is nothing to compute and nothing to record.
    """
    for dataset in study.params.datasets:
        if not study.paths.skipped(dataset).is_file():
            continue
        for name, stage in STAGES.items():
            tables, generators = _cells(study, name)
            if "dataset" not in stage.per or dataset not in tables:
                continue
            for generator in generators if "generator" in stage.per else [""]:
                cell = {"dataset": dataset, "generator": generator} if generator else {"dataset": dataset}
                run(study, name, cell)


def _check_tables(study: Study, block: str, tables: list[str]) -> None:
    for table in tables:
        if table not in study.params.datasets:
            raise ParamsError(f"{block}.tables: no dataset {table!r}; there are {list(study.params.datasets)}")


def _check_few_steps(study: Study) -> None:
    """Refuse cells that cannot be drawn from with another solver."""
    from synthcohort.cells import few_steps

    block, known = study.params.few_steps, study.params.generators
    _check_tables(study, "few_steps", block.tables)
    for name in block.generators:
        if name not in known:
            raise ParamsError(f"few_steps.generators: no generator {name!r}; there are {list(known)}")
        missing = few_steps.missing_options(name)
        if missing:
            able = [other for other in known if not few_steps.missing_options(other)]
            raise ParamsError(
                f"few_steps.generators: {name} has no sampling option {missing[0]!r}, so its solver cannot be chosen; "
                f"of the generators here, these can: {', '.join(able) or 'none'}"
            )


def _check_fairness(study: Study) -> None:
    from synthcohort.generators import load as registry

    _check_tables(study, "fairness", list(study.params.fairness.tables))
    try:
        for name, hyperparameters in study.params.fairness.generators.items():
            registry.build(name, hyperparameters)
    except (LookupError, TypeError, ValueError) as error:
        raise ParamsError(f"fairness.generators: {error}") from None


def _cells(study: Study, name: str) -> tuple[Iterable[str], Iterable[str]]:
    """Return the tables and the generators of a stage's cells."""
    params = study.params
    if name == "few_steps":
        return params.few_steps.tables, params.few_steps.generators
    if name in ("fairness", "fairness_rivals"):
        return list(params.fairness.tables), params.fairness.generators
    return (params.shadow.tables if name == "shadow" else params.datasets), params.generators


def _check_search(study: Study, name: str) -> None:
    """Build the generator with every choice, so that no trial fails for a hyperparameter it does not take."""
    from synthcohort.generators import load as registry

    space, trials = study.params.search[name], study.params.tuning.trials
    begin = {**study.params.generators.get(name, {}), **{key: choices[0] for key, choices in space.items()}}
    try:
        for key, choices in space.items():
            for choice in choices:
                registry.build(name, {**begin, key: choice})
    except (LookupError, TypeError, ValueError) as error:
        raise ParamsError(f"params.yaml: search.{name}: {error}") from None
    settings = math.prod(len(choices) for choices in space.values())
    if settings < trials:
        raise ParamsError(
            f"search.{name} has {settings} different settings, fewer than tuning.trials = {trials}; every generator is "
            f"to have the same number of trials: name more choices, or lower tuning.trials"
        )


def _find(study: Study, name: str, cell: dict[str, str]) -> Stage:
    if name not in STAGES:
        raise ParamsError(f"no stage {name!r}; there are {', '.join([*STAGES, 'sources', 'site'])}")
    stage = STAGES[name]
    if set(cell) != set(stage.per):
        wanted = " ".join(f"--{p} NAME" for p in stage.per) or "no further arguments"
        raise ParamsError(f"stage {name} takes {wanted}")
    params = study.params
    named = {"tune": params.search, "fairness": params.fairness.generators}.get(name, params.generators)
    for kind, known in (("dataset", params.datasets), ("generator", named)):
        if kind in cell and cell[kind] not in known:
            raise ParamsError(f"params.yaml has no {kind} {cell[kind]!r}; it has {', '.join(known)}")
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
