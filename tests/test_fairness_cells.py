"""Cells of fairness: how any generator draws a balanced table, the rivals, what a cell writes and keeps."""

import json

import numpy as np
import pandas as pd
import pytest

import toys
from synthcohort import joint, scores
from synthcohort import study as studies
from synthcohort.cells import fairness, fairness_draws, fairness_rivals, progress, rows
from synthcohort.cells import fairness_material as materials
from synthcohort.datasets.table import Card, Table
from synthcohort.generators.base import FitError
from synthcohort.generators.bootstrap import Bootstrap
from synthcohort.generators.independent import Independent
from synthcohort.metrics.fairness import group_names, parity_names
from synthcohort.metrics.matrix import DataProblem
from synthcohort.rng import Rng

PARAMS = """
study: {seed: 1, splits: 2}
datasets: {toy: {}}
generators: {independent: {}, bootstrap: {}}
fairness: {tables: {toy: [sex]}, generators: {bootstrap: }, cuts: {age: [50]}, dials: [0, 1], splits: 2}
"""


def opened(root, text=PARAMS, table=None, restricted=False):
    (root / "params.yaml").write_text(text)
    (root / "dvc.yaml").touch()
    study = studies.load(root)
    frame, schema = table or toys.mixed(400)
    card = Card("toy", "Toy", "us", (), "none", "none", restricted=restricted)
    rows.write_table(Table(frame, schema, card), study.paths.table("toy"))
    return study


@pytest.fixture
def study(tmp_path):
    return opened(tmp_path)


@pytest.fixture(scope="module")
def material(tmp_path_factory):
    text = PARAMS.replace("[sex]}", "[sex, age]}").replace("[0, 1]", "[0, 0.5, 1]")
    study = opened(tmp_path_factory.mktemp("both"), text)
    return materials.open_splits(study, "toy")(0)


def ask(material, columns, dial=1.0):
    known = tuple(a for a in material.attributes if a.column in columns)
    return materials.Ask(materials.named(known, dial), known, dial)


def test_half_of_the_rows_train_and_a_quarter_judges(material):
    assert [len(part) for part in (material.train, material.validation, material.test)] == [200, 100, 100]


def test_asks_are_each_attribute_alone_then_all_of_them_at_every_dial(material):
    block = studies.FairnessBlock(dials=[0, 0.5, 1])
    wanted = materials.asks(material.attributes, block)
    assert [one.condition for one in wanted] == [
        "observed", "sex_0.5", "sex_1.0", "age_0.5", "age_1.0", "sex+age_0.5", "sex+age_1.0",
    ]  # fmt: skip
    assert [one.condition for one in materials.asks(material.attributes[:1], block)] == [
        "observed",
        "sex_0.5",
        "sex_1.0",
    ]


@pytest.mark.parametrize("dial", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("generator", [Independent, Bootstrap])
def test_every_generator_gives_exactly_the_joint_that_was_asked_for(material, generator, dial):
    """`independent` is asked for every cell, `bootstrap` for the label alone and its rows are picked."""
    model = generator().fit(material.train, material.schema, rng=Rng(1))
    draw = fairness_draws.answers(model, material)
    both = ask(material, ["sex", "age"], dial)
    assert fairness_draws.takes(model, both) == (generator is Independent)
    drawn = draw(both)
    grid = material.grid(both)
    assert (grid.counts(drawn) == joint.numbers(material.law(both), len(material.train))).all()
    material.schema.check(drawn)


def test_a_sensitive_column_that_is_a_mere_feature_takes_the_ability_for_any(material):
    model = Bootstrap().fit(material.train, material.schema, rng=Rng(1))
    model.abilities = frozenset({"condition-target", "condition-sensitive"})
    assert fairness_draws.takes(model, ask(material, ["sex"]))
    assert not fairness_draws.takes(model, ask(material, ["age"]))


def test_the_pool_is_drawn_once_and_a_row_comes_twice_only_if_all_came_once(material, monkeypatch):
    model = Bootstrap().fit(material.train, material.schema, rng=Rng(1))
    calls = []
    sample = model.sample
    monkeypatch.setattr(model, "sample", lambda n, **more: calls.append(n) or sample(n, **more))
    draw = fairness_draws.answers(model, material)
    first, again, other = (draw(ask(material, columns)) for columns in (["sex"], ["sex"], ["age"]))
    assert calls == [fairness_draws.POOL * len(material.train)]
    assert first.equals(again) and not first.equals(other)
    pool = fairness_draws.observed(model, material).reset_index(drop=True)
    grid = material.grid(ask(material, ["sex"]))
    numbered = pool.assign(died=pool["died"])
    picked = fairness_draws.picked(numbered, material, ask(material, ["sex"]))
    assert (grid.counts(picked) <= grid.counts(pool)).all()  # the pool is large enough here, so none twice


def test_a_combination_the_pool_lacks_is_left_to_the_others_of_its_label(material):
    one = ask(material, ["sex"])
    lacking = material.train[~((material.train["sex"] == "f") & (material.train["died"] == "yes"))]
    drawn = fairness_draws.picked(lacking, material, one)
    counts = material.grid(one).counts(drawn)
    assert counts[1, 0] == 0 and list(counts.sum(axis=1)) == list(material.train["died"].value_counts(sort=False))
    with pytest.raises(DataProblem, match=r"none can be picked for sex_1\.0"):
        fairness_draws.picked(material.train[material.train["died"] == "no"], material, one)


def test_resampled_rows_have_the_joint_and_come_from_the_train_rows(material):
    both = ask(material, ["sex", "age"])
    drawn = fairness_rivals.resampled(material, both)
    assert (material.grid(both).counts(drawn) == joint.numbers(material.law(both), 200)).all()
    assert len(drawn.merge(material.train.drop_duplicates())) == 200


def test_weights_make_label_and_group_independent(material):
    one = ask(material, ["sex"])
    weights, train = fairness_rivals.weights(material, one), material.train
    grid = material.grid(one)
    heavy = np.bincount(grid.cells(train), weights=weights).reshape(grid.shape) / 200
    p_label, p_sex = train["died"].value_counts(sort=False) / 200, train["sex"].value_counts(sort=False) / 200
    assert np.allclose(heavy, np.outer(p_label, p_sex)) and weights.mean() == pytest.approx(1.0)
    by_hand = p_label["yes"] * p_sex["f"] / ((train["died"] == "yes") & (train["sex"] == "f")).mean()
    assert np.allclose(weights[(train["died"] == "yes") & (train["sex"] == "f")], by_hand)
    assert np.allclose(fairness_rivals.weights(material, ask(material, ["sex"], 0.0)), 1.0)


def test_interpolated_rows_stay_in_their_combination(material):
    both = ask(material, ["sex", "age"])
    drawn = fairness_rivals.fair_smote(material, both)
    grid = material.grid(both)
    assert (grid.counts(drawn) == joint.numbers(material.law(both), 200)).all()
    material.schema.check(drawn)
    new = drawn.merge(material.train.drop_duplicates(), how="left", indicator=True)["_merge"] == "left_only"
    short = np.maximum(joint.numbers(material.law(both), 200) - grid.counts(material.train), 0).sum()
    assert 0.8 * short <= new.sum() <= short


def test_moved_decisions_even_out_the_selection_rates_of_validation_rows(material, monkeypatch):
    model = material.learned(material.train)
    same = materials.Material(
        material.train, material.validation, material.validation, material.schema, material.attributes, False,
        material.rng,
    )  # fmt: skip
    one = ask(same, ["sex"])
    sex = same.validation["sex"].cat.codes.to_numpy()

    def rates(decided):
        return [decided.decision[sex == g].mean() for g in (0, 1)]

    moved = rates(fairness_rivals.moved(same, one, model, "demographic_parity"))
    own = rates(same.decided(model))
    assert abs(moved[0] - moved[1]) < 0.02 < abs(own[0] - own[1])
    half = fairness_rivals.moved(same, ask(same, ["sex"], 0.5), model, "demographic_parity")
    assert np.allclose(rates(half), (np.array(moved) + own) / 2)


def test_a_group_of_one_class_keeps_the_models_decisions(material):
    model = material.learned(material.train)
    check = material.validation
    lone = check[~((check["sex"] == "f") & (check["died"] == "yes"))]
    poor = materials.Material(
        material.train, lone, material.test, material.schema, material.attributes, False, material.rng
    )
    found = fairness_rivals.moved(poor, ask(poor, ["sex"]), model, "equalized_odds")
    women = material.test["sex"] == "f"
    assert (found.decision[women] == material.decided(model).decision[women]).all()
    with pytest.raises(DataProblem, match=r"no group of sex_1\.0 has validation rows of both classes"):
        none = materials.Material(
            material.train, lone[lone["died"] == "no"], material.test, material.schema, material.attributes, False,
            material.rng,
        )  # fmt: skip
        fairness_rivals.moved(none, ask(none, ["sex"]), model, "equalized_odds")


def test_a_cell_writes_every_score_of_every_ask_and_split(study):
    found = fairness.fairness_cell(study, "toy", "bootstrap")
    written = scores.read(study.paths.fairness("toy", "bootstrap"))
    assert len(written) == len(found) and set(written["condition"]) == {"observed", "sex_1.0"}
    assert set(written["split"]) == {0, 1} and set(written["axis"]) == {"fairness"}
    (sex,) = materials.read_attributes(study, "toy")
    owed = {"auroc", "accuracy", "joint_gap", "fewest_rows", "shape_asked", "trend_asked"}
    owed |= {*parity_names(sex), *group_names(sex)}
    assert owed <= set(written["metric"])
    own = written.set_index(["metric", "condition", "split"])["value"]
    assert own["joint_gap", "sex_1.0", 0] < 0.01 and own["auroc", "observed", 0] > 0.8
    material = materials.open_splits(study, "toy")(0)
    smallest = material.train.groupby(["died", "sex"], observed=False).size().min()
    assert own["fewest_rows", "sex_1.0", 0] == smallest


def test_rivals_share_the_model_of_the_real_rows_where_nothing_is_balanced(study):
    found = fairness_rivals.rivals_cell(study, "toy")
    assert set(found["generator"]) == set(fairness_rivals.RIVALS)
    plain = found[(found["condition"] == "observed") & (found["metric"] == "auroc") & (found["split"] == 0)]
    assert len(plain) == len(fairness_rivals.RIVALS) and len({*plain["value"]}) == 1
    parity = found[(found["condition"] == "sex_1.0") & (found["metric"] == "demographic_parity_ratio_sex")]
    assert len(parity) == 2 * len(fairness_rivals.RIVALS) and parity["value"].notna().all()


def test_a_killed_cell_goes_on_where_it_stopped(study, monkeypatch):
    fairness.fairness_cell(study, "toy", "bootstrap")
    path = study.paths.fairness("toy", "bootstrap")
    before = path.read_bytes()
    (study.paths.fairness_runs("toy", "bootstrap") / "split_1.json").unlink()
    fitted = []
    fit = Bootstrap.fit
    monkeypatch.setattr(Bootstrap, "fit", lambda self, *args, **more: fitted.append(1) or fit(self, *args, **more))
    fairness.fairness_cell(study, "toy", "bootstrap")
    assert len(fitted) == 1 and path.read_bytes() == before
    monkeypatch.setattr(progress, "stamp", lambda *_: "other code")
    fairness.fairness_cell(study, "toy", "bootstrap")
    assert len(fitted) == 3


def test_a_failed_fit_is_a_reason_for_every_comparison(study, monkeypatch):
    def fail(*args, **more):
        raise FitError("the loss is not finite")

    monkeypatch.setattr(Bootstrap, "fit", fail)
    found = fairness.fairness_cell(study, "toy", "bootstrap")
    assert found["value"].isna().all() and set(found["note"]) == {"the loss is not finite"}
    assert {"auroc", "demographic_parity_ratio_sex"} <= set(found["metric"])


def test_a_restricted_table_tells_no_count_below_the_floor(tmp_path):
    frame, schema = toys.mixed(400)
    few = pd.concat([frame[frame["sex"] == "m"], frame[frame["sex"] == "f"].iloc[:30]], ignore_index=True)
    study = opened(tmp_path, table=(few, schema), restricted=True)
    found = fairness.fairness_cell(study, "toy", "bootstrap")
    women = found[found["metric"].isin(["selection_rate_sex_f", "auroc_sex_f"])]
    assert women["value"].isna().all() and women["note"].str.contains("withheld").any()
    assert (
        not found["n"].between(1, 10).any()
        and not found[found["metric"] == "fewest_rows"]["value"].between(1, 10).any()
    )
    kept = json.loads((study.paths.fairness_runs("toy", "bootstrap") / "split_0.json").read_text())
    assert set(kept["record"]) == {"bootstrap"}


@pytest.mark.parametrize(
    ("text", "table", "message"),
    [
        (PARAMS.replace("[sex]}", "[gender]}"), toys.mixed, "fairness.tables.toy, .*no sensitive column 'gender'"),
        (PARAMS.replace("[sex]}", "[marker]}"), toys.mixed, "column 'marker' is numeric .* give it cut points"),
        (
            PARAMS.replace("[sex]}", "[ward]}"),
            toys.categorical,
            "toy asks for multiclass; decisions need a target of two",
        ),
    ],
)
def test_columns_that_make_no_groups_are_named_with_their_key(tmp_path, text, table, message):
    study = opened(tmp_path, text, table())
    with pytest.raises(studies.ParamsError, match=message):
        fairness.fairness_cell(study, "toy", "bootstrap")
