"""What the page says of the options of a draw: every sentence, table and point follows from the scores."""

import itertools

import pandas as pd
import pytest

from synthcohort import scores
from synthcohort import study as studies
from synthcohort.figures import guidance as figures
from synthcohort.report import guidance as page
from synthcohort.report import guidance_tables as shown

PARAMS = """
study: {seed: 1}
datasets: {adult: {}}
generators: {independent: {}}
fairness: {tables: {adult: [sex, race]}, dials: [0, 1], splits: 2}
guidance:
  tables: {adult: [sex]}
  generators: {guided_tabddpm: }
  splits: 2
  curves:
    target_guidance: {option: target_guidance, values: [0, 0.5, 1]}
    gate: {option: gate_weight, values: [1], also: {gate: coded}}
"""
POINTS = {  # condition -> AUROC, demographic parity ratio, equalized odds ratio
    "target_guidance_0": (0.90, 0.65, 0.70),
    "target_guidance_0.5": (0.91, 0.60, 0.62),
    "target_guidance_1": (0.92, 0.70, 0.50),
    "gate_1": (0.89, 0.90, 0.61),
}


def tidy(points):
    found = []
    for split, (name, values) in itertools.product(range(2), points.items()):
        metrics = dict(zip(("auroc", "demographic_parity_ratio_sex", "equalized_odds_ratio_sex"), values, strict=True))
        own = [
            scores.Score("fairness", metric, value + 0.002 * split - 0.001, 100, "up", condition=name)
            for metric, value in {**metrics, "shape_asked": 0.98, "trend_asked": 0.97}.items()
        ]
        found.append(scores.to_frame(own, dataset="adult", generator="guided_tabddpm", split=split))
    return pd.concat(found, ignore_index=True)


@pytest.fixture
def study(tmp_path):
    (tmp_path / "params.yaml").write_text(PARAMS)
    (tmp_path / "dvc.yaml").touch()
    return studies.load(tmp_path)


@pytest.fixture
def case(study):
    scores.write(tidy(POINTS), study.paths.guidance("adult", "guided_tabddpm"))
    return page.find(study)[0]


def test_no_scores_are_no_case(study):
    assert page.find(study) == []
    lost = [scores.failed("fairness", "auroc", "no fit", condition=name) for name in POINTS]
    frame = scores.to_frame(lost, dataset="adult", generator="guided_tabddpm", split=0)
    scores.write(frame, study.paths.guidance("adult", "guided_tabddpm"))
    assert page.find(study) == []


def test_a_point_stands_at_its_means(case):
    points = case.points()
    assert len(points) == 4 * 2 and case.name == "guided tabddpm on adult, sex balanced"
    own = points[points["metric"] == "equalized_odds_ratio_sex"].set_index(["curve", "label"])
    assert own.loc[("target_guidance", "0.5"), "auroc"] == pytest.approx(0.91)
    assert own.loc[("gate", "1"), "mean"] == pytest.approx(0.61)


def test_the_front_holds_what_no_other_draw_beats_in_auroc_and_in_the_lowest_ratio(case):
    """The lowest ratios are .65, .60, .50 and .61: the gate has less of both than the first draw."""
    assert [point.condition for point in case.front()] == [
        "target_guidance_1",
        "target_guidance_0.5",
        "target_guidance_0",
    ]


def test_of_draws_that_are_alike_one_is_on_the_front(study):
    scores.write(tidy(dict.fromkeys(POINTS, (0.9, 0.6, 0.7))), study.paths.guidance("adult", "guided_tabddpm"))
    assert len(page.find(study)[0].front()) == 1


def test_each_curve_is_told_from_its_first_value_to_its_last(case):
    first, front = case.answers()
    assert first == (
        "target guidance from 0 to 1: AUROC 0.900 → 0.920, demographic parity ratio 0.650 → 0.700, "
        "equalized odds ratio 0.700 → 0.500, Shape 0.980 → 0.980."
    )
    assert front == (
        "No other draw has a higher AUROC and a higher lowest ratio than target guidance 1: 0.920 and 0.500; target "
        "guidance 0.5: 0.910 and 0.600; target guidance 0: 0.900 and 0.650."
    )


def test_a_draw_without_a_value_is_left_out(study):
    three = {name: values for name, values in POINTS.items() if name != "target_guidance_0"}
    scores.write(tidy(three), study.paths.guidance("adult", "guided_tabddpm"))
    case = page.find(study)[0]
    assert len(case.every) == 3 and case.answers()[0].startswith("target guidance from 0.5 to 1:")


def test_the_table_has_every_draw_and_marks_the_front(case):
    markup = shown.draws(case)
    assert markup.count("<tr>") == 1 + 4 and markup.count("best") == 3
    assert "0.890" in markup and "gate 1" in markup


def test_captions_say_who_judged_and_what_a_curve_has_besides(case):
    assert "validation rows" in shown.curves_note(case) and "gate with gate = coded" in shown.curves_note(case)
    assert "95 %" in shown.draws_note(case)


def test_the_figure_has_a_panel_for_each_ratio_a_line_for_each_curve_and_a_label_for_each_value(case):
    drawn = figures.curves(case.points(), titles=case.ratios, heading="Options")
    assert [axes.get_title(loc="left") for axes in drawn.axes] == list(case.ratios.values())
    for axes in drawn.axes:
        assert [list(line.get_xdata()) for line in axes.lines] == [
            pytest.approx([0.90, 0.91, 0.92]),
            pytest.approx([0.89]),
        ]
        assert [text.get_text() for text in axes.texts] == ["0", "0.5", "1", "1"]
