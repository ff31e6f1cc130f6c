"""Filling with few evaluations: what a cell writes, with which network and holes, that it goes on where it stopped."""

import numpy as np
import pandas as pd
import pytest

import hole_toys
from synthcohort import missingness, scores
from synthcohort import study as studies
from synthcohort.cells import few_steps_imputing, hidden, imputers, imputing, progress
from synthcohort.generators.base import FitError
from synthcohort.generators.mtabgen_mlp import MTabGenMLP
from synthcohort.metrics.imputation import imputation_scores
from synthcohort.report import gathering

SETTINGS = {"width": 8, "depth": 1, "max_steps": 10, "evaluate_every": 5, "steps": 5}
PARAMS = f"""
study: {{seed: 1, splits: 2}}
datasets: {{toy: {{}}}}
generators: {{independent: {{}}}}
few_steps: {{imputed_tables: [toy], imputers: [mtabgen_mlp], evaluations: [2, 5], asked: 5, ancestral: 8, draws: 3}}
imputation: {{imputers: {{mtabgen_mlp: {SETTINGS}}}, scenarios: [{{mcar: 0.2}}, {{mcar: 0.5}}], draws: 2}}
"""
WAYS = {
    **{f"ddim_{n}": {"steps": n, "order": 1, "eta": 0.0} for n in (2, 5)},
    **{f"second_order_{n}": {"steps": n, "order": 2} for n in (2, 5)},
    **{f"ancestral_{n}": {"steps": n, "order": 1, "eta": 1.0} for n in (2, 5, 8)},
}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    root = tmp_path_factory.mktemp("study")
    hole_toys.write_splits(studies.Paths(root))
    return root


@pytest.fixture
def study(place, tmp_path):
    """Return a study that shares its rows with the other tests and nothing else."""
    (tmp_path / "build").mkdir()
    for name in ("development", "test", "holes"):
        (tmp_path / "build" / name).symlink_to(place / "build" / name)
    (tmp_path / "params.yaml").write_text(PARAMS)
    (tmp_path / "dvc.yaml").touch()
    return studies.load(tmp_path)


@pytest.fixture
def seen(monkeypatch):
    """Return the train rows and randomness of every fit, and what every filling was asked."""
    found, plain = {"fit": [], "impute": []}, (MTabGenMLP.fit, MTabGenMLP.impute)

    def fit(self, train, schema, *, rng, **more):
        found["fit"].append((train, rng.path))
        return plain[0](self, train, schema, rng=rng, **more)

    def impute(self, rows, *, rng, draws, **options):
        found["impute"].append((rows, rng.path, draws, options))
        return plain[1](self, rows, rng=rng, draws=draws, **options)

    monkeypatch.setattr(MTabGenMLP, "fit", fit)
    monkeypatch.setattr(MTabGenMLP, "impute", impute)
    return found


def with_block(study, **changed):
    block = study.params.few_steps.model_copy(update=changed)
    return studies.Study(study.params.model_copy(update={"few_steps": block}), study.paths)


def test_every_way_has_every_score_and_its_cost_on_every_split(study):
    study = with_block(study, draws=19)
    few_steps_imputing.few_steps_impute_cell(study, "toy", "mtabgen_mlp")
    written = scores.read(study.paths.few_steps_impute("toy", "mtabgen_mlp"))
    assert set(written["condition"]) == set(WAYS) and set(written["metric"]) == set(few_steps_imputing.SCORES)
    assert len(written) == 2 * len(WAYS) * len(few_steps_imputing.SCORES) and written["value"].notna().all()
    costs = scores.read(study.paths.few_steps_impute_cost("toy", "mtabgen_mlp"))
    assert len(costs) == 2 * len(WAYS) and set(costs["condition"]) == set(WAYS) and (costs["value"] > 0).all()
    assert set(costs["n"]) == {80} and study.paths.few_steps_impute_machine("toy", "mtabgen_mlp").is_file()


def test_every_way_shares_network_holes_and_noise_with_the_others_and_the_fit_with_the_imputation_study(study, seen):
    few_steps_imputing.few_steps_impute_cell(study, "toy", "mtabgen_mlp")
    fits, asks = seen["fit"][:], seen["impute"][:]
    assert len(fits) == 2 and [options for *_, options in asks] == [*WAYS.values()] * 2
    for split in range(2):
        own = asks[split * len(WAYS) : (split + 1) * len(WAYS)]
        assert len({path for _, path, _, _ in own}) == 1 and {draws for _, _, draws, _ in own} == {3}
        assert all(rows.equals(own[0][0]) for rows, *_ in own)
    imputing.impute_cell(study, "toy", "mtabgen_mlp")
    for mine, other in zip(fits, seen["fit"][2:], strict=True):
        pd.testing.assert_frame_equal(mine[0], other[0])
        assert mine[1] == other[1]
    filled = [rows for rows, *_ in seen["impute"][len(asks) :]]
    pd.testing.assert_frame_equal(asks[0][0], filled[0])  # the first scenario is the fitted one


def test_a_score_is_what_the_metrics_say_of_the_fillings(study):
    found = few_steps_imputing.few_steps_impute_cell(study, "toy", "mtabgen_mlp").scores
    split, scenario = hidden.open_split(study, "toy", split=1), study.params.imputation.fitted
    rng = study.rng.branch("impute", "toy", "mtabgen_mlp", 1)
    train, validation = split.hidden("train", scenario), split.hidden("validation", scenario)
    model = imputers.build("mtabgen_mlp", SETTINGS)
    model.fit(train, split.schema, validation=validation, rng=rng.branch("fit"))
    mask = split.mask("test", scenario)
    rows = missingness.hide(split.test, mask)
    for way, options in WAYS.items():
        draws = model.impute(rows, rng=rng.branch("few_steps"), draws=3, **options)
        wanted = imputation_scores(split.test, mask, draws, split.schema, reference=split.train)
        own = found[(found["condition"] == way) & (found["split"] == 1)].set_index("metric")["value"]
        for score in wanted:
            if score.metric in own:
                assert own[score.metric] == pytest.approx(score.value, nan_ok=True)
    assert np.isnan(own["impute_coverage_gap"])  # 3 draws are too few for it


def test_a_failed_fit_is_a_reason_for_every_score_of_its_split(study, monkeypatch):
    fits, plain = [], MTabGenMLP.fit

    def fit(self, *rest, **more):
        fits.append(1)
        if len(fits) == 2:
            raise FitError("the loss is not finite")
        return plain(self, *rest, **more)

    monkeypatch.setattr(MTabGenMLP, "fit", fit)
    drawn = few_steps_imputing.few_steps_impute_cell(study, "toy", "mtabgen_mlp")
    for frame in (drawn.scores, drawn.costs):
        lost = frame[frame["split"] == 1]
        assert lost["value"].isna().all() and set(lost["note"]) == {"the loss is not finite"}
        assert len(lost) * 2 == len(frame) and set(lost["metric"]) == set(frame["metric"])
    there = drawn.scores[(drawn.scores["split"] == 0) & (drawn.scores["metric"] != "impute_coverage_gap")]
    assert there["value"].notna().all()


def test_a_killed_cell_goes_on_where_it_stopped_and_ends_the_same(study, seen):
    few_steps_imputing.few_steps_impute_cell(study, "toy", "mtabgen_mlp")
    files = [path("toy", "mtabgen_mlp") for path in (study.paths.few_steps_impute, study.paths.few_steps_impute_cost)]
    before = [path.read_bytes() for path in files]
    (study.paths.few_steps_impute_splits("toy", "mtabgen_mlp") / "split_0.json").unlink()
    seen["fit"].clear()
    few_steps_imputing.few_steps_impute_cell(study, "toy", "mtabgen_mlp")
    assert len(seen["fit"]) == 1
    assert [path.read_bytes() for path in files] == before  # costs are those first measured


@pytest.mark.parametrize("change", ["code", "draws", "hyperparameters"])
def test_what_was_kept_under_other_settings_or_code_is_not_used(study, seen, monkeypatch, tmp_path, change):
    few_steps_imputing.few_steps_impute_cell(study, "toy", "mtabgen_mlp")
    seen["fit"].clear()
    if change == "code":
        (tmp_path / "code").mkdir()
        (tmp_path / "code" / "changed.py").touch()
        monkeypatch.setattr(progress, "SOURCE", tmp_path / "code")
    if change == "hyperparameters":
        block = study.params.imputation.model_copy(update={"imputers": {"mtabgen_mlp": {**SETTINGS, "width": 4}}})
        study = studies.Study(study.params.model_copy(update={"imputation": block}), study.paths)
    study = with_block(study, draws=2) if change == "draws" else study
    few_steps_imputing.few_steps_impute_cell(study, "toy", "mtabgen_mlp")
    assert len(seen["fit"]) == 2


def test_who_has_no_choice_of_solver_is_named_by_what_they_lack():
    assert few_steps_imputing.missing_options("mtabgen_mlp") == []
    assert few_steps_imputing.missing_options("mice") == ["steps", "order", "eta"]
    assert few_steps_imputing.missing_options("arf") == ["steps", "order", "eta"]


def test_the_other_pages_read_no_score_of_these_fillings(study):
    for name in ("real", "independent"):
        shape = scores.Score("fidelity", "shape", 0.9, 10, "up")
        scores.write(scores.to_frame([shape], dataset="toy", generator=name, split=0), study.paths.scores("toy", name))
    few_steps_imputing.few_steps_impute_cell(study, "toy", "mtabgen_mlp")
    assert len(gathering.all_scores(study)) == 2
