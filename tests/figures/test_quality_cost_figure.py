"""Quality against cost, drawn: every point named, no name hides another or a marker, the front where it was found."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from synthcohort.comparison import fronts
from synthcohort.figures import quality_cost, style
from synthcohort.figures.naming import Named, name_points
from synthcohort.report import show

GENERATORS = [
    *("independent", "bootstrap", "gaussian_copula", "smote", "vae", "tvae", "medgan", "corgan", "table_gan"),
    *("ctab_gan", "ctgan", "flow", "bayesian_network", "arf", "forest_diffusion", "tabsyn", "tabddpm"),
]


def found(generators, tables=("s", "t"), seed=0):
    draw = np.random.default_rng(seed)
    rows = [
        {"dataset": d, "generator": g, "metric": metric, "condition": "as_observed", "direction": "down",
         "mean": mean, "low": 0.9 * mean, "high": 1.1 * mean}
        for d in tables
        for g in generators
        for metric, mean in (("cpu_seconds", 10 ** draw.uniform(-2, 3)), ("rank", draw.uniform(1, 15)))
    ]  # fmt: skip
    one = fronts.front(pd.DataFrame(rows), across="cpu_seconds", upward="rank", apart=style.SENTINELS)
    return {"fidelity": one, "utility": one.copy()}


def drawn(*args, **kwargs):
    return quality_cost.fronts(found(*args, **kwargs), heading="H", across="seconds")


def boxes(figure, axes):
    renderer = FigureCanvasAgg(figure).get_renderer()
    return {t.get_text(): t.get_window_extent(renderer) for t in axes.texts}


@pytest.mark.parametrize("generators", [GENERATORS[2:4], GENERATORS], ids=["two", "seventeen"])
def test_it_is_titled_labelled_and_the_same_twice(generators):
    figure = drawn(generators)
    assert isinstance(figure, Figure) and figure.get_suptitle().startswith("H")
    assert [a.get_title(loc="left") for a in figure.axes] == ["s: fidelity", "s: utility", "t: fidelity", "t: utility"]
    assert all(axes.get_xlabel() == "seconds" and axes.get_ylabel() for axes in figure.axes)
    assert show.picture(figure) == show.picture(drawn(generators))


@pytest.mark.parametrize("seed", range(3))
def test_every_point_is_named_and_no_name_hides_a_name_or_a_marker(seed):
    figure = drawn(GENERATORS, seed=seed)
    rows = found(GENERATORS, seed=seed)["fidelity"]
    for axes, table in ((figure.axes[0], "s"), (figure.axes[2], "t")):
        names = boxes(figure, axes)
        assert set(names) == {style.label(g) for g in GENERATORS}
        for one, other in itertools.combinations(names.values(), 2):
            assert not Bbox.intersection(one.padded(-0.5), other.padded(-0.5))
        own = rows[rows["dataset"] == table]
        for x, y in axes.transData.transform(-own[["across_mean", "upward_mean"]].to_numpy()):
            assert not any(box.contains(x, y) for box in names.values())


def test_the_line_goes_through_the_front_and_ranks_grow_downwards():
    figure, rows = drawn(GENERATORS), found(GENERATORS)["fidelity"]
    best = rows[(rows["dataset"] == "s") & rows["on_front"]].sort_values("across_mean", ascending=False)
    (line,) = [one for one in figure.axes[0].lines if one.get_linestyle() == "--"]
    assert list(line.get_xdata()[1:-1]) == pytest.approx(list(-best["across_mean"]))
    assert list(line.get_ydata()[1:-1]) == pytest.approx(list(-best["upward_mean"]))
    low, high = figure.axes[0].get_ylim()
    assert low > high and figure.axes[0].get_xscale() == "log"


def test_only_the_front_is_filled_and_sentinels_are_grey():
    rows = found(GENERATORS)["fidelity"]
    own = rows[rows["dataset"] == "s"]
    marks = [line for line in drawn(GENERATORS).axes[0].lines if line.get_marker() not in ("None", None)]
    assert sum(m.get_markeredgecolor() == quality_cost.GREY for m in marks) == 2
    filled = [m for m in marks if m.get_markerfacecolor() not in ("white", quality_cost.GREY)]
    assert len(filled) == own["on_front"].sum() and len(marks) == len(GENERATORS)


def test_a_generator_without_a_rank_is_left_out_and_inputs_stay():
    rows = found(GENERATORS)
    rows["utility"].loc[rows["utility"]["generator"] == "vae", "upward_mean"] = math.nan
    kept = rows["utility"].copy()
    figure = quality_cost.fronts(rows, heading="H", across="MB", unit=1e6)
    assert "vae" in boxes(figure, figure.axes[0]) and "vae" not in boxes(figure, figure.axes[1])
    pd.testing.assert_frame_equal(rows["utility"], kept)


def test_names_of_points_in_one_place_are_parted_and_tied():
    figure, (axes,) = style.grid(1, columns=1, width=5, height=4)
    axes.plot([0.5], [0.5], "o")
    name_points(figure, [(axes, [Named(0.5, 0.5, f"name {k}", "black") for k in range(12)])])
    found = list(boxes(figure, axes).values())
    assert len(found) == 12 and not any(a.overlaps(b) for a, b in itertools.combinations(found, 2))
    assert len(axes.lines) > 1  # some had to go far
    frame = axes.get_window_extent()
    assert all(frame.x0 <= box.x0 and box.x1 <= frame.x1 for box in found)


def test_seventeen_generators_differ_in_colour_and_in_marker():
    assert len({style.colour(g) for g in [*GENERATORS, "real"]}) == 18
    assert len({style.marker(g) for g in GENERATORS}) == 17
