"""Private masked diffusion: what it pays for, where it begins, rows with holes, and that it learns a law."""

import math

import numpy as np
import pandas as pd
import pytest
import torch
from pandas.testing import assert_frame_equal

import toys
from synthcohort.dp.budget import Budget, Ledger
from synthcohort.dp.randomness import SeededNoise
from synthcohort.generators.dp_mtabgen import DPMTabGen
from synthcohort.generators.parts.private_labelled import edges_of
from synthcohort.generators.parts.private_masked import buy_masked, histograms
from synthcohort.rng import Rng
from synthcohort.schema import Column, Schema

FAST = {"width": 8, "max_steps": 3, "batch_size": 20, "steps": 4}
RNG = Rng(6)


def holed(n: int = 120, share: float = 0.3) -> tuple[pd.DataFrame, pd.DataFrame, Schema]:
    """Return mixed rows, the same with holes but in their first column, and the schema."""
    frame, schema = toys.mixed(n)
    holes = RNG.branch("holes").numpy().random(frame.shape) < share
    holes[:, 0] = False
    return frame, schema.cast(frame.mask(holes)), schema


def bought(rows: pd.DataFrame, schema: Schema, noise_multiplier: float):
    ledger = Ledger(Budget(math.inf, 1e-5))
    table = buy_masked(
        rows,
        schema,
        edges_of(schema, 64),
        ledger=ledger,
        noise_multiplier=noise_multiplier,
        noise=SeededNoise(Rng(1)),
    )
    return table, ledger


# ---- what is bought --------------------------------------------------------------------------------------------------


def test_cells_that_are_missing_are_counted_nowhere():
    _, rows, schema = holed()
    counts = histograms(rows, schema, edges_of(schema, 16))
    there = rows.notna().sum()
    assert [c.sum() for c in counts] == [there[c.name] for c in (*schema.numeric, *schema.categorical)]
    assert list(counts[2]) == list(rows["sex"].value_counts(sort=False))


def test_a_row_changes_the_histograms_as_far_as_the_noise_is_scaled_to_or_less():
    frame, rows, schema = holed()
    edges = edges_of(schema, 16)
    whole = {name: np.concatenate(histograms(part, schema, edges)) for name, part in (("full", frame), ("holed", rows))}
    for gone in rows.index[::12]:
        moved = {
            name: np.linalg.norm(whole[name] - np.concatenate(histograms(part.drop(index=gone), schema, edges)))
            for name, part in (("full", frame), ("holed", rows))
        }
        assert moved["full"] == pytest.approx(math.sqrt(5))
        assert moved["holed"] == pytest.approx(math.sqrt(rows.loc[gone].notna().sum()))


def test_the_noise_of_the_histograms_has_the_deviation_that_is_paid_for():
    frame, schema = toys.categorical(60)
    wide = Schema(
        (Column("code", "categorical", levels=tuple(map(str, range(4_000)))), *schema.columns[1:]), schema.positive
    )
    rows = wide.cast(frame.assign(code="0").drop(columns="ward")[wide.names])
    table, ledger = bought(rows, wide, 50.0)
    drawn = table.counts[1:4_000]  # noise alone, held above a half
    assert drawn[drawn > 0.5].std() == pytest.approx(50 * math.sqrt(3) * math.sqrt(1 - 2 / math.pi), rel=0.06)
    assert (drawn == 0.5).mean() == pytest.approx(0.5, abs=0.03)
    (entry,) = ledger.entries
    assert entry.name == "3 histograms of columns" and entry.steps.noise_multiplier == 50.0


def test_every_declared_level_counts_as_known():
    frame, schema = toys.mixed(60)
    columns = [*schema.columns]
    columns[2] = Column("stage", "categorical", levels=("I", "II", "III", "IV"))
    wider = Schema(tuple(columns), schema.positive)
    table, _ = bought(wider.cast(frame), wider, 0.0)
    odd = wider.cast(frame[:1].assign(stage="IV"))
    assert table.split(odd, "cpu").known.all()


# ---- every row by itself ---------------------------------------------------------------------------------------------


def test_the_number_of_free_cells_is_even_and_drawn_by_each_row():
    model = DPMTabGen(**FAST).fit(*toys.mixed(80), rng=RNG)
    known, generator = torch.ones(64, 5, dtype=torch.bool), Rng(3).torch()
    numbers = torch.stack([model._mask(known, generator).sum(1) for _ in range(400)]).double()  # [batches, rows]
    assert torch.bincount(numbers.long().flatten(), minlength=6)[1:].double().div(numbers.numel()).sub(
        0.2
    ).abs().max() == pytest.approx(0, abs=0.01)
    of_one = (5**2 - 1) / 12
    assert float(numbers.mean(1).var()) == pytest.approx(of_one / 64, rel=0.25)  # on a lattice it would be next to 0


def test_only_cells_that_are_there_are_free():
    known = torch.rand(500, 6, generator=Rng(2).torch()) < 0.5
    known[:, 0] = True
    model = DPMTabGen(**FAST).fit(*toys.mixed(80), rng=RNG)
    free = model._mask(known, Rng(3).torch())
    assert (free <= known).all() and (free.sum(1) >= 1).all()


def test_holes_of_other_rows_do_not_move_the_loss_of_a_row():
    frame, rows, schema = holed()
    model = DPMTabGen(**FAST).fit(rows, schema, rng=RNG)
    one, other = (model.table.split(pd.concat([rows[:1], part[1:6]]), "cpu").parts() for part in (rows, frame))
    losses = [model._loss(batch, Rng(3).torch()) for batch in (one, other)]
    assert losses[0][0] == losses[1][0] and not torch.equal(*losses)


# ---- laws ------------------------------------------------------------------------------------------------------------


def test_a_fit_begins_at_independent_columns():
    frame, schema = toys.mixed(2_000)
    model = DPMTabGen(**{**FAST, "steps": 12}, epsilon=math.inf, learning_rate=1e-30).fit(frame, schema, rng=RNG)
    drawn = model.sample(3_000, rng=RNG)
    for name in ("sex", "stage", "died"):
        shares = (f[name].value_counts(normalize=True, sort=False).to_numpy() for f in (frame, drawn))
        assert np.abs(np.subtract(*shares)).max() < 0.04
    assert abs(drawn["age"].corr(drawn["marker"])) < 0.07 < frame["age"].corr(frame["marker"])
    assert abs(drawn["age"].mean() - frame["age"].mean()) < 1


@pytest.fixture(scope="module")
def learned():
    frame, schema = toys.linked(1_500)
    return DPMTabGen(epsilon=30.0, max_steps=300, batch_size=150).fit(frame, schema, rng=RNG)


def test_with_an_ample_budget_it_learns_what_independent_columns_have_not(learned):
    drawn = learned.sample(1_500, rng=RNG)
    assert 0.98 * 30 < learned.privacy_spent().epsilon <= 30
    assert drawn["x"].corr(drawn["y"]) > 0.9 / 2  # half of the law's; independent columns have 0
    high = drawn["dose"] == "high"
    assert high[drawn["x"] > 0].mean() - high[drawn["x"] < 0].mean() > 0.8 / 2
    assert abs(drawn["x"].mean()) < 0.2 and abs(high.mean() - 0.5) < 0.1


def test_cells_are_filled_by_what_the_others_say(learned):
    asked = learned.schema.cast(pd.DataFrame({"x": [-1.5, 1.5] * 400, "y": np.nan, "dose": None}))
    filled = learned.impute(asked, rng=RNG)[0]
    low, high = (filled[filled["x"] == x] for x in (-1.5, 1.5))
    assert high["y"].mean() - low["y"].mean() > 2.7 / 2  # half of the law's; independent columns have 0
    assert (high["dose"] == "high").mean() - (low["dose"] == "high").mean() > 0.8 / 2
    assert_frame_equal(filled[["x"]], asked[["x"]], check_exact=True)


def test_rows_with_holes_are_learned_and_filled_after_saving(tmp_path):
    _, rows, schema = holed()
    model = DPMTabGen(**FAST).fit(rows, schema, rng=RNG)
    model.save(tmp_path)
    again = DPMTabGen.load(tmp_path)
    filled = again.impute(rows[:30], rng=RNG)[0]
    assert_frame_equal(filled, model.impute(rows[:30], rng=RNG)[0])
    assert_frame_equal(filled.where(rows[:30].notna()), rows[:30], check_exact=True)
    assert again.privacy_spent() == model.privacy_spent()
