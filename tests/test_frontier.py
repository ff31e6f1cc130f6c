"""The frontier: what a cell writes, that budgets are kept and spent, that it goes on where it stopped, failed fits."""

import json

import pandas as pd
import pytest

import toys
from synthcohort import scores
from synthcohort import study as studies
from synthcohort.cells import frontier, progress, rows
from synthcohort.generators.base import FitError
from synthcohort.generators.mst import MST
from synthcohort.report import gathering
from synthcohort.schema import write_frame

PARAMS = """
study: {seed: 1, splits: 2}
datasets: {toy: {}}
generators: {independent: {}, bootstrap: {}}
metrics: {max_rows_membership: 20, attacks: 20}
frontier:
  tables: [toy]
  epsilons: [1, 8]
  families:
    bootstrap: {counterpart: bootstrap}
    mst: {counterpart: independent, settings: {rounds: 3, bins: 3}}
  classifiers: [logistic_regression]
"""
BUDGETS = ["epsilon=1", "epsilon=8", "epsilon=inf"]


@pytest.fixture(scope="module", autouse=True)
def a_library_that_does_not_change(tmp_path_factory):
    """Leave the library's own files out of the stamps: these tests are about everything else."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(progress, "SOURCE", tmp_path_factory.mktemp("library"))
        yield


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    root = tmp_path_factory.mktemp("study")
    (root / "params.yaml").write_text(PARAMS)
    (root / "dvc.yaml").touch()
    paths = studies.load(root).paths
    frame, schema = toys.mixed(160)
    with rows.whole_folder(paths.development("toy")) as development, rows.whole_folder(paths.test("toy")) as test:
        for folder in (development, test):
            schema.to_json(folder / "schema.json")
        for split in range(2):
            write_frame(frame.iloc[:70], development / f"split_{split}" / "train.csv")
            write_frame(frame.iloc[70:90], development / f"split_{split}" / "validation.csv")
            write_frame(frame.iloc[90:], test / f"split_{split}" / "test.csv")
            for name in ("independent", "bootstrap"):
                part = paths.trained("toy", name) / f"split_{split}"
                write_frame(frame.iloc[:70], part / "as_observed.csv")
                (part / "absent.json").write_text("{}")
    return root


@pytest.fixture(scope="module")
def done(place):
    """Return the study and what its private cell gave, once for the tests that change neither."""
    study = studies.load(place)
    return study, frontier.frontier_cell(study, "toy", "mst")


@pytest.fixture
def study(done, place, tmp_path):
    """Return a study of its own that has all that the first one kept."""
    for name in ("params.yaml", "dvc.yaml"):
        (tmp_path / name).write_text((place / name).read_text())
    (tmp_path / "build").mkdir()
    for name in ("development", "test"):
        (tmp_path / "build" / name).symlink_to(place / "build" / name)
    for part in [p for room in ("frontier", "trained") for p in (place / "build" / room).rglob("*") if p.is_file()]:
        own = tmp_path / part.relative_to(place)
        own.parent.mkdir(parents=True, exist_ok=True)
        own.write_bytes(part.read_bytes())
    return studies.load(tmp_path)


@pytest.fixture
def fits(monkeypatch):
    """Return (epsilon, whether validation rows were given) of every fit."""
    seen, plain = [], MST.fit

    def record(self, train, schema, *, rng, validation=None, device="cpu"):
        seen.append((self.epsilon, validation is not None))
        return plain(self, train, schema, rng=rng, device=device)

    monkeypatch.setattr(MST, "fit", record)
    return seen


def test_every_budget_has_every_score_on_every_split(done):
    study, found = done
    written = scores.read(study.paths.frontier("toy", "mst"))
    assert len(written) == len(found) and not written["value"].isna().any()
    plain = {"shape", "trend", "tstr_auroc_logistic_regression", "minority_f1_logistic_regression",
             "mia_auroc_domias", "attribute_inference_risk"}  # fmt: skip
    for budget in BUDGETS:
        for split in range(2):
            own = written[(written["condition"] == budget) & (written["split"] == split)]
            assert plain <= set(own["metric"])
    groups = written[written["metric"] == "group_auroc_logistic_regression"]
    assert set(groups["condition"]) == {f"{budget} sex={level}" for budget in BUDGETS for level in ("f", "m")}
    assert set(groups["axis"]) == {"fairness"} and groups.groupby(["condition", "split"]).size().max() == 1


def test_what_was_spent_is_within_the_budget_and_noise_came_from_the_seed(done):
    own = done[1].set_index(["metric", "condition"])["value"]
    for epsilon in (1, 8):
        spent = own.loc[("epsilon_spent", f"epsilon={epsilon}")]
        assert (spent <= epsilon).all() and (spent > 0.5 * epsilon).all()
        assert (own.loc[("delta_spent", f"epsilon={epsilon}")] < 1 / 70).all()
        assert (own.loc[("cryptographic_noise", f"epsilon={epsilon}")] == 0).all()
    assert ("epsilon_spent", "epsilon=inf") not in own.index


def test_without_privacy_the_rows_are_those_of_the_counterpart(done):
    """They are the train rows here: nothing is nearer to them."""
    own = done[1].set_index(["metric", "condition"])["value"]
    assert (own.loc[("shape", "epsilon=inf")] == 1.0).all()
    assert (own.loc[("shape", "epsilon=1")] < 1.0).all()


def test_only_the_first_splits_are_asked_for(study, fits):
    fewer = study.params.frontier.model_copy(update={"splits": 1})
    opened = studies.Study(study.params.model_copy(update={"frontier": fewer}), study.paths)
    assert set(frontier.frontier_cell(opened, "toy", "bootstrap")["split"]) == {0}


def test_a_generator_that_is_its_own_counterpart_is_not_fitted(study, fits):
    found = frontier.frontier_cell(study, "toy", "bootstrap")
    assert {condition.split(" ")[0] for condition in found["condition"]} == {"epsilon=inf"} and not fits
    assert "epsilon_spent" not in set(found["metric"])


def test_without_a_counterpart_the_generator_itself_is_fitted_with_an_infinite_budget(study, fits):
    alone = PARAMS.replace("counterpart: independent, ", "").replace("splits: 2", "splits: 1")
    (study.paths.root / "params.yaml").write_text(alone.replace("[1, 8]", "[8]"))
    found = frontier.frontier_cell(studies.load(study.paths.root), "toy", "mst")
    assert fits == [(8, False), (float("inf"), False)] and not found["value"].isna().any()
    assert set(found.loc[found["metric"] == "epsilon_spent", "condition"]) == {"epsilon=8"}


def test_no_fit_sees_validation_rows_and_a_killed_cell_goes_on(study, fits):
    frontier.frontier_cell(study, "toy", "mst")
    assert not fits  # all of it was kept
    before = study.paths.frontier("toy", "mst").read_bytes()
    (study.paths.frontier_fits("toy", "mst") / "split_1" / "epsilon=8.json").unlink()
    frontier.frontier_cell(study, "toy", "mst")
    assert fits == [(8, False)] and study.paths.frontier("toy", "mst").read_bytes() == before


def test_another_setting_is_fitted_anew_and_other_rows_of_the_counterpart_are_not(study, fits):
    part = study.paths.trained("toy", "independent") / "split_0" / "as_observed.csv"
    part.write_text("\n".join([*part.read_text().splitlines()[:60], ""]))
    frontier.frontier_cell(study, "toy", "mst")
    assert not fits
    (study.paths.root / "params.yaml").write_text(PARAMS.replace("epsilons: [1, 8]", "epsilons: [2]"))
    frontier.frontier_cell(studies.load(study.paths.root), "toy", "mst")
    assert set(fits) == {(2, False)}


def test_a_fit_that_failed_is_a_reason_for_every_score(study, monkeypatch):
    def fail(self, *args, **options):
        raise FitError("no noise is enough")

    monkeypatch.setattr(MST, "fit", fail)
    (study.paths.frontier_fits("toy", "mst") / "split_0" / "epsilon=1.json").unlink()
    found = frontier.frontier_cell(study, "toy", "mst")
    lost = found[found["value"].isna()]
    assert set(lost["condition"]) == {"epsilon=1"} and set(lost["split"]) == {0}
    assert set(lost["note"]) == {"no noise is enough"} and {"shape", "epsilon_spent"} <= set(lost["metric"])


def test_a_counterpart_that_failed_or_was_not_trained(study):
    part = study.paths.trained("toy", "bootstrap") / "split_0"
    (part / "as_observed.csv").unlink()
    (part / "failed.json").write_text(json.dumps({"reason": "the loss is not finite"}))
    found = frontier.frontier_cell(study, "toy", "bootstrap")
    assert set(found.loc[found["split"] == 0, "note"]) == {"the loss is not finite"}
    for path in part.iterdir():
        path.unlink()
    part.rmdir()
    with pytest.raises(FileNotFoundError, match="toy, bootstrap: split 0 has not been trained; run `dvc repro`"):
        frontier.frontier_cell(study, "toy", "bootstrap")


def test_the_other_pages_read_no_score_of_the_frontier(done):
    study = done[0]
    shape = scores.Score("fidelity", "shape", 0.9, 10, "up")
    for name in ("real", "independent", "bootstrap"):
        scores.write(scores.to_frame([shape], dataset="toy", generator=name, split=0), study.paths.scores("toy", name))
    assert len(gathering.all_scores(study)) == 3


def test_conditions_are_read_back_by_the_page(done):
    from synthcohort.comparison import privacy_cost

    frame = privacy_cost.with_budgets(done[1])
    assert set(frame["epsilon"]) == {1.0, 8.0, float("inf")} and set(frame["group"]) == {"", "sex=f", "sex=m"}
    gaps = privacy_cost.gaps(frame, "tstr_auroc_logistic_regression", gathering.resampling(done[0]), tolerance=0.05)
    assert gaps["epsilon"].tolist() == [1, 8] and isinstance(gaps, pd.DataFrame)
