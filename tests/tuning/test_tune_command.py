"""`synthcohort tune`: which searches it starts, and what it writes."""

import json

import pytest
import yaml
from tuning_toys import PARAMS

from synthcohort import cli, stages, study, waves
from synthcohort.tuning import search, trials


@pytest.fixture
def ran(make, monkeypatch):
    opened = make()
    monkeypatch.setenv("SYNTHCOHORT_ROOT", str(opened.paths.root))
    monkeypatch.setattr(waves, "environment", dict)  # the test process keeps its own
    calls: list = []
    monkeypatch.setattr(waves, "_dvc", lambda arguments, root: calls.append(arguments) or 0)
    monkeypatch.setattr(waves, "_search", lambda name, root: calls.append(name) or int(name == "broken"))
    return opened, calls


def test_it_brings_the_tables_and_starts_every_search(ran, capsys):
    opened, calls = ran
    assert waves.tune(opened, ["smote", "broken"], 2) == 1
    assert calls[0] == ["repro", "raw@mixed"] and set(calls[1:]) == {"smote", "broken"}
    assert "failed: broken" in capsys.readouterr().err


def test_an_absent_table_is_refused_before_anything_runs(ran):
    opened, calls = ran
    marker = opened.paths.skipped("mixed")
    marker.parent.mkdir(parents=True)
    marker.write_text(json.dumps({"reason": "no network"}))
    with pytest.raises(study.ParamsError, match=r"tuning.tables names mixed, which could not be had"):
        waves.tune(opened, ["smote"], 1)
    assert not calls


def test_it_prints_what_was_found_and_writes_it_only_when_asked(ran, capsys):
    opened, calls = ran
    made = search.tune(opened, "smote")
    path = opened.paths.root / "params.yaml"
    before = path.read_text()
    assert cli.main(["tune", "--generator", "smote"]) == 0
    kept = trials.read(opened.paths.tuning("smote"))
    found = trials.setting_of(kept, trials.chosen(kept))
    assert f"  smote: {{neighbours: {found['neighbours']}}}" in capsys.readouterr().out
    assert path.read_text() == before and len(made) == 3
    calls.clear()
    assert cli.main(["tune", "--adopt"]) == 0
    assert not calls
    assert study.read_params(path).generators["smote"] == found


def test_a_generator_that_keeps_its_setting_is_not_changed(ran, capsys):
    opened, _ = ran
    search.tune(opened, "smote")
    path = opened.paths.root / "params.yaml"
    path.write_text(path.read_text().replace("rows: 130}", "rows: 130, kept: {smote: known well}}"))
    assert cli.main(["tune", "--adopt"]) == 0
    assert study.read_params(path).generators["smote"] == {"neighbours": 3}
    assert "params.yaml: nothing changed" in capsys.readouterr().out


def test_an_unknown_generator_is_refused(ran, capsys):
    assert cli.main(["tune", "--generator", "smoth"]) == 2
    assert "search has no choices for 'smoth'" in capsys.readouterr().err


def test_a_generator_outside_the_study_is_searched_and_its_line_told(make, monkeypatch, capsys):
    blocks = yaml.safe_load(PARAMS)
    del blocks["generators"]["smote"]
    opened = make(yaml.safe_dump(blocks, sort_keys=False))
    monkeypatch.setenv("SYNTHCOHORT_ROOT", str(opened.paths.root))
    monkeypatch.setattr(stages.execute, "execute", lambda notebook, cell, **_: search.tune(opened, cell["generator"]))
    stages.run(opened, "tune", {"generator": "smote"})
    path = opened.paths.root / "params.yaml"
    before = path.read_text()
    assert cli.main(["tune", "--adopt"]) == 0
    told = capsys.readouterr().out
    assert "Not in the study" in told and "  smote: {neighbours: " in told
    assert path.read_text() == before
