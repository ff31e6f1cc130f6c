"""What becomes of a cell that a table leaves out?

`datasets.NAME.generators` may name the generators that run on a table. A matrix of dvc.yaml holds every pair of table
and generator all the same, and DVC wants the files of each. So a cell that is left out runs nothing and writes files
that hold the reason, and score files without a row; no page reads these, since each looks for the generators that are
asked for. What stood there before is removed.

The cells of a table track nothing of the list, so that a change of it would escape DVC, or run every cell of the table.
Therefore `forget` removes one file of each cell whose standing has changed: DVC then runs that cell, and no other.
"""

from __future__ import annotations

import html
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from synthcohort import scores
from synthcohort.kinds import Stage
from synthcohort.pages import execute, template
from synthcohort.pages.render import home_of
from synthcohort.study import Study

COMPARED = ("train", "evaluate", "shadow", "scale")  # stages with a cell for each of the study's generators
COMPARING = ("reference", "side_by_side")  # stages of a table that are nothing without a generator
_OPENING = '{"reason"'  # of a note; a notebook begins with its cells


def reason(study: Study, stage: str, cell: dict[str, str]) -> str:
    """Return why a cell is left out, "" if it is not."""
    dataset = cell.get("dataset", "")
    if stage in COMPARED and cell["generator"] not in study.generators(dataset):
        return f"params.yaml does not name {cell['generator']} under datasets.{dataset}.generators"
    if stage in COMPARING and not study.generators(dataset):
        return f"params.yaml compares no generator on {dataset}: datasets.{dataset}.generators is empty"
    return ""


def write(study: Study, stage: Stage, cell: dict[str, str], *, executed: Path, page: Path, reason: str) -> Path:
    """Replace all that the cell gives by the reason why it is left out; return its page."""
    print(f"{stage.notebook} {' '.join(cell.values())}: left out: {reason}")
    note = _note(reason)
    for folder in stage.folders:
        place = folder(study.paths, *cell.values())
        shutil.rmtree(place, ignore_errors=True)
        execute.write_text(place / "LEFT_OUT.json", note)
    for table in stage.tables:
        scores.write(pd.DataFrame(columns=scores.COLUMNS), table(study.paths, *cell.values()))
    for record in stage.records:
        execute.write_text(record(study.paths, *cell.values()), note)
    title = f"{', '.join(cell.values())}: left out"
    body = f"<h1>{html.escape(title)}</h1><p>{html.escape(reason)}.</p>"
    execute.write_text(page, template.page(title, body, home=home_of(page, study.paths.root)))
    execute.write_text(executed, note)
    return page


def forget(study: Study) -> None:
    """Remove the executed notebook of every cell that was left out and no longer is, or the other way round."""
    for stage, cell in _cells(study):
        executed = study.paths.executed(stage, *cell.values())
        if executed.is_file() and _is_note(executed) != bool(reason(study, stage, cell)):
            executed.unlink()


def _cells(study: Study) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the cells that a table can leave out, of the tables that are on this machine."""
    for dataset in study.params.datasets:
        if study.paths.skipped(dataset).is_file():
            continue
        for stage in COMPARING:
            yield stage, {"dataset": dataset}
        for stage in COMPARED:
            for generator in study.params.generators:
                yield stage, {"dataset": dataset, "generator": generator}


def _note(reason: str) -> str:
    return json.dumps({"reason": reason}, ensure_ascii=False) + "\n"


def _is_note(executed: Path) -> bool:
    with executed.open(encoding="utf-8") as file:
        return file.read(len(_OPENING)) == _OPENING
