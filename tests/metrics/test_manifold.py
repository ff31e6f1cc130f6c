"""Precision, recall, density, coverage, authenticity: hand computation, enumeration of ties, fresh rows, prdc."""

import itertools

import numpy as np
import pytest
from toy_tables import by_hand

from synthcohort.metrics import points
from synthcohort.metrics.manifold import (
    METRICS,
    alpha_precision,
    authenticity,
    beta_recall,
    closest_points,
    covered,
    curve_gap,
    density,
    manifold_scores,
    neighbour_balls,
)
from synthcohort.metrics.matrix import DataProblem
from synthcohort.metrics.points import Points, distance_blocks, other_rows
from synthcohort.rng import Rng

NUMBERS, number_rows = by_hand(x="", y="")
LEVELS, level_rows = by_hand(k="ab", t="01")


def line(*values):
    return Points(np.array(values, dtype=float)[:, None], np.empty((len(values), 0), np.float32), 0)


def space(values):
    return Points(values, np.empty((len(values), 0), np.float32), 0)


def balls(x, k):
    return neighbour_balls(other_rows(x, np.arange(len(x))), k)


def closest(x, y):
    return closest_points(distance_blocks(x, y))


def coverage(x, y, k):
    return covered(balls(x, k), closest(x, y), k).mean()


def density_of(x, y, k):
    return density(distance_blocks(x, y), balls(x, k), k)


def recall(x, y):
    return beta_recall(y, distance_blocks(x, y), closest(x, y), covered(balls(x, 1), closest(x, y), 1))


def values(real, synthetic, schema, seed=0):
    return {s.metric: s.value for s in manifold_scores(real, synthetic, schema, max_rows=2000, rng=Rng(seed))}


def numbers(n, seed):
    draw = np.random.default_rng(seed)
    return number_rows(draw.normal(size=n), draw.normal(size=n))


def levels(n, seed):
    bits = np.random.default_rng(seed).integers(0, 2, (n, 2))
    return level_rows(np.where(bits[:, 0], "a", "b"), np.where(bits[:, 1], "1", "0"))


@pytest.fixture
def by_prdc():
    """Return points, and their density and coverage by prdc 0.2 (numpy 2.4.6, scikit-learn 1.9.1).

    With prdc installed in an environment of its own: prdc.compute_prdc(x, y, nearest_k=5), x and y as below.
    """

    def spread(n, first):
        return np.sin(np.arange(first, first + 3 * n, dtype=float) ** 2).reshape(n, 3)

    return space(spread(40, 1)), space(0.5 * spread(30, 1000) + 0.4), {"density": 1.32, "coverage": 0.525}


def test_density_and_coverage_are_those_of_prdc(by_prdc):
    x, y, expected = by_prdc
    assert density_of(x, y, 5) == pytest.approx(expected["density"], abs=1e-12)
    assert coverage(x, y, 5) == pytest.approx(expected["coverage"], abs=1e-12)


def test_alpha_precision_of_four_rows_by_hand():
    # Radii around 2: real 2, 1, 0, 3; synthetic 0 (the innermost quarter), 2 (the third), 1/2 (from 1/4 on), 8 (never).
    # P is alpha on the first and third quarter, 1/2 on the second, 3/4 on the fourth: two triangles of 1/32.
    assert alpha_precision(line(0, 1, 2, 5), line(2, 4, 2.5, 10)) == pytest.approx(1 - 2 * 2 / 32)


def test_beta_recall_of_four_rows_by_hand():
    # Every real row is covered: 0 and 1 by 0.5, 3 by 3, 7 by 4. From the synthetic middle -3.125 outwards come 0.5, 3,
    # 4 and -20, so R rises by 1/2, 1/4, 1/4, 0: above beta by 1/32, 2/32, 2/32, 1/32.
    assert recall(line(0, 1, 3, 7), line(0.5, 3, -20, 4)) == pytest.approx(1 - 2 * 6 / 32)
    # 8 is farther from 3 than 1 is: not covered. R: 1/4 at most.
    assert recall(line(0, 1, 3, 7), line(8, 30, 31, 32)) < 0.5


def test_density_and_coverage_of_four_rows_by_hand():
    x, y = line(0, 1, 3, 7), line(8, 8, -2, 100)  # second neighbours at 3, 2, 3, 6
    assert density_of(x, y, 2) == pytest.approx(3 / (2 * 4))
    assert coverage(x, y, 2) == pytest.approx(2 / 4)


def test_authenticity_of_four_rows_by_hand():
    # 0.2 and 9 are nearer to a real row than its real neighbour, 0 is a copy, -1.5 is farther from 0 than 1 is.
    assert authenticity(line(0, 1, 3, 7), line(0.2, 9, -1.5, 0)) == 0.25


def test_ties_by_hand():
    x, y = line(0, 0, 0, 0), line(0, 0, 5, 5)
    # A synthetic 0 is among the 2 nearest of the 3 + 1 rows at 0 with chance 2/4.
    assert density_of(x, y, 2) == pytest.approx(4 * 2 * (2 / 4) / (2 * 4))
    # Neither of two is among the first 2 of 5 rows with chance 3/5 * 2/4.
    assert coverage(x, y, 2) == pytest.approx(1 - 3 / 10)
    assert coverage(x, y, 1) == pytest.approx(2 / 5)
    # A copy of a row that three patients share is nobody's copy; of a row that stands alone it is.
    assert authenticity(line(0, 0, 0, 5), line(0, 5)) == pytest.approx((2 / 3 + 0) / 2)


def test_fresh_rows_have_the_stated_mean_by_enumeration():
    # All draws of 4 + 2 rows from a law on three points, two at one distance from the third: ties of both kinds.
    law, n, m, k = {0.0: 0.5, 1.0: 0.3, -1.0: 0.2}, 4, 2, 2
    got = np.zeros(3)
    for draw in itertools.product(law, repeat=n + m):
        x, y = line(*draw[:n]), line(*draw[n:])
        found = closest(x, y)
        row = [density_of(x, y, k), covered(balls(x, k), found, k).mean(), coverage(x, y, 1)]
        got += np.prod([law[point] for point in draw]) * np.array(row)
    assert got == pytest.approx([1.0, 1 - (3 / 5) * (2 / 4), m / (n - 1 + m)], abs=1e-9)


def test_curve_gap_is_the_integral():
    draw = np.random.default_rng(0)
    low = draw.integers(0, 12, 30)
    high = np.minimum(low + draw.integers(0, 4, 30), 11)
    low = np.minimum(low, high)
    weight = draw.dirichlet(np.ones(30))
    t = (np.arange(220_000) + 0.5) / 220_000
    lift = np.clip((11 * t[:, None] - low) / np.maximum(high - low, 1e-9), 0, 1)
    assert curve_gap(low, high, weight, 11) == pytest.approx(np.abs(lift @ weight - t).mean(), abs=1e-5)
    assert curve_gap(np.array([11]), np.array([11]), np.array([1.0]), 11) == pytest.approx(0.5)


def test_the_table_itself(schema, make_cohort):
    real = make_cohort(300, 1).drop_duplicates()
    perfect = {"alpha_precision": 1.0, "beta_recall": 1.0, "coverage": 1.0, "authenticity": 0.0, "density": 1.1}
    assert values(real, real, schema) == pytest.approx(perfect)


def test_density_of_the_table_moved_by_a_hair_is_the_same():
    draw = np.random.default_rng(0)
    points = draw.normal(size=(400, 2))
    x, y = space(points), space(points + 1e-4 * draw.normal(size=points.shape))
    assert density_of(x, x, 5) == pytest.approx(1.1)
    assert density_of(x, y, 5) == pytest.approx(1.1, abs=0.02)


def test_fresh_rows_score_as_stated(schema, make_cohort):
    n = 150
    fresh = [values(make_cohort(n, 2 * i), make_cohort(n, 2 * i + 1), schema, seed=i) for i in range(60)]
    chances = np.arange(5)
    stated = {
        "alpha_precision": 1 - np.sqrt(np.pi / 8) * np.sqrt(2 / n),
        "density": 1.0,
        "coverage": 1 - np.prod((n - 1 - chances) / (2 * n - 1 - chances)),
    }
    for metric, expected in stated.items():
        sample = np.array([f[metric] for f in fresh])
        assert abs(sample.mean() - expected) < 3 * sample.std(ddof=1) / np.sqrt(len(sample)), metric
    assert 0.5 < np.mean([f["beta_recall"] for f in fresh]) < 0.6
    assert 0.35 < np.mean([f["authenticity"] for f in fresh]) < 0.6


def test_fresh_rows_on_a_line_are_authentic_one_time_in_three():
    draw = np.random.default_rng(0)
    sample = np.array([authenticity(line(*draw.random(200)), line(*draw.random(200))) for _ in range(40)])
    assert abs(sample.mean() - 1 / 3) < 3 * sample.std(ddof=1) / np.sqrt(len(sample)) + 1 / 200


def test_fresh_rows_of_few_categories_score_as_other_fresh_rows():
    # Every row has equals: "<" would give density and coverage 0, "<=" a density of dozens and coverage 1.
    n = 40
    fresh = [values(levels(n, 2 * i), levels(n, 2 * i + 1), LEVELS, seed=i) for i in range(80)]
    chances = np.arange(5)
    stated = {"density": 1.0, "coverage": 1 - np.prod((n - 1 - chances) / (2 * n - 1 - chances))}
    for metric, expected in stated.items():
        sample = np.array([f[metric] for f in fresh])
        assert abs(sample.mean() - expected) < 3 * sample.std(ddof=1) / np.sqrt(len(sample)), metric
    assert 0.4 < np.mean([f["beta_recall"] for f in fresh]) < 0.65
    assert np.mean([f["alpha_precision"] for f in fresh]) > 0.85
    assert np.mean([f["authenticity"] for f in fresh]) > 0.8  # equal to ten patients is a copy of none of them


def test_equal_steps_of_a_lattice_are_ties():
    ages = Points(np.arange(9.0)[:, None] / 3.1 + 0.7, np.empty((9, 0), np.float32), 0)
    assert balls(ages, 1).tied.tolist() == [1, 2, 2, 2, 2, 2, 2, 2, 1]


def test_falls_with_noise_while_copies_become_authentic(schema, make_cohort):
    real, draw = make_cohort(400, 0), np.random.default_rng(1)

    def disturbed(width):
        moved = {c: real[c] + width * real[c].std() * draw.normal(size=len(real)) for c in ("age", "marker")}
        return real.assign(**moved)

    got = [values(real, disturbed(width), schema) for width in (0.0, 0.3, 1.0, 3.0)]
    for metric in ("alpha_precision", "beta_recall", "density", "coverage"):
        assert [g[metric] for g in got] == sorted((g[metric] for g in got), reverse=True), metric
    assert [g["authenticity"] for g in got] == sorted(g["authenticity"] for g in got)
    assert got[0]["authenticity"] < 0.01 and got[-1]["authenticity"] > 0.6 and got[-1]["coverage"] < 0.5


def test_crowded_rows_cover_little_and_are_dense_among_many_columns():
    draw = np.random.default_rng(0)

    def three(columns, width):
        x, y = space(draw.normal(size=(300, columns))), space(width * draw.normal(size=(300, columns)))
        return density_of(x, y, 5), coverage(x, y, 5), alpha_precision(x, y)

    few, many, wide = three(2, 0.2), three(8, 0.2), three(8, 2.0)
    assert 0.8 < few[0] < 1.2 and 2.0 < many[0] < 4.0 and wide[0] < 0.2
    assert max(few[1], many[1], wide[1]) < 0.5 and max(few[2], many[2], wide[2]) < 0.3


def test_every_real_row_is_searched_for_copies_whatever_the_cap(schema, make_cohort, bootstrap):
    real = make_cohort(600, 0).drop_duplicates()
    scores = manifold_scores(real, bootstrap(real, 1), schema, max_rows=50, rng=Rng(0))
    assert {s.metric: s.value for s in scores}["authenticity"] == 0.0
    assert [s.n for s in scores] == [50] * 5 and tuple(s.metric for s in scores) == METRICS
    scores = manifold_scores(real[:80], real, schema, max_rows=200, rng=Rng(0))
    assert {s.metric: s.n for s in scores} == {**dict.fromkeys(METRICS, 80), "authenticity": 200}


def test_blocks_change_nothing(monkeypatch, schema, make_cohort):
    frames = make_cohort(90, 0), make_cohort(70, 1)
    whole = values(*frames, schema)
    monkeypatch.setattr(points, "BLOCK", 7)
    assert values(*frames, schema) == pytest.approx(whole, abs=1e-12)


def test_unit_of_a_column_is_irrelevant(schema, make_cohort):
    frames = make_cohort(90, 0), make_cohort(70, 1)
    scaled = (f.assign(age=f["age"] * 1024.0) for f in frames)
    assert values(*scaled, schema) == pytest.approx(values(*frames, schema))


def test_equal_real_rows_have_stated_values():
    real = number_rows([0.1] * 12, [3.0] * 12)
    same = values(real, real, NUMBERS)
    assert same == pytest.approx(
        {
            "alpha_precision": 1.0,
            "beta_recall": 1 - (1 - 12 / 23),  # the nearest of 11 real and 12 synthetic equals
            "density": 1.0,
            "coverage": 1 - np.prod([(11 - a) / (23 - a) for a in range(5)]),
            "authenticity": 11 / 12,
        }
    )
    moved = values(real, real.assign(x=1.1), NUMBERS)
    lost = {"alpha_precision": 0.0, "beta_recall": 0.0, "density": 0.0, "coverage": 0.0, "authenticity": 1.0}
    assert moved == pytest.approx(lost)


def test_constant_column_and_one_class_are_no_obstacle(schema, make_cohort):
    real = make_cohort(60, 0).assign(age=50.0)
    alive = real[real["died"] == "no"]
    for synthetic in (real, alive, real.assign(age=51.0)):
        assert all(np.isfinite(v) for v in values(real, synthetic, schema).values())
    assert values(alive, alive, schema)["coverage"] == 1.0
    assert values(real, real.assign(age=80.0), schema)["coverage"] == 0.0


def test_values_far_out_of_range_lose_everything():
    real = numbers(50, 0)
    got = values(real, real + 1e6, NUMBERS)
    assert got["alpha_precision"] == pytest.approx(0.0) and got["coverage"] == got["density"] == 0.0
    assert got["authenticity"] == 1.0


def test_fewer_than_ten_rows_are_refused(schema, make_cohort):
    with pytest.raises(DataProblem, match="9 rows"):
        values(make_cohort(50, 0), make_cohort(9, 1), schema)
    with pytest.raises(DataProblem, match="9 rows"):
        values(make_cohort(9, 0), make_cohort(50, 1), schema)
