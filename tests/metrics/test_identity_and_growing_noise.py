"""Every metric of the real rows themselves, and of the training rows under noise that grows from nothing.

The predictive measures (`tstr_...`) have their noise in `test_utility`, where targets are disturbed too and several
draws are averaged: a little noise in the features alone may even help a tree.
"""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest
from known_tables import judge, noisy, turned

ROWS = 250  # of train and of test: where they are equally many, the training subsample of a distance is all of train
SIZES = (0.0, 0.02, 0.05, 0.2, 0.8)  # of the noise, as in `noisy`
SEEN = 3  # so many sizes leave rows that can be recognised; beyond them a leak is a matter of chance
GAP = 0.05  # of a metric's span, by which a step may go against the trend: risks near 0 differ by 0.02 by chance

NOTHING = (0.0, 0.0)
WHOLE = (1.0, 1.0)
AREA_AND_RATES = ("auroc", "tpr_at_fpr_1pct", "tpr_at_fpr_0p1pct")
# Metric -> the least and the most that the training rows themselves may score.
IDENTITY = {
    **dict.fromkeys(
        (
            *("dimension_wise_probability", "dimension_wise_prediction", "correlation_difference"),
            *("rare_combinations", "rule_confidence", "out_of_range", "impossible_combinations"),
            *("wasserstein_train", "authenticity", "dcr_train_median", "nndr_train_median"),
        ),
        NOTHING,
    ),
    **dict.fromkeys(
        (
            *("shape", "trend", "trend_sdmetrics", "mmd_p_value", "alpha_precision", "beta_recall", "coverage"),
            *("importance_agreement", "ranking_agreement", "exact_copies", "memorisation", "dcr_share", "replicas"),
            *(f"mia_{score}_{attack}" for score in AREA_AND_RATES for attack in ("distance", "domias", "monte_carlo")),
            "mia_f1_distance",
        ),
        WHOLE,
    ),
    "logistic_detection": WHOLE,  # every row stands on both sides: areas lie below 0.5, which counts as 0.5
    "density": (1.1, 1.1),  # (k + 1/2) / k, k = 5: each row is in the balls of its neighbours and, by half, in its own
    **dict.fromkeys(("mmd", "mmd_narrow", "mmd_wide"), (-2 / ROWS, 0.0)),  # -2 (1 - mean of k off the diagonal) / n
    # Trees and risks find most copies, not all: least values as in the tests of each.
    **{f"mia_{score}_logan": (0.95, 1.0) for score in AREA_AND_RATES},
    **{"near_copies_excess": (0.9, 1.0), "singling_out_risk": (0.5, 1.0), "singling_out_risk_univariate": (0.9, 1.0)},
    **{"linkability_risk": (0.9, 1.0), "attribute_inference_risk": (0.8, 1.0), "small_cell_disclosure": (0.1, 1.0)},
}
# The same of the test rows, for what is compared with them.
IDENTITY_OF_TEST = {
    **dict.fromkeys(("wasserstein_test", "dcr_holdout_median", "nndr_holdout_median"), NOTHING),
    **dict.fromkeys(("c2st_xgboost", "c2st_logistic"), (0.48, 0.52)),
}
NO_SYNTHETIC_ROW = {"replicas_holdout"}  # compares real rows with real rows
NO_TREND = {
    "c2st_logistic",  # a linear test is blind to noise around the same mean; `test_detection` shifts the mean
    "nndr_holdout_median",  # a yardstick of rows nobody learned from
    *NO_SYNTHETIC_ROW,
}
LEAKS = (
    *("exact_copies", "memorisation", "dcr_share", "dcr_train_median", "nndr_train_median", "near_copies_excess"),
    *("replicas", "authenticity", "singling_out_risk", "singling_out_risk_univariate", "linkability_risk"),
    *("attribute_inference_risk", "small_cell_disclosure"),
    *(metric for metric in IDENTITY if metric.startswith("mia_")),
)


@pytest.fixture(scope="module")
def against(metric_settings):
    return judge(ROWS, 80, ROWS, settings=replace(metric_settings, max_rows_transport=ROWS))


@pytest.fixture(scope="module")
def ladder(against) -> pd.DataFrame:
    """Scores of the training rows under noise, turned so that larger is better: metric by size."""
    tables = {size: noisy(against.parts["train"], size) for size in SIZES}
    return pd.DataFrame({size: {s.metric: turned(s) for s in against.scores(t)} for size, t in tables.items()})


@pytest.mark.parametrize("part", ["train", "test"])
def test_real_rows_score_as_stated(against, part):
    found = {s.metric: s.value for s in against.scores(against.parts[part])}
    stated = {"train": IDENTITY, "test": IDENTITY_OF_TEST}[part]
    off = {m: found[m] for m, (low, high) in stated.items() if not low - 1e-6 <= found[m] <= high + 1e-6}
    assert off == {}
    if part == "train":
        real = {s.metric.replace("trtr", "tstr"): s.value for s in against.real if s.metric.startswith("trtr")}
        assert {m: found[m] for m in real} == real
        assert set(found) == set(IDENTITY) | set(IDENTITY_OF_TEST) | set(real) | NO_SYNTHETIC_ROW


def test_noise_that_grows_is_seen(ladder):
    wrong = {}
    for metric, row in ladder.iterrows():
        if metric in NO_TREND or metric.startswith("tstr_"):
            continue
        steps = row.iloc[:SEEN].diff() if metric in LEAKS else -row.diff()  # copies that are disturbed leak less
        if not (steps.min() >= -GAP * (row.max() - row.min()) and steps.sum() > 0):
            wrong[metric] = row.to_list()
    assert wrong == {}
    assert set(LEAKS) | NO_TREND <= set(ladder.index)
