"""Modes: known bumps found, round trip, draws by responsibility, reach, ends of the range, rows by level."""

import math

import numpy as np
import pandas as pd
import pytest
import torch
from pandas.testing import assert_frame_equal

import toys
from synthcohort.generators.base import AbilityError
from synthcohort.generators.parts.by_level import RowsByLevel, frequency_law, log_law
from synthcohort.generators.parts.modes import SPAN, ModeRows, Modes, reflect
from synthcohort.rng import Rng
from synthcohort.schema import Column, Schema

RNG = Rng(6)


def _one(cells: np.ndarray, decimals: int | None = None) -> tuple[pd.DataFrame, Schema]:
    column = Column("x", "numeric", low=float(cells.min()), high=float(cells.max()), decimals=decimals, role="target")
    return pd.DataFrame({"x": cells}), Schema((column,))


@pytest.mark.parametrize("table", list(toys.ALL))
def test_a_frame_comes_back(table) -> None:
    frame, schema = toys.ALL[table](200)
    modes = Modes.fit(frame, schema, RNG)
    rows = modes.encode(frame, RNG)
    assert rows.alpha.shape == (200, len(schema.numeric))
    assert (rows.codes < torch.tensor(modes.sizes)).all()
    assert modes.width == len(schema.numeric) + sum(modes.sizes)
    back = schema.check(modes.decode(rows))
    assert_frame_equal(back, frame, atol=1e-5, rtol=1e-5)


def test_known_bumps_are_found() -> None:
    draw = RNG.numpy()
    cells = np.concatenate([draw.normal(-10, 1, 600), draw.normal(40, 3, 300)])
    modes = Modes.fit(*_one(cells), RNG)
    near = np.abs(modes.centres[:, None] - [-10, 40]) < [3, 9]  # [m, 2]
    assert near.any(axis=0).all()
    assert near.any(axis=1).all()
    assert modes.weights[near[:, 0]].sum() == pytest.approx(2 / 3, abs=0.02)
    mean = (modes.weights * modes.centres).sum()
    assert mean == pytest.approx(cells.mean(), abs=0.05 * cells.std())


def test_responsibilities_are_bayes_rule_and_modes_are_drawn_from_them() -> None:
    _, schema = _one(np.array([-3.0, 0.0, 1.0, 3.0]))
    modes = Modes(
        schema,
        counts=np.array([2]),
        weights=np.array([0.3, 0.7]),
        centres=np.array([-1.0, 2.0]),
        widths=np.array([1.0, 2.0]),
        low=np.array([-3.0]),
        high=np.array([3.0]),
        level_counts=np.zeros(0, dtype=np.int64),
    )
    bump = [0.3 * math.exp(-0.5 * 1**2) / 1, 0.7 * math.exp(-0.5 * 1**2) / 2]  # at x = 0
    expected = bump[0] / sum(bump)
    assert modes.responsibilities(np.zeros(1), 0)[0] == pytest.approx([expected, 1 - expected])
    many = modes.encode(pd.DataFrame({"x": np.zeros(40_000)}), RNG)
    first = many.codes[:, 0] == 0
    assert float(first.double().mean()) == pytest.approx(expected, abs=4 * math.sqrt(0.25 / 40_000))
    assert many.alpha[first].unique().item() == pytest.approx((0 + 1) / (SPAN * 1))
    assert many.alpha[~first].unique().item() == pytest.approx((0 - 2) / (SPAN * 2))
    assert modes.decode(many)["x"].abs().max() < 1e-6


def test_a_spike_is_a_narrow_mode() -> None:
    draw = RNG.numpy()
    cells = np.concatenate([np.zeros(500), np.round(draw.gamma(3, 50, 300))])
    frame, schema = _one(cells, decimals=0)
    modes = Modes.fit(frame, schema, RNG)
    rows = modes.encode(frame, RNG)
    shaken = ModeRows(rows.alpha + 0.02 * torch.randn(rows.alpha.shape, generator=RNG.torch()), rows.codes)
    assert (modes.decode(shaken)["x"][:500] == 0).mean() > 0.95


def test_every_row_is_within_reach_of_a_mode_that_was_found() -> None:
    cells = np.concatenate([RNG.numpy().normal(0, 1, 3000), np.full(8, 80.0)])  # the spike's weight: 0.0027
    frame, schema = _one(cells)
    rows = Modes.fit(frame, schema, RNG).encode(frame, RNG)
    assert rows.alpha[-8:].abs().max() <= 1


def test_a_constant_column_has_one_mode_without_width() -> None:
    frame, schema = _one(np.full(20, 7.5), decimals=1)
    modes = Modes.fit(frame, schema, RNG)
    assert modes.sizes == (1,)
    assert set(modes.decode(ModeRows(torch.randn(30, 1, generator=RNG.torch()), torch.zeros(30, 1).long()))["x"]) == {
        7.5
    }


def test_what_lies_beyond_the_ends_is_mirrored() -> None:
    cells = np.array([-1.0, -0.25, 0.0, 0.5, 1.0, 1.25, 2.5, 3.0])
    assert reflect(cells, 0.0, 1.0) == pytest.approx([1.0, 0.25, 0.0, 0.5, 1.0, 0.75, 0.5, 1.0])
    wild = reflect(RNG.numpy().normal(0.5, 40, 20_000), 0.0, 1.0)
    assert wild.min() >= 0
    assert wild.max() <= 1
    assert np.histogram(wild, 10)[0].max() < 2_300


def test_state_restores() -> None:
    frame, schema = toys.mixed(150)
    modes = Modes.fit(frame, schema, RNG)
    again = Modes.restore(schema, modes.state())
    first, second = modes.encode(frame, RNG), again.encode(frame, RNG)
    assert torch.equal(first.alpha, second.alpha) and torch.equal(first.codes, second.codes)
    assert_frame_equal(modes.decode(first), again.decode(second))


def test_the_target_is_asked_for_by_level() -> None:
    frame, schema = toys.categorical(90)
    modes = Modes.fit(frame, schema, RNG)
    counts = frame["outcome"].value_counts().reindex(list(schema.target.levels))
    assert modes.target_counts.tolist() == counts.tolist()
    assert modes.target_codes(frame[["outcome"]]).tolist() == frame["outcome"].cat.codes.tolist()
    some = frame[frame["outcome"] != "death"]
    with pytest.raises(ValueError, match="'death' of 'outcome', which no training row had"):
        Modes.fit(some, schema, RNG).target_codes(frame[["outcome"]])
    numeric, its_schema = toys.numeric(60)
    with pytest.raises(AbilityError, match=r"'y'.*numeric"):
        Modes.fit(numeric, its_schema, RNG).target_codes(numeric[["y"]])


@pytest.mark.parametrize(("change", "named"), [({"max_modes": 0}, "max_modes=0"), ({"least_weight": 1}, "weight=1")])
def test_settings_out_of_range_are_refused(change, named) -> None:
    with pytest.raises(ValueError, match=named):
        Modes.fit(*toys.mixed(30), RNG, **change)


def test_levels_are_asked_for_by_the_logarithm_of_their_count() -> None:
    counts, levels = torch.tensor([1, 99, 0, 40, 60]), (3, 2)
    logs = [math.log(2) / math.log(200), math.log(100) / math.log(200), 0.0]
    logs += [math.log(41) / math.log(41 * 61), math.log(61) / math.log(41 * 61)]
    law = log_law(counts, levels)
    assert law.probabilities.tolist() == pytest.approx([p / 2 for p in logs])
    n = 40_000
    seen = torch.bincount(law.draw(n, RNG.torch()), minlength=5) / n
    assert (seen - law.probabilities).abs().max() < 4 * math.sqrt(0.25 / n)
    assert seen[2] == 0
    assert frequency_law(counts, levels).probabilities.tolist() == pytest.approx([0.005, 0.495, 0, 0.2, 0.3])


def test_rows_beside_a_level_have_it_and_are_alike() -> None:
    codes = torch.tensor([[0, 1], [1, 1], [1, 0], [0, 1], [1, 0]])
    counts = torch.tensor([2, 3, 2, 3])
    rows = RowsByLevel(codes, counts, (2, 2))
    places = torch.arange(4).repeat_interleave(6_000)
    drawn = rows.draw(places, RNG.torch()).reshape(4, 6_000)
    for place, members in enumerate([[0, 3], [1, 2, 4], [2, 4], [0, 1, 3]]):
        shares = torch.bincount(drawn[place], minlength=5) / 6_000
        assert shares[members].tolist() == pytest.approx([1 / len(members)] * len(members), abs=0.03)
        assert float(shares.sum() - shares[members].sum()) == 0
