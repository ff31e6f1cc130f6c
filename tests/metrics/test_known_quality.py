"""Every metric against tables of known quality: does it put them in the order that they deserve?

Five tables beside fresh rows of the law: `bootstrap` (train rows drawn again), `independent` (every column shuffled by
itself), `target_shuffled` (the target alone), `noisy` (numeric cells moved by 5 % of the column's range, one level in
twenty drawn anew) and `uniform` (every cell uniform over the range or the levels).
"""

from __future__ import annotations

from functools import partial

import pandas as pd
import pytest
from known_tables import FAMILIES, judge, law, noisy, target_shuffled, turned, uniform
from toy_tables import independent, resampled

# Best first; each table must be better than the next by more than `GAP` of the metric's span over all tables.
GAP = 0.02
COPYING = (
    *("exact_copies", "memorisation", "dcr_share", "near_copies_excess", "replicas", "authenticity"),
    *("mia_auroc_distance", "mia_auroc_domias", "mia_tpr_at_fpr_1pct_distance", "mia_tpr_at_fpr_0p1pct_distance"),
    *("mia_tpr_at_fpr_1pct_domias", "mia_tpr_at_fpr_0p1pct_domias", "nndr_train_median"),
)
LEAKING = (
    *("dcr_train_median", "mia_auroc_logan", "mia_auroc_monte_carlo", "mia_tpr_at_fpr_1pct_logan"),
    *("mia_tpr_at_fpr_0p1pct_logan", "mia_f1_distance", "singling_out_risk", "singling_out_risk_univariate"),
    *("attribute_inference_risk", "linkability_risk"),
    *("mia_tpr_at_fpr_1pct_monte_carlo", "mia_tpr_at_fpr_0p1pct_monte_carlo"),
)
ORDER = {
    # Marginals alone: shuffled columns are perfect, which is why these never stand alone.
    "shape": ("independent", "fresh", "uniform"),
    "dimension_wise_probability": ("independent", "fresh", "uniform"),
    "logistic_detection": ("independent", "fresh", "uniform"),
    "c2st_logistic": ("independent", "uniform"),
    # Dependence.
    "trend": ("fresh", "independent", "uniform"),
    "trend_sdmetrics": ("fresh", "independent", "uniform"),
    "mmd": ("fresh", "independent", "uniform"),
    "mmd_narrow": ("fresh", "independent", "uniform"),
    "mmd_wide": ("fresh", "uniform"),
    "mmd_p_value": ("fresh", "independent"),
    "c2st_xgboost": ("fresh", "noisy", "independent", "uniform"),
    "correlation_difference": ("fresh", "target_shuffled", "independent"),
    "dimension_wise_prediction": ("fresh", "target_shuffled", "independent", "uniform"),
    "rare_combinations": ("fresh", "noisy", "independent", "uniform"),
    "rule_confidence": ("fresh", "noisy", "independent", "uniform"),
    "impossible_combinations": ("fresh", "noisy", "independent", "uniform"),
    "out_of_range": ("fresh", "noisy"),
    # Neighbourhoods and transport.
    "alpha_precision": ("fresh", "independent", "uniform"),
    "beta_recall": ("fresh", "noisy", "independent", "uniform"),
    "density": ("fresh", "noisy", "independent", "uniform"),
    "coverage": ("fresh", "independent", "uniform"),
    "wasserstein_train": ("fresh", "target_shuffled", "independent", "uniform"),
    "wasserstein_test": ("fresh", "target_shuffled", "independent", "uniform"),
    # Utility: a target that is shuffled teaches nothing.
    **{f"tstr_{m}_{c}": ("fresh", "target_shuffled")
       for m in ("accuracy", "balanced_accuracy", "auroc", "auprc", "f1", "f2", "brier")
       for c in FAMILIES},
    **{f"tstr_calibration_slope_error_{c}": ("fresh", "uniform")
       for c in FAMILIES},
    "importance_agreement": ("fresh", "independent"),
    "ranking_agreement": ("fresh", "independent"),
    # Privacy: copies of rows, whole or all but the target, are found out; shuffled columns and fresh rows are not.
    **dict.fromkeys(COPYING, ("fresh", "target_shuffled", "bootstrap")),
    **dict.fromkeys(LEAKING, ("fresh", "bootstrap")),
}  # fmt: skip
NO_ORDER = {
    # An offset of the logits says whether the base rate is right, which all tables but `uniform` keep.
    *(f"tstr_calibration_intercept_{c}" for c in FAMILIES),
    # Distances to rows nobody learned from, the yardsticks of the scores above.
    *("dcr_holdout_median", "nndr_holdout_median", "replicas_holdout"),
    # Few cells of one to four rows hold one row exactly: no power at this size.
    "small_cell_disclosure",
}


MADE = {
    "bootstrap": partial(resampled, seed=15),
    "independent": partial(independent, seed=11),
    "target_shuffled": target_shuffled,
    "noisy": noisy,
    "uniform": uniform,
}


@pytest.fixture(scope="module")
def judged(metric_settings) -> pd.DataFrame:
    """Scores of every table, turned so that larger is better: metric by table."""
    against = judge(500, 150, 300, settings=metric_settings)
    tables = {name: make(against.parts["train"]) for name, make in MADE.items()} | {"fresh": law(500, 3)}
    return pd.DataFrame({name: {s.metric: turned(s) for s in against.scores(t)} for name, t in tables.items()})


def test_every_metric_has_a_stated_order_or_a_stated_reason_for_none(judged):
    assert set(judged.index) == set(ORDER) | NO_ORDER
    assert not set(ORDER) & NO_ORDER


@pytest.mark.parametrize("metric", ORDER)
def test_tables_of_known_quality_stand_in_their_order(judged, metric):
    row = judged.loc[metric]
    span = row.max() - row.min()
    for better, worse in zip(ORDER[metric], ORDER[metric][1:]):
        assert row[better] - row[worse] > GAP * span, f"{metric}: {better} {row[better]:.3f}, {worse} {row[worse]:.3f}"


def test_shuffled_columns_are_found_out_by_a_strong_test_and_by_no_linear_one(judged):
    assert judged.loc["c2st_xgboost", "independent"] < -0.3 and judged.loc["c2st_logistic", "independent"] > -0.05
    assert judged.loc["tstr_auroc_xgboost", "independent"] < 0.6 < 0.75 < judged.loc["tstr_auroc_xgboost", "fresh"]
