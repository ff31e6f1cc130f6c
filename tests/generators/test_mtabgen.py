"""MTabGen: one fitted network for all asks, the conditional laws it learns, and rows with holes."""

import numpy as np
import pandas as pd
import pytest
import torch
from pandas.testing import assert_frame_equal

import toys
from synthcohort.generators import load as registry
from synthcohort.generators.base import AbilityError, FitError
from synthcohort.generators.mtabgen import MTabGen
from synthcohort.generators.parts.masked_rows import MaskedEncoder
from synthcohort.rng import Rng
from synthcohort.schema import Column, Schema, SchemaError

RNG = Rng(3)
SMALL = {"width": 16, "depth": 1, "heads": 2, "max_steps": 20, "batch_size": 32, "evaluate_every": 5}
QUICK = {"width": 32, "depth": 1, "heads": 2, "max_steps": 1_200, "batch_size": 256, "learning_rate": 5e-3}
FAMILY = ["mtabgen", "mtabgen_mlp", "mtabgen_addition", "mtabgen_concatenation", "mtabgen_fixed_share"]


def _law(n: int, seed: int) -> tuple[pd.DataFrame, Schema]:
    """x ~ N(0, 1), y | x ~ N(0.8 x, 0.6^2), P(high | x) = 0.9 where x > 0 else 0.2."""
    draw = Rng(seed, ("law",)).numpy()
    x = draw.standard_normal(n)
    y = 0.8 * x + 0.6 * draw.standard_normal(n)
    high = draw.random(n) < np.where(x > 0, 0.9, 0.2)
    frame = pd.DataFrame({"x": x, "y": y, "dose": np.where(high, "high", "low")})
    columns = Column("x", "numeric"), Column("y", "numeric"), Column("dose", "categorical", "target", ("low", "high"))
    schema = Schema(columns, positive="high")
    return schema.cast(frame), schema


@pytest.fixture(scope="module")
def learned():
    train, schema = _law(2_000, 1)
    return MTabGen(**QUICK).fit(train, schema, rng=RNG), train


def _asked(n: int, schema: Schema, **cells) -> pd.DataFrame:
    return schema.cast(pd.DataFrame({**dict.fromkeys(schema.names, np.nan), **cells}, index=range(n)))


@pytest.mark.parametrize("x", [-1.0, 0.5, 1.5])
def test_conditional_laws_come_back(learned, x: float) -> None:
    generator, _ = learned
    drawn = generator.impute(_asked(2_000, generator.schema, x=x), rng=RNG)[0]
    assert abs(drawn["y"].mean() - 0.8 * x) < 0.12
    assert abs(drawn["y"].std() - 0.6) < 0.1
    assert abs((drawn["dose"] == "high").mean() - (0.9 if x > 0 else 0.2)) < 0.08


def test_the_inverse_conditional_comes_back(learned) -> None:
    """x given y ~ N(0.8 y, 0.6^2): the same network, asked the other way round."""
    generator, _ = learned
    drawn = generator.impute(_asked(2_000, generator.schema, y=1.0), rng=RNG)[0]
    assert abs(drawn["x"].mean() - 0.8) < 0.12
    assert abs(drawn["x"].std() - 0.6) < 0.1


def test_the_joint_law_comes_back(learned) -> None:
    generator, _ = learned
    drawn = generator.sample(2_500, rng=RNG)
    assert abs(drawn["x"].corr(drawn["y"]) - 0.8) < 0.05
    assert abs((drawn["dose"] == "high").mean() - 0.55) < 0.05
    assert abs(drawn["x"].std() - 1) < 0.07


def test_all_asks_are_one_primitive(learned) -> None:
    """Drawing is completing empty rows, drawing with conditions completing rows that hold them: the same rows."""
    generator, train = learned
    empty = _asked(40, generator.schema)
    first = RNG.branch("draw", 0)
    assert_frame_equal(generator.impute(empty, rng=RNG)[0], generator.sample(40, rng=first))
    for names in (["dose"], ["x", "dose"]):
        given = train[names].iloc[:40].reset_index(drop=True)
        holed = train.iloc[:40].reset_index(drop=True)
        holed = generator.schema.cast(holed.assign(**{n: np.nan for n in holed.columns if n not in names}))
        assert_frame_equal(
            generator.impute(holed, rng=RNG)[0], generator.sample(40, rng=first, conditions=given), check_exact=True
        )


def test_observed_cells_come_back_bit_for_bit(learned) -> None:
    generator, train = learned
    rows = train.iloc[5:65].sample(frac=1.0, random_state=1)  # an index that is no range
    holes = Rng(2).numpy().random(rows.shape) < 0.4
    holed = generator.schema.cast(rows.mask(holes))
    before = holed.copy(deep=True)
    draws = generator.impute(holed, rng=RNG, draws=3)
    assert len(draws) == 3
    assert not draws[0].equals(draws[1])
    assert_frame_equal(holed, before)
    for drawn in draws:
        assert_frame_equal(drawn.mask(holes), rows.mask(holes), check_exact=True)
        assert not drawn.isna().any().any()


def test_rows_without_holes_come_back_as_they_are(learned) -> None:
    generator, train = learned
    assert_frame_equal(generator.impute(train.iloc[:3], rng=RNG)[0], train.iloc[:3], check_exact=True)
    assert generator.impute(train.iloc[:0], rng=RNG)[0].empty


def test_few_steps_suffice(learned) -> None:
    """25 second-order steps draw the conditional law that 150 ancestral ones draw."""
    generator, _ = learned
    asked = _asked(1_500, generator.schema, x=1.0)
    few, many = (generator.impute(asked, rng=RNG, **o)[0] for o in ({"steps": 25}, {"steps": 150, "order": 1}))
    assert abs(few["y"].mean() - many["y"].mean()) < 0.06
    assert abs(few["y"].std() - many["y"].std()) < 0.04
    assert abs((few["dose"] == "high").mean() - (many["dose"] == "high").mean()) < 0.04


@pytest.mark.parametrize("options", [{"steps": 7}, {"eta": 0.2}, {"order": 1}], ids=["steps", "eta", "order"])
def test_every_sampling_option_changes_the_rows(learned, options) -> None:
    generator, _ = learned
    assert not generator.sample(50, rng=RNG).equals(generator.sample(50, rng=RNG, **options))
    asked = _asked(20, generator.schema, x=0.0)
    assert not generator.impute(asked, rng=RNG)[0].equals(generator.impute(asked, rng=RNG, **options)[0])


def test_what_cannot_be_asked_is_refused(learned) -> None:
    generator, train = learned
    with pytest.raises(TypeError, match="no sampling option 'stepps'"):
        generator.impute(train[:3], rng=RNG, stepps=3)
    with pytest.raises(ValueError, match="draws=0"):
        generator.impute(train[:3], rng=RNG, draws=0)
    with pytest.raises(ValueError, match="order=3"):
        generator.sample(3, rng=RNG, order=3)
    with pytest.raises(SchemaError, match=r"row 2, column 'y'.*infinite"):
        generator.impute(train[:4].assign(y=[0.0, np.nan, np.inf, 1.0]), rng=RNG)
    with pytest.raises(SchemaError, match="'dose'"):
        generator.impute(train[:2].assign(dose=["low", "huge"]), rng=RNG)


def _holed(frame: pd.DataFrame, schema: Schema, share: float, seed: int = 5) -> pd.DataFrame:
    holes = Rng(seed).numpy().random(frame.shape) < share
    holes[holes.all(1)] = False
    return schema.cast(frame.mask(holes))


@pytest.mark.parametrize("name", FAMILY)
@pytest.mark.parametrize("table", list(toys.ALL))
def test_incomplete_rows_can_be_learned(name: str, table: str) -> None:
    frame, schema = toys.ALL[table](120)
    holed = _holed(frame, schema, 0.3)
    small = {k: v for k, v in SMALL.items() if name != "mtabgen_mlp" or k != "heads"}
    generator = registry.build(name, small).fit(holed[:90], schema, rng=RNG, validation=holed[90:])
    assert all(np.isfinite(record["validation_loss"]) for record in generator.history)
    schema.check(generator.sample(20, rng=RNG))
    drawn = generator.impute(holed, rng=RNG)[0]
    assert_frame_equal(drawn.where(holed.notna()), holed.where(holed.notna()), check_exact=True)


def test_a_law_is_learned_through_holes() -> None:
    train, schema = _law(3_000, 4)
    generator = MTabGen(**QUICK).fit(_holed(train, schema, 0.4), schema, rng=RNG)
    drawn = generator.impute(_asked(1_500, schema, x=1.0), rng=RNG)[0]
    assert abs(drawn["y"].mean() - 0.8) < 0.15
    assert abs(drawn["y"].std() - 0.6) < 0.12


def test_missing_cells_are_never_given_and_never_learned() -> None:
    """What stands in a hole cannot reach the loss: other numbers there leave every fit as it is."""
    frame, schema = toys.mixed(90)
    holed = _holed(frame, schema, 0.3)
    table = MaskedEncoder.fit(holed, schema)
    rows = table.split(holed, "cpu")
    assert torch.equal(rows.known, torch.tensor(table.order(holed.notna().to_numpy())))
    generator = MTabGen(**SMALL).fit(holed, schema, rng=RNG)
    holes = ~rows.known[:, : table.numeric]
    ranks = rows.ranks.masked_fill(holes[:, :, None], 0.9)
    values, codes = rows.values.masked_fill(holes, 7.0), rows.codes.masked_fill(~rows.known[:, table.numeric :], 1)
    losses = [generator._loss(batch, Rng(1).torch()) for batch in (rows.parts(), (ranks, values, codes, rows.known))]
    assert torch.equal(*losses)


def test_holes_do_not_move_what_is_learned_of_the_other_cells() -> None:
    """The scores of a column are those of its cells that are there."""
    frame, schema = toys.numeric(300)
    holed = frame.copy()
    holed.loc[frame.index[::3], "a"] = np.nan
    there = holed["a"].dropna().to_numpy()
    learned = MaskedEncoder.fit(holed, schema).encoder.quantiles[:, 0]
    assert np.array_equal(learned, np.quantile(there, np.linspace(0, 1, 300)))


def test_rows_and_columns_without_a_cell_are_refused_by_name() -> None:
    frame, schema = toys.mixed(60)
    with pytest.raises(FitError, match="column 'marker' is missing in every training row"):
        MTabGen(**SMALL).fit(frame.assign(marker=np.nan), schema, rng=RNG)
    empty = frame.copy()
    empty.loc[7] = np.nan
    with pytest.raises(FitError, match="every cell of training row 7 is missing"):
        MTabGen(**SMALL).fit(schema.cast(empty), schema, rng=RNG)
    with pytest.raises(SchemaError, match="'age' has infinite"):
        MTabGen(**SMALL).fit(frame.assign(age=np.inf), schema, rng=RNG)


def test_a_level_that_no_training_row_had_tells_nothing_and_stays() -> None:
    frame, schema = toys.categorical(150)
    train = frame[frame["ward"] != "école"].reset_index(drop=True)
    generator = MTabGen(**SMALL).fit(train, schema, rng=RNG)
    rows = schema.cast(pd.DataFrame({"ward": ["école", None], "drug": [None, None], "outcome": ["home", "home"]}))
    known = generator.table.split(rows, "cpu").known
    assert known.tolist() == [[False, False, True], [False, False, True]]
    assert generator.impute(rows, rng=RNG)[0]["ward"][0] == "école"


def test_a_numeric_target_is_a_column_like_any_other() -> None:
    frame, schema = toys.numeric(80)
    generator = MTabGen(**SMALL).fit(frame, schema, rng=RNG)
    asked = frame[["y"]].iloc[:5].reset_index(drop=True)
    assert_frame_equal(generator.sample(5, rng=RNG, conditions=asked)[["y"]], asked)


@pytest.mark.parametrize("table", list(toys.ALL))
def test_the_fixed_mask_draws_targets_as_the_training_rows_have_them(table: str) -> None:
    frame, schema = toys.ALL[table](200)
    generator = registry.build("mtabgen_fixed_mask", SMALL).fit(frame, schema, rng=RNG)
    drawn, target = generator.sample(2_000, rng=RNG, steps=3), schema.target.name
    if schema.target.numeric:
        assert abs(drawn[target].mean() - frame[target].mean()) < 0.1 * frame[target].std()
        assert abs(drawn[target].std() / frame[target].std() - 1) < 0.1
    else:
        gap = drawn[target].value_counts(normalize=True) - frame[target].value_counts(normalize=True)
        assert gap.abs().max() < 0.04
    with pytest.raises(AbilityError, match="mtabgen_fixed_mask cannot fill missing cells"):
        generator.impute(frame[:2], rng=RNG)


def _fit(name: str, **changes):
    frame, schema = toys.mixed(120)
    small = {k: v for k, v in SMALL.items() if name != "mtabgen_mlp" or k != "heads"}
    return registry.build(name, {**small, **changes}).fit(frame[:90], schema, rng=RNG, validation=frame[90:])


CHANGES = [
    {"width": 18},
    {"depth": 2},
    {"heads": 4},
    {"max_steps": 10},
    {"batch_size": 16},
    {"learning_rate": 1e-4},
    {"weight_decay": 5.0},
    {"ema_decay": 0.1},
    {"evaluate_every": 4},
    {"patience": 3.5, "learning_rate": 1e-30},
    {"steps": 5},
    {"eta": 0.0},
]


def _shown(generator) -> tuple:
    losses = [(h["step"], h["loss"], h["validation_loss"]) for h in generator.history]
    return losses, generator.sample(30, rng=RNG).to_csv()


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: next(iter(change)))
def test_every_hyperparameter_changes_history_or_rows(change) -> None:
    usual = {"learning_rate": change["learning_rate"]} if "patience" in change else {}
    assert _shown(_fit("mtabgen", **usual)) != _shown(_fit("mtabgen", **change))


def test_every_member_of_the_family_is_another_generator() -> None:
    shown = [_shown(_fit(name)) for name in [*FAMILY, "mtabgen_fixed_mask"]]
    assert all(one != other for k, one in enumerate(shown) for other in shown[k + 1 :])
    assert _shown(_fit("mtabgen_fixed_share")) != _shown(_fit("mtabgen_fixed_share", share=0.6))


@pytest.mark.parametrize(
    ("name", "change", "named"),
    [
        ("mtabgen", {"width": 15}, "width=15"),
        ("mtabgen", {"width": 16, "heads": 3}, "heads=3"),
        ("mtabgen", {"depth": 0}, "depth=0"),
        ("mtabgen", {"eta": 2.0}, r"eta=2\.0"),
        ("mtabgen", {"steps": 0}, "steps=0"),
        ("mtabgen_mlp", {"width": 3}, "width=3"),
        ("mtabgen_fixed_share", {"share": 0.0}, r"share=0\.0"),
    ],
)
def test_hyperparameters_out_of_range_are_refused_by_name(name, change, named) -> None:
    with pytest.raises(ValueError, match=f"{name}: .*{named}"):
        registry.build(name, change)
