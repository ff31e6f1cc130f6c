"""VAE: its divergence against the closed form by integration, its labels, its noise, its settings."""

import pandas as pd
import pytest
import torch

import toys
from synthcohort.generators.base import AbilityError, FitError
from synthcohort.generators.vae import VAE, divergence
from synthcohort.rng import Rng

RNG = Rng(4)
SMALL = {"latent": 4, "width": 16, "depth": 1, "max_steps": 20, "batch_size": 32, "evaluate_every": 5}


def _fit(**changes) -> VAE:
    frame, schema = toys.mixed(120)
    return VAE(**{**SMALL, **changes}).fit(frame[:90], schema, rng=RNG, validation=frame[90:])


def test_divergence_equals_its_integral() -> None:
    mu, log_sigma = torch.tensor([[0.7, -1.1]]).double(), torch.tensor([[-0.4, 0.3]]).double()
    z = torch.linspace(-15, 15, 60_001, dtype=torch.float64)[:, None]
    q = torch.distributions.Normal(mu, log_sigma.exp()).log_prob(z)  # [grid, 2]
    p = torch.distributions.Normal(0.0, 1.0).log_prob(z)
    integral = torch.trapezoid(q.exp() * (q - p), z[:, 0], dim=0).sum()
    assert torch.allclose(divergence(mu, log_sigma), integral[None], atol=1e-6)
    assert divergence(torch.zeros(1, 3), torch.zeros(1, 3)) == 0


def test_rows_follow_their_label() -> None:
    frame, schema = toys.mixed(400)
    generator = VAE(latent=4, width=32, depth=1, max_steps=300, batch_size=64).fit(frame, schema, rng=RNG)
    asked = pd.DataFrame({"died": frame["died"]})
    drawn = generator.sample(len(frame), rng=RNG, conditions=asked)
    real, synthetic = (f.groupby("died", observed=True)["age"].mean() for f in (frame, drawn))
    assert (real["yes"] - real["no"]) * (synthetic["yes"] - synthetic["no"]) > 0
    assert 0.6 < drawn["age"].std() / frame["age"].std() < 1.4


def test_cells_are_drawn_from_the_decoders_law_not_its_mean() -> None:
    """With a decoder that ignores z, means would all be equal; the drawn cells are not."""
    generator = _fit()
    with torch.no_grad():
        for p in generator.network.decoder.parameters():
            p.zero_()
    assert generator.sample(200, rng=RNG)["marker"].nunique() > 20


@pytest.mark.parametrize(
    "change",
    [
        {"latent": 3},
        {"width": 20},
        {"depth": 2},
        {"max_steps": 10},
        {"batch_size": 16},
        {"learning_rate": 1e-4},
        {"weight_decay": 5.0},
        {"ema_decay": 0.1},
        {"evaluate_every": 4},
        {"patience": 3.5, "learning_rate": 1e-30},
    ],
    ids=lambda change: next(iter(change)),
)
def test_every_hyperparameter_changes_history(change) -> None:
    usual = {"learning_rate": change["learning_rate"]} if "patience" in change else {}

    def shown(generator):
        return [(h["step"], h["loss"], h["validation_loss"]) for h in generator.history]

    assert shown(_fit(**usual)) != shown(_fit(**change))


def test_a_diverging_fit_is_a_fit_error() -> None:
    with pytest.raises(FitError, match="diverged"):
        _fit(learning_rate=1e30, max_steps=60)


def test_a_numeric_target_cannot_be_asked_for() -> None:
    frame, schema = toys.numeric(80)
    generator = VAE(**SMALL).fit(frame, schema, rng=RNG)
    schema.check(generator.sample(5, rng=RNG))
    with pytest.raises(AbilityError, match=r"'y'.*numeric"):
        generator.sample(2, rng=RNG, conditions=frame[["y"]].iloc[:2].reset_index(drop=True))


@pytest.mark.parametrize(("change", "named"), [({"latent": 0}, "latent=0"), ({"width": 0}, "width=0")])
def test_hyperparameters_out_of_range_are_refused(change, named) -> None:
    with pytest.raises(ValueError, match=named):
        VAE(**change)
