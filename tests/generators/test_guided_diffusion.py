"""guided_tabddpm and fairtabddpm: settings at work, groups asked for and drawn, guidance that does something."""

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

import toys
from synthcohort.generators import load as registry
from synthcohort.generators.base import FitError, Generator
from synthcohort.rng import Rng
from synthcohort.schema import Column, Schema

RNG = Rng(4)
NAMES = ["fairtabddpm", "guided_tabddpm"]
LOOP = {"max_steps": 20, "batch_size": 32, "evaluate_every": 5, "steps": 5, "learning_rate": 2e-2}
GUIDED = {
    "guided_tabddpm": {"target_guidance": 0.5, "sensitive_guidance": 0.5},
    "fairtabddpm": {"guidance": 1.5},
}
SMALL = {
    "guided_tabddpm": {"width": 16, "depth": 1, **LOOP, **GUIDED["guided_tabddpm"], "gate_weight": 50.0},
    "fairtabddpm": {"side": 4, "channels": 8, "width": 16, "gate_weight": 50.0, **LOOP, **GUIDED["fairtabddpm"]},
}
SAMPLING = {
    **{"steps": 4, "eta": 0.0, "gate_weight": 0.3, "gate_threshold": 1e-3},
    **{"warm_up": 0.7, "momentum": 0.9},
}
OF_THE_LOOP = {"max_steps": 10, "batch_size": 16, "learning_rate": 1e-4, "weight_decay": 5.0, "ema_decay": 0.1}
CHANGES = {
    "guided_tabddpm": {
        **{"width": 20, "depth": 2, "octaves": 1, "dropout": 0.9, "target_guidance": 0.0, "sensitive_guidance": -1.0},
        **{"gate": "coded", **SAMPLING, **OF_THE_LOOP, "evaluate_every": 4},
    },
    "fairtabddpm": {
        **{"side": 2, "channels": 16, "width": 20, "dropout": 0.2, "guidance": 0.0},
        **{"gate": "printed", **SAMPLING, **OF_THE_LOOP, "evaluate_every": 4},
    },
}
OF_BOTH = {"width": 3, "dropout": 1.5, "steps": 0, "eta": 2.0, "gate": "shut", "gate_weight": -1.0, "warm_up": -0.1}
REFUSED = {
    "guided_tabddpm": {"depth": 0, "octaves": -1, "patience": 1.0, **OF_BOTH},
    "fairtabddpm": {"side": 3, "channels": 12, "gate_threshold": -1.0, "momentum": -1.0, "momentum_decay": 1.0}
    | OF_BOTH,
}


def _fit(name: str, **changes) -> Generator:
    frame, schema = toys.mixed(120)
    return registry.build(name, {**SMALL[name], **changes}).fit(frame[:90], schema, rng=RNG, validation=frame[90:])


def _shown(generator: Generator, **options) -> object:
    losses = [(h["step"], h["loss"], h["validation_loss"]) for h in generator.history]
    return losses, generator.sample(25, rng=RNG, **options).to_csv()


def _pairs(table: dict[str, dict[str, object]]) -> list[object]:
    return [
        pytest.param(name, {key: value}, id=f"{name}-{key}") for name in NAMES for key, value in table[name].items()
    ]


@pytest.fixture(scope="module")
def usual():
    return {name: _fit(name) for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_every_hyperparameter_is_among_the_changes(name) -> None:
    others = {"patience", "momentum_decay"}  # tested by themselves
    assert set(CHANGES[name]) | others == set(registry.build(name, {}).hyperparameters())


@pytest.mark.parametrize(("name", "change"), _pairs(CHANGES))
def test_every_hyperparameter_changes_history_or_rows(usual, name, change) -> None:
    assert _shown(_fit(name, **change)) != _shown(usual[name])


@pytest.mark.parametrize("name", NAMES)
def test_the_decay_of_the_momentum_changes_rows(usual, name) -> None:
    one, other = (usual[name].sample(25, rng=RNG, momentum=0.9, momentum_decay=beta) for beta in (0.1, 0.8))
    assert not one.equals(other)


@pytest.mark.parametrize("name", NAMES)
def test_patience_ends_a_fit(name) -> None:
    """Weights that do not move have their lowest loss at step 5: the next look is the first after 1.6 times that."""
    assert _fit(name, learning_rate=1e-30).history[-1]["step"] == 10
    assert _fit(name, learning_rate=1e-30, patience=2.5).history[-1]["step"] == 15


@pytest.mark.parametrize(
    ("name", "option"),
    [
        pytest.param(name, {key: value}, id=f"{name}-{key}")
        for name in NAMES
        for key, value in CHANGES[name].items()
        if key in {**SAMPLING, "gate": 0, "guidance": 0, "target_guidance": 0, "sensitive_guidance": 0}
    ]
    + [pytest.param(name, {"order": 1}, id=f"{name}-order") for name in NAMES],
)
def test_every_sampling_option_changes_rows_as_its_hyperparameter_would(usual, name, option) -> None:
    assert set(option) <= set(usual[name].sampling_options)
    drawn = usual[name].sample(25, rng=RNG, **option)
    assert not drawn.equals(usual[name].sample(25, rng=RNG))


@pytest.mark.parametrize("name", NAMES)
def test_every_option_can_be_set_and_one_out_of_range_is_refused(usual, name) -> None:
    assert set(usual[name].sampling_options) - {"order", "rows_per_call"} <= set(usual[name].hyperparameters())
    for option, message in (
        ({"order": 3}, r"order=3 must be one of \[1, 2\]"),
        ({"rows_per_call": 0}, "rows_per_call=0"),
        ({"gate": "ajar"}, "gate=ajar must be one of"),
        ({"warm_up": 2.0}, "warm_up=2.0"),
        ({"gate_weight": float("inf")}, "gate_weight=inf"),
    ):
        with pytest.raises(ValueError, match=message):
            usual[name].sample(3, rng=RNG, **option)


@pytest.mark.parametrize(("name", "change"), _pairs(REFUSED))
def test_hyperparameters_out_of_range_are_refused(name, change) -> None:
    ((key, value),) = change.items()
    with pytest.raises(ValueError, match=f"{key.removeprefix('momentum_')}={value} "):
        registry.build(name, change)


@pytest.mark.parametrize("name", NAMES)
def test_a_table_of_attributes_alone_is_refused(name) -> None:
    frame, schema = toys.categorical(60)
    narrow = Schema(schema.columns[-1:], schema.positive)
    with pytest.raises(FitError, match="no column beside"):
        registry.build(name, SMALL[name]).fit(frame[["outcome"]], narrow, rng=RNG)


@pytest.mark.parametrize("name", NAMES)
def test_rows_do_not_depend_on_how_many_the_network_sees(usual, name) -> None:
    one, other = (usual[name].sample(40, rng=RNG, rows_per_call=k) for k in (40, 7))
    assert (one["stage"] == other["stage"]).mean() > 0.9  # products of other shapes round differently
    assert (one["age"] - other["age"]).abs().median() <= 1


@pytest.mark.parametrize("name", NAMES)
def test_target_and_groups_come_back_as_asked_in_any_order_and_number(usual, name) -> None:
    frame, _ = toys.mixed(120)
    for columns in (["sex", "died"], ["sex"], ["died"]):
        asked = frame[columns].iloc[:40].reset_index(drop=True)
        assert_frame_equal(usual[name].sample(40, rng=RNG, conditions=asked)[columns], asked)


@pytest.mark.parametrize("name", NAMES)
def test_a_numeric_group_can_be_asked_for(name) -> None:
    frame, schema = toys.mixed(120)
    generator = registry.build(name, SMALL[name]).fit(frame, schema.with_roles(age="sensitive"), rng=RNG)
    asked = frame[["age", "died"]].iloc[:40].reset_index(drop=True)
    assert_frame_equal(generator.sample(40, rng=RNG, conditions=asked)[["age", "died"]], asked)


def _known(n: int = 900) -> tuple[pd.DataFrame, Schema]:
    """A number that rises with group and label, a level that follows the group."""
    draw = Rng(5).numpy()
    sex = draw.integers(0, 2, n)
    ill = (draw.random(n) < np.where(sex == 1, 0.6, 0.2)).astype(int)
    height = np.round(160 + 12 * sex + 6 * ill + 3 * draw.standard_normal(n), 1)
    kind = np.where(draw.random(n) < 0.9, sex, 1 - sex)
    frame = pd.DataFrame({"height": height})
    for name, codes, levels in (("kind", kind, ("a", "b")), ("sex", sex, ("f", "m")), ("ill", ill, ("no", "yes"))):
        frame[name] = np.array(levels)[codes]
    schema = Schema(
        (
            Column("height", "numeric", low=height.min(), high=height.max(), decimals=1),
            Column("kind", "categorical", levels=("a", "b")),
            Column("sex", "categorical", role="sensitive", levels=("f", "m")),
            Column("ill", "categorical", role="target", levels=("no", "yes")),
        ),
        positive="yes",
    )
    return schema.cast(frame), schema


ENOUGH = {
    "guided_tabddpm": {"width": 32, "depth": 2, "max_steps": 500, "batch_size": 128, "dropout": 0.3},
    "fairtabddpm": {"side": 4, "channels": 8, "width": 16, "max_steps": 300, "batch_size": 128, "learning_rate": 5e-3},
}


@pytest.fixture(scope="module")
def learned():
    frame, schema = _known()
    return {name: registry.build(name, ENOUGH[name]).fit(frame, schema, rng=RNG) for name in NAMES}


OPEN = {"gate": "printed", "gate_weight": 0.0, "gate_threshold": float("inf")}


def _balanced(n: int = 800) -> pd.DataFrame:
    sex, ill = np.tile(["f", "m"], n // 2), np.repeat(["no", "yes"], n // 2)
    return pd.DataFrame(
        {"sex": pd.Categorical(sex, categories=["f", "m"]), "ill": pd.Categorical(ill, categories=["no", "yes"])}
    )


def _by_sex(drawn: pd.DataFrame) -> float:
    means = drawn.groupby("sex", observed=True)["height"].mean()
    return float(means["m"] - means["f"])


@pytest.mark.parametrize("name", NAMES)
def test_rows_follow_label_and_group_in_a_balanced_draw(learned, name) -> None:
    """With the gate open: as coded, it takes back about half of what the group says."""
    drawn = learned[name].sample(800, rng=RNG, conditions=_balanced(), steps=12, **OPEN)
    assert_frame_equal(drawn[["sex", "ill"]], _balanced())
    assert 6 < _by_sex(drawn) < 18  # 12
    means = drawn.groupby("ill", observed=True)["height"].mean()
    assert 2 < means["yes"] - means["no"] < 12  # 6


def test_the_joint_estimate_draws_the_law_of_each_cell(learned) -> None:
    drawn = learned["guided_tabddpm"].sample(2_000, rng=RNG, conditions=_balanced(2_000), steps=12)
    for (sex, ill), rows in drawn.groupby(["sex", "ill"], observed=True):
        mean = 160 + 12 * (sex == "m") + 6 * (ill == "yes")
        assert abs(rows["height"].mean() - mean) < 1.5
        assert abs((rows["kind"] == ("b" if sex == "m" else "a")).mean() - 0.9) < 0.08


def test_sensitive_guidance_is_a_dial_of_how_clear_a_group_is(learned) -> None:
    def clear(w: float) -> float:
        drawn = learned["guided_tabddpm"].sample(800, rng=RNG, conditions=_balanced(), steps=12, sensitive_guidance=w)
        return float(((drawn["kind"] == "b") == (drawn["sex"] == "m")).mean())

    assert clear(-0.9) < clear(0.0) < clear(2.0)


def test_guidance_makes_the_network_say_the_group_that_was_asked_for(learned) -> None:
    fair = learned["fairtabddpm"]
    shares = [
        fair.agreement(_balanced(), rng=RNG, options={"guidance": w, "steps": 12})["sex"] for w in (0.0, 1.0, 2.0)
    ]
    assert abs(shares[0] - 0.5) < 0.08  # without guidance: half of a balanced ask
    assert shares[0] + 0.1 < shares[1] <= shares[2]
    assert set(fair.agreement(_balanced()[["ill"]], rng=RNG, options={"steps": 3})) == set()
