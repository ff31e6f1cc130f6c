"""How well does one fitted network fill hidden cells with few evaluations, and what does that cost?

On each split of the imputation study the generator is fitted as there, on the same rows and with the same randomness,
and completes the test rows with the same holes under the scenario it was fitted for. It does so several times with
each number of evaluations and each solver: the second-order steps that the study uses, implicit steps (DDIM), and
ancestral steps, which with very many evaluations are the reference. The fillings of every kind share network, holes
and starting noise.

Fillings are judged against the truth by the scores in `SCORES` (`metrics.imputation`). The condition of a score names
solver and evaluations, as in `few_steps`. What a split gave is kept as soon as it is whole (`progress`).
"""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Any

import pandas as pd
from tqdm import tqdm

from synthcohort import missingness, scores
from synthcohort.cells import few_steps, hidden, imputers, machine, progress
from synthcohort.cells.few_steps import Draw, Drawn
from synthcohort.generators.base import Generator
from synthcohort.metrics.imputation import imputation_scores
from synthcohort.rng import Rng
from synthcohort.scores import Score, failed
from synthcohort.study import FewStepsBlock, Study

DDIM = "ddim"
SECONDS = "impute_cpu_seconds"
SCORES = (
    *("impute_crps", "impute_mae_median", "impute_coverage_gap", "impute_wasserstein_numeric"),
    *("impute_brier", "impute_accuracy", "impute_wasserstein_categorical"),
)


def missing_options(imputer: str) -> list[str]:
    """Return the sampling options that the imputer would need and has not."""
    kind = imputers.find(imputer)
    return few_steps.missing_options(imputer) if issubclass(kind, Generator) else list(few_steps.OPTIONS)


def ways(block: FewStepsBlock) -> list[Draw]:
    """Return every kind of filling, the reference last."""
    implicit = [Draw(f"{DDIM}_{steps}", {"steps": steps, "order": 1, "eta": 0.0}) for steps in block.evaluations]
    return [*implicit, *few_steps.draws(block)]


def few_steps_impute_cell(study: Study, dataset: str, imputer: str) -> Drawn:
    """Fit one generator on the imputation study's splits, fill in every way, write the cell's score and cost files."""
    splits = min(study.splits(dataset), study.params.imputation.splits)
    parts: list[pd.DataFrame] = []
    costs: list[pd.DataFrame] = []
    with tqdm(total=splits * len(ways(study.params.few_steps)), desc=f"{dataset} {imputer}", unit="way") as bar:
        for split in range(splits):
            record = _record(study, dataset, imputer, split=split, bar=bar)
            for found, key in ((parts, "scores"), (costs, "costs")):
                own = [Score(**score) for score in record[key]]
                found.append(scores.to_frame(own, dataset=dataset, generator=imputer, split=split))
    told = hidden.told(study, dataset, pd.concat(parts, ignore_index=True))
    whole = Drawn(told, pd.concat(costs, ignore_index=True))
    scores.write(whole.scores, study.paths.few_steps_impute(dataset, imputer))
    spent = study.paths.few_steps_impute_cost(dataset, imputer)
    if study.in_pipeline or not spent.is_file():  # reading along in JupyterLab must not change what was measured
        scores.write(whole.costs, spent)
        machine.write(study.paths.few_steps_impute_machine(dataset, imputer), study.device)
    return whole


def _record(study: Study, dataset: str, imputer: str, *, split: int, bar: tqdm) -> dict[str, Any]:
    """Return what one split gave, kept by an earlier run or new."""
    place = study.paths.few_steps_impute_splits(dataset, imputer) / f"split_{split}.json"
    stamp = _stamp(study, dataset, imputer, split=split)
    record = progress.kept(place, stamp)
    if record is not None:
        bar.update(len(ways(study.params.few_steps)))
        return record
    record = _judged(study, dataset, imputer, split=split, bar=bar)
    progress.keep(place, stamp, record)
    return record


def _judged(study: Study, dataset: str, imputer: str, *, split: int, bar: tqdm) -> dict[str, Any]:
    """Fit the network of one split and return the scores and the cost of every way to fill."""
    shared = hidden.open_split(study, dataset, split=split)
    model = imputers.build(imputer, shared.block.imputers[imputer])
    rng = hidden.randomness(study, dataset, imputer, split=split)
    failure = ""
    try:
        hidden.fit(shared, model, rng.branch("fit"), study.device)
    except hidden.FAILURES as error:
        failure = str(error)
    found: dict[str, Any] = {"scores": [], "costs": []}
    for way in ways(study.params.few_steps):
        if failure:
            own = _lost(shared, way, failure)
        else:
            own = _filled(shared, model, way, draws=study.params.few_steps.draws, rng=rng.branch("few_steps"))
        found["scores"] += [asdict(score) for score in own[:-1]]
        found["costs"].append(asdict(own[-1]))
        bar.update()
    return found


def _filled(split: hidden.Split, model: Any, way: Draw, *, draws: int, rng: Rng) -> list[Score]:
    """Return the scores of the test rows filled in one way, and last the cost."""
    try:
        mask = split.mask("test", split.block.fitted)
        rows = missingness.hide(split.test, mask)
        started = time.process_time()
        drawn = model.impute(rows, rng=rng, draws=draws, **way.options)
        cost = Score("cost", SECONDS, time.process_time() - started, len(rows), "down", condition=way.condition)
    except hidden.FAILURES as error:
        return _lost(split, way, str(error))
    found = imputation_scores(split.test, mask, drawn, split.schema, reference=split.train, condition=way.condition)
    wanted = _owed(split)
    return [*(score for score in found if score.metric in wanted), cost]


def _lost(split: hidden.Split, way: Draw, reason: str) -> list[Score]:
    """Return the reason for every score that is owed, and last for the cost."""
    found = [failed("imputation", name, reason, condition=way.condition) for name in _owed(split)]
    return [*found, failed("cost", SECONDS, reason, condition=way.condition)]


def _owed(split: hidden.Split) -> list[str]:
    return [name for name in hidden.owed(split.schema) if name in SCORES]


def _stamp(study: Study, dataset: str, imputer: str, *, split: int) -> str:
    filling, block = study.params.imputation, study.params.few_steps
    settings = [
        *(study.params.study.seed, study.device, dataset, imputer, filling.imputers[imputer]),
        filling.model_dump(include={"fitted"}),
        block.model_dump(include={"evaluations", "ancestral", "draws"}),
    ]
    return progress.stamp(settings, hidden.files(study, dataset, split=split))
