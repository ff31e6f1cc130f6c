"""What is one cell's table of scores, and what does the real table itself achieve?"""

from __future__ import annotations

import pandas as pd
from tqdm import tqdm

from synthcohort import scores
from synthcohort.cells.holdout import read_absence, read_law, read_samples, read_test
from synthcohort.cells.rows import read_development, read_schema
from synthcohort.metrics import fidelity
from synthcohort.metrics.cell import evaluate_split, reference_split
from synthcohort.study import Study


def judge_cell(study: Study, dataset: str, generator: str) -> pd.DataFrame:
    """Compute every score of a trained cell, write its score file and return it, tidy."""
    schema = read_schema(study.paths.development(dataset))
    folder = study.paths.trained(dataset, generator)
    real = scores.read(study.paths.scores(dataset, "real"))
    parts = []
    for split in tqdm(range(study.splits(dataset)), desc=f"{dataset} {generator}", unit="split"):
        train, validation = read_development(study.paths.development(dataset), split)
        found = evaluate_split(
            train=train,
            validation=validation,
            test=read_test(study.paths.test(dataset), split),
            samples=read_samples(folder, split, schema, study.params.conditions),
            schema=schema,
            metrics=study.params.metrics,
            rng=study.rng.branch("metrics", dataset, split),
            real_auroc=real_areas(real, split),
            absent=read_absence(folder, split) or "the generator gave no sample",
        )
        parts.append(scores.to_frame(found, dataset=dataset, generator=generator, split=split))
    whole = pd.concat(parts, ignore_index=True)
    scores.write(whole, study.paths.scores(dataset, generator))
    return whole


def judge_real(study: Study, dataset: str) -> pd.DataFrame:
    """Compute what the real table achieves under the same metrics, write its score file and return it, tidy."""
    schema = read_schema(study.paths.development(dataset))
    parts = []
    for split in tqdm(range(study.splits(dataset)), desc=f"{dataset} real", unit="split"):
        train, validation = read_development(study.paths.development(dataset), split)
        found = reference_split(
            train=train,
            validation=validation,
            test=read_test(study.paths.test(dataset), split),
            schema=schema,
            metrics=study.params.metrics,
            rng=study.rng.branch("metrics", dataset, split),
            law=read_law(study.paths.test(dataset), split),
        )
        parts.append(scores.to_frame(found, dataset=dataset, generator="real", split=split))
    whole = pd.concat(parts, ignore_index=True)
    scores.write(whole, study.paths.scores(dataset, "real"))
    return whole


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
