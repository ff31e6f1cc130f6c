"""What the page on few evaluations says: every sentence and table follows from the scores."""

import math

import pandas as pd
import pytest

from synthcohort import scores
from synthcohort import study as studies
from synthcohort.cells import few_steps as cells
from synthcohort.comparison.intervals import Resampling
from synthcohort.report import few_steps as page
from synthcohort.report import few_steps_tables

PARAMS = """
study: {seed: 1, splits: 3}
datasets: {toy: {}, other: {}}
generators: {tabddpm: {}}
few_steps: {tables: [toy, other], generators: [tabddpm], evaluations: [5, 25], asked: 25, ancestral: 1000, rows: 130}
"""
HOW = Resampling(0.95, 0.25)
LEVEL = {"shape": (0.90, 0.92, 0.94), "trend": (0.80, 0.81, 0.83)}


@pytest.fixture
def study(tmp_path):
    (tmp_path / "params.yaml").write_text(PARAMS)
    (tmp_path / "dvc.yaml").touch()
    return studies.load(tmp_path)


def tidy(found):
    """Return a tidy frame of (condition, metric) -> values over splits."""
    parts = [
        scores.to_frame([scores.Score("fidelity", metric, value, 60, "up", condition=condition)],
                        dataset="toy", generator="tabddpm", split=split)
        for (condition, metric), values in found.items()
        for split, value in enumerate(values)
    ]  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def draws(**losses):
    """Return the scores of every kind of draw; `losses` of a condition: of each metric, or of all of them."""
    found = {}
    for condition in ("second_order_5", "second_order_25", "ancestral_5", "ancestral_25", "ancestral_1000"):
        for metric, level in LEVEL.items():
            loss = losses.get(condition, 0.0)
            loss = loss.get(metric, 0.0) if isinstance(loss, dict) else loss
            found[condition, metric] = [value - loss for value in level]
    return tidy(found)


def costs():
    rows = [
        scores.to_frame(
            [scores.Score("cost", "sample_cpu_seconds", 0.01 * n, 60, "down", condition=f"{solver}_{n}")],
            dataset="toy", generator="tabddpm", split=split,
        )
        for solver, numbers in (("second_order", (5, 25)), ("ancestral", (5, 25, 1000)))
        for n in numbers
        for split in range(3)
    ]  # fmt: skip
    return pd.concat(rows, ignore_index=True)


@pytest.fixture
def case(study):
    return lambda **losses: page.case(draws(**losses), costs(), study.params.few_steps, HOW, machine="A machine.")


def test_no_loss_is_within_noise(case):
    found = case()
    assert found.word("second_order", 25) == "supported"
    answer = found.answer()
    assert answer.startswith(
        "tabddpm on toy: supported. 25 evaluations are within split noise of 1,000 ancestral steps"
    )
    assert "2 scores over 3 splits: 2 supported" in answer and "5 is the smallest number tried that is within" in answer
    assert (
        "A draw of 60 rows takes 0.25 CPU seconds instead of 10" in answer and found.task.timed == "a draw of 60 rows"
    )


def test_a_large_loss_by_one_score_is_not_and_that_score_is_named(case):
    found = case(second_order_25={"trend": 0.3}, second_order_5=0.3)
    answer = found.answer()
    assert ": contradicted. 25 evaluations are not within" in answer and "1 supported, 1 contradicted" in answer
    assert "Nearest to a loss: Trend, pairs of columns, gain -0.300" in answer
    assert "no number tried is within noise by every score" in answer
    noise, zero, solver, alone = found.changes()
    assert "in Trend, pairs of columns the interval reaches a loss of 0.300" in noise
    assert "of 2 scores 1 differs from the reference (Trend, pairs of columns -0.300)" in zero
    assert "With 25 ancestral steps the verdict is supported; 5 is the smallest number" in solver
    assert "Shape, all columns: 25; Trend, pairs of columns: none" in alone


def test_the_smallest_number_is_the_first_that_every_score_allows(case):
    assert case(second_order_5={"shape": 0.3}).fewest("second_order").startswith("25 is the smallest")
    assert case(ancestral_25=0.3).fewest("ancestral").startswith("5 is the smallest")


def test_one_split_leaves_it_open(study):
    own, spent = draws(), costs()
    found = page.case(own[own["split"] == 0], spent[spent["split"] == 0], study.params.few_steps, HOW, machine="")
    assert "undecided. 25 evaluations may or may not be" in found.answer() and "1 split:" in found.answer()
    assert "no interval from 1 split" in found.answer()
    assert "of 2 scores 0 differ from the reference, which proves no equality" in found.changes()[1]
    assert "nan" not in few_steps_tables.verdicts(found) + few_steps_tables.seconds(found) + " ".join(found.changes())


def test_tables_hold_every_number_of_evaluations(case):
    found = case(second_order_5=0.3)
    table = few_steps_tables.verdicts(found)
    assert table.count('badge supported">+0.000') == 2 and table.count('badge contradicted">-0.300') == 2
    seconds = few_steps_tables.seconds(found)
    assert seconds.count("<tr>") == 1 + 3 and "reference" in seconds and ">10 <small>" in seconds
    assert seconds.count("badge contradicted") == 1 and seconds.count("badge supported") == 3
    assert few_steps_tables.seconds_note(found).endswith(
        "A machine."
    ) and "2 draws of 60 rows a split" in few_steps_tables.figure_note(found)


def test_scores_that_failed_on_every_split_are_no_case(study):
    paths, lost = study.paths, draws().assign(value=math.nan, note="the loss is not finite")
    scores.write(lost, paths.few_steps("toy", "tabddpm"))
    assert page.find(study) == []


def test_cases_come_in_the_order_of_the_study_and_absent_tables_are_left_out(study):
    assert page.find(study) == []
    scores.write(draws(), study.paths.few_steps("toy", "tabddpm"))
    scores.write(costs(), study.paths.few_steps_cost("toy", "tabddpm"))
    (found,) = page.find(study)
    assert found.name == "tabddpm on toy" and "not recorded" in found.machine
    assert dict(zip(found.reference["metric"], found.reference["mean"], strict=True))["shape"] == pytest.approx(0.92)


def test_the_page_reads_every_condition_and_metric_that_a_cell_writes(study):
    block = study.params.few_steps
    named = {draw.condition for draw in cells.draws(block)}
    read = {f"{solver}_{n}" for solver in page.SOLVERS for n in block.evaluations} | {
        f"{page.ANCESTRAL}_{block.ancestral}"
    }
    assert named == read
    assert f"{cells.ANCESTRAL}_{block.ancestral}" in named and tuple(page.SOLVERS) == (cells.SECOND, cells.ANCESTRAL)
