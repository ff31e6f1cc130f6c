"""params.yaml says what the committed searches found; all had the same budget; the page of a search can be drawn."""

import math
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from synthcohort import study as studies
from synthcohort.generators import load as registry
from synthcohort.tuning import figure, trials, words
from synthcohort.tuning.objective import Parts
from synthcohort.tuning.trials import Outcome, Trial

ROOT = Path(__file__).parents[2]
PARAMS = studies.read_params(ROOT / "params.yaml")
PATHS = studies.Paths(ROOT)


@pytest.mark.parametrize("generator", PARAMS.search)
def test_a_generator_has_the_setting_its_search_found_or_will_begin_with(generator):
    space = PARAMS.search[generator]
    now = registry.build(generator, PARAMS.generators.get(generator, {})).hyperparameters()
    setting = {name: now[name] for name in space}
    if not PATHS.tuning(generator).is_file():
        assert setting == {name: choices[0] for name, choices in space.items()}
        return
    kept = trials.read(PATHS.tuning(generator))
    found = setting == trials.setting_of(kept, trials.chosen(kept))
    assert found != (generator in PARAMS.tuning.kept)  # who keeps another setting says why, and nobody else does


@pytest.mark.parametrize("generator", PARAMS.search)
def test_every_search_had_the_same_number_of_trials_on_the_same_tables(generator):
    if not PATHS.tuning(generator).is_file():
        pytest.skip("not searched yet")
    kept = trials.read(PATHS.tuning(generator))
    found = trials.objectives(kept)
    assert found["trial"].tolist() == list(range(PARAMS.tuning.trials))
    assert found["setting"].nunique() == PARAMS.tuning.trials
    assert set(kept.loc[kept["state"] == "COMPLETE", "table"]) - {trials.ALL} == set(PARAMS.tuning.tables)


def test_every_method_with_hyperparameters_is_searched():
    for name in PARAMS.generators:
        kind = registry.find(name)
        assert bool(registry.hyperparameter_names(kind)) == (name in PARAMS.search), name


def made() -> list[Trial]:
    settings = [{"width": w, "rate": r} for w in (64, 128) for r in (0.001, 0.01, 0.1)]
    found = [Trial(n, s, (Outcome("t", Parts(*(0.5 + 0.05 * n,) * 4), "", 1.0, 0.5),)) for n, s in enumerate(settings)]
    found[3] = Trial(3, settings[3], (Outcome("t", None, "the loss diverged", 1.0, 0.0),))
    return found


def test_the_page_says_and_draws_what_was_found():
    frame = trials.to_frame(made(), "vae")
    drawn = figure.search(frame, "vae")
    assert isinstance(drawn, Figure) and len(drawn.axes) == 3
    assert words.verdict(frame) == (
        "Chosen is trial 5 of 6 with `width` 128, `rate` 0.1: objective 0.750; trial 0, where the search began, "
        "reached 0.500."
    )
    assert words.failures(frame) == ["Trial 3 failed. t: the loss diverged."]
    assert "1 failed and has no objective" in words.caption(frame)
    listed = words.listed(frame, trials.costs(made(), "vae"))
    assert listed["trial"].tolist() == [5, 4, 2, 1, 0, 3] and math.isnan(listed["objective"].iloc[-1])
    assert words.parts(frame)["chosen"].tolist() == pytest.approx([0.75] * 5)  # four parts and their mean
