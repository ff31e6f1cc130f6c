"""The encoder-decoder transformer: who may see whom, and what a thousand columns cost."""

import math

import pytest
import torch
from torch import Tensor, nn

from synthcohort.networks.completing_mlp import CompletingMLP
from synthcohort.networks.transformer import Addition, Attention, Concatenation, Transformer
from synthcohort.rng import Rng

P, LEVELS = 3, (2, 4)
C = P + len(LEVELS)
CONDITIONS = [Attention, Addition, Concatenation]


def _shaken(net: nn.Module) -> nn.Module:
    """Move every weight off its start, where the last layers are zero."""
    noise = Rng(9).torch()
    with torch.no_grad():
        for p in net.parameters():
            p.add_(0.3 * torch.randn(p.shape, generator=noise))
    return net


def _transformer(condition: type[nn.Module] = Attention) -> Transformer:
    return _shaken(
        Transformer(numeric=P, levels=LEVELS, width=8, depth=2, heads=2, generator=Rng(1).torch(), condition=condition)
    )


def _mlp() -> CompletingMLP:
    return _shaken(CompletingMLP(numeric=P, levels=LEVELS, width=8, depth=2, generator=Rng(1).torch()))


NETWORKS = [*(lambda c=c: _transformer(c) for c in CONDITIONS), _mlp]
IDS = ["attention", "addition", "concatenation", "mlp"]
GIVEN = torch.tensor([[True, False, False, True, False]])
FREE = torch.tensor([[False, True, False, False, True]])  # the third column is neither


def _cells(seed: int) -> tuple[Tensor, Tensor]:
    g = Rng(seed).torch()
    return torch.randn(1, P, generator=g), torch.tensor([[seed % 2, seed % 4]])


def _answer(net: nn.Module, clean: tuple, noisy: tuple, given: Tensor = GIVEN, free: Tensor = FREE) -> Tensor:
    v, logits = net.decode(*noisy, torch.tensor([[0.5]]), free, torch.tensor([0.3]), net.encode(*clean, given))
    return torch.cat([v.flatten(1), logits], dim=1)[0]


def _changed(values: Tensor, codes: Tensor, column: int) -> tuple[Tensor, Tensor]:
    values, codes = values.clone(), codes.clone()
    if column < P:
        values[0, column] += 1.0
    else:
        codes[0, column - P] = (codes[0, column - P] + 1) % LEVELS[column - P]
    return values, codes


@torch.no_grad()
@pytest.mark.parametrize("make", NETWORKS, ids=IDS)
@pytest.mark.parametrize("column", range(C))
def test_a_free_cell_sees_given_and_free_cells_and_no_others(make, column: int) -> None:
    net, clean, noisy = make(), _cells(2), _cells(3)
    usual = _answer(net, clean, noisy)[3]  # the mean of the free numeric cell
    by_clean = _answer(net, _changed(*clean, column), noisy)[3]
    by_noisy = _answer(net, clean, _changed(*noisy, column))[3]
    assert bool(by_clean != usual) == bool(GIVEN[0, column])
    assert bool(by_noisy != usual) == bool(FREE[0, column])


@torch.no_grad()
@pytest.mark.parametrize("make", NETWORKS, ids=IDS)
def test_answers_depend_on_the_time_and_on_which_cells_are_given(make) -> None:
    net, clean, noisy = make(), _cells(2), _cells(3)
    usual = _answer(net, clean, noisy)
    assert not torch.equal(usual[3], _answer(net, clean, noisy, given=torch.zeros_like(GIVEN))[3])
    later = net.decode(*noisy, torch.tensor([[0.5]]), FREE, torch.tensor([0.9]), net.encode(*clean, GIVEN))[0]
    assert not torch.equal(usual[3], later[0, 1, 0])


@torch.no_grad()
@pytest.mark.parametrize("make", NETWORKS, ids=IDS)
def test_rows_without_given_cells_and_rows_side_by_side(make) -> None:
    """A row's answer is the same alone and beside others; nothing given, or all free, is ordinary."""
    net = make()
    rows = [(_cells(k), _cells(k + 9)) for k in range(3)]
    given = torch.cat([GIVEN, torch.zeros_like(GIVEN), torch.zeros_like(GIVEN)])
    free = torch.cat([FREE, FREE, torch.ones_like(FREE)])
    alone = torch.stack([_answer(net, *rows[k], given[k : k + 1], free[k : k + 1]) for k in range(3)])
    clean, noisy = ([torch.cat([row[side][part] for row in rows]) for part in (0, 1)] for side in (0, 1))
    v, logits = net.decode(*noisy, torch.full((3, 1), 0.5), free, torch.full((3,), 0.3), net.encode(*clean, given))
    assert torch.isfinite(alone).all()
    assert torch.allclose(torch.cat([v.flatten(1), logits], dim=1), alone, atol=1e-5)


@torch.no_grad()
def test_attention_is_that_of_the_textbook() -> None:
    """softmax(q k^T / sqrt(d)) v head by head, over the tokens that may be seen alone."""
    layer = _shaken(Attention(8, 2, Rng(4).torch()))
    g = Rng(5).torch()
    h, memory = torch.randn(1, 3, 8, generator=g), torch.randn(1, 4, 8, generator=g)
    shut = torch.tensor([[0.0, -math.inf, 0.0, -math.inf]])
    q, (k, v) = layer.ask(h)[0], layer.tell(memory[:, [0, 2]])[0].chunk(2, dim=1)
    heads = [(q[:, s] @ k[:, s].T / 2).softmax(1) @ v[:, s] for s in (slice(0, 4), slice(4, 8))]
    assert torch.allclose(layer(h, memory, shut)[0], layer.answer(torch.cat(heads, dim=1)), atol=1e-5)


@torch.no_grad()
def test_simpler_conditions_read_the_mean_of_what_may_be_seen() -> None:
    g = Rng(6).torch()
    h, memory = torch.randn(1, 3, 8, generator=g), torch.randn(1, 4, 8, generator=g)
    shut = torch.tensor([[0.0, -math.inf, 0.0, -math.inf]])
    one = memory[:, [0, 2]].mean(1, keepdim=True)
    for condition in (Addition, Concatenation):
        layer = _shaken(condition(8, 2, Rng(4).torch()))
        assert torch.allclose(layer(h, memory, shut), layer(h, one, torch.zeros(1, 1)), atol=1e-5)


@pytest.mark.parametrize(("numeric", "levels"), [(3, ()), (0, (2, 5)), (1, ())], ids=["numeric", "levels", "one"])
def test_tables_of_one_kind_are_ordinary(numeric: int, levels: tuple[int, ...]) -> None:
    columns, total = numeric + len(levels), sum(levels)
    for net in (
        Transformer(numeric=numeric, levels=levels, width=8, depth=1, heads=2, generator=Rng(1).torch()),
        CompletingMLP(numeric=numeric, levels=levels, width=8, depth=1, generator=Rng(1).torch()),
    ):
        cells = torch.zeros(4, numeric), torch.zeros(4, len(levels), dtype=torch.int64)
        nothing = torch.zeros(4, columns, dtype=torch.bool)
        v, logits = net.decode(*cells, torch.rand(4, 1), ~nothing, torch.rand(4), net.encode(*cells, nothing))
        assert (v.shape, logits.shape) == ((4, numeric, 3), (4, total))


def _saved_bytes(columns: int) -> int:
    """Return the bytes that one pass keeps for its gradient."""
    net = Transformer(
        numeric=columns // 2, levels=(2,) * (columns // 2), width=16, depth=1, heads=2, generator=Rng(1).torch()
    )
    kept: dict[int, int] = {}

    def keep(x: Tensor) -> Tensor:
        kept[x.untyped_storage().data_ptr()] = x.untyped_storage().nbytes()
        return x

    cells = torch.zeros(4, columns // 2), torch.zeros(4, columns // 2, dtype=torch.int64)
    free = torch.arange(columns).expand(4, columns) % 2 == 0
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda x: x):
        answers = net.decode(*cells, torch.rand(4, 1), free, torch.rand(4), net.encode(*cells, ~free))
    assert len(answers) == 2
    return sum(kept.values())


def test_memory_grows_linearly_with_the_columns() -> None:
    assert _saved_bytes(1_200) < 2.1 * _saved_bytes(600)


def test_first_weights_come_from_the_generator_alone() -> None:
    before = torch.get_rng_state()
    one, other = (_transformer().state_dict() for _ in range(2))
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert torch.equal(torch.get_rng_state(), before)
