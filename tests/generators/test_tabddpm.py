"""TabDDPM: what it learns, and what its options do."""

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

import toys
from synthcohort.generators.tabddpm import TabDDPM
from synthcohort.rng import Rng
from synthcohort.schema import Column, Schema

RNG = Rng(3)
SMALL = {"width": 32, "depth": 1, "max_steps": 20, "batch_size": 32, "evaluate_every": 5}


def _pieces(n: int = 600) -> tuple[pd.DataFrame, Schema]:
    """A numeric column with an atom (30 % imputed at 100), an integer, and a level that follows the label."""
    draw = Rng(5).numpy()
    died = draw.integers(0, 2, n)
    insulin = np.round(80 + 25 * draw.standard_normal(n) + 30 * died, 1)
    insulin[draw.random(n) < 0.3] = 100.0
    visits = draw.poisson(4, n).astype(float)
    ward = np.where(draw.random(n) < 0.85, died, 1 - died)
    frame = pd.DataFrame({"insulin": insulin, "visits": visits})
    frame["ward"] = np.array(["a", "b"])[ward]
    frame["died"] = np.array(["no", "yes"])[died]
    schema = Schema(
        (
            Column("insulin", "numeric", low=insulin.min(), high=insulin.max(), decimals=1),
            Column("visits", "numeric", low=visits.min(), high=visits.max(), decimals=0),
            Column("ward", "categorical", levels=("a", "b")),
            Column("died", "categorical", role="target", levels=("no", "yes")),
        ),
        positive="yes",
    )
    return schema.cast(frame), schema


@pytest.fixture(scope="module")
def learned():
    train, schema = _pieces()
    generator = TabDDPM(width=64, depth=2, max_steps=500, batch_size=128, learning_rate=2e-3, evaluate_every=500)
    return generator.fit(train, schema, rng=RNG), train


def test_labels_come_with_their_own_rows(learned) -> None:
    generator, train = learned
    asked = pd.DataFrame({"died": train["died"].iloc[:400].reset_index(drop=True)})
    drawn = generator.sample(400, rng=RNG, conditions=asked)
    assert_frame_equal(drawn[["died"]], asked)
    means = drawn.groupby("died", observed=True)["insulin"].mean()
    assert means["yes"] - means["no"] > 10
    assert ((drawn["ward"] == "b") == (drawn["died"] == "yes")).mean() > 0.7


def test_atoms_and_integers_survive(learned) -> None:
    generator, train = learned
    drawn = generator.sample(3_000, rng=RNG.branch("atoms"))
    assert abs((drawn["insulin"] == 100).mean() - (train["insulin"] == 100).mean()) < 0.1
    assert (drawn["visits"] == drawn["visits"].round()).all()


def test_cells_do_not_pile_up_at_the_extremes(learned) -> None:
    generator, train = learned
    drawn = generator.sample(10_000, rng=RNG.branch("edges"))
    for edge in (train["insulin"].min(), train["insulin"].max()):
        assert (drawn["insulin"] == edge).mean() <= (train["insulin"] == edge).mean() + 0.005


def test_unasked_labels_follow_the_training_frequencies(learned) -> None:
    generator, train = learned
    share = (train["died"] == "yes").mean()
    assert abs((generator.sample(3_000, rng=RNG)["died"] == "yes").mean() - share) < 0.05


def test_rows_do_not_depend_on_how_many_the_network_sees(learned) -> None:
    generator, _ = learned
    one = generator.sample(60, rng=RNG, rows_per_call=60)
    other = generator.sample(60, rng=RNG, rows_per_call=7)
    same = (one["ward"] == other["ward"]).mean()
    assert same > 0.95  # products of other shapes round differently; a draw on the border may flip
    assert (one["insulin"] - other["insulin"]).abs().median() < 1.0


@pytest.mark.parametrize("options", [{"steps": 7}, {"eta": 0.2}, {"order": 1}], ids=["steps", "eta", "order"])
def test_every_sampling_option_changes_the_rows(learned, options) -> None:
    generator, _ = learned
    assert not generator.sample(50, rng=RNG).equals(generator.sample(50, rng=RNG, **options))


def _fit(**changes):
    frame, schema = toys.mixed(120)
    generator = TabDDPM(**{**SMALL, **changes})
    return generator.fit(frame[:90], schema, rng=RNG, validation=frame[90:])


def test_a_label_that_no_row_had_is_refused_by_name() -> None:
    frame, schema = toys.categorical(80)
    alive = frame[frame["outcome"] != "death"].reset_index(drop=True)
    generator = TabDDPM(**SMALL).fit(alive, schema, rng=RNG)
    asked = pd.DataFrame({"outcome": pd.Categorical(["death"], categories=frame["outcome"].cat.categories)})
    with pytest.raises(ValueError, match="'death' of 'outcome'"):
        generator.sample(1, rng=RNG, conditions=asked)
