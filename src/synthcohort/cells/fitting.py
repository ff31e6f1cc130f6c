"""What happens in one cell, table times generator, before anything is judged?

Per split: build the generator, fit it on the train rows, save it, ask it for every condition, note the cost. A fit
that cannot be completed leaves its reason instead; so does a condition that the generator cannot meet.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from synthcohort import conditions, scores
from synthcohort.cells import machine
from synthcohort.cells.fitting_history import read_history
from synthcohort.cells.rows import read_development, read_schema, whole_folder
from synthcohort.generators import load as registry
from synthcohort.generators.base import AbilityError, FitError, Generator, peak_memory_bytes
from synthcohort.rng import Rng
from synthcohort.schema import Schema, read_frame, write_frame
from synthcohort.scores import Score
from synthcohort.study import Study

COSTS = ("train_cpu_seconds", "sample_cpu_seconds", "peak_memory_bytes", "parameters")


def fit_cell(study: Study, dataset: str, generator: str) -> pd.DataFrame:
    """Train one generator on every split of a table and sample every condition.

    Writes the cell's folder, one subfolder per split, its cost file and on which machine the cost was measured.

    Returns:
        The cost scores, tidy.
    """
    folder = study.paths.trained(dataset, generator)
    costs = []
    with whole_folder(folder) as partial:
        for split in tqdm(range(study.splits(dataset)), desc=f"{dataset} {generator}", unit="split"):
            found = _fit_split(study, dataset, generator, split=split, folder=partial / f"split_{split}")
            costs.append(scores.to_frame(found, dataset=dataset, generator=generator, split=split))
    whole = pd.concat(costs, ignore_index=True)
    place = study.paths.cost(dataset, generator)
    if study.in_pipeline or not place.is_file():  # reading along in JupyterLab must not change what was measured
        scores.write(whole, place)
        machine.write(study.paths.machine(dataset, generator), study.device)
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


def _fit_split(study: Study, dataset: str, generator: str, *, split: int, folder: Path) -> list[Score]:
    place = study.paths.development(dataset)
    train, validation = read_development(place, split)
    schema = read_schema(place)
    rng = study.rng.branch("fit", dataset, generator, split)
    model = registry.build(generator, study.params.generators[generator])
    folder.mkdir(parents=True)
    try:
        model.fit(train, schema, validation=validation, rng=rng.branch("fit"), device=study.device)
    except FitError as error:
        _write(folder / "failed.json", {"reason": str(error)})
        return [scores.failed("cost", name, str(error)) for name in COSTS]
    model.save(folder)
    seconds = _sample(model, train, schema, wanted=study.params.conditions, rng=rng, folder=folder)
    return _costs(model, len(train), seconds)


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
