"""What the page on fairness says: every sentence, table and curve follows from the scores."""

import itertools
import math

import pandas as pd
import pytest

import toys
from synthcohort import scores
from synthcohort import study as studies
from synthcohort.cells import fairness_material as materials
from synthcohort.cells import fairness_rivals
from synthcohort.generators import load as registry
from synthcohort.metrics import fairness as metrics
from synthcohort.metrics import group_fidelity
from synthcohort.report import fairness as page
from synthcohort.report import fairness_published as published
from synthcohort.report import fairness_tables as shown
from synthcohort.sensitive import attributes

PARAMS = """
study: {seed: 1, splits: 3}
datasets: {adult: {}}
generators: {bootstrap: {}, smote: {}, tabddpm: {}}
fairness: {tables: {adult: [sex, race]}, generators: {bootstrap: , smote: , tabddpm: }, dials: [0, 1], splits: 3}
"""
CONDITIONS = ("observed", "sex_1.0", "race_1.0", "sex+race_1.0")


def tidy(arm, auroc, parity, *, lost=()):
    """Return scores of an arm: AUROC falls and parity rises from observed to balanced; splits differ a little."""
    found = []
    for split, condition in itertools.product(range(3), CONDITIONS):
        full = condition != "observed"
        values = {"auroc": auroc - 0.01 * full + 0.001 * split}
        for column, name in itertools.product(("sex", "race"), page.RATIOS):
            values[f"{name}_{column}"] = parity * (0.5 + 0.5 * full) + 0.001 * split
        own = [
            scores.failed("fairness", metric, "0/0: group 'x'", condition=condition)
            if metric in lost
            else scores.Score("fairness", metric, value, 100, "up", condition=condition)
            for metric, value in values.items()
        ]
        found.append(scores.to_frame(own, dataset="adult", generator=arm, split=split))
    return pd.concat(found, ignore_index=True)


@pytest.fixture
def study(tmp_path):
    (tmp_path / "params.yaml").write_text(PARAMS)
    (tmp_path / "dvc.yaml").touch()
    return studies.load(tmp_path)


def write(study, **arms):
    rivals = [tidy(name, *values) for name, values in arms.items() if name in page.RIVALS]
    if rivals:
        scores.write(pd.concat(rivals), study.paths.fairness("adult", "rivals"))
    for name, values in arms.items():
        if name not in page.RIVALS:
            scores.write(tidy(name, *values), study.paths.fairness("adult", name))


@pytest.fixture
def cases(study):
    def make(**arms):
        write(study, **arms)
        return page.find(study)

    return make


ARMS = {
    "resampled": (0.925, 0.60), "reweighed": (0.925, 0.40), "bootstrap": (0.92, 0.60), "smote": (0.92, 0.50),
    "tabddpm": (0.91, 0.55),
}  # fmt: skip


def test_no_scores_are_no_case_and_every_attribute_is_one(study, cases):
    assert page.find(study) == []
    found = cases(**ARMS)
    assert [case.name for case in found] == ["sex on adult", "race on adult"]
    assert found[0].arms == ["resampled", "reweighed", "bootstrap", "smote", "tabddpm"]


def test_the_verdict_follows_from_curves_at_the_same_auroc(cases):
    case = cases(**ARMS)[0]
    assert case.methods == ["smote", "tabddpm"]  # bootstrap is a sentinel
    found = {(one.first, one.second): one for rival in case.rivals() for one in case.against(rival)}
    # at AUROC .910 and .900 resampled rows offer .60 at .915, reweighed ones .40
    assert found["smote", "resampled"].gain.mean == pytest.approx(0.50 - 0.60)
    assert found["tabddpm", "reweighed"].gain.mean == pytest.approx(0.55 - 0.40)
    first, second = case.summary()
    assert first.startswith("sex on adult: do balanced rows make fairer models")
    assert "Against resampled: contradicted; reweighed: supported (2 generators, both ratios, 3 splits)" in second
    against = case.answers()[1]
    assert "balanced rows against reweighed: supported" in against
    assert "demographic parity ratio: supported of smote and tabddpm" in against
    assert "Furthest ahead: tabddpm, demographic parity ratio 0.150" in against


def test_better_and_worse_generators_leave_it_open(cases):
    case = cases(resampled=(0.925, 0.52), smote=(0.92, 0.45), tabddpm=(0.92, 0.60))[0]
    assert "resampled: undecided" in case.summary()[1]


def test_the_headline_names_decided_attributes_and_counts_the_others(cases, study):
    told = page.headline(cases(**ARMS))
    assert "Of 2 attributes on 1 table: against resampled contradicted by sex on adult" in told
    assert "; against reweighed supported by sex on adult" in told
    again = page.headline(cases(resampled=(0.925, 0.52), smote=(0.92, 0.45), tabddpm=(0.92, 0.60)))
    assert "against resampled undecided by " in again
    alone = cases(smote=(0.92, 0.5))
    assert "no verdict" in page.headline([case for case in alone if not case.comparable])


def test_arms_that_never_meet_are_said_so(cases):
    case = cases(resampled=(0.80, 0.6), smote=(0.92, 0.50))[0]
    assert "On no split do their AUROCs meet" in case.answers()[0]
    assert "no common AUROC on 3 splits" in shown.verdicts(case)


def test_generators_or_rivals_alone_get_no_verdict(cases, study):
    case = cases(smote=(0.92, 0.5))[0]
    assert "no verdict" in case.summary()[0] and case.answers() == []
    assert shown.headlines(case).count("<tr>") == 1 + 2


def test_curves_hold_every_arm_ask_dial_and_ratio(cases):
    case = cases(**ARMS)[0]
    found = case.curves()
    assert len(found) == 2 * 5 * 2 * 2 and set(found["ask"]) == {"sex balanced", "sex and race balanced jointly"}
    own = found[(found["arm"] == "smote") & (found["ask"] == "sex balanced") & found["metric"].str.startswith("demo")]
    assert list(own["dial"]) == [0.0, 1.0] and own["auroc"].tolist() == pytest.approx([0.921, 0.911])
    assert own["mean"].tolist() == pytest.approx([0.251, 0.501]) and own["low"].notna().all()
    assert case.crosses()["demographic_parity_ratio_sex"][-1] == ("FairTabDDPM", 0.893, 0.543)
    assert case.crosses()["equalized_odds_ratio_sex"][-1] == ("FairTabDDPM", 0.893, 0.667)


def test_tables_hold_every_arm_and_no_number_where_there_is_none(cases, study):
    write(study, **ARMS)
    lost = tidy("smote", 0.92, 0.5, lost=("equalized_odds_ratio_sex",))
    scores.write(lost, study.paths.fairness("adult", "smote"))
    case = page.find(study)[0]
    table = shown.headlines(case)
    assert table.count("<tr>") == 1 + 1 + 2 * 5 and "real rows" in table and "nan" not in table
    assert shown.verdicts(case).count("<tr>") == 1 + 2 * 2 and "nan" not in shown.verdicts(case)
    beside = shown.beside(case)
    assert beside.count("<tr>") == 1 + 11 and "0.543" in beside and "0.503" in beside and "nan" not in beside
    notes = [shown.curves_note(case), shown.headlines_note(case), shown.verdicts_note(case), shown.beside_note(case)]
    assert all("3 splits" in note or "splits" in note for note in notes)
    assert cases(**ARMS)[1].published != case.published


def test_the_published_rows_give_the_averages_that_the_paper_prints():
    """AUROC 84.7, DPR 68.4 and EOR 71.3 of FairTabDDPM over Adult, Bank and COMPAS; 86.4, 56.0, 54.3 of FairCB."""
    keys = [("adult", "sex"), ("bank_marketing", "age_group"), ("compas", "sex")]
    printed = {"FairTabDDPM": (84.7, 68.4, 71.3), "FairCB": (86.4, 56.0, 54.3), "Real": (89.1, 46.2, 40.2)}
    uniform = {"FairTabDDPM": (84.7, 65.8, 66.4), "SMOTE": (87.1, 50.7, 48.7), "FairTGAN": (82.0, 66.2, 61.4)}
    for which, wanted in (("original", printed), ("uniform", uniform)):
        for method, means in wanted.items():
            rows = [next(row for row in published.ROWS[key] if row.method == method) for key in keys]
            for place, mean in enumerate(means):
                found = 100 * sum(getattr(row, which)[place] for row in rows) / 3
                assert math.isclose(found, mean, abs_tol=0.1)


def test_the_page_reads_the_names_that_cells_write(study):
    schema = toys.mixed()[1]
    known = attributes(schema, ["sex", "stage"], {})
    case = page.Case("t", "sex", ("sex", "stage"), (0.0, 0.5, 1.0), pd.DataFrame(), pd.DataFrame(), None)
    assert set(case.ratios) <= set(metrics.parity_names(known[0]))
    wanted = materials.asks(known, studies.FairnessBlock())
    read = {name for conditions in case.asks.values() for name in conditions}
    assert read == {ask.condition for ask in wanted if ask.attributes != known[1:]}
    assert ("resampled", "reweighed", "fair_smote", *fairness_rivals.RIVALS[3:]) == page.RIVALS
    assert set(page.RIVALS) == set(fairness_rivals.RIVALS)
    assert set(group_fidelity.ASKED) <= set(shown._ROWS)
    assert page.TEST_TO_TRAIN == materials.TEST_SHARE / (1 - materials.TEST_SHARE - materials.VALIDATION_SHARE)


def test_our_arms_of_published_methods_exist():
    ours = {name for name in published.OURS.values() if name not in page.RIVALS}
    assert ours - {"fairtabddpm", "tab_fair_gan"} <= set(registry.names())
