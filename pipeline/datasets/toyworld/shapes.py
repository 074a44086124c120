"""Outlines as points in the unit square: x to the right, y downwards, an upright object between 0 and 1."""

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

Points = NDArray[np.float64]  # (K, 2)


def smooth(points: ArrayLike, *, closed: bool, steps: int = 8) -> Points:
    """The Catmull-Rom spline through points (K, 2): (about K * steps, 2)."""
    knots = np.asarray(points, np.float64)
    if closed:
        before, start, end, after = (np.roll(knots, shift, axis=0) for shift in (1, 0, -1, -2))
    else:
        # The ends are continued in a straight line, so that the curve passes through the first and last knots.
        padded = np.concatenate([[2 * knots[0] - knots[1]], knots, [2 * knots[-1] - knots[-2]]])
        before, start, end, after = padded[:-3], padded[1:-2], padded[2:-1], padded[3:]
    t = (np.arange(steps) / steps)[None, :, None]
    before, start, end, after = (array[:, None, :] for array in (before, start, end, after))
    curve = start + 0.5 * t * (
        end - before + t * (2 * before - 5 * start + 4 * end - after + t * (3 * (start - end) + after - before))
    )
    curve = curve.reshape(-1, 2)
    return curve if closed else np.concatenate([curve, knots[-1:]])


def tube(centreline: ArrayLike, widths: float | Sequence[float]) -> Points:
    """The outline of a tube around a line (K, 2); widths: one full width, or some spread evenly along the line."""
    line = np.asarray(centreline, np.float64)
    direction = np.empty_like(line)
    np.subtract(line[2:], line[:-2], out=direction[1:-1])
    direction[0], direction[-1] = line[1] - line[0], line[-1] - line[-2]
    x, y = direction.T
    width = widths if isinstance(widths, float) else np.interp(_spread(len(line)), _spread(len(widths)), widths)
    half = 0.5 * width / np.maximum(np.hypot(x, y), 1e-9)
    outline = np.empty((2 * len(line), 2))
    beside = np.stack([-y * half, x * half], axis=1)
    np.add(line, beside, out=outline[: len(line)])
    np.subtract(line[::-1], beside[::-1], out=outline[len(line) :])
    return outline


def ellipse(centre: ArrayLike, radii: ArrayLike, degrees: tuple[float, float] = (0, 360), steps: int = 40) -> Points:
    """The points of an ellipse, or of an arc of it; degrees run clockwise on the screen from the right."""
    return np.asarray(_arc(degrees, steps) * np.asarray(radii) + np.asarray(centre), np.float64)


@cache
def _arc(degrees: tuple[float, float], steps: int) -> Points:
    angle = np.deg2rad(np.linspace(*degrees, steps))
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


@cache
def _spread(count: int) -> Points:
    return np.linspace(0, 1, count)


def rectangle(left: float, top: float, right: float, bottom: float) -> Points:
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]])


def mirrored(half: ArrayLike, axis: float = 0.5) -> Points:
    """The closed outline, symmetric about x = axis, of its right half: (K, 2) of offset from the axis and y."""
    right = np.asarray(half, np.float64)
    left = right[::-1] * [-1, 1]
    return np.concatenate([right, left]) + [axis, 0]


def turned(points: ArrayLike, degrees: float, about: ArrayLike) -> Points:
    """points turned clockwise on the screen about a point."""
    angle = np.deg2rad(degrees)
    matrix = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    pivot = np.asarray(about, np.float64)
    return np.asarray((np.asarray(points) - pivot) @ matrix + pivot, np.float64)
