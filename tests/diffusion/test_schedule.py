"""The share of signal over time."""

import math

import pytest
import torch

from synthcohort.diffusion.schedule import Cosine, time_grid


def test_signal_falls_from_one_to_nearly_nothing() -> None:
    alpha_bar = Cosine().alpha_bar(torch.linspace(0, 1, 1001, dtype=torch.float64))
    assert alpha_bar[0] == 1
    assert (alpha_bar.diff() < 0).all()
    assert 0 < alpha_bar[-1] < 1e-3


def test_values_follow_the_formula() -> None:
    def f(t: float) -> float:
        return math.cos(math.pi / 2 * (0.9 * t + 0.1) / 1.1) ** 2

    alpha_bar = Cosine(offset=0.1, t_max=0.9).alpha_bar(torch.tensor([0.0, 0.3, 1.0], dtype=torch.float64))
    assert torch.allclose(alpha_bar, torch.tensor([f(t) / f(0) for t in (0, 0.3, 1)], dtype=torch.float64))


def test_grid_runs_from_one_to_zero() -> None:
    assert time_grid(4).tolist() == [1.0, 0.75, 0.5, 0.25, 0.0]
    with pytest.raises(ValueError, match="steps=0"):
        time_grid(0)
