"""The audit of the private loop: not above the claim of a sound loop, and above that of one broken on purpose."""

import ast
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from synthcohort.cells import audit_faults, audit_loop
from synthcohort.cells.audit_loop import Plan
from synthcohort.dp import accountant
from synthcohort.dp.clipping import ClippedSum
from synthcohort.rng import Rng

DELTA = 1e-6
SOURCE = Path(audit_loop.__file__).parents[1]


def plan(epsilon, *, rows=900, canaries=800, batch=900, steps=20):
    sigma = accountant.noise_multiplier(epsilon=epsilon, delta=DELTA, sampling_rate=batch / rows, steps=steps)
    return Plan(rows, canaries, batch, steps, 1.0, sigma, DELTA)


@pytest.fixture(scope="module")
def sampled():
    """Return a plan that claims epsilon = 1 with a quarter of the rows in a step."""
    return plan(1.0, batch=225)


def bounds(audited, own, *, runs):
    return np.array([audited(own, Rng(7, (str(run),)), confidence=0.95).epsilon for run in range(runs)])


@pytest.mark.parametrize("epsilon", [0.5, 2.0, 8.0])
def test_a_sound_loop_is_bounded_below_its_claim(epsilon):
    found = bounds(audit_loop.sound, plan(epsilon), runs=15)
    assert (found > epsilon).sum() <= 3  # of 15; 4 or more have a probability of 0.5 % if the chance of each is 5 %


def test_a_sound_loop_with_sampling_is_bounded_below_its_claim(sampled):
    assert (bounds(audit_loop.sound, sampled, runs=15) > 1.0).sum() <= 3


def test_the_bound_of_a_sound_loop_grows_with_its_budget():
    found = [bounds(audit_loop.sound, plan(epsilon), runs=3).mean() for epsilon in (0.5, 4.0, 16.0)]
    assert found == sorted(found) and found[1] > 0.7 and found[2] > 2.5


@pytest.mark.parametrize("broken", [audit_loop.unclipped, audit_loop.reused_noise])
def test_a_broken_loop_is_caught(broken, sampled):
    assert (bounds(broken, sampled, runs=3) > 1.0).all()
    assert broken(plan(4.0, rows=2100, canaries=2000, batch=525), Rng(8), confidence=0.95).epsilon > 4.0


def test_a_loop_with_half_the_noise_it_claims_is_caught():
    own = plan(1.0, batch=900, steps=20)
    weaker = replace(own, noise_multiplier=own.noise_multiplier / 6)
    assert (bounds(audit_loop.sound, weaker, runs=3) > 1.0).all()


def test_a_canary_alone_moves_its_mark_and_by_the_clip_norm_at_most():
    own = Plan(rows=30, canaries=20, batch_size=30, steps=1, clip_norm=0.5, noise_multiplier=1.0, delta=DELTA)
    network = audit_loop.Watched(20, Rng(1))
    inside = np.arange(20) % 2 == 0
    rows = audit_loop._rows(own, inside, Rng(2))
    clipped = ClippedSum(network, network.losses, 0.5)
    drawn = clipped(rows, torch.Generator())
    marks = dict(zip([id(w) for w in clipped.weights], drawn, strict=True))[id(network.marks.weight)]
    clipped.close()
    assert torch.allclose(marks, 0.5 * torch.from_numpy(inside.astype(np.float32)), atol=1e-5)
    plain = audit_faults.UnclippedSum(network, network.losses)(rows, torch.Generator())
    assert any(torch.allclose(part, 10 * 0.5 * torch.from_numpy(inside.astype(np.float32))) for part in plain[-1:])


def test_reused_noise_is_the_same_at_every_call_and_its_sampling_is_not():
    noise = audit_faults.ReusedNoise(Rng(3))
    assert (noise.normal(5) == noise.normal(5)).all() and (noise.uniform(5) != noise.uniform(5)).all()


def test_only_the_audit_knows_the_faults():
    users = [
        path.relative_to(SOURCE).as_posix()
        for path in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and "audit_faults" in f"{node.module} {[a.name for a in node.names]}"
    ]
    assert users == ["cells/audit_loop.py"]
