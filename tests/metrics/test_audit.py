"""Which test holds which metric to its word? `audit.csv` says so, and this file says that it is complete and true.

A row is a metric or a pattern of metric names. Its cells name tests as module::test, without the prefix both share:
`hand` a value computed by hand or by another package, `identity` the real rows themselves, `noise` noise that grows,
`null` nothing to find, `order` tables of known quality. A cell may say "none: " and why instead.
"""

from __future__ import annotations

import ast
import csv
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from synthcohort import scores
from synthcohort.metrics import dependence, imputation, imputation_plausibility, shadow
from synthcohort.metrics.cell import evaluate_split
from synthcohort.metrics.classifiers import PREDICTORS
from synthcohort.metrics.imputation_downstream import downstream_name
from synthcohort.rng import Rng
from synthcohort.schema import Schema

HERE = Path(__file__).parent
COMMITTED = HERE.parents[1] / "reports" / "scores"
with (HERE / "audit.csv").open(encoding="utf-8", newline="") as file:
    AUDIT = {row.pop("metric"): row for row in csv.DictReader(file)}


@pytest.fixture(scope="module")
def tests() -> set[str]:
    """Return every test of this folder as module::test."""
    found = set()
    for path in HERE.glob("test_*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                found.add(f"{path.stem.removeprefix('test_')}::{node.name.removeprefix('test_')}")
    return found


@pytest.fixture
def written(schema, settings, make_cohort) -> set[str]:
    """Return the names of all scores: those a cell owes for either kind of target, and those in the score files."""
    parts = {name: make_cohort(30, seed) for seed, name in enumerate(("train", "validation", "test"))}
    numeric = Schema(tuple(replace(c, role="target" if c.name == "age" else "feature") for c in schema.columns))
    owed = [
        score.metric
        for target in (schema, numeric)
        for score in evaluate_split(**parts, samples={}, schema=target, metrics=settings, rng=Rng(0), real_auroc={})
    ]
    committed = [name for path in COMMITTED.rglob("*.csv") for name in scores.read(path)["metric"].unique()]
    by_kind = {"shape_categorical", "shape_numeric"}  # the cell of few evaluations adds them
    learned = {downstream_name(target, PREDICTORS["xgboost"]) for target in (schema, numeric)}
    filled = {*imputation.METRICS, *imputation_plausibility.METRICS, *dependence.METRICS}
    private = {"minority_f1_xgboost", "group_auroc_xgboost", "epsilon_spent", "cryptographic_noise"}  # private cells
    private |= {"audit_epsilon_rows"}
    return {*owed, *shadow.METRICS, *by_kind, *filled, *learned, *private, *committed}


def test_every_metric_stands_in_one_row_and_every_row_has_a_metric(written):
    rows = {name: [pattern for pattern in AUDIT if fnmatchcase(name, pattern)] for name in written}
    assert {name: found for name, found in rows.items() if len(found) != 1} == {}
    assert set(AUDIT) - {found[0] for found in rows.values()} == set()


@pytest.mark.parametrize("metric", AUDIT)
def test_the_tests_named_exist(metric, tests):
    cells = AUDIT[metric].values()
    named = [name for cell in cells if not cell.startswith("none: ") for name in cell.split()]
    assert all(cells) and set(named) <= tests
