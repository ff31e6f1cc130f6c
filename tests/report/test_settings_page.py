"""The page on the search for settings says what the trials say, and what the study does with it."""

import math
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from synthcohort import study as studies
from synthcohort.figures import settings as figures
from synthcohort.report import settings as page
from synthcohort.tuning import trials
from synthcohort.tuning.objective import Parts
from synthcohort.tuning.trials import Outcome, Trial

PARAMS = """
study: {seed: 1}
datasets: {wdbc: {}}
generators: {smote: {neighbours: 5}, arf: {trees: 10}, vae: {}}
tuning: {trials: 3, tables: [wdbc], kept: {arf: fewer trees are cheaper.}}
search:
  smote: {neighbours: [3, 5, 7]}
  arf: {trees: [10, 30, 50]}
  flow: {bins: [4, 8, 16]}
  vae: {width: [64, 128, 256]}
"""


def trial(number: int, setting: dict, value: float) -> Trial:
    parts = None if math.isnan(value) else Parts(value, value, value, value)
    return Trial(number, setting, (Outcome("wdbc", parts, "diverged" if parts is None else "", 2.0, 1.0),))


@pytest.fixture
def study(tmp_path: Path) -> studies.Study:
    (tmp_path / "params.yaml").write_text(PARAMS)
    opened = studies.Study(studies.read_params(tmp_path / "params.yaml"), studies.Paths(tmp_path))
    searches = {
        "smote": ("neighbours", (3, 5, 7), (0.5, 0.8, math.nan)),
        "arf": ("trees", (10, 30, 50), (0.7, 0.9, 0.6)),
        "flow": ("bins", (4, 8, 16), (0.6, 0.5, 0.4)),
    }
    for name, (key, choices, values) in searches.items():
        made = [trial(n, {key: choice}, value) for n, (choice, value) in enumerate(zip(choices, values, strict=True))]
        trials.write(trials.to_frame(made, name), opened.paths.tuning(name))
        trials.write(trials.costs(made, name), opened.paths.tuning_cost(name))
    return opened


def test_searches_are_listed_from_the_highest_objective(study):
    found = page.find(study)
    assert [one.generator for one in found] == ["arf", "smote", "flow"]  # vae has no trials
    assert [one.use for one in found] == ["kept", "found", "not in the study"]
    assert [one.cpu_seconds for one in found] == [6.0, 6.0, 6.0]
    assert found[1].chosen == {"neighbours": 5} and found[1].began == 0.5 and found[1].found == 0.8


def test_the_answer_names_the_largest_change_and_what_did_not_move(study):
    first, second = page.answers(page.find(study))
    assert "arf reached the highest objective, 0.900; lowest is flow with 0.600" in first
    assert "changed smote most, from 0.500 to 0.800" in second and "began for flow" in second
    assert page.answers([]) == []


def test_who_keeps_another_setting_says_why(study):
    assert page.kept(page.find(study)) == ["arf keeps another setting than its search found: fewer trees are cheaper."]


def test_the_table_has_a_row_a_generator_and_the_setting_found(study):
    markup = page.settings(page.find(study))
    assert markup.count("<tr>") == 4
    assert "trees 30" in markup and "neighbours 5" in markup and "not in the study" in markup


def test_a_search_whose_first_trial_failed_has_no_change():
    made = [trial(0, {"trees": 1}, math.nan), trial(1, {"trees": 2}, 0.5)]
    one = page.Searched("arf", trials.to_frame(made, "arf"), 1.0, None, "")
    assert len(page.answers([one])) == 1 and math.isnan(one.began)


def test_the_figure_has_a_row_a_generator(study):
    found = page.find(study)
    drawn = figures.spread([(one.generator, one.values) for one in found], heading="Objective")
    assert isinstance(drawn, Figure)
    (axes,) = drawn.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["arf", "smote", "flow"]
    points = [collection.get_offsets() for collection in axes.collections]
    assert sum(len(p) for p in points) == (3 + 2) + (2 + 2) + (3 + 2)  # trials that have a value, found, began
