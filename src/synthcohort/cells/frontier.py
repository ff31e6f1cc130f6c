"""What does one private generator give on one table for every epsilon it may spend?

On every split the generator is fitted anew with each budget, on the train rows alone: validation rows are patients too,
and what they would choose is bought with no budget. At epsilon = inf stand the rows that the study drew from the
counterpart, the same method without privacy, or where there is none the generator's own with an infinite budget. A
generator that is its own counterpart is not private and has epsilon = inf only; so the sentinels join the others.

Rows are judged as in the study, by the same functions, subsamples and seeds: Shape and Trend, classifiers trained on
them, over all test rows, of the rarest class and over each group, membership attacks and attribute inference. The
condition of a score names the budget: `epsilon=1`, `epsilon=inf`. Beside them stands what the fit says it spent. A cell
is many fits, so what each gave is kept as soon as it is known (`progress`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
from tqdm import tqdm

from synthcohort import scores
from synthcohort.cells import progress
from synthcohort.cells.holdout import read_absence, read_samples, read_test
from synthcohort.cells.rows import read_development, read_schema
from synthcohort.generators import load as registry
from synthcohort.generators.base import FitError, Generator
from synthcohort.metrics import attribute_inference, cell_privacy, cell_utility, fidelity, membership
from synthcohort.metrics.group_utility import group_scores
from synthcohort.metrics.matrix import DataProblem
from synthcohort.metrics.minority_utility import minority_f1
from synthcohort.metrics.split import OBSERVED, Measure, Sample, Split, owed
from synthcohort.metrics.utility import Judged
from synthcohort.scores import Score
from synthcohort.study import FrontierBlock, Study

COLUMNS = ("shape", "trend")
SPENT = ("epsilon_spent", "delta_spent", "cryptographic_noise")


def condition(epsilon: float) -> str:
    """Return the condition of a budget: `epsilon=0.5`, `epsilon=inf`."""
    return f"epsilon={epsilon:g}"


def budgets(block: FrontierBlock, generator: str) -> list[float]:
    """Return the budgets of a generator, ascending; of one that is not private, inf alone."""
    own = block.families[generator].counterpart == generator
    return [*([] if own else block.epsilons), math.inf]


def frontier_cell(study: Study, dataset: str, generator: str) -> pd.DataFrame:
    """Fit and judge one generator with every budget on every split, write the cell's score file and return it, tidy."""
    wanted = budgets(study.params.frontier, generator)
    parts: list[pd.DataFrame] = []
    splits = min(study.params.frontier.splits, study.splits(dataset))
    with tqdm(total=splits * len(wanted), desc=f"{dataset} {generator}", unit="budget") as bar:
        for split in range(splits):
            for record in _records(study, dataset, generator, split=split):
                found = [Score(**score) for score in record["scores"]]
                parts.append(scores.to_frame(found, dataset=dataset, generator=generator, split=split))
                bar.update()
    whole = pd.concat(parts, ignore_index=True)
    scores.write(whole, study.paths.frontier(dataset, generator))
    return whole


def _records(study: Study, dataset: str, generator: str, *, split: int) -> Iterator[dict[str, Any]]:
    """Yield what every budget of one split gave, from the kept ones and from new fits."""
    folder = study.paths.frontier_fits(dataset, generator)
    rows = None
    for epsilon in budgets(study.params.frontier, generator):
        place = folder / f"split_{split}" / f"{condition(epsilon)}.json"
        stamp = _stamp(study, dataset, generator, split=split, epsilon=epsilon)
        record = progress.kept(place, stamp)
        if record is None:
            rows = rows or _open(study, dataset, split=split)
            free = math.isinf(epsilon) and study.params.frontier.families[generator].counterpart
            draw = _counterpart if free else partial(_private, epsilon=epsilon)
            found = draw(study, rows, dataset, generator, split=split)
            named = [_named(score, condition(epsilon)) for score in found]
            record = {"scores": [asdict(score) for score in named]}
            progress.keep(place, stamp, record)
        yield record


def _open(study: Study, dataset: str, *, split: int) -> Split:
    """Return the real rows of a split, with the randomness that the study judges it by."""
    place, block = study.paths.development(dataset), study.params.frontier
    train, validation = read_development(place, split)
    test = read_test(study.paths.test(dataset), split)
    metrics = study.params.metrics.model_copy(update={"classifiers": block.classifiers})
    return Split(train, validation, test, read_schema(place), metrics, study.rng.branch("metrics", dataset, split))


def _private(study: Study, rows: Split, dataset: str, generator: str, *, split: int, epsilon: float) -> list[Score]:
    """Fit with a budget and return the scores of as many rows as there are train rows, and what was spent."""
    settings = study.params.frontier.families[generator].settings
    model = registry.build(generator, {**settings, "epsilon": epsilon})
    rng = study.rng.branch("frontier", dataset, generator, split, condition(epsilon))
    try:
        model.fit(rows.train, rows.schema, rng=rng.branch("fit"), device=study.device)
    except FitError as error:
        return [*judged(rows, _nothing(str(error))), *(scores.failed("privacy", name, str(error)) for name in SPENT)]
    drawn = model.sample(len(rows.train), rng=rng.branch("sample"))
    spent = [] if math.isinf(epsilon) else _spent(model, len(rows.train))
    return [*judged(rows, lambda: drawn), *spent]


def _counterpart(study: Study, rows: Split, dataset: str, generator: str, *, split: int) -> list[Score]:
    """Return the scores of the rows that the study drew without privacy."""
    folder = study.paths.trained(dataset, study.params.frontier.families[generator].counterpart)
    there = read_samples(folder, split, rows.schema, [OBSERVED])
    return judged(rows, (lambda: there[OBSERVED]) if there else _nothing(read_absence(folder, split)))


def judged(rows: Split, sample: Sample) -> list[Score]:
    """Return every score of one sample.

    Args:
        rows: the real rows of the split.
        sample: the synthetic rows, or a `DataProblem` where there are none.
    """
    train, schema = rows.train, rows.schema
    trained, predictions = cell_utility.predictions("tstr", rows, sample)
    attacks = {*membership.METRICS, *attribute_inference.METRICS}
    measures = [
        Measure(
            owed("fidelity", COLUMNS),
            lambda: [s for s in fidelity.fidelity_scores(train, rows.enough(sample()), schema) if s.metric in COLUMNS],
        ),
        *predictions,
        *(measure for measure in cell_privacy.measures(rows, sample) if {e.metric for e in measure.owes} <= attacks),
    ]
    for predictor in rows.predictors():
        judge = partial(trained.judged, predictor)
        measures.append(Measure(owed("utility", [f"minority_f1_{predictor.name}"]), partial(_rarest, rows, judge)))
        measures.append(Measure((), partial(_groups, rows, judge)))
    return [score for measure in measures for score in measure.run()]


def _rarest(rows: Split, judge: Callable[[], Judged]) -> list[Score]:
    return minority_f1(judge(), rows.train, rows.schema)


def _groups(rows: Split, judge: Callable[[], Judged]) -> list[Score]:
    return group_scores(judge(), rows.test, rows.schema, condition=OBSERVED)


def _named(score: Score, budget: str) -> Score:
    return replace(score, condition=score.condition.replace(OBSERVED, budget, 1))


def _spent(model: Generator, rows: int) -> list[Score]:
    """Return what a fit says it has spent, and whether its noise was cryptographic (1) or came from the seed (0)."""
    spent = model.privacy_spent()
    if spent is None:
        raise TypeError(f"{model.name} is on the frontier but claims nothing: its privacy_spent() returned None")
    cryptographic = float(model.hyperparameters().get("cryptographic", False))  # without the choice: from the seed
    values = dict(zip(SPENT, (spent.epsilon, spent.delta, cryptographic), strict=True))
    return [Score("privacy", name, value, rows, "down") for name, value in values.items()]


def _nothing(reason: str) -> Sample:
    def none() -> pd.DataFrame:
        raise DataProblem(reason or "the generator gave no sample")

    return none


def _stamp(study: Study, dataset: str, generator: str, *, split: int, epsilon: float) -> str:
    block, development = study.params.frontier, study.paths.development(dataset)
    family, part = block.families[generator], development / f"split_{split}"
    files = [
        development / "schema.json",
        part / "train.csv",
        part / "validation.csv",
        study.paths.test(dataset) / f"split_{split}" / "test.csv",
    ]
    if math.isinf(epsilon) and family.counterpart:
        files += _drawn_before(study, dataset, family.counterpart, split)
    settings = [study.params.study.seed, study.device, dataset, generator, family.model_dump(), block.classifiers,
                study.params.metrics.model_dump()]  # fmt: skip
    return progress.stamp(settings, files)


def _drawn_before(study: Study, dataset: str, counterpart: str, split: int) -> list[Path]:
    """Return the files that hold what the study drew from the counterpart, or why it drew nothing."""
    trained = study.paths.trained(dataset, counterpart) / f"split_{split}"
    if not trained.is_dir():
        raise FileNotFoundError(f"{dataset}, {counterpart}: split {split} has not been trained; run `dvc repro`")
    return [path for path in (trained / f"{OBSERVED}.csv", trained / "failed.json") if path.is_file()]
