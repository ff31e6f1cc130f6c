"""Where does the name of a point go, so that no name hides a marker or another name?

Each name tries places around its point, near ones first, and takes the first that is free; a name that had to go far
is tied to its point by a line. Greedy: a panel may be too crowded for it, and then the least bad place is taken.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.transforms import Bbox

_ANGLES = (0, 180, 90, 270, 45, 135, 315, 225, 22, 158, 202, 338)  # degrees, anticlockwise from the right
_REACHES = (6.0, 10.0, 16.0, 23.0, 31.0, 40.0, 50.0, 62.0, 76.0)  # points from the marker's centre to the name's edge
_TIED = 14.0  # points; a name farther away gets a line
_MARKER = 5.0  # points; half the side of what a marker covers
_SPARE = 2.0  # points; between a name and the frame
_SIZE = 7.5


@dataclass(frozen=True)
class Named:
    """A point with its name.

    Args:
        x, y: data coordinates.
        name: what is written beside it; "" keeps other names off a point that has none.
        colour: of the text.
    """

    x: float
    y: float
    name: str
    colour: str


def name_points(figure: Figure, panels: Sequence[tuple[object, Sequence[Named]]]) -> None:
    """Write the names of every panel's points; call it last, since a later change of the layout would move them.

    Args:
        figure: the figure of the panels.
        panels: axes with the points drawn in them.
    """
    canvas = FigureCanvasAgg(figure)
    figure.draw_without_rendering()  # settles the layout
    for axes, points in panels:
        _name(axes, points, canvas.get_renderer(), scale=72.0 / figure.dpi)


def _name(axes, points: Sequence[Named], renderer, *, scale: float) -> None:
    frame = axes.get_window_extent(renderer).padded(-_SPARE / scale)
    centres = [axes.transData.transform((point.x, point.y)) for point in points]
    half = _MARKER / scale
    taken = [Bbox([[x - half, y - half], [x + half, y + half]]) for x, y in centres]
    for point, (x, y) in zip(points, centres, strict=True):
        if not point.name:
            continue
        text = axes.annotate(
            point.name, (point.x, point.y), (0, 0), textcoords="offset points", ha="center", va="center",
            fontsize=_SIZE, color=point.colour, zorder=6, path_effects=[withStroke(linewidth=2, foreground="white")],
        )  # fmt: skip
        text.set_in_layout(False)
        size = text.get_window_extent(renderer)
        reach, box = _place((x, y), size, frame, taken=taken, scale=scale)
        taken.append(box)
        dx, dy = (box.x0 + box.x1) / 2 - x, (box.y0 + box.y1) / 2 - y
        text.set_position((dx * scale, dy * scale))
        if reach > _TIED:
            _tie(axes, point, box)


def _place(
    centre: tuple[float, float], size: Bbox, frame: Bbox, *, taken: list[Bbox], scale: float
) -> tuple[float, Bbox]:
    """Return how far the name goes, in points, and the box it takes, in pixels."""
    least, reached, best = math.inf, 0.0, size
    for reach in _REACHES:
        for angle in _ANGLES:
            box = _box(centre, size, angle=math.radians(angle), reach=reach / scale)
            lost = sum(_shared(box, other) for other in taken) + box.width * box.height - _shared(box, frame)
            if lost < 1e-9:
                return reach, box
            if lost < least:
                least, reached, best = lost, reach, box
    return reached, best


def _box(centre: tuple[float, float], size: Bbox, *, angle: float, reach: float) -> Bbox:
    x = centre[0] + math.cos(angle) * (reach + size.width / 2)
    y = centre[1] + math.sin(angle) * (reach + size.height / 2)
    return Bbox.from_bounds(x - size.width / 2, y - size.height / 2, size.width, size.height)


def _shared(one: Bbox, other: Bbox) -> float:
    both = Bbox.intersection(one, other)
    return both.width * both.height if both is not None else 0.0


def _tie(axes, point: Named, box: Bbox) -> None:
    """Draw a line from the point to the nearest place of the name's edge."""
    inverse = axes.transData.inverted()
    x, y = axes.transData.transform((point.x, point.y))
    end = inverse.transform((min(max(x, box.x0), box.x1), min(max(y, box.y0), box.y1)))
    axes.plot([point.x, end[0]], [point.y, end[1]], color=point.colour, lw=0.6, alpha=0.7, zorder=1)
