"""How far does one generator give away the most exposed patients of a table?

Shadow runs on the train rows of the first split: every run fits the generator anew on those rows less the targets that
its design leaves out, and draws as many rows as there are train rows; `metrics.shadow` turns the runs into scores.

A cell is many fits, so what each run gave is kept as soon as it is known (`progress`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm

from synthcohort import scores
from synthcohort.cells import progress
from synthcohort.cells.rows import read_development, read_schema
from synthcohort.generators import load as registry
from synthcohort.generators.base import FitError
from synthcohort.metrics import shadow
from synthcohort.metrics.matrix import DataProblem
from synthcohort.rng import Rng
from synthcohort.schema import Schema
from synthcohort.study import Study

SPLIT = 0
TRACE = ("run", "target", "member", "score")
ROC = ("false_rate", "true_rate")


@dataclass(frozen=True)
class Attack:
    """What a shadow-model attack found on one cell.

    Args:
        scores: tidy, as in the cell's file.
        trace: one row per run and target: run, target, member, score; no rows if the attack could not be made.
        roc: columns false_rate, true_rate; no rows likewise.
        rows: train rows of the split, targets included.
        confidence: of the intervals.
    """

    scores: pd.DataFrame
    trace: pd.DataFrame
    roc: pd.DataFrame
    rows: int
    confidence: float

    def summary(self) -> pd.DataFrame:
        """Return the scores under the names of `comparison.intervals.summarise`, with their own intervals."""
        return self.scores.rename(columns={"value": "mean"}).assign(splits=1)

    def caption(self) -> str:
        """Return the caption of the figure; there must be a trace."""
        runs, targets = self.trace["run"].nunique(), self.trace["target"].nunique()
        member = self.trace["member"].to_numpy(dtype=bool)
        auroc = self.scores.set_index("metric").loc["mia_auroc_shadow"]
        return (
            f"{runs} shadow runs on the {self.rows:,} train rows of the first split, the {targets} most exposed of "
            f"which are each in {runs // 2} runs and out of the others. AUROC {auroc['value']:.3f} "
            f"[{auroc['low']:.3f}, {auroc['high']:.3f}] ({100 * self.confidence:g} %, bootstrap over targets); "
            f"0.5 is chance. With {(~member).sum()} scores of non-members the smallest false positive rate that can be "
            f"observed is {shadow.resolution(member):.2g}; the left edge of the curve accuses no non-member."
        )


@dataclass(frozen=True)
class _Material:
    """What every run of a cell shares: the split's rows, which of them are targets, and the randomness of the fits."""

    train: pd.DataFrame
    validation: pd.DataFrame
    schema: Schema
    chosen: np.ndarray
    rng: Rng


def shadow_cell(study: Study, dataset: str, generator: str) -> Attack:
    """Attack one generator on one table and write the cell's score file."""
    place, block = study.paths.development(dataset), study.params.shadow
    train, validation = read_development(place, SPLIT)
    schema = read_schema(place)
    rng = study.rng.branch("shadow", dataset)  # the same targets and design for every generator
    inside = shadow.design(block.models, block.targets, rng.branch("design"))  # [M, R]
    confidence = study.params.study.confidence
    try:
        chosen = shadow.exposed(train, schema, block.targets, rng.branch("targets"))
        material = _Material(train, validation, schema, chosen, rng.branch("runs", generator))
        ratio = shadow.likelihood_ratio(_statistics(study, dataset, generator, material, inside), inside)
    except DataProblem as problem:
        found = [scores.failed("privacy", name, str(problem)) for name in shadow.METRICS]
        trace, roc = (pd.DataFrame(columns=names) for names in (TRACE, ROC))
    else:
        found = shadow.attack_scores(ratio, inside, confidence=confidence, rng=rng.branch("intervals"))
        trace, roc = _trace(ratio, inside), shadow.roc(ratio, inside)
    tidy = scores.to_frame(found, dataset=dataset, generator=generator, split=SPLIT)
    scores.write(tidy, study.paths.shadow(dataset, generator))
    return Attack(tidy, trace, roc, len(train), confidence)


def _statistics(study: Study, dataset: str, generator: str, material: _Material, inside: np.ndarray) -> np.ndarray:
    """Return the statistic of every run and target, [M, R], from the kept runs and from new ones.

    Raises:
        DataProblem: if the fit of a run cannot be completed; the runs after it are not tried.
    """
    folder, stamp = study.paths.shadow_runs(dataset, generator), _stamp(study, dataset, generator)
    found = []
    for m, held in enumerate(tqdm(inside, desc=f"{dataset} {generator}", unit="run")):
        place = folder / f"run_{m}.json"
        record = progress.kept(place, stamp)
        if record is None:
            record = _run(study, generator, material, m, held)
            progress.keep(place, stamp, record)
        if "reason" in record:
            raise DataProblem(f"shadow run {m} could not be fitted: {record['reason']}")
        found.append(record["statistics"])
    return np.array(found)


def _run(study: Study, generator: str, material: _Material, m: int, held: np.ndarray) -> dict[str, Any]:
    """Return the statistics of run m, which holds the targets `held` [R], or the reason why it could not be fitted."""
    train, schema, rng = material.train, material.schema, material.rng.branch(m)
    rows = train.drop(index=train.index[material.chosen[~held]]).reset_index(drop=True)
    model = registry.build(generator, study.params.generators[generator])
    try:
        model.fit(rows, schema, validation=material.validation, rng=rng.branch("fit"), device=study.device)
    except FitError as error:
        return {"reason": str(error)}
    drawn = model.sample(len(train), rng=rng.branch("sample"))
    return {"statistics": shadow.closeness(train.iloc[material.chosen], drawn, train, schema).tolist()}


def _trace(ratio: np.ndarray, inside: np.ndarray) -> pd.DataFrame:
    run, target = np.indices(ratio.shape)
    columns = (run.ravel(), target.ravel(), inside.ravel(), ratio.ravel())
    return pd.DataFrame(dict(zip(TRACE, columns, strict=True)))


def _stamp(study: Study, dataset: str, generator: str) -> str:
    block, place = study.params.shadow, study.paths.development(dataset)
    settings = [
        study.params.study.seed, study.device, generator, study.params.generators[generator], block.models,
        block.targets,
    ]  # fmt: skip
    part = place / f"split_{SPLIT}"
    return progress.stamp(settings, [place / "schema.json", part / "train.csv", part / "validation.csv"])
