"""The pages that put one question to all tables: their answers follow the scores and change when these change."""

import math

import numpy as np
import pandas as pd
import pytest

from synthcohort.comparison.intervals import Resampling
from synthcohort.figures import labels
from synthcohort.report import (
    headlines,
    published,
    questions,
    questions_faithful,
    questions_leak,
    questions_rare_class,
    questions_useful,
)
from synthcohort.scores import COLUMNS

TABLES = ("adult", "pima", "rare_liver", "wdbc")
GENERATORS = ("real", "bootstrap", "independent", "vae", "smote")


def rows(metric, values, *, axis="fidelity", direction="up", condition="as_observed", splits=4):
    """Return scores of every table: generator -> value, with a little noise over tables and splits."""
    draw = np.random.default_rng(sum(map(ord, metric + condition)))
    return [
        {"dataset": t, "generator": g, "condition": condition, "split": s, "axis": axis, "metric": metric,
         "value": v + 0.002 * draw.normal(), "low": math.nan, "high": math.nan, "n": 50, "direction": direction,
         "note": ""}
        for t in TABLES for g, v in values.items() for s in range(splits)
    ]  # fmt: skip


def evidence(*parts):
    frame = pd.DataFrame([row for part in parts for row in part], columns=COLUMNS)
    frame = frame.astype({"value": "float64", "low": "float64", "high": "float64"})
    return questions.Evidence(frame, ["vae", "smote"], Resampling(0.95, 0.3), {})


def each(real, bootstrap, independent, vae, smote):
    return dict(zip(GENERATORS, (real, bootstrap, independent, vae, smote), strict=True))


FIDELITY = (
    rows("c2st_xgboost", each(0.5, 0.51, 0.9, 0.6, 0.7), direction="half"),
    rows("shape", each(0.97, 0.98, 0.99, 0.93, 0.95)),
    rows("beta_recall", each(0.9, 0.9, 0.1, 0.7, 0.6)),
)
UTILITY = (
    *(rows(f"tstr_auroc_{c}", each(math.nan, 0.85, 0.5, 0.80, 0.82 if c == "xgboost" else 0.78), axis="utility")
      for c in ("xgboost", "decision_tree", "logistic_regression")),
    *(rows(f"trtr_auroc_{c}", {"real": 0.86}, axis="utility")
      for c in ("xgboost", "decision_tree", "logistic_regression")),
    rows("ranking_agreement", each(math.nan, 0.9, 0.1, 0.8, 0.6), axis="utility"),
    rows("tstr_brier_xgboost", each(math.nan, 0.1, 0.3, 0.15, 0.16), axis="utility", direction="down"),
)  # fmt: skip


def added(none, threshold, vae, smote, metric="augment_f1_xgboost"):
    kind = {"axis": "augmentation"}
    return (
        rows(metric, {"real": none}, condition="none", **kind),
        rows(metric, {"real": threshold}, condition="threshold", **kind),
        rows(metric, {"vae": vae, "smote": smote}, condition="minority_1.0", **kind),
        rows(metric, {"vae": vae - 0.05, "smote": smote}, condition="minority_2.0", **kind),
    )


def attacks(vae, smote, dcr=0.5):
    kind = {"axis": "privacy", "direction": "down"}
    return (
        rows("mia_auroc_distance", each(0.5, 0.99, 0.5, 0.5, 0.5), **kind),
        rows("mia_auroc_domias", each(0.5, 0.99, 0.5, vae, smote), **kind),
        rows("mia_tpr_at_fpr_1pct_domias", each(0.01, 0.9, 0.01, 0.01, 0.03), **kind),
        rows("dcr_share", each(0.5, 1.0, 0.5, 0.5, dcr), axis="privacy", direction="half"),
    )


def test_the_most_faithful_is_named_with_its_number_and_what_others_would_have_named():
    found = questions_faithful.find(evidence(*FIDELITY))
    assert found.answer().startswith("No. Hardest to tell from real rows is vae: C2ST AUROC 0.599")
    assert "over 4 tables, 4 splits each" in found.answer() and "4 of 4 tables" in found.answer()
    changes = " ".join(found.changes())
    assert "vae over the runner-up smote, C2ST AUROC paired by table: 0.10" in changes and ", told apart" in changes
    assert "1 of 2 other metrics give the same winner (Beta-recall)" in changes and "smote by Shape" in changes
    assert "Independent columns" in changes and "Shape on 4 of 4 tables" in changes
    assert found.winners().loc["shape"].to_dict() == {"independent": 4, "vae": 0, "smote": 0}
    middle = questions_faithful.middle(found.positions())
    place = middle[(middle["generator"] == "vae") & (middle["metric"] == "c2st_xgboost")].iloc[0]
    assert place["position"] == pytest.approx(0.75, abs=0.02) and place["low"] < place["high"]


def test_a_generator_that_cannot_be_told_is_faithful():
    alike = rows("c2st_xgboost", each(0.5, 0.5, 0.9, 0.5, 0.7), direction="half")
    assert questions_faithful.find(evidence(alike)).answer().startswith(("Yes", "Only on"))
    level = [row | {"value": 0.5} if row["generator"] == "vae" else row for row in alike]
    assert questions_faithful.find(evidence(level)).answer().startswith("Yes, as far as XGBoost can tell.")


def test_the_most_useful_is_named_with_its_loss_and_other_classifiers_disagree():
    found = questions_useful.find(evidence(*UTILITY))
    assert found.answer().startswith("Yes, but not as useful as real rows. Most useful is smote")
    assert "the real rows is -0.04" in found.answer() and "on 4 of 4 tables" in found.answer()
    changes = " ".join(found.changes())
    assert "0 of 2 other classifiers give the same winner. The winner would have been vae by" in changes
    losses = found.losses().groupby(["generator", "metric"])["mean"].mean()
    assert losses["independent", "tstr_auroc_xgboost"] == pytest.approx(-0.36, abs=0.01)
    table = questions_useful.wins(found.tests(), ["vae", "smote"], 0.95)
    assert "4 / 0" in table and "0 / 4" in table
    nothing = [r for part in UTILITY for r in part if r["generator"] != "smote"]
    worthless = [row | {"value": 0.5} if row["generator"] == "vae" else row for row in nothing]
    assert questions_useful.find(evidence(worthless)).answer().startswith("No more than independent columns")


@pytest.mark.parametrize(
    ("scores", "verdict"),
    [
        ((0.4, 0.6, 0.55, 0.5), "It helps, but moving the threshold helps more."),
        ((0.4, 0.5, 0.6, 0.55), "It helps, and it beats moving the threshold."),
        ((0.6, 0.7, 0.5, 0.4), "Moving the threshold is better."),
    ],
)
def test_the_rare_class_is_weighed_against_the_threshold(scores, verdict):
    found = questions_rare_class.find(evidence(*added(*scores)))
    assert found.answer().startswith(verdict) and found.found.best == "vae"
    none, threshold, vae, _ = scores
    assert found.versus(found.metric, "vae", "threshold").gain.mean == pytest.approx(vae - threshold, abs=0.003)
    curves = found.curves().set_index(["generator", "condition"])["mean"]
    assert curves["real", "none"] == 0 and curves["vae", "minority_1.0"] == pytest.approx(vae - none, abs=0.003)
    harm = found.changes()[-1]
    assert ("vae (on adult, pima, rare_liver, wdbc)" in harm) == (vae < none)


def test_rivals_alone_are_no_curve():
    rivals = [row for part in added(0.4, 0.6, 0.55, 0.5) for row in part if not row["condition"].startswith("minority")]
    assert rivals and not len(questions_rare_class.find(evidence(rivals)).curves())


def test_another_measure_is_turned_so_that_more_is_better():
    brier = [row | {"direction": "down"} for part in added(0.1, 0.1, 0.2, 0.3, "augment_brier_xgboost") for row in part]
    found = questions_rare_class.find(evidence(*added(0.4, 0.6, 0.55, 0.5), brier))
    assert "behind by Brier score (XGBoost) -0.10" in " ".join(found.changes())


def test_the_best_possible_is_drawn_only_where_the_law_is_known():
    ideal = rows("augment_f1_xgboost", {"real": 0.8}, axis="augmentation", condition="bayes_optimal")
    ideal = [row for row in ideal if row["dataset"] == "rare_liver"]
    known = questions_rare_class.find(evidence(*added(0.4, 0.6, 0.55, 0.5), ideal)).optimal()
    assert set(known["dataset"]) == {"rare_liver"} and "bayes_optimal" in set(known["rival"])
    assert "F1 (XGBoost) 0.8" in questions_rare_class.optimal_note(known)
    assert questions_rare_class.find(evidence(*added(0.4, 0.6, 0.55, 0.5))).optimal().empty


def test_a_leak_that_distances_miss_is_named():
    found = questions_leak.find(evidence(*attacks(vae=0.5, smote=0.7)))
    assert found.answer().startswith("Yes: 2 attacks on 4 tables, 4 splits each catch 1 of 2 methods (smote).")
    assert "of DOMIAS" in found.answer() and "would have passed 4 of these 4 cases" in found.answer()
    assert "smote: DOMIAS on" in found.worst_each()
    assert "bootstrap (which copies, must be caught) on 4 of 4 tables" in " ".join(found.changes())
    assert "fresh rows, must not be caught) on 0 of 4" in " ".join(found.changes())
    seen = questions_leak.find(evidence(*attacks(vae=0.5, smote=0.7, dcr=0.7)))
    assert "the same 4 cases" in seen.answer()


def test_attacks_that_fail_prove_nothing():
    answer = questions_leak.find(evidence(*attacks(vae=0.5, smote=0.5))).answer()
    assert answer.startswith("Not shown: ") and "does not say that none would succeed" in answer


def test_one_run_is_judged_by_its_own_interval():
    one = rows("mia_auroc_shadow", {"vae": 0.7, "smote": 0.7}, axis="privacy", direction="down", splits=1)
    one = [row | {"low": 0.6 if row["generator"] == "vae" else 0.4, "high": 0.8} for row in one]
    found = questions_leak.find(evidence(one)).attacks.groupby("generator")["caught"].all()
    assert found["vae"] and not found["smote"]


@pytest.mark.parametrize(
    "page", [questions_faithful, questions_useful, questions_rare_class, questions_leak], ids=lambda m: m.__name__
)
def test_without_scores_a_page_says_so(page):
    empty = page.find(evidence())
    assert empty.answer().startswith("No answer: the score files hold no ")
    assert empty.changes() == [questions.NOTHING]


def test_one_table_has_an_answer_without_an_interval():
    few = [row for part in FIDELITY for row in part if row["dataset"] == "pima"]
    assert "(no interval from one table) over 1 table" in questions_faithful.find(evidence(few)).answer()


def test_headline_metrics_have_names_and_no_metric_is_lost():
    for axis, metrics in headlines.HEADLINES.items():
        assert all(labels.short_label(m) != m.replace("_", " ") for m in metrics)
        both = [*headlines.first(axis, [*metrics, "new"]), *headlines.rest(axis, [*metrics, "new"])]
        assert sorted(both) == sorted([*metrics, "new"])
    assert headlines.first("privacy", ["mine"]) == ["mine"] and headlines.rest("privacy", ["mine"]) == []


def test_published_figures_are_whole_and_say_what_the_text_says():
    assert {len(v) for v in published.IMBALANCE_F1.values()} == {len(published.IMBALANCE_METHODS)}
    original, *_, diffusion = published.IMBALANCE_F1["rare liver registry"]
    assert diffusion / original - 1 == pytest.approx(0.61, abs=0.005)  # "61 % relative gain"
    assert set(published.IMBALANCE_F1) == set(published.IMBALANCE_TABLES)


def test_published_rows_on_adult_need_adult():
    assert "<td>0.996 / 0.990</td>" in questions_faithful.published_rows(evidence(*FIDELITY))
    elsewhere = [[row for row in part if row["dataset"] != "adult"] for part in FIDELITY]
    assert questions_faithful.published_rows(evidence(*elsewhere)) == ""


def test_an_open_cohort_answers_to_the_restricted_one_of_the_paper():
    own = [[{**row, "dataset": "physionet2012"} for row in part] for part in added(0.4, 0.6, 0.55, 0.5)]
    told = questions_rare_class.published_f1(questions_rare_class.find(evidence(*own)))
    assert told.index("ICU mortality") < told.index("ours: physionet2012") < told.index("WBCD")
    assert "ours: wdbc" not in told


def test_names_in_a_list_hold_no_comma():
    for metric in ("augment_f1_xgboost", "c2st_logistic", "mia_auroc_monte_carlo", "shape"):
        assert "," not in questions.named(metric)
    assert questions.named("augment_f1_xgboost") == "F1 (XGBoost)"
