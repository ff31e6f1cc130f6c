"""A figure on a page: a few colours of its own make it a fifth as large, and nobody can see the difference."""

import io

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from synthcohort.figures import style
from synthcohort.report import show

GENERATORS = ["real", "bootstrap", "independent", "gaussian_copula", "smote", "vae", "tabddpm", "a_new_one"]


@style.styled
def sample():
    """Return a figure as pages have them: thin lines, pale bands, points, text and a continuous colour map."""
    figure, (curves, heat) = style.grid(2, columns=2, width=4.5, height=3.5)
    x, draw = np.linspace(0, 6, 80), np.random.default_rng(0)
    for place, name in enumerate(GENERATORS):
        curves.plot(x, np.sin(x) + place, color=style.colour(name), label=style.label(name))
        curves.fill_between(x, np.sin(x) + place - 0.3, np.sin(x) + place + 0.3, color=style.colour(name), alpha=0.2)
        curves.plot(6 * draw.random(60), 8 * draw.random(60), ".", color=style.colour(name), alpha=0.5)
    curves.plot([0, 6], [-1, -1], color="#ff00ff", linewidth=2)  # a colour that nothing else has
    heat.imshow(draw.random((12, 12)), cmap="viridis")
    curves.legend(loc="upper right", ncols=2)
    return style.title(figure, "Title", "note")


def pixels(data):
    """Return the picture, [height, width, 3]."""
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)


@pytest.fixture(scope="module")
def both():
    """Return the figure as pages get it and in true colour, as bytes."""
    stream = io.BytesIO()
    sample().savefig(stream, format="png", dpi=show.DPI, pil_kwargs={"optimize": True})
    return show.picture(sample()), stream.getvalue()


def test_the_size_falls_to_less_than_a_third(both):
    reduced, true = both
    assert len(reduced) < len(true) / 3


@style.styled
def plain():
    """Return a figure of few colours, as most of the study's are."""
    figure, (axes,) = style.grid(1, columns=1, width=4.5, height=2.0)
    axes.plot([0, 1], [0, 1], color=style.colour("vae"))
    return style.title(figure, "Title")


def test_a_picture_takes_as_few_colours_as_leave_every_pixel_its_colour(both):
    few = pixels(show.picture(plain()))
    stream = io.BytesIO()
    plain().savefig(stream, format="png", dpi=show.DPI)
    assert np.abs(few - pixels(stream.getvalue())).max() <= show.UNSEEN
    colours = [len(np.unique(picture.reshape(-1, 3), axis=0)) for picture in (few, pixels(both[0]))]
    assert colours[0] <= show.FEWER_COLOURS[1] and show.FEWER_COLOURS[-1] < colours[1] <= show.MOST_COLOURS


def test_the_picture_keeps_its_shape_and_every_pixel_nearly_its_colour(both):
    reduced, true = map(pixels, both)
    assert reduced.shape == true.shape
    gap = np.abs(reduced - true)
    assert gap.max() <= 24 and gap.mean() < 2  # of 255; a median cut reaches 79 in this figure


@pytest.mark.parametrize("colour", ["white", "#ff00ff", *map(style.colour, GENERATORS)])
def test_paper_and_lines_keep_their_colour(both, colour):
    reduced, true = map(pixels, both)
    wanted = np.round(255 * np.array(to_rgb(colour))).astype(int)
    drawn = (np.abs(true - wanted) <= 1).all(axis=-1)
    assert drawn.any()
    assert np.abs(reduced[drawn] - wanted).max() <= (0 if colour == "white" else 4)


def test_the_same_figure_gives_the_same_bytes_and_they_say_nothing_of_the_software(both):
    assert show.picture(sample()) == both[0]
    assert b"EXIF" not in both[0] and b"XMP" not in both[0]
