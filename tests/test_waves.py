"""Cells side by side: the right order, every cell once, failures reported."""

from pathlib import Path

import pytest
import yaml

from synthcohort import stages, study, waves

ROOT = Path(__file__).parent.parent


@pytest.fixture(autouse=True)
def everything_is_stale(monkeypatch, request):
    if "opened" in request.fixturenames:
        opened = request.getfixturevalue("opened")
        monkeypatch.setattr(waves, "_stale", lambda root: set(waves._cells(opened)))


@pytest.fixture
def opened(tmp_path):
    text = "study: {seed: 1}\ndatasets: {big: , small: }\ngenerators: {smote: , vae: }\nshadow: {tables: [small]}\n"
    text += "few_steps: {tables: [big], generators: [vae], imputed_tables: [small], imputers: [mice]}\n"
    text += "imputation: {tables: [big], imputers: {mice: , forests: }}\n"
    text += "width: {methods: {mice: }}\n"
    text += "scale: {tables: [small]}\n"
    text += "fairness: {tables: {big: [sex]}, generators: {smote: }}\n"
    text += "guidance: {tables: {big: [sex]}, generators: {guided_tabddpm: }}\n"
    text += "frontier: {tables: [small], families: {vae: {counterpart: vae}}}\n"
    text += "audit: {tables: [big], families: {mst: {}}}\n"
    (tmp_path / "params.yaml").write_text(text)
    (tmp_path / "dvc.yaml").write_text("stages: {}\n")
    for name, size in (("big", 100), ("small", 1)):
        (tmp_path / "data" / name).mkdir(parents=True)
        (tmp_path / "data" / name / "t.csv").write_text("x" * size)
    return study.load(tmp_path)


def test_every_cell_runs_once_and_waves_keep_their_order(opened, monkeypatch):
    ran = []
    monkeypatch.setattr(waves, "_dvc", lambda arguments, root: ran.append(arguments[-1]) or 0)
    assert waves.run(opened, 2) == 0
    once = 2 * 4 + 2 * 2 * 2 + 2 + 1 + 2 + 1 + 1 + 1 + 2 + 2 + 2 + 1 + len(waves.PAGES)
    assert len(ran) == len(set(ran)) == 1 + once + 1
    order = [next(i for i, w in enumerate(waves.WAVES) if c.split("@")[0] in w) for c in ran[:-1]]
    assert order == sorted(order)
    assert ran[-1] == "repro"
    assert {c for c in ran if c.startswith("shadow")} == {"shadow@small-smote", "shadow@small-vae"}
    assert {c for c in ran if c.startswith("few_steps@")} == {"few_steps@big-vae"}
    assert {c for c in ran if c.startswith("few_steps_impute@")} == {"few_steps_impute@small-mice"}
    assert [c for c in ran if c.startswith("impute@")] == ["impute@big-forests", "impute@big-mice"]
    assert {c for c in ran if c.startswith("scale@")} == {"scale@small-smote", "scale@small-vae"}
    assert {c for c in ran if "fairness" in c and "@" in c} == {"fairness@big-smote", "fairness_rivals@big"}
    assert {c for c in ran if c.startswith("guidance@")} == {"guidance@big-guided_tabddpm"}
    assert {c for c in ran if c.startswith(("frontier@", "audit@"))} == {"frontier@small-vae", "audit@big-mst"}


def test_cells_that_are_up_to_date_are_not_started(opened, monkeypatch):
    ran = []
    monkeypatch.setattr(waves, "_dvc", lambda arguments, root: ran.append(arguments[-1]) or 0)
    monkeypatch.setattr(waves, "_stale", lambda root: {"train@big-vae", "data.dvc"})
    assert waves.run(opened, 2) == 0
    assert ran == ["train@big-vae", "repro"]


def test_cells_of_an_absent_table_are_left_out(opened, monkeypatch):
    calls = []
    monkeypatch.setattr(waves, "_dvc", lambda arguments, root: calls.append(arguments) or 0)
    (opened.paths.raw("big") / "SKIPPED.json").write_text('{"reason": "no network"}')
    assert waves.run(opened, 2) == 0
    assert not any("big" in argument for call in calls for argument in call)
    assert calls[-1] == ["repro", "-s", "site"]


def test_cells_of_an_absent_table_keep_their_reasons(opened, monkeypatch):
    kept = []
    monkeypatch.setattr(stages, "run", lambda study, stage, cell: kept.append((stage, *cell.values())))
    stages.keep_absent(opened)
    assert not kept
    (opened.paths.raw("big") / "SKIPPED.json").write_text('{"reason": "no network"}')
    stages.keep_absent(opened)
    assert sorted(kept) == sorted(
        [
            *((stage, "big") for stage in ("raw", "prepare", "reference", "side_by_side")),
            *((stage, "big", generator) for stage in ("train", "evaluate") for generator in ("smote", "vae")),
            ("few_steps", "big", "vae"),
            ("impute", "big", "mice"),
            ("impute", "big", "forests"),
            ("dependence", "big"),
            ("fairness", "big", "smote"),
            ("fairness_rivals", "big"),
            ("guidance", "big", "guided_tabddpm"),
            ("audit", "big", "mst"),
        ]
    )


def test_a_failed_cell_stops_after_its_wave_and_is_named(opened, monkeypatch, capsys):
    ran = []

    def dvc(arguments, root):
        ran.append(arguments[-1])
        return int(arguments[-1] == "prepare@small")

    monkeypatch.setattr(waves, "_dvc", dvc)
    assert waves.run(opened, 2) == 1
    assert "failed: prepare@small" in capsys.readouterr().err
    assert not any(c.startswith("train@") for c in ran)


def test_one_job_is_plain_dvc(opened, monkeypatch):
    ran = []
    monkeypatch.setattr(waves, "_dvc", lambda arguments, root: ran.append(arguments) or 0)
    waves.run(opened, 1)
    assert ran == [["repro"]]
    with pytest.raises(ValueError, match="jobs=0"):
        waves.run(opened, 0)


def test_the_waves_hold_every_stage_of_the_pipeline_but_the_last():
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    assert set(stages) - {"site"} == {s for wave in waves.WAVES for s in wave}
    assert {name for name, stage in stages.items() if "matrix" not in stage} == {"sources", *waves.PAGES, "site"}


def test_staleness_is_asked_again_only_where_a_wave_may_have_changed_it(opened, monkeypatch):
    asked = []

    def stale(root):
        asked.append(1)
        return {"train@big-vae"} if len(asked) < 6 else {"evaluate@big-vae"}

    monkeypatch.setattr(waves, "_stale", stale)
    ran = []
    monkeypatch.setattr(waves, "_dvc", lambda arguments, root: ran.append(arguments[-1]) or 0)
    assert waves.run(opened, 2) == 0
    assert ran == ["train@big-vae", "evaluate@big-vae", "repro"] and len(asked) == 1 + len(waves.WAVES)
    asked.clear()
    monkeypatch.setattr(waves, "_stale", lambda root: asked.append(1) or set(waves._cells(opened)))
    assert waves.run(opened, 2) == 0
    assert len(asked) == 1
