"""Drawings of the stringed instruments: guitar, violin, harp."""

import numpy as np

from pipeline.datasets.toyworld.canvas import Canvas
from pipeline.datasets.toyworld.palette import Palette
from pipeline.datasets.toyworld.shapes import ellipse, mirrored, rectangle, smooth, tube, turned


def guitar(canvas: Canvas, palette: Palette, rng: np.random.Generator) -> None:
    """Neck up; a waisted body with a round hole, a bridge, six pegs."""
    upper, waist, lower = rng.uniform(0.18, 0.22), rng.uniform(0.12, 0.16), rng.uniform(0.24, 0.29)
    shoulder, hole = rng.uniform(0.42, 0.47), rng.uniform(0.60, 0.64)
    neck, head = rng.uniform(0.03, 0.04), rng.uniform(0.048, 0.06)
    half = [(0.03, shoulder), (upper * 0.85, shoulder + 0.03), (upper, shoulder + 0.10), (waist, 0.65)]
    half += [(lower * 0.93, 0.74), (lower, 0.83), (lower * 0.75, 0.94), (0.05, 0.97)]
    canvas.fill(smooth(mirrored(half), closed=True), palette.body, rounding=0.05)
    radius = rng.uniform(0.06, 0.078)
    canvas.fill(ellipse((0.5, hole), (radius * 1.3, radius * 1.3)), palette.accent, edge=0)
    canvas.fill(ellipse((0.5, hole), (radius, radius)), palette.detail)
    canvas.fill(rectangle(0.5 - neck, 0.12, 0.5 + neck, hole - radius * 0.6), palette.trim, rounding=0.02)
    canvas.fill(mirrored([(head * 0.8, 0.02), (head, 0.04), (neck, 0.145)]), palette.trim)
    for y in (0.05, 0.08, 0.11):
        for side in (-1, 1):
            canvas.fill(ellipse((0.5 + side * (head + 0.012), y), (0.016, 0.011)), palette.accent)
    bridge = rng.uniform(0.79, 0.83)
    canvas.fill(rectangle(0.40, bridge, 0.60, bridge + 0.028), palette.trim)
    for x in np.linspace(-0.7, 0.7, 4) * neck:
        canvas.line([(0.5 + x, 0.12), (0.5 + 1.5 * x, bridge)], 0.006, palette.detail)


def violin(canvas: Canvas, palette: Palette, rng: np.random.Generator) -> None:
    """Scroll up; a body with cornered waist, two f-holes, a tailpiece, and a bow across it."""
    upper, waist, lower = rng.uniform(0.155, 0.18), rng.uniform(0.095, 0.115), rng.uniform(0.19, 0.22)
    top = smooth([(0.02, 0.33), (upper * 0.8, 0.345), (upper, 0.42), (upper * 0.97, 0.50)], closed=False)
    bay = smooth([(upper * 1.05, 0.535), (waist, 0.58), (waist * 1.02, 0.65), (lower * 0.92, 0.71)], closed=False)
    base = smooth([(lower * 0.9, 0.73), (lower, 0.82), (lower * 0.8, 0.92), (0.02, 0.955)], closed=False)
    canvas.fill(mirrored(np.concatenate([top, bay, base])), palette.body, rounding=0.05, edge=0.01)
    for side in (-1, 1):
        hole = np.array([(0.085, 0.56), (0.07, 0.575), (0.085, 0.63), (0.10, 0.685), (0.085, 0.70)])
        canvas.line(smooth(hole * [side, 1] + [0.5, 0], closed=False), 0.017, palette.detail)
    canvas.fill(mirrored([(0.035, 0.76), (0.022, 0.93)]), palette.trim)
    canvas.fill(ellipse((0.5 - 0.09, 0.90), (0.07, 0.04)), palette.trim)
    canvas.fill(mirrored([(0.018, 0.12), (0.034, 0.62)]), palette.trim, rounding=0.02)
    canvas.fill(rectangle(0.44, 0.675, 0.56, 0.70), palette.accent)
    canvas.fill(ellipse((0.5, 0.055), (0.036, 0.036)), palette.body, rounding=0.02)
    canvas.fill(mirrored([(0.02, 0.06), (0.024, 0.15)]), palette.body)
    for y, side in ((0.085, -1), (0.10, 1), (0.12, -1), (0.135, 1)):
        canvas.fill(ellipse((0.5 + side * 0.045, y), (0.024, 0.009)), palette.accent)
    for x in (-0.012, 0.0, 0.012):
        canvas.line([(0.5 + x, 0.12), (0.5 + 1.4 * x, 0.80)], 0.005, palette.detail)
    # The bow lies across the strings near the bridge; its frog is the thicker end.
    middle, tilt = (0.5 + rng.uniform(-0.07, 0.07), rng.uniform(0.53, 0.66)), rng.uniform(-32, -8)
    stick = turned(
        smooth([(0.13, middle[1] - 0.02), (0.5, middle[1] - 0.005), (0.87, middle[1] - 0.03)], closed=False),
        tilt,
        middle,
    )
    canvas.line(turned([(0.14, middle[1] + 0.012), (0.86, middle[1] + 0.012)], tilt, middle), 0.008, palette.detail)
    canvas.fill(tube(stick, 0.017), palette.accent)
    canvas.fill(turned(rectangle(0.15, middle[1] - 0.02, 0.21, middle[1] + 0.02), tilt, middle), palette.trim)


def harp(canvas: Canvas, palette: Palette, rng: np.random.Generator) -> None:
    """Column at one side, a curved neck above, a slanting sound box, strings between."""
    column, shoulder = rng.uniform(0.20, 0.25), rng.uniform(0.74, 0.82)
    dip, rise = rng.uniform(0.20, 0.27), rng.uniform(0.13, 0.20)
    width = rng.uniform(0.045, 0.065)
    neck = smooth(
        [(column, 0.08), (column + 0.13, 0.11), (0.52, dip), (shoulder - 0.1, rise + 0.02), (shoulder, rise)],
        closed=False,
    )
    box = smooth([(shoulder, rise), (shoulder - 0.08, 0.42), (0.50, 0.72), (column + 0.06, 0.92)], closed=False)
    count = int(rng.integers(8, 13))
    for x in np.linspace(column + 0.055, shoulder - 0.06, count):
        top = np.interp(x, neck[:, 0], neck[:, 1])
        bottom = np.interp(-x, -box[:, 0], box[:, 1])
        canvas.line([(x, top), (x, bottom)], 0.011, palette.detail)
    canvas.fill(tube(box, [width, width * 1.5, width * 2.0, width * 2.4]), palette.body, rounding=0.04)
    canvas.fill(tube(neck, [width * 1.3, width, width * 1.2, width * 1.5]), palette.trim, rounding=0.03)
    canvas.fill(
        mirrored([(width * 0.5, 0.08), (width * 0.42, 0.5), (width * 0.6, 0.93)], column), palette.body, rounding=0.025
    )
    canvas.fill(ellipse((column, 0.07), (width * 0.95, width * 0.85)), palette.accent, rounding=0.02)
    foot = rng.uniform(0.36, 0.45)
    canvas.fill(rectangle(column - 0.06, 0.92, column + foot, 0.965), palette.trim, rounding=0.02)
    canvas.fill(tube(neck[6:-6] + [0, 0.012], 0.012), palette.accent, edge=0)
