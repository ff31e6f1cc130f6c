"""The membership game: hand computation, enumeration, copies, resamples and fresh rows of three kinds of table."""

import itertools

import numpy as np
import pandas as pd
import pytest
from toy_tables import resampled

import toys
from synthcohort.metrics.attacks_scene import Scene
from synthcohort.metrics.matrix import DataProblem
from synthcohort.metrics.membership import (
    ATTACKS,
    METRICS,
    auroc,
    deal,
    f1_at_median,
    membership_scores,
    true_positives,
)
from synthcohort.rng import Rng
from synthcohort.schema import Column, Schema


def wide(n, seed):
    """Nine categorical columns of four levels around a hidden class, and one integer: nearly every row stands once."""
    draw = np.random.default_rng(seed)
    hidden = draw.integers(0, 3, n)
    names = [f"k{j}" for j in range(9)]
    cells = {name: np.where(draw.random(n) < 0.5, hidden, draw.integers(0, 4, n)).astype(str) for name in names}
    cells["age"] = np.round(50 + 5 * hidden + 10 * draw.standard_normal(n))
    levels = ("0", "1", "2", "3")
    columns = [Column(name, "categorical", "target" if name == "k0" else "feature", levels) for name in names]
    schema = Schema((*columns, Column("age", "numeric", decimals=0)), "1")
    return schema.cast(pd.DataFrame(cells)), schema


TABLES = {"numeric": toys.numeric, "categorical": wide, "mixed": toys.mixed}


def drawn(kind, seed=0, sizes=(300, 100, 300, 300)):
    """Return train, validation, test and fresh rows of one law, and the schema."""
    frame, schema = TABLES[kind](sum(sizes), seed)
    starts = np.cumsum((0, *sizes))
    return [frame.iloc[a:b].reset_index(drop=True) for a, b in itertools.pairwise(starts)], schema


def scores(train, validation, test, synthetic, schema, seed=0, max_rows=1000):
    game = deal(train, validation, test, max_rows=max_rows, rng=Rng(seed, ("deal",)))
    return {s.metric: s for s in membership_scores(game, synthetic, schema, rng=Rng(seed))}


def disturbed(frame, schema, size, seed):
    """Return the rows with noise of `size` standard deviations and a share `size` of the levels shuffled."""
    draw, out = np.random.default_rng(seed), {}
    for column in schema.columns:
        cells = frame[column.name].to_numpy()
        if column.numeric:
            out[column.name] = cells + size * cells.std() * draw.standard_normal(len(cells))
        else:
            hit = draw.random(len(cells)) < size
            out[column.name] = np.where(hit, draw.permutation(cells), cells)
    return schema.cast(pd.DataFrame(out))


def test_area_of_four_scores_by_hand():
    # pairs: 3 > 1, 3 > 2, 2 > 1, 2 = 2: (1 + 1 + 1 + 1/2) / 4. V = (1, 3/4), W = (1, 3/4), var = 1/32 each.
    area, low, high = auroc(np.array([3.0, 2.0]), np.array([1.0, 2.0]), 0.95)
    half = 1.959964 * np.sqrt(1 / 32 / 2 + 1 / 32 / 2)
    assert (area, low, high) == pytest.approx((0.875, 0.875 - half, 1.0))


def test_area_is_the_share_of_ordered_pairs():
    draw = np.random.default_rng(0)
    members, controls = draw.integers(0, 6, 30).astype(float), draw.integers(0, 5, 20).astype(float)
    members[:3], controls[:2] = np.inf, np.inf
    wins = [(m > c) + 0.5 * (m == c) for m in members for c in controls]
    assert auroc(members, controls, 0.95)[0] == pytest.approx(np.mean(wins))


def test_interval_of_the_area_holds_the_truth_as_often_as_it_says():
    truth = 0.7602499  # of scores N(1, 1) against N(0, 1): Phi(1 / sqrt 2)
    draw, held = np.random.default_rng(1), []
    for _ in range(600):
        _, low, high = auroc(draw.standard_normal(60) + 1, draw.standard_normal(60), 0.9)
        held.append(low <= truth <= high)
    assert abs(np.mean(held) - 0.9) < 0.035


def test_true_positives_by_hand():
    controls = np.arange(200.0)  # 1 %: two false positives, 199 and 198; .1 %: none
    members = np.array([197.0, 197.5, 198.5, 199.0, 200.0])
    assert true_positives(members, controls, 0.01) == 4 / 5
    assert true_positives(members, controls, 0.001) == 1 / 5


def test_true_positives_take_all_tied_targets_or_none():
    controls = np.concatenate([np.full(3, 9.0), np.zeros(197)])  # three tied: one too many for 1 %
    members = np.array([9.0, 9.0, 1.0, 10.0])
    assert true_positives(members, controls, 0.01) == 1 / 4
    assert true_positives(members, controls, 0.02) == 1.0


def test_three_of_three_hundred_is_one_percent():
    controls = np.concatenate([np.full(3, 9.0), np.zeros(297)])
    assert true_positives(np.array([1.0]), controls, 0.01) == 1.0
    assert true_positives(np.array([1.0]), controls[:-1], 0.01) == 0.0


def test_true_positives_of_a_guess_have_the_stated_mean():
    draw = np.random.default_rng(2)
    values = [true_positives(draw.random(150), draw.random(150), 0.01) for _ in range(2000)]
    assert abs(np.mean(values) - 2 / 151) < 4 * np.std(values) / np.sqrt(2000)  # one false positive allowed


def test_f1_at_the_median_by_hand():
    # scores 4 3 1 | 2.5 2 0: median 2.25; called members: 4, 3 and the control 2.5
    assert f1_at_median(np.array([4.0, 3.0, 1.0]), np.array([2.5, 2.0, 0.0])) == pytest.approx(2 * 2 / (3 + 3))
    assert f1_at_median(np.zeros(4), np.zeros(4)) == pytest.approx(2 / 3)


def test_dealt_sides_share_no_row(schema, make_cohort):
    train, validation, test = make_cohort(200, 0), make_cohort(40, 1), make_cohort(90, 2)
    # a training row twice, a test row that is a training row, one that is a validation row, one that stands twice
    train = pd.concat([train, train.iloc[:1]], ignore_index=True)
    test = pd.concat([test, train.iloc[[1]], validation.iloc[[2]], test.iloc[[3]]], ignore_index=True)
    game = deal(train, validation, test, max_rows=1000, rng=Rng(0))
    keys = [set(map(tuple, part.to_numpy())) for part in (game.members, game.controls, game.reference)]
    for first, second in itertools.combinations(keys, 2):
        assert not first & second
    assert len(game.members) == len(game.controls) == 62 == len(keys[0]) == len(keys[1])  # two thirds of 93
    assert len(game.reference) == 40 + 93 - 62
    assert not {tuple(row) for row in train.iloc[:2].to_numpy()} & keys[0]
    assert not {tuple(test.iloc[3]), tuple(train.iloc[1]), tuple(validation.iloc[2])} & keys[1]


def test_dealt_by_the_rng_and_at_most_max_rows(schema, make_cohort):
    frames = make_cohort(200, 0), make_cohort(40, 1), make_cohort(90, 2)
    one, same, other = (deal(*frames, max_rows=25, rng=Rng(seed)) for seed in (0, 0, 1))
    assert len(one.members) == len(one.controls) == 25 and len(one.reference) == 40 + 65
    pd.testing.assert_frame_equal(one.members, same.members)
    pd.testing.assert_frame_equal(one.controls, same.controls)
    assert not one.members.equals(other.members) and not one.controls.equals(other.controls)


def test_too_few_rows_that_stand_once_are_refused():
    frame, _ = toys.categorical(400)
    with pytest.raises(DataProblem, match="stand once only: 0 pairs"):
        deal(frame.iloc[:200], frame.iloc[200:250], frame.iloc[250:], max_rows=1000, rng=Rng(0))


def test_a_small_test_table_is_refused(schema, make_cohort):
    with pytest.raises(DataProblem, match="of 12 test rows 12 stand once only: 8 pairs"):
        deal(make_cohort(90, 0), make_cohort(20, 1), make_cohort(12, 2), max_rows=1000, rng=Rng(0))
    with pytest.raises(DataProblem, match="attacker's reference table has 6 rows"):
        deal(make_cohort(90, 0), make_cohort(0, 1), make_cohort(18, 2), max_rows=1000, rng=Rng(0))


def test_names_sizes_and_directions():
    (train, validation, test, fresh), schema = drawn("mixed", sizes=(60, 30, 60, 60))
    got = scores(train, validation, test, fresh, schema, max_rows=30)
    assert tuple(got) != () and set(got) == set(METRICS) and len(METRICS) == 13
    assert {(s.axis, s.direction, s.n) for s in got.values()} == {("privacy", "down", 60)}
    assert all(s.low <= s.value <= s.high for name, s in got.items() if name.startswith("mia_auroc"))


@pytest.mark.parametrize("kind", TABLES)
def test_every_attack_finds_copies_resamples_and_nothing_in_fresh_rows(kind):
    (train, validation, test, fresh), schema = drawn(kind)
    copied = scores(train, validation, test, train, schema)
    drawn_again = scores(train, validation, test, resampled(train, 1), schema)
    unknown = scores(train, validation, test, fresh, schema)
    for attack in ATTACKS:
        assert copied[f"mia_auroc_{attack}"].value >= 0.95, attack
        assert 0.7 <= drawn_again[f"mia_auroc_{attack}"].value <= 0.9, attack
        chance = unknown[f"mia_auroc_{attack}"]
        assert chance.low <= 0.5 <= chance.high, attack
    assert copied["mia_f1_distance"].value >= 0.99
    for attack in ("distance", "domias"):  # a copy stands at distance 0, no control does
        for label in ("1pct", "0p1pct"):
            assert copied[f"mia_tpr_at_fpr_{label}_{attack}"].value == 1.0
            assert 0.5 < drawn_again[f"mia_tpr_at_fpr_{label}_{attack}"].value < 0.75


@pytest.mark.parametrize("kind", TABLES)
def test_fresh_rows_give_chance_on_average(kind, monkeypatch):
    monkeypatch.setattr("synthcohort.metrics.attacks_logan.TREES", 10)  # chance is chance with few trees too
    sizes, rounds = (80, 30, 75, 80), 12  # 50 controls: no false positive allowed at 1 %
    found = []
    for seed in range(rounds):
        (train, validation, test, fresh), schema = drawn(kind, seed + 10, sizes)
        found.append({name: s.value for name, s in scores(train, validation, test, fresh, schema, seed).items()})
    table = pd.DataFrame(found)
    error = table.std(ddof=1) / np.sqrt(rounds)
    for attack in ATTACKS:
        assert abs(table[f"mia_auroc_{attack}"].mean() - 0.5) < 3.5 * error[f"mia_auroc_{attack}"], attack
        for label in ("1pct", "0p1pct"):  # ties can only lower it
            name = f"mia_tpr_at_fpr_{label}_{attack}"
            assert table[name].mean() < 1 / 51 + 3.5 * error[name], name
    above = (table["mia_f1_distance"].mean() - 0.5) / error["mia_f1_distance"]
    assert above > -3.5 and (kind == "categorical" or above < 3.5)  # ties can only lift it


def test_duplicates_across_the_sides_are_no_leak():
    # Two common rows fill a third of the table. Were only the controls among them removed, the members would be the
    # common rows, near every synthetic table, and fresh rows would score about 0.6.
    def draw(n, seed):
        frame, schema = wide(n, seed)
        common = np.random.default_rng(seed).random(n) < 0.35
        frame.loc[common] = frame.iloc[[0]].to_numpy()
        return frame, schema

    values = []
    for seed in range(12):
        frame, schema = draw(600, seed)
        train, validation, test, fresh = (frame.iloc[a:b] for a, b in ((0, 200), (200, 250), (250, 400), (400, 600)))
        game = deal(train, validation, test, max_rows=1000, rng=Rng(seed))
        scene = Scene(pd.concat([game.members, game.controls]), fresh, game.reference, schema)
        near = ATTACKS["distance"](scene, Rng(0))
        size = len(game.members)
        values.append(auroc(near[:size], near[size:], 0.95)[0])
    assert abs(np.mean(values) - 0.5) < 3.5 * np.std(values, ddof=1) / np.sqrt(len(values))


def test_areas_fall_as_copies_are_disturbed(monkeypatch):
    monkeypatch.setattr("synthcohort.metrics.attacks_logan.TREES", 50)
    (train, validation, test, _), schema = drawn("categorical", sizes=(300, 100, 300, 0))
    found = [
        scores(train, validation, test, disturbed(train, schema, size, 5), schema) for size in (0.0, 0.1, 0.3, 1.0)
    ]
    for attack in ATTACKS:
        areas = [f[f"mia_auroc_{attack}"].value for f in found]
        assert areas == sorted(areas, reverse=True) and areas[0] - areas[2] > 0.2, attack
    falling = [f["mia_f1_distance"].value for f in found]
    assert falling == sorted(falling, reverse=True)


def test_values_far_outside_the_training_range_are_judged():
    (train, validation, test, fresh), schema = drawn("numeric", sizes=(80, 30, 75, 80))
    got = scores(train, validation, test, fresh * 1e6, schema)
    assert all(np.isfinite(s.value) for s in got.values())
