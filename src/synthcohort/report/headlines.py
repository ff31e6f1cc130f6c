"""Which of the many metrics does a page show first?

One short list per axis: numbers that answer different questions, the strictest of each kind. A page shows those that
have a score; what is not on a list stands in a second, compact table.
"""

from __future__ import annotations

from collections.abc import Iterable

HEADLINES: dict[str, tuple[str, ...]] = {
    "fidelity": (
        *("shape", "trend", "mmd", "c2st_xgboost", "c2st_logistic", "alpha_precision", "beta_recall"),
        *("wasserstein_test", "rare_combinations"),
    ),
    "utility": (
        *("tstr_auroc_xgboost", "tstr_auroc_random_forest", "tstr_auroc_logistic_regression", "tstr_f1_xgboost"),
        *("tstr_brier_xgboost", "tstr_calibration_slope_error_xgboost", "tstr_calibration_intercept_xgboost"),
        *("importance_agreement", "ranking_agreement"),
        *("tstr_r2_xgboost", "tstr_r2_random_forest", "tstr_rmse_xgboost"),  # of a numeric target
    ),
    "privacy": (
        *("memorisation", "exact_copies", "dcr_share", "mia_auroc_distance", "mia_auroc_domias", "mia_auroc_logan"),
        *("mia_auroc_monte_carlo", "mia_auroc_shadow", "mia_tpr_at_fpr_1pct_domias", "singling_out_risk"),
        *("linkability_risk", "attribute_inference_risk"),
    ),
}


def first(axis: str, metrics: Iterable[str]) -> list[str]:
    """Return those of `metrics` that head the axis, in the order of the list; all of them if none does."""
    known = list(metrics)
    return [metric for metric in HEADLINES.get(axis, ()) if metric in known] or known


def rest(axis: str, metrics: Iterable[str]) -> list[str]:
    """Return those of `metrics` that do not head the axis."""
    known = list(metrics)
    heads = set(first(axis, known))
    return [metric for metric in known if metric not in heads]
