"""Drawings of the keyed instruments: piano, accordion."""

from itertools import pairwise

import numpy as np

from pipeline.datasets.toyworld.canvas import Canvas
from pipeline.datasets.toyworld.palette import Palette
from pipeline.datasets.toyworld.shapes import ellipse, mirrored, rectangle, smooth, turned


def piano(canvas: Canvas, palette: Palette, rng: np.random.Generator) -> None:
    """An upright piano from the front: lid, panels, music stand, keyboard, legs, pedals."""
    left, right = rng.uniform(0.05, 0.10), rng.uniform(0.90, 0.95)
    top, shelf, floor = rng.uniform(0.12, 0.20), rng.uniform(0.50, 0.56), rng.uniform(0.88, 0.92)
    canvas.fill(rectangle(left + 0.03, top, right - 0.03, floor), palette.body, rounding=0.04)
    canvas.fill(rectangle(left, top - 0.03, right, top + 0.03), palette.body, rounding=0.02)
    panels = int(rng.integers(1, 4))
    edges = np.linspace(left + 0.08, right - 0.08, panels + 1)
    for start, end in pairwise(edges):
        canvas.fill(rectangle(start + 0.015, top + 0.07, end - 0.015, shelf - 0.06), palette.trim, rounding=0.02)
        canvas.fill(rectangle(start + 0.015, shelf + 0.17, end - 0.015, floor - 0.06), palette.trim, rounding=0.02)
    page = rng.uniform(0.13, 0.17)
    canvas.fill(mirrored([(page, top + 0.09), (page, shelf - 0.05)]), palette.accent)
    canvas.line([(0.5, top + 0.09), (0.5, shelf - 0.05)], 0.01, palette.body)
    for side in (left + 0.02, right - 0.09):
        canvas.fill(rectangle(side, shelf - 0.03, side + 0.07, shelf + 0.12), palette.body, rounding=0.02)
        canvas.fill(rectangle(side + 0.015, shelf + 0.12, side + 0.055, floor + 0.04), palette.body, rounding=0.02)
    first, last = left + 0.09, right - 0.09
    canvas.fill(rectangle(first, shelf - 0.01, last, shelf + 0.10), palette.detail, edge=0.008)
    count = int(rng.integers(13, 18))
    lines = np.linspace(first, last, count + 1)
    width = lines[1] - lines[0]
    for index, x in enumerate(lines[1:-1]):
        canvas.line([(x, shelf), (x, shelf + 0.10)], 0.004, palette.body)
        # Black keys lie in groups of two and three.
        if index % 7 not in (2, 6):
            canvas.fill(
                rectangle(x - 0.28 * width, shelf - 0.01, x + 0.28 * width, shelf + 0.055), palette.body, edge=0
            )
    canvas.fill(rectangle(left + 0.03, shelf + 0.10, right - 0.03, shelf + 0.135), palette.body, rounding=0.015)
    for x in (-0.045, 0.0, 0.045):
        canvas.fill(ellipse((0.5 + x, floor), (0.016, 0.022)), palette.accent)


def accordion(canvas: Canvas, palette: Palette, rng: np.random.Generator) -> None:
    """Two cases joined by bellows that fan open upwards; piano keys down one side, buttons on the other."""
    opening, spread = rng.uniform(4, 20), rng.uniform(0.11, 0.2)
    top, bottom = rng.uniform(0.16, 0.21), rng.uniform(0.80, 0.86)
    # All folds turn about a point well below the instrument, so the fan shows which way is up.
    pivot = np.array([0.5, bottom + 0.5])
    folds = int(rng.integers(6, 10))
    angles = np.linspace(-opening, opening, 2 * folds + 1)
    offsets = np.linspace(-spread, spread, 2 * folds + 1)
    fold_lines = []
    for index, (angle, offset) in enumerate(zip(angles, offsets, strict=True)):
        inset = 0.03 if index % 2 else 0.0
        line = turned([(0.5 + offset, top + inset), (0.5 + offset, bottom - inset)], angle * 0.5, pivot)
        fold_lines.append(line)
    for index, (one, two) in enumerate(pairwise(fold_lines)):
        colour = palette.trim * (1.0 if index % 2 else 0.72)
        canvas.fill(np.array([one[0], two[0], two[1], one[1]]), colour, edge=0.004)
    keys = int(rng.integers(8, 12))
    for side in (-1, 1):

        def placed(points: object, side: int = side) -> np.ndarray:
            return turned(np.asarray(points), side * opening * 0.5, pivot)

        inner = 0.5 + side * spread
        outer = inner + side * rng.uniform(0.15, 0.18)
        strap = smooth(
            [
                (inner + side * 0.02, top),
                (inner + side * 0.05, top - 0.10),
                (outer, top - 0.08),
                (outer - side * 0.01, top + 0.02),
            ],
            closed=False,
        )
        canvas.line(placed(strap), 0.022, palette.accent)
        case = rectangle(min(inner, outer), top - 0.03, max(inner, outer), bottom + 0.03)
        canvas.fill(placed(case), palette.body, rounding=0.04)
        if side < 0:
            canvas.fill(placed(rectangle(outer - 0.075, top, outer + 0.045, bottom)), palette.detail, edge=0.008)
            for index, y in enumerate(np.linspace(top, bottom, keys + 1)[1:-1]):
                canvas.line(placed([(outer - 0.075, y), (outer + 0.045, y)]), 0.006, palette.body)
                if index % 7 not in (2, 6):
                    key = rectangle(outer - 0.02, y - 0.014, outer + 0.045, y + 0.014)
                    canvas.fill(placed(key), palette.body, edge=0)
        else:
            for y in np.linspace(top + 0.06, bottom - 0.06, 7):
                for x in (0.045, 0.085, 0.125):
                    spot = placed([(inner + x, y + 0.15 * x)])[0]
                    canvas.fill(ellipse(spot, (0.014, 0.014), steps=12), palette.detail, edge=0)
