"""The search: where it begins, that budgets are equal, that it goes on where it stopped, that failures are kept."""

import ast
import random
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from tuning_toys import PARAMS, tables

from synthcohort.cells import grouping, holdout
from synthcohort.datasets.grouped import grouped
from synthcohort.fingerprint import fingerprints
from synthcohort.generators import load as registry
from synthcohort.generators.base import FitError
from synthcohort.generators.smote import Smote
from synthcohort.rng import Rng
from synthcohort.study import ParamsError
from synthcohort.tuning import objective, search, trials
from synthcohort.tuning.objective import Parts
from synthcohort.tuning.trials import Outcome, Trial

SOURCE = Path(search.__file__).parents[1]
SPACE = {"width": [64, 128, 256], "rate": [0.001, 0.01], "kind": ["a", "b"]}


def test_the_first_trial_is_where_the_search_begins_and_budgets_are_equal(opened):
    found = {name: search.tune(opened, name) for name in ("smote", "gaussian_copula")}
    assert found["smote"][0].setting == {"neighbours": 3}
    assert found["gaussian_copula"][0].setting == {"shrinkage": 0.01}
    for name, made in found.items():
        assert len({str(trial.setting) for trial in made}) == len(made) == 3
        assert all(0 < trial.value < 1 for trial in made)
        kept = trials.read(opened.paths.tuning(name))
        assert len(trials.objectives(kept)) == 3
        assert (pd.read_csv(opened.paths.tuning_cost(name))["judge_cpu_seconds"] > 0).all()
        best = trials.setting_of(kept, trials.chosen(kept))
        assert best == max(made, key=lambda trial: trial.value).setting
        whole = kept[kept["part"] == "objective"].set_index("trial")["value"]
        mean = kept[kept["part"] != "objective"].groupby("trial")["value"].mean()
        assert whole.tolist() == pytest.approx(mean.tolist(), abs=1e-9)


def test_nothing_a_trial_sees_is_a_test_row(opened, monkeypatch):
    seen = []
    fit, of = Smote.fit, objective.Judge.of.__func__

    def spy(self, train, schema, *, validation, **more):
        seen.extend([train, validation])
        return fit(self, train, schema, validation=validation, **more)

    monkeypatch.setattr(Smote, "fit", spy)
    monkeypatch.setattr(
        objective.Judge, "of", classmethod(lambda cls, rows, rng: seen.append(rows.judged) or of(cls, rows, rng))
    )
    search.tune(opened, "smote")
    assert len(seen) == 1 + 2 * 3
    known = np.concatenate([fingerprints(frame) for frame in seen])
    for split in range(2):
        test = holdout.read_test(opened.paths.test("mixed"), split)
        assert not np.isin(known, fingerprints(test)).any()


def test_it_goes_on_where_it_stopped_and_gives_the_same_bytes(make, monkeypatch):
    whole, broken = make(), make()
    search.tune(whole, "smote")
    draw, calls = search._draw, []

    def stop_at_the_third(*arguments):
        calls.append(arguments)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return draw(*arguments)

    monkeypatch.setattr(search, "_draw", stop_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        search.tune(broken, "smote")
    assert not broken.paths.tuning("smote").exists()
    search.tune(broken, "smote")
    assert len(calls) == 3 + 1
    search.tune(broken, "smote")
    assert len(calls) == 4
    assert broken.paths.tuning("smote").read_bytes() == whole.paths.tuning("smote").read_bytes()


def test_other_settings_or_rows_are_another_search(make):
    one, other = make(), make(PARAMS.replace("rows: 130", "rows: 120"))
    for opened in (one, other):
        opened.paths.table("mixed")
        search._journal(opened, "smote")
    stamps = {search._stamp(opened, "smote") for opened in (one, make(), other)}
    assert len(stamps) == 2
    whose = make()
    rows_of_pairs = grouped(tables()["mixed"], np.arange(300) // 2, by="patient")
    grouping.write_table(rows_of_pairs, whose.paths.table("mixed"))
    assert search._stamp(whose, "smote") not in stamps
    fixed = make(PARAMS.replace("gaussian_copula: {}", "gaussian_copula: {shrinkage: 0.2}"))
    assert search._stamp(fixed, "gaussian_copula") == search._stamp(one, "gaussian_copula")  # it is searched


def imported(path: Path) -> set[Path]:
    """Return the files of the package that `path` imports."""
    tree = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    found = [
        node for node in tree if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("synthcohort")
    ]
    names = {name for node in found for name in (node.module, *(f"{node.module}.{a.name}" for a in node.names))}
    files = {SOURCE.joinpath(*name.split(".")[1:]).with_suffix(".py") for name in names if "." in name}
    return {file for file in files if file.is_file()}


@pytest.mark.parametrize("generator", registry.names())
def test_all_the_code_that_decides_a_trial_is_in_its_stamp(generator):
    seen: set[Path] = set()
    waiting = {SOURCE / "tuning" / "search.py", SOURCE / "generators" / f"{generator}.py"}
    while waiting:
        seen |= waiting
        waiting = {file for path in waiting for file in imported(path)} - seen
    settings = {SOURCE / "study.py", SOURCE / "paths.py", *(SOURCE / "blocks").glob("*.py")}
    assert seen - set(search.deciding_files(generator)) <= settings


def test_a_trial_that_fails_is_kept_with_its_reason_and_has_no_value(make, monkeypatch):
    opened, draw = make(), search._draw

    def fail(study, generator, setting, table, rows):
        if setting["neighbours"] == 3:
            raise FitError("the loss\ndiverged")
        return draw(study, generator, setting, table, rows)

    monkeypatch.setattr(search, "_draw", fail)
    made = search.tune(opened, "smote")
    assert made[0].reason == "mixed: the loss diverged" and np.isnan(made[0].value)
    kept = trials.objectives(trials.read(opened.paths.tuning("smote")))
    assert kept["state"].tolist() == ["FAIL", "COMPLETE", "COMPLETE"]
    assert kept["reason"].tolist() == ["mixed: the loss diverged", "", ""]
    assert kept["value"].isna().tolist() == [True, False, False]
    assert trials.chosen(trials.read(opened.paths.tuning("smote"))) > 0
    assert search.tune(opened, "smote") == made  # read back from the journal


def test_a_fit_beyond_the_budget_is_a_failed_trial(make, monkeypatch):
    opened, clock, draw = make(), [0.0], search._draw

    def slow(study, generator, setting, table, rows):
        clock[0] += 61.0 if setting["neighbours"] == 3 else 1.0
        return draw(study, generator, setting, table, rows)

    monkeypatch.setattr(search, "_draw", slow)
    monkeypatch.setattr(search.time, "process_time", lambda: clock[0])
    made = search.tune(opened, "smote")
    assert made[0].reason == "mixed: the fit and its draw took more than 60 CPU seconds"
    assert [trial.reason for trial in made[1:]] == ["", ""]
    assert trials.chosen(trials.read(opened.paths.tuning("smote"))) > 0


def test_all_trials_failed_is_an_error_with_the_reason(opened, monkeypatch):
    def fail(*_):
        raise FitError("too few rows")

    monkeypatch.setattr(search, "_draw", fail)
    search.tune(opened, "smote")
    with pytest.raises(ParamsError, match="all 3 trials of smote failed; the first: mixed: too few rows"):
        trials.chosen(trials.read(opened.paths.tuning("smote")))


def test_every_setting_is_tried_once_before_any_is_tried_twice():
    made: list[Trial] = []
    for number in range(12):
        setting = search.propose(SPACE, made, Rng(1).branch(number))
        value = (setting["width"] == 256) * 0.5 + (setting["kind"] == "b") * 0.3
        made.append(outcome(number, setting, value))
    assert made[0].setting == {"width": 64, "rate": 0.001, "kind": "a"}
    assert sorted(str(trial.setting) for trial in made) == sorted(map(str, search.settings(SPACE)))


def test_the_estimator_finds_the_better_half_sooner_than_chance():
    wide = {name: [0, 1, 2, 3] for name in "abc"}
    ranks = []
    for seed in range(20):
        made: list[Trial] = []
        for number in range(12):
            setting = search.propose(wide, made, Rng(seed).branch(number))
            made.append(outcome(number, setting, sum(setting.values()) / 9))
        ranks.append(np.mean([trial.value for trial in made[search.STARTUP :]]))
    assert np.mean(ranks) > 0.5 + 3 * np.std(ranks) / np.sqrt(len(ranks))  # a random setting has mean value 0.5


def test_global_generators_are_left_alone(opened):
    def states():
        legacy = np.random.get_state()  # noqa: NPY002 - the generator that nobody may touch
        return random.getstate(), legacy[1].tolist(), torch.get_rng_state().tolist()

    before = states()
    search.tune(opened, "smote")
    assert states() == before


def test_what_cannot_be_searched_is_refused_by_name(opened, make):
    with pytest.raises(ParamsError, match="search has no choices for 'vae'; it has smote, gaussian_copula"):
        search.tune(opened, "vae")
    with pytest.raises(ParamsError, match=r"tuning.tables names no table"):
        search.tune(make(PARAMS.replace("tables: [mixed], ", "")), "smote")


def outcome(number: int, setting: dict, value: float) -> Trial:
    return Trial(number, setting, (Outcome("t", Parts(value, value, value, value), "", 0.0, 0.0),))
