"""The figures of budgets and of audits: titled, labelled, the same bytes twice, nothing hidden at the edges."""

import math

import pandas as pd
import pytest

from synthcohort.figures import audit, frontier, style
from synthcohort.report import show

PANELS = {"shape": "Shape", "tstr_auroc_xgboost": "TSTR"}
FAMILIES = ["dp_vae", "mst", "bootstrap"]


def means(interval=True):
    rows = [
        {
            "generator": name, "epsilon": epsilon, "metric": metric, "direction": "up", "mean": 0.7 + 0.01 * place,
            "low": 0.6 if interval else math.nan, "high": 0.9 if interval else math.nan,
        }
        for name in FAMILIES
        for place, epsilon in enumerate((0.5, 4.0, math.inf))
        for metric in PANELS
        if name != "bootstrap" or math.isinf(epsilon)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def curves(frame):
    return frontier.curves(frame, panels=PANELS, key="metric", sentinels=["bootstrap"], heading="H")


@pytest.mark.parametrize("interval", [True, False], ids=["splits", "one split"])
def test_curves_are_titled_labelled_and_the_same_twice(interval):
    frame = means(interval)
    before = frame.copy()
    figure = curves(frame)
    assert figure.get_suptitle() == "H" and [axes.get_title(loc="left") for axes in figure.axes] == list(
        PANELS.values()
    )
    assert all("ε" in axes.get_xlabel() and axes.get_ylabel() == "higher is better" for axes in figure.axes)
    assert show.picture(figure) == show.picture(curves(means(interval)))
    pd.testing.assert_frame_equal(frame, before)


def test_budgets_are_on_a_logarithmic_axis_with_infinity_apart_at_the_right():
    axes = curves(means()).axes[0]
    assert axes.get_xscale() == "log" and [t.get_text() for t in axes.get_xticklabels()] == ["0.5", "4", "∞"]
    assert axes.get_xticks()[-1] == 16.0 and axes.get_xlim()[1] > 16.0


def test_each_family_has_its_colour_and_is_open_without_privacy():
    figure = curves(means())
    for name in ("dp_vae", "mst"):
        own = [line for line in figure.axes[0].lines if line.get_color() == style.colour(name)]
        joined, apart = (line for line in own if line.get_marker() == style.marker(name))
        assert len(joined.get_xdata()) == 2 and joined.get_linestyle() == "-"
        assert len(apart.get_xdata()) == 1 and apart.get_markerfacecolor() == "white"
    assert [t.get_text() for t in figure.legends[0].get_texts()] == ["dp vae", "mst", "bootstrap"]
    dashed = [line for line in figure.axes[0].lines if line.get_linestyle() == "--"]
    assert [line.get_color() for line in dashed] == [style.colour("bootstrap")]


def test_private_families_differ_in_colour_from_each_other_and_from_the_others():
    names = ["dp_vae", "dp_flow", "dp_ctgan", "dp_tabddpm", "dp_mtabgen", "pate_gan", "privbayes", "mst", "aim"]
    known = [*names, "vae", "flow", "ctgan", "tabddpm", "tvae", "bayesian_network", "arf", "smote", "bootstrap", "real"]
    assert len({style.colour(name) for name in known}) == len(known)
    assert len({style.marker(name) for name in names}) == len(names)


def test_a_panel_without_a_value_is_drawn_empty():
    frame = means()
    frame.loc[frame["metric"] == "shape", ["mean", "low", "high"]] = math.nan
    assert len(curves(frame).axes) == 2


def found(bound=0.5):
    return pd.DataFrame({"name": ["a", "b"], "claimed": [1.0, 16.0], "bound": [bound, 2.0]})


def test_bounds_are_titled_and_a_refuted_claim_is_red():
    figure = audit.bounds(found(), heading="H")
    assert figure.get_suptitle() == "H" and [t.get_text() for t in figure.axes[0].get_yticklabels()] == ["a", "b"]
    assert show.picture(figure) == show.picture(audit.bounds(found(), heading="H"))
    colours = {line.get_color() for line in figure.axes[0].lines}
    assert audit.REFUTED not in colours and audit.SOUND in colours
    assert audit.REFUTED in {line.get_color() for line in audit.bounds(found(3.0), heading="H").axes[0].lines}
