"""TabSyn: preconditioning and walk against closed forms, tokens by their reach, the falling beta."""

import numpy as np
import pytest
import torch

import toys
from synthcohort.diffusion import edm
from synthcohort.generators.tabsyn import Beta, TabSyn
from synthcohort.networks.tokens import TokenAutoencoder, TransformerBlock, token_numbers
from synthcohort.rng import Rng

RNG = Rng(4)
SMALL = {
    "layers": 1,
    "factor": 4,
    "autoencoder_steps": 20,
    "passes": 0,
    "width": 16,
    "depth": 1,
    "max_steps": 20,
    "batch_size": 32,
    "evaluate_every": 5,
    "steps": 4,
}


def _fit(**changes) -> TabSyn:
    frame, schema = toys.mixed(120)
    return TabSyn(**{**SMALL, **changes}).fit(frame[:90], schema, rng=RNG, validation=frame[90:])


def test_preconditioning_keeps_the_row_at_no_noise_and_unit_variance_at_any() -> None:
    t = torch.tensor([1e-6, 0.1, 0.5, 3.0, 80.0], dtype=torch.float64)
    c_skip, c_out, c_in = edm.preconditioning(t)
    assert c_skip[0] == pytest.approx(1, abs=1e-9)
    assert c_out[0] == pytest.approx(0, abs=1e-5)
    assert c_in[0] == pytest.approx(1 / edm.SCALE)
    variance = edm.SCALE**2 + t**2  # of z_t when z_0 has variance s^2
    assert torch.allclose(c_in**2 * variance, torch.ones(5).double())
    # the aim (z_0 - c_skip z_t) / c_out has unit variance and c_skip is the best linear guess of z_0
    aim = ((1 - c_skip) ** 2 * edm.SCALE**2 + c_skip**2 * t**2) / c_out**2
    assert torch.allclose(aim, torch.ones(5).double())
    assert torch.allclose(c_skip, edm.SCALE**2 / variance)


def test_the_loss_of_the_best_linear_denoiser_is_one() -> None:
    """With F = 0 on Gaussian rows of scale s, D = c_skip z is exact and each entry's error is c_out^2."""
    z_0 = edm.SCALE * torch.randn(40_000, 3, generator=RNG.torch())

    def nothing(x, place):
        assert 0.95 < float(x.std()) < 1.05
        return torch.zeros_like(x)

    losses = edm.loss(lambda z, t: edm.denoise(nothing, z, t), z_0, RNG.branch("noise").torch())
    assert losses.shape == (40_000,)
    assert float(losses.mean()) == pytest.approx(1, abs=0.02)


MEAN = torch.tensor([0.3, -0.6], dtype=torch.float64)
COVARIANCE = torch.tensor([[0.40, 0.15], [0.15, 0.10]], dtype=torch.float64)


def _exact(z: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
    """E[z_0 | z_t] for z_0 ~ N(MEAN, COVARIANCE): m + C (C + t^2)^-1 (z - m)."""
    gain = COVARIANCE @ torch.linalg.inv(COVARIANCE + t[0] ** 2 * torch.eye(2, dtype=torch.float64))
    return MEAN + (z - MEAN) @ gain.T


def _walked(steps: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and covariance of the walk's end: the walk is affine in its noise, so three rows tell all."""
    rows = torch.cat([torch.zeros(1, 2), torch.eye(2)]).double()
    end = edm.multistep(_exact, rows, edm.times(steps))
    slope = end[1:] - end[0]
    return end[0], slope.T @ slope


def test_the_walk_with_the_exact_denoiser_recovers_mean_and_covariance() -> None:
    mean, covariance = _walked(25)
    assert torch.allclose(mean, MEAN, atol=0.02)
    assert torch.allclose(covariance, COVARIANCE, atol=0.012)


def test_the_error_of_the_walk_falls_with_the_square_of_the_steps() -> None:
    errors = [float((_walked(steps)[1] - COVARIANCE).abs().max()) for steps in (25, 50, 100)]
    assert 3 < errors[0] / errors[1] < 6
    assert 3 < errors[1] / errors[2] < 6


def test_times_fall_evenly_from_the_largest_to_the_smallest() -> None:
    t = edm.times(25)
    assert len(t) == 25
    assert float(t[0]) == pytest.approx(edm.LARGEST)
    assert float(t[-1]) == pytest.approx(edm.SMALLEST)
    assert torch.allclose(t.log().diff(), t.log().diff()[0].expand(24))


def test_a_step_is_an_evaluation() -> None:
    calls = []

    def counting(z, t):
        calls.append(float(t[0]))
        return _exact(z, t)

    edm.multistep(counting, torch.zeros(3, 2, dtype=torch.float64), edm.times(25))
    assert len(calls) == 25


def _autoencoder(**changes) -> TokenAutoencoder:
    settings = {"numeric": 2, "levels": (3, 4), "token": 4, "layers": 1, "factor": 2, "most_tokens": 64}
    return TokenAutoencoder(**{**settings, **changes}, generator=RNG.torch())


def test_tokens_have_their_shapes() -> None:
    network = _autoencoder()
    x = torch.randn(5, 9, generator=RNG.torch())
    mu, log_sigma = network.encode(x)
    assert mu.shape == log_sigma.shape == (5, 16)
    assert network.decode(mu).shape == (5, 9)
    assert token_numbers(2, (3, 4), 64).tolist() == [0, 1, 2, 2, 2, 3, 3, 3, 3]
    assert token_numbers(2, (3, 4), 2).tolist() == [0, 0, 1, 1, 1, 1, 1, 1, 1]
    assert token_numbers(0, (), 2).tolist() == []
    assert _autoencoder(numeric=1000, levels=(), most_tokens=64).tokens == 63


def test_a_cell_reaches_its_own_token_only_and_back() -> None:
    network = _autoencoder(layers=0)
    weight = network.enter.weight * network.enter.mask  # [G d, F]
    x = torch.zeros(1, 9)
    x[0, 0], x[0, 3] = 2.0, 1.0  # the first score, the second level of the first categorical column
    tokens = network.encode(x)[0].view(4, 4)
    bias = network.enter.bias.view(4, 4)
    assert torch.allclose(tokens[0], 2 * weight[:4, 0] + bias[0])  # x w + b
    assert torch.allclose(tokens[2], weight[8:12, 3] + bias[2])  # the level's row of W, + b
    assert torch.allclose(tokens[1], bias[1])
    z = torch.zeros(2, 16)
    z[1, 4:8] = 1.0  # the second token
    changed = network.decode(z).diff(dim=0)[0] != 0
    assert changed.tolist() == [False, True] + [False] * 7


def test_attention_equals_its_formula() -> None:
    block = TransformerBlock(4, 8, RNG.torch()).double()
    for p in block.answer.parameters():
        torch.nn.init.normal_(p, generator=RNG.torch())
    h = torch.randn(1, 3, 4, generator=RNG.torch(), dtype=torch.float64)
    q, k, v = np.split(block.ask(block.first_norm(h))[0].detach().numpy(), 3, axis=1)
    weights = np.exp(q @ k.T / 2)  # sqrt(d) = 2
    mixed = weights / weights.sum(axis=1, keepdims=True) @ v
    expected = h[0].numpy() + mixed @ block.answer.weight.detach().numpy().T + block.answer.bias.detach().numpy()
    assert np.allclose(block(h)[0].detach().numpy(), expected)  # the perceptron's last layer starts at zero


def test_beta_falls_when_reconstruction_stops_improving_and_never_below_its_end() -> None:
    beta = Beta(1e-2, 4e-3, window=2)
    for loss in (5.0, 3.0, 2.0, 2.0):  # means 4, 2
        beta.observe(loss)
    assert beta.value == 1e-2
    for loss in (3.0, 3.0):
        beta.observe(loss)
    assert beta.value == pytest.approx(7e-3)
    for loss in (1.0, 1.0):  # better than ever
        beta.observe(loss)
    assert beta.value == pytest.approx(7e-3)
    for loss in [1.0] * 6:
        beta.observe(loss)
    assert beta.value == 4e-3


def test_beta_is_at_work_in_a_fit() -> None:
    generator = _fit(autoencoder_steps=150, learning_rate=1e-6)
    assert 1e-5 <= generator.beta.value < 1e-2


def test_the_steps_of_a_draw_change_its_rows() -> None:
    generator = _fit()
    assert not generator.sample(20, rng=RNG).equals(generator.sample(20, rng=RNG, steps=7))
    with pytest.raises(ValueError, match="steps=1"):
        generator.sample(20, rng=RNG, steps=1)


def test_a_long_table_has_as_many_steps_as_its_passes_take() -> None:
    """90 rows: 20 steps of the autoencoder, then 20 of the score model, or 40 passes in batches of 32."""
    frame, schema = toys.mixed(90)
    steps = [
        TabSyn(**{**SMALL, "passes": passes}).fit(frame, schema, rng=RNG).history[-1]["step"] for passes in (1, 40)
    ]
    assert steps == [20 + 20, 20 + 40 * 90 // 32]
