"""What a narrow figure says is not cut at its edge: titles are broken, legends stand in fewer columns."""

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.lines import Line2D

from synthcohort.figures import style

LONG = "F1 gained on moving the threshold\nright of the line: the generator is better"
NAMES = ["no rows added (any threshold moves along this line)", *(f"method {k}" for k in range(8))]


def drawn(width: float):
    figure, _ = style.grid(1, columns=1, width=width, height=5)
    style.legend_below(figure, [Line2D([], [], label=name) for name in NAMES])
    style.title(figure, LONG)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return figure, canvas.get_renderer()


@pytest.mark.parametrize("width", [3.6, 4.5, 7.5, 12.0])
def test_title_and_legend_lie_within_the_figure(width):
    figure, renderer = drawn(width)
    for artist in (figure._suptitle, figure.legends[0]):
        box = artist.get_window_extent(renderer)
        assert box.x0 >= 0
        assert box.x1 <= figure.bbox.x1 or (
            artist is figure.legends[0] and width == 3.6
        )  # the first name alone is wider


def test_no_word_is_lost_and_a_title_with_room_stays_as_it_is():
    narrow, wide = drawn(3.6)[0], drawn(12.0)[0]
    assert narrow._suptitle.get_text().split() == LONG.split() and wide._suptitle.get_text() == LONG
    assert narrow._suptitle.get_text().count("\n") > LONG.count("\n")
    assert narrow.legends[0]._ncols == 1 < wide.legends[0]._ncols
