"""What the page on cost and scale says: every sentence and table follows from the cost files."""

import math

import pandas as pd
import pytest

from synthcohort import scores
from synthcohort import study as studies
from synthcohort.cells import scale as cells
from synthcohort.cells.lone_fit import GB, Fit, NoFit
from synthcohort.cells.scale import NotRun
from synthcohort.cells.scaled_tables import Blocks, Resampled
from synthcohort.report import scale as page
from synthcohort.report import scale_tables as tables

PARAMS = """
study: {seed: 1}
datasets: {toy: {}}
generators: {independent: {}, vae: {}, arf: {}}
scale:
  {tables: [toy], rows: [100, 1000, 10000], columns: [10, 100], asked_rows: 10000, asked_columns: 100,
   fit_cpu_seconds: 20, memory_gb: 2}
"""
TOLD = {
    "independent": {100: 0.02, 1000: 0.2, 10_000: 2.0},  # exponent 1
    "vae": {100: 4.0, 1000: 8.0, 10_000: 31.0},  # 0.59, over the budget at last
    "arf": {100: 0.1, 1000: 2.0, 10_000: NotRun("would cost about 40 CPU s")},  # 1.30
}
WIDE = {
    "independent": {10: 0.09, 100: 2.0},  # too cheap for an exponent
    "vae": {10: NoFit("too few rows", error="FitError"), 100: 3.0},
    "arf": {10: 5.0, 100: NoFit("ended after 60 CPU s", cpu_seconds=60.0)},
}


@pytest.fixture
def study(tmp_path):
    (tmp_path / "params.yaml").write_text(PARAMS)
    (tmp_path / "dvc.yaml").touch()
    return studies.load(tmp_path)


def written(study, name, memory=5e8):
    """Return the file of one generator as a cell writes it."""
    tables = {
        **{n: Resampled(n, 0.1, study.paths.root) for n in TOLD[name]},
        **{-c: Blocks(1000, 0.1, c) for c in WIDE[name]},
    }
    parts = []
    for key, made in tables.items():
        outcome = TOLD[name][key] if key > 0 else WIDE[name][-key]
        outcome = Fit(0.75 * outcome, 0.25 * outcome, int(memory)) if isinstance(outcome, float) else outcome
        source = "toy" if key > 0 else "simulated"
        own = cells._scores(study, source, made, outcome)
        parts.append(scores.to_frame(own, dataset=source, generator=name, split=0))
    frame = pd.concat(parts, ignore_index=True)
    scores.write(frame, study.paths.scale("toy", name))
    return frame


@pytest.fixture
def case(study):
    for name in TOLD:
        written(study, name)
    (found,) = page.find(study)
    return found


def test_a_table_that_was_not_measured_is_no_case(study):
    assert page.find(study) == []
    block = study.params.scale.model_copy(update={"tables": []})
    assert page.find(studies.Study(study.params.model_copy(update={"scale": block}), study.paths)) == []


def test_a_generator_without_a_file_is_left_out(study):
    written(study, "vae")
    (found,) = page.find(study)
    assert set(found.points["generator"]) == {"vae"} and "vae" in tables.reach_table(found)


def test_points_hold_what_was_measured_and_why_the_others_were_not(case):
    points = case.points.set_index(["generator", "along", "size"])
    assert points.loc[("vae", "rows", 1000), ["seconds", "memory"]].tolist() == [8.0, 5e8]
    assert points.loc[("arf", "columns", 100), "seconds_least"] == 60 and math.isnan(
        points.loc[("arf", "columns", 100), "seconds"]
    )
    assert points["failed"][points["failed"]].index.tolist() == [("arf", "columns", 100), ("vae", "columns", 10)]


def test_sizes_that_the_settings_no_longer_name_are_left_out(study):
    block = study.params.scale.model_copy(update={"rows": [100, 1000], "asked_rows": 1000})
    frame = written(study, "vae")
    kept = page.points(frame, block)
    assert set(kept[kept["along"] == "rows"]["size"]) == {100, 1000} and set(kept["size"]) == {10, 100, 1000}


def test_growth_is_told_by_its_exponent(case):
    said = case.answer("rows")
    assert said.startswith("Rows: CPU seconds of fit and draw grow about linearly between the two largest sizes")
    assert "(exponent 0.8 to 1.2) for independent 1.00; more slowly for vae 0.59; faster for arf 1.30." in said
    assert "Fewer than two sizes were measured of vae and arf." in case.answer("columns")
    assert "Too cheap for an exponent, with less than 0.1 CPU s at one of the two: independent." in case.answer(
        "columns"
    )


def test_who_takes_the_size_asked_about_and_why_others_do_not(case):
    said = case.answer("rows")
    assert "Within 20 CPU s and 2 GB, 10,000 rows of toy are in reach of independent; out of reach of" in said
    assert "vae (cost 31 CPU s)" in said and "arf (would cost about 40 CPU s)" in said
    said = case.answer("columns")
    assert (
        "100 columns of a simulated table are in reach of independent and vae; out of reach of arf (ended after" in said
    )


def test_memory_counts_too(study):
    written(study, "independent", memory=3 * GB)
    (found,) = page.find(study)
    assert "in reach of none; out of reach of independent (took 3.0 GB)" in found.answer("rows")
    assert found.reaches("rows")[0].largest == 0


def test_the_table_holds_the_largest_size_and_what_stops_the_next(case):
    found = {reach.generator: reach for reach in case.reaches("rows")}
    assert (found["vae"].largest, found["vae"].stop) == (1000, "cost 31 CPU s")
    assert (found["independent"].largest, found["independent"].stop) == (10_000, "")
    table = tables.reach_table(case)
    assert table.count("<tr>") == 1 + 3 and "10,000 <small>2.00 s, 500 MB</small>" in table
    assert "would cost about 40 CPU s" in table and "nan" not in table


def test_a_size_that_failed_below_one_that_did_not_is_no_end(case):
    vae = {reach.generator: reach for reach in case.reaches("columns")}["vae"]
    assert (vae.largest, vae.stop) == (100, "") and math.isnan(vae.exponent)


def test_what_the_answer_hangs_on_is_counted(case):
    budget, law, settings, *machines = page.hangs_on(case)
    assert "1 fit cost more than 20 CPU s" in budget and "(vae); the cheapest would be within a budget of 31" in budget
    assert "foretells: 1." in law and "whatever the size" in settings and "not recorded" in machines[0]


def test_captions_and_the_table_of_a_cell_are_computed(case, study):
    assert "(8 points)" in page.figure_note(case, "rows") and "ended at" not in page.figure_note(case, "rows")
    wide = page.figure_note(case, "columns")
    assert wide.startswith("SIMULATED: 1,000 rows") and "(4 points)" in wide and "ended at 3 times" in wide
    assert [panel.limit for panel in case.panels] == [20, 2000]
    steps = tables.steps(page.points(written(study, "arf"), study.params.scale))
    assert steps.count("<tr>") == 1 + 5 and steps.index("100 rows") < steps.index("10,000 rows") < steps.index(
        "10 columns"
    )
    assert "not run: would cost about 40 CPU s" in steps and "2 GB" in tables.steps_note(study.params.scale)
