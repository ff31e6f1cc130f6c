"""The shadow-model attack on a cell: what it writes, that it goes on where it stopped, what a failed fit leaves."""

import pytest

import toys
from synthcohort import scores
from synthcohort import study as studies
from synthcohort.cells import progress, rows, shadowing
from synthcohort.generators.base import FitError
from synthcohort.generators.bootstrap import Bootstrap
from synthcohort.generators.independent import Independent
from synthcohort.metrics import shadow
from synthcohort.report import gathering
from synthcohort.schema import write_frame

PARAMS = """
study: {seed: 1, splits: 1}
datasets: {toy: {}}
generators: {bootstrap: {}, independent: {}}
shadow: {tables: [toy], models: 8, targets: 6}
"""


@pytest.fixture
def study(tmp_path):
    (tmp_path / "params.yaml").write_text(PARAMS)
    (tmp_path / "dvc.yaml").touch()
    opened = studies.load(tmp_path)
    frame, schema = toys.mixed(140)
    with rows.whole_folder(opened.paths.development("toy")) as folder:
        schema.to_json(folder / "schema.json")
        write_frame(frame.iloc[:120], folder / "split_0" / "train.csv")
        write_frame(frame.iloc[120:], folder / "split_0" / "validation.csv")
    return opened


@pytest.fixture
def fits(monkeypatch):
    """Return the frames that generators are fitted on."""
    seen, plain = [], Bootstrap._fit

    def record(self, train, *others):
        seen.append(train)
        plain(self, train, *others)

    monkeypatch.setattr(Bootstrap, "_fit", record)
    return seen


def _values(found):
    return dict(zip(found.scores["metric"], found.scores["value"], strict=True))


def test_the_score_file_holds_each_metric_once_with_its_interval(study):
    found = shadowing.shadow_cell(study, "toy", "bootstrap")
    written = scores.read(study.paths.shadow("toy", "bootstrap"))
    assert set(written["metric"]) == set(shadow.METRICS)
    assert set(written["condition"]) == {"as_observed"} and set(written["split"]) == {0}
    assert ((written["low"] <= written["value"]) & (written["value"] <= written["high"])).all()
    assert found.trace.groupby("target")["member"].sum().eq(4).all()
    assert "8 shadow runs on the 120 train rows" in found.caption() and "0.042" in found.caption()
    assert list(found.summary()["mean"]) == list(found.scores["value"])


def test_every_run_is_fitted_on_all_rows_but_the_targets_it_leaves_out(study, fits):
    found = shadowing.shadow_cell(study, "toy", "bootstrap")
    place = study.paths.development("toy")
    train, _ = rows.read_development(place, 0)
    rng = study.rng.branch("shadow", "toy", "targets")
    chosen = list(train.iloc[shadow.exposed(train, rows.read_schema(place), 6, rng)].itertuples(index=False, name=None))
    everyone = set(train.itertuples(index=False, name=None))
    assert len(fits) == 8
    for m, frame in enumerate(fits):
        member = found.trace[found.trace["run"] == m].sort_values("target")["member"]
        left_out = {row for row, held in zip(chosen, member, strict=True) if not held}
        assert everyone - set(frame.itertuples(index=False, name=None)) == left_out
        assert len(left_out) == 3 and len(frame) == 117


def test_one_that_copies_is_found_out_and_one_that_shuffles_is_not(study):
    copied = _values(shadowing.shadow_cell(study, "toy", "bootstrap"))
    shuffled = _values(shadowing.shadow_cell(study, "toy", "independent"))
    assert copied["mia_auroc_shadow"] > 0.7 > shuffled["mia_auroc_shadow"]


def test_a_killed_cell_goes_on_where_it_stopped_and_ends_the_same(study, fits):
    shadowing.shadow_cell(study, "toy", "bootstrap")
    whole = study.paths.shadow("toy", "bootstrap").read_bytes()
    folder = study.paths.shadow_runs("toy", "bootstrap")
    for m in (5, 7):
        (folder / f"run_{m}.json").unlink()
    fits.clear()
    shadowing.shadow_cell(study, "toy", "bootstrap")
    assert len(fits) == 2
    assert study.paths.shadow("toy", "bootstrap").read_bytes() == whole
    assert not list(folder.glob("*.partial"))


def test_runs_of_other_settings_rows_or_code_are_not_used(study, fits, monkeypatch, tmp_path):
    shadowing.shadow_cell(study, "toy", "bootstrap")
    part = study.paths.development("toy") / "split_0" / "validation.csv"
    part.write_text(part.read_text().rstrip().rsplit("\n", 1)[0] + "\n")
    shadowing.shadow_cell(study, "toy", "bootstrap")
    (tmp_path / "params.yaml").write_text(PARAMS.replace("seed: 1", "seed: 2"))
    other = studies.load(tmp_path)
    shadowing.shadow_cell(other, "toy", "bootstrap")
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "changed.py").touch()
    monkeypatch.setattr(progress, "SOURCE", tmp_path / "code")
    shadowing.shadow_cell(other, "toy", "bootstrap")
    assert len(fits) == 4 * 8


def test_a_failed_fit_is_a_reason_and_ends_the_attack(study, monkeypatch):
    tried = []

    def diverge(*_):
        tried.append(1)
        raise FitError("the loss is not finite after step 7")

    monkeypatch.setattr(Independent, "_fit", diverge)
    for _ in range(2):  # the second time the reason is read from the run's file
        found = shadowing.shadow_cell(study, "toy", "independent")
        assert found.scores["value"].isna().all() and not len(found.trace) and not len(found.roc)
        assert set(found.scores["note"]) == {"shadow run 0 could not be fitted: the loss is not finite after step 7"}
    assert len(tried) == 1


def test_too_few_rows_are_a_reason(study, tmp_path):
    (tmp_path / "params.yaml").write_text(PARAMS.replace("targets: 6", "targets: 61"))
    found = shadowing.shadow_cell(studies.load(tmp_path), "toy", "bootstrap")
    assert found.scores["note"].str.contains("61 targets are more than half of the 120 training rows").all()


def test_targets_and_design_are_those_of_every_generator(study):
    first, second = (shadowing.shadow_cell(study, "toy", g).trace for g in ("bootstrap", "independent"))
    assert first["member"].tolist() == second["member"].tolist()
    assert first["score"].tolist() != second["score"].tolist()


def test_the_attack_is_read_beside_the_cell_scores_where_it_is_there(study):
    shape = scores.Score("fidelity", "shape", 0.9, 10, "up")
    for name in ("real", "bootstrap", "independent"):
        scores.write(scores.to_frame([shape], dataset="toy", generator=name, split=0), study.paths.scores("toy", name))
    assert set(gathering.table_scores(study, "toy")["metric"]) == {"shape"}
    shadowing.shadow_cell(study, "toy", "bootstrap")
    read = gathering.table_scores(study, "toy")
    assert set(read[read["generator"] == "bootstrap"]["metric"]) == {"shape", *shadow.METRICS}
    elsewhere = study.params.model_copy(update={"shadow": study.params.shadow.model_copy(update={"tables": []})})
    assert set(gathering.table_scores(studies.Study(elsewhere, study.paths), "toy")["metric"]) == {"shape"}
