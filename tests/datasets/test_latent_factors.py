"""The wide laws: moments, conditional laws against closed forms, and that nothing beats the best point."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm, spearmanr

from synthcohort.datasets import latent_factors
from synthcohort.missingness import hide, mcar
from synthcohort.rng import Rng

LAW = Rng(7).branch("law")


@pytest.mark.parametrize("kind", list(latent_factors.LAWS))
def test_rows_satisfy_their_schema_and_a_narrower_law_begins_a_wider_one(kind):
    wide, narrow = (latent_factors.LAWS[kind](columns, LAW) for columns in (40, 8))
    rows = wide.draw(50, Rng(1))
    assert wide.schema.check(rows).shape == (50, 40) and wide.schema.target.name == "column_39"
    assert np.array_equal(wide.loadings[:8], narrow.loadings)
    assert rows.equals(wide.draw(50, Rng(1))) and not rows.equals(wide.draw(50, Rng(2)))
    shared = (wide.loadings**2).sum(1)
    assert ((shared >= 0.3) & (shared <= 0.8)).all()


def test_numbers_have_the_stated_margins_and_correlations():
    law = latent_factors.numbers(4, LAW)
    x = law.draw(100_000, Rng(3)).to_numpy()
    z = np.where(np.arange(4) % 2 == 1, np.log(np.where(np.arange(4) % 2 == 1, x, 1.0)), x)
    wanted = law.loadings @ law.loadings.T
    np.fill_diagonal(wanted, 1.0)
    assert np.abs(np.cov(z.T) - wanted).max() < 0.02 and np.abs(z.mean(0)).max() < 0.02
    assert abs(spearmanr(x[:, 0], x[:, 1])[0] - 6 / np.pi * np.arcsin(wanted[0, 1] / 2)) < 0.02


def test_the_median_of_a_hidden_number_is_that_of_the_conditional_normal_law():
    law = latent_factors.numbers(5, LAW)
    rows = law.draw(3, Rng(4))
    whole = law.loadings @ law.loadings.T + np.diag(law.own**2)
    z = np.where(np.arange(5) % 2 == 1, np.log(np.abs(rows.to_numpy())), rows.to_numpy())
    holed = rows.copy()
    holed.loc[0, ["column_1", "column_4"]] = np.nan
    holed.loc[2, :] = np.nan
    best = law.best(holed)
    given, asked = [0, 2, 3], [1, 4]
    mean = whole[np.ix_(asked, given)] @ np.linalg.solve(whole[np.ix_(given, given)], z[0, given])
    assert best.loc[0, ["column_1", "column_4"]].to_numpy() == pytest.approx([np.exp(mean[0]), mean[1]])
    assert best.loc[1].equals(rows.loc[1]) and best.loc[0, "column_0"] == rows.loc[0, "column_0"]
    assert best.loc[2].to_numpy() == pytest.approx([0, 1, 0, 1, 0])  # nothing is given: the medians


def test_codes_have_the_stated_prevalence():
    law = latent_factors.codes(6, LAW)
    shown = (law.draw(100_000, Rng(5)) == "1").to_numpy().mean(0)
    assert np.abs(shown - norm.sf(law.cuts)).max() < 0.01
    assert ((norm.sf(law.cuts) >= 0.02) & (norm.sf(law.cuts) <= 0.5)).all()


def test_probabilities_of_hidden_codes_are_ratios_of_orthants():
    law = latent_factors.codes(3, LAW)
    whole = law.loadings @ law.loadings.T + np.diag(law.own**2)
    for first, second in ((1, 1), (0, 1), (0, 0)):
        signs = np.array([1 if code else -1 for code in (first, second, 1)])
        turned, cuts = whole * np.outer(signs, signs), -signs * law.cuts
        joint = multivariate_normal.cdf(cuts, cov=turned, abseps=1e-8, releps=1e-8, maxpts=10**6)
        both = multivariate_normal.cdf(cuts[:2], cov=turned[:2, :2])
        found = law.probabilities(np.array([[first, second, -1]]))[0, 2]
        assert found == pytest.approx(joint / both, abs=1e-5)
    assert law.probabilities(np.full((1, 3), -1))[0] == pytest.approx(norm.sf(law.cuts), abs=1e-6)


def test_a_wide_row_leaves_the_grid_fine_enough(monkeypatch):
    """Of 300 codes the posterior of the factors is narrow; half the spacing moves no probability."""
    law = latent_factors.codes(300, LAW)
    rows = np.stack([law.draw(4, Rng(6))[name].cat.codes for name in law.schema.names], axis=1)
    rows[:, ::5] = -1
    usual = law.probabilities(rows)[:, ::5]
    monkeypatch.setattr(latent_factors, "SPACING", 0.07)
    assert np.abs(law.probabilities(rows)[:, ::5] - usual).max() < 1e-3


@pytest.mark.parametrize("kind", list(latent_factors.LAWS))
def test_the_best_point_errs_less_than_a_shifted_one_and_than_the_middle(kind):
    law = latent_factors.LAWS[kind](12, LAW)
    rows = law.draw(3_000, Rng(8))
    mask = mcar(rows, law.schema, rate=0.3, rng=Rng(9))
    best = law.best(hide(rows, mask))
    blind = law.best(hide(rows, np.ones_like(mask)))
    if kind == "codes":
        errors = [(frame.to_numpy() != rows.to_numpy())[mask].mean() for frame in (best, blind)]
    else:
        shifted = [best + step * mask for step in (-0.1, 0.1)]
        errors = [np.abs(frame.to_numpy() - rows.to_numpy())[mask].mean() for frame in (best, *shifted, blind)]
    assert errors[0] == min(errors) and errors[-1] > 1.02 * errors[0]
