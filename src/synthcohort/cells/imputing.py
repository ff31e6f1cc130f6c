"""How well does one imputer fill the cells that were hidden from it, and what does that cost?

On each of the first `splits` splits the imputer is fitted once, on train rows some of whose cells are hidden
(`fitted`). Then it completes the test rows under each scenario, several times over, and the draws are judged against
the truth (`metrics.imputation`); it completes the train rows as well, and a predictor learns from each draw and is
judged on the test rows as `prepare` filled them (`metrics.imputation_downstream`). The condition of a score names the
scenario: `mcar_0.2`.

What is hidden, and from whom, is said in `hidden`. If `as_found` asks for it, rows are also completed as they were
found: what learns from them is judged as ever, and the cells by how they look (`metrics.imputation_plausibility`). A
fit or a draw that cannot be completed leaves its reason for every score it owes.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass

import pandas as pd
from tqdm import tqdm

from synthcohort import missingness, scores
from synthcohort.cells import hidden, imputers, machine, progress
from synthcohort.cells.hidden import FAILURES, Split
from synthcohort.generators.base import FitError, Generator
from synthcohort.imputation import ImputationError
from synthcohort.imputers.base import Imputer
from synthcohort.metrics.classifiers import PREDICTORS
from synthcohort.metrics.imputation import imputation_scores
from synthcohort.metrics.imputation_downstream import downstream_name, downstream_scores
from synthcohort.metrics.imputation_plausibility import CONDITION, plausibility_scores
from synthcohort.metrics.imputation_plausibility import METRICS as PLAUSIBLE
from synthcohort.rng import Rng
from synthcohort.scores import Score, failed
from synthcohort.study import ImputationBlock, Scenario, Study

FIT_SECONDS, IMPUTE_SECONDS = "fit_cpu_seconds", "impute_cpu_seconds"


@dataclass(frozen=True)
class Imputed:
    """What a cell gave, tidy: the scores under every scenario, and CPU seconds."""

    scores: pd.DataFrame
    costs: pd.DataFrame


@dataclass(frozen=True)
class _Fitted:
    """One imputer on one split; `failure` says why its fit failed, "" if it did not."""

    split: Split
    model: Imputer | Generator
    failure: str
    rng: Rng

    def draw(self, rows: pd.DataFrame, branch: str) -> list[pd.DataFrame]:
        """Return the draws of rows with holes.

        Raises:
            FitError: if the fit failed.
            ImputationError: if the rows cannot be completed.
        """
        if self.failure:
            raise FitError(self.failure)
        return self.model.impute(rows, rng=self.rng.branch("impute", branch), draws=self.split.block.draws)


def impute_cell(study: Study, dataset: str, imputer: str) -> Imputed:
    """Fit one imputer on the first splits of a table, fill every scenario, write the cell's score and cost files."""
    block = study.params.imputation
    splits = min(study.splits(dataset), block.splits)
    parts = []
    with tqdm(total=splits * _count(block), desc=f"{dataset} {imputer}", unit="step") as bar:
        for split in range(splits):
            found = _record(study, dataset, imputer, split=split, bar=bar)
            parts.append(scores.to_frame(found, dataset=dataset, generator=imputer, split=split))
    both = hidden.told(study, dataset, pd.concat(parts, ignore_index=True))
    spent = both["axis"] == "cost"
    whole = Imputed(both[~spent].reset_index(drop=True), both[spent].reset_index(drop=True))
    scores.write(whole.scores, study.paths.impute(dataset, imputer))
    place = study.paths.impute_cost(dataset, imputer)
    if study.in_pipeline or not place.is_file():  # reading along in JupyterLab must not change what was measured
        scores.write(whole.costs, place)
        machine.write(study.paths.impute_machine(dataset, imputer), study.device)
    return whole


def _record(study: Study, dataset: str, imputer: str, *, split: int, bar: tqdm) -> list[Score]:
    """Return what one split gave, kept by an earlier run or new."""
    place = study.paths.impute_splits(dataset, imputer) / f"split_{split}.json"
    stamp = _stamp(study, dataset, imputer, split=split)
    record = progress.kept(place, stamp)
    if record is not None:
        bar.update(_count(study.params.imputation))
        return [Score(**score) for score in record["scores"]]
    found = []
    for step in _steps(study, dataset, imputer, split=split):
        found += step
        bar.update()
    progress.keep(place, stamp, {"scores": [asdict(score) for score in found]})
    return found


def _steps(study: Study, dataset: str, imputer: str, *, split: int) -> Iterator[list[Score]]:
    """Yield the scores and costs of the fit, of each scenario, and of what learns from completed train rows."""
    shared = hidden.open_split(study, dataset, split=split)
    model = imputers.build(imputer, shared.block.imputers[imputer])
    rng = hidden.randomness(study, dataset, imputer, split=split)
    cost = _fit(shared, model, rng.branch("fit"), study.device)
    one = _Fitted(shared, model, cost.note, rng)
    yield [cost]
    for scenario in shared.block.scenarios:
        yield _filled(one, scenario)
    yield _learned(one)
    if shared.block.as_found:
        yield _as_found(one)


def _fit(split: Split, model: Imputer | Generator, rng: Rng, device: str) -> Score:
    """Fit the model and return what that cost, or why it failed."""
    fitted = split.block.fitted
    try:
        seconds = hidden.fit(split, model, rng, device)
    except FAILURES as error:
        return failed("cost", FIT_SECONDS, str(error), condition=fitted.name)
    return _cost(FIT_SECONDS, seconds, len(split.train), fitted)


def _filled(one: _Fitted, scenario: Scenario) -> list[Score]:
    """Return the scores of the draws of the test rows under a scenario, and what these cost."""
    shared, wanted = one.split, hidden.owed(one.split.schema)
    try:
        mask = shared.mask("test", scenario)
        rows = missingness.hide(shared.test, mask)
        started = time.process_time()
        draws = one.draw(rows, scenario.name)
        seconds = time.process_time() - started
    except FAILURES as error:
        lost = [failed("imputation", name, str(error), condition=scenario.name) for name in wanted]
        return [*lost, failed("cost", IMPUTE_SECONDS, str(error), condition=scenario.name)]
    found = imputation_scores(shared.test, mask, draws, shared.schema, reference=shared.train, condition=scenario.name)
    return [*(s for s in found if s.metric in wanted), _cost(IMPUTE_SECONDS, seconds, len(rows), scenario)]


def _learned(one: _Fitted) -> list[Score]:
    """Return the scores of a predictor that learns from completed train rows."""
    shared, fitted = one.split, one.split.block.fitted
    predictor = PREDICTORS[shared.block.classifier]
    try:
        draws = one.draw(shared.hidden("train", fitted), "train")
    except FAILURES as error:
        name = downstream_name(shared.schema, predictor)
        return [failed("imputation", name, str(error), condition=fitted.name)]
    rng = shared.masks.branch("predictor")
    return downstream_scores(draws, shared.filled, shared.schema, predictor, rng=rng, condition=fitted.name)


def _as_found(one: _Fitted) -> list[Score]:
    """Return what can be said of the holes that the table had from the first, none hidden beside them."""
    shared, predictor = one.split, PREDICTORS[one.split.block.classifier]
    try:
        if not (shared.train.isna().any(axis=None) and shared.test.isna().any(axis=None)):
            raise ImputationError("no cell of the train rows or of the test rows was missing from the first")
        filled, learned = one.draw(shared.test, CONDITION), one.draw(shared.train, f"{CONDITION}_train")
    except FAILURES as error:
        names = [*PLAUSIBLE, downstream_name(shared.schema, predictor)]
        return [failed("imputation", name, str(error), condition=CONDITION) for name in names]
    rng = shared.masks.branch("predictor")
    return [
        *plausibility_scores(shared.train, shared.test, filled, shared.schema),
        *downstream_scores(learned, shared.filled, shared.schema, predictor, rng=rng, condition=CONDITION),
    ]


def _count(block: ImputationBlock) -> int:
    """Return the steps of a split: the fit, each scenario, what learns, and the holes as found."""
    return len(block.scenarios) + 2 + block.as_found


def _cost(name: str, seconds: float, rows: int, scenario: Scenario) -> Score:
    return Score("cost", name, seconds, rows, "down", condition=scenario.name)


def _stamp(study: Study, dataset: str, imputer: str, *, split: int) -> str:
    block = study.params.imputation
    settings = [study.params.study.seed, study.device, dataset, imputer, block.imputers[imputer]]
    rest = block.model_dump(include={"fitted", "scenarios", "draws", "classifier", "as_found"})
    return progress.stamp([*settings, rest], hidden.files(study, dataset, split=split))
