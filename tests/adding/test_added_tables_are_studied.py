"""From a stranger's file to its scores: the command, then every kind of cell, for each task."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from adding_files import PARAMS, changed, columns, save, study

from synthcohort import cli
from synthcohort import study as studies
from synthcohort.cells import fitting, judging, preparing, rows
from synthcohort.datasets import load
from synthcohort.study import PIPELINE_VARIABLE

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A study's folder, entered."""
    opened = study(tmp_path / "study", PARAMS)
    shutil.copytree(NOTEBOOKS, opened.paths.root / "notebooks")
    monkeypatch.setenv("SYNTHCOHORT_ROOT", str(opened.paths.root))
    monkeypatch.setenv(PIPELINE_VARIABLE, "test")
    return opened.paths.root


def patients(target: str) -> dict[str, list[str]]:
    """A table with holes, a sensitive column and a target of one of three tasks."""
    table = columns(7)
    hidden = np.array(table["age"], dtype=float) / 20 + np.array(table["marker"], dtype=float)
    made = {
        "died": table["died"],
        "stage": np.digitize(hidden, np.quantile(hidden, [0.4, 0.75])).astype(str),
        "cost": (100 * hidden + np.random.default_rng(7).normal(0, 30, len(hidden))).round(1).astype(str),
    }
    features = {"sex": ["f", "m"] * (len(hidden) // 2), **{name: table[name] for name in ("age", "marker", "ward")}}
    return {**changed(features, "age", dict.fromkeys(range(0, 30, 3), "-9")), target: list(made[target])}


@pytest.mark.parametrize(
    ("target", "metric"),
    [("died", "tstr_auroc_xgboost"), ("stage", "tstr_auroc_xgboost"), ("cost", "tstr_r2_xgboost")],
)
def test_every_task_goes_from_the_file_to_its_scores(here, tmp_path, monkeypatch, target, metric):
    monkeypatch.setattr("synthcohort.stages.run", lambda opened, stage, cell: described(opened, cell["dataset"]))
    path = save(tmp_path / "cohort.csv", patients(target), separator=";")
    assert cli.main(["add", str(path), "--target", target, "--yes"]) == 0
    opened = studies.load()
    preparing.prepare_cell(opened, "cohort")
    real = judging.judge_real(opened, "cohort")
    assert set(real["split"]) == {0, 1}
    for generator in opened.params.generators:
        costs = fitting.fit_cell(opened, "cohort", generator)
        assert np.isfinite(costs["value"]).all()
    judged = judging.judge_cell(opened, "cohort", "gaussian_copula")
    known = judged[judged["metric"] == metric]["value"]
    assert len(known) == 2 and np.isfinite(known).all()
    notes = judged[judged["value"].isna() & (judged["axis"] == "augmentation")]["note"]
    assert notes.empty if target == "died" else notes.str.startswith("augmentation needs a binary target").all()


def described(opened, name):
    """Stand in for the page of the stage, which the test below runs: write the table as its notebook does."""
    table = load.load(name, opened.params.datasets[name], opened.paths.raw(name), rng=opened.rng)
    rows.write_table(table, opened.paths.table(name))
    return opened.paths.page(f"raw/{name}")


def test_the_command_shows_the_block_writes_it_and_makes_the_page(here, tmp_path, capsys):
    path = save(tmp_path / "Ma cohorte.csv", patients("died"), encoding="utf-16", separator="\t")
    before = (here / "params.yaml").read_text()
    assert cli.main(["add", str(path), "--target", "died"]) == 0  # no terminal to agree on
    shown = capsys.readouterr().out
    assert "  ma_cohorte:  #" in shown and "Nothing is written; run again with --write" in shown
    assert (here / "params.yaml").read_text() == before and not (here / "data").exists()
    assert cli.main(["add", str(path), "--target", "died", "--write"]) == 0
    said = capsys.readouterr().out
    assert str(here / "reports" / "raw" / "ma_cohorte.html") in said and "synthcohort study" in said
    page = (here / "reports" / "raw" / "ma_cohorte.html").read_text()
    assert "ma_cohorte" in page and "marker" in page
    assert rows.read_table(here / "build" / "tables" / "ma_cohorte").schema.names[-1] == "died"
    assert cli.main(["add", str(path), "--target", "died", "--write"]) == 2
    assert "the name 'ma_cohorte' is taken" in capsys.readouterr().err


def test_a_refusal_writes_nothing(here, tmp_path, capsys):
    before = (here / "params.yaml").read_bytes()
    path = save(tmp_path / "cohort.csv", patients("died"))
    assert cli.main(["add", str(path), "--target", "dead", "--write"]) == 2
    assert "did you mean 'died'?" in capsys.readouterr().err
    assert (here / "params.yaml").read_bytes() == before and not (here / "data").exists()
