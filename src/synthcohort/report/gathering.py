"""Which score and cost files belong to this run, and what do they say together?

Files are found by the names in params.yaml, never by searching folders: what is no longer part of the study cannot slip
into a mean.
"""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from synthcohort.comparison.intervals import Resampling, load_scores
from synthcohort.scores import COLUMNS, read
from synthcohort.study import Study


def resampling(study: Study) -> Resampling:
    """Return how the study's splits were made."""
    block = study.params.study
    return Resampling(block.confidence, block.test_share / (1 - block.test_share - block.validation_share))


def table_scores(study: Study, dataset: str) -> pd.DataFrame:
    """Return the tidy scores of every generator and of the real table on one table.

    Those of the shadow-model attack are among them where the table is attacked and they are there.
    """
    names = ["real", *study.params.generators]
    files = [study.paths.scores(dataset, name) for name in names]
    if dataset in study.params.shadow.tables:
        attacks = [study.paths.shadow(dataset, name) for name in study.params.generators]
        files += [path for path in attacks if path.is_file()]
    return load_scores(files)


def all_scores(study: Study) -> pd.DataFrame:
    """Return the tidy scores of the whole study."""
    return pd.concat([table_scores(study, dataset) for dataset in study.params.datasets], ignore_index=True)


def table_costs(study: Study, dataset: str) -> pd.DataFrame:
    """Return the tidy costs of every generator on one table."""
    parts = [read(study.paths.cost(dataset, name)) for name in study.params.generators]
    return pd.concat(parts, ignore_index=True)[COLUMNS]


def all_costs(study: Study) -> pd.DataFrame:
    """Return the tidy costs of the whole study."""
    return pd.concat([table_costs(study, dataset) for dataset in study.params.datasets], ignore_index=True)


def skipped(study: Study) -> dict[str, str]:
    """Return dataset -> reason and remedy for the tables that could not be had on this machine."""
    markers = {dataset: study.paths.skipped(dataset) for dataset in study.params.datasets}
    return {dataset: why_skipped(path) for dataset, path in markers.items() if path.is_file()}


def why_skipped(marker: Path) -> str:
    """Return the reason and the remedy that a marker of an absent table holds, as one text."""
    told = json.loads(marker.read_text(encoding="utf-8"))
    return f"{told['reason']}. {told['remedy']}"


def cost_by_rows(costs: pd.DataFrame) -> pd.DataFrame:
    """Return mean training seconds beside train rows: dataset, generator, rows, value."""
    known = costs[(costs["metric"] == "train_cpu_seconds") & costs["value"].notna()]
    grouped = known.groupby(["dataset", "generator"], sort=False)
    return grouped.agg(rows=("n", "mean"), value=("value", "mean")).reset_index()
