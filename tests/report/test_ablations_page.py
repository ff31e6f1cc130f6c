"""What the page on MTabGen's ideas says: every sentence, table and figure follows from the scores."""

import json
import math

import pandas as pd
import pytest

from synthcohort import scores
from synthcohort import study as studies
from synthcohort.figures import ablations as figures
from synthcohort.generators import load as generators
from synthcohort.report import ablations as page
from synthcohort.report import ablations_tables as tables
from synthcohort.report import ablations_words as words
from synthcohort.scores import Score

TABLES = ["one", "two", "three", "four", "five", "six", "seven"]
PARAMS = """
study: {seed: 1, splits: 3}
datasets: {one: , two: , three: , four: , five: , six: , seven: }
generators: {independent: , mtabgen: , mtabgen_mlp: , mtabgen_fixed_mask: , mtabgen_addition: , mtabgen_concatenation: }
imputation:
  tables: [%s]
  imputers: {mtabgen: , mtabgen_mlp: , mtabgen_fixed_share: , mtabgen_addition: , mtabgen_concatenation: }
  scenarios: [{mcar: 0.2}, {mcar: 0.5}]
"""
NOISE = (-0.001, 0.0, 0.001)
WORSE = {"mtabgen": 0.0, "mtabgen_mlp": 0.02, "mtabgen_fixed_share": 0.01, "mtabgen_fixed_mask": 0.01}
WORSE |= {"mtabgen_addition": 0.0, "mtabgen_concatenation": -0.01}
DIRECTIONS = {
    "impute_mae_median": "down",
    "impute_crps": "down",
    "impute_coverage_gap": "zero",
    "impute_accuracy": "up",
}


def error(name, place, condition="mcar_0.2"):
    """Return how much worse an arm is: the idea is worth more on later tables, and for holes of 50 % twice as much."""
    return WORSE[name] * (1 + place) * (2 if condition == "mcar_0.5" else 1)


def filled(dataset, name, split):
    place, wobble = TABLES.index(dataset), NOISE[split] * (1 + len(name) % 3)
    return [
        Score("imputation", m, (0.1 + error(name, place, c) + wobble) * (-1 if d == "up" else 1), 50, d, condition=c)
        for m, d in DIRECTIONS.items()
        for c in ("mcar_0.2", "mcar_0.5")
    ]


def drawn(dataset, name, split):
    place, wobble = TABLES.index(dataset), NOISE[split] * (1 + len(name) % 3)
    return [Score("fidelity", m, 0.9 - error(name, place) + wobble, 50, "up") for m in ("shape", "trend")]


def seconds(names, name, condition):
    amount = 6.0 if name == "mtabgen" else 2.0
    return [Score("cost", cost, amount, 60, "down", condition=condition) for cost in names]


def whole(dataset, name, of):
    parts = [
        scores.to_frame(of(dataset, name, split), dataset=dataset, generator=name, split=split) for split in range(3)
    ]
    return pd.concat(parts, ignore_index=True)


@pytest.fixture
def study(tmp_path):
    """Return a function that opens a study with some tables and the scores of some arms of each."""

    def make(count=2, imputers=None, rows=(), dependence=True):
        (tmp_path / "params.yaml").write_text(PARAMS % ", ".join(TABLES[:count]))
        (tmp_path / "dvc.yaml").touch()
        opened = studies.load(tmp_path)
        for place, dataset in enumerate(TABLES[:count]):
            for name in page.arms("imputation") if imputers is None else imputers:
                scores.write(whole(dataset, name, filled), opened.paths.impute(dataset, name))
                spent = whole(dataset, name, lambda *_, n=name: seconds(page.COSTS["imputation"], n, "mcar_0.2"))
                scores.write(spent, opened.paths.impute_cost(dataset, name))
            for name in rows:
                scores.write(whole(dataset, name, drawn), opened.paths.scores(dataset, name))
                spent = whole(dataset, name, lambda *_, n=name: seconds(page.COSTS["generation"], n, "as_observed"))
                scores.write(spent, opened.paths.cost(dataset, name))
            if dependence:
                one = [Score("imputation", "dependence", 0.1 + 0.1 * place, 20, "up")]
                scores.write(whole(dataset, "real", lambda *_, one=one: one), opened.paths.dependence(dataset))
        return opened

    return make


def test_the_first_sentence_says_what_each_idea_brings(study):
    found = page.find(study())
    assert words.headline(found) == (
        "What each idea brings to Error of the median (20 % MCAR), in brackets tables for / against / open. "
        "Transformer instead of a perceptron: supported (2 / 0 / 0); "
        "Dynamic masks instead of fixed ones: supported (2 / 0 / 0); "
        "Cross-attention instead of addition: undecided (0 / 0 / 2); "
        "Cross-attention instead of concatenation: contradicted (0 / 2 / 0)."
    )


def test_every_idea_is_judged_by_every_score_and_priced(study):
    answers = words.answers(page.find(study(rows=page.arms("generation"))))
    assert len(answers) == 4
    assert answers[0] == (
        "Transformer instead of a perceptron. Imputation (20 % MCAR): "
        "Error of the median: supported (2 / 0 / 0); Accuracy of the commonest level: supported (2 / 0 / 0); "
        "CRPS: supported (2 / 0 / 0); Coverage gap: supported (2 / 0 / 0). "
        "CPU seconds with the idea over those without: a fit 3.0 times, draws 3.0 times. "
        "Generation: Shape: supported (2 / 0 / 0); Trend: supported (2 / 0 / 0). "
        "CPU seconds with the idea over those without: a fit 3.0 times, draws 3.0 times."
    )


def test_gains_are_paired_by_split_and_turned_so_that_more_is_better(study):
    found = page.find(study())
    (transformer, *_) = page.IDEAS
    for metric in DIRECTIONS:
        one = found.by_table(transformer, metric)["two"]
        assert one.difference == pytest.approx(0.04) and one.splits == 3
    by_hand = [0.04 + wobble * (2 + len("mtabgen_mlp") % 3 - 1 - len("mtabgen") % 3 - 1) for wobble in NOISE]
    half = found.by_table(transformer, "impute_crps")["two"].high - 0.04
    spread = math.sqrt((1 / 3 + found.resampling.test_to_train) * pd.Series(by_hand).var())
    assert half == pytest.approx(4.302653 * spread, rel=1e-5)  # t with 2 degrees of freedom


def test_fixed_masks_are_one_model_for_each_task(study):
    masks = page.IDEAS[1]
    assert masks.rivals == {"imputation": "mtabgen_fixed_share", "generation": "mtabgen_fixed_mask"}
    found = page.find(study(rows=page.arms("generation")))
    assert found.verdict(masks, "generation", "shape").worse.generator == "mtabgen_fixed_mask"
    notes = [tables.by_table_note(found, idea, "imputation") for idea in page.IDEAS]
    assert ["both fits are to be paid" in note for note in notes] == [False, True, False, False]
    assert {name for task in page.TASKS for name in page.arms(task)} <= set(generators.names())


def test_the_relation_with_dependence_takes_five_tables_to_be_decided(study):
    transformer, _, _, concatenation = page.IDEAS
    seven = page.find(study(7))
    assert seven.trend(transformer, "impute_crps").tau == pytest.approx(1.0)
    assert seven.trend(transformer, "impute_crps").p == pytest.approx(2 / math.factorial(7))
    assert seven.trend(transformer, "impute_crps").word == "supported"
    assert seven.trend(concatenation, "impute_crps").word == "contradicted"
    assert "It takes 5 tables or more to decide at all; here are 7." in tables.trends_note(seven)
    four = page.find(study(4))
    assert four.trend(transformer, "impute_crps").tau == pytest.approx(1.0)
    assert four.trend(transformer, "impute_crps").word == "undecided"
    assert math.isnan(page.find(study(1)).trend(transformer, "impute_crps").tau)


def test_a_row_per_table_with_gains_verdicts_and_seconds_side_by_side(study):
    found = page.find(study())
    markup = tables.by_table(found, page.IDEAS[0], "imputation")
    head, one, two = markup.split("<tr>")[1:]
    assert head.count("<th") == 2 + 4 + 4 + 1
    assert one.startswith('<td class="text">one</td><td>0.100</td>') and two.count('badge supported">+0.040') == 4
    assert one.count(">6.00 <small>[6.00, 6.00]") == 2 and one.count(">2.00 <small>") == 2 and "<td>3</td>" in one
    assert "gain of mtabgen over mtabgen mlp" in tables.by_table_note(found, page.IDEAS[0], "imputation")


def test_other_holes_are_other_answers(study):
    (first, *_) = words.changes(page.find(study()))
    assert first == (
        "Transformer instead of a perceptron: other holes. Error of the median, 50 % MCAR: supported (2 / 0 / 0)."
    )


def test_what_is_missing_comes_with_the_line_to_add(study, tmp_path):
    opened = study(imputers=["mtabgen", "mtabgen_mlp"], rows=page.arms("generation"))
    (sentence,) = words.missing(opened)
    assert sentence == (
        "No scores of imputation yet: `mtabgen_fixed_share` on one, two; `mtabgen_addition` on one, two; "
        "`mtabgen_concatenation` on one, two. `make study` computes them."
    )
    assert [idea.name for idea in page.find(opened).ideas("imputation")] == ["Transformer"]
    (tmp_path / "params.yaml").write_text(
        "study: {seed: 1}\ndatasets: {one: }\ngenerators: {mtabgen: , mtabgen_addition: }\n"
        "imputation: {tables: [one], imputers: {mtabgen: , mtabgen_mlp: }}\n"
    )
    filling, drawing = words.missing(studies.load(tmp_path))
    assert filling == (
        "Some ideas are not asked about in imputation: add `mtabgen_fixed_share: {}`, `mtabgen_addition: {}`, "
        "`mtabgen_concatenation: {}` under `imputation.imputers` in params.yaml."
    )
    assert "`mtabgen_mlp: {}`, `mtabgen_fixed_mask: {}`, `mtabgen_concatenation: {}` under `generators`" in drawing
    (tmp_path / "params.yaml").write_text("study: {seed: 1}\ndatasets: {one: }\ngenerators: {mtabgen: }\n")
    assert words.missing(studies.load(tmp_path)) == [
        "params.yaml names no table under `imputation.tables`: add the tables this question is put to."
    ]


def test_without_scores_it_says_so_and_without_dependence_it_draws_nothing(study):
    empty = page.find(study(imputers=[], dependence=False))
    assert words.headline(empty) == (
        "What does each idea bring? No table has scores of MTabGen and of one of its ablations."
    )
    assert words.answers(empty) == words.changes(empty) == empty.leading == []
    bare = page.find(study(1, dependence=False))
    assert bare.leading and not len(bare.points("impute_crps"))


def test_one_split_has_no_interval_and_decides_nothing(study):
    opened = study(1)
    for name in page.arms("imputation"):
        for place in (opened.paths.impute, opened.paths.impute_cost):
            own = scores.read(place("one", name))
            scores.write(own[own["split"] == 0], place("one", name))
    found = page.find(opened)
    assert "Transformer instead of a perceptron: undecided (0 / 0 / 1)" in words.headline(found)
    assert "nan" not in tables.by_table(found, page.IDEAS[0], "imputation") + " ".join(words.answers(found))


@pytest.mark.parametrize("count", [1, 7])
def test_the_figure_has_a_panel_an_idea_and_a_named_point_a_table(study, count):
    found = page.find(study(count))
    figure = figures.against_dependence(found.points("impute_crps"), titles=found.titles, heading="H")
    assert figure.get_suptitle() == "H" and len(figure.axes) == 4
    for axes, title in zip(figure.axes, found.titles, strict=True):
        assert axes.get_title(loc="left").replace("\n", " ") == title and axes.get_xlabel()
        assert {text.get_text() for text in axes.texts} == set(TABLES[:count])
        assert axes.get_ylim()[0] < 0 < axes.get_ylim()[1]
    own = found.points("impute_crps").query("title == @found.titles[0]")
    marks = [line for line in figure.axes[0].lines if len(line.get_xdata()) == 1]
    assert [line.get_ydata()[0] for line in marks] == own["difference"].tolist()


def test_the_machine_of_the_seconds_is_named(study):
    opened = study(1)
    told = {"processor": "P", "cores": 2, "threads": 1, "python": "3", "libraries": {}, "device": "cpu"}
    opened.paths.impute_machine("one", "mtabgen").write_text(json.dumps(told))
    machine = page.find(opened).machine
    assert machine.startswith("Measured on: P, 1 thread of 2 cores") and "(1 of 5 cells)" in machine
