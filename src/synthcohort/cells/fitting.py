"""What happens in one cell, table times generator, before anything is judged?

Per split: build the generator, fit it on the train rows, save it, ask it for every condition, note the cost. A fit
that cannot be completed leaves its reason instead; so does a condition that the generator cannot meet.
"""

from __future__ import annotations

import json
import shutil
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd

from synthcohort import conditions, scores
from synthcohort.cells import each_split, machine, progress
from synthcohort.cells.fitting_history import read_history
from synthcohort.cells.rows import read_development, read_schema, whole_folder
from synthcohort.generators import load as registry
from synthcohort.generators.base import AbilityError, FitError, Generator, peak_memory_bytes
from synthcohort.rng import Rng
from synthcohort.schema import Schema, read_frame, write_frame
from synthcohort.scores import Score
from synthcohort.study import Study

COSTS = ("train_cpu_seconds", "sample_cpu_seconds", "peak_memory_bytes", "parameters")


@dataclass(frozen=True)
class Cell:
    """One cell, as a worker is told of it.

    Args:
        study: settings and paths.
        dataset, generator: its names.
        device: chosen once, so that no worker chooses another.
    """

    study: Study
    dataset: str
    generator: str
    device: str

    @property
    def finished(self) -> Path:
        """Where its finished splits are kept until all are."""
        return self.study.paths.finished_splits("train", self.dataset, self.generator)

    @property
    def label(self) -> str:
        """What its progress bar is called."""
        return f"{self.dataset} {self.generator}"


def fit_cell(study: Study, dataset: str, generator: str) -> pd.DataFrame:
    """Train one generator on every split of a table and sample every condition.

    Writes the cell's folder, one subfolder per split, its cost file and on which machine the cost was measured.

    Returns:
        The cost scores, tidy.
    """
    cell = Cell(study, dataset, generator, study.device)
    work = each_split.Work(partial(_fit_split, cell), partial(_stamp, cell), cell.finished, cell.label)
    records = each_split.run(work, study.splits(dataset), study.params.parallel)
    with whole_folder(study.paths.trained(dataset, generator)) as folder:
        for split, record in enumerate(records):
            shutil.copytree(cell.finished / record["files"], folder / f"split_{split}")
    whole = pd.concat([pd.DataFrame(one["costs"], columns=scores.COLUMNS) for one in records], ignore_index=True)
    place = study.paths.cost(dataset, generator)
    if study.in_pipeline or not place.is_file():  # reading along in JupyterLab must not change what was measured
        scores.write(whole, place)
        machine.write(study.paths.machine(dataset, generator), machine.together([one["machine"] for one in records]))
    shutil.rmtree(cell.finished)
    return whole


def histories(study: Study, dataset: str, generator: str) -> pd.DataFrame:
    """Return the training history of a cell, tidy; no rows if its generator keeps none."""
    return read_history(study.paths.trained(dataset, generator), generator, study.splits(dataset))


def curve_caption(losses: pd.DataFrame) -> str:
    """Return the caption of the training curves of one cell."""
    splits = losses["split"].nunique()
    last = losses.groupby("split")["step"].max()
    steps = f"{last.min():,.0f}" if last.min() == last.max() else f"{last.min():,.0f} to {last.max():,.0f}"
    held = losses["validation_loss"].notna().any()
    return (
        f"Loss against training step: thin lines are splits ({splits}), thick lines their mean; {steps} steps. "
        f"{'Dashed: validation rows, which are never learned from.' if held else 'No validation loss was recorded.'}"
    )


def drawn(study: Study, dataset: str, generator: str) -> list[str]:
    """Return one sentence per condition: how many rows each split's generator drew, or why none."""
    schema = read_schema(study.paths.development(dataset))
    said = []
    for condition in study.params.conditions:
        files = [
            study.paths.trained(dataset, generator) / f"split_{split}" / f"{condition}.csv"
            for split in range(study.splits(dataset))
        ]
        counts = [len(read_frame(path, schema)) for path in files if path.is_file()]
        rows = ", ".join(f"{count:,}" for count in counts)
        said.append(f"`{condition}`: {rows} rows, one number per split." if counts else f"`{condition}`: no rows.")
    return said


def _fit_split(cell: Cell, split: int, stamp: str) -> each_split.Record:
    """Fit and draw on one split; keep its files under `stamp`, return their folder, the costs and the machine."""
    place = each_split.files(cell.finished, split, stamp)
    with each_split.own_folder(place) as folder:
        found = _fit(cell, split, folder)
    costs = scores.to_frame(found, dataset=cell.dataset, generator=cell.generator, split=split)
    return {"files": place.name, "costs": costs.to_dict("records"), "machine": machine.describe(cell.device)}


def _fit(cell: Cell, split: int, folder: Path) -> list[Score]:
    study, place = cell.study, cell.study.paths.development(cell.dataset)
    train, validation = read_development(place, split)
    schema = read_schema(place)
    rng = study.rng.branch("fit", cell.dataset, cell.generator, split)
    model = registry.build(cell.generator, study.params.generators[cell.generator])
    try:
        model.fit(train, schema, validation=validation, rng=rng.branch("fit"), device=cell.device)
    except FitError as error:
        _write(folder / "failed.json", {"reason": str(error)})
        return [scores.failed("cost", name, str(error)) for name in COSTS]
    model.save(folder)
    seconds = _sample(model, train, schema, wanted=study.params.conditions, rng=rng, folder=folder)
    return _costs(model, len(train), seconds)


def _stamp(cell: Cell, split: int) -> str:
    params, place = cell.study.params, cell.study.paths.development(cell.dataset)
    settings = [
        params.study.seed, cell.dataset, cell.generator, params.generators[cell.generator], params.conditions,
        cell.device, split, machine.versions(),
    ]  # fmt: skip
    part = place / f"split_{split}"
    return progress.stamp(settings, [place / "schema.json", part / "train.csv", part / "validation.csv"])


def _sample(
    model: Generator, train: pd.DataFrame, schema: Schema, *, wanted: list[str], rng: Rng, folder: Path
) -> float:
    """Write the answer to every condition, or why there is none; return the CPU seconds of the draws."""
    absent: dict[str, str] = {}
    seconds = 0.0
    for name in wanted:
        ask = conditions.find(name)(train, schema, rng.branch("ask", name))
        if ask is None:
            absent[name] = "the condition has no meaning for this table"
            continue
        started = time.process_time()
        try:
            drawn = model.sample(len(ask), conditions=ask, rng=rng.branch("sample", name))
        except AbilityError as error:
            absent[name] = str(error)
            continue
        seconds += time.process_time() - started
        write_frame(drawn, folder / f"{name}.csv")
    _write(folder / "absent.json", absent)
    return seconds


def _costs(model: Generator, rows: int, sample_seconds: float) -> list[Score]:
    values = {
        "train_cpu_seconds": model.cost.train_cpu_seconds,
        "sample_cpu_seconds": sample_seconds,
        "peak_memory_bytes": float(peak_memory_bytes()),
        "parameters": float(model.cost.parameters),
    }
    return [Score("cost", name, values[name], rows, "down") for name in COSTS]


def _write(path: Path, record: dict[str, str]) -> None:
    path.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
