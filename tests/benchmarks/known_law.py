"""Does each generator learn a law that is known?

The mixed table of `toys`, drawn from a stated graphical model (sex and age; stage given age; marker given age and
stage; death given all four): 5,000 rows to learn from, a tenth of them for early stopping, 5,000 synthetic rows judged
against 5,000 fresh ones. `C2ST` is the AUROC of boosted trees that tell the two apart, `TSTR` that of boosted trees
trained on synthetic rows and judged on fresh ones. Two lines stand for what is best and worst: fresh rows of the law
itself, and independent columns.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
from measuring import Clock, machine, show
from rows import opened

from synthcohort.generators import load as generators
from synthcohort.metrics import detection, fidelity, utility
from synthcohort.metrics.classifiers import PREDICTORS
from synthcohort.rng import Rng
from synthcohort.schema import Schema

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import toys

ROWS = 5_000


def main(arguments: list[str]) -> None:
    """Print a line for each generator."""
    study = opened()
    parser = argparse.ArgumentParser(prog="known_law", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help="generators (default: all there are)")
    parser.add_argument("--rows", type=int, default=ROWS, help="rows of each part (default: %(default)s)")
    chosen = parser.parse_args(arguments)
    n = chosen.rows
    frame, schema = toys.mixed(3 * n, seed=11)
    train, fresh, other = (frame[k * n : (k + 1) * n].reset_index(drop=True) for k in range(3))

    def lines() -> Iterator[tuple[object, ...]]:
        yield ("fresh rows", "", "", *_quality(other, fresh, schema))
        for name in chosen.names or generators.names():
            rng, clock = study.rng.branch("benchmark", "known_law", name), Clock()
            model = generators.build(name, study.params.generators.get(name, {}))
            with clock.measure("fit"):
                model.fit(train[n // 10 :], schema, validation=train[: n // 10], rng=rng.branch("fit"))
            with clock.measure("sample"):
                drawn = model.sample(n, rng=rng.branch("sample"))
            yield (name, clock.seconds["fit"], clock.seconds["sample"], *_quality(drawn, fresh, schema))

    show(["generator", "fit, CPU seconds", "sample, CPU seconds", "Shape", "Trend", "C2ST", "TSTR"], lines())
    print(f"\n{n:,} rows of each part. {machine()}")


def _quality(drawn: pd.DataFrame, fresh: pd.DataFrame, schema: Schema) -> list[str]:
    rng = Rng(1, ("judge",))
    values = {s.metric: s.value for s in fidelity.fidelity_scores(fresh, drawn, schema)}
    (told,) = detection.c2st_xgboost(fresh, drawn, schema, rng.branch("told"))
    judged = utility.judge(PREDICTORS["xgboost"], train=drawn, test=fresh, schema=schema, rng=rng.branch("useful"))
    scores = (values["shape"], values["trend"], told.value, utility.auroc(judged, schema))
    return [f"{value:.3f}" for value in scores]
