"""Figures over all tables: titled, labelled, the same bytes twice, inputs untouched, names apart."""

import math
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from synthcohort.figures import labels, per_table, questions
from synthcohort.report import show

NAMES = ["real", "bootstrap", "independent", "vae", "tabddpm", *(f"method_{k}" for k in range(7))]
TABLES = [f"table_{k}" for k in range(7)]


def points(names, metric="m"):
    draw = np.random.default_rng(1)
    rows = [
        {
            "dataset": t,
            "generator": g,
            "metric": metric,
            "mean": (5.0 if g == "bootstrap" else 0.5) + 0.1 * draw.normal(),
        }
        for t in TABLES
        for g in names
    ]
    frame = pd.DataFrame(rows)
    return frame.assign(low=frame["mean"] - 0.1, high=frame["mean"] + 0.1)


def bars(frame):
    return frame.groupby(["generator", "metric"], sort=False)[["mean", "low", "high"]].mean().reset_index()


def arms(names):
    rows = [{"generator": g, "share": s, "rival": None, "mean": 0.5 + 0.1 * s} for g in names[1:] for s in (0.5, 1.0)]
    rows += [
        {"generator": "real", "share": math.nan, "rival": r, "mean": 0.55}
        for r in ("none", "threshold", "class_weight", "random_undersampling", "bayes_optimal")
    ]
    return pd.DataFrame(rows).assign(metric="augment_f1_xgboost")


def drawings(names):
    frame = points(names)
    attacked = pd.concat([frame.assign(attack=a, caught=a == "domias") for a in ("distance", "domias", "shadow")])
    recall = pd.concat([frame.assign(recall=r) for r in (0.1, 0.5, 0.9)])
    counts = pd.DataFrame([[3] + [0] * (len(names) - 1)], index=["shape"], columns=names)
    return {
        "over tables": lambda: questions.over_tables(
            frame, bars(frame), titles={"m": "M"}, lines={"m": 0}, heading="H"
        ),
        "winners": lambda: questions.winners(counts, tables=7, heading="H"),
        "gain": lambda: questions.gain_by_share(arms(names), metrics=["augment_f1_xgboost"], heading="H", upward="u"),
        "differences": lambda: per_table.differences(frame, heading="H", across="difference"),
        "attacks": lambda: per_table.attacks(attacked, heading="H"),
        "precision": lambda: per_table.precision_recall(recall, heading="H"),
    }


@pytest.mark.parametrize("names", [NAMES[:4], NAMES], ids=["few", "many"])
@pytest.mark.parametrize("name", list(drawings(NAMES[:4])))
def test_a_figure_is_titled_labelled_and_the_same_twice(name, names):
    drawn = drawings(names)[name]()
    assert isinstance(drawn, Figure) and drawn.get_suptitle().startswith("H")
    assert all(axes.get_xlabel() for axes in drawn.axes) and max(drawn.get_size_inches()) < 40
    assert show.picture(drawn) == show.picture(drawings(names)[name]())


def test_a_mean_beyond_the_frame_is_told_at_its_edge():
    axes = drawings(NAMES)["over tables"]().axes[0]
    assert axes.get_xlim()[1] < 2 and [t.get_text()[-1] for t in axes.texts] == ["▸"]


def test_the_real_table_is_always_in_the_frame():
    frame = points(NAMES[:5])
    frame.loc[frame["generator"] == "real", "mean"] = 9.0
    low, high = questions.over_tables(frame, bars(frame), titles={"m": "M"}, heading="H").axes[0].get_xlim()
    assert low < 0.5 and high > 9


def test_names_at_the_ends_of_lines_keep_a_distance_and_stay_in_the_frame():
    drawn = drawings(NAMES)["gain"]()
    axes, renderer = drawn.axes[0], FigureCanvasAgg(drawn).get_renderer()
    drawn.draw_without_rendering()
    boxes = sorted((text.get_window_extent(renderer) for text in axes.texts), key=lambda box: box.y0)
    assert len(boxes) == len(NAMES) - 1 + 5  # generators and rivals
    assert all(low.y1 <= high.y0 + 1 for low, high in pairwise(boxes))
    assert all(text.get_position()[1] <= axes.get_ylim()[1] for text in axes.texts)
    assert all(box.x1 <= drawn.bbox.x1 for box in boxes)


def test_an_attack_that_catches_is_filled():
    lines = [line for line in drawings(NAMES[:4])["attacks"]().axes[0].lines if line.get_marker() in ("o", "s")]
    assert {line.get_marker(): line.get_markerfacecolor() == "white" for line in lines} == {"o": True, "s": False}


@pytest.mark.parametrize(
    ("metric", "name"),
    [
        ("tstr_auroc_multilayer_perceptron", "TSTR AUROC, multilayer perceptron"),
        ("augment_calibration_slope_error_random_forest", "augmented calibration slope error, random forest"),
        ("augment_precision_at_recall_10_xgboost", "augmented precision at 10 % recall, XGBoost"),
        ("mia_tpr_at_fpr_0p1pct_monte_carlo", "Membership TPR at 0.1 % FPR, Monte Carlo"),
        ("c2st_logistic", "C2ST AUROC, logistic"),
    ],
)
def test_metrics_have_names_for_readers(metric, name):
    assert labels.short_label(metric) == name
