"""How does Gaussian diffusion turn numbers into noise, and one step of it back?

Forward, for s < t, with alpha_bar(t) the share of signal [Ho 2020, eq. 2 and 4]:

    q(x_t | x_0) = N( sqrt(alpha_bar_t) x_0, 1 - alpha_bar_t )
    q(x_t | x_s) = N( sqrt(alpha) x_s, 1 - alpha ),              alpha = alpha_bar_t / alpha_bar_s

Posterior, by Bayes' rule [Ho 2020, eq. 6 and 7]:

    q(x_s | x_t, x_0) = N( mean, variance )
    mean     = ( sqrt(alpha_bar_s) (1 - alpha) x_0 + sqrt(alpha) (1 - alpha_bar_s) x_t ) / (1 - alpha_bar_t)
    variance = (1 - alpha_bar_s) (1 - alpha) / (1 - alpha_bar_t)

Every alpha_bar is a tensor that broadcasts against [n, P]: a scalar, or [n, 1] for one time per row.
"""

from __future__ import annotations

import torch
from torch import Tensor


def diffuse(x_0: Tensor, eps: Tensor, alpha_bar_t: Tensor) -> Tensor:
    """Return x_t [n, P] from x_0 [n, P] and standard normal eps [n, P] [Ho 2020, eq. 4]."""
    return alpha_bar_t.sqrt() * x_0 + (1 - alpha_bar_t).sqrt() * eps


def transition(x_s: Tensor, eps: Tensor, alpha_bar_s: Tensor, alpha_bar_t: Tensor) -> Tensor:
    """Return x_t [n, P] from x_s [n, P], s < t, and standard normal eps [n, P] [Ho 2020, eq. 2]."""
    alpha = alpha_bar_t / alpha_bar_s
    return alpha.sqrt() * x_s + (1 - alpha).sqrt() * eps


def eps_to_x_0(eps: Tensor, x_t: Tensor, alpha_bar_t: Tensor) -> Tensor:
    """Return the x_0 [n, P] that `diffuse` turns into x_t with this eps."""
    return (x_t - (1 - alpha_bar_t).sqrt() * eps) / alpha_bar_t.sqrt()


def x_0_to_eps(x_0: Tensor, x_t: Tensor, alpha_bar_t: Tensor) -> Tensor:
    """Return the eps [n, P] with which `diffuse` turns x_0 into x_t, t > 0."""
    return (x_t - alpha_bar_t.sqrt() * x_0) / (1 - alpha_bar_t).sqrt()


def posterior(x_0: Tensor, x_t: Tensor, alpha_bar_s: Tensor, alpha_bar_t: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean [n, P] and variance (the shape of alpha_bar) of q(x_s | x_t, x_0) [Ho 2020, eq. 6 and 7]."""
    alpha = alpha_bar_t / alpha_bar_s
    of_x_0 = alpha_bar_s.sqrt() * (1 - alpha) / (1 - alpha_bar_t)
    of_x_t = alpha.sqrt() * (1 - alpha_bar_s) / (1 - alpha_bar_t)
    variance = (1 - alpha_bar_s) * (1 - alpha) / (1 - alpha_bar_t)
    return of_x_0 * x_0 + of_x_t * x_t, variance


def ancestral_step(x_0: Tensor, x_t: Tensor, eps: Tensor, *, alpha_bar_s: Tensor, alpha_bar_t: Tensor) -> Tensor:
    """Return x_s [n, P]: the posterior given the estimate x_0, drawn with standard normal eps [Ho 2020, alg. 2]."""
    mean, variance = posterior(x_0, x_t, alpha_bar_s, alpha_bar_t)
    return mean + variance.sqrt() * eps


def ddim_step(
    x_0: Tensor, x_t: Tensor, eps: Tensor | None, *, alpha_bar_s: Tensor, alpha_bar_t: Tensor, eta: float
) -> Tensor:
    """Return x_s [n, P] by the implicit step [Song 2021, eq. 12 and 16].

    Args:
        x_0: [n, P] estimate of the clean row.
        x_t: [n, P] the noisy row.
        eps: [n, P] fresh standard normal noise; None if eta is 0.
        alpha_bar_s: share of signal at s < t.
        alpha_bar_t: share of signal at t.
        eta: share of the posterior's standard deviation that is drawn afresh: 0 deterministic, 1 ancestral.
    """
    direction = x_0_to_eps(x_0, x_t, alpha_bar_t)
    if eta == 0:
        return diffuse(x_0, direction, alpha_bar_s)
    if eps is None:
        raise ValueError(f"ddim_step with eta={eta} needs noise eps; only eta=0 goes without")
    variance = eta**2 * (1 - alpha_bar_s) / (1 - alpha_bar_t) * (1 - alpha_bar_t / alpha_bar_s)
    kept = torch.clamp(1 - alpha_bar_s - variance, min=0)  # rounding alone can make it -1e-17
    return alpha_bar_s.sqrt() * x_0 + kept.sqrt() * direction + variance.sqrt() * eps
