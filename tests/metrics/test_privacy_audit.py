"""The one-run bound on epsilon: by hand, by enumeration, monotone, below a known epsilon and near it."""

import math

import numpy as np
import pytest
from scipy.stats import binom

from synthcohort.metrics import privacy_audit
from synthcohort.rng import Rng


def test_p_values_by_hand():
    # two guesses, both right: q^2; one of two: 1 - (1 - q)^2; q = 3/4 at epsilon = ln 3
    assert privacy_audit.p_value(5, 2, 2, epsilon=math.log(3), delta=0) == pytest.approx(9 / 16)
    assert privacy_audit.p_value(5, 2, 1, epsilon=math.log(3), delta=0) == pytest.approx(15 / 16)
    # f(2) = 9/16, f(1) = 15/16, f(0) = 1: the steepest step is (15/16 - 9/16) / 1 = 6/16, against (1 - 9/16) / 2 = 7/32
    with_delta = privacy_audit.p_value(5, 2, 2, epsilon=math.log(3), delta=0.01)
    assert with_delta == pytest.approx(9 / 16 + 2 * 5 * 0.01 * 6 / 16)
    assert privacy_audit.p_value(5, 2, 0, epsilon=1.0, delta=0.3) == 1.0


def test_a_second_formula_gives_the_same_p_value():
    """As a running sum over the outcomes just below v."""
    for m, r, v, epsilon, delta in ((50, 20, 14, 0.7, 1e-3), (500, 80, 70, 1.5, 1e-4), (9, 9, 9, 0.1, 0.01)):
        accuracy = math.exp(epsilon) / (1 + math.exp(epsilon))
        slopes = [sum(binom.pmf(v - j, r, accuracy) for j in range(1, i + 1)) / i for i in range(1, v + 1)]
        wanted = binom.pmf(np.arange(v, r + 1), r, accuracy).sum() + 2 * m * delta * max(slopes)
        assert privacy_audit.p_value(m, r, v, epsilon=epsilon, delta=delta) == pytest.approx(min(1.0, wanted))


def test_all_right_has_a_closed_form():
    for r in (1, 5, 40):
        q = 0.05 ** (1 / r)
        bound = privacy_audit.lower_bound(60, r, r, delta=0, confidence=0.95)
        assert bound == pytest.approx(max(0.0, math.log(q / (1 - q))), abs=1e-5)


def test_the_bound_is_the_epsilon_at_which_the_p_value_is_the_error():
    bound = privacy_audit.lower_bound(1000, 100, 75, delta=1e-4, confidence=0.95)
    assert privacy_audit.p_value(1000, 100, 75, epsilon=bound, delta=1e-4) == pytest.approx(0.05, abs=1e-5)
    assert privacy_audit.p_value(1000, 100, 75, epsilon=bound, delta=1e-4) <= 0.05
    assert bound == pytest.approx(0.673, abs=5e-4)  # as printed [Steinke 2023, appendix D]
    assert privacy_audit.lower_bound(1000, 100, 50, delta=0, confidence=0.95) == 0.0


def test_more_right_guesses_raise_it_and_more_delta_canaries_and_confidence_lower_it():
    def bound(*, correct=90, canaries=200, delta=1e-4, confidence=0.95):
        return privacy_audit.lower_bound(canaries, 100, correct, delta=delta, confidence=confidence)

    rising = [bound(correct=v) for v in range(50, 101)]
    assert np.all(np.diff(rising) >= 0) and rising[-1] > rising[30] > 0
    assert bound(delta=0) > bound() > bound(delta=1e-3)
    assert bound(canaries=100) > bound(canaries=1000)
    assert bound(confidence=0.9) > bound() > bound(confidence=0.99)


def test_the_highest_are_taken_for_in_and_the_lowest_for_out():
    scores = np.array([0.1, 5.0, -2.0, 3.0, 0.0])
    assert privacy_audit.guess(scores, 3).tolist() == [0, 1, -1, 1, 0]
    assert privacy_audit.guess(scores, 5).tolist() == [1, 1, -1, 1, -1]
    assert privacy_audit.guess(scores, 1).tolist() == [0, 1, 0, 0, 0]


@pytest.mark.parametrize("epsilon", [0.5, 2.0, 4.0])
def test_randomised_response_is_bounded_below_its_epsilon_and_near_it(epsilon):
    """A canary's score is its coin, told truly with probability e^epsilon / (1 + e^epsilon), and a little noise."""
    accuracy, above, found = math.exp(epsilon) / (1 + math.exp(epsilon)), 0, []
    for run in range(60):
        draw = Rng(1, ("response", str(epsilon), str(run))).numpy()
        inside = privacy_audit.coins(2000, Rng(2, (str(epsilon), str(run))))
        told = np.where(draw.random(2000) < accuracy, inside, ~inside)
        bound = privacy_audit.audit({"told": told + 1e-3 * draw.random(2000)}, inside, delta=0, confidence=0.95)
        above += bound.epsilon > epsilon
        found.append(bound.epsilon)
    assert above <= 7  # of 60; more have a probability of 1 % if the chance of each is 5 %
    assert np.mean(found) > 0.75 * epsilon


def test_more_canaries_bring_the_bound_nearer():
    found = []
    for m in (100, 1000, 20_000):
        told = np.r_[np.ones(int(0.88 * m)), np.zeros(m - int(0.88 * m))].astype(bool)  # epsilon = ln(.88 / .12) = 1.99
        found.append(privacy_audit.lower_bound(m, m, int(told.sum()), delta=0, confidence=0.95))
    assert found == sorted(found) and 1.9 < found[-1] < math.log(0.88 / 0.12)


def test_a_mechanism_that_tells_all_with_probability_delta_is_no_cause_for_alarm():
    """It is (0, delta)-private: without the term in delta the bound would be wrong in every run that tells all."""
    inside = privacy_audit.coins(40, Rng(3))
    told = privacy_audit.audit({"all": inside.astype(float)}, inside, delta=0.05, confidence=0.95)
    assert told.epsilon == 0.0
    assert privacy_audit.audit({"all": inside.astype(float)}, inside, delta=0.0, confidence=0.95).epsilon > 1.0


def test_scores_that_know_nothing_are_seldom_above_zero():
    runs = [
        privacy_audit.audit(
            {"a": Rng(k, ("a",)).numpy().random(300), "b": Rng(k, ("b",)).numpy().random(300)},
            privacy_audit.coins(300, Rng(k)), delta=0, confidence=0.95,
        ).epsilon
        for k in range(60)
    ]  # fmt: skip
    assert np.sum(np.array(runs) > 0) <= 7  # as above


def test_the_best_attack_is_named_and_pays_for_the_others():
    inside = privacy_audit.coins(200, Rng(4))
    noise = Rng(5).numpy().random(200)
    both = privacy_audit.audit({"weak": noise, "strong": inside + 0.1 * noise}, inside, delta=0, confidence=0.95)
    alone = privacy_audit.audit({"strong": inside + 0.1 * noise}, inside, delta=0, confidence=0.95)
    part = 1 - 0.05 / 12  # two attacks, six numbers of guesses
    assert both.ceiling == privacy_audit.lower_bound(200, 200, 200, delta=0, confidence=part) >= both.epsilon
    assert both.attack == "strong" and 0 < both.epsilon < alone.epsilon and both.correct <= both.guesses


def test_what_cannot_be_an_audit_is_refused():
    inside = privacy_audit.coins(10, Rng(6))
    with pytest.raises(ValueError, match="3 right of 2 guesses on 10 canaries"):
        privacy_audit.lower_bound(10, 2, 3, delta=0, confidence=0.95)
    with pytest.raises(ValueError, match=r"delta=1.5 must lie in \[0, 1\]"):
        privacy_audit.lower_bound(10, 2, 2, delta=1.5, confidence=0.95)
    with pytest.raises(ValueError, match="attack 'bad' must give one finite score for each of the 10 canaries"):
        privacy_audit.audit({"bad": np.full(10, math.nan)}, inside, delta=0, confidence=0.95)
    with pytest.raises(ValueError, match=r"found \(3,\)"):
        privacy_audit.audit({"short": np.zeros(3)}, inside, delta=0, confidence=0.95)
