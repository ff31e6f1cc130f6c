"""How long does it take to judge one generator on one split?

The rows judged are a Gaussian copula's: `metrics.cell.evaluate_split` runs as in the study, with the study's settings,
and each of its measures is charged to the axis of its scores. A predictor that several measures share is charged to
the first that asks for it.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from unittest.mock import patch

import pandas as pd
from measuring import Clock, machine, megabytes, show
from rows import SIMULATED, Rows, find, opened

from synthcohort import conditions
from synthcohort.generators import load as generators
from synthcohort.metrics.cell import evaluate_split
from synthcohort.metrics.cell_utility import Trained
from synthcohort.metrics.split import Measure, Split
from synthcohort.rng import Rng
from synthcohort.scores import Score
from synthcohort.study import MetricsBlock, Study

GENERATOR = "gaussian_copula"
AXES = ("fidelity", "utility", "augmentation", "privacy")


def main(arguments: list[str]) -> None:
    """Print the CPU seconds of each axis."""
    parser = argparse.ArgumentParser(prog="metrics", description=__doc__)
    parser.add_argument("--table", default=SIMULATED, help="a prepared table of the study (default: %(default)s)")
    parser.add_argument("--rows", type=int, default=1400, help="train rows if simulated (default: %(default)s)")
    chosen = parser.parse_args(arguments)
    study = opened()
    rng = study.rng.branch("benchmark", "metrics")
    report(find(chosen.table, chosen.rows, rng.branch("rows")), study, rng)


def report(rows: Rows, study: Study, rng: Rng) -> None:
    """Measure the metrics on `rows` and print the table."""
    samples = {name: frame for name in study.params.conditions if (frame := _sample(rows, name, rng)) is not None}
    before, clock = megabytes(), Clock()
    scores = judge(rows, samples, study.params.metrics, rng=rng, clock=clock)
    whole = clock.seconds.pop("whole")
    parts = [(name, clock.seconds[name], _count(scores, name)) for name in AXES]
    rest = ("checks of the rows", whole - sum(clock.seconds.values()), "")
    show(["metrics", "CPU seconds", "scores"], [*parts, rest, ("all", whole, len(scores))])
    drawn = ", ".join(f"{len(frame):,} {name}" for name, frame in samples.items())
    failed = sum(bool(score.note) for score in scores)
    print(f"\n{rows.text()}; rows judged: {drawn} ({GENERATOR}); {failed} scores not defined on them.")
    print(f"Peak resident memory {megabytes()}, {before} of it before the first metric. {machine()}")


def judge(
    rows: Rows, samples: Mapping[str, pd.DataFrame], settings: MetricsBlock, *, rng: Rng, clock: Clock
) -> list[Score]:
    """Return the scores of `samples`; the clock gets the seconds of each axis, and those of everything as "whole"."""
    real = Trained(Split(rows.train, rows.validation, rows.test, rows.schema, settings, rng), lambda: rows.train)
    areas, run = real.areas(), Measure.run

    def timed(measure: Measure) -> list[Score]:
        with clock.measure(measure.owes[0].axis):
            return run(measure)

    with patch.object(Measure, "run", timed), clock.measure("whole"):
        return evaluate_split(
            train=rows.train,
            validation=rows.validation,
            test=rows.test,
            samples=samples,
            schema=rows.schema,
            metrics=settings,
            rng=rng,
            real_auroc=areas,
        )


def _sample(rows: Rows, condition: str, rng: Rng) -> pd.DataFrame | None:
    ask = conditions.find(condition)(rows.train, rows.schema, rng.branch("ask", condition))
    if ask is None:
        return None
    model = generators.build(GENERATOR, {}).fit(rows.train, rows.schema, rng=rng.branch("fit"))
    return model.sample(len(ask), conditions=ask, rng=rng.branch("sample", condition))


def _count(scores: list[Score], axis: str) -> int:
    return sum(score.axis == axis for score in scores)
