"""What the page on few evaluations says of filled cells: every sentence and table follows from the scores."""

import math

import pandas as pd
import pytest

from synthcohort import scores
from synthcohort import study as studies
from synthcohort.cells import few_steps_imputing as cells
from synthcohort.comparison.intervals import Resampling
from synthcohort.figures import few_steps as figures
from synthcohort.metrics.imputation import METRICS
from synthcohort.report import few_steps_impute as page
from synthcohort.report import few_steps_tables

PARAMS = """
study: {seed: 1, splits: 3}
datasets: {toy: {}, other: {}}
generators: {independent: {}}
few_steps: {imputed_tables: [toy, other], imputers: [mtabgen_mlp], evaluations: [5, 25], ancestral: 1000, draws: 19}
imputation: {imputers: {mtabgen_mlp: }, fitted: {mcar: 0.2}, scenarios: [{mcar: 0.2}]}
"""
HOW = Resampling(0.95, 0.25)
LEVEL = {"impute_crps": (0.10, 0.11, 0.12), "impute_coverage_gap": (-0.02, 0.01, 0.03), "impute_brier": (math.nan,) * 3}


@pytest.fixture
def study(tmp_path):
    (tmp_path / "params.yaml").write_text(PARAMS)
    (tmp_path / "dvc.yaml").touch()
    return studies.load(tmp_path)


def frame(axis, values):
    """Return a tidy frame of (condition, metric) -> values over splits; errors count down, gaps to zero."""
    parts = [
        scores.to_frame(
            [scores.Score(axis, metric, value, 60, METRICS[metric].direction if axis == "imputation" else "down",
                          condition=condition, note="no draws" if math.isnan(value) else "")],
            dataset="toy", generator="mtabgen_mlp", split=split,
        )
        for (condition, metric), own in values.items()
        for split, value in enumerate(own)
    ]  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def fillings(block, **losses):
    """Return the scores of every way to fill; `losses` of a condition are added to its errors."""
    return frame(
        "imputation",
        {
            (way.condition, metric): [value + losses.get(way.condition, 0.0) for value in level]
            for way in cells.ways(block)
            for metric, level in LEVEL.items()
        },
    )


def costs(block):
    return frame(
        "cost", {(way.condition, cells.SECONDS): [0.01 * way.options["steps"]] * 3 for way in cells.ways(block)}
    )


@pytest.fixture
def case(study):
    block = study.params.few_steps
    return lambda **losses: page.case(fillings(block, **losses), costs(block), study.params, HOW, machine="A machine.")


def test_no_loss_is_within_noise_and_a_score_that_nobody_has_says_nothing(case):
    found = case()
    assert found.metrics == {name: page.TITLES[name] for name in ("impute_crps", "impute_coverage_gap")}
    assert found.answer().startswith(
        "mtabgen_mlp filling toy: supported. 25 evaluations are within split noise of 1,000 ancestral steps"
    )
    assert "2 scores over 3 splits: 2 supported" in found.answer()
    assert "Filling 60 rows 19 times takes 0.25 CPU seconds instead of 10" in found.answer()
    assert "60 test rows a split, 20 % MCAR, filled 19 times, judged by the truth" in few_steps_tables.figure_note(
        found
    )
    assert "CPU seconds of filling 60 rows 19 times, mean" in few_steps_tables.seconds_note(found)


def test_a_larger_error_is_a_loss_and_a_gap_to_either_side_is_one(case):
    found = case(second_order_25=0.5, ddim_25=-0.5)
    assert ": contradicted. 25 evaluations are not within" in found.answer()
    own = found.judged.set_index(["condition", "metric"])["verdict"]
    assert set(own.loc["second_order_25"]) == {"contradicted"}
    assert dict(own.loc["ddim_25"]) == {"impute_crps": "supported", "impute_coverage_gap": "contradicted"}
    solver = found.changes()[2]
    assert "another solver. With 25 ancestral steps the verdict is supported; 5 is the smallest number" in solver
    assert "With 25 implicit steps (DDIM) the verdict is contradicted; 5 is the smallest number" in solver


def test_tables_and_figure_hold_every_solver(case):
    found = case()
    seconds = few_steps_tables.seconds(found)
    assert all(title in seconds for title in page.SOLVERS.values()) and seconds.count("<tr>") == 1 + 3
    assert seconds.count("badge supported") == 2 * 3  # two numbers of evaluations by three solvers
    assert few_steps_tables.verdicts(found).count("badge supported") == 2 * 2
    drawn = figures.quality(found.means, found.reference, titles=found.metrics, solvers=page.SOLVERS, heading="H")
    lines = [line for line in drawn.axes[0].lines if line.get_marker() in ("o", "s", "^")]
    assert [len(line.get_xdata()) for line in lines] == [2, 3, 2]
    assert [t.get_text() for t in drawn.legends[0].get_texts()][:3] == list(page.SOLVERS.values())


def test_cases_come_in_the_order_of_the_study_and_what_failed_everywhere_is_left_out(study):
    assert page.find(study) == []
    block = study.params.few_steps
    for name in ("other", "toy"):
        told = fillings(block).assign(dataset=name)
        told = told.assign(value=math.nan, note="the loss is not finite") if name == "other" else told
        scores.write(told, study.paths.few_steps_impute(name, "mtabgen_mlp"))
        scores.write(costs(block).assign(dataset=name), study.paths.few_steps_impute_cost(name, "mtabgen_mlp"))
    (found,) = page.find(study)
    assert found.name == "mtabgen_mlp filling toy" and "not recorded" in found.machine


def test_the_page_reads_every_way_and_score_that_a_cell_writes(study):
    block = study.params.few_steps
    read = {f"{solver}_{n}" for solver in page.SOLVERS for n in block.evaluations} | {f"ancestral_{block.ancestral}"}
    assert {way.condition for way in cells.ways(block)} == read and page.DDIM == cells.DDIM
    assert set(page.TITLES) == set(cells.SCORES) <= set(METRICS)
