"""What does a private fit cost beside the fit of the same method without privacy?

Families of `frontier` in params.yaml that have a counterpart, with their settings there. Each is fitted on the train
rows; the counterpart is stopped by validation rows, as in the study. The seconds of the private fit include those of
the accountant, which solves for the noise; printed below the table is what the budget was spent on.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from measuring import Clock, machine, show
from rows import SIMULATED, Rows, find, opened

from synthcohort.generators import load as generators
from synthcohort.generators.base import Generator
from synthcohort.rng import Rng
from synthcohort.study import Study


def main(arguments: list[str]) -> None:
    """Print a line for each family."""
    study = opened()
    pairs = {n: f.counterpart for n, f in study.params.frontier.families.items() if f.counterpart not in ("", n)}
    parser = argparse.ArgumentParser(prog="private", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=f"of {', '.join(pairs)} (default: all of them)")
    parser.add_argument("--table", default=SIMULATED, help="a prepared table of the study (default: %(default)s)")
    parser.add_argument("--rows", type=int, default=800, help="train rows if simulated (default: %(default)s)")
    parser.add_argument("--epsilon", type=float, default=1.0, help="budget (default: %(default)s)")
    chosen = parser.parse_args(arguments)
    if unknown := sorted(set(chosen.names) - set(pairs)):
        parser.error(f"no family {unknown[0]!r} with a counterpart in params.yaml; there are {', '.join(pairs)}")
    rng = study.rng.branch("benchmark", "private")
    rows = find(chosen.table, chosen.rows, rng.branch("rows"))
    spent: list[str] = []

    def lines() -> Iterator[tuple[object, ...]]:
        for name in chosen.names or pairs:
            private, own = _fit(study, name, rows, rng, epsilon=chosen.epsilon)
            _, other = _fit(study, pairs[name], rows, rng)
            spent.append(f"{name}: {getattr(private, 'composition', '')}")
            yield name, own, pairs[name], other, own / other

    show(["family", "fit, CPU seconds", "without privacy", "fit, CPU seconds", "times"], lines())
    print("\n" + "\n\n".join(spent))
    print(f"\n{rows.text()}. {machine()}")


def _fit(study: Study, name: str, rows: Rows, rng: Rng, **budget: float) -> tuple[Generator, float]:
    """Return a fitted generator and the CPU seconds of its fit."""
    settings = study.params.frontier.families[name].settings if budget else study.params.generators[name]
    model, clock = generators.build(name, {**settings, **budget}), Clock()
    with clock.measure("fit"):
        model.fit(rows.train, rows.schema, validation=rows.validation, rng=rng.branch(name), device=study.device)
    return model, clock.seconds["fit"]
