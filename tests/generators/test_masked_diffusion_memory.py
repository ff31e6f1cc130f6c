"""A thousand columns in 4 GB: bytes are counted, of few rows, and multiplied by the rows the generator hands over."""

import pytest
import torch
from torch import Tensor

import toys
from synthcohort.diffusion import masked
from synthcohort.generators.mtabgen import MTabGen
from synthcohort.generators.parts import masked_diffusion
from synthcohort.networks.transformer import Transformer
from synthcohort.rng import Rng

COLUMNS = 1_024
LIMIT = 4 * 10**9
SMALL = {"width": 8, "depth": 1, "heads": 2, "max_steps": 4, "batch_size": 32, "evaluate_every": 2, "steps": 2}


def _network(kind: str) -> tuple[Transformer, Tensor, Tensor]:
    """Return the network as MTabGen builds it by default, for a wide table, and two of its rows."""
    numeric, levels = (COLUMNS, ()) if kind == "numeric" else (0, (2,) * COLUMNS)
    usual = MTabGen()
    net = Transformer(
        numeric=numeric, levels=levels, width=usual.width, depth=usual.depth, heads=usual.heads,
        generator=Rng(1).torch(),
    )  # fmt: skip
    return net, torch.zeros(2, numeric), torch.zeros(2, len(levels), dtype=torch.int64)


def _pass(kind: str) -> tuple[int, int]:
    """Return the bytes a row keeps for its gradient, and those its encoder's answer takes."""
    net, values, codes = _network(kind)
    free = torch.arange(COLUMNS).expand(2, COLUMNS) % 2 == 0
    weights = {p.untyped_storage().data_ptr() for p in net.parameters()}
    kept: dict[int, int] = {}

    def keep(x: Tensor) -> Tensor:
        if x.untyped_storage().data_ptr() not in weights:
            kept[x.untyped_storage().data_ptr()] = x.untyped_storage().nbytes()
        return x

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda x: x):
        memory = net.encode(values, codes, ~free)
        answers = net.decode(values, codes, torch.rand(2, 1), free, torch.rand(2), memory)
    assert len(answers) == 2
    return sum(kept.values()) // 2, sum(part.nbytes for part in memory) // 2


@pytest.mark.parametrize("kind", ["numeric", "binary"])
def test_a_thousand_columns_train_and_draw_within_4_gb(kind: str) -> None:
    gradient, memory = _pass(kind)
    rows_a_call, rows_at_once = masked_diffusion.CELLS // COLUMNS, masked_diffusion.WALKING // COLUMNS
    state = COLUMNS * (2 if kind == "binary" else 1) * 8 * 12  # a dozen arrays of double precision a step
    assert rows_at_once > 1_000  # so that blocks are no price
    assert rows_a_call * gradient < LIMIT / 4
    assert (
        rows_at_once * (memory + state) + rows_a_call * gradient < LIMIT / 2
    )  # libraries, frame and rows take the rest


def test_rows_walk_in_blocks_and_none_is_lost(monkeypatch) -> None:
    frame, schema = toys.mixed(60)
    generator = MTabGen(**SMALL).fit(frame, schema, rng=Rng(2))
    holed = frame.drop(columns=["marker"]).reindex(columns=schema.names)
    whole, seen, plain = generator.impute(holed, rng=Rng(4))[0], [], masked.complete

    def complete(denoiser, **more):
        seen.append(len(denoiser.cells.free))
        return plain(denoiser, **more)

    monkeypatch.setattr(masked, "complete", complete)
    assert generator.impute(holed, rng=Rng(4))[0].equals(whole) and seen == [60]
    monkeypatch.setattr(masked_diffusion, "WALKING", 25 * len(schema.names) + 1)
    drawn = generator.impute(holed, rng=Rng(4))[0]
    assert seen[1:] == [25, 25, 10]
    assert drawn.drop(columns="marker").equals(frame.drop(columns="marker")) and drawn["marker"].notna().all()
    assert drawn["marker"].nunique() > 25  # a block does not repeat another's noise
