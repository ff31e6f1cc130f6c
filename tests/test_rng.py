"""Named branches: stable, independent, and nothing global."""

import numpy as np
import pytest
import torch

from synthcohort.rng import Rng


def test_the_same_branch_gives_the_same_stream_in_numpy_and_torch():
    a, b = Rng(5).branch("fit", 3), Rng(5).branch("fit").branch("3")
    assert a == b
    assert a.numpy().random(4).tolist() == b.numpy().random(4).tolist()
    assert torch.equal(torch.randn(4, generator=a.torch()), torch.randn(4, generator=b.torch()))
    assert a.integer() == b.integer()


def test_branch_values_are_frozen_across_machines():
    """A change of these numbers would silently change every result of the study."""
    assert Rng(1).branch("x").integer() == 1269871909
    assert Rng(1).branch("x").numpy().integers(1000) == 132


def test_names_are_not_confused_by_joining():
    assert Rng(1).branch("ab", "c").integer() != Rng(1).branch("a", "bc").integer()


def test_streams_of_sibling_branches_are_uncorrelated():
    draws = np.array([Rng(1).branch("row", i).numpy().standard_normal(200) for i in range(50)])
    off = np.corrcoef(draws)[np.triu_indices(50, 1)]
    assert abs(off.mean()) < 0.01
    assert off.std() == pytest.approx(1 / np.sqrt(200), rel=0.15)


def test_a_branch_needs_a_name():
    with pytest.raises(ValueError, match="at least one name"):
        Rng(1).branch()
