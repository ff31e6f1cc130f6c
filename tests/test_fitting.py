"""A cell of table and generator: what it leaves behind when it works, when a fit fails, when an ask cannot be met."""

import json

import numpy as np
import pytest

import toys
from synthcohort import study as studies
from synthcohort.cells import fitting, holdout, machine, rows
from synthcohort.generators.base import AbilityError, FitError
from synthcohort.generators.bootstrap import Bootstrap
from synthcohort.schema import write_frame


class Diverging(Bootstrap):
    def _fit(self, *_):
        raise FitError("the loss is not finite after step 7")


class Deaf(Bootstrap):
    def _sample(self, n, conditions, rng, options):
        if conditions is not None:
            raise AbilityError("deaf cannot condition")
        return super()._sample(n, conditions, rng, options)


@pytest.fixture
def study(tmp_path):
    (tmp_path / "params.yaml").write_text(
        "study: {seed: 1, splits: 2}\ndatasets: {toy: {}}\ngenerators: {bootstrap: {}}\n"
    )
    (tmp_path / "dvc.yaml").touch()
    opened = studies.load(tmp_path)
    frame, schema = toys.mixed(120)
    with rows.whole_folder(opened.paths.development("toy")) as folder:
        schema.to_json(folder / "schema.json")
        for split in range(2):
            write_frame(frame.iloc[:100], folder / f"split_{split}" / "train.csv")
            write_frame(frame.iloc[100:], folder / f"split_{split}" / "validation.csv")
    return opened


def _with(monkeypatch, kind):
    monkeypatch.setattr(fitting.registry, "build", lambda name, hyperparameters: kind())


def test_a_cell_leaves_weights_samples_and_costs(study):
    costs = fitting.fit_cell(study, "toy", "bootstrap")
    folder = study.paths.trained("toy", "bootstrap") / "split_1"
    schema = rows.read_schema(study.paths.development("toy"))
    drawn = holdout.read_samples(folder.parent, 1, schema, ["as_observed", "minority"])
    assert len(drawn["as_observed"]) == 100 and set(drawn["minority"]["died"]) == {"yes"}
    assert (folder / "weights.safetensors").is_file() and holdout.read_absence(folder.parent, 1) == ""
    assert set(costs["metric"]) == set(fitting.COSTS) and study.paths.cost("toy", "bootstrap").is_file()


def test_a_cost_names_its_machine(study):
    fitting.fit_cell(study, "toy", "bootstrap")
    found = json.loads(study.paths.machine("toy", "bootstrap").read_text())
    assert found["processor"] and found["cores"] >= 1 and found["threads"] >= 1 and found["device"] == "cpu"
    assert found["libraries"]["numpy"] == np.__version__ and set(found["libraries"]) == set(machine.LIBRARIES)


def test_a_failed_fit_is_a_reason_not_a_crash(study, monkeypatch):
    _with(monkeypatch, Diverging)
    costs = fitting.fit_cell(study, "toy", "bootstrap")
    folder = study.paths.trained("toy", "bootstrap")
    assert json.loads((folder / "split_0" / "failed.json").read_text())["reason"].startswith("the loss is not finite")
    assert costs["value"].isna().all() and "step 7" in costs["note"].iloc[0]
    assert "step 7" in holdout.read_absence(folder, 0)


def test_an_ask_that_cannot_be_met_is_written_down(study, monkeypatch):
    _with(monkeypatch, Deaf)
    fitting.fit_cell(study, "toy", "bootstrap")
    folder = study.paths.trained("toy", "bootstrap")
    assert "minority: deaf cannot condition" in holdout.read_absence(folder, 0)


def test_an_error_nobody_foresaw_leaves_no_half_cell(study, monkeypatch):
    fitting.fit_cell(study, "toy", "bootstrap")
    _with(monkeypatch, lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        fitting.fit_cell(study, "toy", "bootstrap")
    assert (study.paths.trained("toy", "bootstrap") / "split_1" / "as_observed.csv").is_file()
