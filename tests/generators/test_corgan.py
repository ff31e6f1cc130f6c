"""corGAN: its lengths, the published stack, narrow tables, its clipping, whose turn it is, its settings."""

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

import toys
from synthcohort.generators.base import FitError
from synthcohort.generators.corgan import CorGAN
from synthcohort.networks.corgan import ConvAutoencoder, Stage, clip_weights, decoder_stages, encoder_stages
from synthcohort.rng import Rng
from synthcohort.schema import Column, Schema

RNG = Rng(4)
SMALL = {
    "latent": 8,
    "width": 16,
    "max_steps": 3,
    "batch_size": 32,
    "critic_steps": 2,
    "early_critic_steps": 3,
}


def _fit(**changes) -> CorGAN:
    frame, schema = toys.mixed(120)
    return CorGAN(**{**SMALL, **changes}).fit(frame[:90], schema, rng=RNG, validation=frame[90:])


def _lengths(width: int) -> tuple[list[int], list[int]]:
    down, up = [width], [1]
    for stage in encoder_stages(width):
        down.append(stage.shortened(down[-1]))
    for stage in decoder_stages(width):
        up.append(stage.lengthened(up[-1]))
    return down, up


@pytest.mark.parametrize(("kernel", "stride"), [(5, 2), (5, 3), (8, 1), (7, 4), (3, 2)])
def test_lengths_equal_those_of_the_convolutions(kernel, stride) -> None:
    stage = Stage(kernel, stride)
    for length in range(kernel, 30):
        x = torch.zeros(1, 1, length)
        assert torch.conv1d(x, torch.zeros(1, 1, kernel), stride=stride).shape[2] == stage.shortened(length)
        longer = torch.conv_transpose1d(x, torch.zeros(1, 1, kernel), stride=stride)
        assert longer.shape[2] == stage.lengthened(length)


def test_at_1071_columns_the_stack_is_the_published_one() -> None:
    autoencoder = ConvAutoencoder(1071, 128, Rng(1).torch())
    down = [m for m in autoencoder.encoder if isinstance(m, nn.Conv1d)]
    up = [m for m in autoencoder.decoder if isinstance(m, nn.ConvTranspose1d)]
    assert [m.kernel_size[0] for m in down] == [5, 5, 5, 5, 5, 8]
    assert [m.stride[0] for m in down] == [2, 2, 3, 3, 3, 1]
    assert [m.out_channels for m in down] == [4, 8, 16, 32, 64, 128]
    assert [m.kernel_size[0] for m in up] == [5, 5, 7, 7, 7, 3]
    assert [m.stride[0] for m in up] == [1, 4, 4, 3, 2, 2]
    assert [m.out_channels for m in up] == [64, 32, 16, 8, 4, 1]
    assert _lengths(1071) == ([1071, 534, 265, 87, 28, 8, 1], [1, 5, 21, 87, 265, 535, 1071])
    for half in (autoencoder.encoder, autoencoder.decoder):
        assert sum(isinstance(m, nn.BatchNorm1d) for m in half) == 4
    x = torch.rand(2, 1071, generator=Rng(2).torch())
    assert autoencoder.encode(x).shape == (2, 128)
    assert autoencoder(x).shape == (2, 1071)


def test_every_width_becomes_one_position_and_comes_back() -> None:
    for width in [*range(1, 400), 1000, 1070, 1072, 1782, 20_000]:
        down, up = _lengths(width)
        assert min(down) == 1 == down[-1]
        assert up[-1] == width


def test_below_the_published_width_every_column_is_seen_and_there_it_misses_94() -> None:
    def span(width: int) -> int:
        """Return the columns under the one position inside."""
        length = 1
        for stage in reversed(encoder_stages(width)):
            length = stage.lengthened(length)
        return length

    assert all(span(width) == width for width in range(1, 1071))
    assert span(1071) == 1071 - 94
    x = torch.rand(3, 14, generator=Rng(2).torch(), requires_grad=True)
    ConvAutoencoder(14, 128, Rng(1).torch()).encode(x).sum().backward()
    assert (x.grad.abs().sum(0) > 0).all()


def test_a_narrow_table_keeps_the_channels_next_to_the_code() -> None:
    autoencoder = ConvAutoencoder(8, 128, Rng(1).torch())
    assert [tuple(m.weight.shape) for m in autoencoder.encoder if isinstance(m, nn.Conv1d)] == [
        (64, 1, 6),
        (128, 64, 2),
    ]
    up = [tuple(m.weight.shape) for m in autoencoder.decoder if isinstance(m, nn.ConvTranspose1d)]
    assert up == [(128, 64, 3), (64, 1, 4)]


def test_clipping_moves_only_what_lies_outside() -> None:
    layer = nn.Linear(2, 1)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[0.5, -0.004]]))
        layer.bias.fill_(-3.0)
    clip_weights(layer, 0.01)
    assert torch.allclose(layer.weight, torch.tensor([[0.01, -0.004]]))
    assert float(layer.bias.detach()) == pytest.approx(-0.01)


def test_the_critics_weights_stay_within_the_bound_and_reach_it() -> None:
    for bound in (0.01, 0.05):
        weights = torch.cat([p.flatten() for p in _fit(clip=bound, max_steps=10).discriminator.parameters()])
        assert float(weights.abs().max()) == pytest.approx(bound, abs=1e-8)


def test_turns_of_the_critic(monkeypatch) -> None:
    """25 early steps of G, then 5 of D each, and more again at the 500th."""
    turns: list[int] = []
    whole = CorGAN._play

    def watched(self, count):
        drawn = self._batch
        self._batch = lambda: turns.append(self.history[-1]["step"]) or drawn()
        whole(self, count)

    monkeypatch.setattr(CorGAN, "_play", watched)
    _fit(max_steps=30, epochs=30, critic_steps=2, early_critic_steps=3, batch_size=8)
    assert len(turns) == 25 * (3 + 1) + 5 * (2 + 1)


def test_the_decoder_moves_with_a_tenth_of_the_rate(monkeypatch) -> None:
    rates: list[list[float]] = []
    whole = CorGAN._adam

    def watched(self, *groups):
        made = whole(self, *groups)
        rates.append([g["lr"] for g in made.param_groups])
        assert all(g["weight_decay"] == self.l2 for g in made.param_groups)
        return made

    monkeypatch.setattr(CorGAN, "_adam", watched)
    _fit()
    assert rates == [[1e-3], [1e-3], [1e-3, pytest.approx(1e-4)]]


def test_rows_follow_their_label() -> None:
    frame, schema = toys.mixed(400)
    generator = CorGAN(latent=32, width=64, max_steps=200, epochs=100, batch_size=64, clip=0.05)
    generator.fit(frame, schema, rng=RNG)
    drawn = generator.sample(len(frame), rng=RNG, conditions=pd.DataFrame({"died": frame["died"]}))
    real, synthetic = (f.groupby("died", observed=True)["age"].mean() for f in (frame, drawn))
    assert (real["yes"] - real["no"]) * (synthetic["yes"] - synthetic["no"]) > 0
    assert 0.3 < drawn["age"].std() / frame["age"].std() < 1.8


def test_a_binary_matrix_of_a_thousand_columns_fits_and_samples() -> None:
    cells = Rng(1).numpy().random((200, 1001)) < 0.1
    columns = [Column(f"code_{j}", "categorical", levels=("0", "1")) for j in range(1000)]
    schema = Schema((*columns, Column("died", "categorical", "target", levels=("0", "1"))), positive="1")
    frame = pd.DataFrame(
        {c.name: pd.Categorical.from_codes(cells[:, j].astype(int), ["0", "1"]) for j, c in enumerate(schema.columns)}
    )
    generator = CorGAN(max_steps=2, critic_steps=1, early_critic_steps=1).fit(frame, schema, rng=RNG)
    assert generator.records.width == 1000
    assert generator.sample(40, rng=RNG).shape == (40, 1001)


@pytest.mark.parametrize(
    "change",
    [
        {"latent": 6},
        {"depth": 1},
        {"width": 20},
        {"pretrain_epochs": 0.5},
        {"epochs": 0.5},
        {"max_steps": 2},
        {"batch_size": 16},
        {"critic_steps": 1, "max_steps": 27, "epochs": 27},
        {"early_critic_steps": 2},
        {"clip": 0.02},
        {"learning_rate": 1e-4},
        {"l2": 0.5},
    ],
    ids=lambda change: next(iter(change)),
)
def test_every_hyperparameter_changes_history(change) -> None:
    usual = {"max_steps": 27, "epochs": 27} if "critic_steps" in change else {}

    def shown(generator):
        return [(h["step"], h["loss"]) for h in generator.history]

    assert shown(_fit(**usual)) != shown(_fit(**change))


def test_a_diverging_fit_is_a_fit_error() -> None:
    with pytest.raises(FitError, match="diverged"):
        _fit(learning_rate=1e38, max_steps=40)


def test_one_column_beside_the_target_is_enough() -> None:
    columns = (Column("sex", "categorical", levels=("f", "m")), Column("y", "categorical", "target", levels=("0", "1")))
    schema = Schema(columns, positive="1")
    codes = Rng(1).numpy().integers(0, 2, (60, 2))
    frame = schema.cast(pd.DataFrame({"sex": np.array(["f", "m"])[codes[:, 0]], "y": codes[:, 1].astype(str)}))
    schema.check(CorGAN(**SMALL).fit(frame, schema, rng=RNG).sample(20, rng=RNG))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"critic_steps": 0}, "corgan: critic_steps=0"),
        ({"batch_size": 1}, "batch_size=1 must be at least 2"),
        ({"clip": 0}, "clip=0 must be positive"),
        ({"l2": -1}, "l2=-1"),
    ],
)
def test_hyperparameters_out_of_range_are_refused(change, named) -> None:
    with pytest.raises(ValueError, match=named):
        CorGAN(**change)
