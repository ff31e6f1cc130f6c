"""Every metric against tables of known quality: does it put them in the order that they deserve?

Five tables beside fresh rows of the law: `bootstrap` (train rows drawn again), `independent` (every column shuffled by
itself), `target_shuffled` (the target alone), `noisy` (numeric cells moved by 5 % of the column's range, one level in
twenty drawn anew) and `uniform` (every cell uniform over the range or the levels).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from synthcohort.metrics.cell import evaluate_split, reference_split
from synthcohort.rng import Rng
from synthcohort.schema import Column, Schema

LEVELS = ("a", "b", "c", "d")
SCHEMA = Schema(
    (
        *(Column(f"x{j}", "numeric", decimals=3) for j in range(5)),
        Column("ward", "categorical", levels=LEVELS),
        Column("drug", "categorical", levels=LEVELS),
        Column("died", "categorical", "target", levels=("no", "yes")),
    ),
    "yes",
)


def law(n: int, seed: int) -> pd.DataFrame:
    """Return n rows of a law in which every column depends on the others."""
    draw = np.random.default_rng(seed)
    z = draw.standard_normal((n, 2))
    x = z @ np.array([[1.0, 0.8, 0.5, 0.0, 0.3], [0.0, 0.6, -0.8, 1.0, 0.9]]) + 0.4 * draw.standard_normal((n, 5))
    x[:, 3] = x[:, 3] ** 2
    ward = np.digitize(z[:, 0] + 0.3 * draw.standard_normal(n), [-1.0, 0.0, 1.0])
    drug = np.where(draw.random(n) < 0.85, ward, draw.integers(0, 4, n))
    died = draw.random(n) < 1 / (1 + np.exp(-(2.0 * z[:, 0] + 1.5 * z[:, 1] - 1.2)))
    frame = pd.DataFrame({f"x{j}": np.round(x[:, j], 3) for j in range(5)})
    frame["ward"], frame["drug"] = np.array(LEVELS)[ward], np.array(LEVELS)[drug]
    frame["died"] = np.where(died, "yes", "no")
    return SCHEMA.cast(frame)


def independent(frame: pd.DataFrame) -> pd.DataFrame:
    draw = np.random.default_rng(11)
    return SCHEMA.cast(pd.DataFrame({name: draw.permutation(frame[name].to_numpy()) for name in frame}))


def target_shuffled(frame: pd.DataFrame) -> pd.DataFrame:
    return SCHEMA.cast(frame.assign(died=np.random.default_rng(12).permutation(frame["died"].to_numpy())))


def noisy(frame: pd.DataFrame) -> pd.DataFrame:
    draw, out = np.random.default_rng(13), frame.copy()
    for column in SCHEMA.columns:
        cells = frame[column.name].to_numpy()
        if column.numeric:
            out[column.name] = np.round(cells + 0.05 * np.ptp(cells) * draw.standard_normal(len(cells)), 3)
        else:
            out[column.name] = np.where(draw.random(len(cells)) < 0.05, draw.choice(column.levels, len(cells)), cells)
    return SCHEMA.cast(out)


def uniform(frame: pd.DataFrame) -> pd.DataFrame:
    draw, out = np.random.default_rng(14), {}
    for column in SCHEMA.columns:
        cells = frame[column.name]
        if column.numeric:
            out[column.name] = np.round(draw.uniform(cells.min(), cells.max(), len(cells)), 3)
        else:
            out[column.name] = draw.choice(column.levels, len(cells))
    return SCHEMA.cast(pd.DataFrame(out))


def bootstrap(frame: pd.DataFrame) -> pd.DataFrame:
    index = np.random.default_rng(15).integers(0, len(frame), len(frame))
    return frame.iloc[index].reset_index(drop=True)


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
       for c in ("xgboost", "logistic_regression", "decision_tree", "random_forest")},
    **{f"tstr_calibration_slope_error_{c}": ("fresh", "uniform")
       for c in ("xgboost", "logistic_regression", "decision_tree", "random_forest")},
    "importance_agreement": ("fresh", "independent"),
    "ranking_agreement": ("fresh", "independent"),
    # Privacy: copies of rows, whole or all but the target, are found out; shuffled columns and fresh rows are not.
    **dict.fromkeys(COPYING, ("fresh", "target_shuffled", "bootstrap")),
    **dict.fromkeys(LEAKING, ("fresh", "bootstrap")),
}  # fmt: skip
NO_ORDER = {
    # An offset of the logits says whether the base rate is right, which all tables but `uniform` keep.
    *(f"tstr_calibration_intercept_{c}" for c in ("xgboost", "logistic_regression", "decision_tree", "random_forest")),
    # Distances to rows nobody learned from, the yardsticks of the scores above.
    *("dcr_holdout_median", "nndr_holdout_median", "replicas_holdout"),
    # With n - 1 false positives allowed at most, a small ball counts few rows: quantities without power at this size.
    *("mia_tpr_at_fpr_1pct_monte_carlo", "mia_tpr_at_fpr_0p1pct_monte_carlo", "small_cell_disclosure"),
}


@pytest.fixture(scope="module")
def judged(metric_settings) -> pd.DataFrame:
    """Scores of every table, oriented so that larger is better: metric by table."""
    train, validation, test = law(500, 0), law(150, 1), law(300, 2)
    tables = {name: make(train) for name, make in MADE.items()} | {"fresh": law(500, 3)}
    families = ("xgboost", "logistic_regression", "decision_tree", "random_forest")
    settings = replace(
        metric_settings, classifiers=families, augmentation_classifiers=("xgboost",), augmentation_shares=(1.0,)
    )
    shared = {"train": train, "validation": validation, "test": test, "schema": SCHEMA, "metrics": settings}
    real = reference_split(**shared, rng=Rng(0))
    areas = {s.metric.removeprefix("trtr_auroc_"): s.value for s in real if s.metric.startswith("trtr_auroc_")}
    columns = {}
    for name, table in tables.items():
        found = evaluate_split(**shared, samples={"as_observed": table}, rng=Rng(0), real_auroc=areas)
        columns[name] = {s.metric: turned(s.value, s.direction) for s in found if s.axis != "augmentation"}
    return pd.DataFrame(columns)


def turned(value: float, direction: str) -> float:
    return {"up": value, "down": -value, "half": -abs(value - 0.5), "zero": -abs(value)}[direction]


MADE = {
    "bootstrap": bootstrap,
    "independent": independent,
    "target_shuffled": target_shuffled,
    "noisy": noisy,
    "uniform": uniform,
}


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
