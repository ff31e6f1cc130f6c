"""How long does dimension-wise prediction take on a patient-by-code matrix?

Codes of a patient are drawn independently given a few hidden traits, with prevalences from rare to common; train, test
and "synthetic" rows are of the same law.
"""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd
from measuring import Clock, machine, megabytes, show
from rows import opened

from synthcohort.metrics.prediction import dimension_wise_prediction
from synthcohort.rng import Rng
from synthcohort.schema import Column, Schema

TRAITS = 20


def main(arguments: list[str]) -> None:
    """Print the CPU seconds."""
    parser = argparse.ArgumentParser(prog="wide", description=__doc__)
    parser.add_argument("--rows", type=int, default=30_000, help="patients of each side (default: %(default)s)")
    parser.add_argument("--codes", type=int, default=1_071, help="binary columns (default: %(default)s)")
    chosen = parser.parse_args(arguments)
    rng, clock = opened().rng.branch("benchmark", "wide"), Clock()
    schema = code_schema(chosen.codes)
    sizes = {"train": chosen.rows, "test": chosen.rows // 3, "synthetic": chosen.rows}
    train, test, synthetic = (patients(n, schema, rng, rng.branch(part)) for part, n in sizes.items())
    before = megabytes()
    with clock.measure("dimension-wise prediction"):
        found = dimension_wise_prediction(train, test, synthetic, schema, max_rows=chosen.rows, rng=rng)
    cells = [(name, seconds, f"{found[0].value:.4f}") for name, seconds in clock.seconds.items()]
    show(["metric", "CPU seconds", "value"], cells)
    counts = ", ".join(f"{n:,} {part}" for part, n in sizes.items())
    print(f"\n{counts} rows of {chosen.codes:,} binary columns, all of them used.")
    print(f"Peak resident memory {megabytes()}, {before} of it before the metric. {machine()}")


def code_schema(codes: int) -> Schema:
    """Return the schema of so many binary columns, the last of them the target."""
    roles = ["feature"] * (codes - 1) + ["target"]
    columns = [Column(f"code_{j}", "categorical", role, ("0", "1")) for j, role in enumerate(roles)]
    return Schema(tuple(columns), "1")


def patients(n: int, schema: Schema, law: Rng, rng: Rng) -> pd.DataFrame:
    """Return n rows: code j with probability sigmoid(a_j + u'w_j), u ~ N(0, I) each patient's traits.

    Args:
        n: number of rows.
        schema: of binary columns.
        law: draws a and w, the same for every part.
        rng: draws the rows.
    """
    codes, fixed, fresh = len(schema.columns), law.branch("law").numpy(), rng.numpy()
    prevalence = fixed.uniform(-5.0, 0.0, codes)  # [codes], from 0.7 % to 50 %
    weights = fixed.normal(0.0, 1.5 / np.sqrt(TRAITS), (TRAITS, codes)).astype(np.float32)
    logit = prevalence.astype(np.float32) + fresh.standard_normal((n, TRAITS), dtype=np.float32) @ weights  # [n, codes]
    held = fresh.random((n, codes), dtype=np.float32) < 1 / (1 + np.exp(-logit))
    levels = pd.CategoricalDtype(["0", "1"])
    return pd.DataFrame(
        {
            c.name: pd.Categorical.from_codes(held[:, j].astype(np.int8), dtype=levels)
            for j, c in enumerate(schema.columns)
        }
    )
