"""Guidance and its gate: limiting cases, sums by hand, momentum, and the laws that guided draws have."""

import math
from functools import partial

import pytest
import torch

from synthcohort.diffusion.estimate import Read, Shown
from synthcohort.diffusion.guidance import Guided, Strength, gate_as_coded, gate_as_printed, hide, only
from synthcohort.diffusion.multinomial import Layout, forward_law
from synthcohort.diffusion.sampler import State
from synthcohort.diffusion.schedule import Cosine
from synthcohort.rng import Rng

INF = math.inf
D = torch.tensor([-4.0, -1.0, -0.25, 0.0, 0.25, 1.0, 4.0])
GATES = [
    # gate, weight, threshold, mu at D
    (gate_as_printed, 2.0, INF, [8, 2, 1, 1, 1, 2, 8]),
    (gate_as_printed, 2.0, 1.0, [0, 0, 1, 1, 1, 0, 0]),
    (gate_as_printed, 2.0, 0.0, [0] * 7),
    (gate_as_printed, 0.0, INF, [1] * 7),
    (gate_as_printed, 0.0, 0.5, [0, 0, 1, 1, 1, 0, 0]),
    (gate_as_coded, 2.0, INF, [1, 1, 0.5, 0, 0.5, 1, 1]),
    (gate_as_coded, 2.0, 1.0, [1, 1, 0.5, 0, 0.5, 1, 0]),
    (gate_as_coded, 2.0, 0.0, [1, 1, 0.5, 0, 0, 0, 0]),
    (gate_as_coded, 0.0, INF, [0] * 7),
    (gate_as_coded, 1e30, INF, [1, 1, 1, 0, 1, 1, 1]),
]
OPEN = partial(gate_as_printed, weight=0.0, threshold=INF)
X = State(torch.zeros(3, 2), torch.zeros(3, 0, dtype=torch.int64))


class Says:
    """An estimator that says the same at every step and counts how often it is asked."""

    def __init__(self, *numbers: float) -> None:
        self.numbers = torch.tensor(numbers).expand(3, -1)
        self.asked = 0

    def __call__(self, x_t: State, t: torch.Tensor) -> torch.Tensor:
        self.asked += 1
        return self.numbers


def _strength(**changes) -> Strength:
    return Strength(**{"target": 1.0, "sensitive": 1.0, "gate": OPEN, **changes})


def _walk(guided: Guided, *times: float) -> list[float]:
    return [float(guided(X, torch.tensor(t))[0, 0]) for t in times]


@pytest.mark.parametrize(("gate", "weight", "threshold", "expected"), GATES)
def test_the_gate_in_its_limiting_cases(gate, weight, threshold, expected) -> None:
    assert gate(D, weight=weight, threshold=threshold).tolist() == expected


def test_weight_zero_is_the_start_bit_for_bit_and_asks_nothing_else() -> None:
    start, others = Says(0.1, math.pi), [Says(1.0, 2.0) for _ in range(4)]
    strength = _strength(target=0.0, sensitive=0.0, momentum=0.7)
    guided = Guided(start, others[0], others[1], tuple(others[2:]), strength)
    assert torch.equal(guided(X, torch.tensor(0.5)), start.numbers)
    assert [s.asked for s in (start, *others)] == [1, 0, 0, 0, 0]


def test_the_published_sum_by_hand() -> None:
    """e() = 1, e(y) = 3, e(s) = 2 and 5; gate as coded, w = 1/4: mu = 1/4 at d = 1 and 1/2 at d = -2."""
    free, target, sensitive = Says(1.0), Says(3.0), (Says(2.0), Says(5.0))
    gate = partial(gate_as_coded, weight=0.25, threshold=INF)
    guided = Guided(free, free, target, sensitive, _strength(target=2.0, sensitive=2.0, gate=gate))
    assert _walk(guided, 0.5) == [1 + 2 * (2 + 0.25 * 1 + 0.5 * 4)]
    assert free.asked == 1


def test_the_gate_is_held_entry_by_entry() -> None:
    free, target, sensitive = Says(0.0, 0.0), Says(1.0, 1.0), (Says(0.9, -3.0),)
    gate = partial(gate_as_printed, weight=0.0, threshold=1.0)
    guided = Guided(free, free, target, sensitive, _strength(target=0.0, gate=gate))
    assert guided(X, torch.tensor(0.5))[0].tolist() == pytest.approx([0.9, 0.0])


def test_without_a_target_the_gate_compares_with_the_free_estimate() -> None:
    free, gate = Says(1.0), partial(gate_as_coded, weight=0.5, threshold=INF)
    assert _walk(Guided(free, free, None, (Says(2.0),), _strength(gate=gate)), 0.5) == [1 + 0.5]


def test_momentum_by_hand() -> None:
    """gamma = 1 + nu / 2, nu <- nu / 4 + 3/4 gamma: gamma = 1, then 1 + 3/8, and so on."""
    free = Says(0.0)
    guided = Guided(free, free, Says(0.0), (Says(1.0),), _strength(momentum=0.5, decay=0.25))
    nu, expected = 0.0, []
    for _ in range(4):
        gamma = 1 + 0.5 * nu
        nu = 0.25 * nu + 0.75 * gamma
        expected.append(gamma)
    assert expected[1] == 1.375
    assert _walk(guided, 1.0, 0.75, 0.5, 0.25) == expected


def test_a_warm_up_is_the_start_of_the_walk_and_gathers_momentum() -> None:
    free = Says(0.0)
    guided = Guided(free, free, Says(5.0), (Says(1.0),), _strength(warm_up=0.4, momentum=0.5, decay=0.0))
    assert _walk(guided, 1.0, 0.75, 0.5) == [5.0, 5.0, 5.0 + 1 + 0.5 * (1 + 0.5 * 1)]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"target": math.nan}, "target=nan"),
        ({"sensitive": INF}, "sensitive=inf"),
        ({"warm_up": 1.1}, "warm_up=1.1 is not in"),
        ({"momentum": -1.0}, "momentum=-1.0"),
        ({"decay": 1.0}, "decay=1.0"),
    ],
)
def test_what_is_out_of_range_is_refused_by_name(change, message) -> None:
    with pytest.raises(ValueError, match=message):
        _strength(**change)


def test_attributes_are_hidden_but_for_one_or_none_in_a_share_of_the_rows() -> None:
    n, given = 40_000, torch.tensor([[4, 0, 2]]).expand(40_000, -1)
    generator = Rng(3).torch()
    assert torch.equal(hide(given, 0.0, generator), given + 1)
    shown = hide(given, 0.25, generator)
    patterns, counts = (shown > 0).unique(dim=0, return_counts=True)
    assert patterns.tolist() == [[0, 0, 0], [0, 0, 1], [0, 1, 0], [1, 0, 0], [1, 1, 1]]
    for count in counts[:4].tolist():
        assert abs(count / n - 0.0625) < 5 * math.sqrt(0.0625 / n)
    assert torch.equal(shown[shown > 0], (given + 1)[shown > 0])
    assert hide(given[:5, :0], 1.0, generator).shape == (5, 0)


def test_only_one_attribute_is_shown() -> None:
    given = torch.tensor([[4, 0], [1, 1]])
    assert only(given, 1).tolist() == [[0, 1], [0, 2]]
    assert only(given, None).tolist() == [[0, 0], [0, 0]]


K = 5
LAYOUT = Layout((K,))
P_X = torch.tensor([0.1, 0.3, 0.25, 0.15, 0.2], dtype=torch.float64)
P_Y = torch.tensor([0.9, 0.2, 0.5, 0.7, 0.1], dtype=torch.float64)  # p(y | x)
P_S = torch.tensor([0.3, 0.8, 0.1, 0.6, 0.5], dtype=torch.float64)  # p(s | x), and y, s independent given x


def _exact(law: torch.Tensor):
    """Return the estimator log p(x_0 | x_t) of a law of one column; up to a number a row, as logits are."""

    def says(x_t: State, t: torch.Tensor) -> torch.Tensor:
        x = LAYOUT.one_hot(x_t.codes, torch.float64)
        return (law * forward_law(x, Cosine().alpha_bar(t), LAYOUT)).log()

    return says


def _law(estimator, t: float) -> torch.Tensor:
    x_t = State(torch.zeros(K, 0, dtype=torch.float64), torch.arange(K)[:, None])
    none = torch.zeros(0, dtype=torch.float64)
    read = Read(estimator, lambda e: e, Cosine(), LAYOUT, none, none)
    return read(x_t, torch.tensor(t, dtype=torch.float64)).p_0


@pytest.mark.parametrize("t", [0.1, 0.6, 0.95])
def test_the_published_sum_is_the_joint_estimate_where_target_and_group_are_independent(t) -> None:
    free = _exact(P_X)
    guided = Guided(free, free, _exact(P_X * P_Y), (_exact(P_X * P_S),), _strength())
    torch.testing.assert_close(_law(guided, t), _law(_exact(P_X * P_Y * P_S), t))


@pytest.mark.parametrize("w", [-0.5, 0.5, 2.0])
def test_sensitive_guidance_of_the_joint_estimate_raises_the_group_to_a_power(w) -> None:
    joint = _exact(P_X * P_Y * P_S)
    guided = Guided(joint, _exact(P_X), None, (_exact(P_X * P_S),), _strength(target=0.0, sensitive=w))
    torch.testing.assert_close(_law(guided, 0.6), _law(_exact(P_X * P_Y * P_S ** (1 + w)), 0.6))


def test_rows_and_attributes_are_handed_on_together() -> None:
    def body(x_t: State, t: torch.Tensor, shown: torch.Tensor) -> torch.Tensor:
        return torch.cat([x_t.numeric, shown.float(), t[:, None]], dim=1)

    x_t = State(torch.arange(14.0).view(7, 2), torch.zeros(7, 0, dtype=torch.int64))
    attributes = torch.arange(7)[:, None]
    whole = Shown(body, attributes, 7)(x_t, torch.tensor(0.25))
    assert torch.equal(whole, Shown(body, attributes, 3)(x_t, torch.tensor(0.25)))
    assert whole[4].tolist() == [8.0, 9.0, 4.0, 0.25]


def test_an_estimate_outside_the_training_range_is_moved_to_its_border() -> None:
    low, high = torch.tensor([-1.0]), torch.tensor([2.0])
    x_t = State(torch.tensor([[50.0], [0.1], [-50.0]]), torch.zeros(3, 0, dtype=torch.int64))
    read = Read(lambda x, t: torch.zeros(3, 1), lambda e: e, Cosine(), Layout(()), low, high)
    t = torch.tensor(0.3)
    inside = 0.1 / float(Cosine().alpha_bar(t).sqrt())
    assert read(x_t, t).x_0[:, 0].tolist() == pytest.approx([2.0, inside, -1.0], rel=1e-6)
