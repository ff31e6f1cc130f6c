"""What every generator fitted by DP-SGD promises: a budget kept, rows that do not mix, early refusals."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

import toys
from synthcohort.dp.accountant import PrivacyError
from synthcohort.dp.budget import Budget, Ledger
from synthcohort.dp.clipping import ClippedSum
from synthcohort.dp.randomness import SeededNoise
from synthcohort.generators import load as registry
from synthcohort.generators.base import FitError
from synthcohort.generators.parts.private_labelled import buy_encoder, edges_of, law
from synthcohort.rng import Rng
from synthcohort.schema import Schema

NAMES = ["dp_vae", "dp_tabddpm", "dp_mtabgen", "dp_flow"]
FAST = {"width": 8, "max_steps": 3, "batch_size": 20}
RNG = Rng(5)
by_name = pytest.mark.parametrize("name", NAMES)


def fitted(name, table="mixed", n=80, **settings):
    frame, schema = toys.ALL[table](n)
    return registry.build(name, {**FAST, **settings}).fit(frame, schema, rng=RNG), frame


@by_name
def test_the_budget_is_spent_and_not_overspent(name):
    model, _ = fitted(name, epsilon=2.0)
    spent = model.privacy_spent()
    assert 0.98 * 2 < spent.epsilon <= 2
    assert spent.delta == pytest.approx(1 / 800)
    assert spent.accountant == "PRV, seeded noise"
    assert spent.clip_norm == 1.0
    assert "histograms" in model.composition
    assert "3 Gaussian step(s)" in model.composition
    assert "private" in model.abilities
    assert all(math.isnan(record["loss"]) for record in model.history)


@by_name
def test_what_was_spent_is_saved(name, tmp_path):
    model, _ = fitted(name)
    model.save(tmp_path)
    again = registry.load(name, tmp_path)
    assert again.privacy_spent() == model.privacy_spent()
    assert again.composition == model.composition


@by_name
def test_a_release_cannot_be_repeated(name):
    one, other = (fitted(name, cryptographic=True)[0].sample(20, rng=RNG) for _ in range(2))
    assert not one.equals(other)
    assert fitted(name, cryptographic=True)[0].privacy_spent().accountant == "PRV, cryptographic noise"


@by_name
@pytest.mark.parametrize("table", list(toys.ALL))
def test_the_loss_of_a_row_is_its_own_and_the_clipped_sum_that_of_single_rows(name, table):
    model, frame = fitted(name, table)
    batch = model.table.split(frame[:6], "cpu").parts()
    network = model._learned()
    weights = [p for p in network.parameters() if p.requires_grad]
    with torch.no_grad():  # away from the start, where many gradients are zero
        for p in weights:
            p.add_(0.2 * torch.randn(p.shape, generator=Rng(8).torch()))
    losses = model._loss(batch, Rng(3).torch())
    singles = [torch.autograd.grad(one, weights, retain_graph=True, allow_unused=True) for one in losses]
    singles = [[torch.zeros_like(p) if g is None else g for p, g in zip(weights, s)] for s in singles]
    lengths = [float(torch.cat([g.flatten() for g in s]).norm()) for s in singles]
    clip = float(np.median(lengths))
    found = ClippedSum(network, model._loss, clip)(batch, Rng(3).torch())
    for k, total in enumerate(found):
        wanted = sum(s[k] * min(1, clip / length) for s, length in zip(singles, lengths, strict=True))
        torch.testing.assert_close(total, wanted, rtol=1e-3, atol=1e-4 * clip)

    swapped = tuple(torch.cat([part[:1], part[1:].flip(0)]) for part in batch)  # other rows beside the first
    torch.testing.assert_close(model._loss(swapped, Rng(3).torch())[0], losses[0])


@by_name
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"epsilon": 0.0}, "epsilon=0.0 must be positive"),
        ({"epsilon": -1.0}, "epsilon=-1.0 must be positive"),
        ({"delta": 1.0}, "delta=1.0 is not in"),
        ({"clip_norm": 0.0}, "clip_norm=0.0 must be positive"),
        ({"encoder_share": 1.0}, "encoder_share=1.0 is not in"),
        ({"max_steps": 0}, "max_steps=0 must be at least 1"),
    ],
)
def test_settings_without_sense_are_refused_at_once(name, settings, message):
    with pytest.raises(ValueError, match=message):
        registry.build(name, settings)


@by_name
def test_what_depends_on_the_table_is_refused_before_a_row_is_looked_at(name, monkeypatch):
    frame, schema = toys.mixed(80)
    for buys in ("parts.private_network.buy_encoder", "dp_mtabgen.buy_masked"):
        monkeypatch.setattr(f"synthcohort.generators.{buys}", lambda *a, **k: pytest.fail("rows were looked at"))
    with pytest.raises(PrivacyError, match=r"delta=0.0125 must be below 1 / n"):
        registry.build(name, {**FAST, "delta": 1 / 80}).fit(frame, schema, rng=RNG)
    with pytest.raises(PrivacyError, match=r"batch_size=81 is not in 1\.\.80"):
        registry.build(name, {**FAST, "batch_size": 81}).fit(frame, schema, rng=RNG)
    open_ended = Schema(tuple(replace(c, high=None) if c.name == "marker" else c for c in schema.columns), "yes")
    with pytest.raises(PrivacyError, match=r"column 'marker' has bounds .* needs declared ones"):
        registry.build(name, FAST).fit(frame, open_ended, rng=RNG)


@by_name
def test_without_a_budget_nothing_is_hidden_but_rows_are_clipped(name):
    model, _ = fitted(name, epsilon=math.inf)
    assert model.privacy_spent().epsilon == math.inf
    assert "noise 0 times" in model.composition


@by_name
def test_a_gradient_that_is_not_finite_is_a_failed_fit(name):
    with pytest.raises(FitError, match=f"{name}: .*not finite"):
        fitted(name, learning_rate=1e30, max_steps=6, epsilon=math.inf)


def test_without_noise_the_private_encoder_has_the_quantiles_of_the_rows():
    frame, schema = toys.mixed(4_000)
    table = _bought(frame, schema, noise_multiplier=0.0, bins=64)
    own = table.encoder.quantiles
    for j, column in enumerate(schema.numeric):
        true = np.quantile(frame[column.name], np.linspace(0, 1, len(own)))
        width = (column.high - column.low) / 64
        assert np.abs(own[1:-1, j] - true[1:-1]).mean() < width
    assert np.array_equal(table.counts, np.bincount(frame["died"].cat.codes))


def test_the_private_encoder_changes_with_one_row_as_far_as_its_noise_is_scaled_to():
    frame, schema = toys.mixed(200)
    with_row, without = ({}, {})

    def spy(kept, rows):
        import synthcohort.generators.parts.private_labelled as room

        original = room._noisy
        room._noisy = lambda counts, *a: kept.update(counts=np.concatenate(counts)) or original(counts, *a)
        try:
            _bought(rows, schema, noise_multiplier=1.0, bins=16)
        finally:
            room._noisy = original

    spy(with_row, frame)
    spy(without, frame.drop(index=17))
    histograms = 3  # two numeric columns and the classes
    assert np.linalg.norm(with_row["counts"] - without["counts"]) == pytest.approx(math.sqrt(histograms))


def test_noise_of_the_histograms_has_the_deviation_that_is_paid_for():
    frame, schema = toys.numeric(100)
    ledger = Ledger(Budget(math.inf, 1e-5))
    noise = SeededNoise(Rng(1))
    from synthcohort.generators.parts.private_labelled import _noisy

    drawn = np.concatenate(_noisy([np.zeros(3_000), np.zeros(1_000)], ledger, 5.0, noise))
    assert drawn.std() == pytest.approx(5.0 * math.sqrt(2), rel=0.05)
    assert ledger.entries[0].steps.noise_multiplier == 5.0
    assert len(edges_of(schema, 8)) == 4
    assert len(frame) == 100


def test_a_distribution_function_rises_whatever_the_noise():
    f = law(np.array([-3.0, 0.0, 5.0, -1.0]))
    assert f[0] == 0
    assert f[-1] == pytest.approx(1)
    assert (np.diff(f) > 0).all()
    assert law(np.array([-1.0, -2.0])) == pytest.approx([0, 0.5, 1])


def _bought(frame, schema, *, noise_multiplier, bins):
    return buy_encoder(
        frame,
        schema,
        edges_of(schema, bins),
        ledger=Ledger(Budget(math.inf, 1e-5)),
        noise_multiplier=noise_multiplier,
        noise=SeededNoise(Rng(1)),
    )
