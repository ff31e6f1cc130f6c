"""Do attacks agree with the budget that a private generator claims on a table?

The canaries of `metrics.canaries` join the train rows of the first split, each by a fair coin; the generator is fitted
once with every budget, and from the rows it draws alone the coins are guessed (`metrics.privacy_audit`). Rows cost no
budget, so `DRAWN` are drawn, that chance may hide little. The bound is for the delta that the fit claims.

A generator whose network is fitted by the private loop, one with a `clip_norm`, has that loop audited too, from the
inside, at its sampling rate and with as many steps (`audit_loop`); and beside it the loop with each of two faults
(`audit_faults`), which the audit must catch.

Departs: rows are neighbours if one of them is blank, the number of rows being public; here a canary that stays out is
left out, so that the number of rows, which no attack reads, moves with the coins.

A cell is several fits, so what each gave is kept as soon as it is known (`progress`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import pandas as pd
from tqdm import tqdm

from synthcohort import scores
from synthcohort.cells import audit_loop, progress
from synthcohort.cells.rows import read_development, read_schema
from synthcohort.generators import load as registry
from synthcohort.generators.base import FitError, Generator, PrivacySpent
from synthcohort.metrics import canaries, privacy_audit
from synthcohort.metrics.matrix import DataProblem
from synthcohort.metrics.privacy_audit import Bound
from synthcohort.rng import Rng
from synthcohort.scores import Score
from synthcohort.study import Study

SPLIT = 0
DRAWN = 20_000  # rows, or as many as there are train rows if these are more
CLAIMED = "audit_epsilon_claimed"
ROWS = ("audit_epsilon_rows", "audit_accuracy_rows", "audit_ceiling_rows")
LOOPS = {"loop": audit_loop.sound, "unclipped": audit_loop.unclipped, "reused_noise": audit_loop.reused_noise}


def audit_cell(study: Study, dataset: str, generator: str) -> pd.DataFrame:
    """Audit one generator on one table with every budget, write the cell's score file and return it, tidy."""
    found: list[Score] = []
    for record in tqdm(_records(study, dataset, generator), total=len(study.params.audit.epsilons), unit="budget"):
        found += [Score(**score) for score in record["scores"]]
    tidy = scores.to_frame(found, dataset=dataset, generator=generator, split=SPLIT)
    scores.write(tidy, study.paths.audit(dataset, generator))
    return tidy


def bound_scores(name: str, bound: Bound, condition: str) -> list[Score]:
    """Return a bound, the share of right guesses behind it and its ceiling; n is the number of guesses, or of canaries.

    Args:
        name: of what was audited, such as "rows".
        bound: what the audit found.
        condition: the budget.
    """
    share = bound.correct / bound.guesses
    return [
        Score("privacy", f"audit_epsilon_{name}", bound.epsilon, bound.guesses, "down", condition=condition),
        Score("privacy", f"audit_accuracy_{name}", share, bound.guesses, "half", condition=condition),
        Score("privacy", f"audit_ceiling_{name}", bound.ceiling, bound.canaries, "up", condition=condition),
    ]


def _records(study: Study, dataset: str, generator: str) -> Iterator[dict[str, Any]]:
    """Yield what every budget gave, from the kept ones and from new fits."""
    folder, stamp = study.paths.audit_fits(dataset, generator), _stamp(study, dataset, generator)
    for epsilon in study.params.audit.epsilons:
        place = folder / f"epsilon={epsilon:g}.json"
        record = progress.kept(place, stamp)
        if record is None:
            record = {"scores": [asdict(score) for score in _audited(study, dataset, generator, epsilon)]}
            progress.keep(place, stamp, record)
        yield record


def _audited(study: Study, dataset: str, generator: str, epsilon: float) -> list[Score]:
    """Return the claim and the bounds of one budget, failed ones where there is no fit or no canary."""
    condition = f"epsilon={epsilon:g}"
    try:
        return _bounds(study, dataset, generator, epsilon)
    except (FitError, DataProblem) as problem:
        return [scores.failed("privacy", name, str(problem), condition=condition) for name in (CLAIMED, *ROWS)]


def _bounds(study: Study, dataset: str, generator: str, epsilon: float) -> list[Score]:
    block, place, condition = study.params.audit, study.paths.development(dataset), f"epsilon={epsilon:g}"
    (train, _), schema = read_development(place, SPLIT), read_schema(place)
    rng = study.rng.branch("audit", dataset)  # the same canaries and coins for every generator and budget
    drawn = canaries.draw(block.canaries, schema, rng.branch("canaries"))
    inside = privacy_audit.coins(block.canaries, rng.branch("coins"))
    model = registry.build(generator, {**block.families[generator], "epsilon": epsilon})
    own = rng.branch(generator, condition)
    model.fit(schema.cast(pd.concat([train, drawn[inside]], ignore_index=True)), schema, rng=own.branch("fit"),
              device=study.device)  # fmt: skip
    spent = _claim(model)
    synthetic = model.sample(max(DRAWN, len(train)), rng=own.branch("sample"))
    bound = privacy_audit.audit(
        canaries.attacks(drawn, synthetic, train, schema),
        inside,
        delta=spent.delta,
        confidence=study.params.study.confidence,
    )
    claim = Score("privacy", CLAIMED, spent.epsilon, len(train), "down", condition=condition)
    return [claim, *bound_scores("rows", bound, condition), *_loop(study, model, len(train), own.branch("loop"))]


def _loop(study: Study, model: Generator, rows: int, rng: Rng) -> list[Score]:
    """Return the bounds of the private loop, sound and broken, with the settings of a model that it fits."""
    own = model.hyperparameters()
    if not {"clip_norm", "batch_size", "max_steps"} <= set(own):
        return []
    planned = audit_loop.plan(
        epsilon=own["epsilon"],
        canaries=study.params.audit.loop_canaries,
        sampling_rate=own["batch_size"] / rows,
        steps=own["max_steps"],
        clip_norm=own["clip_norm"],
    )
    found: list[Score] = []
    for name, audited in LOOPS.items():
        bound = audited(planned, rng.branch(name), confidence=study.params.study.confidence)
        found += bound_scores(name, bound, f"epsilon={own['epsilon']:g}")
    return found


def _claim(model: Generator) -> PrivacySpent:
    spent = model.privacy_spent()
    if spent is None:
        raise TypeError(f"{model.name} is to be audited but claims nothing: its privacy_spent() returned None")
    return spent


def _stamp(study: Study, dataset: str, generator: str) -> str:
    block, place = study.params.audit, study.paths.development(dataset)
    settings = [study.params.study.seed, study.params.study.confidence, study.device, dataset, generator,
                block.families[generator], block.canaries, block.loop_canaries]  # fmt: skip
    return progress.stamp(settings, [place / "schema.json", place / f"split_{SPLIT}" / "train.csv"])
