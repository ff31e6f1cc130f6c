"""What is a metric called where people read it?"""

from __future__ import annotations

import re

_CLASSIFIERS = {"xgboost": "XGBoost", "random_forest": "random forest", "logistic": "logistic regression"}
_QUANTITIES = {
    "auroc": "AUROC", "auprc": "AUPRC", "f1": "F1", "f2": "F2", "accuracy": "accuracy", "brier": "Brier score",
    "r2": "R²", "rmse": "RMSE", "macro_f1": "macro F1",
}  # fmt: skip
_METRICS = {
    "shape": "Shape (column marginals, mean)",
    "trend": "Trend (pairs of columns, mean)",
    "mmd": "MMD (kernel two-sample statistic)",
    "c2st_xgboost": "C2ST AUROC (XGBoost tells real from synthetic)",
    "c2st_logistic": "C2ST AUROC (logistic regression)",
    "dimension_wise_probability": "Dimension-wise probability (RMSE)",
    "exact_copies": "Exact copies of train rows (share)",
    "memorisation": "Memorisation (0 fresh rows, 1 copies)",
    "dcr_share": "DCR share (0.5: train no nearer than test)",
    "dcr_train_median": "Median distance to the nearest train row",
    "dcr_holdout_median": "Median distance to the nearest test row",
    "train_cpu_seconds": "Training, CPU seconds",
    "sample_cpu_seconds": "Sampling, CPU seconds",
    "peak_memory_bytes": "Peak memory, bytes",
    "parameters": "Learned parameters",
}
_MEASURES = ("auroc", "auprc", "f1", "f2", "r2", "rmse")
_FAMILIES = {
    "tstr": "train on synthetic, test on real",
    "trtr": "train on real, test on real",
    "augment": "real train rows and added minority rows",
}
_TASK = re.compile(r"^(tstr|trtr|augment)_(.+?)_(xgboost|random_forest|logistic)$")


def metric_label(metric: str) -> str:
    """Return a metric's name as readers see it."""
    task = _TASK.match(metric)
    if task is None:
        return _METRICS.get(metric, metric.replace("_", " "))
    family, quantity, classifier = task.groups()
    name = _QUANTITIES.get(quantity, quantity.replace("_", " "))
    return f"{name}, {_CLASSIFIERS[classifier]} ({_FAMILIES[family]})"


def short_label(metric: str) -> str:
    """Return a metric's name without its explanation, for axes and table heads."""
    task = _TASK.match(metric)
    if task is None:
        return _METRICS.get(metric, metric.replace("_", " ")).split(" (")[0]
    family, quantity, classifier = task.groups()
    name = _QUANTITIES.get(quantity, quantity.replace("_", " "))
    return f"{family.upper() if family != 'augment' else 'augmented'} {name}, {_CLASSIFIERS[classifier]}"


def quantity(metric: str) -> str:
    """Return only what is measured, such as "AUROC", for places where the rest is said elsewhere."""
    task = _TASK.match(metric)
    return short_label(metric) if task is None else _QUANTITIES.get(task.group(2), task.group(2).replace("_", " "))


def place(metric: str) -> tuple[int, str, int]:
    """Return the key by which metrics are sorted: known ones in the order of their labels, families by classifier."""
    task = _TASK.match(metric)
    if task is None:
        names = list(_METRICS)
        return (names.index(metric) if metric in names else len(names), "", 0)
    measure = task.group(2)
    rank = _MEASURES.index(measure) if measure in _MEASURES else len(_MEASURES)
    return (len(_METRICS) + 1, "" if task.group(3) == "xgboost" else task.group(3), rank)
