"""Drawings of the struck instruments: drum, bell."""

import numpy as np

from pipeline.datasets.toyworld.canvas import Canvas
from pipeline.datasets.toyworld.palette import Palette
from pipeline.datasets.toyworld.shapes import ellipse, mirrored, rectangle, smooth, tube, turned


def drum(canvas: Canvas, palette: Palette, rng: np.random.Generator) -> None:
    """A shell between two hoops seen from a little above, cords or rods around it, sticks on the skin, feet below."""
    width, tilt = rng.uniform(0.36, 0.42), rng.uniform(0.085, 0.13)
    top, bottom = rng.uniform(0.26, 0.31), rng.uniform(0.66, 0.76)
    narrow = rng.uniform(0.88, 1.0)
    for x in (-0.62, 0.0, 0.62):
        foot = np.array([(0.5 + x * width, bottom), (0.5 + x * width * 1.12, bottom + tilt * (1.6 - abs(x)) + 0.07)])
        canvas.fill(tube(foot, 0.04), palette.trim)
    rim = ellipse((0.5, bottom), (width * narrow, tilt), (0, 180))
    shell = np.concatenate([[(0.5 + width, top)], rim, [(0.5 - width, top)]])
    canvas.fill(shell, palette.body, rounding=0.12)
    count = int(rng.integers(6, 9))
    angles = np.deg2rad(np.linspace(8, 172, count))
    upper = np.stack([0.5 + width * np.cos(angles), top + tilt * np.sin(angles)], axis=1)
    lower = np.stack([0.5 + width * narrow * np.cos(angles), bottom + tilt * np.sin(angles)], axis=1)
    if rng.random() < 0.5:
        cord = np.stack([upper, lower], axis=1).reshape(-1, 2)
        zigzag = cord[[index + (index // 2) % 2 * (1 - 2 * (index % 2)) for index in range(len(cord))]]
        canvas.line(zigzag, 0.016, palette.detail)
    else:
        for start, end in zip(upper, lower, strict=True):
            canvas.line([start, end], 0.012, palette.detail)
            canvas.fill(ellipse((start + end) / 2, (0.018, 0.04)), palette.accent)
    hoop = rng.uniform(0.05, 0.065)
    canvas.fill(tube(rim, hoop), palette.trim, rounding=0.02)
    canvas.fill(tube(ellipse((0.5, top + 0.01), (width, tilt), (0, 180)), hoop), palette.trim, rounding=0.02)
    canvas.fill(ellipse((0.5, top), (width * 1.02, tilt * 1.05)), palette.trim)
    canvas.fill(ellipse((0.5, top - 0.004), (width * 0.93, tilt * 0.9)), palette.accent, rounding=0.05)
    for side in (-1, 1):
        tip = np.array([0.5 - side * rng.uniform(0.02, 0.12), top + rng.uniform(-0.03, 0.02)])
        stick = turned(np.array([tip, tip + [0, -rng.uniform(0.26, 0.30)]]), side * rng.uniform(38, 60), tip)
        canvas.fill(tube(stick, [0.024, 0.034]), palette.detail)
        canvas.fill(ellipse(tip, (0.028, 0.022)), palette.detail)


def bell(canvas: Canvas, palette: Palette, rng: np.random.Generator) -> None:
    """A hand bell: handle up, flaring mouth down with the clapper showing."""
    waist, mouth = rng.uniform(0.15, 0.19), rng.uniform(0.32, 0.39)
    crown, lip = rng.uniform(0.36, 0.42), rng.uniform(0.80, 0.84)
    if rng.random() < 0.5:
        grip = smooth([(0.025, 0.03), (0.05, 0.08), (0.032, 0.17), (0.055, 0.27), (0.03, crown + 0.02)], closed=False)
        canvas.fill(mirrored(grip), palette.trim, rounding=0.03)
    else:
        height = rng.uniform(0.13, 0.16)
        canvas.pipe(ellipse((0.5, crown - height), (0.13, height + 0.02)), 0.06, palette.trim)
    swing = rng.uniform(-0.1, 0.1)
    canvas.fill(tube([(0.5, lip - 0.05), (0.5 + swing, lip + 0.08)], 0.03), palette.trim)
    canvas.fill(ellipse((0.5 + swing, lip + 0.10), (0.062, 0.058)), palette.accent, rounding=0.03)
    side = smooth(
        [
            (0.02, crown - 0.02),
            (waist * 0.72, crown),
            (waist, crown + 0.09),
            (waist * 1.12, crown + 0.22),
            (waist * 1.35, lip - 0.12),
            (mouth * 0.92, lip - 0.03),
            (mouth, lip),
        ],
        closed=False,
    )
    canvas.fill(mirrored(side), palette.body, rounding=0.09)
    canvas.fill(ellipse((0.5, lip), (mouth, 0.05)), palette.body)
    canvas.fill(ellipse((0.5, lip + 0.004), (mouth * 0.88, 0.034)), palette.detail, edge=0)
    for y, thickness in ((crown + 0.09, 0.014), (lip - 0.12, 0.022)):
        half = float(np.interp(y, side[:, 1], side[:, 0])) * 0.97
        band = smooth([(0.5 - half, y - 0.01), (0.5, y + 0.025), (0.5 + half, y - 0.01)], closed=False)
        canvas.line(band, thickness, palette.detail if thickness < 0.02 else palette.accent)
    canvas.fill(rectangle(0.5 - 0.06, crown - 0.035, 0.5 + 0.06, crown + 0.005), palette.accent)
