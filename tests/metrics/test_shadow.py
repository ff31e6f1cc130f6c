"""The shadow-model attack: scores by hand, generators whose leak is known, chance where there is none."""

import math

import numpy as np
import pandas as pd
import pytest

from synthcohort.metrics import shadow
from synthcohort.metrics.matrix import DataProblem
from synthcohort.rng import Rng
from synthcohort.schema import Column, Schema

NUMBERS = Schema((Column("x", "numeric"), Column("y", "numeric", "target")))
LEVELS = Schema(
    (Column("a", "categorical", levels=("p", "q")), Column("b", "categorical", "target", levels=("no", "yes"))), "yes"
)
SIX = np.array([[1, 0], [0, 1], [1, 1], [0, 0], [0, 1], [1, 0]], dtype=bool)


def line(values):
    return NUMBERS.cast(pd.DataFrame({"x": values, "y": np.linspace(0, 1, len(values))}))


def attack(pool, generate, schema, *, models=16, targets=20):
    """Return the scores of the attack on `generate`(rows of a run, number of the run)."""
    chosen = shadow.exposed(pool, schema, targets, Rng(1))
    inside = shadow.design(models, targets, Rng(2))
    statistics = [
        shadow.closeness(pool.iloc[chosen], generate(pool.drop(pool.index[chosen[~held]]), m), pool, schema)
        for m, held in enumerate(inside)
    ]
    ratio = shadow.likelihood_ratio(np.array(statistics), inside)
    return {s.metric: s for s in shadow.attack_scores(ratio, inside, confidence=0.95, rng=Rng(3))}


def test_the_likelihood_ratio_is_the_one_computed_by_hand():
    statistics = np.array([[5.0, 0.0], [1.0, 3.0], [4.0, 2.0], [0.0, 0.0], [2.0, 4.0], [6.0, 2.0]])
    found = shadow.likelihood_ratio(statistics, SIX)
    # The last four runs judge the first two: target 0 has in {4, 6}, out {0, 2}; target 1 in {2, 4}, out {0, 2}.
    # Residuals are +-1 throughout: eight of them over 2 targets x (4 - 2) degrees of freedom.
    variance = 8 / 4 + 0.01**2
    assert found[0, 0] == pytest.approx(((5 - 1) ** 2 - (5 - 5) ** 2) / (2 * variance))
    assert found[1, 0] == pytest.approx(((1 - 1) ** 2 - (1 - 5) ** 2) / (2 * variance))
    assert found[1, 1] == pytest.approx(((3 - 1) ** 2 - (3 - 3) ** 2) / (2 * variance))


def test_the_victim_and_its_partner_do_not_calibrate_their_own_scores():
    statistics = np.random.default_rng(0).normal(size=(6, 2))
    moved = statistics.copy()
    moved[1] += 100
    before, after = shadow.likelihood_ratio(statistics, SIX), shadow.likelihood_ratio(moved, SIX)
    assert np.array_equal(before[0], after[0])
    assert not np.allclose(before[2:], after[2:])


def test_rates_and_area_are_those_counted_by_hand():
    scores = np.array([[4.0, 3.0], [3.0, 1.0]])
    inside = np.array([[True, False], [False, True]])
    # Members 4, 1; non-members 3, 3: member 4 beats both, member 1 neither.
    curve = shadow.roc(scores, inside)
    assert curve["false_rate"].tolist() == [0, 0, 1, 1]
    assert curve["true_rate"].tolist() == [0, 0.5, 0.5, 1]
    found = {s.metric: s.value for s in shadow.attack_scores(scores, inside, confidence=0.9, rng=Rng(0))}
    assert found == {
        "mia_auroc_shadow": 0.5, "mia_tpr_at_fpr_1pct_shadow": 0.5, "mia_tpr_at_fpr_0p1pct_shadow": 0.5,
    }  # fmt: skip
    assert shadow.resolution(inside) == 0.5


def test_a_level_allows_so_many_false_accusations_and_no_more():
    scores = np.arange(400, 0, -1, dtype=float).reshape(200, 2)
    inside = np.ones((200, 2), dtype=bool)
    inside[100:] = False
    inside.ravel()[[10, 60, 90]] = False  # 203 non-members, three of them among the first hundred scores
    found = {s.metric: s.value for s in shadow.attack_scores(scores, inside, confidence=0.9, rng=Rng(0))}
    assert found["mia_tpr_at_fpr_1pct_shadow"] == pytest.approx(88 / 197)  # two accused wrongly are .00985
    assert found["mia_tpr_at_fpr_0p1pct_shadow"] == pytest.approx(10 / 197)  # one would already be .0049


def test_equal_scores_are_chance_and_count_half():
    inside = shadow.design(8, 6, Rng(0))
    found = shadow.attack_scores(np.zeros((8, 6)), inside, confidence=0.95, rng=Rng(1))
    assert [s.value for s in found] == [0.5, 0.0, 0.0]
    assert [(s.low, s.high) for s in found] == [(0.5, 0.5), (0.0, 0.0), (0.0, 0.0)]
    assert [s.metric for s in found] == list(shadow.METRICS)
    assert {(s.axis, s.direction, s.n) for s in found} == {("privacy", "down", 6)}


@pytest.mark.parametrize("targets", [5, 20])
def test_every_target_is_in_half_of_the_runs_and_partners_complement_each_other(targets):
    inside = shadow.design(16, targets, Rng(4))
    assert (inside.sum(axis=0) == 8).all()
    assert (inside[0::2] != inside[1::2]).all()
    assert set(inside.sum(axis=1)) == {targets // 2, targets - targets // 2}
    assert len({tuple(row) for row in inside[0::2]}) > 1


def test_the_exposed_rows_are_those_far_from_their_neighbours():
    near = np.linspace(0, 0.1, 40)
    assert list(shadow.exposed(line([*near, 1.0, 0.5]), NUMBERS, 2, Rng(0))) == [40, 41]


def test_exposure_is_the_mean_over_five_other_rows_in_every_block():
    frame = line(np.random.default_rng(5).random(300))
    unit = np.stack([frame["x"] / np.ptp(frame["x"]), frame["y"]], axis=1)
    apart = np.abs(unit[:, None] - unit[None]).sum(axis=2)
    by_hand = np.sort(apart, axis=1)[:, 1:6].mean(axis=1)
    assert list(shadow.exposed(frame, NUMBERS, 30, Rng(0))) == list(np.argsort(-by_hand)[:30])


def test_a_level_that_differs_counts_one_and_ties_are_drawn():
    pairs = [("p", "no")] * 20 + [("q", "no")] * 20 + [("p", "yes")]
    frame = LEVELS.cast(pd.DataFrame(pairs, columns=["a", "b"]))
    drawn = [shadow.exposed(frame, LEVELS, 3, Rng(seed)) for seed in (0, 1, 0)]
    assert drawn[0][0] == drawn[1][0] == 40  # one step from its neighbours, the others none
    assert list(drawn[0]) == list(drawn[2]) != list(drawn[1])


def test_closeness_is_minus_the_log_distance_on_the_reference_ranges():
    reference, drawn = line(np.linspace(0, 10, 12)), line(np.full(12, 5.0))
    found = shadow.closeness(line([5.0, 9.0]), drawn, reference, NUMBERS)
    assert found == pytest.approx([-math.log(0.01), -math.log(0.4 + 0.01)], abs=1e-5)
    beyond = shadow.closeness(line([5.0, 25.0]), drawn, reference, NUMBERS)
    assert beyond[1] == pytest.approx(-math.log(2.0 + 0.01), abs=1e-5)  # no clipping outside the range


def test_constant_columns_and_few_rows():
    constant = NUMBERS.cast(pd.DataFrame({"x": np.ones(20), "y": np.ones(20)}))
    assert len(shadow.exposed(constant, NUMBERS, 4, Rng(0))) == 4
    assert (shadow.closeness(constant[:4], constant, constant, NUMBERS) == -math.log(0.01)).all()
    with pytest.raises(DataProblem, match="the training table has 9 rows"):
        shadow.exposed(constant[:9], NUMBERS, 2, Rng(0))
    with pytest.raises(DataProblem, match="11 targets are more than half of the 20 training rows; attack fewer"):
        shadow.exposed(constant, NUMBERS, 11, Rng(0))
    with pytest.raises(DataProblem, match="the synthetic table has 3 rows"):
        shadow.closeness(constant[:4], constant[:3], constant, NUMBERS)


@pytest.mark.parametrize(
    ("statistics", "inside", "message"),
    [
        (np.zeros((6, 3)), SIX, "give both as"),
        (np.zeros((4, 2)), SIX[:4], "4 runs are no 3 or more complementary pairs"),
        (np.zeros((6, 2)), SIX[[0, 2, 1, 3, 4, 5]], "complementary"),
        (np.full((6, 2), np.nan), SIX, "not finite"),
    ],
)
def test_what_is_no_experiment_is_refused(statistics, inside, message):
    with pytest.raises(ValueError, match=message):
        shadow.likelihood_ratio(statistics, inside)


def test_a_copying_generator_is_found_out(make_cohort, schema):
    found = attack(make_cohort(200, 11), lambda rows, m: rows.sample(frac=1.0, random_state=m), schema)
    assert found["mia_auroc_shadow"].value >= 0.95
    assert found["mia_tpr_at_fpr_0p1pct_shadow"].value >= 0.9


def test_resampling_leaks_what_it_happens_to_draw(make_cohort, schema, bootstrap):
    found = attack(make_cohort(200, 12), bootstrap, schema, models=32)["mia_auroc_shadow"]
    drawn = 1 - math.exp(-1)  # a row is drawn at least once; if not, the table looks as if it had been left out
    assert found.value == pytest.approx(drawn + (1 - drawn) / 2, abs=0.06)
    assert found.low < found.value < found.high


def test_more_noise_leaks_less(make_cohort, schema, shuffle):
    pool = make_cohort(200, 13)
    areas = [
        attack(pool, lambda rows, m, share=share: shuffle(rows, share, m), schema)["mia_auroc_shadow"].value
        for share in (0.0, 0.2, 0.5)
    ]
    assert areas == sorted(areas, reverse=True)
    assert areas[0] - areas[-1] > 0.2


def test_a_generator_that_ignores_its_rows_is_at_chance(make_cohort, schema):
    found = attack(make_cohort(200, 14), lambda rows, m: make_cohort(200, 1000 + m), schema)
    auroc = found["mia_auroc_shadow"]
    assert auroc.low <= 0.5 <= auroc.high
    assert found["mia_tpr_at_fpr_1pct_shadow"].low <= 0.05


def test_the_attack_is_calibrated_even_with_few_runs():
    areas = []
    for seed in range(60):
        inside = shadow.design(6, 10, Rng(seed))
        statistics = np.random.default_rng(seed).normal(size=inside.shape)
        scores = shadow.likelihood_ratio(statistics, inside)
        areas.append((scores[inside][:, None] > scores[~inside]).mean())
    assert np.mean(areas) == pytest.approx(0.5, abs=3 * np.std(areas) / math.sqrt(60))
