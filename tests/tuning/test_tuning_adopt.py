"""What was found goes into params.yaml, and nothing else of it changes."""

import pytest
from tuning_toys import PARAMS

from synthcohort import study as studies
from synthcohort.tuning import adopt, trials
from synthcohort.tuning.objective import Parts
from synthcohort.tuning.trials import Outcome, Trial

TEXT = """# The whole study.
study: {seed: 1}   # one seed
datasets: {wdbc: {}}

# Generators: a comment {with: braces}
generators:
  independent: {}
  # the next is searched
  smote: {neighbours: 5}
  vae: {max_steps: 50, width: 128}   # cheaper {than} the default
  tabddpm: {}
  gaussian_copula:

claims: {}
search:
  vae: {width: [128, 64]}
"""


@pytest.fixture
def path(tmp_path):
    place = tmp_path / "params.yaml"
    place.write_text(TEXT, encoding="utf-8")
    return place


def test_only_the_lines_of_the_generators_found_change(path):
    found = {
        "vae": {"width": 64, "learning_rate": 0.0003},
        "tabddpm": {"depth": 2},
        "gaussian_copula": {"shrinkage": 0.1},
    }
    assert adopt.adopt(path, found) == ["vae", "tabddpm", "gaussian_copula"]
    before, after = TEXT.splitlines(), path.read_text(encoding="utf-8").splitlines()
    changed = {old: new for old, new in zip(before, after, strict=True) if old != new}
    assert changed == {
        "  vae: {max_steps: 50, width: 128}   # cheaper {than} the default": (
            "  vae: {max_steps: 50, width: 64, learning_rate: 0.0003}   # cheaper {than} the default"
        ),
        "  tabddpm: {}": "  tabddpm: {depth: 2}",
        "  gaussian_copula:": "  gaussian_copula: {shrinkage: 0.1}",
    }
    assert adopt.adopt(path, found) == []
    assert list(path.parent.iterdir()) == [path]


def test_a_generator_written_over_several_lines_is_refused_and_nothing_is_written(path):
    text = TEXT.replace("  tabddpm: {}\n", "  tabddpm:\n    depth: 3\n")
    path.write_text(text, encoding="utf-8")
    with pytest.raises(studies.ParamsError, match=r"generators.tabddpm does not stand on one line .*\{depth: 2\}"):
        adopt.adopt(path, {"smote": {"neighbours": 3}, "tabddpm": {"depth": 2}})
    assert path.read_text(encoding="utf-8") == text


def test_the_best_trial_is_what_is_adopted(make):
    opened = make()
    made = [
        Trial(0, {"neighbours": 3}, (result("mixed", 0.5),)),
        Trial(1, {"neighbours": 1}, (Outcome("mixed", None, "diverged", 0.0, 0.0),)),
        Trial(2, {"neighbours": 5}, (result("mixed", 0.7),)),
        Trial(3, {"neighbours": 2}, (result("mixed", 0.7),)),
    ]
    trials.write(trials.to_frame(made, "smote"), opened.paths.tuning("smote"))
    found = adopt.found_settings(opened)
    assert found == {"smote": {"neighbours": 5}}  # the earlier of two equals
    assert adopt.lines(opened, found) == ["  smote: {neighbours: 5}"]
    path = opened.paths.root / "params.yaml"
    adopt.adopt(path, found)
    assert path.read_text() == PARAMS.replace("smote: {neighbours: 3}   # k", "smote: {neighbours: 5}   # k")


def result(table: str, value: float) -> Outcome:
    return Outcome(table, Parts(value, value, value, value), "", 0.0, 0.0)
