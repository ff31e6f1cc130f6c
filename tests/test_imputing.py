"""The imputation study: what a cell writes, what it hides and from whom, what a failed fit leaves, who can impute."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import hole_toys
import toys
from hole_toys import HOLE
from synthcohort import missingness, scores
from synthcohort import study as studies
from synthcohort.cells import hidden, holdout, holes, imputers, imputing, preparing, progress, rows
from synthcohort.datasets.table import Card, Table
from synthcohort.generators import load as generators
from synthcohort.generators.base import FitError
from synthcohort.imputation import ImputationError
from synthcohort.imputers import load
from synthcohort.imputers.mean_mode import MeanMode
from synthcohort.imputers.mice import MICE
from synthcohort.metrics.classifiers import PREDICTORS
from synthcohort.metrics.imputation import METRICS, imputation_scores
from synthcohort.metrics.imputation_downstream import downstream_scores
from synthcohort.report import gathering

PARAMS = """
study: {seed: 1, splits: 2}
datasets: {toy: {}}
generators: {independent: {}}
imputation:
  tables: [toy]
  imputers:
    mean_mode:
    mice: {rounds: 2}
    mtabgen_mlp: {width: 8, depth: 1, max_steps: 10, evaluate_every: 5, steps: 2}
  scenarios: [{mcar: 0.2}, {mcar: 0.5}, {mar: 0.2}, {mnar: 0.2}]
  draws: 3
  classifier: decision_tree
"""
SCENARIOS = ["mcar_0.2", "mcar_0.5", "mar_0.2", "mnar_0.2"]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    root = tmp_path_factory.mktemp("study")
    (root / "params.yaml").write_text(PARAMS)
    (root / "dvc.yaml").touch()
    hole_toys.write_splits(studies.load(root).paths)
    return root


@pytest.fixture
def study(place, tmp_path):
    """Return a study that shares its rows with the other tests and nothing else."""
    (tmp_path / "build").mkdir()
    for name in ("development", "test", "holes"):
        (tmp_path / "build" / name).symlink_to(place / "build" / name)
    for name in ("params.yaml", "dvc.yaml"):
        (tmp_path / name).write_text((place / name).read_text())
    return studies.load(tmp_path)


@pytest.fixture
def seen(monkeypatch):
    """Return the train rows of every fit and the rows of every ask, by imputer."""
    found = {"fit": [], "impute": []}
    for kind in (MeanMode, MICE):

        def fit(self, train, schema, plain=kind.fit, **more):
            found["fit"].append((self.name, train))
            return plain(self, train, schema, **more)

        def impute(self, given, plain=kind.impute, **more):
            found["impute"].append((self.name, given))
            return plain(self, given, **more)

        monkeypatch.setattr(kind, "fit", fit)
        monkeypatch.setattr(kind, "impute", impute)
    return found


@pytest.mark.parametrize("name", ["mice", "mtabgen_mlp"])
def test_every_scenario_has_every_score_and_cost_on_every_split(study, name):
    study = _with(study, draws=19)
    imputing.impute_cell(study, "toy", name)
    written = scores.read(study.paths.impute("toy", name))
    judged = written[~written["metric"].str.startswith("impute_auroc")]
    assert set(judged["metric"]) == set(METRICS) and set(judged["condition"]) == set(SCENARIOS)
    assert len(judged) == 2 * len(METRICS) * len(SCENARIOS) and set(written["axis"]) == {"imputation"}
    lost = judged[judged["value"].isna()]
    assert lost.empty or set(lost["note"]) <= {"no numeric cell is hidden", "no categorical cell is hidden"}
    learned = written[written["metric"] == "impute_auroc_decision_tree"]
    assert list(learned["condition"]) == ["mcar_0.2"] * 2 and learned["value"].between(0, 1).all()
    costs = scores.read(study.paths.impute_cost("toy", name))
    assert (costs["value"] > 0).all() and len(costs) == 2 * (1 + len(SCENARIOS))
    assert set(costs[costs["metric"] == "fit_cpu_seconds"]["n"]) == {100}
    assert set(costs[costs["metric"] == "impute_cpu_seconds"]["n"]) == {80}
    assert study.paths.impute_machine("toy", name).is_file()


def test_every_imputer_is_fitted_once_a_split_and_gets_the_same_holes(study, seen):
    for name in ("mean_mode", "mice"):
        imputing.impute_cell(study, "toy", name)
    for ask, often in (("fit", 1), ("impute", len(SCENARIOS) + 1)):
        mine, other = ([frame for name, frame in seen[ask] if name == one] for one in ("mean_mode", "mice"))
        assert len(mine) == len(other) == 2 * often
        for a, b in zip(mine, other, strict=True):
            pd.testing.assert_frame_equal(a, b)
    first, second = (frame for name, frame in seen["fit"] if name == "mice")
    assert not first.isna().equals(second.isna())  # each split has its own
    asked = [frame.isna().to_numpy() for name, frame in seen["impute"] if name == "mice"][: len(SCENARIOS)]
    assert len({mask.tobytes() for mask in asked}) == len(SCENARIOS)


def test_the_target_is_never_hidden_and_the_tables_own_holes_are_open_but_not_judged(study, seen):
    found = imputing.impute_cell(study, "toy", "mean_mode").scores
    for _, frame in (*seen["fit"], *seen["impute"]):
        assert frame["died"].notna().all() and np.isnan(frame[HOLE[0]].iloc[HOLE[1]])
    split = hidden.open_split(study, "toy", split=0)
    for scenario in study.params.imputation.scenarios:
        mask = split.mask("test", scenario)
        assert not mask[HOLE[1], list(split.test).index(HOLE[0])] and not mask[:, list(split.test).index("died")].any()
        own = found[(found["condition"] == scenario.name) & (found["metric"] == "impute_avg_mae")]
        assert own["n"].iloc[0] == mask.sum()


def test_a_score_is_what_the_metrics_say_of_the_draws(study):
    found = imputing.impute_cell(study, "toy", "mice").scores
    split, scenario = hidden.open_split(study, "toy", split=1), study.params.imputation.scenarios[1]
    mask = missingness.mcar(
        split.test,
        split.schema,
        rate=0.5,
        rng=study.rng.branch("holes", "toy", 1, "test", "mcar_0.5"),
        spare_target=True,
    )
    rng = study.rng.branch("impute", "toy", "mice", 1)
    train = split.hidden("train", study.params.imputation.fitted)
    model = MICE(rounds=2).fit(train, split.schema, rng=rng.branch("fit"))
    draws = model.impute(missingness.hide(split.test, mask), rng=rng.branch("impute", "mcar_0.5"), draws=3)
    wanted = imputation_scores(split.test, mask, draws, split.schema, reference=split.train)
    own = found[(found["condition"] == scenario.name) & (found["split"] == 1)].set_index("metric")["value"]
    for score in wanted:
        assert own[score.metric] == pytest.approx(score.value, nan_ok=True)
    completed = model.impute(train, rng=rng.branch("impute", "train"), draws=3)
    test = holdout.read_test(study.paths.test("toy"), 1)
    branch = study.rng.branch("holes", "toy", 1, "predictor")
    (learned,) = downstream_scores(completed, test, split.schema, PREDICTORS["decision_tree"], rng=branch)
    own = found[(found["metric"] == learned.metric) & (found["split"] == 1)]
    assert own["value"].iloc[0] == pytest.approx(learned.value)


def test_generators_stop_early_by_validation_rows_with_holes(study, monkeypatch):
    kind, got = imputers.find("mtabgen_mlp"), []
    plain = kind.fit

    def fit(self, train, schema, *, validation, **more):
        got.append(validation)
        return plain(self, train, schema, validation=validation, **more)

    monkeypatch.setattr(kind, "fit", fit)
    imputing.impute_cell(study, "toy", "mtabgen_mlp")
    assert [len(frame) for frame in got] == [20, 20]
    assert all(0.1 < frame.drop(columns="died").isna().to_numpy().mean() < 0.3 for frame in got)


@pytest.mark.parametrize("error", [ImputationError("column 'age': no cell"), FitError("the loss is not finite")])
def test_a_failed_fit_is_a_reason_for_every_score_of_its_split(study, monkeypatch, error):
    fits, plain = [], MeanMode.fit

    def fit(self, *rest, **more):
        fits.append(1)
        if len(fits) == 2:
            raise error
        return plain(self, *rest, **more)

    monkeypatch.setattr(MeanMode, "fit", fit)
    imputed = imputing.impute_cell(_with(study, draws=19), "toy", "mean_mode")
    for frame in (imputed.scores, imputed.costs):
        lost = frame[frame["split"] == 1]
        assert lost["value"].isna().all() and set(lost["note"]) == {str(error)} and len(lost) * 2 == len(frame)
    there = imputed.scores[imputed.scores["split"] == 0]
    assert there[there["condition"] == "mcar_0.2"]["value"].notna().all()


def test_a_scenario_that_cannot_be_made_or_filled_fails_alone(study, monkeypatch):
    plain = MeanMode.impute

    def impute(self, given, **more):
        if given.drop(columns="died").isna().to_numpy().mean() > 0.4:
            raise ImputationError("too many holes")
        return plain(self, given, **more)

    monkeypatch.setattr(MeanMode, "impute", impute)
    monkeypatch.setitem(missingness.MECHANISMS, "mnar", _impossible)
    imputed = imputing.impute_cell(study, "toy", "mean_mode")
    for frame, left in ((imputed.scores, "impute_avg_mae"), (imputed.costs, "impute_cpu_seconds")):
        own = frame[frame["metric"] == left].set_index("condition")
        assert set(own.loc["mcar_0.5", "note"]) == {"too many holes"} and own.loc["mcar_0.5", "value"].isna().all()
        assert set(own.loc["mnar_0.2", "note"]) == {"cannot be hidden"}
        assert own.loc["mcar_0.2", "value"].notna().all() and own.loc["mar_0.2", "value"].notna().all()


def _impossible(*_, **__):
    raise missingness.MissingnessError("cannot be hidden")


def test_holes_as_found_are_completed_with_none_hidden_beside_them(study, seen):
    imputing.impute_cell(_with(study, as_found=True), "toy", "mean_mode")
    asked = [frame for name, frame in seen["impute"]]
    per_split = len(SCENARIOS) + 1 + 2
    assert len(asked) == 2 * per_split and len(seen["fit"]) == 2  # no further fit
    for split in range(2):
        for frame in asked[split * per_split + len(SCENARIOS) + 1 :][:2]:
            assert frame.isna().sum().sum() == 1 and np.isnan(frame[HOLE[0]].iloc[HOLE[1]])
    written = scores.read(study.paths.impute("toy", "mean_mode"))
    own = written[written["condition"] == "as_found"].set_index(["metric", "split"])["value"]
    assert own["found_in_range"].tolist() == [1.0, 1.0] and (own["found_wasserstein_numeric"] > 0).all()
    assert own["impute_auroc_decision_tree"].between(0, 1).all()
    assert own["found_wasserstein_categorical"].isna().all()  # the table has no such hole


def test_a_table_without_holes_of_its_own_says_so(study, tmp_path):
    (tmp_path / "build" / "holes").unlink()
    none = {name: pd.DataFrame(columns=["age"]) for name in hidden.PARTS}
    for split in range(2):
        holes.write(none, study.paths.holes("toy") / f"split_{split}")
    found = imputing.impute_cell(_with(study, as_found=True), "toy", "mean_mode").scores
    own = found[found["condition"] == "as_found"]
    assert own["value"].isna().all() and len(own) == 2 * 4
    assert set(own["note"]) == {"no cell of the train rows or of the test rows was missing from the first"}


def test_a_table_without_categorical_features_owes_no_score_of_levels():
    _, schema = toys.mixed(10)
    kept = tuple(c for c in schema.columns if c.numeric or c.role == "target")
    owed = hidden.owed(replace(schema, columns=kept))
    assert set(METRICS) - set(owed) == {name for name, m in METRICS.items() if m.kind == "categorical"}


def test_a_killed_cell_goes_on_where_it_stopped_and_ends_the_same(study, seen):
    imputing.impute_cell(study, "toy", "mice")
    files = [path("toy", "mice") for path in (study.paths.impute, study.paths.impute_cost)]
    before = [path.read_bytes() for path in files]
    (study.paths.impute_splits("toy", "mice") / "split_1.json").unlink()
    seen["fit"].clear()
    imputing.impute_cell(study, "toy", "mice")
    assert len(seen["fit"]) == 1
    assert [path.read_bytes() for path in files] == before  # costs are those first measured


@pytest.mark.parametrize("change", ["code", "draws", "hyperparameters", "holes"])
def test_what_was_kept_under_other_settings_rows_or_code_is_not_used(study, seen, monkeypatch, tmp_path, change):
    imputing.impute_cell(study, "toy", "mice")
    seen["fit"].clear()
    if change == "code":
        (tmp_path / "code").mkdir()
        (tmp_path / "code" / "changed.py").touch()
        monkeypatch.setattr(progress, "SOURCE", tmp_path / "code")
    if change == "holes":
        (tmp_path / "build" / "holes").unlink()
        none = {name: pd.DataFrame(columns=["age"]) for name in hidden.PARTS}
        for split in range(2):
            holes.write(none, study.paths.holes("toy") / f"split_{split}")
    study = _with(study, draws=2) if change == "draws" else study
    study = _with(study, imputers={"mice": {"rounds": 1}}) if change == "hyperparameters" else study
    imputing.impute_cell(study, "toy", "mice")
    assert len(seen["fit"]) == 2


def test_no_more_splits_are_asked_than_wanted_and_the_first_are_kept(study, seen):
    imputing.impute_cell(_with(study, splits=1), "toy", "mice")
    assert set(scores.read(study.paths.impute("toy", "mice"))["split"]) == {0} and len(seen["fit"]) == 1
    imputing.impute_cell(study, "toy", "mice")
    assert set(scores.read(study.paths.impute("toy", "mice"))["split"]) == {0, 1} and len(seen["fit"]) == 2


def _with(study, **changed):
    block = study.params.imputation.model_copy(update=changed)
    return studies.Study(study.params.model_copy(update={"imputation": block}), study.paths)


def test_holes_come_back_where_they_were_and_nowhere_else(tmp_path):
    frame, _ = toys.mixed(40)
    raw = frame.copy()
    raw.loc[[2, 7], "age"] = np.nan
    raw.loc[5, "stage"] = None
    holes.write({"train": raw, "test": frame}, tmp_path)
    pd.testing.assert_frame_equal(holes.reopened(frame, tmp_path / "train.csv"), raw)
    pd.testing.assert_frame_equal(holes.reopened(frame, tmp_path / "test.csv"), frame)
    with pytest.raises(FileNotFoundError, match=r"validation.csv is not there; run `dvc repro`"):
        holes.reopened(frame, tmp_path / "validation.csv")


def test_the_prepare_stage_lists_the_holes_it_filled(tmp_path):
    (tmp_path / "params.yaml").write_text(PARAMS)
    (tmp_path / "dvc.yaml").touch()
    study = studies.load(tmp_path)
    frame, schema = toys.mixed(120)
    frame = missingness.hide(frame, np.random.default_rng(0).random(frame.shape) < [0.2, 0.0, 0.2, 0.0, 0.0])
    card = Card("toy", "Toy", "nobody", (), "none", "none")
    rows.write_table(Table(frame, schema, card), study.paths.table("toy"))
    preparing.prepare_cell(study, "toy")
    for split in range(2):
        found = hidden.open_split(study, "toy", split=split)
        both = pd.concat([found.train, found.validation, found.test]).sort_values(list(frame), ignore_index=True)
        pd.testing.assert_frame_equal(both, frame.sort_values(list(frame), ignore_index=True))
        assert found.filled.notna().all(axis=None)


def test_who_imputes_is_looked_up_among_imputers_and_generators_with_the_ability():
    assert imputers.find("mice") is MICE and imputers.find("mtabgen").__name__ == "MTabGen"
    assert not set(load.names()) & set(generators.names())
    with pytest.raises(
        LookupError, match=r"'mise' fills no missing cells. Did you mean 'mice'\? .* the generators arf,"
    ):
        imputers.find("mise")
    with pytest.raises(LookupError, match="'smote' fills no missing cells"):
        imputers.find("smote")
    with pytest.raises(TypeError, match=r"unknown hyperparameter 'round'. Did you mean 'rounds'\? Known: rounds"):
        imputers.build("mice", {"round": 2})
    with pytest.raises(TypeError, match=r"unknown hyperparameter 'k'\. Known: none"):
        imputers.build("mean_mode", {"k": 2})


def test_the_other_pages_read_no_score_of_this_study(study):
    shape = scores.Score("fidelity", "shape", 0.9, 10, "up")
    cost = scores.Score("cost", "train_cpu_seconds", 1.0, 10, "down")
    for name in ("real", "independent"):
        for score, place in ((shape, study.paths.scores), (cost, study.paths.cost)):
            scores.write(scores.to_frame([score], dataset="toy", generator=name, split=0), place("toy", name))
    imputing.impute_cell(study, "toy", "mean_mode")
    assert len(gathering.all_scores(study)) == 2 and len(gathering.all_costs(study)) == 1
