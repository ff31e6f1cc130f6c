"""VAE: its divergence against the closed form by integration, its noise."""

import torch

import toys
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


def test_cells_are_drawn_from_the_decoders_law_not_its_mean() -> None:
    """With a decoder that ignores z, means would all be equal; the drawn cells are not."""
    generator = _fit()
    with torch.no_grad():
        for p in generator.network.decoder.parameters():
            p.zero_()
    assert generator.sample(200, rng=RNG)["marker"].nunique() > 20
