"""Generators fitted by DP-SGD look at rows through noise alone: with that closed, rows leave no trace."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from pandas.testing import assert_frame_equal

import toys
from synthcohort.dp import mechanisms
from synthcohort.dp.accountant import PrivacyError
from synthcohort.dp.clipping import ClippedSum
from synthcohort.generators import load as registry
from synthcohort.generators.parts import private_labelled
from synthcohort.rng import Rng

FAST = {"width": 8, "max_steps": 4, "batch_size": 20, "epsilon": 50.0}
NAMES = ["dp_vae", "dp_tabddpm", "dp_mtabgen", "dp_flow", "dp_ctgan"]
RNG = Rng(15)


@pytest.fixture
def deaf(monkeypatch) -> None:
    """Histograms are their noise alone and so are gradients, whatever the rows say."""
    bought, gaussian = private_labelled._noisy, mechanisms.gaussian
    monkeypatch.setattr(private_labelled, "_noisy", lambda counts, *a: bought([np.zeros_like(c) for c in counts], *a))
    monkeypatch.setattr(mechanisms, "gaussian", lambda answer, **a: gaussian(np.zeros(np.shape(answer)), **a))
    monkeypatch.setattr(ClippedSum, "__call__", lambda self, *_: [torch.zeros_like(p) for p in self.weights])


def two_fits(name: str) -> list[pd.DataFrame]:
    """Return what is drawn after fits on two tables that share nothing but their schema and number of rows."""
    frame, schema = toys.mixed(80)
    cells = {c.name: np.full(80, c.low if c.numeric else c.levels[0]) for c in schema.columns}
    other = schema.check(schema.cast(pd.DataFrame(cells)))
    return [
        registry.build(name, FAST).fit(rows, schema, rng=RNG, validation=rows[:9]).sample(60, rng=RNG)
        for rows in (frame, other)
    ]


@pytest.mark.parametrize("name", NAMES)
def test_where_noise_is_all_that_is_told_the_rows_leave_no_trace(name, deaf):
    one, other = two_fits(name)
    assert_frame_equal(one, other)


@pytest.mark.parametrize("name", NAMES)
def test_where_answers_are_told_other_rows_give_other_rows(name):
    one, other = two_fits(name)
    assert not one.equals(other)


@pytest.mark.parametrize("name", NAMES)
def test_no_setting_overspends_or_leaves_much_unused(name):
    draw = RNG.branch("settings", name).numpy()
    epsilon = float(np.exp(draw.uniform(np.log(0.2), np.log(20))))
    settings = {
        "epsilon": epsilon,
        "delta": [None, 1e-5][draw.integers(2)],
        "encoder_share": float(draw.uniform(0.02, 0.9)),
        "clip_norm": float(draw.uniform(0.1, 5)),
        "batch_size": int(draw.integers(1, 81)),
        "max_steps": int(draw.integers(2, 6)),
        "histogram_bins": int(draw.integers(1, 40)),
    }
    frame, schema = list(toys.ALL.values())[draw.integers(3)](80)
    spent = registry.build(name, {"width": 8, **settings}).fit(frame, schema, rng=RNG).privacy_spent()
    assert 0.97 * epsilon < spent.epsilon <= epsilon
    assert spent.delta == (settings["delta"] or 1 / 800) and spent.clip_norm == settings["clip_norm"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epsilon": 0.0}, "epsilon=0.0 must be positive"),
        ({"clip_norm": 0.0}, "clip_norm=0.0 must be positive"),
        ({"delta": 1 / 80}, r"delta=0.0125 must be below 1 / n"),
        ({"batch_size": 81}, r"batch_size=81 is not in 1\.\.80"),
    ],
    ids=["epsilon", "clip", "delta", "batch"],
)
def test_bad_input_is_refused_before_a_row_is_looked_at(name, change, message, monkeypatch):
    frame, schema = toys.mixed(80)
    for looks in ("_buy_table", "_descend"):
        monkeypatch.setattr(registry.find(name), looks, lambda *_: pytest.fail("rows were looked at"))
    with pytest.raises(PrivacyError, match=message):
        registry.build(name, {**FAST, **change}).fit(frame, schema, rng=RNG)


class Spy:
    """A schedule that keeps the times it was asked for."""

    def __init__(self, schedule) -> None:
        self.schedule, self.seen = schedule, []

    def alpha_bar(self, t):
        self.seen.append(t)
        return self.schedule.alpha_bar(t)


@pytest.mark.parametrize("name", ["dp_tabddpm", "dp_mtabgen"])
def test_every_row_draws_its_time_by_itself(name):
    frame, schema = toys.mixed(80)
    model = registry.build(name, {**FAST, "steps": 3}).fit(frame, schema, rng=RNG)
    batch, generator, means = model.table.split(frame[:64], "cpu").parts(), Rng(4).torch(), []
    for _ in range(300):
        spy = Spy(model.reader.schedule)
        reader, model.reader = model.reader, replace(model.reader, schedule=spy)
        model._loss(batch, generator)
        model.reader = reader
        means.append(float(spy.seen[0].double().mean()))
    assert np.mean(means) == pytest.approx(0.5, abs=0.01)
    assert np.var(means) == pytest.approx(1 / 12 / 64, rel=0.3)  # on a lattice it would be next to 0
