"""What a metric must say, on average, where there is nothing to find: fresh rows of the same law, or no information.

The expectations are closed forms of the law, so each score is compared with a number and not with another score.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from toy_tables import by_hand, errors_from

from synthcohort.metrics.augmentation import Arm, arm_scores, augmented_scores, make_task
from synthcohort.metrics.classifiers import PREDICTORS
from synthcohort.metrics.combinations import impossible_combinations
from synthcohort.metrics.fidelity import fidelity_scores
from synthcohort.metrics.privacy import exact_copies
from synthcohort.metrics.sdmetrics import trend_sdmetrics
from synthcohort.metrics.utility import BINARY, REGRESSION, utility_scores
from synthcohort.rng import Rng

MOST = 4.0  # standard errors: some hundred comparisons stand in this file
ROWS = 400
HALF_NORMAL = np.sqrt(2 / np.pi)  # E|z| of a standard normal z
RHO = 0.7
CELLS = np.array([[0.3, 0.1, 0.05], [0.05, 0.1, 0.4]])  # P(t, k) of the categorical law
SPREAD = 2 * CELLS * (1 - CELLS) / ROWS  # variance of the difference of two shares

NUMBERS, numbers = by_hand(x="", y="")
LETTERS, letters = by_hand(k="abc", t="01")


def gaussian(draw, n=ROWS):
    """Return n rows of two normal columns with correlation RHO."""
    z = draw.standard_normal((2, n))
    return numbers(z[0], RHO * z[0] + np.sqrt(1 - RHO**2) * z[1])


def crossed(draw, n=ROWS):
    """Return n rows of two letters that go together as `CELLS` says."""
    return letters("abcabc", "000111").iloc[draw.choice(6, n, p=CELLS.ravel())]


def total_variation(variance):
    """Return E of half the summed distance of shares whose differences have these variances."""
    return HALF_NORMAL * np.sqrt(variance).sum() / 2


def both_margins():
    margins = [CELLS.sum(axis=0), CELLS.sum(axis=1)]
    return [2 * p * (1 - p) / ROWS for p in margins]


def score(metric, law, schema):
    def compute(draw):
        found = fidelity_scores(law(draw), law(draw), schema)
        return next(s.value for s in found if s.metric == metric)

    return compute


KS = np.sqrt(np.pi / 2) * np.log(2) * np.sqrt(2 / ROWS)  # mean of Kolmogorov's law
RHO_GAP = (1 - RHO**2) * np.sqrt(2 / ROWS) * HALF_NORMAL / 2  # by Fisher's variance of a correlation
FRESH = {
    "shape of numbers": (score("shape", gaussian, NUMBERS), 1 - KS),
    "shape of levels": (
        score("shape", crossed, LETTERS), 1 - np.mean([total_variation(v) for v in both_margins()])
    ),
    "trend of numbers": (score("trend", gaussian, NUMBERS), 1 - RHO_GAP),
    "trend of levels": (score("trend", crossed, LETTERS), 1 - total_variation(SPREAD)),
    "trend_sdmetrics of numbers": (lambda d: trend_sdmetrics(gaussian(d), gaussian(d), NUMBERS)[0].value, 1 - RHO_GAP),
    "trend_sdmetrics of levels": (
        lambda d: trend_sdmetrics(crossed(d), crossed(d), LETTERS)[0].value, 1 - total_variation(SPREAD)
    ),
    "dimension_wise_probability, squared": (
        lambda d: score("dimension_wise_probability", crossed, LETTERS)(d) ** 2, np.concatenate(both_margins()).mean()
    ),
    "exact_copies": (lambda d: exact_copies(crossed(d, 8), crossed(d)), (CELLS * (1 - (1 - CELLS) ** 8)).sum()),
}  # fmt: skip


@pytest.mark.parametrize("name", FRESH)
def test_fresh_rows_score_as_the_law_says(name):
    compute, ideal = FRESH[name]
    assert errors_from(ideal, [compute(np.random.default_rng(seed)) for seed in range(100)]) < MOST


def test_fresh_rows_hold_what_looked_impossible_as_often_as_chance_hides_it():
    # b with 0 is impossible in truth; a with 1 has the share q and is hidden from n real rows with chance (1 - q)^n.
    q, n = 0.02, 60

    def rows(draw, size):
        return letters("aab", "011").iloc[draw.choice(3, size, p=[0.5, q, 0.5 - q])]

    def compute(draw):
        return impossible_combinations(rows(draw, n), rows(draw, 500), LETTERS)[0].value

    assert errors_from(q * (1 - q) ** n, [compute(np.random.default_rng(seed)) for seed in range(300)]) < MOST


PREVALENCE = 0.2


def f_by_chance(beta):
    """Return F_beta of calling every second row positive by the toss of a coin."""
    hits = PREVALENCE / 2
    return (1 + beta**2) * hits / (beta**2 * PREVALENCE + 0.5)


CHANCE = {
    **{"accuracy": 0.5, "balanced_accuracy": 0.5, "auroc": 0.5, "auprc": PREVALENCE},
    **{"f1": f_by_chance(1), "f2": f_by_chance(2)},
    **{"brier": 1 / 3, "calibration_slope_error": 1.0},  # E (p - y)^2 = 1/3 for y = 0 and for y = 1
}


def guesses(seed, n=5000):
    """Return outcomes and uniform probabilities that know nothing of them."""
    draw = np.random.default_rng(seed)
    return (draw.random(n) < PREVALENCE).astype(int), draw.random(n)


@pytest.fixture(scope="module")
def guessed() -> pd.DataFrame:
    """Scores of random probabilities: draw by measure, those of utility and those of augmentation."""
    family, rows = PREDICTORS["xgboost"], []
    for seed in range(30):
        truth, probability = guesses(seed)
        found = [m.score("utility", m.name, truth, probability) for m in BINARY]
        found += arm_scores(Arm("none", probability), truth, family)
        rows.append({s.metric.removesuffix("_xgboost"): s.value for s in found})
    return pd.DataFrame(rows)


@pytest.mark.parametrize("measure", CHANCE)
def test_random_probabilities_score_as_chance_does(guessed, measure):
    for name in {measure, f"augment_{measure}"} & set(guessed):
        assert errors_from(CHANCE[measure], guessed[name]) < MOST, name


def test_the_intercept_of_random_probabilities_moves_them_to_the_base_rate(guessed):
    for name in ("calibration_intercept", "augment_calibration_intercept"):
        p = (np.arange(100_000) + 0.5) / 100_000
        moved = [expit(a + np.log(p / (1 - p))).mean() for a in guessed[name]]
        assert errors_from(PREVALENCE, moved) < MOST, name


def test_the_mean_explains_nothing():
    truth = np.random.default_rng(0).normal(3.0, 2.0, 1000)
    r2, rmse = (m.compute(truth, np.full(1000, truth.mean())) for m in REGRESSION)
    assert r2 == pytest.approx(0.0, abs=1e-12) and rmse == pytest.approx(truth.std())


DRAWS = 8


@pytest.fixture
def learned(make_cohort, schema):
    """Return the function that trains a family on real, fresh and target-shuffled rows, draw by draw, and scores it."""

    def score(family, name, train, test):
        found = utility_scores("m", PREDICTORS[family], train=train, test=test, schema=schema, rng=Rng(0))
        return {s.metric: s.value for s in found} | {"rows": name}

    def run(family):
        rows = []
        for i in range(DRAWS):
            real, fresh, test = make_cohort(120, 3 * i), make_cohort(120, 3 * i + 1), make_cohort(150, 3 * i + 2)
            order = np.random.default_rng(i).permutation(len(fresh))
            blind = fresh.assign(died=fresh["died"].array[order])
            rows += [score(family, *pair, test) for pair in (("real", real), ("fresh", fresh), ("blind", blind))]
        return pd.DataFrame(rows)

    return run


@pytest.mark.parametrize("family", PREDICTORS)
def test_fresh_rows_teach_what_real_rows_teach_and_shuffled_targets_nothing(learned, family):
    frame = learned(family)
    real, fresh, blind = (frame[frame["rows"] == name].drop(columns="rows") for name in ("real", "fresh", "blind"))
    gap = fresh.reset_index(drop=True) - real.reset_index(drop=True)
    for metric in gap:
        assert errors_from(0.0, gap[metric].dropna()) < MOST, metric
    for measure in ("auroc", "balanced_accuracy"):
        assert errors_from(0.5, blind[f"m_{measure}_{family}"]) < MOST, measure


@pytest.mark.parametrize("family", ["xgboost", "random_forest"])
def test_no_added_row_helps_where_there_is_nothing_to_learn(family, make_cohort, schema):
    found = []
    for i in range(DRAWS):
        draw = np.random.default_rng(i)
        parts = [make_cohort(n, 4 * i + j, 0.2) for j, n in enumerate((150, 60, 200, 600))]
        blind = [part.assign(died=part["died"].array[draw.permutation(len(part))]) for part in parts]
        rare = blind[3][blind[3]["died"] == "yes"].reset_index(drop=True)
        scores = augmented_scores(make_task(*blind[:3], schema), rare, 1.0, PREDICTORS[family], Rng(i))
        share = (blind[2]["died"] == "yes").mean()
        found.append({s.metric: s.value for s in scores} | {"share": share})
    table = pd.DataFrame(found)
    assert errors_from(0.5, table[f"augment_auroc_{family}"]) < MOST
