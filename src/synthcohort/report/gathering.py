"""Which score and cost files belong to this run, and what do they say together?

Files are found by the names in params.yaml, never by searching folders: what is no longer part of the study cannot slip
into a mean.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from synthcohort.comparison.intervals import Resampling, load_scores
from synthcohort.scores import COLUMNS, read
from synthcohort.study import Study


@dataclass(frozen=True)
class Machine:
    """What the costs of a cell were measured on.

    Args:
        processor: its name.
        cores, threads: logical cores of the machine, threads the cell used.
        python: its version.
        libraries: name and version of each that was recorded.
        device: what networks ran on.
    """

    processor: str
    cores: int
    threads: int
    python: str
    libraries: tuple[tuple[str, str], ...]
    device: str = "cpu"


def resampling(study: Study) -> Resampling:
    """Return how the study's splits were made."""
    block = study.params.study
    return Resampling(block.confidence, block.test_share / (1 - block.test_share - block.validation_share))


def table_scores(study: Study, dataset: str) -> pd.DataFrame:
    """Return the tidy scores of every generator and of the real table on one table.

    Those of the shadow-model attack are among them where the table is attacked and they are there.
    """
    names = ["real", *study.generators(dataset)]
    files = [study.paths.scores(dataset, name) for name in names]
    if dataset in study.params.shadow.tables:
        attacks = [study.paths.shadow(dataset, name) for name in study.generators(dataset)]
        files += [path for path in attacks if path.is_file()]
    return load_scores(files)


def all_scores(study: Study) -> pd.DataFrame:
    """Return the tidy scores of the whole study."""
    return _joined([table_scores(study, dataset) for dataset in compared(study)])


def table_costs(study: Study, dataset: str) -> pd.DataFrame:
    """Return the tidy costs of every generator on one table."""
    return _joined([read(study.paths.cost(dataset, name)) for name in study.generators(dataset)])


def all_costs(study: Study) -> pd.DataFrame:
    """Return the tidy costs of the whole study."""
    return _joined([table_costs(study, dataset) for dataset in compared(study)])


def compared(study: Study) -> list[str]:
    """Return the tables on which generators are compared: all but those that name none."""
    return [dataset for dataset in study.params.datasets if study.generators(dataset)]


def machines(study: Study) -> dict[tuple[str, str], Machine | None]:
    """Return (dataset, generator) -> what its cost was measured on; None where that was not recorded."""
    cells = [(dataset, name) for dataset in study.params.datasets for name in study.generators(dataset)]
    return {cell: machine(study.paths.cost(*cell).with_suffix(".json")) for cell in cells}


def machine(path: Path) -> Machine | None:
    """Read the record that a cell wrote beside its cost file; None if there is none, or only why the cell was not run.

    Raises:
        ValueError: naming the file, if the record lacks a field or has one too many.
    """
    if not path.is_file():
        return None
    told = json.loads(path.read_text(encoding="utf-8"))
    if "reason" in told:
        return None
    try:
        return Machine(**{**told, "libraries": tuple(sorted(told["libraries"].items()))})
    except (KeyError, TypeError) as error:
        raise ValueError(f"{path}: no record of a machine ({error}); train the cell again to write it") from None


def skipped(study: Study) -> dict[str, str]:
    """Return dataset -> reason and remedy for the tables that could not be had on this machine."""
    markers = {dataset: study.paths.skipped(dataset) for dataset in study.params.datasets}
    return {dataset: why_skipped(path) for dataset, path in markers.items() if path.is_file()}


def why_skipped(marker: Path) -> str:
    """Return the reason and the remedy that a marker of an absent table holds, as one text."""
    told = json.loads(marker.read_text(encoding="utf-8"))
    return f"{told['reason']}. {told['remedy']}"


def _joined(parts: list[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat(parts, ignore_index=True)[COLUMNS] if parts else pd.DataFrame(columns=COLUMNS)


def cost_by_rows(costs: pd.DataFrame) -> pd.DataFrame:
    """Return mean training seconds beside train rows: dataset, generator, rows, value."""
    known = costs[(costs["metric"] == "train_cpu_seconds") & costs["value"].notna()]
    grouped = known.groupby(["dataset", "generator"], sort=False)
    return grouped.agg(rows=("n", "mean"), value=("value", "mean")).reset_index()
