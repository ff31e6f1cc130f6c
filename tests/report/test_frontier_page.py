"""What the page on the price of privacy says: every sentence and table follows from the scores."""

import math

import pandas as pd
import pytest

from synthcohort import scores
from synthcohort import study as studies
from synthcohort.cells import frontier as cells
from synthcohort.comparison.intervals import Resampling
from synthcohort.report import frontier as page
from synthcohort.report import frontier_tables as tables

PARAMS = """
study: {seed: 1, splits: 3}
datasets: {toy: {}, other: {}}
generators: {vae: {}, bootstrap: {}}
frontier:
  tables: [toy, other]
  epsilons: [1, 4]
  families: {bootstrap: {counterpart: bootstrap}, dp_vae: {counterpart: vae}}
  classifiers: [xgboost]
"""
HOW = Resampling(0.95, 0.25)


@pytest.fixture
def study(tmp_path):
    (tmp_path / "params.yaml").write_text(PARAMS)
    (tmp_path / "dvc.yaml").touch()
    return studies.load(tmp_path)


def tidy(found, generator="dp_vae"):
    """Return a tidy frame of (condition, metric) -> (values over splits, n)."""
    parts = [
        scores.to_frame([scores.Score("utility", metric, value, n, "up", condition=condition)],
                        dataset="toy", generator=generator, split=split)
        for (condition, metric), (values, n) in found.items()
        for split, value in enumerate(values)
    ]  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def frame(*, at_one=0.2, at_four=0.01, small=0.0, cryptographic=0.0, splits=3):
    """Return the scores of one family and a sentinel: losses of AUROC, and further losses of the small group."""
    level, area, group = [0.80, 0.82, 0.81][:splits], "tstr_auroc_xgboost", "group_auroc_xgboost"
    found = {}
    for name, loss in (("1", at_one), ("4", at_four), ("inf", 0.0)):
        own = [value - loss - 0.001 * place for place, value in enumerate(level)]
        found[f"epsilon={name}", area] = (own, 100)
        found[f"epsilon={name}", "shape"] = (own, 100)
        extra = 0.0 if name == "inf" else small
        found[f"epsilon={name} sex=f", group] = ([v - extra - 0.01 * extra * k for k, v in enumerate(own)], 20)
        found[f"epsilon={name} sex=m", group] = (own, 80)
        if name != "inf":
            found[f"epsilon={name}", "epsilon_spent"] = ([0.9 * float(name)] * splits, 300)
            found[f"epsilon={name}", "delta_spent"] = ([1e-4] * splits, 300)
            found[f"epsilon={name}", "cryptographic_noise"] = ([cryptographic] * splits, 300)
    sentinel = {("epsilon=inf", area): (level, 100), ("epsilon=inf", "shape"): (level, 100)}
    return pd.concat([tidy(found), tidy(sentinel, "bootstrap")], ignore_index=True)


@pytest.fixture
def case(study):
    return lambda **options: page.case(frame(**options), study.params.frontier, HOW)


def test_the_smallest_epsilon_is_told_with_its_bounds_and_gap(case):
    answer = case().answer()
    assert answer.startswith(
        "toy: smallest ε whose TSTR AUROC, XGBoost is within 0.05 of the same method's without privacy, of 1, 4: "
        "dp vae 4 [4, 4] (gap -0.010 ["
    )
    assert "bootstrap" not in answer
    assert "dp vae none tried [none tried, none tried] (gap -0.300" in case(at_one=0.4, at_four=0.3).answer()
    assert "dp vae 1 [1, 1]" in case(at_one=0.01).answer()


def test_small_groups_that_lose_more_are_found_and_equal_losses_are_not(case):
    more = case(small=0.1).fairness()
    assert more.startswith(
        "toy: that small groups lose more is supported. The smallest group of a column loses 0.101 ["
    )
    assert "family by family and column by column: 1 supported" in more
    assert "is contradicted" in case(small=-0.1).fairness()
    assert "is undecided" in case(small=0.0, splits=1).fairness()
    table = tables.groups_table(case(small=0.1))
    assert '<td class="text">f <small>20 test rows</small></td>' in table and "badge supported" in table


def test_a_table_without_groups_says_so(study):
    plain = frame()
    plain = plain[~plain["metric"].str.startswith("group")]
    found = page.case(plain, study.params.frontier, HOW)
    assert "no sensitive column has two groups" in found.fairness() and found.group_panels() == {}


def test_the_page_says_what_was_spent_and_which_randomness(case):
    seeded = page.spent(case())
    assert "fits report 90.0 to 90.0 % of the ε they were given, at δ = 0.0001 for 300 train rows" in seeded
    assert "Noise came from the study's seed" in seeded and "not for release" in seeded
    assert "Noise came from a cryptographic generator and cannot" in page.spent(case(cryptographic=1.0))
    assert "in some fits" in page.randomness({0.0, 1.0})


def test_the_page_says_how_the_budget_nearest_to_1_is_made_up(case, study):
    told = page.composition(case())
    assert told.startswith(
        "toy: how ε = 1 is made up on 300 train rows. dp vae: histograms of columns, 1 Gaussian step,"
    )
    assert "gradients, 400 Gaussian steps" in told and "each row in a step with probability 0.4267" in told
    assert "bootstrap" not in told
    alone = frame()[lambda f: f["generator"] == "bootstrap"]
    assert (
        page.composition(page.case(alone, study.params.frontier, HOW)) == "toy: no private fit has told what it spent."
    )


def test_what_would_have_changed_the_answer_has_half_the_tolerance(case, study):
    asked, halved = case(at_four=0.04).changes().values()
    assert [reach.epsilon for reach in asked] == [4] and [reach.epsilon for reach in halved] == [math.inf]
    block = study.params.frontier.model_copy(update={"classifiers": ["xgboost", "logistic_regression"]})
    again = frame().replace({"tstr_auroc_xgboost": "tstr_auroc_logistic_regression"})
    both = pd.concat([frame(), again[again["metric"] == "tstr_auroc_logistic_regression"]])
    found = page.case(both, block, HOW)
    assert list(found.changes()) == [
        "TSTR AUROC, XGBoost, within 0.05",
        "by TSTR AUROC, logistic regression",
        "within 0.025",
    ]
    assert tables.changes_table(found).count("<td>4 <small>[4, 4]</small></td>") == 3


def test_the_headline_names_who_is_surely_as_useful(case):
    assert page.headline([case()]).startswith("Rows are surely (95 %) within 0.05 TSTR AUROC, XGBoost of what")
    assert "on toy dp vae from ε = 4 (AUROC 0.80 there)" in page.headline([case()])
    assert "on toy of no family at any ε tried" in page.headline([case(at_four=0.2)])


def test_tables_hold_every_family_and_budget(case):
    found = case()
    assert "<td>4 <small>[4, 4]</small></td>" in tables.over_all([found]) and "toy" in tables.over_all([found])
    gaps = tables.gaps_table(found)
    assert "-0.200" in gaps and "badge contradicted" in gaps and "badge supported" in gaps and "bootstrap" not in gaps
    assert "bootstrap" in tables.figure_note(found) and "3 splits" in tables.figure_note(found)
    assert list(found.panels()) == ["shape", "tstr_auroc_xgboost"]
    assert list(found.group_panels().values()) == ["sex=f: 20 test rows", "sex=m: 80 test rows"]
    assert set(page.areas([found])["epsilon"]) == {1.0, 4.0, math.inf}


def test_one_split_gives_no_bounds(case):
    found = case(splits=1)
    assert "dp vae 4 (gap -0.010 (no interval from 1 split))" in found.answer()
    said = (
        tables.over_all([found]) + tables.gaps_table(found) + tables.groups_table(found) + tables.changes_table(found)
    )
    assert "nan" not in said


def test_cases_come_in_the_order_of_the_study_and_failed_ones_are_left_out(study):
    assert page.find(study) == []
    whole = frame()
    for name, own in whole.groupby("generator"):
        scores.write(own, study.paths.frontier("toy", str(name)))
    (found,) = page.find(study)
    assert (found.dataset, found.families, found.sentinels) == ("toy", ["dp_vae"], ["bootstrap"])
    lost = whole.assign(dataset="other", value=math.nan, note="the loss is not finite")
    scores.write(lost[lost["generator"] == "dp_vae"], study.paths.frontier("other", "dp_vae"))
    assert len(page.find(study)) == 1


def test_the_page_reads_the_names_that_a_cell_writes():
    assert page.CRYPTOGRAPHIC in cells.SPENT and {"epsilon_spent", "delta_spent"} < set(cells.SPENT)
    assert cells.condition(0.5) == "epsilon=0.5" and cells.condition(math.inf) == "epsilon=inf"
