"""How fair is a model that learned from the balanced rows of one generator?

On every split the generator is fitted to the train rows and answers every ask (`fairness_draws`); the judge's
classifier learns from each answer and decides on the real test rows. What a split gave is kept as soon as it is known
(`progress`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd
from tqdm import tqdm

from synthcohort import scores
from synthcohort.cells import progress
from synthcohort.cells.fairness_draws import Draw, answers
from synthcohort.cells.fairness_judging import decision_scores, lost, table_scores
from synthcohort.cells.fairness_material import Ask, Material, asks, open_splits
from synthcohort.generators import load as registry
from synthcohort.generators.base import FitError
from synthcohort.metrics.matrix import DataProblem
from synthcohort.scores import Score
from synthcohort.study import Study

Judge = Callable[[Material], dict[str, list[Score]]]  # one split -> arm -> its scores


def fairness_cell(study: Study, dataset: str, generator: str) -> pd.DataFrame:
    """Judge one generator on one table, write the cell's score file and return its scores, tidy."""
    settings = study.params.fairness.generators[generator]

    def judge(material: Material) -> dict[str, list[Score]]:
        wanted = asks(material.attributes, study.params.fairness)
        model = registry.build(generator, settings)
        rng = material.rng.branch("fit", generator)
        try:
            model.fit(material.train, material.schema, validation=material.validation, rng=rng, device=study.device)
        except FitError as error:
            reason = str(error)
            return {generator: [s for ask in wanted for s in lost(material.attributes, ask.condition, reason)]}
        return {generator: judged(material, wanted, answers(model, material))}

    return run(study, dataset, name=generator, settings=settings, judge=judge)


def judged(material: Material, wanted: Sequence[Ask], draw: Draw) -> list[Score]:
    """Return the scores of every answer; an ask that cannot be met, or not learned from, fails alone."""
    found = []
    for ask in wanted:
        try:
            rows = draw(ask)
            model = material.learned(rows)
        except (DataProblem, FitError) as problem:
            found += lost(material.attributes, ask.condition, str(problem))
            continue
        found += decision_scores(material, material.decided(model), ask.condition)
        found += table_scores(material, ask, rows)
    return found


def run(study: Study, dataset: str, *, name: str, settings: object, judge: Judge) -> pd.DataFrame:
    """Judge every split, write the score file called `name` and return its scores, tidy.

    Args:
        study: settings and paths.
        dataset: the table.
        name: of the score file, and of the folder of what is kept.
        settings: JSON-able; with what is read from params.yaml they decide what a split gives.
        judge: of one split.
    """
    block, folder = study.params.fairness, study.paths.fairness_runs(dataset, name)
    stamp = _stamp(study, dataset, [name, settings])
    read: list[Callable[[int], Material]] = []  # splits are made once, and only if one is not kept
    parts = []
    for split in tqdm(range(block.splits), desc=f"{dataset} {name}", unit="split"):
        place = folder / f"split_{split}.json"
        record = progress.kept(place, stamp)
        if record is None:
            read = read or [open_splits(study, dataset)]
            record = _record(judge(read[0](split)))
            progress.keep(place, stamp, record)
        for arm, own in record.items():
            found = [Score(**score) for score in own]
            parts.append(scores.to_frame(found, dataset=dataset, generator=arm, split=split))
    whole = pd.concat(parts, ignore_index=True)
    scores.write(whole, study.paths.fairness(dataset, name))
    return whole


def _record(found: dict[str, list[Score]]) -> dict[str, Any]:
    return {arm: [asdict(score) for score in own] for arm, own in found.items()}


def _stamp(study: Study, dataset: str, settings: list[object]) -> str:
    block, place = study.params.fairness, study.paths.table(dataset)
    own = [study.params.study.seed, study.device, block.tables[dataset], block.cuts, block.dials, block.splits]
    files: list[Path] = [place / "table.csv", place / "schema.json"]
    return progress.stamp([dataset, *settings, *own], files)
