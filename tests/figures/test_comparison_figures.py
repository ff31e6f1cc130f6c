"""Diagrams of ranks, fronts and positions: names never overlap, every number is drawn, inputs are untouched."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from synthcohort.comparison import fronts as comparison_fronts
from synthcohort.comparison.ranks import rank_test
from synthcohort.figures import fronts, position, ranks

NAMES = [
    *("bootstrap", "independent", "gaussian_copula", "smote", "vae", "tabddpm"),
    *("ctgan", "tvae", "arf", "medgan", "mtabgen", "fairtabddpm"),
]


def overlapping(figure, axes):
    """Return the pairs of texts of the axes that overlap, and the texts that leave the figure."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    renderer = canvas.get_renderer()
    texts = [text for text in axes.texts if text.get_text().strip()]
    boxes = [(text.get_text(), text.get_window_extent(renderer)) for text in texts]
    pairs = [(a, b) for (a, one), (b, other) in itertools.combinations(boxes, 2) if one.overlaps(other)]
    whole = figure.bbox
    out = [a for a, box in boxes if box.x0 < whole.x0 or box.x1 > whole.x1 or box.y0 < 0 or box.y1 > whole.y1]
    return pairs, out


@pytest.mark.parametrize("k", [2, 3, 6, 7, 12])
@pytest.mark.parametrize("spread", [0.0, 4.0], ids=["close ranks", "wide ranks"])
def test_names_of_the_rank_diagram_never_overlap(k, spread):
    draw = np.random.default_rng(k)
    wide = pd.DataFrame(draw.normal(size=(20, k)) + np.linspace(0, spread, k), columns=NAMES[:k])
    record = rank_test(wide, confidence=0.95)
    drawn = ranks.critical_difference(record, heading="Ranks")
    assert isinstance(drawn, Figure) and drawn.get_suptitle() == "Ranks"
    pairs, out = overlapping(drawn, drawn.axes[0])
    assert pairs == [] and out == []
    shown = " ".join(text.get_text() for text in drawn.axes[0].texts)
    assert all(f"{rank:.2f}" in shown for rank in record.mean_ranks)


def test_a_bar_is_drawn_for_every_clique():
    record = rank_test(pd.DataFrame(np.random.default_rng(0).normal(size=(5, 4)), columns=NAMES[:4]), confidence=0.95)
    bars = [line for line in ranks.critical_difference(record, heading="R").axes[0].lines if line.get_linewidth() == 4]
    assert len(bars) == len(record.cliques) == 1


def test_no_test_is_said_in_words():
    record = rank_test(pd.DataFrame({"a": [1.0], "b": [2.0]}), confidence=0.95)
    assert "needs 3 tables" in ranks.critical_difference(record, heading="R").axes[0].texts[0].get_text()


def found_fronts(directions=("down", "up"), tables=("d", "e"), apart=("bootstrap",)):
    draw = np.random.default_rng(0)
    rows = [
        {"dataset": d, "generator": g, "metric": m, "condition": "as_observed", "direction": direction,
         "mean": mean, "low": mean - 0.02, "high": mean + 0.02}
        for d in tables
        for g in NAMES
        for m, direction in zip(("memorisation", "tstr_auroc_xgboost"), directions, strict=True)
        for mean in [draw.uniform()]
    ]  # fmt: skip
    return comparison_fronts.front(pd.DataFrame(rows), across="memorisation", upward="tstr_auroc_xgboost", apart=apart)


def test_a_front_has_a_panel_a_table_and_a_line():
    found = found_fronts()
    kept = found.copy()
    drawn = fronts.front(found, heading="Fronts")
    pd.testing.assert_frame_equal(found, kept)
    assert [axes.get_title(loc="left") for axes in drawn.axes] == ["d", "e"]
    for axes, (_, part) in zip(drawn.axes, found.groupby("dataset"), strict=True):
        dashed = [line for line in axes.lines if line.get_linestyle() == "--"]
        assert len(dashed) == 1 and len(dashed[0].get_xdata()) == part["on_front"].sum() + 2
        crossed = [line for line in axes.lines if line.get_marker() == "x"]
        assert len(crossed) == (part["clearly_dominated_by"].str.len() > 0).sum()
    assert drawn.axes[0].get_xlabel() == "Memorisation"


def test_ticks_of_a_front_are_in_the_metrics_own_unit():
    down, half = (fronts.front(found_fronts((d, "up")), heading="F").axes[0] for d in ("down", "half"))
    assert down.xaxis.get_major_formatter()(-0.25, 0) == "0.25" and down.xaxis.get_major_formatter()(0.25, 0) == "-0.25"
    assert half.xaxis.get_major_formatter()(-0.25, 0) == "0.25" and half.xaxis.get_major_formatter()(0.25, 0) == ""
    assert half.get_xlabel() == "Memorisation: distance from 0.5"


def test_a_front_of_one_table_with_a_generator_that_has_no_score():
    found = found_fronts(tables=("d",))
    found.loc[found["generator"] == "vae", "across_mean"] = math.nan
    drawn = fronts.front(found, heading="F")
    assert len(drawn.axes) == 1 and "vae" not in [t.get_text() for t in drawn.legends[0].get_texts()]


def found_positions(generators):
    rows = [
        {"dataset": "d", "generator": g, "axis": axis, "metric": m, "position": 0.3 * i - 0.2, "low": 0.3 * i - 0.4,
         "high": 0.3 * i, "reason": ""}
        for axis, m in (("fidelity", "shape"), ("fidelity", "trend"), ("privacy", "memorisation"))
        for i, g in enumerate(generators)
    ]  # fmt: skip
    found = pd.DataFrame(rows)
    found.loc[found["metric"] == "trend", ["position", "low", "high"]] = math.nan
    found.loc[found["metric"] == "trend", "reason"] = "floor and ceiling do not differ beyond noise"
    return found


@pytest.mark.parametrize("generators", [NAMES[:2], NAMES], ids=["two", "twelve"])
def test_positions_print_numbers_beyond_the_colours_and_hatch_what_has_none(generators):
    drawn = position.positions(found_positions(generators), heading="Positions")
    axes = drawn.axes[0]
    shown = [text.get_text() for text in axes.texts]
    assert shown.count("-0.20") == 2 and (len(generators) < 12 or shown.count("3.10") == 2)
    assert sum(patch.get_hatch() is not None for patch in axes.patches) == len(generators)
    pairs, out = overlapping(drawn, axes)
    assert pairs == [] and out == [] and axes.get_yticklabels()[0].get_text().startswith("Shape")
    assert {"fidelity", "privacy"} <= set(shown)


def test_colours_of_positions_end_at_floor_and_ceiling():
    patches = position.positions(found_positions(NAMES), heading="P").axes[0].patches
    first = [patch.get_facecolor() for patch in patches[: len(NAMES)]]
    assert first[4] == first[11] != first[3]  # 1.0 and 3.1 have one colour, 0.7 another


def test_positions_are_drawn_for_one_table():
    two = pd.concat([found_positions(NAMES), found_positions(NAMES).assign(dataset="e")])
    with pytest.raises(ValueError, match="2 datasets"):
        position.positions(two, heading="P")
