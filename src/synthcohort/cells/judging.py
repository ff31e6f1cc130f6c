"""What is one cell's table of scores, and what does the real table itself achieve?"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import pandas as pd

from synthcohort import scores
from synthcohort.cells import each_split, machine, progress
from synthcohort.cells.holdout import read_absence, read_law, read_samples, read_test
from synthcohort.cells.rows import read_development, read_schema
from synthcohort.metrics import fidelity
from synthcohort.metrics.cell import evaluate_split, reference_split
from synthcohort.scores import Score
from synthcohort.study import Study


@dataclass(frozen=True)
class Cell:
    """What is judged, as a worker is told of it.

    Args:
        study: settings and paths.
        dataset: a table.
        generator: whose rows; "real" for the table itself.
    """

    study: Study
    dataset: str
    generator: str


def judge_cell(study: Study, dataset: str, generator: str) -> pd.DataFrame:
    """Compute every score of a trained cell, write its score file and return it, tidy."""
    return _judge(Cell(study, dataset, generator), "evaluate", evaluated)


def judge_real(study: Study, dataset: str) -> pd.DataFrame:
    """Compute what the real table achieves under the same metrics, write its score file and return it, tidy."""
    return _judge(Cell(study, dataset, "real"), "reference", referred)


def evaluated(cell: Cell, split: int) -> list[Score]:
    """Return every score of a trained cell on one split."""
    study = cell.study
    schema = read_schema(study.paths.development(cell.dataset))
    folder = study.paths.trained(cell.dataset, cell.generator)
    train, validation = read_development(study.paths.development(cell.dataset), split)
    return evaluate_split(
        train=train,
        validation=validation,
        test=read_test(study.paths.test(cell.dataset), split),
        samples=read_samples(folder, split, schema, study.params.conditions),
        schema=schema,
        metrics=study.params.metrics,
        rng=study.rng.branch("metrics", cell.dataset, split),
        real_auroc=real_areas(scores.read(study.paths.scores(cell.dataset, "real")), split),
        absent=read_absence(folder, split) or "the generator gave no sample",
    )


def referred(cell: Cell, split: int) -> list[Score]:
    """Return what the real table achieves on one split."""
    study = cell.study
    train, validation = read_development(study.paths.development(cell.dataset), split)
    return reference_split(
        train=train,
        validation=validation,
        test=read_test(study.paths.test(cell.dataset), split),
        schema=read_schema(study.paths.development(cell.dataset)),
        metrics=study.params.metrics,
        rng=study.rng.branch("metrics", cell.dataset, split),
        law=read_law(study.paths.test(cell.dataset), split),
    )


def _judge(cell: Cell, stage: str, judge: Callable[[Cell, int], list[Score]]) -> pd.DataFrame:
    """Judge every split, write the score file and return it."""
    study = cell.study
    finished = study.paths.finished_splits(stage, cell.dataset, cell.generator)
    label = f"{cell.dataset} {cell.generator}"
    work = each_split.Work(partial(_record, cell, judge), partial(_stamp, cell), finished, label)
    records = each_split.run(work, study.splits(cell.dataset), study.params.parallel)
    whole = pd.concat([pd.DataFrame(one["scores"], columns=scores.COLUMNS) for one in records], ignore_index=True)
    scores.write(whole, study.paths.scores(cell.dataset, cell.generator))
    shutil.rmtree(finished)
    return whole


def _record(cell: Cell, judge: Callable[[Cell, int], list[Score]], split: int, _stamp: str) -> each_split.Record:
    frame = scores.to_frame(judge(cell, split), dataset=cell.dataset, generator=cell.generator, split=split)
    return {"scores": frame.to_dict("records")}


def _stamp(cell: Cell, split: int) -> str:
    study, paths = cell.study, cell.study.paths
    settings = [
        study.params.study.seed, cell.dataset, cell.generator, split, study.params.conditions,
        study.params.metrics.model_dump(), machine.versions(),
    ]  # fmt: skip
    files = [paths.development(cell.dataset) / "schema.json"]
    for folder in (paths.development(cell.dataset), paths.test(cell.dataset)):
        files += sorted((folder / f"split_{split}").glob("*"))
    if cell.generator != "real":
        trained = paths.trained(cell.dataset, cell.generator) / f"split_{split}"
        files += [paths.scores(cell.dataset, "real"), *sorted(trained.glob("*"))]
    return progress.stamp(settings, files)


def real_areas(real: pd.DataFrame, split: int) -> dict[str, float]:
    """Return family -> AUROC of the predictors trained on the real table, from its own scores on one split."""
    prefix = "trtr_auroc_"
    own = real[real["metric"].str.startswith(prefix) & (real["split"] == split) & real["value"].notna()]
    return dict(zip(own["metric"].str.removeprefix(prefix), own["value"], strict=True))


def column_shapes(study: Study, dataset: str, generator: str) -> pd.DataFrame:
    """Return the Shape of every column on every split: column, split, value; no rows if no split gave a sample."""
    schema = read_schema(study.paths.development(dataset))
    parts = []
    for split in range(study.splits(dataset)):
        train, _ = read_development(study.paths.development(dataset), split)
        drawn = read_samples(study.paths.trained(dataset, generator), split, schema, ["as_observed"])
        if drawn:
            shapes = fidelity.column_shapes(train, drawn["as_observed"], schema)
            parts.append(shapes.rename(columns={"shape": "value"}).assign(split=split))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["column", "split", "value"])
