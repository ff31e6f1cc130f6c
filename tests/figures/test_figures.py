"""Every figure: a title and labelled axes, the same bytes twice, inputs untouched, two to thirteen generators."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

import toys
from synthcohort.figures import cost, fidelity, findings, labels, scores, style, table, training
from synthcohort.report import pictures, show

FEW = ["bootstrap", "tabddpm"]
MANY = ["independent", "bootstrap", "gaussian_copula", "smote", "vae", "tabddpm", *(f"method_{k}" for k in range(7))]
DIRECTIONS = {"shape": "up", "mmd": "down", "c2st_xgboost": "half", "memorisation": "zero"}


def _points(generators):
    rows = [
        {
            "generator": g,
            "metric": m,
            "condition": "as_observed",
            "split": s,
            "value": 0.5 + 0.01 * i + 0.02 * s,
            "n": 90,
        }
        for i, g in enumerate(["real", *generators])
        for m in DIRECTIONS
        for s in range(3)
    ]
    return pd.DataFrame(rows)


def _intervals(points):
    found = points.groupby(["generator", "metric"])["value"].mean().rename("mean").reset_index()
    return found.assign(low=found["mean"] - 0.05, high=found["mean"] + 0.05, condition="as_observed")


def _history(generators):
    one = pd.DataFrame({"step": [1, 2, 3], "loss": [3.0, 2.0, 1.0], "validation_loss": [3.0, np.nan, 2.0]})
    return pd.concat([one.assign(generator=g, split=s) for g in generators for s in range(2)], ignore_index=True)


def _costs(generators):
    rows = [
        {"dataset": d, "generator": g, "metric": m, "split": s, "value": 10.0 ** (i - 2), "n": 100 * k, "rows": 100 * k}
        for k, d in enumerate(["wdbc", "adult"], 1)
        for i, g in enumerate(generators)
        for m in cost.SHOWN
        for s in range(2)
    ]
    return pd.DataFrame(rows)


def _augmented(generators):
    metrics = ["augment_f1_xgboost", "augment_f2_xgboost"]
    rows = [
        {"generator": g, "metric": m, "share": share, "rival": None, "mean": 0.5, "low": 0.4, "high": 0.6}
        for g in generators
        for m in metrics
        for share in (0.25, 1.0)
    ]
    rows += [
        {"generator": "real", "metric": m, "share": None, "rival": r, "mean": 0.5, "low": 0.4, "high": 0.6}
        for m in metrics
        for r in ("none", "threshold")
    ]
    return pd.DataFrame(rows)


def _drawings(generators):
    frame, schema = toys.mixed(150)
    samples = {g: toys.mixed(150, seed=k + 2)[0] for k, g in enumerate(generators)}
    points, plane = _points(generators), pictures.embed(frame, samples, schema)
    verdicts = pd.DataFrame(
        {"dataset": ["wdbc", "pima"], "difference": [0.1, np.nan], "low": [0.05, np.nan],
         "high": [0.15, np.nan], "margin": 0.01, "verdict": ["supported", "undecided"]}
    )  # fmt: skip
    gaps = {g: pictures.pair_gaps(frame, s, schema) for g, s in samples.items()}
    shapes = pd.DataFrame({"column": ["a", "b"] * 2, "split": [0, 0, 1, 1], "value": [0.9, 0.8, 0.95, 0.7]})
    chosen = _intervals(points)
    return {
        "class balance": lambda: table.class_balance(frame, schema),
        "missing cells": lambda: table.missing_cells(pd.Series({"a": 0.5, "b": 0.01})),
        "marginals": lambda: table.marginals(frame, schema, floor=10),
        "curves": lambda: training.curves(_history(generators)),
        "column shapes": lambda: fidelity.column_shapes(shapes),
        "overlay": lambda: fidelity.marginals(frame, samples, schema, columns=schema.names),
        "pair gaps": lambda: fidelity.pair_gaps(gaps),
        "embedding": lambda: fidelity.embedding(plane.points, explained=plane.explained),
        "dots": lambda: scores.dots(points, chosen, directions=DIRECTIONS, heading="Scores"),
        "augmentation": lambda: scores.augmentation(_augmented(generators), metrics=["augment_f1_xgboost"]),
        "trade-off": lambda: scores.trade_off(chosen, across="memorisation", upward="shape", real=0.5),
        "cost": lambda: cost.dots(_costs(generators), metrics=list(cost.SHOWN), heading="Cost"),
        "cost by rows": lambda: cost.by_rows(_costs(generators)),
        "forest": lambda: findings.forest(verdicts, heading="A claim"),
    }


@pytest.mark.parametrize("generators", [FEW, MANY], ids=["two generators", "thirteen generators"])
@pytest.mark.parametrize("name", list(_drawings(FEW)))
def test_a_figure_has_a_title_and_labelled_axes(name, generators):
    drawn = _drawings(generators)[name]()
    assert isinstance(drawn, Figure)
    assert drawn.get_suptitle()
    data = [axes for axes in drawn.axes if axes.get_label() != "<colorbar>"]
    assert all(axes.get_title(loc="left") or axes.get_xlabel() for axes in data)
    assert any(axes.get_xlabel() or axes.get_ylabel() for axes in drawn.axes)
    assert max(drawn.get_size_inches()) < 60


def test_the_same_figure_has_the_same_bytes_and_no_date():
    draw = _drawings(FEW)["dots"]
    first = show.picture(draw())
    assert first == show.picture(draw()) and first.startswith(b"RIFF") and b"EXIF" not in first


def test_figures_leave_their_inputs_and_the_settings_alone():
    import matplotlib as mpl

    before, points = dict(mpl.rcParams), _points(FEW)
    intervals = _intervals(points)
    kept = points.copy(), intervals.copy()
    scores.dots(points, intervals, directions=DIRECTIONS, heading="Scores")
    pd.testing.assert_frame_equal(points, kept[0])
    pd.testing.assert_frame_equal(intervals, kept[1])
    assert dict(mpl.rcParams) == before


def test_tables_of_one_kind_of_column_can_be_drawn():
    for toy in (toys.numeric, toys.categorical):
        frame, schema = toy(80)
        other = toy(80, seed=2)[0]
        table.class_balance(frame, schema)
        table.marginals(frame, schema)
        fidelity.marginals(frame, {"vae": other}, schema, columns=schema.names)
        assert len(pictures.embed(frame, {"vae": other}, schema).points) == 160


def test_small_counts_are_not_drawn_when_a_floor_is_set():
    frame, schema = toys.categorical(60)
    rare = frame["outcome"].cat.categories[0]
    frame = pd.concat([frame[frame["outcome"] != rare], frame[frame["outcome"] == rare].head(3)])
    axes = table.marginals(frame, schema, floor=10).axes[schema.names.index("outcome")]
    widths = sorted(round(bar.get_width()) for bar in axes.patches)
    assert widths[0] == 0 and min(w for w in widths if w) >= 10


def test_small_real_counts_are_not_drawn_behind_a_generators():
    frame, schema = toys.numeric(100)
    axes = fidelity.marginals(frame, {"vae": frame}, schema, columns=["visits"], floor=10).axes[0]
    real, synthetic = (patch.get_data() for patch in axes.patches)
    counts = np.histogram(frame["visits"], real.edges)[0]
    assert ((counts > 0) & (counts < 10)).any() and (counts >= 10).any()
    assert not (real.values[counts < 10] > 0).any() and (real.values > 0).any()
    assert np.array_equal(synthetic.values > 0, real.values > 0)  # copies of rows are hidden as the rows are


def test_a_panel_that_may_show_nothing_says_why():
    frame, schema = toys.mixed(60)
    few = pd.concat([frame[frame["died"] == "no"], frame[frame["died"] == "yes"].head(4)])
    axes = fidelity.marginals(few, {"vae": few}, schema, columns=["died"], floor=10).axes[0]
    assert "withheld: fewer than 10 rows" in axes.texts[0].get_text() and not axes.patches
    assert not [label.get_text() for label in axes.get_xticklabels() if label.get_text() in ("yes", "no")]


def test_a_rare_value_neither_shows_nor_stretches_the_axis_when_a_floor_is_set():
    frame, schema = toys.numeric(200)
    frame.loc[0, "visits"] = 400.0
    axes = table.marginals(frame, schema, floor=10).axes[schema.names.index("visits")]
    assert axes.get_xlim()[1] < 100 and all(bar.get_height() >= 10 for bar in axes.patches)


def test_a_small_class_of_a_restricted_table_has_no_number():
    frame, schema = toys.mixed(60)
    few = pd.concat([frame[frame["died"] == "no"], frame[frame["died"] == "yes"].head(4)])
    drawn = table.class_balance(few, schema, floor=10).axes[0]
    assert [text.get_text() for text in drawn.texts] == [" withheld: a class has fewer than 10 rows"]
    assert [label.get_text() for label in drawn.get_yticklabels()] == ["(rare)"]
    assert sum(bar.get_width() for bar in drawn.patches) == 0
    assert "4 (" in " ".join(text.get_text() for text in table.class_balance(few, schema).axes[0].texts)


def test_more_columns_than_panels_are_counted_in_the_title():
    frame = pd.DataFrame({f"c{k}": np.arange(30.0) for k in range(40)})
    from synthcohort.schema import Column, Schema

    columns = [Column(name, "numeric", low=0, high=29, decimals=0) for name in frame.columns[:-1]]
    schema = Schema((*columns, Column("c39", "numeric", role="target", low=0, high=29, decimals=0)))
    assert f"{40 - table.MOST_PANELS} more are not drawn" in table.marginals(frame, schema).get_suptitle()


def test_bins_are_whole_steps_of_the_column():
    edges = table.bin_edges(18, 89, 0)
    assert np.allclose(np.diff(edges), 3) and edges[0] < 18 and edges[-1] > 89
    assert len(table.bin_edges(0.0, 1.0, None)) == table.BINS + 1


def test_a_generator_has_one_colour_whatever_else_is_drawn():
    names = ["real", *MANY[:6]]
    assert len({style.colour(n) for n in names}) == len(names)
    assert style.colour("method_3") == style.colour("method_3")
    assert style.order(["vae", "real", "independent", "bootstrap"]) == ["real", "bootstrap", "independent", "vae"]


def test_metrics_have_names_for_readers():
    assert labels.short_label("tstr_auroc_xgboost") == "TSTR AUROC, XGBoost"
    assert "random forest" in labels.metric_label("augment_f1_random_forest")
    assert labels.short_label("something_new") == "something new"
    assert sorted(["tstr_f1_xgboost", "shape", "tstr_auroc_xgboost"], key=labels.place)[0] == "shape"


def test_frames_fit_the_methods_and_point_to_a_sentinel_beyond_them():
    points = _points(FEW)
    points.loc[points["generator"] == "bootstrap", "value"] = 40.0
    drawn = scores.dots(points, _intervals(points), directions={"shape": "up"}, heading="Scores")
    assert drawn.axes[0].get_xlim()[1] < 2
    assert [text.get_text() for text in drawn.axes[0].texts] == ["40 ▸"]


def test_privacy_against_utility_of_one_split_has_points_without_bars():
    points = _points(FEW)
    chosen = _intervals(points).assign(low=np.nan, high=np.nan)
    axes = scores.trade_off(chosen, across="memorisation", upward="shape", real=0.5).axes[0]
    named = {text.get_text() for text in axes.texts}
    assert {"bootstrap", "tabddpm"} <= named


def test_a_generator_without_either_score_is_left_out_of_privacy_against_utility():
    chosen = _intervals(_points(FEW))
    chosen.loc[chosen["generator"] == "tabddpm", ["mean", "low", "high"]] = np.nan
    (legend,) = scores.trade_off(chosen, across="memorisation", upward="shape").legends
    assert "tabddpm" not in {text.get_text() for text in legend.get_texts()}
