"""The training loop: what is averaged, what is kept, when it stops, and what it refuses."""

import math

import pytest
import torch
from torch import nn

from synthcohort.networks.layers import linear
from synthcohort.rng import Rng
from synthcohort.training import WIDE, DivergenceError, Settings, fast_dtype, train

TRUTH = torch.tensor([[1.5], [-0.5]])


def _rows(n: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    x = torch.randn(n, 2, generator=Rng(seed).torch())
    return x, x @ TRUTH


def _settings(**changes) -> Settings:
    usual = {"max_steps": 60, "batch_size": 16, "learning_rate": 0.05, "evaluate_every": 10, "patience": 100.0}
    return Settings(**{**usual, **changes})


def _squares(network: nn.Module):
    def loss(rows, generator):
        x, y = rows
        noise = torch.randn(y.shape, generator=generator)
        return (network(x) - y - 0.1 * noise).square().mean(1)

    return loss


def _fitted(settings: Settings, *, validation=True, seed: int = 1, loss=_squares):
    network = linear(2, 1, Rng(7).torch())
    held_out = _rows(30, 2) if validation else None
    history = train(network, loss(network), _rows(100, 3), validation=held_out, settings=settings, rng=Rng(seed))
    return network, history


def test_it_learns_and_records() -> None:
    network, history = _fitted(_settings(max_steps=400, ema_decay=0.9))
    assert torch.allclose(network.weight.T, TRUTH, atol=0.05)
    assert [h["step"] for h in history] == list(range(10, 401, 10))
    assert set(history[0]) == {"step", "loss", "validation_loss", "seconds"}
    assert history[-1]["validation_loss"] < 0.05 * history[0]["validation_loss"]


def test_same_rng_same_weights_and_no_global_state() -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    first, _ = _fitted(_settings())
    assert torch.equal(before, torch.get_rng_state())
    torch.manual_seed(6)
    again, _ = _fitted(_settings())
    other, _ = _fitted(_settings(), seed=2)
    assert torch.equal(first.weight, again.weight)
    assert not torch.equal(first.weight, other.weight)


def test_the_network_ends_as_the_average_of_its_weights() -> None:
    """The average recomputed from every step's weights, by the formula in the module's text."""
    seen = []

    def recording(network):
        inner = _squares(network)

        def loss(rows, generator):
            seen.append(network.weight.detach().clone())
            return inner(rows, generator)

        return loss

    settings = _settings(max_steps=40, evaluate_every=40, ema_decay=0.8)
    network, _ = _fitted(settings, validation=False, loss=recording)
    # Weights before each step are seen; those after the last step follow from one more step.
    longer = _settings(max_steps=40, evaluate_every=40, ema_decay=0.0)
    last, _ = _fitted(longer, validation=False)
    trail = [*seen[1:], last.weight.detach()]
    average = seen[0]
    for step, weight in enumerate(trail, start=1):
        decay = min(0.8, (1 + step) / (10 + step))
        average = decay * average + (1 - decay) * weight
    assert torch.allclose(network.weight, average, atol=1e-6)
    assert not torch.allclose(network.weight, last.weight, atol=1e-3)


def test_validation_rows_never_enter_the_loss_that_is_learned() -> None:
    """Rows carry a mark; every batch with a gradient is free of the marked ones, and marks do not change the fit."""
    learned, measured = [], []

    def marked(network):
        def loss(rows, generator):
            x, _y, mark = rows
            (learned if torch.is_grad_enabled() else measured).append(mark)
            return network(x).square().mean(1)

        return loss

    def fit(held_out):
        network = linear(2, 1, Rng(7).torch())
        train(network, marked(network), train_rows, validation=held_out, settings=_settings(), rng=Rng(1))
        return network.weight

    train_rows = (*_rows(100, 3), torch.zeros(100))
    fit((*_rows(30, 2), torch.ones(30)))
    assert not torch.cat(learned).any()
    assert torch.cat(measured).all()


def test_evaluations_are_comparable() -> None:
    """With weights that do not move, every evaluation measures the same number: same rows, same noise."""
    _, history = _fitted(_settings(learning_rate=1e-30))
    assert len({h["validation_loss"] for h in history}) == 1
    assert len({h["loss"] for h in history}) > 1


def test_it_stops_early_and_keeps_the_best_average() -> None:
    """The loss to validate turns at a known weight, which training passes: the fit returns to the turning point."""
    network = linear(1, 1, Rng(7).torch())
    with torch.no_grad():
        network.weight.zero_()

    def loss(rows, generator):
        goal = 1.0 if torch.is_grad_enabled() else 0.5
        return (network.weight - goal).square().expand(len(rows[0]), 1).mean(1)

    settings = Settings(
        max_steps=2000, batch_size=4, learning_rate=0.01, evaluate_every=5, patience=1.5, ema_decay=0.0, warmup_steps=0
    )
    rows = (torch.zeros(8, 1),)
    history = train(network, loss, rows, validation=rows, settings=settings, rng=Rng(1))
    losses = [h["validation_loss"] for h in history]
    best = history[losses.index(min(losses))]["step"]
    assert 1.5 * best <= history[-1]["step"] < 1.5 * best + 5
    assert float((network.weight.detach() - 0.5).square()) == pytest.approx(min(losses))


def test_a_diverging_fit_says_so() -> None:
    def explode(network):
        return lambda rows, generator: (network(rows[0]) * 1e30).square().mean(1)

    with pytest.raises(DivergenceError, match=r"step \d+ of 60 .*learning_rate=0.05"):
        _fitted(_settings(), loss=explode)


@pytest.mark.parametrize(
    "change",
    [
        {"batch_size": 8},
        {"learning_rate": 0.01},
        {"warmup_steps": 5},
        {"final_rate": 0.5},
        {"weight_decay": 0.3},
        {"ema_decay": 0.5},
        {"evaluate_every": 7},
        {"patience": 1.5, "learning_rate": 1e-30},
        {"max_steps": 50},
        {"validation_draws": 10},
    ],
    ids=lambda change: next(iter(change)),
)
def test_every_setting_changes_the_history(change: dict) -> None:
    def shown(history):
        return [(h["step"], h["loss"], h["validation_loss"]) for h in history]

    usual = {"learning_rate": change["learning_rate"]} if "patience" in change else {}
    assert shown(_fitted(_settings(**usual))[1]) != shown(_fitted(_settings(**change))[1])


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"max_steps": 0}, "max_steps=0"),
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"patience": 1.0}, "patience"),
        ({"ema_decay": 1.0}, "ema_decay"),
        ({"weight_decay": -1.0}, "weight_decay"),
        ({"final_rate": 2.0}, "final_rate"),
    ],
)
def test_settings_out_of_range_are_refused(change: dict, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        _settings(**change)


def test_without_validation_rows_it_runs_to_the_end() -> None:
    _, history = _fitted(_settings(patience=1.01), validation=False)
    assert history[-1]["step"] == 60
    assert all(math.isnan(h["validation_loss"]) for h in history)


def test_fewer_rows_than_a_batch_are_repeated() -> None:
    network = linear(2, 1, Rng(7).torch())
    sizes = []

    def loss(rows, generator):
        sizes.append(len(rows[0]))
        return _squares(network)(rows, generator)

    train(network, loss, _rows(3, 3), validation=None, settings=_settings(batch_size=8), rng=Rng(1))
    assert set(sizes) == {8}


def test_fast_products_only_where_the_processor_has_them(tmp_path) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("flags : sse2 avx2\n")
    assert fast_dtype("cpu", WIDE, cpuinfo) == torch.float32
    cpuinfo.write_text("flags : avx512f avx512_bf16\n")
    assert fast_dtype("cpu", WIDE, cpuinfo) == torch.bfloat16
    assert fast_dtype("cpu", WIDE - 1, cpuinfo) == torch.float32
    assert fast_dtype("cpu", WIDE, tmp_path / "absent") == torch.float32
