"""Table-GAN: squares by shape and round trip, cells there and back, averaged moments by hand, labels, settings."""

import numpy as np
import pandas as pd
import pytest
import torch

import toys
from synthcohort.generators.base import AbilityError, FitError
from synthcohort.generators.table_gan import Average, TableGAN, from_cells, scale_levels, to_cells
from synthcohort.networks.conv import (
    SIDES,
    SquareGenerator,
    SquareJudge,
    fold,
    moment_distance,
    moments,
    side_of,
    unfold,
)
from synthcohort.rng import Rng

RNG = Rng(4)
SMALL = {"latent": 4, "channels": 2, "max_steps": 6, "batch_size": 16}


def _fit(**changes) -> TableGAN:
    frame, schema = toys.mixed(60)
    return TableGAN(**{**SMALL, **changes}).fit(frame, schema, rng=RNG)


def test_a_square_holds_its_row_and_is_the_smallest() -> None:
    assert [side_of(cells) for cells in (1, 64, 65, 144, 145, 1000)] == [8, 8, 12, 12, 16, 32]
    with pytest.raises(ValueError, match="200000 cells"):
        side_of(200_000)
    assert len(set(SIDES)) == len(SIDES)


def test_folding_pads_with_zeros_and_unfolding_undoes_it() -> None:
    rows = torch.arange(1.0, 21.0).view(2, 10)
    squares = fold(rows, 8)
    assert squares.shape == (2, 1, 8, 8)
    assert squares[0, 0, 1, :3].tolist() == [9.0, 10.0, 0.0]  # line by line
    assert squares.sum() == rows.sum()
    assert torch.equal(unfold(squares, 10), rows)


@pytest.mark.parametrize("cells", [1, 64, 70, 200, 500])
def test_networks_have_the_shapes_of_the_square(cells) -> None:
    generator = SquareGenerator(inputs=5, cells=cells, channels=2, generator=RNG.torch())
    judge = SquareJudge(cells=cells, outputs=3, channels=2, generator=RNG.torch())
    rows = generator(torch.randn(6, 5, generator=RNG.torch()))
    out, features = judge(rows)
    assert rows.shape == (6, cells)
    assert out.shape == (6, 3)
    base = 3 if side_of(cells) % 3 == 0 else 2
    assert features.shape == (6, 2 * side_of(cells) // 2 * base)  # channels double while the area is quartered


def test_weights_come_from_the_given_generator() -> None:
    first, second = (SquareJudge(cells=9, outputs=1, channels=2, generator=RNG.torch()) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))
    assert first.downs[0].weight.detach().std().item() == pytest.approx(0.02, rel=0.5)


def test_moments_and_their_distance_equal_the_definition() -> None:
    f, g = torch.tensor([[1.0, 2.0], [3.0, 2.0]]), torch.tensor([[2.0, 5.0], [2.0, 7.0]])
    mean, sd = moments(f)
    assert mean.tolist() == [2.0, 2.0]
    assert sd.tolist() == pytest.approx([1.0, 0.0], abs=2e-4)
    apart = moment_distance((mean, sd), moments(g))
    assert float(apart[0]) == pytest.approx(4.0)
    assert float(apart[1]) == pytest.approx(2**0.5, abs=1e-3)


def test_averages_keep_the_past_and_pass_the_gradient_of_the_batch() -> None:
    average = Average(0.75)
    real = (torch.tensor([4.0]), torch.tensor([1.0]))
    zero = torch.zeros(1)
    average.of(real, (zero, zero))
    drawn = torch.tensor([8.0], requires_grad=True)
    (mean, sd), (drawn_mean, _) = average.of((zero, zero), (drawn, zero))
    assert mean.item() == pytest.approx(3.0)  # 0.75 * 4 + 0.25 * 0
    assert sd.item() == pytest.approx(0.75)
    assert drawn_mean.item() == pytest.approx(2.0)
    drawn_mean.backward()
    assert drawn.grad.item() == 1.0


@pytest.mark.parametrize("table", toys.ALL)
def test_cells_come_back(table) -> None:
    frame, schema = toys.ALL[table](80)
    numeric = frame[[c.name for c in schema.numeric]].to_numpy()
    low, high = numeric.min(0), numeric.max(0)
    cells = to_cells(frame, schema, low, high)
    assert cells.min() >= -1
    assert cells.max() <= 1
    back = schema.check(from_cells(cells.astype(np.float64), schema, low, high))
    for column in schema.columns:
        if column.numeric:
            assert np.allclose(back[column.name], frame[column.name], atol=1e-5 * (1 + frame[column.name].abs().max()))
        else:
            assert (back[column.name] == frame[column.name]).all()


def test_levels_are_equally_spaced() -> None:
    assert scale_levels(np.arange(3), 3).tolist() == [-1, 0, 1]
    assert scale_levels(torch.zeros(2), 1).tolist() == [0, 0]


def test_the_labels_cell_is_the_given_label() -> None:
    generator = _fit()
    y = torch.tensor([0, 1, 1])
    cells = generator._rows(torch.zeros(3, 4), y)
    assert cells[:, generator.place].tolist() == [-1, 1, 1]


def test_the_classifier_does_not_see_the_label() -> None:
    generator = _fit()
    seen = []

    def classifier(rest):
        seen.append(rest)
        return torch.zeros(len(rest), 2), None

    x = torch.ones(3, generator.cells)
    generator._label_loss(classifier, x, torch.tensor([0, 1, 1]))
    assert seen[0][:, generator.place].abs().max() == 0
    assert seen[0].sum() == 3 * (generator.cells - 1)


def test_rows_follow_their_label() -> None:
    frame, schema = toys.mixed(400)
    settings = {"channels": 8, "max_steps": 150, "batch_size": 64, "learning_rate": 1e-3}
    generator = TableGAN(**settings).fit(frame, schema, rng=RNG)
    drawn = generator.sample(len(frame), rng=RNG, conditions=pd.DataFrame({"died": frame["died"]}))
    real, synthetic = (f.groupby("died", observed=True)["age"].mean() for f in (frame, drawn))
    assert (real["yes"] - real["no"]) * (synthetic["yes"] - synthetic["no"]) > 0
    assert drawn["age"].std() > 0.2 * frame["age"].std()


@pytest.mark.parametrize(
    "change",
    [
        {"latent": 3},
        {"channels": 3},
        {"slack_mean": 9.0},
        {"slack_sd": 9.0},
        {"epochs": 1},
        {"max_steps": 3},
        {"batch_size": 8},
        {"learning_rate": 1e-3},
    ],
    ids=lambda change: next(iter(change)),
)
def test_every_hyperparameter_changes_history(change) -> None:
    def shown(generator):
        return [(h["step"], h["loss"]) for h in generator.history]

    assert shown(_fit()) != shown(_fit(**change))


def test_a_row_does_not_depend_on_how_many_are_drawn_beside_it() -> None:
    generator = _fit()
    y = torch.tensor([0, 1, 1])
    z = torch.randn(3, 4, generator=RNG.torch())
    assert torch.allclose(generator._rows(z, y)[:1], generator._rows(z[:1], y[:1]), atol=1e-6)


def test_a_diverging_fit_is_a_fit_error() -> None:
    with pytest.raises(FitError, match="diverged"):
        _fit(learning_rate=1e38, max_steps=20)


def test_a_numeric_target_cannot_be_asked_for() -> None:
    frame, schema = toys.numeric(80)
    generator = TableGAN(**SMALL).fit(frame, schema, rng=RNG)
    schema.check(generator.sample(5, rng=RNG))
    with pytest.raises(AbilityError, match=r"'y'.*numeric"):
        generator.sample(2, rng=RNG, conditions=frame[["y"]].iloc[:2].reset_index(drop=True))


@pytest.mark.parametrize(
    ("change", "named"),
    [({"latent": 0}, "latent=0"), ({"slack_sd": -1.0}, "slack_sd=-1.0"), ({"epochs": 0}, "epochs=0")],
)
def test_hyperparameters_out_of_range_are_refused(change, named) -> None:
    with pytest.raises(ValueError, match=named):
        TableGAN(**change)
