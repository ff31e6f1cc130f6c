"""Attributes that rows are asked for: what is shown, what is drawn where the caller leaves it open, what is refused."""

import numpy as np
import pandas as pd
import pytest

import toys
from synthcohort.generators.base import AbilityError
from synthcohort.generators.parts.given import GivenEncoder, GivenRows, attributes, tenths
from synthcohort.generators.parts.labelled import spread
from synthcohort.rng import Rng

RNG = Rng(6)
APART = frozenset({"died", "sex"})


def _encoder(n: int = 300, apart: frozenset[str] = APART) -> tuple[GivenEncoder, pd.DataFrame]:
    frame, schema = toys.mixed(n)
    return GivenEncoder.fit(frame, schema, apart=apart), frame


def _asked(encoder: GivenEncoder, n: int, conditions: pd.DataFrame | None) -> np.ndarray:
    return encoder.asked(n, conditions, RNG, "cpu").numpy()


@pytest.mark.parametrize("apart", [frozenset(), frozenset({"died"}), APART])
def test_rows_come_back_as_they_were(apart) -> None:
    encoder, frame = _encoder(apart=apart)
    rows = encoder.split(frame, "cpu")
    assert rows.codes.shape[1] == len(encoder.levels) == 3 - len(apart)
    assert encoder.given_levels == (2, 2)
    scores = spread(rows.numeric, RNG.torch())
    again = encoder.join(GivenRows(scores, rows.codes, rows.given))
    pd.testing.assert_frame_equal(again[["died", "sex", "stage"]], frame[["died", "sex", "stage"]])
    assert (again["age"] - frame["age"]).abs().max() == 0


def test_what_is_set_apart_is_what_was_given_and_the_rest_keeps_its_own() -> None:
    for apart, sex in ((APART, "m"), (frozenset({"died"}), "f")):
        encoder, frame = _encoder(apart=apart)
        women = frame[frame["sex"] == "f"].reset_index(drop=True)
        rows = encoder.split(women, "cpu")
        given = rows.given.clone()
        given[:, 1] = 1  # asked for men
        joined = encoder.join(GivenRows(spread(rows.numeric, RNG.torch()), rows.codes, given))
        assert set(joined["sex"]) == {sex}


def test_cells_follow_the_training_rows_where_nothing_is_asked() -> None:
    encoder, frame = _encoder()
    drawn = _asked(encoder, 20_000, None)
    for died in (0, 1):
        for sex in (0, 1):
            share = ((frame["died"].cat.codes == died) & (frame["sex"].cat.codes == sex)).mean()
            assert abs((drawn == [died, sex]).all(1).mean() - share) < 0.02


def test_what_is_open_follows_what_was_asked() -> None:
    encoder, frame = _encoder()
    asked = pd.DataFrame({"sex": pd.Categorical(["m"] * 20_000, categories=["f", "m"])})
    drawn = _asked(encoder, 20_000, asked)
    assert set(drawn[:, 1]) == {1}
    assert abs(drawn[:, 0].mean() - (frame.loc[frame["sex"] == "m", "died"] == "yes").mean()) < 0.02


def test_what_is_asked_whole_is_kept_whole() -> None:
    encoder, frame = _encoder()
    drawn = _asked(encoder, len(frame), frame[["sex", "died"]])
    assert (drawn[:, 0] == frame["died"].cat.codes).all() and (drawn[:, 1] == frame["sex"].cat.codes).all()


def test_a_combination_no_row_has_can_be_asked_for_and_what_is_open_follows_the_table() -> None:
    frame, schema = toys.mixed(400)
    schema = schema.with_roles(stage="sensitive")
    frame = frame[~((frame["died"] == "yes") & (frame["sex"] == "f"))].reset_index(drop=True)
    encoder = GivenEncoder.fit(frame, schema, apart=frozenset())
    n = 20_000
    asked = {
        "died": pd.Categorical(["yes"] * n, categories=["no", "yes"]),
        "sex": pd.Categorical(["f"] * n, categories=["f", "m"]),
    }
    drawn = _asked(encoder, n, pd.DataFrame(asked))
    assert (drawn[:, :2] == [1, 0]).all()
    shares = frame["stage"].value_counts(normalize=True, sort=False).to_numpy()
    assert np.abs(np.bincount(drawn[:, 2], minlength=3) / n - shares).max() < 0.02


def test_a_level_that_no_row_had_is_refused_by_name() -> None:
    frame, schema = toys.mixed(200)
    women = frame[frame["sex"] == "f"].reset_index(drop=True)
    encoder = GivenEncoder.fit(women, schema, apart=APART)
    with pytest.raises(ValueError, match=r"level 'm' of 'sex', which no training row had; ask for one of \['f'\]"):
        _asked(encoder, 3, frame.loc[frame["sex"] == "m", ["sex"]][:3])


def test_a_numeric_target_cannot_be_asked_for() -> None:
    frame, schema = toys.numeric(50)
    encoder = GivenEncoder.fit(frame, schema, apart=frozenset())
    assert encoder.given_levels == () and _asked(encoder, 4, None).shape == (4, 0)
    with pytest.raises(AbilityError, match="target 'y': it is numeric"):
        _asked(encoder, 2, frame[["y"]][:2])


def test_a_numeric_sensitive_column_is_shown_by_its_tenths() -> None:
    frame, schema = toys.mixed(500)
    schema = schema.with_roles(age="sensitive", sex="feature")
    assert [c.name for c in attributes(schema)] == ["died", "age"]
    encoder = GivenEncoder.fit(frame, schema, apart=frozenset({"died"}))
    assert encoder.numeric == 2  # it stays a column
    shown = _asked(encoder, 500, frame[["age"]])[:, 1]
    order = np.argsort(frame["age"].to_numpy(), kind="stable")
    assert (np.diff(shown[order]) >= 0).all() and set(shown) == set(range(encoder.given_levels[1]))
    assert np.bincount(shown).max() < 500 * 0.2


def test_tenths_are_values_that_occur_and_no_level_is_empty() -> None:
    assert tenths(np.full(9, 3.0)).tolist() == []
    assert tenths(np.arange(0.0, 101.0)).tolist() == [10, 20, 30, 40, 50, 60, 70, 80, 90]
    many = np.array([0.0] * 70 + [1.0] * 25 + [8.0] * 5)
    assert tenths(many).tolist() == [1.0]
    assert set(np.searchsorted(tenths(many), many, side="right")) == {0, 1}


def test_state_restores_everything() -> None:
    frame, schema = toys.mixed(120)
    schema = schema.with_roles(age="sensitive")
    encoder = GivenEncoder.fit(frame, schema, apart=APART)
    again = GivenEncoder.restore(schema, encoder.state(), apart=APART)
    assert again.given_levels == encoder.given_levels
    assert (_asked(again, 50, None) == _asked(encoder, 50, None)).all()
    assert (again.split(frame, "cpu").given == encoder.split(frame, "cpu").given).all()
