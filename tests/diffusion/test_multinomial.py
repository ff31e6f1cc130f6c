"""Multinomial kernels against enumeration, for columns with different numbers of levels side by side."""

import itertools

import torch

from synthcohort.diffusion import multinomial
from synthcohort.diffusion.multinomial import Layout
from synthcohort.diffusion.schedule import Cosine
from synthcohort.rng import Rng

LAYOUT = Layout((2, 5, 1, 3))
ALPHA_BAR = Cosine().alpha_bar(torch.tensor([0.2, 0.45, 0.8], dtype=torch.float64))


def _kernel(k: int, alpha: torch.Tensor) -> torch.Tensor:
    """q(x_t = column | x_s = row) as a matrix [k, k]."""
    return alpha * torch.eye(k, dtype=torch.float64) + (1 - alpha) / k


def _enumerated(p_0: torch.Tensor, j: int, alpha_bar_s: torch.Tensor, alpha_bar_t: torch.Tensor) -> torch.Tensor:
    """p(x_s | x_t = j) = sum_i p(i) q(x_s | x_t = j, x_0 = i), Bayes' rule written out over all triples."""
    k = len(p_0)
    to_s, onward = _kernel(k, alpha_bar_s), _kernel(k, alpha_bar_t / alpha_bar_s)
    law = torch.zeros(k, dtype=torch.float64)
    for i in range(k):
        joint = torch.stack([to_s[i, s] * onward[s, j] for s in range(k)])
        law += p_0[i] * joint / joint.sum()
    return law


def _random_law(n: int, layout: Layout, seed: int) -> torch.Tensor:
    logits = 2 * torch.randn(n, layout.total, generator=Rng(seed).torch(), dtype=torch.float64)
    return layout.log_softmax(logits).exp()


def _codes(n: int, layout: Layout, seed: int) -> torch.Tensor:
    return multinomial.uniform_codes(n, layout, Rng(seed).torch())


def _expected(p_0: torch.Tensor, codes: torch.Tensor, s: int, t: int) -> torch.Tensor:
    rows = []
    for law, row in zip(p_0, codes):
        parts = zip(law.split(LAYOUT.levels), row)
        rows.append(torch.cat([_enumerated(p, int(j), ALPHA_BAR[s], ALPHA_BAR[t]) for p, j in parts]))
    return torch.stack(rows)


def test_chained_transitions_equal_the_closed_form() -> None:
    x_0 = LAYOUT.one_hot(_codes(7, LAYOUT, 1), torch.float64)
    law = multinomial.forward_law(x_0, ALPHA_BAR[0], LAYOUT)
    for s, t in ((0, 1), (1, 2)):
        law = multinomial.forward_law(law, ALPHA_BAR[t] / ALPHA_BAR[s], LAYOUT)
    assert torch.allclose(law, multinomial.forward_law(x_0, ALPHA_BAR[2], LAYOUT))
    assert torch.allclose(LAYOUT.sums(law), torch.ones(7, 4, dtype=torch.float64))


def test_posterior_equals_bayes() -> None:
    codes, noisy = _codes(9, LAYOUT, 2), _codes(9, LAYOUT, 3)
    x_0, x_t = (LAYOUT.one_hot(c, torch.float64) for c in (codes, noisy))
    for s, t in ((0, 1), (0, 2)):
        law = multinomial.posterior(x_0, x_t, alpha_bar_s=ALPHA_BAR[s], alpha_bar_t=ALPHA_BAR[t], layout=LAYOUT)
        assert torch.allclose(law, _expected(x_0, noisy, s, t))


def test_reverse_step_mixes_the_exact_posteriors_and_the_plug_in_does_not() -> None:
    p_0, noisy = _random_law(11, LAYOUT, 4), _codes(11, LAYOUT, 5)
    at = {"alpha_bar_s": ALPHA_BAR[0], "alpha_bar_t": ALPHA_BAR[2], "layout": LAYOUT}
    x_t = LAYOUT.one_hot(noisy, torch.float64)
    expected = _expected(p_0, noisy, 0, 2)
    assert torch.allclose(multinomial.reverse_law(p_0, x_t, **at), expected)
    plug_in = multinomial.posterior(p_0, x_t, **at)
    assert float((plug_in - expected).abs().max()) > 0.05


def test_last_step_draws_from_the_denoisers_law() -> None:
    p_0 = _random_law(6, LAYOUT, 6)
    x_t = LAYOUT.one_hot(_codes(6, LAYOUT, 7), torch.float64)
    one = torch.ones((), dtype=torch.float64)
    law = multinomial.reverse_law(p_0, x_t, alpha_bar_s=one, alpha_bar_t=ALPHA_BAR[0], layout=LAYOUT)
    assert torch.allclose(law, p_0)


def test_one_time_per_row_is_allowed() -> None:
    codes = _codes(3, LAYOUT, 8)
    x_0 = LAYOUT.one_hot(codes, torch.float64)
    together = multinomial.forward_law(x_0, ALPHA_BAR[:, None], LAYOUT)
    alone = [multinomial.forward_law(x_0[k : k + 1], ALPHA_BAR[k], LAYOUT) for k in range(3)]
    assert torch.equal(together, torch.cat(alone))


def test_drawn_codes_follow_the_laws() -> None:
    """Each level's frequency lies within 5 standard errors, through `draw` and through `diffuse`."""
    n = 40_000
    p = _random_law(1, LAYOUT, 9)
    drawn = LAYOUT.one_hot(LAYOUT.draw(p.expand(n, -1), Rng(10).torch())).double().mean(0)
    assert ((drawn - p[0]).abs() <= 5 * (p[0] * (1 - p[0]) / n).sqrt() + 1e-12).all()
    codes = _codes(1, LAYOUT, 11)
    law = multinomial.forward_law(LAYOUT.one_hot(codes, torch.float64), ALPHA_BAR[1], LAYOUT)[0]
    noisy = multinomial.diffuse(codes.expand(n, -1), ALPHA_BAR[1], layout=LAYOUT, generator=Rng(12).torch())
    seen = LAYOUT.one_hot(noisy).double().mean(0)
    assert ((seen - law).abs() <= 5 * (law * (1 - law) / n).sqrt() + 1e-12).all()


def test_a_law_without_doubt_is_always_drawn() -> None:
    codes = _codes(2_000, LAYOUT, 13)
    assert torch.equal(LAYOUT.draw(LAYOUT.one_hot(codes), Rng(14).torch()), codes)


def test_no_columns_and_no_rows_are_ordinary() -> None:
    for layout, n in itertools.product((Layout(()), LAYOUT), (0, 3)):
        codes = _codes(n, layout, 15)
        flat = layout.one_hot(codes)
        assert flat.shape == (n, layout.total)
        half = torch.tensor(0.5)
        law = multinomial.reverse_law(flat, flat, alpha_bar_s=half, alpha_bar_t=half / 2, layout=layout)
        assert layout.draw(law, Rng(16).torch()).shape == codes.shape
        assert layout.log_softmax(flat).shape == flat.shape
