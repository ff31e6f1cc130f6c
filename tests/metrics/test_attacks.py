"""The membership attacks one by one: scores of four rows by hand, what they may and may not depend on."""

import numpy as np
import pytest
from toy_tables import by_hand

from synthcohort.metrics.attacks_logan import logan_attack
from synthcohort.metrics.attacks_neighbours import distance_attack, domias_attack, log_ratio, monte_carlo_attack
from synthcohort.metrics.attacks_scene import Scene
from synthcohort.metrics.matrix import DataProblem
from synthcohort.metrics.membership import ATTACKS
from synthcohort.metrics.nearest import closeness_within, distance_rows, neighbour_distance
from synthcohort.rng import Rng

FOUR, table = by_hand(x="", k="ab", t="01")


REFERENCE = table([0, 10, 2, 4, 6], "aaaaa", "00000")  # range of x: 10
TARGETS = table([1, 9, 4, 30], "abab", "0010")
SYNTHETIC = table([1, 3, 9, 9.5], "aabb", "0000")


def test_distance_of_four_targets_by_hand():
    # (4, a, 1) differs in t from (3, a, 0); (30, b, 0) lies two ranges above (9.5, b, 0).
    got = distance_attack(Scene(TARGETS, SYNTHETIC, REFERENCE, FOUR), Rng(0))
    assert got == pytest.approx([0.0, 0.0, -1.1, -2.05], abs=1e-6)


def test_domias_of_four_targets_by_hand():
    # the farthest of the five reference rows: |1-10|, |9-0| + k, |4-10| + t, |30-0| + k, in ranges
    got = domias_attack(Scene(TARGETS, SYNTHETIC, REFERENCE, FOUR), Rng(0))
    assert np.isposinf(got[:2]).all()
    assert got[2:] == pytest.approx([np.log(1.6 / 1.1), np.log(4.0 / 2.05)], abs=1e-6)


def test_monte_carlo_of_four_targets_by_hand():
    # nearest distances 0, 0, 1.1, 2.05: epsilon .55. Ball of (1, a, 0): its copy and (3, a, 0) at .2; of (9, b, 0):
    # its copy and (9.5, b, 0); of the others none.
    got = monte_carlo_attack(Scene(TARGETS, SYNTHETIC, REFERENCE, FOUR), Rng(0))
    assert got.tolist() == [np.inf, np.inf, 0.0, 0.0]


def test_monte_carlo_weighs_rows_by_their_closeness():
    # synthetic rows at .2 and .4 of the one range, over three columns; the second target's nearest is at .6, so epsilon
    # is .4
    synthetic, reference = table([2, 4], "aa", "00"), table([0, 10], "aa", "00")
    got = monte_carlo_attack(Scene(table([0, 10], "aa", "00"), synthetic, reference, FOUR), Rng(0))
    assert got == pytest.approx([-(np.log(0.2 / 3) + np.log(0.4 / 3)) / 2, 0.0], abs=1e-5)


def test_logan_of_four_targets_by_hand():
    # x of the two classes does not overlap: every tree cuts between 4 and 6, so a target's side of the gap decides.
    synthetic, reference = table([0, 1, 2, 3], "aaaa", "0000"), table([7, 8, 9, 9.5], "aaaa", "0000")
    got = logan_attack(Scene(table([-1, 2.5, 7, 20], "aaaa", "0000"), synthetic, reference, FOUR), Rng(0))
    assert got.tolist() == [1.0, 1.0, 0.0, 0.0]


def test_logan_weighs_the_classes_equally():
    # one cell shared by all rows: nothing to split on, so the prior alone speaks
    synthetic, reference = table([1] * 30, "a" * 30, "0" * 30), table([1] * 10, "a" * 10, "0" * 10)
    assert logan_attack(Scene(TARGETS, synthetic, reference, FOUR), Rng(0)) == pytest.approx([0.5] * 4)


def test_log_ratio_of_zeros():
    got = log_ratio(np.array([2.0, 1.0, 0.0, 0.0]), np.array([1.0, 0.0, 1.0, 0.0]))
    assert got.tolist() == [np.log(2.0), np.inf, -np.inf, 0.0]


def test_domias_discounts_what_is_common_everywhere():
    # both targets have a synthetic row at 1; only the second lies where the population is rare
    reference = table([0, 0.1, 0.2, 0.3, 0.4, 100], "aaaaaa", "000000")
    targets, synthetic = table([1, 49], "aa", "00"), table([0, 50], "aa", "00")
    common, rare = domias_attack(Scene(targets, synthetic, reference, FOUR), Rng(0))
    assert rare > common
    assert np.ptp(distance_attack(Scene(targets, synthetic, reference, FOUR), Rng(0))) == pytest.approx(0, abs=1e-6)


def test_domias_needs_five_reference_rows():
    with pytest.raises(DataProblem, match="4 rows; its density needs 5"):
        domias_attack(Scene(TARGETS, SYNTHETIC, REFERENCE.iloc[:4], FOUR), Rng(0))


def test_neighbours_and_balls_agree_with_sorting(monkeypatch, schema, make_cohort):
    monkeypatch.setattr("synthcohort.metrics.nearest.CELLS", 420)
    queries, candidates = (distance_rows(make_cohort(n, n), make_cohort(60, 60), schema) for n in (40, 60))
    gaps = np.abs(queries.numeric[:, :, None] - candidates.numeric[:, None, :]).sum(axis=0)
    every = gaps + (queries.codes[:, :, None] != candidates.codes[:, None, :]).sum(axis=0)  # [40, 60]
    ordered = np.sort(every, axis=1)
    for k in (1, 5, 60):
        assert neighbour_distance(queries, candidates, k) == pytest.approx(ordered[:, k - 1], abs=1e-5)
    weights = np.where(every <= 1.0, -np.log(every / len(schema.columns)), 0.0).mean(axis=1)
    assert closeness_within(queries, candidates, 1.0) == pytest.approx(weights, abs=1e-5)


@pytest.mark.parametrize("name", ATTACKS)
def test_scores_belong_to_the_target_alone(name, schema, make_cohort):
    targets, synthetic, reference = make_cohort(60, 0), make_cohort(80, 1), make_cohort(50, 2)
    order = np.random.default_rng(0).permutation(60)
    plain = ATTACKS[name](Scene(targets, synthetic, reference, schema), Rng(3))
    assert np.array_equal(plain[order], ATTACKS[name](Scene(targets.iloc[order], synthetic, reference, schema), Rng(3)))
    assert np.array_equal(plain, ATTACKS[name](Scene(targets, synthetic, reference, schema), Rng(3)))


@pytest.mark.parametrize("name", ATTACKS)
def test_unit_of_a_column_is_irrelevant(name, schema, make_cohort):
    frames = [make_cohort(n, n) for n in (40, 60, 50)]
    scaled = [frame.assign(age=frame["age"] * 1024.0) for frame in frames]
    assert ATTACKS[name](Scene(*frames, schema), Rng(0)) == pytest.approx(
        ATTACKS[name](Scene(*scaled, schema), Rng(0)), abs=1e-5
    )


@pytest.mark.parametrize("name", ATTACKS)
def test_a_constant_column_changes_no_score_of_a_distance(name, schema, make_cohort):
    frames = [make_cohort(n, n).assign(marker=4.0) for n in (40, 60, 50)]
    got = ATTACKS[name](Scene(*frames, schema), Rng(0))
    assert got.shape == (40,) and not np.isnan(got).any() and np.ptp(got[np.isfinite(got)]) > 0
