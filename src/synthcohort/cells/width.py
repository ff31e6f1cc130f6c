"""What does a method cost, and how well does it do, on tables of growing width whose law is known?

For every law of `datasets.latent_factors`, every number of columns and every repetition, a method is fitted on fresh
rows; one that imputes completes other rows whose cells were hidden completely at random, and one that generates draws
rows. The point error is recorded beside that of the law itself (condition "best_C" beside "columns_C"): nothing errs
less in expectation. Each measurement has a process of its own, so that its largest resident size, libraries included,
is not that of a wider table before it.

Train rows are whole. Fidelity is against fresh rows of the law. A fit or a draw that cannot be completed leaves its
reason for every score it owes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import product
from multiprocessing import get_context
from typing import Any

import pandas as pd
from tqdm import tqdm

from synthcohort import missingness, scores
from synthcohort.cells import imputers, machine, progress
from synthcohort.datasets.latent_factors import LAWS, LatentFactors
from synthcohort.generators import load as generators
from synthcohort.generators.base import FitError, Generator, peak_memory_bytes
from synthcohort.imputation import ImputationError
from synthcohort.imputers.base import Imputer
from synthcohort.metrics.fidelity import fidelity_scores
from synthcohort.metrics.imputation import imputation_scores
from synthcohort.rng import Rng
from synthcohort.schema import Schema
from synthcohort.scores import Score, failed
from synthcohort.study import Study, WidthBlock

FIT_SECONDS, IMPUTE_SECONDS = "fit_cpu_seconds", "impute_cpu_seconds"
SAMPLE_SECONDS, PEAK = "sample_cpu_seconds", "peak_memory_bytes"
ERRORS = {"numbers": "impute_mae_median", "codes": "impute_accuracy"}
FIDELITY = ("shape", "trend")
FAILURES = (FitError, ImputationError)


@dataclass(frozen=True)
class Wide:
    """What a method gave, tidy: the dataset is the law, the split the repetition."""

    scores: pd.DataFrame
    costs: pd.DataFrame


@dataclass(frozen=True)
class Task:
    """One measurement.

    Args:
        method: name of a generator or imputer.
        law: a key of `LAWS`.
        columns: C.
        repetition: its number.
        block: settings.
        rng: the study's randomness.
        device: torch device.
    """

    method: str
    law: str
    columns: int
    repetition: int
    block: WidthBlock
    rng: Rng
    device: str

    @property
    def condition(self) -> str:
        """The condition of the method's scores."""
        return f"columns_{self.columns}"

    @cached_property
    def known(self) -> LatentFactors:
        """The law, the same in every repetition."""
        return LAWS[self.law](self.columns, self.rng.branch("width", self.law))

    def rows(self, part: str, n: int) -> pd.DataFrame:
        """Return n rows of a part, the same for every method."""
        return self.known.draw(n, self.rng.branch("width", self.law, part, self.columns, self.repetition))


def build(name: str, hyperparameters: Mapping[str, Any]) -> Imputer | Generator:
    """Return an unfitted generator or imputer; errors as `cells.imputers.build`."""
    if name in generators.names():
        return generators.build(name, dict(hyperparameters))
    return imputers.build(name, hyperparameters)


def width_cell(study: Study, method: str) -> Wide:
    """Measure one method on every law, width and repetition, write its score and cost files and return both."""
    block, parts = study.params.width, []
    asked = list(product(block.laws, block.columns, range(block.repetitions)))
    for law, columns, repetition in tqdm(asked, desc=method, unit="table"):
        task = Task(method, law, columns, repetition, block, study.rng, study.device)
        parts.append(scores.to_frame(_record(study, task), dataset=law, generator=method, split=repetition))
    both = pd.concat(parts, ignore_index=True)
    spent = both["axis"] == "cost"
    whole = Wide(both[~spent].reset_index(drop=True), both[spent].reset_index(drop=True))
    scores.write(whole.scores, study.paths.width(method))
    if study.in_pipeline or not study.paths.width_cost(method).is_file():
        scores.write(whole.costs, study.paths.width_cost(method))
        machine.write(study.paths.width_machine(method), machine.describe(study.device))
    return whole


def measure(task: Task) -> list[Score]:
    """Return the scores and costs of one measurement, taken in this process."""
    schema, block = task.known.schema, task.block
    model = build(task.method, block.methods[task.method])
    rng = task.rng.branch("width", task.method, task.law, task.columns, task.repetition)
    train, validation, fresh = (task.rows(p, n) for p, n in _sizes(block.rows).items())
    hidden = missingness.mcar(fresh, schema, rate=block.rate, rng=_holes(task))
    holed = missingness.hide(fresh, hidden)
    asks: dict[str, Callable[[], Any]] = {
        FIT_SECONDS: lambda: imputers.fit(
            model, train, schema, validation=validation, rng=rng.branch("fit"), device=task.device
        )
    }
    if isinstance(model, Imputer) or imputers.ABILITY in model.abilities:
        asks[IMPUTE_SECONDS] = lambda: model.impute(holed, rng=rng.branch("impute"), draws=block.draws)
    if isinstance(model, Generator):
        asks[SAMPLE_SECONDS] = lambda: model.sample(block.rows, rng=rng.branch("sample"))
    costs, given, why = _carried_out(task, asks)
    found = [*costs, _peak(task)] if not why else costs
    reference = task.rows("fresh", block.rows)
    if IMPUTE_SECONDS in asks:
        draws = given.get(IMPUTE_SECONDS)
        found += _filling(task, fresh, hidden, draws, reference=train, why=why)
    if SAMPLE_SECONDS in asks:
        found += _drawing(task, reference, given.get(SAMPLE_SECONDS), schema, why=why)
    return found


def _record(study: Study, task: Task) -> list[Score]:
    """Return what one measurement gave, kept by an earlier run or new, from a process of its own."""
    name = f"{task.law}_{task.columns}_{task.repetition}"
    place = study.paths.width_steps(task.method) / f"{name}.json"
    settings = task.block.model_dump(include={"rows", "draws", "rate"})
    stamp = progress.stamp(
        [study.params.study.seed, study.device, name, task.method, task.block.methods[task.method], settings], []
    )
    record = progress.kept(place, stamp)
    if record is None:
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            found = pool.submit(measure, task).result()
        record = {"scores": [asdict(score) for score in found]}
        progress.keep(place, stamp, record)
    return [Score(**score) for score in record["scores"]]


def _sizes(rows: int) -> dict[str, int]:
    return {"train": rows, "validation": max(2, rows // 10), "asked": max(2, rows // 5)}


def _holes(task: Task) -> Rng:
    return task.rng.branch("width", task.law, "holes", task.columns, task.repetition)


def _carried_out(task: Task, asks: Mapping[str, Callable[[], Any]]) -> tuple[list[Score], dict[str, Any], str]:
    """Return what each ask cost, what it gave, and why the first that failed did; those after it are not tried."""
    costs, given, why = [], {}, ""
    for name, ask in asks.items():
        if why:
            costs.append(failed("cost", name, why, condition=task.condition))
            continue
        started = time.process_time()
        try:
            given[name] = ask()
            costs.append(_cost(task, name, time.process_time() - started))
        except FAILURES as error:
            why = str(error)
            costs.append(failed("cost", name, why, condition=task.condition))
    return costs, given, why


def _cost(task: Task, name: str, value: float) -> Score:
    return Score("cost", name, value, task.block.rows, "down", condition=task.condition)


def _peak(task: Task) -> Score:
    return _cost(task, PEAK, float(peak_memory_bytes()))


def _filling(
    task: Task, truth: pd.DataFrame, mask: Any, draws: list[pd.DataFrame] | None, *, reference: pd.DataFrame, why: str
) -> Iterator[Score]:
    """Yield the point error of the draws, and that of the law's own best point."""
    schema, name = task.known.schema, ERRORS[task.law]
    best = [task.known.best(missingness.hide(truth, mask))]
    for condition, filled in ((task.condition, draws), (f"best_{task.columns}", best)):
        if filled is None:
            yield failed("imputation", name, why, condition=condition)
            continue
        found = imputation_scores(truth, mask, filled, schema, reference=reference, condition=condition)
        yield from (score for score in found if score.metric == name)


def _drawing(
    task: Task, reference: pd.DataFrame, drawn: pd.DataFrame | None, schema: Schema, *, why: str
) -> list[Score]:
    """Return how near drawn rows are to fresh rows of the law."""
    if drawn is None:
        return [failed("fidelity", name, why, condition=task.condition) for name in FIDELITY]
    found = {score.metric: score for score in fidelity_scores(reference, drawn, schema)}
    return [Score(**{**asdict(found[name]), "condition": task.condition}) for name in FIDELITY]
