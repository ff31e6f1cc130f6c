"""CTGAN: its networks, its relaxed draws, its packs, its conditions, its settings."""

import math

import numpy as np
import pandas as pd
import pytest
import torch

import toys
from synthcohort.generators.base import AbilityError, FitError
from synthcohort.generators.ctgan import CTGAN
from synthcohort.networks.gan import ConcatGenerator, PackedCritic, gradient_penalty, pack
from synthcohort.networks.groups import Groups, gumbel
from synthcohort.rng import Rng

RNG = Rng(8)
SMALL = {"latent": 4, "width": 8, "depth": 1, "pac": 5, "epochs": 1, "least_steps": 8, "batch_size": 20}


def _fit(**changes) -> CTGAN:
    frame, schema = toys.mixed(100)
    return CTGAN(**{**SMALL, **changes}).fit(frame, schema, rng=RNG)


def test_groups_are_independent_softmaxes_whatever_their_order() -> None:
    sizes = (3, 2, 1, 3, 2)
    groups = Groups(sizes)
    codes = torch.tensor([[2, 0, 0, 1, 1], [0, 1, 0, 2, 0]])
    flat = groups.one_hot(codes)
    assert flat.sum(1).tolist() == [5, 5]
    logits = torch.randn(2, groups.total, generator=RNG.torch())
    total = torch.zeros(2)
    for g, size in enumerate(sizes):
        own = groups.of(g, logits)
        assert own.shape == (2, size)
        assert torch.equal(groups.of(g, flat).argmax(1), codes[:, g])
        assert torch.allclose(groups.of(g, groups.log_softmax(logits)), own.log_softmax(1))
        expected = own.log_softmax(1).gather(1, codes[:, [g]])[:, 0]
        assert torch.allclose(groups.log_likelihood(logits, codes)[:, g], expected)
        total += expected
    assert torch.allclose(groups.log_likelihood(logits, codes).sum(1), total)


def test_draws_follow_the_softmax() -> None:
    n, groups = 40_000, Groups((3, 2))
    p, q = torch.tensor([0.6, 0.3, 0.1]), torch.tensor([0.05, 0.95])
    flat = torch.zeros(1, 5)
    groups.of(0, flat)[:] = p.log()
    groups.of(1, flat)[:] = q.log() + 3.0
    codes = groups.draw(flat.expand(n, -1), RNG.torch())
    for g, law in ((0, p), (1, q)):
        assert (torch.bincount(codes[:, g]) / n - law).abs().max() < 4 * math.sqrt(0.25 / n)
    relaxed = groups.gumbel_softmax(flat.expand(n, -1), 0.2, RNG.torch())
    assert torch.allclose(groups.of(0, relaxed).sum(1), torch.ones(n))
    share = (groups.of(0, relaxed).argmax(1) == 0).double().mean()
    assert float(share) == pytest.approx(0.6, abs=4 * math.sqrt(0.25 / n))
    assert groups.of(0, groups.gumbel_softmax(flat, 1e-3, RNG.torch())).max() > 0.999


def test_gumbel_noise_has_its_moments() -> None:
    noise = gumbel(torch.empty(200_000), RNG.torch()).double()
    assert float(noise.mean()) == pytest.approx(0.5772157, abs=0.012)
    assert float(noise.var()) == pytest.approx(math.pi**2 / 6, rel=0.02)


def test_packs_hold_rows_side_by_side() -> None:
    rows = torch.arange(12.0).reshape(6, 2)
    assert pack(rows, 3).tolist() == [[0, 1, 2, 3, 4, 5], [6, 7, 8, 9, 10, 11]]
    assert torch.equal(pack(rows, 1), rows)


def test_gradient_penalty_of_known_slopes() -> None:
    real, generated = torch.randn(2, 50, 4, generator=RNG.torch()).double()
    w = torch.tensor([1.0, 2.0, 2.0, 4.0]).double()  # length 5
    noise = RNG.torch()
    assert gradient_penalty(w.expand_as, real, generated, noise).item() == pytest.approx((5 - 1) ** 2)
    assert gradient_penalty((w / 5).expand_as, real, generated, noise).item() == pytest.approx(0, abs=1e-12)
    radius = gradient_penalty(lambda x: (x @ w)[:, None] * w / 5, real, real, noise)  # of (x.w)^2 / 10
    assert float(radius) == pytest.approx(float(((real @ w).abs() - 1).square().mean()))


def test_gradient_penalty_lies_between_real_and_generated_and_can_be_learned_from() -> None:
    seen: list[torch.Tensor] = []
    w = torch.tensor([3.0, 4.0], requires_grad=True)

    def slope(x: torch.Tensor) -> torch.Tensor:
        seen.append(x.detach())
        return w.expand_as(x)

    gradient_penalty(slope, torch.zeros(200, 2), torch.ones(200, 2), RNG.torch()).backward()
    assert torch.equal(seen[0][:, 0], seen[0][:, 1])
    assert 0 <= seen[0].min() < 0.05 and 0.95 < seen[0].max() <= 1
    assert torch.allclose(w.grad, 2 * (5 - 1) * w.detach() / 5)  # d(|w| - 1)^2 / dw


@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_the_critics_slope_and_its_penalty_equal_going_backward_twice(dropout) -> None:
    critic = PackedCritic(features=3, pac=2, width=7, depth=2, dropout=dropout, generator=RNG.torch()).double()
    packs = torch.randn(9, 6, generator=RNG.torch()).double().requires_grad_(True)
    weights = list(critic.parameters())
    (twice,) = torch.autograd.grad(critic(packs, RNG.torch()).sum(), packs, create_graph=True)
    once = critic.slope(packs, RNG.torch())
    assert torch.allclose(once, twice)
    assert float(twice.detach().abs().sum()) > 0
    penalties = [(g.norm(dim=1) - 1).square().mean() for g in (once, twice)]
    first, second = (torch.autograd.grad(p, weights, allow_unused=True, materialize_grads=True) for p in penalties)
    for ours, by_torch in zip(first, second, strict=True):
        assert torch.allclose(ours, by_torch)


def test_networks_have_the_shapes_of_the_paper() -> None:
    network = ConcatGenerator(inputs=5, outputs=3, width=7, depth=2, generator=RNG.torch())
    assert network.leave.in_features == 5 + 7 + 7
    assert network(torch.randn(6, 5, generator=RNG.torch())).shape == (6, 3)
    critic = PackedCritic(features=3, pac=2, width=7, depth=2, dropout=0.5, generator=RNG.torch())
    packs = torch.randn(4, 6, generator=RNG.torch())
    assert critic(packs, RNG.torch()).shape == (4,)
    assert torch.equal(critic(packs, RNG.torch()), critic(packs, RNG.torch()))
    assert not torch.equal(critic(packs, RNG.torch()), critic(packs, RNG.branch("other").torch()))


def test_the_condition_marks_the_level_whose_logit_is_scored() -> None:
    generator = _fit()
    schema = generator.schema
    place = 0
    for column in schema.categorical:
        for level in range(len(column.levels)):
            codes = torch.zeros(1, len(generator.table.sizes), dtype=torch.int64)
            codes[0, generator.table.group(column.name)] = level
            assert generator.groups.one_hot(codes)[0, generator.entry[place]] == 1
            place += 1
    assert place == generator.conditions
    assert generator.indicator(torch.tensor([1, 4])).nonzero().tolist() == [[0, 1], [1, 4]]


def test_rows_follow_the_level_asked_for() -> None:
    """The cross-entropy alone teaches the generator to show the level that the condition names."""
    frame, schema = toys.mixed(300)
    generator = CTGAN(width=64, least_steps=250, epochs=1, batch_size=100, learning_rate=1e-3).fit(
        frame, schema, rng=RNG
    )
    target = generator.table.group("died")
    places = torch.tensor([0, 1]).repeat(200) + generator.conditions - 2
    with torch.no_grad():
        drawn = generator._draw(places, RNG.torch()).codes[:, target]
    assert float((drawn == places - places.min()).double().mean()) > 0.8


def test_a_wrong_target_is_drawn_again() -> None:
    """A network that ignores its condition gives rows of the asked class nevertheless."""
    generator = _fit()
    with torch.no_grad():
        for p in generator.sampled.parameters():
            p.zero_()
    asked = pd.DataFrame({"died": pd.Categorical(["yes"] * 400, categories=["no", "yes"])})
    seen = []
    original = generator.table.decode
    generator.table.decode = lambda rows: seen.append(rows.codes) or original(rows)
    generator.sample(400, rng=RNG, conditions=asked)
    assert (seen[0][:, generator.table.group("died")] == 1).all()


@pytest.mark.parametrize(
    "change",
    [
        {"latent": 3},
        {"width": 9},
        {"depth": 2},
        {"pac": 4},
        {"dropout": 0.1},
        {"tau": 1.0},
        {"penalty": 1.0},
        {"epochs": 3},
        {"least_steps": 9},
        {"max_steps": 2},
        {"batch_size": 25},
        {"learning_rate": 1e-2},
        {"weight_decay": 5.0},
        {"max_modes": 2},
    ],
    ids=lambda change: next(iter(change)),
)
def test_every_hyperparameter_changes_history(change) -> None:
    usual = {"least_steps": 1} if change.keys() & {"epochs", "max_steps"} else {}

    def shown(generator):
        return [(h["step"], h["loss"]) for h in generator.history]

    assert shown(_fit(**usual)) != shown(_fit(**usual, **change))


def test_history_has_no_validation_loss_and_steps_as_asked() -> None:
    history = _fit().history
    assert history[-1]["step"] == 8
    assert all(np.isnan(h["validation_loss"]) for h in history)


def test_a_diverging_fit_is_a_fit_error() -> None:
    with pytest.raises(FitError, match="diverged"):
        _fit(learning_rate=1e30, least_steps=60)


def test_a_numeric_target_cannot_be_asked_for() -> None:
    frame, schema = toys.numeric(80)
    generator = CTGAN(**SMALL).fit(frame, schema, rng=RNG)
    with pytest.raises(AbilityError, match=r"'y'.*numeric"):
        generator.sample(2, rng=RNG, conditions=frame[["y"]].iloc[:2].reset_index(drop=True))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"latent": 0}, "latent=0"),
        ({"batch_size": 25}, "batch_size=25 must be a multiple of pac=10"),
        ({"dropout": 1.0}, "dropout=1.0"),
        ({"tau": 0.0}, "tau=0.0"),
        ({"penalty": -1.0}, "penalty=-1.0"),
    ],
)
def test_hyperparameters_out_of_range_are_refused(change, named) -> None:
    with pytest.raises(ValueError, match=named):
        CTGAN(**change)
