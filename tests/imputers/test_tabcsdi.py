"""TabCSDI: its equations, what is asked for in training, and a law it learns."""

import numpy as np
import pytest
import torch
from imputer_toys import COVARIANCE, SCHEMA, gaussian, given

from synthcohort.imputers.tabcsdi import TabCSDI, ancestral, asked_for, quadratic
from synthcohort.missingness import hide, mcar
from synthcohort.networks.csdi import CSDI
from synthcohort.rng import Rng


def test_the_steps_have_evenly_spaced_square_roots() -> None:
    betas = quadratic(50, 1e-4, 0.5)
    assert float(betas[0]) == pytest.approx(1e-4) and float(betas[-1]) == pytest.approx(0.5)
    assert torch.allclose(betas.sqrt().diff(), betas.sqrt().diff()[0].expand(49), atol=1e-6)


def test_cells_that_are_asked_for_were_there_and_go_together() -> None:
    owner = torch.tensor([0, 1, 2, 2, 2])
    there = torch.ones(20_000, 5)
    there[:, 1] = 0
    there[::2, 2:] = 0
    asked = asked_for(there, owner, Rng(1).torch())
    assert not (asked * (1 - there)).any()
    assert torch.equal(asked[:, 2], asked[:, 3]) and torch.equal(asked[:, 2], asked[:, 4])
    # Each cell is asked for with E[r] = 1/2, and two of them together with E[r^2] = 1/3.
    both = there[:, [0, 2]].all(1)
    assert float(asked[both][:, 0].mean()) == pytest.approx(1 / 2, abs=0.015)
    assert float(asked[both][:, [0, 2]].all(1).float().mean()) == pytest.approx(1 / 3, abs=0.015)


def test_ancestral_steps_with_the_true_noise_law_draw_the_law() -> None:
    """x ~ N(2, 0.5^2): eps is known in closed form, and the walk ends at that mean and spread."""
    betas = quadratic(200, 1e-4, 0.5)
    alpha_bar = (1 - betas).cumprod(0)
    generator = Rng(2).torch()
    x = torch.randn(20_000, 1, generator=generator)
    for k in reversed(range(200)):
        a = alpha_bar[k]
        x_0 = 2 + 0.25 * a.sqrt() / (0.25 * a + 1 - a) * (x - 2 * a.sqrt())
        eps = (x - a.sqrt() * x_0) / (1 - a).sqrt()
        noise = torch.randn(x.shape, generator=generator) if k else torch.zeros_like(x)
        x = ancestral(x, eps, noise, k=k, betas=betas, alpha_bar=alpha_bar)
    assert float(x.mean()) == pytest.approx(2, abs=0.02) and float(x.std()) == pytest.approx(0.5, abs=0.02)


@torch.no_grad()
def test_the_network_reads_what_is_given_clean_and_the_rest_noisy() -> None:
    net = CSDI(columns=3, width=8, depth=2, heads=2, feature=4, generator=Rng(1).torch())
    g = Rng(2).torch()
    for weight in net.parameters():
        weight.add_(0.3 * torch.randn(weight.shape, generator=g))
    noisy, clean = torch.randn(2, 1, 3, generator=g)
    given = torch.tensor([[1.0, 0.0, 0.0]])
    usual = net(noisy, clean, given, torch.tensor([0.4]))
    for j in range(3):
        moved = torch.zeros(1, 3)
        moved[0, j] = 1.0
        assert bool((net(noisy + moved, clean, given, torch.tensor([0.4])) != usual).any()) == (j > 0)
        assert bool((net(noisy, clean + moved, given, torch.tensor([0.4])) != usual).any()) == (j == 0)
    assert (net(noisy, clean, given, torch.tensor([0.9])) != usual).any()
    assert (net(noisy, clean, torch.zeros(1, 3), torch.tensor([0.4])) != usual).any()


def test_it_learns_the_conditional_law_of_a_normal_table() -> None:
    frame = gaussian(1_500, 1)
    train = hide(frame, mcar(frame, SCHEMA, rate=0.2, rng=Rng(3)))
    model = TabCSDI(
        width=16, depth=1, heads=2, feature=4, steps=40, max_steps=2_000, batch_size=256, learning_rate=5e-3
    )
    model.fit(train, SCHEMA, rng=Rng(4))
    row = gaussian(1, 7).iloc[0].to_numpy() + 0.7
    rows = gaussian(1_500, 5)
    rows.loc[:, :] = row
    rows["b"] = np.nan
    drawn = model.impute(SCHEMA.cast(rows), rng=Rng(6))[0]["b"]
    law = given(row, [1])
    spread = float(np.sqrt(COVARIANCE[1, 1]))
    assert abs(drawn.mean() - law.mean[0]) < 0.2 * spread
    assert abs(drawn.std() / np.sqrt(law.covariance[0, 0]) - 1) < 0.2


@pytest.mark.parametrize(
    "bad",
    [{"depth": 0}, {"heads": 3}, {"width": 7}, {"beta_first": 0.6}, {"beta_last": 1.0}, {"steps": 0}, {"max_steps": 0}],
)
def test_settings_out_of_range_are_refused(bad) -> None:
    with pytest.raises(ValueError, match=next(iter(bad))):
        TabCSDI(**bad)
