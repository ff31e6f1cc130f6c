"""Fairness: by hand, as fairlearn where fairlearn defines it, undefined where it is 0/0."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from fairlearn import metrics as oracle
from sklearn.metrics import roc_auc_score

from synthcohort.metrics import fairness
from synthcohort.metrics.matrix import DataProblem
from synthcohort.rng import Rng
from synthcohort.sensitive import Attribute

SEX = Attribute("sex", ("female", "male"))
# group, truth, decision: female 4 rows of 2 positives, male 6 rows of 3 positives
ROWS = [(0, 1, 1), (0, 1, 0), (0, 0, 1), (0, 0, 0), (1, 1, 1), (1, 1, 1), (1, 1, 0), (1, 0, 1), (1, 0, 0), (1, 0, 0)]


def table(groups, names=("female", "male")):
    return pd.DataFrame({"sex": pd.Categorical.from_codes(groups, categories=list(names))})


def judged(rows, risk=None):
    group, truth, decision = (np.array(column) for column in zip(*rows, strict=True))
    risk = 0.25 + 0.5 * decision if risk is None else np.array(risk)
    decided = fairness.Decided(truth, risk, decision.astype(float))
    found = fairness.fairness_scores(decided, table(group), SEX, condition="sex_1.0", rng=Rng(1))
    return {score.metric: score for score in found}


def test_every_rate_and_comparison_by_hand():
    found = judged(ROWS)
    values = {name: score.value for name, score in found.items()}
    assert values["selection_rate_sex_female"] == 0.5 and values["selection_rate_sex_male"] == 0.5
    assert values["true_positive_rate_sex_female"] == 0.5 and values["true_positive_rate_sex_male"] == 2 / 3
    assert values["false_positive_rate_sex_female"] == 0.5 and values["false_positive_rate_sex_male"] == 1 / 3
    assert values["demographic_parity_ratio_sex"] == 1.0 and values["demographic_parity_difference_sex"] == 0.0
    assert values["equal_opportunity_ratio_sex"] == pytest.approx(0.75)
    assert values["equal_opportunity_difference_sex"] == pytest.approx(1 / 6)
    assert values["equalized_odds_ratio_sex"] == pytest.approx(2 / 3)  # of the false positive rates
    assert values["equalized_odds_difference_sex"] == pytest.approx(1 / 6)
    assert values["calibration_sex_male"] == pytest.approx(0.5 - 0.5)
    assert values["auroc_sex_female"] == 0.5 and values["auroc_sex_male"] == pytest.approx((2.5 + 2.5 + 1) / 9)
    assert found["auroc_sex_female"].n == 4 and found["auroc_sex_male"].n == 6
    assert {score.axis for score in found.values()} == {"fairness"}
    assert set(found) == {*fairness.parity_names(SEX), *fairness.group_names(SEX)}


def test_it_says_what_fairlearn_says_where_fairlearn_defines_it():
    draw = Rng(3).numpy()
    groups, truth = draw.integers(0, 2, 500), draw.integers(0, 2, 500)
    decided = fairness.at_cut(truth, 0.4 * draw.random(500) + 0.3 * truth + 0.2 * groups)
    frame = table(groups)
    found = {s.metric: s.value for s in fairness.fairness_scores(decided, frame, SEX, condition="c", rng=Rng(1))}
    for name in ("demographic_parity", "equalized_odds", "equal_opportunity"):
        for kind in ("ratio", "difference"):
            theirs = getattr(oracle, f"{name}_{kind}")(truth, decided.decision, sensitive_features=frame["sex"])
            assert found[f"{name}_{kind}_sex"] == pytest.approx(theirs)


def test_a_group_without_positive_rows_is_named_and_no_rate_is_invented():
    rows = [(g, 0 if g == 0 else t, d) for g, t, d in ROWS]
    found = judged(rows)
    for name in ("equal_opportunity_ratio_sex", "equal_opportunity_difference_sex", "equalized_odds_ratio_sex"):
        assert math.isnan(found[name].value) and "0/0: group 'female' has no positive test row" in found[name].note
    assert "group 'female'" in found["true_positive_rate_sex_female"].note
    assert found["demographic_parity_ratio_sex"].value == 1.0


def test_rates_of_nobody_have_no_ratio_but_a_difference_of_zero():
    found = judged([(g, t, 0) for g, t, _ in ROWS])
    assert "0/0: the selection rate of every group (female, male) is 0" in found["demographic_parity_ratio_sex"].note
    assert found["demographic_parity_difference_sex"].value == 0.0
    one = judged([(g, t, d if g else 0) for g, t, d in ROWS])
    assert one["demographic_parity_ratio_sex"].value == 0.0  # 0 over something is 0


def test_a_group_without_a_test_row_takes_no_part_and_is_named():
    three = Attribute("sex", ("female", "male", "other"))
    frame = table([g for g, _, _ in ROWS], three.groups)
    truth, decision = (np.array([row[k] for row in ROWS]) for k in (1, 2))
    decided = fairness.Decided(truth, decision.astype(float), decision.astype(float))
    found = {s.metric: s for s in fairness.fairness_scores(decided, frame, three, condition="c", rng=Rng(1))}
    assert found["demographic_parity_ratio_sex"].value == 1.0
    assert "group 'other' has no test row" in found["selection_rate_sex_other"].note


def test_a_group_of_one_row_counts_in_full():
    found = judged([*ROWS[4:], (0, 1, 0)])
    assert found["demographic_parity_ratio_sex"].value == 0.0 and found["selection_rate_sex_female"].n == 1
    assert "no negative test row" in found["equalized_odds_ratio_sex"].note


def test_decisions_by_lot_count_by_their_probability():
    found = judged([(0, 1, 0.5), (0, 0, 0.25), (1, 1, 1.0), (1, 0, 0.5)])
    assert found["demographic_parity_ratio_sex"].value == pytest.approx(0.375 / 0.75)
    assert found["equal_opportunity_difference_sex"].value == pytest.approx(0.5)


def test_the_auroc_of_one_cut_is_that_of_the_risk_and_moved_cuts_change_it():
    draw = Rng(4).numpy()
    truth = draw.integers(0, 2, 300)
    risk = np.clip(0.3 * truth + 0.7 * draw.random(300), 0, 1)
    assert fairness.auroc(fairness.at_cut(truth, risk)) == pytest.approx(roc_auc_score(truth, risk))
    moved = fairness.Decided(np.array([0, 1, 0, 1]), np.array([0.2, 0.3, 0.6, 0.9]), np.array([0.0, 1.0, 0.0, 1.0]))
    assert fairness.auroc(moved) == 1.0 and roc_auc_score(moved.truth, moved.risk) == 0.75
    with pytest.raises(DataProblem, match="the 2 test rows are of one class"):
        fairness.auroc(fairness.at_cut(np.ones(2), np.array([0.1, 0.2])))


def test_the_auroc_of_a_lottery_is_the_mean_over_its_draws():
    truth, risk = np.array([1, 0, 1, 0]), np.array([0.7, 0.7, 0.2, 0.4])
    chance = np.array([0.5, 0.25, 0.75, 0.0])
    mean = 0.0
    for draw in itertools.product([0, 1], repeat=4):
        decided = np.array(draw)
        probability = np.prod(np.where(decided, chance, 1 - chance))
        mean += probability * roc_auc_score(truth, 10 * decided + risk)
    assert fairness.auroc(fairness.Decided(truth, risk, chance)) == pytest.approx(mean)


def test_intervals_hold_the_value_narrow_with_rows_and_repeat():
    few, many = (judged(ROWS * k)["equalized_odds_ratio_sex"] for k in (20, 500))
    assert few.low <= few.value <= few.high and many.low <= many.value <= many.high
    assert many.high - many.low < (few.high - few.low) / 2
    assert many == judged(ROWS * 500)["equalized_odds_ratio_sex"]


def test_an_interval_covers_the_law_about_as_often_as_it_says():
    """Rates .3 and .6 of two groups of 500: the ratio .5 is inside the 95 % interval in most of 60 tables."""
    inside = 0
    for seed in range(60):
        draw = Rng(seed).numpy()
        groups = np.repeat([0, 1], 500)
        decision = (draw.random(1000) < np.where(groups, 0.6, 0.3)).astype(float)
        decided = fairness.Decided(draw.integers(0, 2, 1000), decision, decision)
        score = fairness.fairness_scores(decided, table(groups), SEX, condition="c", rng=Rng(seed))[0]
        inside += score.low <= 0.5 <= score.high
    assert 51 <= inside <= 60  # 57 on average; fewer than 51 has probability .01
