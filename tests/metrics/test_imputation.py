"""Scores of imputed cells: by hand, by enumeration, against other packages, on laws whose posterior is known."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm, wasserstein_distance
from sklearn.metrics import accuracy_score, mean_absolute_error, root_mean_squared_error
from toy_tables import by_hand

from synthcohort.metrics.classifiers import PREDICTORS
from synthcohort.metrics.imputation import LEAST_DRAWS, METRICS, brier, crps, imputation_scores, interval
from synthcohort.metrics.imputation_downstream import downstream_scores
from synthcohort.metrics.matrix import DataProblem
from synthcohort.metrics.utility import auroc, judge
from synthcohort.rng import Rng

FOUR, table = by_hand(x="", k="abc", t="")
TRUTH = table([0, 10, 4, 6], "aabb", [0, 5, 5, 5])  # ranges: x 10, t 5
MASK = np.array([[1, 1, 0], [1, 0, 1], [0, 1, 0], [0, 0, 0]], dtype=bool)
DRAWS = (
    table([2, 10, 4, 6], "babb", [0, 0, 5, 5]),
    table([1, 4, 4, 6], "aabb", [0, 5, 5, 5]),
    table([3, 7, 4, 6], "bacb", [0, 3, 5, 5]),
)


def values(truth, mask, draws, schema, reference=None):
    scores = imputation_scores(truth, mask, draws, schema, reference=truth if reference is None else reference)
    assert [s.metric for s in scores] == list(METRICS) and {s.axis for s in scores} == {"imputation"}
    return {s.metric: s.value for s in scores}


def test_four_rows_by_hand():
    got = values(TRUTH, MASK, DRAWS, FOUR)
    # x: truths 0, 10 with draws (2, 1, 3), (10, 4, 7) of range 10; t: truth 5 with draws (0, 5, 3) of range 5.
    assert got["impute_mae_mean"] == pytest.approx(((0.2 + 0.3) / 2 + 7 / 15) / 2)
    assert got["impute_rmse_mean"] == pytest.approx(np.sqrt(((0.04 + 0.09) / 2 + (7 / 15) ** 2) / 2))
    assert got["impute_mae_median"] == pytest.approx(((0.2 + 0.3) / 2 + 0.4) / 2)
    assert got["impute_rmse_median"] == pytest.approx(np.sqrt(((0.04 + 0.09) / 2 + 0.16) / 2))
    # mean |x - y| less the sum of |x_k - x_l| over the three pairs, by 3 * 2.
    of_x = [0.2 - 0.4 / 6, 0.3 - 1.2 / 6]
    assert got["impute_crps"] == pytest.approx((np.mean(of_x) + (7 / 15 - 2.0 / 6)) / 2)
    assert got["impute_diversity_numeric"] == pytest.approx(((0.2 / 3 + 0.6 / 3) / 2 + (0.6 + 0.4) / 3) / 2)
    # k: truth a of draws (b, a, b), truth b of draws (b, b, c).
    assert got["impute_accuracy"] == 0.5
    assert got["impute_diversity_categorical"] == pytest.approx(1 / 3)
    first = (1 / 3 - 1) ** 2 + (2 / 3) ** 2 - 2 * (2 / 9) / 2
    second = (2 / 3 - 1) ** 2 + (1 / 3) ** 2 - 2 * (2 / 9) / 2
    assert got["impute_brier"] == pytest.approx((first + second) / 2)
    # Pooled draws a 1, b 4, c 1 of six; truths a, b.
    assert got["impute_wasserstein_categorical"] == pytest.approx((1 / 3 + 1 / 6 + 1 / 6) / 2)
    assert got["impute_wasserstein_numeric"] == pytest.approx((0.25 + 7 / 15) / 2)
    # Row errors a draw, in cells: row 1 .2 + 1, .1, .3 + 1; row 2 0 + 1, .6, .3 + .4; row 3 0, 0, 1.
    assert got["impute_avg_mae"] == pytest.approx((1.2 + 0.1 + 1.3 + 1.0 + 0.6 + 0.7 + 0 + 0 + 1) / 3 / 5)
    assert got["impute_min_mae"] == pytest.approx((0.1 + 0.6 + 0) / 5)


def test_numbers_of_cells_directions_and_the_condition_are_recorded():
    scores = imputation_scores(TRUTH, MASK, DRAWS, FOUR, reference=TRUTH, condition="mcar_20")
    cells = {"numeric": 3, "categorical": 2, "": 5}
    for score in scores:
        assert score.condition == "mcar_20" and (score.note or score.n == cells[METRICS[score.metric].kind])
        assert score.note or score.direction == METRICS[score.metric].direction


def test_what_few_draws_or_a_missing_kind_leave_undefined_fails_with_its_reason():
    notes = {s.metric: s.note for s in imputation_scores(TRUTH, MASK, DRAWS, FOUR, reference=TRUTH)}
    assert {m for m, note in notes.items() if note} == {"impute_coverage_gap", "impute_width"}
    assert "at least 19 draws, got 3" in notes["impute_width"]
    notes = {s.metric: s.note for s in imputation_scores(TRUTH, MASK, DRAWS[:1], FOUR, reference=TRUTH)}
    assert {m for m, note in notes.items() if note} == {
        *("impute_coverage_gap", "impute_width", "impute_crps", "impute_brier")
    }
    numeric = MASK & np.array([True, False, True])
    draws = [d.assign(k=TRUTH["k"]) for d in DRAWS]
    notes = {s.metric: s.note for s in imputation_scores(TRUTH, numeric, draws, FOUR, reference=TRUTH)}
    assert notes["impute_accuracy"] == "no categorical cell is hidden" and not notes["impute_min_mae"]


def test_scores_are_those_of_scipy_and_scikit_learn():
    draw = np.random.default_rng(0)
    schema, rows = by_hand(x="", k="abc", t="01")
    truth = rows(draw.normal(3, 2, 60), draw.choice(list("abc"), 60), "01" * 30)
    mask = draw.random((60, 3)) < [0.5, 0.5, 0.0]
    made = rows(draw.normal(2, 3, 60), draw.choice(list("abc"), 60), "01" * 30)
    drawn = pd.DataFrame({c: made[c].where(mask[:, j], truth[c]) for j, c in enumerate(truth)})
    got, unit = values(truth, mask, [drawn] * 3, schema), np.ptp(truth["x"])
    y, x = (f["x"][mask[:, 0]] / unit for f in (truth, drawn))
    assert got["impute_mae_mean"] == pytest.approx(mean_absolute_error(y, x)) == got["impute_mae_median"]
    assert got["impute_rmse_mean"] == pytest.approx(root_mean_squared_error(y, x)) == got["impute_rmse_median"]
    assert got["impute_wasserstein_numeric"] == pytest.approx(wasserstein_distance(x, y))
    assert got["impute_accuracy"] == accuracy_score(truth["k"][mask[:, 1]], drawn["k"][mask[:, 1]])
    assert got["impute_crps"] == pytest.approx(got["impute_mae_mean"])  # equal draws
    assert got["impute_min_mae"] == pytest.approx(got["impute_avg_mae"])
    assert got["impute_diversity_numeric"] == got["impute_diversity_categorical"] == 0


OUTCOMES, CHANCES = np.array([-1.0, 0.5, 2.0]), np.array([0.5, 0.2, 0.3])


@pytest.mark.parametrize("m", [2, 3, 5])
def test_mean_crps_over_all_ensembles_is_the_laws_own(m):
    y = 0.7
    pairs = CHANCES[:, None] * CHANCES * np.abs(OUTCOMES[:, None] - OUTCOMES)
    law = CHANCES @ np.abs(OUTCOMES - y) - pairs.sum() / 2
    ensembles = list(itertools.product(range(3), repeat=m))
    chance = [np.prod(CHANCES[list(e)]) for e in ensembles]
    fair = [crps(np.array([y]), OUTCOMES[list(e)][:, None])[0] for e in ensembles]
    assert np.dot(chance, fair) == pytest.approx(law)
    # The oracle sees the usual estimator, whose second mean includes a draw's distance 0 to itself.
    plain = [np.abs(OUTCOMES[list(e)] - y).mean() for e in ensembles]
    biased = [a - (a - f) * (m - 1) / m for a, f in zip(plain, fair, strict=True)]
    assert np.dot(chance, biased) > law + 0.05


@pytest.mark.parametrize("m", [2, 3, 5])
def test_mean_brier_over_all_ensembles_is_the_laws_own(m):
    law = np.sum((CHANCES - np.eye(3)[1]) ** 2)
    ensembles = list(itertools.product(range(3), repeat=m))
    chance = [np.prod(CHANCES[list(e)]) for e in ensembles]
    fair = [brier(np.array([1]), np.array(e)[:, None], 3)[0] for e in ensembles]
    assert np.dot(chance, fair) == pytest.approx(law)


def test_crps_of_a_normal_law_is_the_closed_form():
    # y (2 Phi(y) - 1) + 2 phi(y) - 1 / sqrt(pi) [Gneiting 2007, sec. 4.2, for mu = 0, sigma = 1]
    y = np.array([-1.5, 0.0, 0.8])
    drawn = np.random.default_rng(0).standard_normal((40_000, 1)) * np.ones(3)
    closed = y * (2 * norm.cdf(y) - 1) + 2 * norm.pdf(y) - 1 / np.sqrt(np.pi)
    assert crps(y, drawn) == pytest.approx(closed, abs=0.02)


@pytest.mark.parametrize("m", [LEAST_DRAWS, 20, 39, 50])
@pytest.mark.parametrize("law", ["standard_normal", "random", "standard_exponential"])
def test_draws_of_the_exact_posterior_cover_nine_tenths(m, law):
    draw = np.random.default_rng(m)
    cells = getattr(draw, law)((m + 1, 20_000))
    share = []
    for scale in (1.0, 0.8):
        low, high = interval(np.median(cells) + scale * (cells[1:] - np.median(cells)))
        share.append(((low <= cells[0]) & (cells[0] <= high)).mean())
    assert abs(share[0] - 0.9) < 0.01  # three standard errors are 0.0064; the rest is interpolation between draws
    assert share[1] < 0.89  # the oracle sees draws a fifth too narrow


def test_interval_of_nineteen_draws_is_their_extremes():
    drawn = np.random.default_rng(0).permutation(np.arange(19.0))[:, None]
    low, high = interval(drawn)
    assert (low[0], high[0]) == (0.0, 18.0)
    with pytest.raises(DataProblem, match="19 draws, got 18"):
        interval(drawn[1:])


@pytest.fixture
def masked(schema, make_cohort):
    """Return 300 rows, a mask of a third of their cells, and the function size of noise -> 20 noisy draws."""
    truth = make_cohort(300, 1)
    mask = np.random.default_rng(2).random((300, 4)) < 1 / 3
    low, high = truth[["age", "marker"]].min(), truth[["age", "marker"]].max()

    def noisy(size):
        drawn = []
        for k in range(20):
            draw = np.random.default_rng([3, k])
            frame = truth.copy()
            for j, name in enumerate(schema.names):
                if name in low:
                    moved = truth[name] + size * (high[name] - low[name]) * draw.standard_normal(300)
                    frame[name] = truth[name].where(~mask[:, j], moved.round(schema[name].decimals))
                else:
                    changed = mask[:, j] & (draw.random(300) < size)
                    levels = truth[name].cat.categories
                    codes = np.where(changed, draw.integers(0, len(levels), 300), truth[name].cat.codes)
                    frame[name] = pd.Categorical.from_codes(codes, categories=levels)
            drawn.append(frame)
        return drawn

    return truth, mask, noisy


def test_the_truth_itself_is_perfect(masked, schema):
    truth, mask, _ = masked
    got = values(truth, mask, [truth] * 20, schema)
    assert got.pop("impute_accuracy") == 1 and got.pop("impute_coverage_gap") == pytest.approx(0.1)
    assert got == pytest.approx(dict.fromkeys(got, 0.0), abs=1e-12)


def test_noise_that_grows_is_seen(masked, schema):
    truth, mask, noisy = masked
    ladder = pd.DataFrame({size: values(truth, mask, noisy(size), schema) for size in (0.0, 0.1, 0.3, 0.9)})
    for metric, row in ladder.iterrows():
        if metric == "impute_coverage_gap":
            continue  # draws around the truth always cover it; `draws_of_the_exact_posterior...` is its test
        steps = -row.diff() if METRICS[metric].direction == "up" and "diversity" not in metric else row.diff()
        assert steps.iloc[1:].min() > 0 or (metric == "impute_accuracy" and steps.iloc[1:].min() >= 0), (metric, row)


def test_least_error_falls_with_draws_and_average_error_does_not(masked, schema):
    truth, mask, noisy = masked
    draws = noisy(0.3)
    few, many = values(truth, mask, draws[:3], schema), values(truth, mask, draws, schema)
    assert many["impute_min_mae"] < 0.8 * few["impute_min_mae"]
    assert many["impute_avg_mae"] == pytest.approx(few["impute_avg_mae"], rel=0.1)
    assert few["impute_min_mae"] < few["impute_avg_mae"]


def test_unit_of_a_column_is_irrelevant_and_a_constant_one_has_its_own(masked, schema):
    truth, mask, noisy = masked
    wide, _ = by_hand(age="", marker="", ward="a", died="0")
    only = mask & np.array([True, True, False, False])
    frames = [wide.cast(f.assign(ward="a", died="0")) for f in (truth, *noisy(0.2))]
    scaled = [f.assign(age=f["age"] * 1000) for f in frames]
    plain = values(frames[0], only, frames[1:], wide)
    assert values(scaled[0], only, scaled[1:], wide) == pytest.approx(plain, nan_ok=True)
    flat = frames[0].assign(age=40.0)
    moved = [flat.assign(age=np.where(only[:, 0], 42.0, 40.0)) for _ in range(2)]
    columns = only & np.array([True, False, False, False])
    assert values(flat, columns, moved, wide)["impute_mae_mean"] == pytest.approx(2.0)


def test_bad_draws_are_refused():
    changed = DRAWS[0].assign(t=DRAWS[0]["t"].where(DRAWS[0].index != 3, 4.0))
    with pytest.raises(ValueError, match="column 't': a draw changed a cell that was not hidden"):
        values(TRUTH, MASK, [changed], FOUR)
    with pytest.raises(ValueError, match="column 'x': a hidden cell has no truth"):
        values(TRUTH.assign(x=[np.nan, 10, 4, 6]), MASK, DRAWS, FOUR)
    with pytest.raises(ValueError, match="0 draws"):
        values(TRUTH, MASK, [], FOUR)
    with pytest.raises(ValueError, match="0 hidden cells"):
        values(TRUTH, np.zeros_like(MASK), DRAWS, FOUR)
    with pytest.raises(ValueError, match="column 'x' has 1 missing"):
        values(TRUTH, MASK, [DRAWS[0].assign(x=[np.nan, 10, 4, 6])], FOUR)
    # A cell outside the mask may be missing in the truth: a hole that was there before.
    assert values(TRUTH.assign(t=[np.nan, 5, 5, 5]), MASK, DRAWS, FOUR)["impute_min_mae"] > 0


def test_downstream_area_is_the_mean_over_draws(schema, make_cohort, shuffle):
    train, test, rng = make_cohort(200, 0), make_cohort(200, 1), Rng(4)
    forest = PREDICTORS["random_forest"]
    worse = shuffle(train, 0.8, 3)
    areas = [auroc(judge(forest, train=f, test=test, schema=schema, rng=rng), schema) for f in (train, worse)]
    (both,) = downstream_scores([train, worse], test, schema, forest, rng=rng, condition="mcar_20")
    assert both.metric == "impute_auroc_random_forest" and both.direction == "up" and both.condition == "mcar_20"
    assert both.value == pytest.approx(np.mean(areas)) and both.n == 200
    assert areas[1] < areas[0]
    one_class = train.assign(died=schema.cast(train.assign(died="no"))["died"])
    (lost,) = downstream_scores([one_class], test, schema, forest, rng=rng)
    assert np.isnan(lost.value) and "one level only" in lost.note


def test_downstream_of_a_numeric_target_is_r2():
    schema, rows = by_hand(x="", t="")
    x = np.linspace(0, 1, 50)
    table = rows(x, 3 * x)
    (score,) = downstream_scores([table], table, schema, PREDICTORS["logistic_regression"], rng=Rng(0))
    assert score.metric == "impute_r2_logistic_regression" and 0.99 < score.value <= 1
