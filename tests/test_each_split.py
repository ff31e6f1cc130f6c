"""The splits of a cell, in this process or in workers: equal bytes, and nothing that is finished is done twice."""

import json
import shutil

import pytest

import perils
import toys
from synthcohort import study as studies
from synthcohort.cells import each_split, fitting, judging, machine, progress, rows
from synthcohort.parallel import WorkerError
from synthcohort.schema import write_frame

SPLITS = 2
PARAMS = """
study: {seed: 1, splits: 2}
datasets: {toy: {}}
generators: {vae: {max_steps: 20, width: 16}, bootstrap: {}}
metrics:
  classifiers: [decision_tree]
  augmentation_classifiers: [decision_tree]
  augmentation_shares: [1.0]
  max_rows_pairwise: 60
  max_rows_distance: 60
  max_rows_transport: 50
  attacks: 20
"""
ENGINES = {"loky": "parallel: {backend: loky, jobs: 2}\n", "dask": "parallel: {backend: dask, jobs: 2}\n"}


def opened(root, more=""):
    """Return a study of one toy table whose splits are there."""
    root.mkdir(exist_ok=True)
    (root / "params.yaml").write_text(PARAMS + more)
    (root / "dvc.yaml").touch()
    found = studies.load(root)
    frame, schema = toys.mixed(210)
    places = (
        (found.paths.development("toy"), ("train", 0, 100), ("validation", 100, 150)),
        (
            found.paths.test("toy"),
            ("test", 150, 210),
        ),
    )
    for place, *parts in places:
        with rows.whole_folder(place) as folder:
            schema.to_json(folder / "schema.json")
            for split in range(SPLITS):
                for name, start, stop in parts:
                    part = frame.sample(frac=1, random_state=split).iloc[start:stop].reset_index(drop=True)
                    write_frame(part, folder / f"split_{split}" / f"{name}.csv")
    return found


def trained(study, generator):
    """Return file -> bytes of a trained cell."""
    folder = study.paths.trained("toy", generator)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def serial(tmp_path_factory):
    study = opened(tmp_path_factory.mktemp("serial"))
    for generator in ("vae", "bootstrap"):
        fitting.fit_cell(study, "toy", generator)
    return study


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """Return the score file of the real table, judged in one process."""
    study = opened(tmp_path_factory.mktemp("judged"))
    judging.judge_real(study, "toy")
    return study.paths.scores("toy", "real").read_bytes()


def skip_without(engine):
    if engine == "dask":
        pytest.importorskip("distributed")


@pytest.mark.parametrize("engine", ENGINES)
def test_weights_and_samples_are_those_of_one_process(serial, tmp_path, engine):
    skip_without(engine)
    study = opened(tmp_path, ENGINES[engine])
    costs = fitting.fit_cell(study, "toy", "vae")
    expected = trained(serial, "vae")
    assert {f"split_{k}/{name}" for k in range(SPLITS) for name in ("weights.safetensors", "minority.csv")} <= set(
        expected
    )
    assert trained(study, "vae") == expected
    assert list(costs["split"].unique()) == [0, 1] and (costs["value"] >= 0).all()
    assert json.loads(study.paths.machine("toy", "vae").read_text())["threads"] == 1
    assert not study.paths.finished_splits("train", "toy", "vae").exists()


@pytest.mark.parametrize("engine", ENGINES)
def test_scores_are_those_of_one_process(judged, tmp_path, engine):
    skip_without(engine)
    study = opened(tmp_path, ENGINES[engine])
    judging.judge_real(study, "toy")
    assert study.paths.scores("toy", "real").read_bytes() == judged


def test_a_killed_worker_costs_no_finished_split(serial, tmp_path, monkeypatch):
    study = opened(tmp_path, ENGINES["loky"])
    monkeypatch.setattr(fitting, "_fit_split", perils.dying_once)
    with pytest.raises(WorkerError, match="what is finished is kept"):
        fitting.fit_cell(study, "toy", "bootstrap")
    assert not study.paths.trained("toy", "bootstrap").exists()
    first = perils.fitted(study.paths.root)
    fitting.fit_cell(study, "toy", "bootstrap")
    again = perils.fitted(study.paths.root)
    assert first.count(0) == again.count(0) == 1 and again.count(1) == 2
    assert trained(study, "bootstrap") == trained(serial, "bootstrap")


def test_a_cluster_gives_the_split_of_a_killed_worker_to_another(serial, tmp_path, monkeypatch):
    pytest.importorskip("distributed")
    study = opened(tmp_path, ENGINES["dask"])
    monkeypatch.setattr(fitting, "_fit_split", perils.dying_once)
    fitting.fit_cell(study, "toy", "bootstrap")
    fits = perils.fitted(study.paths.root)
    assert (study.paths.root / "died.txt").exists() and fits.count(0) == 1 and fits.count(1) == 2
    assert trained(study, "bootstrap") == trained(serial, "bootstrap")


def interrupted(study, monkeypatch):
    """Train a cell that stops at its last split; from then on fits are counted."""

    def stopping(cell, split, stamp):
        if split == SPLITS - 1:
            raise KeyboardInterrupt
        return perils.counted(cell, split, stamp)

    monkeypatch.setattr(fitting, "_fit_split", stopping)
    with pytest.raises(KeyboardInterrupt):
        fitting.fit_cell(study, "toy", "bootstrap")
    monkeypatch.setattr(fitting, "_fit_split", perils.counted)
    return study


def test_a_run_goes_on_with_the_splits_that_are_missing(serial, tmp_path, monkeypatch):
    study = interrupted(opened(tmp_path), monkeypatch)
    costs = fitting.fit_cell(study, "toy", "bootstrap")
    assert perils.fitted(tmp_path) == [0, 1]
    assert trained(study, "bootstrap") == trained(serial, "bootstrap")
    assert set(costs["split"]) == {0, 1} and len(costs) == SPLITS * len(fitting.COSTS)
    fitting.fit_cell(study, "toy", "bootstrap")  # once whole, nothing is left that would spare a fit
    assert perils.fitted(tmp_path) == [0, 0, 1, 1]


def test_splits_of_other_settings_are_not_used(tmp_path, monkeypatch):
    study = interrupted(opened(tmp_path), monkeypatch)
    params = (tmp_path / "params.yaml").read_text()
    (tmp_path / "params.yaml").write_text(params.replace("seed: 1", "seed: 2"))
    stale = set(study.paths.finished_splits("train", "toy", "bootstrap").glob("split_*-*"))
    assert len(stale) == SPLITS - 1
    fitting.fit_cell(studies.load(tmp_path), "toy", "bootstrap")
    assert perils.fitted(tmp_path) == [0, 0, 1]
    plain = opened(tmp_path.with_name("plain"))
    (plain.paths.root / "params.yaml").write_text(params.replace("seed: 1", "seed: 2"))
    fitting.fit_cell(studies.load(plain.paths.root), "toy", "bootstrap")
    assert trained(study, "bootstrap") == trained(plain, "bootstrap")


def test_a_split_with_other_rows_is_not_used(tmp_path, monkeypatch):
    study = interrupted(opened(tmp_path), monkeypatch)
    place = study.paths.development("toy")
    shutil.copy(place / "split_1" / "train.csv", place / "split_0" / "train.csv")
    fitting.fit_cell(study, "toy", "bootstrap")
    assert perils.fitted(tmp_path) == [0, 0, 1]


def test_splits_of_other_code_are_not_used_and_code_edited_under_a_run_does_not_stop_it(tmp_path, monkeypatch):
    (tmp_path / "code").mkdir()
    monkeypatch.setattr(progress, "SOURCE", tmp_path / "code")
    study = interrupted(opened(tmp_path / "study"), monkeypatch)
    (tmp_path / "code" / "changed.py").touch()
    fitting.fit_cell(study, "toy", "bootstrap")  # by the same process, which has the old code
    assert perils.fitted(study.paths.root) == [0, 1]
    interrupted(study, monkeypatch)
    progress._library.cache_clear()  # as a new process
    (tmp_path / "code" / "changed.py").write_text("1")
    fitting.fit_cell(study, "toy", "bootstrap")
    assert perils.fitted(study.paths.root) == [0, 0, 0, 1, 1]


def test_judged_splits_are_kept_too(judged, tmp_path, monkeypatch):
    study = opened(tmp_path)
    seen, plain = [], judging.reference_split

    def stopping(**given):
        if seen:
            raise KeyboardInterrupt
        seen.append(given)
        return plain(**given)

    monkeypatch.setattr(judging, "reference_split", stopping)
    with pytest.raises(KeyboardInterrupt):
        judging.judge_real(study, "toy")
    monkeypatch.setattr(judging, "reference_split", lambda **given: seen.append(given) or plain(**given))
    judging.judge_real(study, "toy")
    assert len(seen) == SPLITS and study.paths.scores("toy", "real").read_bytes() == judged
    assert not study.paths.finished_splits("reference", "toy", "real").exists()


def test_a_worker_that_sees_other_files_is_refused(tmp_path):
    stamps = iter(["as the study sees it", "as the worker does"])
    work = each_split.Work(lambda split, stamp: {}, lambda split: next(stamps), tmp_path, "toy bootstrap")
    with pytest.raises(RuntimeError, match="toy bootstrap, split 0: this worker sees other files"):
        each_split.run(work, 1, None)


def test_of_two_processes_with_one_split_the_first_to_finish_is_kept(tmp_path):
    place = tmp_path / "split_0-abc"
    with each_split.own_folder(place) as late:
        with each_split.own_folder(place) as early:
            (early / "weights").write_text("early")
        (late / "weights").write_text("late")
    assert [path.name for path in tmp_path.iterdir()] == ["split_0-abc"] and (place / "weights").read_text() == "early"
    with pytest.raises(OSError, match="no space"), each_split.own_folder(place):
        raise OSError("no space left")
    assert [path.name for path in tmp_path.iterdir()] == ["split_0-abc"]


def test_a_cell_of_several_machines_names_them_all():
    here = machine.describe("cpu")
    other = {**here, "processor": "Another", "cores": 10_000}
    assert machine.together([here, here]) == here
    both = machine.together([here, other])
    assert both["processor"] == " and ".join(sorted({here["processor"], "Another"})) and both["cores"] == 10_000
