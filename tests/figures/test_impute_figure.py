"""The figure of imputers against the share of missing cells: titled, labelled, a line with intervals for each."""

import math

import numpy as np
import pandas as pd
import pytest

from synthcohort.cells import imputers
from synthcohort.figures import impute, style
from synthcohort.generators import load as generators
from synthcohort.imputers import load
from synthcohort.report import show

DIRECTIONS = {"impute_crps": "down", "impute_coverage_gap": "zero"}
NAMES = ("mtabgen", "mean_mode", "forests")


def means(interval=True):
    rows = [
        {
            "generator": name, "metric": metric, "share": share, "direction": direction, "mean": 0.1 * place + share,
            "low": 0.1 * place + share - 0.02 if interval else math.nan,
            "high": 0.1 * place + share + 0.02 if interval else math.nan,
        }
        for place, name in enumerate(NAMES)
        for metric, direction in DIRECTIONS.items()
        for share in (0.5, 0.1, 0.2)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def drawn(frame):
    return impute.against_share(frame, metrics=list(DIRECTIONS), heading="H")


@pytest.mark.parametrize("interval", [True, False], ids=["splits", "one split"])
def test_it_is_titled_labelled_and_the_same_twice(interval):
    frame = means(interval)
    before = frame.copy()
    figure = drawn(frame)
    assert figure.get_suptitle() == "H"
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["CRPS", "Coverage gap"]
    assert all("%" in axes.get_xlabel() and axes.get_ylabel() for axes in figure.axes)
    assert show.picture(figure) == show.picture(drawn(means(interval)))
    pd.testing.assert_frame_equal(frame, before)
    assert [len(axes.collections) for axes in figure.axes] == [3, 3]


def test_every_imputer_has_a_line_in_order_of_the_share_and_its_name():
    figure = drawn(means())
    lines = [line for line in figure.axes[0].lines if len(line.get_xdata()) == 3]
    assert [list(line.get_xdata().round(3)) for line in lines] == [[9.3, 19.3, 49.3], [10, 20, 50], [10.7, 20.7, 50.7]]
    own = means().query("generator == 'forests' and metric == 'impute_crps'").sort_values("share")
    ends = [segment[:, 1] for segment in figure.axes[0].collections[1].get_segments()]
    assert np.allclose(ends, own[["low", "high"]])
    assert [t.get_text() for t in figure.axes[0].get_xticklabels()] == ["10", "20", "50"]
    assert [t.get_text() for t in figure.legends[0].get_texts()] == ["mean mode", "forests", "mtabgen"]


def test_the_frame_holds_every_mean_and_the_ideal():
    low, high = drawn(means()).axes[1].get_ylim()
    assert low < 0 and high > 0.7
    assert len(drawn(means()).axes[0].lines) == 3 and len(drawn(means()).axes[1].lines) == 4


def test_an_imputer_without_a_score_has_no_line():
    frame = means()
    frame.loc[frame["generator"] == "forests", "mean"] = math.nan
    assert [t.get_text() for t in drawn(frame).legends[0].get_texts()] == ["mean mode", "mtabgen"]


def test_whoever_imputes_differs_in_colour_and_in_marker():
    able = [name for name in generators.names() if imputers.ABILITY in generators.find(name).abilities]
    names = [*load.names(), *able]
    assert len({style.colour(n) for n in names}) == len({style.marker(n) for n in names}) == len(names) > 8
