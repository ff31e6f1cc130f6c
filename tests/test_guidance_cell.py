"""Draws with other sampling options: what a cell writes, what its draws share, who judges, what a failure leaves."""

import math

import numpy as np
import pytest

import toys
from synthcohort import scores
from synthcohort import study as studies
from synthcohort.cells import fairness, guidance, rows
from synthcohort.cells import fairness_material as materials
from synthcohort.datasets.table import Card, Table
from synthcohort.generators.base import FitError
from synthcohort.generators.guided_tabddpm import GuidedTabDDPM
from synthcohort.metrics.classifiers import Classifier

NETWORK = "{width: 8, depth: 1, max_steps: 20, evaluate_every: 10, steps: 2}"
PARAMS = f"""
study: {{seed: 1, splits: 2}}
datasets: {{toy: {{}}}}
generators: {{independent: {{}}}}
fairness:
  {{tables: {{toy: [sex, age]}}, generators: {{guided_tabddpm: {NETWORK}}}, cuts: {{age: [50]}}, dials: [0, 1],
    splits: 2}}
guidance:
  tables: {{toy: [sex]}}
  generators: {{guided_tabddpm: {NETWORK}}}
  splits: 2
  curves:
    target: {{option: target_guidance, values: [0, 1.5]}}
    warm: {{option: warm_up, values: [0, 1], also: {{sensitive_guidance: 2}}}}
    steps: {{option: steps, values: [2, 3]}}
"""
CONDITIONS = ["target_0", "target_1.5", "warm_0", "warm_1", "steps_2", "steps_3"]


@pytest.fixture
def study(tmp_path):
    (tmp_path / "params.yaml").write_text(PARAMS)
    (tmp_path / "dvc.yaml").touch()
    opened = studies.load(tmp_path)
    frame, schema = toys.mixed(240)
    card = Card("toy", "Toy", "us", (), "none", "none", restricted=False)
    rows.write_table(Table(frame, schema, card), opened.paths.table("toy"))
    return opened


@pytest.fixture
def calls(monkeypatch):
    """Return (path of the randomness, conditions, options) of every draw."""
    seen, plain = [], GuidedTabDDPM.sample

    def record(self, n, *, rng, conditions=None, **options):
        seen.append((rng.path, conditions, options))
        return plain(self, n, rng=rng, conditions=conditions, **options)

    monkeypatch.setattr(GuidedTabDDPM, "sample", record)
    return seen


def test_every_value_of_every_curve_is_judged_on_every_split(study):
    found = guidance.guidance_cell(study, "toy", "guided_tabddpm")
    written = scores.read(study.paths.guidance("toy", "guided_tabddpm"))
    assert set(written["condition"]) == set(CONDITIONS) and len(written) == len(found)
    for metric in ("auroc", "demographic_parity_ratio_sex", "equalized_odds_ratio_age", "shape_asked", "joint_gap"):
        own = written[written["metric"] == metric]
        assert sorted(zip(own["condition"], own["split"], strict=True)) == sorted(
            (name, split) for name in CONDITIONS for split in (0, 1)
        )


def test_draws_differ_in_their_options_alone_and_settings_that_agree_share_one(study, calls):
    """`target_0` and `steps_2` are the generator's own settings, so they share a draw."""
    found = guidance.guidance_cell(study, "toy", "guided_tabddpm")
    options = [own for _, _, own in calls]
    assert options[:5] == [
        {"target_guidance": 0},
        {"target_guidance": 1.5},
        {"sensitive_guidance": 2, "warm_up": 0},
        {"sensitive_guidance": 2, "warm_up": 1},
        {"steps": 3},
    ]
    assert len(calls) == 2 * 5
    first = [call for call in calls if call[0][2:4] == calls[0][0][2:4]]
    assert len(first) == 5 and len({path for path, _, _ in first}) == 1
    assert all(asked.equals(first[0][1]) for _, asked, _ in first)
    values = {name: own.drop(columns="condition").reset_index(drop=True) for name, own in found.groupby("condition")}
    assert values["target_0"].equals(values["steps_2"]) and values["warm_1"].equals(values["target_0"])
    assert not values["target_0"].equals(values["steps_3"])


def test_the_table_is_balanced_in_the_named_columns_and_has_the_size_of_the_train_rows(study, calls):
    guidance.guidance_cell(study, "toy", "guided_tabddpm")
    asked = calls[0][1]
    material = materials.open_splits(study, "toy")(0)
    assert list(asked.columns) == ["died", "sex"] and len(asked) == len(material.train)
    by = asked.groupby("died", observed=True)["sex"].value_counts().unstack()
    assert (abs(by.iloc[:, 0] - by.iloc[:, 1]) <= 1).all()


def test_it_is_the_fairness_cell_judged_on_validation_rows(study, monkeypatch):
    """The fit, the ask and the noise are those of `fairness`; no row it keeps for the test is ever decided on."""
    seen, plain = [], Classifier.probabilities
    monkeypatch.setattr(Classifier, "probabilities", lambda self, frame: seen.append(frame) or plain(self, frame))
    found = guidance.guidance_cell(study, "toy", "guided_tabddpm")
    parts = [materials.open_splits(study, "toy")(split) for split in (0, 1)]
    assert seen and all(any(frame.equals(part.validation) for part in parts) for frame in seen)
    monkeypatch.setattr(materials.Material, "decided", _on_validation)
    fair = fairness.fairness_cell(study, "toy", "guided_tabddpm")
    pick = {"metric": "auroc", "split": 0}
    assert _value(found, condition="target_0", **pick) == _value(fair, condition="sex_1.0", **pick)


def test_a_cell_that_was_stopped_goes_on_where_it_stopped(study, calls):
    first = guidance.guidance_cell(study, "toy", "guided_tabddpm")
    place = study.paths.guidance_draws("toy", "guided_tabddpm") / "split_1" / "target_1.5.json"
    place.unlink()
    calls.clear()
    again = guidance.guidance_cell(study, "toy", "guided_tabddpm")
    assert [options for _, _, options in calls] == [{"target_guidance": 1.5}]
    assert again.equals(first)


def test_a_fit_that_fails_leaves_its_reason_under_every_condition(study, monkeypatch):
    def fail(self, *arguments, **more):
        raise FitError("no rows to learn from")

    monkeypatch.setattr(GuidedTabDDPM, "fit", fail)
    found = guidance.guidance_cell(study, "toy", "guided_tabddpm")
    assert found["value"].isna().all() and set(found["note"]) == {"no rows to learn from"}
    assert set(found["condition"]) == set(CONDITIONS)


def test_options_a_generator_does_not_have_are_found(study):
    block = study.params.guidance
    assert guidance.unknown_options("guided_tabddpm", block) == []
    assert guidance.unknown_options("smote", block) == ["target_guidance", "warm_up", "sensitive_guidance", "steps"]


def _on_validation(material, model):
    from synthcohort.metrics import fairness as metric

    return metric.at_cut(material.positive(material.validation), model.probabilities(material.validation)[:, 1])


def _value(frame, **wanted):
    own = frame[np.logical_and.reduce([frame[name] == value for name, value in wanted.items()])]
    assert len(own) == 1 and math.isfinite(own["value"].iloc[0])
    return own["value"].iloc[0]
