"""TabFairGAN: the gap by hand, the second phase, settings at work."""

import numpy as np
import pandas as pd
import pytest
import torch

import toys
from synthcohort.generators.base import AbilityError
from synthcohort.generators.parts.adversarial import descend
from synthcohort.generators.tab_fair_gan import TabFairGAN, parity_gap
from synthcohort.rng import Rng
from synthcohort.schema import Schema

RNG = Rng(4)
SMALL = {"width": 8, "latent": 4, "depth": 1, "least_steps": 6, "max_steps": 6, "batch_size": 32, "critic_steps": 2}
CHANGES = {
    **{"latent": 5, "width": 9, "depth": 2, "tau": 0.5, "penalty": 1.0, "fairness": 5.0, "fair_share": 0.9},
    **{"critic_steps": 1, "epochs": 9.0, "least_steps": 8, "max_steps": 9, "batch_size": 30, "learning_rate": 1e-3},
}
REFUSED = {"latent": 0, "tau": 0.0, "penalty": -1, "fair_share": 1.5, "epochs": 0, "batch_size": 1, "critic_steps": 0}


def _fit(**changes) -> TabFairGAN:
    frame, schema = toys.mixed(100)
    return TabFairGAN(**{**SMALL, **changes}).fit(frame, schema, rng=RNG)


def _shown(generator: TabFairGAN) -> object:
    return [(h["step"], h["loss"]) for h in generator.history], generator.sample(20, rng=RNG).to_csv()


def test_the_gap_of_two_groups_is_the_difference_of_their_rates() -> None:
    positive = torch.tensor([1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0])
    groups = torch.nn.functional.one_hot(torch.tensor([0, 0, 0, 0, 1, 1, 1, 1])[:8]).float()
    assert float(parity_gap(positive, groups)) == pytest.approx(3 / 4 - 1 / 4)
    groups = torch.nn.functional.one_hot(torch.tensor([0, 0, 0, 0, 0, 0, 1, 1])).float()
    assert float(parity_gap(positive, groups)) == pytest.approx(abs(3 / 6 - 1 / 2))


def test_the_gap_of_three_groups_by_hand() -> None:
    """Shares 1/2, 1/4, 1/4 and rates 0, 1, 1/2: r = 3/8, sum = 3/16 + 5/32 + 1/32 = 3/8, 1 - sum pi^2 = 5/8."""
    positive = torch.tensor([0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 0.0])
    groups = torch.nn.functional.one_hot(torch.tensor([0, 0, 0, 0, 1, 1, 2, 2])).float()
    assert float(parity_gap(positive, groups)) == pytest.approx(3 / 5)


def test_a_batch_of_one_group_has_no_gap_and_a_gradient() -> None:
    positive = torch.tensor([1.0, 0.0, 1.0], requires_grad=True)
    gap = parity_gap(positive, torch.tensor([[1.0, 0.0]] * 3))
    gap.backward()
    assert float(gap.detach()) == pytest.approx(0.0, abs=1e-6) and torch.isfinite(positive.grad).all()


def test_the_gap_of_a_table_is_that_of_its_sensitive_columns() -> None:
    generator = _fit()
    frame, _ = toys.mixed(100)
    rows = generator._rows(frame, RNG)
    rates = frame.assign(y=frame["died"] == "yes").groupby("sex", observed=True)["y"].mean()
    assert float(generator._gap(rows)) == pytest.approx(abs(rates["m"] - rates["f"]), rel=1e-5)


@pytest.mark.parametrize("change", [pytest.param({k: v}, id=k) for k, v in CHANGES.items()])
def test_every_hyperparameter_changes_history_or_rows(change) -> None:
    base = {"max_steps": 20} if "epochs" in change else {"least_steps": 1} if "max_steps" in change else {}
    assert _shown(_fit(**{**base, **change})) != _shown(_fit(**base))


def test_every_hyperparameter_is_among_the_changes() -> None:
    assert set(CHANGES) == set(TabFairGAN().hyperparameters())


@pytest.mark.parametrize("change", [pytest.param({k: v}, id=k) for k, v in REFUSED.items()])
def test_hyperparameters_out_of_range_are_refused(change) -> None:
    ((key, value),) = change.items()
    with pytest.raises(ValueError, match=f"tab_fair_gan: {key}={value} "):
        TabFairGAN(**change)


def test_the_second_phase_is_the_last_turns_and_nothing_before() -> None:
    """The loss of turn 51 of 100 is measured before the generator is first charged; from turn 52 on they part."""
    settings = {"least_steps": 100, "max_steps": 100, "fair_share": 0.5, "batch_size": 64}
    plain, charged = (_fit(**settings, fairness=w).history for w in (0.0, 50.0))
    assert [h["loss"] for h in plain[:51]] == [h["loss"] for h in charged[:51]]
    assert plain[-1]["step"] == charged[-1]["step"] == 100
    assert plain[51]["loss"] != charged[51]["loss"]


def test_going_down_the_gap_evens_the_rates_and_only_those() -> None:
    """Logits of a label that follows the group; the overall rate, which the gap does not name, stays near 1/2."""
    group = torch.arange(200) % 2
    logits = (4.0 * group - 2.0).requires_grad_()
    groups = torch.nn.functional.one_hot(group).float()
    optimiser = torch.optim.SGD([logits], lr=100.0)
    gaps = []
    for _ in range(60):
        gaps.append(descend(optimiser, parity_gap(logits.sigmoid(), groups)))
    assert gaps[0] == pytest.approx(float(torch.sigmoid(torch.tensor(2.0)) * 2 - 1), rel=1e-5)
    assert gaps[-1] < 0.2 * gaps[0]
    assert float(logits.detach().sigmoid().mean()) == pytest.approx(0.5, abs=0.01)


def _biased(n: int = 400) -> tuple[pd.DataFrame, Schema]:
    """Group and label alone, which agree in nine rows of ten."""
    frame, schema = toys.mixed(n)
    died = np.where(Rng(2).numpy().random(n) < 0.9, frame["sex"] == "m", frame["sex"] == "f")
    narrow = Schema(tuple(c for c in schema.columns if c.name in ("sex", "died")), schema.positive)
    return narrow.cast(frame.assign(died=np.where(died, "yes", "no"))), narrow


def test_groups_end_nearer_when_the_gap_is_charged_for() -> None:
    frame, schema = _biased()
    sizes = {"width": 16, "latent": 4, "batch_size": 64, "least_steps": 300, "max_steps": 300}

    def gap(fairness: float) -> float:
        settings = {**sizes, "critic_steps": 2, "learning_rate": 5e-3, "fair_share": 0.3, "fairness": fairness}
        drawn = TabFairGAN(**settings).fit(frame, schema, rng=RNG).sample(2_000, rng=RNG)
        rates = drawn.assign(y=drawn["died"] == "yes").groupby("sex", observed=True)["y"].mean()
        return float(rates["m"] - rates["f"])

    assert abs(gap(5.0)) < 0.5 * gap(0.0)


def test_without_a_group_the_second_phase_is_like_the_first() -> None:
    frame, schema = toys.categorical(60)
    one, other = (TabFairGAN(**SMALL, fairness=w).fit(frame, schema, rng=RNG) for w in (0.0, 9.0))
    assert one.sample(20, rng=RNG).equals(other.sample(20, rng=RNG))


def test_nothing_can_be_asked_of_it() -> None:
    frame, _ = toys.mixed(100)
    with pytest.raises(AbilityError, match="tab_fair_gan cannot condition on the target 'died'"):
        _fit().sample(5, rng=RNG, conditions=frame[["died"]][:5])
