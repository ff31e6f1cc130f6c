"""ForestDiffusion: its fields against closed forms, its path against a known law, codes, labels, settings."""

import numpy as np
import pandas as pd
import pytest
import xgboost

import toys
from synthcohort.generators.base import AbilityError, FitError
from synthcohort.generators.forest_diffusion import ForestDiffusion, bins_of, normal_field
from synthcohort.rng import Rng
from synthcohort.schema import Column, Schema

RNG = Rng(4)
SMALL = {"levels": 4, "copies": 4, "trees": 6, "depth": 3}


def _fit(**changes) -> ForestDiffusion:
    frame, schema = toys.mixed(120)
    return ForestDiffusion(**{**SMALL, **changes}).fit(frame[:90], schema, rng=RNG, validation=frame[90:])


def test_the_starting_field_is_the_regression_of_normal_columns() -> None:
    """Least squares of x_1 - x_0 on x_t over many normal draws has the formula's slope and intercept."""
    draw = RNG.numpy()
    mean, variance, t = 0.7, 2.5, 0.6
    x_1 = mean + np.sqrt(variance) * draw.standard_normal(400_000)
    x_0 = draw.standard_normal(400_000)
    slope, intercept = np.polyfit(t * x_1 + (1 - t) * x_0, x_1 - x_0, 1)
    at = normal_field(np.array([[0.0], [1.0]]), t, np.array([mean]), np.array([variance]))
    assert at[0, 0] == pytest.approx(intercept, abs=0.01)
    assert at[1, 0] - at[0, 0] == pytest.approx(slope, abs=0.01)


def test_the_field_at_zero_and_of_a_constant_are_exact() -> None:
    x = np.array([[0.4], [-2.0]])
    assert np.allclose(normal_field(x, 0.0, np.array([3.0]), np.array([5.0])), 3 - x)
    t = 0.8
    straight_to_it = (3 - x) / (1 - t)
    assert np.allclose(normal_field(x, t, np.array([3.0]), np.array([0.0])), straight_to_it)


def _without_forests(levels: int, deviation: float) -> ForestDiffusion:
    """Return a generator whose field is the starting one: mean 1, the given standard deviation."""
    generator = ForestDiffusion(levels=levels)
    generator.mean, generator.variance = np.array([[1.0]]), np.array([[deviation**2]])
    generator._field = lambda label, i, x: normal_field(x, i / levels, generator.mean[0], generator.variance[0])
    return generator


def test_the_path_ends_in_the_normal_law_and_its_error_falls() -> None:
    """The exact flow of a normal column takes x to mean + s x."""
    x = np.linspace(-3, 3, 13)[:, None]
    errors = [np.abs(_without_forests(levels, 2.0)._move(0, x) - (1 + 2 * x)).max() for levels in (10, 20, 40)]
    assert errors[2] < 0.02
    assert errors[0] / errors[1] > 2.5 and errors[1] / errors[2] > 2.5


def test_a_forest_learns_the_field_of_a_fair_coin() -> None:
    """x_1 = -1 or 1: E[x_1 | x_t = x] = tanh(t x / (1 - t)^2), and v = (E[x_1 | x_t] - x) / (1 - t)."""
    n, t = 400, 0.5
    coin = pd.DataFrame({"coin": ["h", "t"] * (n // 2), "y": np.arange(n) % 7 / 1.0})
    schema = Schema((Column("coin", "categorical", levels=("h", "t")), Column("y", "numeric", "target", decimals=0)))
    generator = ForestDiffusion(levels=2, copies=60, trees=40, depth=4).fit(schema.cast(coin), schema, rng=RNG)
    x = np.column_stack([np.zeros(41), np.linspace(-1.2, 1.2, 41)]).astype(np.float32)
    want = (np.tanh(t * x[:, 1] / (1 - t) ** 2) - x[:, 1]) / (1 - t)
    got = generator._field(0, 1, x)[:, 1]
    assert np.sqrt(np.mean((got - want) ** 2)) < 0.25 * want.std()


def test_rows_follow_their_label_and_keep_their_dependence() -> None:
    frame, schema = toys.mixed(400)
    generator = ForestDiffusion(levels=8, copies=10, trees=20, depth=4).fit(frame, schema, rng=RNG)
    asked = pd.DataFrame({"died": frame["died"]})
    drawn = generator.sample(len(frame), rng=RNG, conditions=asked)
    real, synthetic = (f.groupby("died", observed=True)["age"].mean() for f in (frame, drawn))
    assert (real["yes"] - real["no"]) * (synthetic["yes"] - synthetic["no"]) > 0
    assert 0.8 < drawn["age"].std() / frame["age"].std() < 1.2
    by_stage = drawn.groupby("stage", observed=True)["age"].mean()
    assert by_stage["III"] > by_stage["I"] + 5


def test_validation_rows_end_a_forest_and_nothing_else_does() -> None:
    frame, schema = toys.mixed(120)
    alone = ForestDiffusion(**{**SMALL, "trees": 80}).fit(frame[:90], schema, rng=RNG)
    assert {forest.num_boosted_rounds() for forest in alone.forests.values()} == {80}
    judged = _fit(trees=80, patience=2)
    assert judged.forests[0, 1].num_boosted_rounds() < 80
    assert judged.cost.parameters < alone.cost.parameters


@pytest.mark.parametrize(("numbers", "bins"), [(1, 64), (25, 64), (40, 25), (70, 8), (1000, 8)])
def test_a_wide_table_gets_fewer_bins(numbers, bins) -> None:
    assert bins_of(64, numbers) == bins
    assert bins_of(4, numbers) == 4


def test_wide_rows_are_fitted_with_fewer_bins_and_coded_in_fewer_numbers(monkeypatch) -> None:
    """60 + 3 levels: 64 numbers in one a level, of which 6 binary digits take the place of 60."""
    seen, matrix = [], xgboost.QuantileDMatrix
    monkeypatch.setattr(
        xgboost, "QuantileDMatrix", lambda x, **kw: (seen.append((x.shape[1], kw["max_bin"])), matrix(x, **kw))[1]
    )
    n, draw = 120, RNG.numpy()
    names = [f"l{k}" for k in range(60)]
    frame = pd.DataFrame({"many": draw.choice(names, n), "few": draw.choice(["a", "b", "c"], n), "y": np.arange(n) % 7})
    target = Column("y", "numeric", "target", decimals=0)
    few = Column("few", "categorical", levels=("a", "b", "c"))
    schema = Schema((Column("many", "categorical", levels=tuple(names)), few, target))
    frame = schema.cast(frame.astype({"y": float}))
    for most, numbers, bins in ((64, 64, 9), (40, 10, 32)):
        seen.clear()
        generator = ForestDiffusion(levels=2, copies=1, trees=1, depth=1, most_numbers=most).fit(frame, schema, rng=RNG)
        assert seen == [(numbers, bins)]
        schema.check(generator.sample(5, rng=RNG))


def test_the_work_of_a_level_is_bounded(monkeypatch) -> None:
    """With 6 numbers a row, 0.09 million leave 0.09e6 / 36 = 2500 rows a level of the 16 000 that 4 copies make."""
    counts, whole = [], ForestDiffusion._regression
    monkeypatch.setattr(
        ForestDiffusion, "_regression", lambda self, *args: (counts.append(args[3]), whole(self, *args))[1]
    )
    frame, schema = toys.mixed(4000)
    ForestDiffusion(**{**SMALL, "levels": 2, "trees": 1, "work": 0.09}).fit(frame, schema, rng=RNG)
    assert sum(counts) == pytest.approx(2500, abs=2)


@pytest.mark.parametrize(
    "change",
    [
        {"levels": 5},
        {"copies": 3},
        {"trees": 3},
        {"depth": 2},
        {"learning_rate": 0.1},
        {"bins": 8},
        {"patience": 1, "trees": 40},
        {"work": 1e-6, "copies": 50},
        {"most_numbers": 4},
    ],
    ids=lambda change: next(iter(change)),
)
def test_every_hyperparameter_changes_history(change) -> None:
    usual = {key: value for key, value in change.items() if key != next(iter(change))}

    def shown(**settings):
        frame, schema = toys.mixed(400)
        generator = ForestDiffusion(**{**SMALL, **settings})
        generator.fit(frame[:300], schema, rng=RNG, validation=frame[300:])
        return [(h["step"], h["loss"], h["validation_loss"]) for h in generator.history]

    assert shown(**usual) != shown(**change)


def test_a_forest_of_a_class_without_validation_rows_is_fitted() -> None:
    frame, schema = toys.mixed(200)
    only = frame[frame["died"] == "yes"]
    generator = ForestDiffusion(**SMALL).fit(frame, schema, rng=RNG, validation=only)
    assert {h["validation_loss"] != h["validation_loss"] for h in generator.history} == {True, False}
    schema.check(generator.sample(20, rng=RNG))


def test_a_numeric_target_cannot_be_asked_for() -> None:
    frame, schema = toys.numeric(80)
    generator = ForestDiffusion(**SMALL).fit(frame, schema, rng=RNG)
    schema.check(generator.sample(5, rng=RNG))
    with pytest.raises(AbilityError, match=r"'y'.*numeric"):
        generator.sample(2, rng=RNG, conditions=frame[["y"]].iloc[:2].reset_index(drop=True))


def test_a_table_of_the_target_alone_is_refused() -> None:
    frame, schema = toys.mixed(40)
    with pytest.raises(FitError, match="no column besides its target"):
        ForestDiffusion().fit(frame[["died"]], Schema((schema["died"],), schema.positive), rng=RNG)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"levels": 1}, "levels=1"),
        ({"copies": 0}, "copies=0"),
        ({"trees": 0}, "trees=0"),
        ({"patience": 0}, "patience=0"),
        ({"depth": 13}, "depth=13"),
        ({"learning_rate": 1.5}, r"learning_rate=1.5"),
        ({"bins": 1}, "bins=1"),
        ({"work": 0.0}, "work=0"),
        ({"most_numbers": 0}, "most_numbers=0"),
    ],
)
def test_hyperparameters_out_of_range_are_refused(change, named) -> None:
    with pytest.raises(ValueError, match=named):
        ForestDiffusion(**change)
