"""Areas, volumes and distances."""

from __future__ import annotations

import math

from toolrl_env.tools.suites.common import Number, Positive, tidy

__all__ = ["box_volume", "circle_area", "hypotenuse", "point_distance", "rectangle_area"]


def circle_area(radius: Positive) -> float:
    """Area of a circle.

    Args:
        radius: Its radius.
    """
    return tidy(math.pi * radius * radius)


def rectangle_area(width: Positive, height: Positive) -> float:
    """Area of a rectangle.

    Args:
        width: One side.
        height: The other side.
    """
    return tidy(width * height)


def box_volume(width: Positive, height: Positive, depth: Positive) -> float:
    """Volume of a box.

    Args:
        width: Its width.
        height: Its height.
        depth: Its depth.
    """
    return tidy(width * height * depth)


def hypotenuse(a: Positive, b: Positive) -> float:
    """Longest side of a right triangle.

    Args:
        a: One short side.
        b: The other short side.
    """
    return tidy(math.hypot(a, b))


def point_distance(start: tuple[Number, Number], end: tuple[Number, Number]) -> float:
    """Straight distance between two points [x, y].

    Args:
        start: One point, [x, y].
        end: The other point, [x, y].
    """
    return tidy(math.dist(start, end))
