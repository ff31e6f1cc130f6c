"""What is a metric called where people read it?"""

from __future__ import annotations

import re

CLASSIFIERS = {
    "xgboost": "XGBoost", "random_forest": "random forest", "logistic_regression": "logistic regression",
    "k_nearest_neighbours": "nearest neighbours", "support_vector_machine": "support vector machine",
    "multilayer_perceptron": "multilayer perceptron", "decision_tree": "decision tree",
    "logistic": "logistic regression",
}  # fmt: skip
ATTACKS = {
    "distance": "distance", "domias": "DOMIAS", "logan": "LOGAN", "monte_carlo": "Monte Carlo",
    "shadow": "shadow models", "worst": "worst attack",
}  # fmt: skip
_QUANTITIES = {
    "auroc": "AUROC", "auprc": "AUPRC", "f1": "F1", "f2": "F2", "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy", "brier": "Brier score",
    "calibration_slope_error": "calibration slope error", "calibration_intercept": "calibration intercept",
    "r2": "R²", "rmse": "RMSE", "macro_f1": "macro F1", "tpr_at_fpr_1pct": "TPR at 1 % FPR",
    "tpr_at_fpr_0p1pct": "TPR at 0.1 % FPR",
}  # fmt: skip
_METRICS = {
    "shape": "Shape (column marginals, mean)",
    "trend": "Trend (pairs of columns, mean)",
    "trend_sdmetrics": "Trend as SDMetrics bins it (pairs of columns, mean)",
    "mmd": "MMD (kernel two-sample statistic)",
    "mmd_narrow": "MMD, narrow kernel",
    "mmd_wide": "MMD, wide kernel",
    "mmd_p_value": "MMD p-value (permutations)",
    "c2st_xgboost": "C2ST AUROC (XGBoost tells real from synthetic)",
    "c2st_logistic": "C2ST AUROC, logistic (regression tells real from synthetic)",
    "logistic_detection": "Logistic detection as SDMetrics scores it (1: not told apart)",
    "alpha_precision": "Alpha-precision (rows are typical of real ones)",
    "beta_recall": "Beta-recall (real rows are covered)",
    "density": "Density (real neighbourhoods that hold a row)",
    "coverage": "Coverage (real neighbourhoods reached)",
    "wasserstein_train": "Wasserstein distance to train rows",
    "wasserstein_test": "Wasserstein distance to test rows",
    "dimension_wise_probability": "Dimension-wise probability (RMSE)",
    "dimension_wise_prediction": "Dimension-wise prediction (RMSE)",
    "correlation_difference": "Difference of correlations",
    "rare_combinations": "Rare combinations (difference of frequencies)",
    "rule_confidence": "Confidence of rules (difference)",
    "out_of_range": "Out of range (share of rows)",
    "impossible_combinations": "Impossible combinations (share of rows)",
    "importance_agreement": "Agreement of feature importances (rank correlation)",
    "ranking_agreement": "Agreement of classifier rankings (Kendall's tau)",
    "memorisation": "Memorisation (0 fresh rows, 1 copies)",
    "exact_copies": "Exact copies of train rows (share)",
    "near_copies": "Near copies of train rows (share)",
    "near_copies_excess": "Excess of near copies (share)",
    "replicas": "Replicas (share of rows much nearer to one train row)",
    "replicas_holdout": "Replicas among fresh rows (share)",
    "dcr_share": "DCR share (0.5: train no nearer than test)",
    "authenticity": "Authenticity (share of rows)",
    "mia_f1_distance": "Distance attack, F1 at the median",
    "singling_out_risk": "Singling-out risk",
    "singling_out_risk_univariate": "Singling-out risk, one column",
    "linkability_risk": "Linkability risk",
    "attribute_inference_risk": "Attribute inference risk",
    "small_cell_disclosure": "Small-cell disclosure",
    "dcr_train_median": "Median distance to the nearest train row",
    "dcr_holdout_median": "Median distance to the nearest test row",
    "nndr_train_median": "Median distance ratio to train rows",
    "nndr_holdout_median": "Median distance ratio to test rows",
    "impute_mae_median": "Error of the median (mean absolute error, in ranges of the column)",
    "impute_rmse_median": "Squared error of the median (root of the mean, in ranges of the column)",
    "impute_mae_mean": "Error of the mean (mean absolute error, in ranges of the column)",
    "impute_rmse_mean": "Squared error of the mean (root of the mean, in ranges of the column)",
    "impute_accuracy": "Accuracy of the commonest level (categorical cells)",
    "impute_crps": "CRPS (error of the draws as a law, numeric cells)",
    "impute_brier": "Brier score of levels (error of the draws as a law, categorical cells)",
    "impute_coverage_gap": "Coverage gap (share inside the 90 % interval of the draws, less 0.9)",
    "impute_width": "Width of the interval (90 % of the draws, in ranges of the column)",
    "impute_min_mae": "MinMAE (error of each row's best draw)",
    "impute_avg_mae": "AvgMAE (error of a single draw)",
    "impute_wasserstein_numeric": "Wasserstein distance, numeric (pooled draws to the hidden cells)",
    "impute_wasserstein_categorical": "Wasserstein distance, categorical (pooled draws to the hidden cells)",
    "impute_diversity_numeric": "Diversity, numeric (distance of draws to their median)",
    "impute_diversity_categorical": "Diversity, categorical (share of draws off the commonest level)",
    "found_in_range": "Drawn within range (share of the numbers drawn for the table's own holes)",
    "found_wasserstein_numeric": "Distance of completed columns, numeric (Wasserstein)",
    "found_wasserstein_categorical": "Distance of completed columns, categorical (total variation)",
    "dependence": "Dependence of the columns (2 AUROC - 1 of each by all others)",
    "fit_cpu_seconds": "Fit, CPU seconds",
    "impute_cpu_seconds": "Draws, CPU seconds",
    "train_cpu_seconds": "Training, CPU seconds",
    "sample_cpu_seconds": "Sampling, CPU seconds",
    "peak_memory_bytes": "Peak memory, bytes",
    "parameters": "Learned parameters",
}
_MEASURES = (
    *("auroc", "auprc", "f1", "f2", "balanced_accuracy", "accuracy", "r2", "rmse"),
    *("brier", "calibration_slope_error", "calibration_intercept"),
)
_FAMILIES = {
    "tstr": "train on synthetic, test on real",
    "trtr": "train on real, test on real",
    "augment": "real train rows and added minority rows",
    "impute": "train on completed rows, test on real",
    "minority": "rarest class, train on synthetic, test on real",
    "group": "rows of one group, train on synthetic, test on real",
}
_SHORT = {"augment": "augmented", "impute": "downstream", "minority": "minority", "group": "group"}
_TASK = re.compile(rf"^(tstr|trtr|augment|impute|minority|group)_(.+?)_({'|'.join(CLASSIFIERS)})$")
_ATTACK = re.compile(rf"^mia_(auroc|tpr_at_fpr_1pct|tpr_at_fpr_0p1pct)_({'|'.join(ATTACKS)})$")
_PRECISION = re.compile(r"^precision_at_recall_(\d+)$")


def metric_label(metric: str) -> str:
    """Return a metric's name as readers see it."""
    task = _TASK.match(metric)
    if task is None:
        return _named(metric)
    family, quantity, classifier = task.groups()
    return f"{_quantity(quantity)}, {CLASSIFIERS[classifier]} ({_FAMILIES[family]})"


def short_label(metric: str) -> str:
    """Return a metric's name without its explanation, for axes and table heads."""
    task = _TASK.match(metric)
    if task is None:
        return _named(metric).split(" (")[0]
    family, quantity, classifier = task.groups()
    name = _quantity(quantity)
    return f"{_SHORT.get(family, family.upper())} {name}, {CLASSIFIERS[classifier]}"


def quantity(metric: str) -> str:
    """Return only what is measured, such as "AUROC", for places where the rest is said elsewhere."""
    task = _TASK.match(metric)
    return short_label(metric) if task is None else _quantity(task.group(2))


def classifier(metric: str) -> str:
    """Return the classifier a metric of prediction is about, "" for any other metric."""
    task = _TASK.match(metric)
    return "" if task is None else CLASSIFIERS[task.group(3)]


def place(metric: str) -> tuple[int, str, int]:
    """Return the key by which metrics are sorted: known ones in the order of their labels, families by classifier."""
    task, attack = _TASK.match(metric), _ATTACK.match(metric)
    if attack is not None:
        return (len(_METRICS), attack.group(1), list(ATTACKS).index(attack.group(2)))
    if task is None:
        names = list(_METRICS)
        return (names.index(metric) if metric in names else len(names) + 2, "", 0)
    measure = task.group(2)
    rank = _MEASURES.index(measure) if measure in _MEASURES else len(_MEASURES)
    return (len(_METRICS) + 1, "" if task.group(3) == "xgboost" else task.group(3), rank)


def _named(metric: str) -> str:
    attack = _ATTACK.match(metric)
    if attack is not None:
        return f"Membership {_QUANTITIES[attack.group(1)]}, {ATTACKS[attack.group(2)]}"
    return _METRICS.get(metric, metric.replace("_", " "))


def _quantity(name: str) -> str:
    precision = _PRECISION.match(name)
    if precision is not None:
        return f"precision at {precision.group(1)} % recall"
    return _QUANTITIES.get(name, name.replace("_", " "))
