"""How good are the rows that one trained network draws with few evaluations, and what do they cost?

On every split the network of the training stage draws anew, with each number of evaluations and either solver: the
second-order steps that the study uses, and ancestral steps [Ho 2020, alg. 2], as published, which with very many
evaluations are the reference. Where a table is small, several draws of the size of its train rows are judged one by one
and their scores averaged, lest the chance of one draw hide the solver. The draws of every kind share the network, the
starting noise, the labels, the test rows and the folds of the classifier.

Draws are judged against test rows by Shape (of all columns, and of the numeric and the categorical features apart: a
label that is drawn before the walk says nothing of the solver), Trend and the classifier two-sample test. The condition
of a score names solver and evaluations: `second_order_25`, `ancestral_1000`. A cell is many long draws, so what each
kind gave is kept as soon as it is judged (`progress`).
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
from tqdm import tqdm

from synthcohort import scores
from synthcohort.cells import machine, progress
from synthcohort.cells.holdout import read_absence, read_test
from synthcohort.cells.rows import read_development, read_schema
from synthcohort.generators import load as registry
from synthcohort.generators.base import Generator
from synthcohort.metrics import detection, fidelity
from synthcohort.metrics.split import Measure, owed
from synthcohort.rng import Rng
from synthcohort.schema import Schema
from synthcohort.scores import Score
from synthcohort.study import FewStepsBlock, Study

SECOND, ANCESTRAL = "second_order", "ancestral"
OPTIONS = ("steps", "order", "eta")  # sampling options a generator needs
SECONDS = "sample_cpu_seconds"


@dataclass(frozen=True)
class Draw:
    """One kind of draw.

    Args:
        condition: its name in the score file.
        options: sampling options of the generator.
    """

    condition: str
    options: Mapping[str, Any]


@dataclass(frozen=True)
class Drawn:
    """What a cell gave, tidy: the scores of every draw and its CPU seconds."""

    scores: pd.DataFrame
    costs: pd.DataFrame


@dataclass(frozen=True)
class _Split:
    """What all draws of one split share; where the fit failed, `failure` says why and there is no model."""

    model: Generator | None
    failure: str
    rows: int  # of a draw
    draws: int  # of each kind
    test: pd.DataFrame
    schema: Schema
    rng: Rng


def missing_options(generator: str) -> list[str]:
    """Return the sampling options that the generator would need and has not."""
    return [name for name in OPTIONS if name not in registry.find(generator).sampling_options]


def draws(block: FewStepsBlock) -> list[Draw]:
    """Return every kind of draw, the reference last."""
    present = [Draw(f"{SECOND}_{steps}", {"steps": steps, "order": 2}) for steps in block.evaluations]
    published = [
        Draw(f"{ANCESTRAL}_{steps}", {"steps": steps, "order": 1, "eta": 1.0})
        for steps in (*block.evaluations, block.ancestral)
    ]
    return present + published


def few_steps_cell(study: Study, dataset: str, generator: str) -> Drawn:
    """Draw from one trained generator in every way and write the cell's score and cost files."""
    splits, ways = study.splits(dataset), draws(study.params.few_steps)
    parts: list[pd.DataFrame] = []
    costs: list[pd.DataFrame] = []
    with tqdm(total=splits * len(ways), desc=f"{dataset} {generator}", unit="draw") as bar:
        for split in range(splits):
            for record in _records(study, dataset, generator, split=split):
                for found, key in ((parts, "scores"), (costs, "costs")):
                    own = [Score(**score) for score in record[key]]
                    found.append(scores.to_frame(own, dataset=dataset, generator=generator, split=split))
                bar.update()
    whole = Drawn(pd.concat(parts, ignore_index=True), pd.concat(costs, ignore_index=True))
    scores.write(whole.scores, study.paths.few_steps(dataset, generator))
    spent = study.paths.few_steps_cost(dataset, generator)
    if study.in_pipeline or not spent.is_file():  # reading along in JupyterLab must not change what was measured
        scores.write(whole.costs, spent)
        machine.write(study.paths.few_steps_machine(dataset, generator), machine.describe("cpu"))
    return whole


def _records(study: Study, dataset: str, generator: str, *, split: int) -> Iterator[dict[str, Any]]:
    """Yield what every draw of one split gave, from the kept draws and from new ones."""
    folder, stamp = study.paths.few_steps_draws(dataset, generator), _stamp(study, dataset, generator, split=split)
    shared = None
    for draw in draws(study.params.few_steps):
        place = folder / f"split_{split}" / f"{draw.condition}.json"
        record = progress.kept(place, stamp)
        if record is None:
            shared = shared or _open(study, dataset, generator, split=split)
            record = _judged(shared, draw)
            progress.keep(place, stamp, record)
        yield record


def _open(study: Study, dataset: str, generator: str, *, split: int) -> _Split:
    """Load the network of one split; a short draw first, so that no draw pays for the start of the libraries."""
    place, trained = study.paths.development(dataset), study.paths.trained(dataset, generator)
    wanted = study.params.few_steps.rows
    rows = min(wanted, len(read_development(place, split)[0]))
    rng = study.rng.branch("few_steps", dataset, generator, split)
    failure = _fit_failure(trained, split)
    model = None
    if not failure:
        model = registry.load(generator, trained / f"split_{split}")
        model.sample(rows, rng=rng.branch("start"), steps=1)
    test = read_test(study.paths.test(dataset), split)
    return _Split(model, failure, rows, wanted // rows, test, read_schema(place), rng)


def _judged(split: _Split, draw: Draw) -> dict[str, Any]:
    """Return the scores and the cost of one kind of draw, means over its draws."""
    if split.model is None:
        names = [*_by_columns(split.schema), "c2st_xgboost"]
        found = [scores.failed("fidelity", name, split.failure) for name in names]
        found.append(scores.failed("cost", SECONDS, split.failure))
    else:
        each = [_one(split, split.model, draw, number) for number in range(split.draws)]
        found = [_mean(same) for same in zip(*each, strict=True)]
    named = [asdict(replace(score, condition=draw.condition)) for score in found]
    return {"scores": named[:-1], "costs": named[-1:]}


def _one(split: _Split, model: Generator, draw: Draw, number: int) -> list[Score]:
    """Return the scores of one draw, and last its cost."""
    started = time.process_time()
    drawn = model.sample(split.rows, rng=split.rng.branch("sample", number), **draw.options)
    cost = Score("cost", SECONDS, time.process_time() - started, split.rows, "down")
    test, schema = split.test, split.schema

    def columns() -> list[Score]:
        both = {score.metric: score for score in fidelity.fidelity_scores(test, drawn, schema)}
        shapes = fidelity.column_shapes(test, drawn, schema)
        kinds = shapes[shapes["column"] != schema.target.name].groupby("kind")["shape"].mean()
        parts = [Score("fidelity", f"shape_{kind}", float(v), len(drawn), "up") for kind, v in kinds.items()]
        return [both["shape"], both["trend"], *parts]

    def trees() -> list[Score]:
        return detection.c2st_xgboost(test, drawn, schema, split.rng.branch("c2st", number))

    measures = [
        Measure(owed("fidelity", _by_columns(schema)), columns),
        Measure(owed("fidelity", ["c2st_xgboost"]), trees),
    ]
    return [*(score for measure in measures for score in measure.run()), cost]


def _mean(same: Sequence[Score]) -> Score:
    """Return the mean of one score over draws; one that failed has none."""
    lost = [score for score in same if score.note]
    return lost[0] if lost else replace(same[0], value=sum(score.value for score in same) / len(same))


def _by_columns(schema: Schema) -> list[str]:
    return ["shape", "trend", *(f"shape_{kind}" for kind in sorted({c.kind for c in schema.features}))]


def _fit_failure(trained: Path, split: int) -> str:
    """Return why the fit of a split failed, "" if it did not."""
    reason = read_absence(trained, split)
    return reason if (trained / f"split_{split}" / "failed.json").is_file() else ""


def _stamp(study: Study, dataset: str, generator: str, *, split: int) -> str:
    trained = study.paths.trained(dataset, generator) / f"split_{split}"
    if not trained.is_dir():
        raise FileNotFoundError(f"{dataset}, {generator}: split {split} has not been trained; run `dvc repro`")
    files = [
        study.paths.development(dataset) / "schema.json",
        study.paths.development(dataset) / f"split_{split}" / "train.csv",
        study.paths.test(dataset) / f"split_{split}" / "test.csv",
        *sorted(path for path in trained.iterdir() if path.suffix in (".json", ".safetensors")),
    ]
    return progress.stamp([study.params.study.seed, dataset, generator, study.params.few_steps.rows], files)
