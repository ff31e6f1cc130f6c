"""From a table to its score files: what a known law adds, and which areas a cell takes from the real table."""

import numpy as np
import pytest

from synthcohort import scores
from synthcohort import study as studies
from synthcohort.cells import fitting, holdout, judging, preparing, rows
from synthcohort.datasets import rare_liver
from synthcohort.datasets.law import known_law
from synthcohort.datasets.table import Table

PARAMS = """
study: {seed: 1, splits: 2, test_share: 0.3, validation_share: 0.2}
datasets: {rare_liver: {}}
generators: {bootstrap: {}}
metrics:
  classifiers: [xgboost, logistic_regression, decision_tree]
  augmentation_classifiers: [xgboost]
  augmentation_shares: [1.0]
  max_rows_pairwise: 100
  max_rows_distance: 100
  max_rows_transport: 60
  attacks: 30
"""


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    root = tmp_path_factory.mktemp("study")
    (root / "params.yaml").write_text(PARAMS)
    (root / "dvc.yaml").touch()
    study = studies.load(root)
    whole = Table(rare_liver.registry().iloc[:500].reset_index(drop=True), rare_liver.SCHEMA, _card())
    rows.write_table(whole, study.paths.table("rare_liver"))
    preparing.prepare_cell(study, "rare_liver")
    return study


def _card():
    from synthcohort.datasets.catalogue import CATALOGUE

    return CATALOGUE["rare_liver"].card


def test_only_tables_of_a_program_have_a_law():
    assert known_law("rare_liver") is rare_liver.case_probability
    assert known_law("wdbc") is None and known_law("my_cohort") is None


def test_the_law_stands_beside_the_test_rows_and_nowhere_else(opened):
    place = opened.paths.test("rare_liver")
    law = holdout.read_law(place, 1)
    test = holdout.read_test(place, 1)
    _, validation = rows.read_development(opened.paths.development("rare_liver"), 1)
    assert law["test"] == pytest.approx(rare_liver.case_probability(test))
    assert law["validation"] == pytest.approx(rare_liver.case_probability(validation))
    assert not list(opened.paths.development("rare_liver").rglob("law*"))
    assert holdout.read_law(place.parent, 0) is None


def test_score_files_hold_the_best_possible_arm_and_agreements(opened):
    real = judging.judge_real(opened, "rare_liver")
    best = real[real["condition"] == "bayes_optimal"].pivot(index="split", columns="metric", values="value")
    assert len(best) == 2 and (best["augment_auroc_xgboost"] > 0.7).all()
    areas = judging.real_areas(real, 1)
    assert set(areas) == {"xgboost", "logistic_regression", "decision_tree"}
    one = real[(real["metric"] == "trtr_auroc_xgboost") & (real["split"] == 1)]["value"]
    assert areas["xgboost"] == pytest.approx(float(one.iloc[0]))
    fitting.fit_cell(opened, "rare_liver", "bootstrap")
    judged = judging.judge_cell(opened, "rare_liver", "bootstrap")
    known = judged[judged["metric"] == "ranking_agreement"]["value"]
    assert np.isfinite(known).all() and known.between(-1, 1).all()
    kept = scores.read(opened.paths.scores("rare_liver", "bootstrap"))
    assert set(kept["metric"]) == set(judged["metric"]) and (kept["axis"] != "cost").all()
