"""What does a generator cost on ever more rows, and on ever more columns?

Every size has a fit and a draw of as many rows, in a process of its own (`lone_fit`). Sizes are climbed from the
smallest up, and a size is not run if

- a smaller one was ended for its time or its memory,
- the power law through the two largest sizes known, t(n) = t_2 (n / n_2)^e with e = log(t_2 / t_1) / log(n_2 / n_1),
  but e >= 0, gives more CPU seconds of fit and draw than the budget, or
- the only size known costs more than the budget.

Then its row says so and what the power law gives, instead of a number. A fit may cost `stop_at` times the budget before
it is ended; one that fails for another reason does not keep larger ones from being tried.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace

import pandas as pd
from tqdm import tqdm

from synthcohort import scores
from synthcohort.cells import machine, progress
from synthcohort.cells.lone_fit import GB, Fit, Limits, NoFit, Order, measure
from synthcohort.cells.scaled_tables import Blocks, Resampled, ScaledTable
from synthcohort.datasets import restricted
from synthcohort.scores import Score
from synthcohort.study import ScaleBlock, Study

TOTAL, TRAIN, PEAK = "cpu_seconds", "train_cpu_seconds", "peak_memory_bytes"
METRICS = (TOTAL, TRAIN, PEAK)
SIMULATED = "simulated"  # dataset of the scores of tables of growing width
NOT_RUN = "not run: "


@dataclass(frozen=True)
class NotRun:
    """A size that was left out.

    Args:
        reason: why.
    """

    reason: str


Outcome = Fit | NoFit | NotRun


def scale_cell(study: Study, dataset: str, generator: str) -> pd.DataFrame:
    """Measure one generator on every size, write the cell's cost file and return it."""
    block, found = study.params.scale, []
    with tqdm(total=len(block.rows) + len(block.columns), desc=f"{dataset} {generator}", unit="fit") as bar:
        for ladder in ladders(study, dataset):
            source = dataset if isinstance(ladder[0], Resampled) else SIMULATED
            for table, outcome in climb(ladder, lambda t: _kept(study, dataset, generator, t), block.fit_cpu_seconds):
                own = _scores(study, source, table, outcome)
                found.append(scores.to_frame(own, dataset=source, generator=generator, split=0))
                bar.update()
    whole = pd.concat(found, ignore_index=True)
    place = study.paths.scale(dataset, generator)
    if study.in_pipeline or not place.is_file():  # reading along in JupyterLab must not change what was measured
        scores.write(whole, place)
        machine.write(study.paths.scale_machine(dataset, generator), machine.describe(study.device))
    return whole


def ladders(study: Study, dataset: str) -> list[Sequence[ScaledTable]]:
    """Return the tables of growing length and those of growing width, each the smallest first."""
    block, shares = study.params.scale, study.params.study
    held = shares.validation_share / (1 - shares.test_share - shares.validation_share)
    folder = study.paths.development(dataset)
    return [
        [Resampled(rows, held, folder) for rows in block.rows],
        [Blocks(block.wide_rows, held, columns) for columns in block.columns],
    ]


def limits(block: ScaleBlock) -> Limits:
    """Return what ends a fit."""
    return Limits(block.stop_at * block.fit_cpu_seconds, round(block.memory_gb * GB))


def climb(
    tables: Sequence[ScaledTable], fit: Callable[[ScaledTable], Fit | NoFit], budget: float
) -> Iterator[tuple[ScaledTable, Outcome]]:
    """Yield every table with what its fit gave, or why it was not run.

    Args:
        tables: the smallest first.
        fit: measures one.
        budget: CPU seconds that fit and draw may cost.
    """
    known: list[tuple[int, float]] = []
    ended: ScaledTable | None = None
    for table in tables:
        reason = _too_much(table, known, ended, budget)
        if reason:
            yield table, NotRun(reason)
            continue
        outcome = fit(table)
        if isinstance(outcome, Fit):
            known.append((table.size, outcome.cpu_seconds))
        elif outcome.too_large:
            ended = table
        yield table, outcome


def growth(smaller: tuple[int, float], larger: tuple[int, float]) -> float:
    """Return the exponent e of the power law t = c n^e through two (n, t)."""
    return math.log(larger[1] / smaller[1]) / math.log(larger[0] / smaller[0])


def forecast(known: Sequence[tuple[int, float]], size: int) -> float:
    """Return t(size) by the two largest (n, t) known; NaN with fewer than two."""
    if len(known) < 2:
        return math.nan
    (n, t), exponent = known[-1], max(0.0, growth(known[-2], known[-1]))
    return t * (size / n) ** exponent


def _too_much(table: ScaledTable, known: Sequence[tuple[int, float]], ended: ScaledTable | None, budget: float) -> str:
    """Return why a table is not to be run, "" if it is."""
    expected = forecast(known, table.size)
    if expected > budget:
        return f"would cost about {float(f'{expected:.2g}'):,.0f} CPU s"
    if ended is not None:
        return f"{ended.size:,} {table.along} were too much"
    if known and known[-1][1] > budget:
        return f"{known[-1][0]:,} {table.along} cost {known[-1][1]:,.0f} CPU s"
    return ""


def _kept(study: Study, dataset: str, generator: str, table: ScaledTable) -> Fit | NoFit:
    """Return what one fit gave, from an earlier run or from a new one."""
    bounds = limits(study.params.scale)
    rng, name = study.rng.branch("scale"), (table.along, table.size)
    order = Order(
        table, generator, study.params.generators[generator],
        rng.branch("table", *name), rng.branch("fit", dataset, generator, *name), study.device,
    )  # fmt: skip
    place = study.paths.scale_fits(dataset, generator) / f"{table.condition}.json"
    stamp = _stamp(study, dataset, order, bounds)
    record = progress.kept(place, stamp)
    if record is None:
        record = _record(measure(order, bounds))
        progress.keep(place, stamp, record)
    return Fit(**record["fit"]) if "fit" in record else NoFit(**record["no_fit"])


def _record(outcome: Fit | NoFit) -> dict[str, dict[str, object]]:
    return {"fit" if isinstance(outcome, Fit) else "no_fit": asdict(outcome)}


def _stamp(study: Study, dataset: str, order: Order, bounds: Limits) -> str:
    place = study.paths.development(dataset)
    files = [place / "schema.json", place / "split_0" / "train.csv", place / "split_0" / "validation.csv"]
    own = files if isinstance(order.table, Resampled) else []
    sizes = {key: value for key, value in asdict(order.table).items() if key != "folder"}
    fit = [order.generator, dict(order.hyperparameters), order.device, asdict(order.fit_rng), asdict(order.rows_rng)]
    return progress.stamp([sizes, fit, asdict(bounds)], own)


def _scores(study: Study, source: str, table: ScaledTable, outcome: Outcome) -> list[Score]:
    """Return the costs of one size; what did not come to its end has the least it cost as the low end."""
    name = table.condition
    if isinstance(outcome, Fit):
        values = {TOTAL: outcome.cpu_seconds, TRAIN: outcome.train_cpu_seconds, PEAK: outcome.peak_memory_bytes}
        return [Score("cost", m, float(values[m]), table.rows, "down", condition=name) for m in METRICS]
    if isinstance(outcome, NotRun):
        return [scores.failed("cost", m, NOT_RUN + outcome.reason, condition=name) for m in METRICS]
    least = {TOTAL: outcome.cpu_seconds, PEAK: outcome.memory_bytes}
    reason = _reason(study, source, outcome)
    lost = [scores.failed("cost", m, reason, condition=name) for m in METRICS]
    return [replace(score, low=least.get(score.metric, math.nan), direction="down") for score in lost]


def _reason(study: Study, source: str, outcome: NoFit) -> str:
    if not outcome.error:
        return outcome.reason
    veil = restricted.veil(study, [source])
    return veil.of_error(outcome.error, outcome.reason) if veil else f"{outcome.error}: {outcome.reason}"
