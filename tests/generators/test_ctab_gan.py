"""CTAB-GAN: marks and long tails there and back, the condition's place, the classifier's blind spot, settings."""

import numpy as np
import pandas as pd
import pytest
import torch

import toys
from synthcohort.generators.base import AbilityError, FitError
from synthcohort.generators.ctab_gan import CTABGAN, _Game
from synthcohort.generators.parts.mixed import MixedModes, special_values, squeeze, tail_shift, unsqueeze
from synthcohort.rng import Rng
from synthcohort.schema import Column, Schema

RNG = Rng(4)
SMALL = {
    "latent": 4,
    "channels": 2,
    "width": 8,
    "depth": 1,
    "max_modes": 2,
    "least_steps": 1,
    "max_steps": 8,
    "batch_size": 16,
    "learning_rate": 0.01,
}
ENCODING = {"max_modes": 3, "special_share": 0.2, "long_tail": 1.5}


def _fit(**changes) -> CTABGAN:
    frame, schema = toys.mixed(60)
    return CTABGAN(**{**SMALL, **changes}).fit(frame, schema, rng=RNG)


def _dose(n: int = 300) -> tuple[pd.DataFrame, Schema]:
    """A dose that two thirds never had, long-tailed among the others; an age; a label."""
    draw = RNG.branch("dose").numpy()
    dose = np.where(draw.random(n) < 2 / 3, 0.0, np.round(np.exp(2 + draw.standard_normal(n)) + 0.1, 1))
    frame = pd.DataFrame({"dose": dose, "age": np.round(50 + 10 * draw.standard_normal(n))})
    frame["ill"] = np.array(["no", "yes"])[(draw.random(n) < 0.4).astype(int)]
    columns = [
        Column(name, "numeric", low=float(frame[name].min()), high=float(frame[name].max()), decimals=places)
        for name, places in (("dose", 1), ("age", 0))
    ]
    schema = Schema((*columns, Column("ill", "categorical", role="target", levels=("no", "yes"))), positive="yes")
    return schema.check(schema.cast(frame)), schema


def test_special_values_are_those_many_rows_hold() -> None:
    cells = np.array([0.0] * 5 + [7.0] * 3 + [1.0, 2.0])
    assert special_values(cells, 0.4).tolist() == [0.0]
    assert special_values(cells, 0.3).tolist() == [0.0, 7.0]
    assert special_values(np.zeros(9), 0.3).tolist() == []


def test_long_tails_are_squeezed_and_come_back() -> None:
    column = Column("x", "numeric", decimals=1)
    tail = np.exp(RNG.numpy().standard_normal(500))
    shift = tail_shift(tail, column, 1.5)
    assert shift == 0
    assert abs(squeeze(tail, shift).mean()) < 0.2
    assert np.allclose(unsqueeze(squeeze(tail, shift), shift), tail)
    below = tail_shift(tail - 5, column, 1.5)
    assert (tail - 5 + below).min() == pytest.approx(0.1)  # the recording step above zero
    assert np.isnan(tail_shift(-tail, column, 1.5))
    assert np.isnan(tail_shift(RNG.numpy().standard_normal(500), column, 1.5))


def test_marks_have_their_own_entry_and_no_place() -> None:
    frame, schema = _dose()
    table = MixedModes.fit(frame, schema, RNG, **ENCODING)
    rows = table.encode(frame, RNG)
    modes = int(table.modes.counts[0])
    none = torch.tensor((frame["dose"] == 0).to_numpy())
    assert table.sizes == (modes + 1, int(table.modes.counts[1]), 2)
    assert (rows.codes[none, 0] == modes).all()
    assert (rows.codes[~none, 0] < modes).all()
    assert (rows.alpha[none, 0] == 0).all()
    assert not np.isnan(table.shift[0])
    assert np.isnan(table.shift[1])


@pytest.mark.parametrize("table", [*toys.ALL, "dose"])
def test_encoded_rows_come_back(table) -> None:
    frame, schema = _dose() if table == "dose" else toys.ALL[table](200)
    encoding = MixedModes.fit(frame, schema, RNG, **ENCODING)
    back = schema.check(encoding.decode(encoding.encode(frame, RNG)))
    for column in schema.columns:
        if column.numeric:
            scale = frame[column.name].abs().max()
            assert np.allclose(back[column.name], frame[column.name], atol=1e-5 * scale)
        else:
            assert (back[column.name] == frame[column.name]).all()


def test_unseen_rows_are_encoded_too() -> None:
    frame, schema = _dose()
    encoding = MixedModes.fit(frame[:40], schema, RNG, **ENCODING)
    schema.check(encoding.decode(encoding.encode(frame[40:], RNG)))


def test_a_column_of_marks_only_comes_back() -> None:
    frame, schema = _dose(60)
    frame = frame.assign(age=np.where(np.arange(60) % 2, 40.0, 60.0))
    encoding = MixedModes.fit(frame, schema, RNG, **ENCODING)
    assert (encoding.decode(encoding.encode(frame, RNG))["age"] == frame["age"]).all()


def test_the_encoding_survives_its_arrays() -> None:
    frame, schema = _dose()
    first = MixedModes.fit(frame, schema, RNG, **ENCODING)
    again = MixedModes.restore(schema, first.state())
    rows = first.encode(frame, RNG)
    assert first.decode(rows).equals(again.decode(rows))
    assert again.sizes == first.sizes


def test_any_entry_may_be_asked_for_and_is_scored_at_its_own_logit() -> None:
    """Numeric columns included; the entry is told by its own logit alone."""
    generator = _fit()
    sizes = generator.table.sizes
    assert generator.conditions == sum(sizes) == len(generator.counts)
    place = 0
    for group, size in enumerate(sizes):
        for entry in range(size):
            c = generator.indicator(torch.tensor([place]))
            assert c.nonzero().tolist() == [[0, place]]
            logits = torch.randn(1, sum(sizes), generator=Rng(place).torch())
            own = generator.groups.of(group, logits)[0]
            told = generator.told(logits, torch.tensor([place]))
            assert float(told) == pytest.approx(-float(own.log_softmax(0)[entry]), rel=1e-5, abs=1e-6)
            place += 1


def test_the_classifier_sees_all_cells_but_the_target() -> None:
    generator = _fit()
    frame, _ = toys.mixed(60)
    game = _Game(generator, generator.table.encode(frame, RNG), RNG)
    seen = []

    def classifier(rest):
        seen.append(rest)
        return torch.zeros(len(rest), 2)

    game.classifier = classifier  # type: ignore[assignment]
    codes = game.shown.rows.codes[:5]
    rows = torch.cat([game.shown.rows.alpha[:5], generator.groups.one_hot(codes)], dim=1)
    loss = game.label_loss(rows)
    assert float(loss) == pytest.approx(np.log(2))
    assert seen[0].shape[1] == rows.shape[1] - 2
    assert torch.equal(rows[:, game.label].argmax(1), codes[:, -1])
    assert seen[0][:, generator.table.numeric :].sum() == 5 * (codes.shape[1] - 1)


def test_rows_follow_their_label_and_keep_their_marks() -> None:
    frame, schema = _dose(400)
    settings = {"channels": 8, "least_steps": 1, "max_steps": 120, "batch_size": 64, "max_modes": 3}
    settings["learning_rate"] = 1e-3
    generator = CTABGAN(**settings).fit(frame, schema, rng=RNG)
    drawn = generator.sample(300, rng=RNG)
    assert 0.3 < (drawn["dose"] == 0).mean() < 0.95
    asked = frame[["ill"]].iloc[:50].reset_index(drop=True)
    assert (generator.sample(50, rng=RNG, conditions=asked)["ill"] == asked["ill"]).all()


@pytest.mark.parametrize(
    "change",
    [
        {"latent": 3},
        {"channels": 3},
        {"width": 5},
        {"depth": 0},
        {"tau": 0.9},
        {"max_modes": 3},
        {"special_share": 0.05},
        {"long_tail": 0.1},
        {"epochs": 1},
        {"least_steps": 9},
        {"max_steps": 3},
        {"batch_size": 8},
        {"learning_rate": 1e-3},
        {"weight_decay": 5.0},
    ],
    ids=lambda change: next(iter(change)),
)
def test_every_hyperparameter_changes_history(change) -> None:
    def shown(generator):
        return [(h["step"], h["loss"]) for h in generator.history]

    assert shown(_fit()) != shown(_fit(**change))


def test_a_diverging_fit_is_a_fit_error() -> None:
    with pytest.raises(FitError, match="diverged"):
        _fit(learning_rate=1e38, max_steps=20)


def test_a_numeric_target_cannot_be_asked_for() -> None:
    frame, schema = toys.numeric(80)
    generator = CTABGAN(**SMALL).fit(frame, schema, rng=RNG)
    schema.check(generator.sample(5, rng=RNG))
    with pytest.raises(AbilityError, match=r"'y'.*numeric"):
        generator.sample(2, rng=RNG, conditions=frame[["y"]].iloc[:2].reset_index(drop=True))


@pytest.mark.parametrize(
    ("change", "named"),
    [({"latent": 0}, "latent=0"), ({"special_share": 0.0}, "special_share=0.0"), ({"tau": 0.0}, "tau=0.0")],
)
def test_hyperparameters_out_of_range_are_refused(change, named) -> None:
    with pytest.raises(ValueError, match=named):
        CTABGAN(**change)
