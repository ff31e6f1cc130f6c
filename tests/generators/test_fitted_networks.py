"""Generators fitted by the training loop: settings at work, ranges, early stop, best average, divergence, labels."""

from dataclasses import replace

import pandas as pd
import pytest

import toys
from synthcohort.generators import load as registry
from synthcohort.generators.base import AbilityError, FitError, Generator
from synthcohort.generators.parts.fitting import at_least, fit_network, loop_settings
from synthcohort.rng import Rng
from synthcohort.training import Settings

RNG = Rng(4)
LOOP = {"max_steps": 20, "batch_size": 32, "evaluate_every": 5}
SMALL = {
    "flow": {"width": 16, **LOOP},
    "vae": {"latent": 4, "width": 16, "depth": 1, **LOOP},
    "tabddpm": {"width": 32, "depth": 1, "steps": 6, **LOOP},
    "tabsyn": {"factor": 4, "autoencoder_steps": 20, "passes": 0, "width": 16, "depth": 1, "steps": 4, **LOOP},
    "tvae": {
        "latent": 4,
        "width": 8,
        "depth": 1,
        "epochs": 1,
        "least_steps": 20,
        "batch_size": 30,
        "evaluate_every": 5,
    },
}
NAMES = sorted(SMALL)
STILL = 1e-30  # a learning rate at which weights never move

OF_THE_LOOP = {"max_steps": 10, "batch_size": 16, "learning_rate": 1e-4, "weight_decay": 5.0, "ema_decay": 0.1}
OF_ITS_END = {"evaluate_every": 4, "patience": 3.5}
CHANGES = {
    "flow": {"layers": 1, "bins": 5, "bound": 3.0, "width": 20, "depth": 2, **OF_THE_LOOP, **OF_ITS_END},
    "vae": {"latent": 3, "width": 20, "depth": 2, **OF_THE_LOOP, **OF_ITS_END},
    "tabddpm": {"width": 34, "depth": 2, "octaves": 1, "steps": 5, "eta": 0.0, **OF_THE_LOOP, **OF_ITS_END},
    "tabsyn": {
        **{"token": 3, "layers": 2, "factor": 3, "most_tokens": 2, "beta_max": 1e-1, "beta_min": 1e-4},
        **{"autoencoder_pace": 1.0, "passes": 30},
        **{"autoencoder_steps": 10, "width": 20, "depth": 2, "steps": 5, **OF_THE_LOOP, **OF_ITS_END},
    },
    "tvae": {
        **{"latent": 3, "width": 9, "depth": 2, "loss_factor": 1.0, "epochs": 9, "least_steps": 10, "max_modes": 2},
        **{"batch_size": 16, "learning_rate": 1e-4, "weight_decay": 5.0, **OF_ITS_END},
    },
}
REFUSED = {
    "flow": {"layers": 0, "bins": 1, "bound": 0.0, "width": 0, "depth": -1, "ema_decay": 1.0},
    "vae": {"latent": 0, "width": 0, "depth": -1, "max_steps": 0},
    "tabddpm": {"width": 3, "depth": 0, "octaves": -1, "eta": 2.0, "steps": 0, "patience": 1.0},
    "tabsyn": {"token": 0, "width": 3, "beta_min": 1.0, "steps": 1, "most_tokens": 0, "batch_size": 0}
    | {"autoencoder_pace": 0.0, "passes": -1},
    "tvae": {"latent": 0, "max_modes": 0, "loss_factor": 0.0, "least_steps": 0, "learning_rate": 0.0},
}
ENOUGH = {
    "flow": {"width": 32, "max_steps": 250, "batch_size": 64},
    "vae": {"latent": 4, "width": 32, "depth": 1, "max_steps": 300, "batch_size": 64},
    "tabddpm": {"width": 64, "depth": 2, "max_steps": 300, "batch_size": 64, "learning_rate": 2e-3},
    "tabsyn": {**SMALL["tabsyn"], **{"width": 32, "autoencoder_steps": 300, "max_steps": 400, "batch_size": 64}}
    | {"steps": 8, "learning_rate": 3e-3},
    "tvae": {"latent": 8, "width": 32, "least_steps": 400, "epochs": 1, "batch_size": 64},
}


def _fit(name: str, *, judged: bool = True, **changes) -> Generator:
    frame, schema = toys.mixed(120)
    generator = registry.build(name, {**SMALL[name], **changes})
    return generator.fit(frame[:90], schema, rng=RNG, validation=frame[90:] if judged else None)


def _shown(generator: Generator) -> object:
    losses = [(h["step"], h["loss"], h["validation_loss"]) for h in generator.history]
    return losses, generator.sample(30, rng=RNG).to_csv()


def _pairs(table: dict[str, dict[str, object]]) -> list[object]:
    return [
        pytest.param(name, {key: value}, id=f"{name}-{key}") for name in NAMES for key, value in table[name].items()
    ]


@pytest.fixture(scope="module")
def usual():
    cache: dict[tuple[str, bool], object] = {}

    def get(name: str, still: bool) -> object:
        if (name, still) not in cache:
            cache[name, still] = _shown(_fit(name, **({"learning_rate": STILL} if still else {})))
        return cache[name, still]

    return get


@pytest.mark.parametrize("name", NAMES)
def test_every_hyperparameter_is_among_the_changes(name) -> None:
    assert set(CHANGES[name]) == set(registry.build(name, {}).hyperparameters())


@pytest.mark.parametrize(("name", "change"), _pairs(CHANGES))
def test_every_hyperparameter_changes_history_or_rows(usual, name, change) -> None:
    still = "patience" in change  # it shows only where the lowest loss is not the last one
    changed = _fit(name, **change, **({"learning_rate": STILL} if still else {}))
    assert _shown(changed) != usual(name, still)


@pytest.mark.parametrize(("name", "change"), _pairs(REFUSED))
def test_hyperparameters_out_of_range_are_refused(name, change) -> None:
    ((key, value),) = change.items()
    with pytest.raises(ValueError, match=f"{key}={value} "):
        registry.build(name, change)


@pytest.mark.parametrize("name", NAMES)
def test_validation_rows_end_a_fit_and_nothing_else_does(name) -> None:
    """Weights that do not move have their lowest loss at step 5: the next look is the first after 1.6 times that."""
    stages = 2 if name == "tabsyn" else 1
    assert _fit(name, learning_rate=STILL).history[-1]["step"] == 10 * stages
    assert _fit(name, learning_rate=STILL, judged=False).history[-1]["step"] == 20 * stages


@pytest.mark.parametrize("name", ["flow", "vae", "tabddpm"])
def test_the_best_average_is_kept_and_saved(name, tmp_path) -> None:
    """Loaded weights, measured again on the same rows and noise, have the lowest validation loss of the history."""
    settings = {"max_steps": 150, "batch_size": 90, "learning_rate": 3e-2, "patience": 100.0, "ema_decay": 0.5}
    generator = _fit(name, **settings)
    losses = [h["validation_loss"] for h in generator.history]
    assert min(losses) < losses[-1]
    generator.save(tmp_path)
    again = registry.load(name, tmp_path)
    network = again.reader.network if name == "tabddpm" else again.network
    frame, _ = toys.mixed(120)
    rows = [again.table.split(part, "cpu").parts() for part in (frame[:90], frame[90:])]
    one_look = replace(again.settings, max_steps=1, evaluate_every=1, learning_rate=STILL)
    own = RNG.branch("training")
    measured = fit_network(network, again._loss, rows, settings=one_look, rng=own, label="again")[0]["validation_loss"]
    assert measured == pytest.approx(min(losses), rel=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_a_diverging_fit_is_a_fit_error(name) -> None:
    longer = {"tvae": {"least_steps": 60}, "tabsyn": {"autoencoder_steps": 60}}.get(name, {"max_steps": 60})
    with pytest.raises(FitError, match="diverged"):
        _fit(name, learning_rate=1e30, **longer)


@pytest.mark.parametrize("name", NAMES)
def test_rows_follow_their_label(name) -> None:
    frame, schema = toys.mixed(400)
    generator = registry.build(name, ENOUGH[name]).fit(frame, schema, rng=RNG)
    asked = pd.DataFrame({"died": frame["died"]})
    drawn = generator.sample(len(frame), rng=RNG, conditions=asked)
    real, synthetic = (f.groupby("died", observed=True)["age"].mean() for f in (frame, drawn))
    assert (real["yes"] - real["no"]) * (synthetic["yes"] - synthetic["no"]) > 0
    assert 0.6 < drawn["age"].std() / frame["age"].std() < 1.4


@pytest.mark.parametrize("name", NAMES)
def test_a_numeric_target_is_a_column_and_cannot_be_asked_for(name) -> None:
    frame, schema = toys.numeric(80)
    generator = registry.build(name, SMALL[name]).fit(frame, schema, rng=RNG)
    schema.check(generator.sample(5, rng=RNG))
    with pytest.raises(AbilityError, match=r"'y'.*numeric"):
        generator.sample(2, rng=RNG, conditions=frame[["y"]].iloc[:2].reset_index(drop=True))


def test_settings_of_the_loop_are_the_hyperparameters_of_their_names() -> None:
    generator = registry.build("vae", {"width": 32, "batch_size": 7, "ema_decay": 0.5, "patience": 3.0})
    given = loop_settings(generator, max_steps=9, warmup_steps=0)
    want = Settings(max_steps=9, batch_size=7, learning_rate=generator.learning_rate, warmup_steps=0, ema_decay=0.5)
    assert given == replace(want, evaluate_every=generator.evaluate_every, patience=3.0)


def test_a_hyperparameter_below_its_floor_is_named() -> None:
    generator = registry.build("vae", {"width": 32})
    at_least(generator, width=32)
    with pytest.raises(ValueError, match="vae: width=32 must be at least 33"):
        at_least(generator, depth=0, width=33)
