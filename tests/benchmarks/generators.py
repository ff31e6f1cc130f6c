"""What does each generator cost, and what does it give?

Every generator of params.yaml, with its settings there, learns from the train rows and draws as many. Shape and Trend
compare the draw with test rows, which no generator saw; the line "train rows" is what fresh real rows achieve.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence

import pandas as pd
from measuring import Clock, machine, megabytes, show
from rows import SIMULATED, Rows, find, opened

from synthcohort.generators import load as generators
from synthcohort.metrics.fidelity import fidelity_scores
from synthcohort.rng import Rng
from synthcohort.study import Study


def main(arguments: list[str]) -> None:
    """Print a line for each generator."""
    study = opened()
    known = list(study.params.generators)
    parser = argparse.ArgumentParser(prog="generators", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=f"of {', '.join(known)} (default: all of them)")
    parser.add_argument("--table", default=SIMULATED, help="a prepared table of the study (default: %(default)s)")
    parser.add_argument("--rows", type=int, default=800, help="train rows if simulated (default: %(default)s)")
    chosen = parser.parse_args(arguments)
    if unknown := sorted(set(chosen.names) - set(known)):
        parser.error(f"no generator {unknown[0]!r} in params.yaml; there are {', '.join(known)}")
    rng = study.rng.branch("benchmark", "generators")
    rows = find(chosen.table, chosen.rows, rng.branch("rows"))
    head = ["generator", "fit, CPU seconds", "sample, CPU seconds", "Shape", "Trend", "peak memory so far"]
    show(head, _lines(study, chosen.names or known, rows, rng))
    print(f"\n{rows.text()}; {len(rows.train):,} rows drawn. {machine()}")


def _lines(study: Study, names: Sequence[str], rows: Rows, rng: Rng) -> Iterator[tuple[object, ...]]:
    yield ("train rows", "", "", *_quality(rows, rows.train), megabytes())
    for name in names:
        yield _line(study, name, rows, rng.branch(name))


def _line(study: Study, name: str, rows: Rows, rng: Rng) -> tuple[object, ...]:
    clock = Clock()
    model = generators.build(name, study.params.generators[name])
    with clock.measure("fit"):
        model.fit(rows.train, rows.schema, validation=rows.validation, rng=rng.branch("fit"), device=study.device)
    with clock.measure("sample"):
        drawn = model.sample(len(rows.train), rng=rng.branch("sample"))
    return (name, clock.seconds["fit"], clock.seconds["sample"], *_quality(rows, drawn), megabytes())


def _quality(rows: Rows, drawn: pd.DataFrame) -> tuple[str, str]:
    found = {score.metric: score.value for score in fidelity_scores(rows.test, drawn, rows.schema)}
    return f"{found['shape']:.3f}", f"{found['trend']:.3f}"
