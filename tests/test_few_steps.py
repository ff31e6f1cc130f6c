"""Draws with few evaluations: what a cell writes, that it goes on where it stopped, what a failed fit leaves."""

import json
from dataclasses import replace

import pytest

import toys
from synthcohort import scores
from synthcohort import study as studies
from synthcohort.cells import few_steps, holdout, progress, rows
from synthcohort.generators.tabddpm import TabDDPM
from synthcohort.metrics import detection, fidelity
from synthcohort.report import gathering
from synthcohort.rng import Rng
from synthcohort.schema import write_frame

PARAMS = """
study: {seed: 1, splits: 2}
datasets: {toy: {}}
generators: {independent: {}, tabddpm: {width: 8, depth: 1, max_steps: 20, evaluate_every: 10}}
few_steps: {tables: [toy], generators: [tabddpm], evaluations: [5], asked: 5, ancestral: 8, rows: 130}
"""
KINDS = ["second_order_5", "ancestral_5", "ancestral_8"]
METRICS = ["shape", "trend", "shape_categorical", "shape_numeric", "c2st_xgboost"]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    root = tmp_path_factory.mktemp("study")
    (root / "params.yaml").write_text(PARAMS)
    (root / "dvc.yaml").touch()
    paths = studies.load(root).paths
    frame, schema = toys.mixed(160)
    model = TabDDPM(width=8, depth=1, max_steps=20, evaluate_every=10)
    with rows.whole_folder(paths.development("toy")) as development, rows.whole_folder(paths.test("toy")) as test:
        for folder in (development, test):
            schema.to_json(folder / "schema.json")
        for split in range(2):
            write_frame(frame.iloc[:60], development / f"split_{split}" / "train.csv")
            write_frame(frame.iloc[60:80], development / f"split_{split}" / "validation.csv")
            write_frame(frame.iloc[80:], test / f"split_{split}" / "test.csv")
            part = paths.trained("toy", "tabddpm") / f"split_{split}"
            model.fit(frame.iloc[:60], schema, rng=Rng(split)).save(part)
            (part / "absent.json").write_text("{}")
    return root


@pytest.fixture(scope="module")
def done(place):
    """Return the study and what its cell gave, once for the tests that change neither."""
    study = studies.load(place)
    return study, few_steps.few_steps_cell(study, "toy", "tabddpm")


@pytest.fixture
def study(place, tmp_path, monkeypatch):
    """Return a study that shares rows and networks with the other tests and nothing else; its trees cost nothing."""
    fake = scores.Score("fidelity", "c2st_xgboost", 0.5, 60, "half")
    monkeypatch.setattr(few_steps.detection, "c2st_xgboost", lambda *_: [fake])
    (tmp_path / "build").mkdir()
    for name in ("development", "test", "trained"):
        (tmp_path / "build" / name).symlink_to(place / "build" / name)
    for name in ("params.yaml", "dvc.yaml"):
        (tmp_path / name).write_text((place / name).read_text())
    return studies.load(tmp_path)


@pytest.fixture
def calls(monkeypatch):
    """Return (rows, path of the randomness, options) of every draw but those that only start the libraries."""
    seen, plain = [], TabDDPM.sample

    def record(self, n, *, rng, **options):
        if rng.path[-1] != "start":
            seen.append((n, rng.path, options))
        return plain(self, n, rng=rng, **options)

    monkeypatch.setattr(TabDDPM, "sample", record)
    return seen


def test_every_kind_of_draw_has_every_score_on_every_split(done):
    study, drawn = done
    written = scores.read(study.paths.few_steps("toy", "tabddpm"))
    assert len(written) == len(drawn.scores) == 2 * len(KINDS) * len(METRICS) and written["value"].notna().all()
    assert set(written["condition"]) == set(KINDS) and set(written["metric"]) == set(METRICS)
    assert set(written["axis"]) == {"fidelity"}
    costs = scores.read(study.paths.few_steps_cost("toy", "tabddpm"))
    assert (
        len(costs) == 2 * len(KINDS) and set(costs["metric"]) == {"sample_cpu_seconds"} and (costs["value"] > 0).all()
    )
    assert set(costs["n"]) == {60} and study.paths.few_steps_machine("toy", "tabddpm").is_file()


def test_a_small_table_is_drawn_from_more_than_once_with_the_same_randomness_for_every_kind(study, calls):
    few_steps.few_steps_cell(study, "toy", "tabddpm")
    assert len(calls) == 2 * len(KINDS) * 2 and {n for n, _, _ in calls} == {60}  # 130 rows: two draws of 60
    by_kind = {}
    for _, path, options in calls:
        by_kind.setdefault(tuple(sorted(options.items())), []).append(path)
    assert set(by_kind) == {
        (("order", 2), ("steps", 5)),
        *((("eta", 1.0), ("order", 1), ("steps", steps)) for steps in (5, 8)),
    }
    assert len({tuple(paths) for paths in by_kind.values()}) == 1
    assert len(set(by_kind.popitem()[1])) == 4  # two splits, two draws


def test_a_score_is_the_mean_of_what_the_metrics_say_of_each_draw(done):
    study, found = done[0], done[1].scores
    own = found[(found["condition"] == "ancestral_5") & (found["split"] == 1)].set_index("metric")["value"]
    model = TabDDPM.load(study.paths.trained("toy", "tabddpm") / "split_1")
    schema = rows.read_schema(study.paths.test("toy"))
    rng = study.rng.branch("few_steps", "toy", "tabddpm", 1, "sample")
    draws = [model.sample(60, rng=rng.branch(k), steps=5, order=1, eta=1.0) for k in range(2)]
    test = holdout.read_test(study.paths.test("toy"), 1)
    shapes = [fidelity.column_shapes(test, drawn, schema).set_index("column")["shape"] for drawn in draws]
    mean = sum(shapes) / 2
    assert own["shape"] == pytest.approx(mean.mean())
    assert own["shape_numeric"] == pytest.approx(mean[["age", "marker"]].mean())
    areas = [
        detection.c2st_xgboost(test, drawn, schema, study.rng.branch("few_steps", "toy", "tabddpm", 1, "c2st", k))
        for k, drawn in enumerate(draws)
    ]
    assert own["c2st_xgboost"] == pytest.approx(sum(area[0].value for area in areas) / 2)
    assert own["shape_categorical"] == pytest.approx(mean[["sex", "stage"]].mean())  # `died`, the label, left out


def test_more_rows_than_asked_for_are_not_drawn(study, calls):
    block = study.params.few_steps.model_copy(update={"rows": 50})
    smaller = studies.Study(study.params.model_copy(update={"few_steps": block}), study.paths)
    few_steps.few_steps_cell(smaller, "toy", "tabddpm")
    assert len(calls) == 2 * len(KINDS) and {n for n, _, _ in calls} == {50}


def test_a_killed_cell_goes_on_where_it_stopped_and_ends_the_same(study, calls):
    few_steps.few_steps_cell(study, "toy", "tabddpm")
    files = [path("toy", "tabddpm") for path in (study.paths.few_steps, study.paths.few_steps_cost)]
    before = [path.read_bytes() for path in files]
    for split, kind in ((0, "ancestral_8"), (1, "second_order_5")):
        (study.paths.few_steps_draws("toy", "tabddpm") / f"split_{split}" / f"{kind}.json").unlink()
    calls.clear()
    few_steps.few_steps_cell(study, "toy", "tabddpm")
    assert len(calls) == 2 * 2
    assert [path.read_bytes() for path in files] == before  # costs are those first measured


def test_draws_of_other_code_are_not_used(study, calls, monkeypatch, tmp_path):
    few_steps.few_steps_cell(study, "toy", "tabddpm")
    once = len(calls)
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "changed.py").touch()
    monkeypatch.setattr(progress, "SOURCE", tmp_path / "code")
    few_steps.few_steps_cell(study, "toy", "tabddpm")
    assert len(calls) == 2 * once


def test_a_failed_fit_is_a_reason_for_every_score_of_its_split(study, place, tmp_path):
    (tmp_path / "build" / "trained").unlink()
    part = study.paths.trained("toy", "tabddpm")
    part.mkdir(parents=True)
    (part / "split_0").symlink_to(place / "build" / "trained" / "toy" / "tabddpm" / "split_0")
    (part / "split_1").mkdir()
    (part / "split_1" / "failed.json").write_text(json.dumps({"reason": "the loss is not finite"}))
    drawn = few_steps.few_steps_cell(study, "toy", "tabddpm")
    for frame in (drawn.scores, drawn.costs):
        lost = frame[frame["split"] == 1]
        assert lost["value"].isna().all() and set(lost["note"]) == {"the loss is not finite"}
        assert frame[frame["split"] == 0]["value"].notna().all()
        assert len(lost) * 2 == len(frame)


def test_a_network_that_was_not_trained_is_an_error_with_a_remedy(study, tmp_path):
    (tmp_path / "build" / "trained").unlink()
    with pytest.raises(FileNotFoundError, match="toy, tabddpm: split 0 has not been trained; run `dvc repro`"):
        few_steps.few_steps_cell(study, "toy", "tabddpm")


def test_a_draw_that_failed_has_no_mean():
    good = scores.Score("fidelity", "trend", 0.8, 60, "up")
    assert few_steps._mean([good, replace(good, value=0.6)]).value == pytest.approx(0.7)
    assert few_steps._mean([good, scores.failed("fidelity", "trend", "too few rows")]).note == "too few rows"


def test_generators_without_a_choice_of_solver_are_named_by_what_they_lack():
    assert few_steps.missing_options("tabddpm") == []
    assert few_steps.missing_options("independent") == ["steps", "order", "eta"]


def test_the_other_pages_read_no_score_of_these_draws(study):
    shape = scores.Score("fidelity", "shape", 0.9, 10, "up")
    cost = scores.Score("cost", "train_cpu_seconds", 1.0, 10, "down")
    for name in ("real", "independent", "tabddpm"):
        for score, place in ((shape, study.paths.scores), (cost, study.paths.cost)):
            scores.write(scores.to_frame([score], dataset="toy", generator=name, split=0), place("toy", name))
    few_steps.few_steps_cell(study, "toy", "tabddpm")
    assert len(gathering.all_scores(study)) == 3 and len(gathering.all_costs(study)) == 2
