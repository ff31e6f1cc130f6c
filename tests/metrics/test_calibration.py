"""Brier score and logistic recalibration: closed forms, invariance, a second implementation, refusals."""

import numpy as np
import pytest
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from synthcohort.metrics.calibration import (
    EDGE,
    brier,
    calibration_intercept,
    calibration_slope,
    calibration_slope_error,
)
from synthcohort.metrics.matrix import DataProblem


def law(n, seed, spread=1.5):
    """Return outcomes and the probabilities they were drawn with."""
    draw = np.random.default_rng(seed)
    probability = expit(draw.normal(-0.5, spread, n))
    return (draw.random(n) < probability).astype(int), probability


def test_brier_of_four_rows_by_hand():
    assert brier(np.array([1, 0, 1, 0]), np.array([0.9, 0.6, 0.4, 0.0])) == pytest.approx((0.01 + 0.36 + 0.36 + 0) / 4)
    assert brier(np.array([1, 0]), np.array([1.0, 0.0])) == 0.0


def test_slope_through_two_groups_by_hand():
    # of four rows at .2 one has the event, of four at .8 three: the line goes through both observed logits
    truth, probability = np.array([1, 0, 0, 0, 1, 1, 1, 0]), np.repeat([0.2, 0.8], 4)
    assert calibration_slope(truth, probability) == pytest.approx(np.log(3) / np.log(4))
    assert calibration_slope_error(truth, probability) == pytest.approx(1 - np.log(3) / np.log(4))
    assert calibration_intercept(truth, probability) == pytest.approx(0.0, abs=1e-9)


def test_intercept_of_a_constant_risk_by_hand():
    truth = np.array([1, 0, 0, 0])
    assert calibration_intercept(truth, np.full(4, 0.5)) == pytest.approx(-np.log(3))  # too high: negative
    assert calibration_intercept(truth, np.full(4, 0.25)) == pytest.approx(0.0, abs=1e-9)
    assert calibration_intercept(truth, np.full(4, 0.1)) == pytest.approx(np.log(9) - np.log(3))


def test_rates_that_are_observed_exactly_are_perfect():
    truth, probability = np.array([1, 0, 0, 0, 1, 0, 1, 1, 1, 0]), np.repeat([0.25, 0.5, 0.75], [4, 2, 4])
    assert calibration_slope_error(truth, probability) == pytest.approx(0.0, abs=1e-7)
    assert calibration_intercept(truth, probability) == pytest.approx(0.0, abs=1e-9)


def test_slope_and_intercept_follow_a_distortion_exactly():
    truth, probability = law(400, 0)
    stretched, shifted = expit(2.0 * logit(probability)), expit(logit(probability) + 0.7)
    inside = (stretched > EDGE) & (stretched < 1 - EDGE) & (shifted < 1 - EDGE)
    truth, probability, stretched, shifted = (x[inside] for x in (truth, probability, stretched, shifted))
    assert calibration_slope(truth, stretched) == pytest.approx(calibration_slope(truth, probability) / 2.0, rel=1e-5)
    assert calibration_slope(truth, shifted) == pytest.approx(calibration_slope(truth, probability), rel=1e-5)
    moved = calibration_intercept(truth, shifted) - calibration_intercept(truth, probability)
    assert moved == pytest.approx(-0.7)


def test_agrees_with_an_unpenalised_logistic_regression():
    for seed in range(5):
        truth, probability = law(150, seed, 0.3 + seed)
        risk = logit(np.clip(probability, EDGE, 1 - EDGE))[:, None]
        other = LogisticRegression(C=np.inf, tol=1e-10, max_iter=10_000).fit(risk, truth)
        assert calibration_slope(truth, probability) == pytest.approx(other.coef_[0, 0], rel=1e-4)


def test_true_risks_are_calibrated_within_their_error():
    slopes, shifts = zip(
        *((calibration_slope(*rows), calibration_intercept(*rows)) for rows in (law(1000, s) for s in range(60)))
    )
    for values, ideal in ((slopes, 1.0), (shifts, 0.0)):
        assert abs(np.mean(values) - ideal) < 4 * np.std(values) / np.sqrt(60) + 0.02  # the slope's own bias is O(1/n)


def test_noise_flattens_the_slope_and_worsens_brier():
    truth, probability = law(5000, 1)
    noise = np.random.default_rng(2).normal(0, 1, 5000)
    noisy = [expit(logit(probability) + size * noise) for size in (0.0, 0.7, 1.5, 3.0)]
    errors, squares = [calibration_slope_error(truth, p) for p in noisy], [brier(truth, p) for p in noisy]
    assert errors == sorted(errors) and squares == sorted(squares)
    assert errors[0] < 0.1 < 0.6 < errors[-1]


def test_certainty_counts_as_the_edge():
    truth, probability = law(300, 3)
    certain, edged = probability.copy(), probability.copy()
    certain[:6], edged[:6] = [0, 0, 0, 1, 1, 1], [EDGE, EDGE, EDGE, 1 - EDGE, 1 - EDGE, 1 - EDGE]
    assert calibration_slope(truth, certain) == calibration_slope(truth, edged)
    assert calibration_intercept(truth, certain) == calibration_intercept(truth, edged)
    assert np.isfinite(calibration_slope(1 - certain[:6].astype(int) ^ np.array([0, 0, 1, 0, 0, 1]), certain[:6]))


@pytest.mark.parametrize(
    "probability", [[0.1, 0.2, 0.7, 0.9], [0.1, 0.4, 0.4, 0.9], [0.9, 0.8, 0.2, 0.1], [0, 0, 1, 1]]
)
def test_separated_classes_have_no_slope_but_an_intercept(probability):
    truth, probability = np.array([0, 0, 1, 1]), np.array(probability, float)
    with pytest.raises(DataProblem, match="separate the classes"):
        calibration_slope(truth, probability)
    assert np.isfinite(calibration_intercept(truth, probability))


def test_constant_risks_and_one_class_are_refused():
    with pytest.raises(DataProblem, match="all 4 predicted probabilities are equal"):
        calibration_slope(np.array([0, 1, 0, 1]), np.full(4, 0.3))
    with pytest.raises(DataProblem, match="are equal"):  # told apart beyond the edge only
        calibration_slope(np.array([0, 1, 0, 1]), np.array([0, 1e-5, 1e-6, 1e-4]))
    for measure in (calibration_slope_error, calibration_intercept):
        with pytest.raises(DataProblem, match="one class"):
            measure(np.ones(5, int), np.linspace(0.1, 0.9, 5))
