"""The cell of growing tables: every score and cost, the law's own error beside it, failures, and going on."""

from dataclasses import replace

import numpy as np
import pytest

from synthcohort import missingness, scores
from synthcohort import study as studies
from synthcohort.cells import width
from synthcohort.generators.base import FitError
from synthcohort.generators.independent import Independent
from synthcohort.rng import Rng

PARAMS = """
study: {seed: 1, splits: 2}
datasets: {toy: {}}
generators: {independent: {}}
width:
  columns: [3, 6]
  rows: 60
  repetitions: 2
  draws: 3
  rate: 0.3
  methods:
    mean_mode:
    independent:
    mtabgen_mlp: {width: 8, depth: 1, max_steps: 10, evaluate_every: 5, steps: 2}
"""


@pytest.fixture
def study(tmp_path):
    (tmp_path / "params.yaml").write_text(PARAMS)
    (tmp_path / "dvc.yaml").touch()
    return studies.load(tmp_path)


@pytest.fixture
def here(monkeypatch):
    """Measure in this process: what a process of its own takes to start is no part of these tests."""

    class Pool:
        def __init__(self, *_, **__): ...
        def __enter__(self):
            return self

        def __exit__(self, *_): ...
        def submit(self, ask, *given):
            return type("Future", (), {"result": staticmethod(lambda: ask(*given))})

    monkeypatch.setattr(width, "ProcessPoolExecutor", Pool)


def task(study, method="mean_mode", law="numbers", columns=6):
    return width.Task(method, law, columns, 0, study.params.width, study.rng, "cpu")


@pytest.mark.parametrize(
    ("method", "costs"),
    [
        ("mean_mode", {width.IMPUTE_SECONDS}),
        ("independent", {width.SAMPLE_SECONDS}),
        ("mtabgen_mlp", {width.IMPUTE_SECONDS, width.SAMPLE_SECONDS}),
    ],
)
def test_a_method_is_asked_for_what_it_can_do(study, here, method, costs):
    found = width.width_cell(study, method)
    spent = scores.read(study.paths.width_cost(method))
    assert set(spent["metric"]) == {width.FIT_SECONDS, width.PEAK, *costs} and (spent["value"] >= 0).all()
    assert len(spent) == 2 * 2 * 2 * (2 + len(costs)) and study.paths.width_machine(method).is_file()
    kept = scores.read(study.paths.width(method))
    assert set(kept["dataset"]) == {"numbers", "codes"} and kept["value"].notna().all()
    errors = {"impute_mae_median", "impute_accuracy"} if width.IMPUTE_SECONDS in costs else set()
    assert set(kept["metric"]) == errors | (set(width.FIDELITY) if width.SAMPLE_SECONDS in costs else set())
    if errors:
        conditions = {"columns_3", "columns_6", "best_3", "best_6"}
        assert set(kept.loc[kept["metric"].isin(errors), "condition"]) == conditions
    assert len(found.scores) == len(kept)


def test_the_best_error_is_that_of_the_laws_own_point_on_the_same_cells(study):
    one = task(study)
    found = {s.condition: s.value for s in width.measure(one) if s.metric == "impute_mae_median"}
    truth, train = one.rows("asked", 12), one.rows("train", 60)
    mask = missingness.mcar(truth, one.known.schema, rate=0.3, rng=study.rng.branch("width", "numbers", "holes", 6, 0))
    span = (train.max() - train.min()).to_numpy()
    for condition, point in (("best_6", one.known.best(missingness.hide(truth, mask))), ("columns_6", None)):
        filled = truth.mask(mask).fillna(train.mean()) if point is None else point
        off = np.abs(filled.to_numpy() - truth.to_numpy()) / span
        wanted = np.mean([off[mask[:, j], j].mean() for j in range(6) if mask[:, j].any()])
        assert found[condition] == pytest.approx(wanted)


def test_every_method_gets_the_same_rows_and_every_repetition_others(study):
    one = task(study)
    assert one.rows("train", 9).equals(task(study, "independent").rows("train", 9))
    assert not one.rows("train", 9).equals(replace(one, repetition=1).rows("train", 9))
    assert not one.rows("train", 9).equals(one.rows("fresh", 9))
    assert np.array_equal(one.known.loadings, replace(one, repetition=1, rng=Rng(1)).known.loadings)


def test_a_failed_fit_is_a_reason_for_every_score(study, here, monkeypatch):
    def fit(self, train, *_, **__):
        raise FitError(f"{train.shape[1]} columns are too many")

    monkeypatch.setattr(Independent, "fit", fit)
    found = width.width_cell(study, "independent")
    assert found.scores["value"].isna().all() and found.costs["value"].isna().all()
    assert set(found.scores.loc[found.scores["condition"] == "columns_6", "note"]) == {"6 columns are too many"}
    assert set(found.costs["metric"]) == {width.FIT_SECONDS, width.SAMPLE_SECONDS}


def test_a_killed_cell_goes_on_where_it_stopped(study, here, monkeypatch):
    width.width_cell(study, "mean_mode")
    files = [study.paths.width("mean_mode"), study.paths.width_cost("mean_mode")]
    (before, spent), asked, plain = [scores.read(path) for path in files], [], width.measure
    monkeypatch.setattr(width, "measure", lambda task: asked.append(task.condition) or plain(task))
    (study.paths.width_steps("mean_mode") / "codes_6_1.json").unlink()
    width.width_cell(study, "mean_mode")
    after, spent_again = [scores.read(path) for path in files]
    assert asked == ["columns_6"] and after.equals(before)
    measured = (spent["dataset"] == "codes") & (spent["condition"] == "columns_6") & (spent["split"] == 1)
    assert measured.sum() == 3 and spent_again[~measured].equals(spent[~measured])


def test_a_measurement_has_a_process_of_its_own(study):
    """Its peak is that of a process that holds the libraries and little else, not that of this one."""
    ballast = np.ones(150_000_000 // 8)  # 150 MB that this process has held
    found = {s.metric: s.value for s in width._record(study, task(study, columns=3))}
    assert ballast.sum() and 2e7 < found[width.PEAK] < width.peak_memory_bytes()
