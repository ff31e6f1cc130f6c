"""medGAN: its shortcuts, its batch means, its matrix of records, whose turn it is, its labels, its settings."""

import copy

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

import toys
from synthcohort.generators.base import AbilityError, FitError
from synthcohort.generators.medgan import MedGAN
from synthcohort.generators.parts.labelled import LabelledEncoder
from synthcohort.generators.parts.latent_game import Batch
from synthcohort.generators.parts.records import Records
from synthcohort.networks.medgan import Discriminator, RecordAutoencoder, ShortcutGenerator, beside_mean, burn_in
from synthcohort.rng import Rng
from synthcohort.schema import Column, Schema

RNG = Rng(4)
SMALL = {"latent": 8, "width": 16, "max_steps": 6, "batch_size": 32, "burn_in": 3}


def _fit(**changes) -> MedGAN:
    frame, schema = toys.mixed(120)
    return MedGAN(**{**SMALL, **changes}).fit(frame[:90], schema, rng=RNG, validation=frame[90:])


def _generator(depth: int, labels: int = 0) -> ShortcutGenerator:
    return ShortcutGenerator(latent=5, depth=depth, labels=labels, generator=Rng(1).torch())


def test_a_generator_whose_layers_are_silent_is_the_identity() -> None:
    generator = _generator(depth=3)
    for norm in generator.norms:
        nn.init.zeros_(norm.weight)
    z = torch.randn(7, 5, generator=Rng(2).torch())
    assert torch.equal(generator(z), z)


def test_a_layer_adds_to_its_input_what_indicators_of_the_label_would_give() -> None:
    """h + relu(BN([W, E] [h; 1_y])), then the same with tanh; running moments are 0 and 1 before any batch."""
    generator = _generator(depth=2, labels=3).eval()
    z, y = torch.randn(7, 5, generator=Rng(2).torch()), torch.tensor([0, 1, 2, 2, 1, 0, 0])
    h = z
    for i, act in enumerate((torch.relu, torch.tanh)):
        whole = torch.cat([generator.layers[i].weight, generator.label.weight[:, 5 * i : 5 * i + 5].T], dim=1)
        both = torch.cat([h, torch.eye(3)[y]], dim=1)
        h = h + act(both @ whole.T / (1 + 1e-3) ** 0.5)
    assert torch.allclose(generator(z, y), h, atol=1e-6)


def test_the_batch_mean_stands_beside_each_row() -> None:
    x = torch.tensor([[1.0, 0.0], [0.0, 0.0], [1.0, 3.0]])
    mean = [2 / 3, 1.0]
    assert torch.allclose(beside_mean(x), torch.tensor([[1, 0, *mean], [0, 0, *mean], [1, 3, *mean]]))
    alike = beside_mean(torch.full((4, 3), 0.3))
    assert torch.allclose(alike[:, :3], alike[:, 3:])  # a batch of equal rows gives itself away


def test_networks_equal_their_formulas() -> None:
    weights = Rng(1).torch()
    autoencoder, x = RecordAutoencoder(4, 3, weights), torch.rand(6, 4, generator=Rng(2).torch())
    (inner, _), outer = autoencoder.encoder, autoencoder.decoder
    by_hand = torch.tanh(x @ inner.weight.T + inner.bias) @ outer.weight.T + outer.bias
    assert torch.allclose(autoencoder(x), by_hand, atol=1e-6)
    discriminator = Discriminator(4, (5,), weights, bias=0.01)
    first, last = discriminator.layers
    assert torch.allclose(discriminator(x), (torch.relu(first(x)) @ last.weight[0] + 0.01), atol=1e-6)
    assert float(inner.weight.detach().abs().max()) <= (6 / 7) ** 0.5


def test_burn_in_leaves_the_plain_mean_of_the_batches_moments() -> None:
    network, batches = nn.Sequential(nn.BatchNorm1d(2, momentum=0.01)), Rng(3).torch()
    seen: list[torch.Tensor] = []

    def forward() -> torch.Tensor:
        seen.append(torch.randn(9, 2, generator=batches) + len(seen))
        return network(seen[-1])

    network(torch.full((4, 2), 50.0))  # an older moment, to be forgotten
    burn_in(network, forward, 4)
    assert torch.allclose(network[0].running_mean, torch.stack([x.mean(0) for x in seen]).mean(0), atol=1e-5)
    assert torch.allclose(network[0].running_var, torch.stack([x.var(0) for x in seen]).mean(0), atol=1e-5)
    assert network[0].momentum == 0.01
    assert not network.training


def _records(frame: pd.DataFrame, schema: Schema) -> tuple[Records, tuple[torch.Tensor, ...]]:
    return Records.of(schema, "cpu"), LabelledEncoder.fit(frame, schema).split(frame, "cpu").parts()


def test_a_matrix_keeps_the_schemas_order_and_its_codes() -> None:
    """mixed: age, sex (2 levels), stage (3), marker; the target is apart."""
    frame, schema = toys.mixed(50)
    records, (ranks, codes, _) = _records(frame, schema)
    x = records.encode(ranks, codes, Rng(1).torch())
    assert x.shape == (50, records.width) == (50, 6)
    assert torch.equal(x[:, 1], codes[:, 0].float())
    assert torch.equal(x[:, 2:5].argmax(1), codes[:, 1])
    assert torch.equal(x[:, 2:5].sum(1), torch.ones(50))
    for column, interval in ((0, ranks[:, 0]), (5, ranks[:, 1])):
        assert ((interval[:, 0] <= x[:, column]) & (x[:, column] <= interval[:, 1])).all()
    scores, drawn = records.draw(x, Rng(2).torch())  # p of 0 and 1: the codes come back
    assert torch.equal(drawn, codes)
    assert torch.allclose(torch.special.ndtr(scores), x[:, [0, 5]].double())


def test_cross_entropy_equals_its_sum_and_is_least_at_the_row_itself() -> None:
    records, _ = _records(*toys.mixed(50))
    logits = torch.randn(1, 6, generator=Rng(1).torch(), dtype=torch.float64)
    x = torch.tensor([[0.3, 1.0, 0.0, 0.0, 1.0, 0.9]], dtype=torch.float64)
    p = records.probabilities(logits)
    assert torch.allclose(p[:, 2:5].sum(1), torch.ones(1).double())
    by_hand = sum(-x[0, d] * p[0, d].log() - (1 - x[0, d]) * (1 - p[0, d]).log() for d in (0, 1, 5)) - p[0, 4].log()
    assert torch.allclose(records.cross_entropy(logits, x), by_hand[None])
    at_x = torch.logit(torch.tensor([[0.3, 0.5, 0.0, 0.0, 0.0, 0.9]])).requires_grad_()
    (slope,) = torch.autograd.grad(records.cross_entropy(at_x, x.float()).sum(), at_x)
    assert torch.allclose(slope[0, [0, 5]], torch.zeros(2), atol=1e-6)


def test_levels_are_drawn_with_their_probabilities() -> None:
    records, _ = _records(*toys.mixed(50))
    p = torch.tensor([[0.5, 0.2, 0.7, 0.1, 0.2, 0.5]]).expand(40_000, 6)
    _, codes = records.draw(p, Rng(1).torch())
    assert abs(float((codes[:, 0] == 1).double().mean()) - 0.2) < 0.01
    shares = torch.bincount(codes[:, 1], minlength=3) / len(codes)
    assert torch.allclose(shares, torch.tensor([0.7, 0.1, 0.2]), atol=0.01)


def test_two_turns_of_d_to_one_of_g_and_the_decoder_learns_with_g(monkeypatch) -> None:
    seen: list[int] = []
    whole = MedGAN._play

    def watched(self, count):
        before = copy.deepcopy({"enc": self.autoencoder.encoder, "dec": self.autoencoder.decoder, "g": self.generator})
        drawn = self._batch
        self._batch = lambda: seen.append(count) or drawn()
        whole(self, count)
        after = {"enc": self.autoencoder.encoder, "dec": self.autoencoder.decoder, "g": self.generator}
        for name, moved in (("enc", False), ("dec", True), ("g", True)):
            pairs = zip(before[name].parameters(), after[name].parameters(), strict=True)
            assert any(not torch.equal(a, b) for a, b in pairs) is moved

    monkeypatch.setattr(MedGAN, "_play", watched)
    _fit(max_steps=4)
    assert len(seen) == 4 * (2 + 1) + 3  # three batches of burn-in


def test_the_discriminator_sees_labels_of_real_and_drawn_rows_alike() -> None:
    generator = _fit()
    y = torch.tensor([0, 1, 1])
    seen = generator._seen(Batch(torch.zeros(3, 6), y))
    assert torch.equal(seen, torch.cat([torch.zeros(3, 6), torch.eye(2)[y]], dim=1))
    assert torch.equal(generator._seen(Batch(torch.zeros(3, 6), None)), torch.zeros(3, 6))


def test_rows_follow_their_label() -> None:
    frame, schema = toys.mixed(400)
    generator = MedGAN(latent=32, width=64, max_steps=400, batch_size=64, burn_in=20).fit(frame, schema, rng=RNG)
    drawn = generator.sample(len(frame), rng=RNG, conditions=pd.DataFrame({"died": frame["died"]}))
    real, synthetic = (f.groupby("died", observed=True)["age"].mean() for f in (frame, drawn))
    assert (real["yes"] - real["no"]) * (synthetic["yes"] - synthetic["no"]) > 0
    assert 0.5 < drawn["age"].std() / frame["age"].std() < 1.6


def test_a_binary_matrix_of_a_thousand_columns_fits_and_samples() -> None:
    frame, schema = binary_matrix(300, 1000)
    generator = MedGAN(max_steps=3, burn_in=2).fit(frame, schema, rng=RNG)
    assert generator.records.width == 1000
    drawn = generator.sample(64, rng=RNG)
    assert drawn.shape == (64, 1001)


def binary_matrix(n: int, width: int) -> tuple[pd.DataFrame, Schema]:
    """Rare binary codes and a binary target."""
    cells = Rng(1).numpy().random((n, width + 1)) < 0.1
    columns = [Column(f"code_{j}", "categorical", levels=("0", "1")) for j in range(width)]
    schema = Schema((*columns, Column("died", "categorical", "target", levels=("0", "1"))), positive="1")
    names = {
        c.name: pd.Categorical.from_codes(cells[:, j].astype(int), ["0", "1"]) for j, c in enumerate(schema.columns)
    }
    return schema.check(pd.DataFrame(names)), schema


@pytest.mark.parametrize(
    "change",
    [
        {"latent": 6},
        {"depth": 2},
        {"width": 20},
        {"pretrain_epochs": 0.5},
        {"epochs": 0.5},
        {"max_steps": 5},
        {"batch_size": 16},
        {"discriminator_steps": 1},
        {"learning_rate": 1e-4},
        {"l2": 0.5},
    ],
    ids=lambda change: next(iter(change)),
)
def test_every_hyperparameter_changes_history(change) -> None:
    def shown(generator):
        return [(h["step"], h["loss"]) for h in generator.history]

    assert shown(_fit()) != shown(_fit(**change))


def test_burn_in_changes_the_sample() -> None:
    assert not _fit().sample(9, rng=RNG).equals(_fit(burn_in=1).sample(9, rng=RNG))


def test_history_counts_on_from_the_autoencoder_and_a_diverging_fit_is_a_fit_error() -> None:
    assert [h["step"] for h in _fit().history] == list(range(1, 13))
    assert all(np.isfinite(h["loss"]) and np.isnan(h["validation_loss"]) for h in _fit().history)
    with pytest.raises(FitError, match="diverged"):
        _fit(learning_rate=1e38, max_steps=60)


def test_a_numeric_target_cannot_be_asked_for() -> None:
    frame, schema = toys.numeric(80)
    generator = MedGAN(**SMALL).fit(frame, schema, rng=RNG)
    schema.check(generator.sample(5, rng=RNG))
    with pytest.raises(AbilityError, match=r"'y'.*numeric"):
        generator.sample(2, rng=RNG, conditions=frame[["y"]].iloc[:2].reset_index(drop=True))


def test_a_table_without_a_varying_column_is_refused() -> None:
    columns = (Column("site", "categorical", levels=("a",)), Column("y", "categorical", "target", levels=("0", "1")))
    schema = Schema(columns, positive="1")
    frame = schema.cast(pd.DataFrame({"site": ["a"] * 6, "y": ["0", "1"] * 3}))
    with pytest.raises(FitError, match="medgan: no column beside the target"):
        MedGAN(**SMALL).fit(frame, schema, rng=RNG)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"latent": 0}, "medgan: latent=0"),
        ({"batch_size": 1}, "batch_size=1 must be at least 2"),
        ({"epochs": 0}, "epochs=0 must be positive"),
        ({"l2": -1}, "l2=-1"),
    ],
)
def test_hyperparameters_out_of_range_are_refused(change, named) -> None:
    with pytest.raises(ValueError, match=named):
        MedGAN(**change)
