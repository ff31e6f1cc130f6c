"""Sentinels, copula and SMOTE: what each one promises of its law."""

import numpy as np
import pytest
from scipy.stats import chi2_contingency, kstest, norm

import toys
from synthcohort.generators.bootstrap import Bootstrap
from synthcohort.generators.gaussian_copula import GaussianCopula, latent_correlation
from synthcohort.generators.independent import Independent
from synthcohort.generators.smote import Smote
from synthcohort.rng import Rng

RNG = Rng(3)


def test_bootstrap_hands_out_training_rows_only():
    frame, schema = toys.mixed(200)
    drawn = Bootstrap().fit(frame, schema, rng=RNG).sample(300, rng=RNG)
    known = set(map(tuple, frame.astype(str).to_numpy()))
    assert set(map(tuple, drawn.astype(str).to_numpy())) <= known
    share = len(set(drawn.index[drawn.duplicated()]))
    assert share > 0


def test_independent_keeps_marginals_and_breaks_dependence():
    frame, schema = toys.mixed(2000)
    drawn = Independent().fit(frame, schema, rng=RNG).sample(2000, rng=RNG)
    assert kstest(drawn["marker"], frame["marker"]).pvalue > 0.01
    real = np.corrcoef(frame["age"], np.log(frame["marker"]))[0, 1]
    fake = np.corrcoef(drawn["age"], np.log(drawn["marker"]))[0, 1]
    assert real > 0.6
    assert abs(fake) < 0.07
    counts = drawn.groupby(["stage", "died"], observed=False).size().unstack()
    assert chi2_contingency(counts).pvalue > 0.001


def test_copula_recovers_the_correlation_of_a_gaussian_law():
    frame, schema = toys.numeric(4000)
    fitted = GaussianCopula(shrinkage=0).fit(frame, schema, rng=RNG)
    assert fitted.correlation[0, 1] == pytest.approx(0.8, abs=0.03)
    drawn = fitted.sample(4000, rng=RNG)
    assert kstest(drawn["b"], frame["b"]).pvalue > 0.01
    assert np.corrcoef(drawn["a"], np.log(drawn["b"]))[0, 1] == pytest.approx(0.8, abs=0.03)


@pytest.mark.parametrize("rho", [-0.7, 0.0, 0.3, 0.8])
def test_copula_recovers_the_latent_correlation_behind_categories(rho):
    """Cut one or both of two correlated normals at uneven places: the correction undoes the attenuation."""
    z = RNG.numpy().standard_normal((40_000, 2)) @ np.linalg.cholesky([[1, rho], [rho, 1]]).T
    cuts = [np.array([-0.8, 0.4]), np.array([1.0])]
    codes = np.column_stack([np.searchsorted(c, z[:, j]) for j, c in enumerate(cuts)])
    edges = [np.r_[0, norm.cdf(c), 1] for c in cuts]
    both = latent_correlation(np.empty((len(z), 0)), codes, edges)
    one = latent_correlation(z[:, :1], codes[:, 1:], edges[1:])
    assert both[0, 1] == pytest.approx(rho, abs=0.03)
    assert one[0, 1] == pytest.approx(rho, abs=0.03)
    attenuated = np.corrcoef(codes.T)[0, 1]
    assert abs(attenuated) <= abs(rho) * 0.9 + 0.01


def test_a_constant_categorical_column_correlates_with_nothing():
    codes = np.zeros((50, 2), dtype=int)
    codes[:, 1] = np.arange(50) % 2
    rho = latent_correlation(np.empty((50, 0)), codes, [np.array([0, 1.0]), np.array([0, 0.5, 1.0])])
    assert rho.tolist() == [[1, 0], [0, 1]]


def test_copula_conditions_on_the_target():
    frame, schema = toys.mixed(3000)
    fitted = GaussianCopula().fit(frame, schema, rng=RNG)
    conditions = frame[["died"]].assign(died=schema.cast(frame.assign(died="yes"))["died"])[:2000]
    drawn = fitted.sample(2000, rng=RNG, conditions=conditions.reset_index(drop=True))
    free = fitted.sample(20_000, rng=RNG.branch("free"))
    chosen = free[free["died"] == "yes"]
    assert drawn["age"].mean() == pytest.approx(chosen["age"].mean(), abs=1.0)
    assert drawn["stage"].value_counts(normalize=True)["III"] == pytest.approx(
        chosen["stage"].value_counts(normalize=True)["III"], abs=0.05
    )


def test_smote_rows_lie_on_segments_between_rows_of_one_class():
    frame, schema = toys.mixed(150)
    drawn = Smote(neighbours=3).fit(frame, schema, rng=RNG).sample(200, rng=RNG)
    for died, part in drawn.groupby("died", observed=True):
        seen = frame[frame["died"] == died]
        assert part["marker"].between(seen["marker"].min(), seen["marker"].max()).all()
    fresh = ~drawn["marker"].isin(frame["marker"])
    assert fresh.mean() > 0.5


def test_smote_on_a_numeric_table_is_exact_interpolation():
    frame, schema = toys.numeric(60)
    drawn = Smote(neighbours=1).fit(frame, schema, rng=RNG).sample(50, rng=RNG)
    a, b = frame["a"].to_numpy(), frame["b"].to_numpy()
    for _, row in drawn.iterrows():
        u = (row["a"] - a[:, None]) / (a[None, :] - a[:, None] + np.eye(len(a)))
        on_line = np.isclose(b[:, None] + u * (b[None, :] - b[:, None]), row["b"], atol=1e-8)
        assert (on_line & (u >= -1e-9) & (u <= 1 + 1e-9)).any()


def test_smote_refuses_a_class_of_one():
    frame, schema = toys.mixed(60)
    lonely = frame[(frame["died"] == "no") | (frame.index == frame.index[frame["died"] == "yes"][0])]
    fitted = Smote().fit(lonely.reset_index(drop=True), schema, rng=RNG)
    conditions = lonely[lonely["died"] == "yes"][["died"]].reset_index(drop=True)
    with pytest.raises(Exception, match="'died' has 1 training row"):
        fitted.sample(1, rng=RNG, conditions=conditions)
