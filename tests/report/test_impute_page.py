"""What the page on imputation says: every sentence and table follows from the scores."""

import math

import pandas as pd
import pytest

from synthcohort import scores
from synthcohort import study as studies
from synthcohort.report import impute as page
from synthcohort.report import impute_tables as tables
from synthcohort.scores import Score

PARAMS = """
study: {seed: 1, splits: 3}
datasets: {toy: {}, other: {}}
generators: {independent: {}}
imputation:
  tables: [toy, other]
  imputers: {mean_mode: , forests: , mtabgen: }
  scenarios: [{mcar: 0.2}, {mcar: 0.5}, {mar: 0.2}]
  draws: 20
"""
ERROR = {"mean_mode": 0.30, "forests": 0.10, "mtabgen": 0.12}
NOISE = (-0.001, 0.0, 0.001)
DIRECTIONS = {
    "impute_mae_median": "down", "impute_crps": "down", "impute_coverage_gap": "zero", "impute_min_mae": "down",
    "impute_auroc_xgboost": "up",
}  # fmt: skip


def value(metric, name, condition):
    """Return the mean of a score: errors as `ERROR` says, forests are the nearest and mtabgen the most honest."""
    own = ERROR[name] + (0.05 if condition == "mcar_0.5" else 0.02 if condition == "mar_0.2" else 0.0)
    honest = {"mean_mode": -0.9, "forests": -0.9, "mtabgen": -0.02}[name]
    laws = {"mean_mode": 0.30, "forests": 0.10, "mtabgen": 0.05}[name]
    return {"impute_coverage_gap": honest, "impute_crps": laws, "impute_auroc_xgboost": 0.9}.get(metric, own)


def tidy(dataset, name, change=None):
    parts = []
    for split, noise in enumerate(NOISE):
        found = [
            Score("imputation", m, value(m, name, c) + noise * (1 + len(name) % 3), 50, d, condition=c)
            for m, d in DIRECTIONS.items()
            for c in (["mcar_0.2"] if m.endswith("xgboost") else ["mcar_0.2", "mcar_0.5", "mar_0.2"])
        ]
        found = [change(score, split) for score in found] if change else found
        parts.append(scores.to_frame(found, dataset=dataset, generator=name, split=split))
    return pd.concat(parts, ignore_index=True)


def costs(dataset, name):
    found = [
        Score("cost", "fit_cpu_seconds", 2.5, 60, "down", condition="mcar_0.2"),
        *(Score("cost", "impute_cpu_seconds", 0.5, 20, "down", condition=c) for c in ("mcar_0.2", "mcar_0.5")),
    ]
    return pd.concat([scores.to_frame(found, dataset=dataset, generator=name, split=s) for s in range(3)])


@pytest.fixture
def study(tmp_path):
    (tmp_path / "params.yaml").write_text(PARAMS)
    (tmp_path / "dvc.yaml").touch()
    return studies.load(tmp_path)


@pytest.fixture
def write(study):
    """Return a function that writes the scores of some imputers on a table, changed as asked."""

    def put(dataset="toy", names=tuple(ERROR), change=None):
        for name in names:
            scores.write(tidy(dataset, name, change), study.paths.impute(dataset, name))
            scores.write(costs(dataset, name), study.paths.impute_cost(dataset, name))

    return put


@pytest.fixture
def case(study, write):
    def one(**how):
        write(**how)
        return page.find(study)[0]

    return one


def test_the_answer_names_who_is_first_by_each_score_with_interval(case):
    answer = case().answer()
    assert answer.startswith("toy, 20 % MCAR, 3 splits, 20 draws. First by Error of the median: forests, 0.100 [")
    assert "CRPS: mtabgen, 0.050 [" in answer and "Coverage gap: mtabgen, -0.020 [" in answer


def test_the_headline_counts_who_is_first_or_not_told_from_the_first(study, write):
    write()
    write(dataset="other", names=("forests", "mtabgen"), change=_alike)
    found = page.find(study)
    told = page.headline(found)
    assert "by Error of the median, CRPS, Coverage gap and MinMAE, on 2 tables with 20 % MCAR?" in told
    place = page.places(found)["mtabgen"]
    assert place["impute_mae_median"] == page.Place(0, 1, 2) and place["impute_crps"] == page.Place(2, 2, 2)
    whole = sum(place.values(), page.Place(0, 0, 0))
    assert f"Models that also generate: mtabgen {whole.among} of 8 times (first {whole.first})." in told
    assert "mean mode" in told.split("Imputers alone: ")[1] and "mtabgen" not in told.split("Imputers alone: ")[1]
    assert "<td>1 of 2 <small>(0)</small></td>" in tables.standings(found)
    assert tables.standings(found).count("also generates") == 1


def test_where_a_model_is_surely_behind_it_is_said_by_how_much_and_how_wide_its_draws_are(case):
    (sentence,) = page.behind([case()])
    assert sentence.startswith("mtabgen: toy, Error of the median: 0.0") and "behind forests" in sentence
    assert "CRPS" not in sentence and "(its draws are too narrow: 88.0 % of the cells" in sentence
    (tied,) = page.behind([case(change=_alike)])
    assert "Error of the median" not in tied


def _alike(score, split):
    """Let splits disagree so much about the error that nobody is told from anybody."""
    if score.metric != "impute_mae_median":
        return score
    return Score(**{**vars(score), "value": score.value + 0.2 * (split if score.value > 0.11 else -split)})


def test_what_would_have_changed_the_answer_names_shares_mechanisms_and_scores(case):
    share, mechanism, other = case().changes()
    assert share.startswith("toy: another share of missing cells. 50 %: forests, 0.150 [")
    assert mechanism.startswith("toy: another mechanism. 20 % MAR: forests, 0.120 [")
    assert "MinMAE: forests" in other and "downstream AUROC, XGBoost: " in other


def test_the_table_marks_the_first_and_who_is_not_told_from_it(case):
    found = case()
    markup = tables.scenario(found)
    assert markup.count("<tr>") == 1 + 3 and "no cell hidden" not in markup
    mean_mode, forests, mtabgen = markup.split("<tr>")[2:]
    assert forests.count('class="best"') == 2 and mtabgen.count('class="best"') == 2  # error, MinMAE; CRPS, coverage
    assert "0.300" in mean_mode and ">2.50 <small>" in mean_mode and ">0.50 <small>" in mean_mode
    tied = case(change=_alike)
    assert 'badge undecided">0.' in tables.scenario(tied)
    assert tables.glossary([found])[:2] == [
        "Error of the median (mean absolute error, in ranges of the column)",
        "CRPS (error of the draws as a law, numeric cells)",
    ]
    note = tables.scenario_note(found)
    assert "toy: 20 % MCAR, 20 draws of each; means over 3 splits with their 95 % interval" in note
    assert "not recorded (3 of 3 cells" in note


def test_what_learns_from_rows_that_lost_no_cell_stands_below(study, case):
    real = [Score("utility", "trtr_auroc_xgboost", 0.95, 20, "up")]
    scores.write(
        pd.concat([scores.to_frame(real, dataset="toy", generator="real", split=s) for s in range(3)]),
        study.paths.scores("toy", "real"),
    )
    markup = tables.scenario(case())
    assert markup.count("<tr>") == 1 + 4 and "no cell hidden" in markup.split("<tr>")[-1]
    assert "0.950" in markup.split("<tr>")[-1]


def test_other_mechanisms_are_compared_with_chance_at_the_same_rate(case):
    found = case()
    assert [(plain.name, [s.name for s in others]) for plain, others in found.compared] == [("mcar_0.2", ["mar_0.2"])]
    markup = tables.mechanisms(found)
    assert markup.count('badge contradicted">+0.020') == 3 and "change to 20 % MAR" in markup
    assert "forests" in markup and "0.100 <small>" in markup
    assert tables.mechanisms_note(found).startswith("toy, Error of the median: means over 3 splits")


def test_the_figure_is_about_cells_missing_at_random(case):
    found = case()
    shares = found.shares()
    assert set(shares["share"]) == {0.2, 0.5} and set(shares["metric"]) == set(found.leading)
    assert "every imputer was fitted once a split, with 20 % MCAR, and gave 20 draws" in tables.figure_note(found)


def test_a_failed_imputer_is_no_zero_and_is_not_first(case):
    def lose(score, split):
        return scores.failed("imputation", score.metric, "diverged", condition=score.condition) if split == 1 else score

    write_two = case(names=("mean_mode", "mtabgen"))
    assert write_two.first("impute_crps").best.generator == "mtabgen"
    found = case(names=("forests",), change=lose)
    assert found.first("impute_mae_median").best.generator == "mtabgen"
    own = tables.scenario(found).split("<tr>")
    assert "nan" not in "".join(own) and len(own) == 2 + 3


def test_holes_as_found_have_a_table_of_their_own_where_there_are_some(case):
    assert tables.as_found(case()) == ""

    def found(score, split):
        if score.condition != "mcar_0.5" or score.metric != "impute_mae_median":
            return score
        return Score("imputation", "found_wasserstein_numeric", score.value, 9, "down", condition="as_found")

    one = case(change=found)
    markup = tables.as_found(one)
    assert markup.count("<tr>") == 1 + 3 and "Distance of completed columns, numeric" in markup
    mean_mode, forests, mtabgen = markup.split("<tr>")[2:]
    assert 'class="best"' in forests and 'class="best"' not in mean_mode + mtabgen
    assert "plausibility, not truth" in tables.as_found_note(one) and "no cell hidden" not in markup
    assert "as_found" not in one.answer() + " ".join(one.changes())


def test_long_lists_of_names_are_counted():
    names = ["mice", "forests", "gain", "mtabgen", "boosting"]
    assert page._few(names[:4]) == "mice, forests, gain and mtabgen"
    assert page._few(names) == "mice, forests, gain and 2 others"


def test_one_split_has_no_interval_and_leaves_it_open(study):
    for name in ERROR:
        own, spent = tidy("toy", name), costs("toy", name)
        scores.write(own[own["split"] == 0], study.paths.impute("toy", name))
        scores.write(spent[spent["split"] == 0], study.paths.impute_cost("toy", name))
    (found,) = page.find(study)
    assert "forests (or mean mode and mtabgen), 0.098 (no interval from 1 split)" in found.answer()
    said = [tables.scenario(found), tables.mechanisms(found), found.answer(), *found.changes()]
    assert "nan" not in " ".join(said)


def test_tables_come_in_the_order_of_the_study_and_those_without_a_score_are_left_out(study, write):
    assert page.find(study) == [] and page.behind([]) == []
    write(dataset="other")
    write(dataset="toy", names=("mean_mode",))
    assert [case.dataset for case in page.find(study)] == ["toy", "other"]
    assert [case.models for case in page.find(study)] == [(), ("mtabgen",)]
    lost = tidy("toy", "mean_mode").assign(value=math.nan, note="no cell is left to hide")
    scores.write(lost, study.paths.impute("toy", "mean_mode"))
    assert [case.dataset for case in page.find(study)] == ["other"]


def test_the_page_knows_every_score_that_a_cell_writes():
    from synthcohort.cells import imputing
    from synthcohort.figures import labels
    from synthcohort.metrics.imputation import METRICS

    assert {*page.POINTS, *page.LAWS, page.GAP, *page.OTHERS} <= set(METRICS)
    assert all(labels.short_label(metric) != metric.replace("_", " ") for metric in METRICS)
    assert tables.COSTS == (imputing.FIT_SECONDS, imputing.IMPUTE_SECONDS)
    assert "Error of the median" in labels.short_label("impute_mae_median")
