"""The figure of cost against size: lines of what was measured, marks of what failed, every generator named."""

import numpy as np
import pandas as pd
import pytest

from synthcohort.figures import scale, style
from synthcohort.report import show

PANELS = (scale.Panel("seconds", "CPU seconds", 1.0, 20.0), scale.Panel("memory", "memory, MB", 1e6, 8000.0))
NAN = np.nan


def points():
    rows = [
        ("smote", 1000, 0.5, 3e8, NAN, NAN, False),
        ("smote", 10_000, 5.0, 4e8, NAN, NAN, False),
        ("smote", 100_000, NAN, NAN, NAN, 8.1e9, True),  # ended for its memory
        ("vae", 1000, 9.0, 5e8, NAN, NAN, False),
        ("vae", 10_000, NAN, NAN, 60.0, NAN, True),  # ended for its time
        ("vae", 100_000, NAN, NAN, NAN, NAN, False),  # not run
        ("arf", 1000, NAN, NAN, NAN, NAN, True),  # failed for another reason
        ("arf", 10_000, 2.0, 4e8, NAN, NAN, False),
    ]
    names = ["generator", "size", "seconds", "memory", "seconds_least", "memory_least", "failed"]
    return pd.DataFrame(rows, columns=names)


def drawn():
    return scale.growth(points(), PANELS, across="train rows", heading="H")


def lines(axes, generator, marker):
    own = [line for line in axes.lines if line.get_color() == style.colour(generator) and line.get_marker() == marker]
    return [(float(x), float(y)) for line in own for x, y in zip(line.get_xdata(), line.get_ydata(), strict=True)]


def test_it_is_titled_labelled_and_the_same_twice():
    frame = points()
    figure = scale.growth(frame, PANELS, across="train rows", heading="H")
    assert figure.get_suptitle() == "H" and [axes.get_ylabel() for axes in figure.axes] == ["CPU seconds", "memory, MB"]
    for axes in figure.axes:
        assert axes.get_xlabel() == "train rows" and axes.get_xscale() == axes.get_yscale() == "log"
        assert [t.get_text() for t in axes.get_xticklabels()] == ["1,000", "10,000", "100,000"]
    assert show.picture(figure) == show.picture(drawn())
    pd.testing.assert_frame_equal(frame, points())


def test_a_line_goes_through_what_was_measured_and_nothing_else():
    seconds, memory = drawn().axes
    assert lines(seconds, "smote", style.marker("smote")) == [(1000, 0.5), (10_000, 5.0)]
    assert lines(memory, "smote", style.marker("smote")) == [(1000, 300.0), (10_000, 400.0)]
    assert lines(seconds, "vae", style.marker("vae")) == [(1000, 9.0)]


def test_a_fit_that_was_ended_is_crossed_where_it_was_and_one_that_failed_at_the_foot_of_both():
    seconds, memory = drawn().axes
    assert lines(seconds, "vae", "x") == [(10_000, 60.0)] and lines(memory, "vae", "x") == []
    assert lines(memory, "smote", "x") == [(100_000, 8100.0)] and lines(seconds, "smote", "x") == []
    for axes in (seconds, memory):
        ((x, y),) = lines(axes, "arf", "x")
        assert x == 1000 and 0 < y < 0.1  # a share of the panel's height


def test_crosses_of_one_size_do_not_hide_each_other():
    frame = points()
    frame.loc[frame["generator"] == "arf", ["seconds", "memory", "seconds_least", "failed"]] = [NAN, NAN, 60.0, True]
    axes = scale.growth(frame, PANELS, across="train rows", heading="H").axes[0]
    (vae,), (_, arf) = lines(axes, "vae", "x"), lines(axes, "arf", "x")
    assert vae[1] == arf[1] == 60 and vae[0] == 10_000 and 1.1 < arf[0] / vae[0] < 1.2


def test_every_generator_is_named_once_a_panel_and_no_two_names_overlap():
    figure = drawn()
    renderer = figure.canvas.get_renderer()
    for axes in figure.axes:
        assert sorted(t.get_text() for t in axes.texts) == ["arf", "smote", "vae"]
        boxes = [t.get_window_extent(renderer) for t in axes.texts]
        assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[i + 1 :])


def test_what_is_allowed_lies_inside_every_panel():
    for axes, panel in zip(drawn().axes, PANELS, strict=True):
        low, high = axes.get_ylim()
        assert low < panel.limit < high
        assert any(np.allclose(line.get_ydata(), panel.limit) and line.get_ls() == "--" for line in axes.lines)


@pytest.mark.parametrize("failed", [True, False], ids=["failed", "not run"])
def test_a_generator_without_a_measurement_draws_no_line(failed):
    frame = points()
    frame.loc[frame["generator"] == "arf", ["seconds", "memory", "failed"]] = [NAN, NAN, failed]
    axes = scale.growth(frame, PANELS, across="train rows", heading="H").axes[0]
    assert "arf" not in [t.get_text() for t in axes.texts] and not lines(axes, "arf", style.marker("arf"))
    assert len(lines(axes, "arf", "x")) == 2 * failed
