"""Drawings of the wind instruments: trumpet, horn, saxophone."""

import numpy as np

from pipeline.datasets.toyworld.canvas import Canvas
from pipeline.datasets.toyworld.palette import Palette
from pipeline.datasets.toyworld.shapes import ellipse, mirrored, rectangle, smooth, tube


def trumpet(canvas: Canvas, palette: Palette, rng: np.random.Generator) -> None:
    """Held level: mouthpiece at one end, flared bell at the other, three valves with their buttons up."""
    pipe, flare = rng.uniform(0.036, 0.046), rng.uniform(0.31, 0.40)
    upper, lower = rng.uniform(0.41, 0.44), rng.uniform(0.62, 0.69)
    loop_left, loop_right = rng.uniform(0.20, 0.27), rng.uniform(0.66, 0.73)
    middle = (upper + lower) / 2
    bend_right = smooth(
        [
            (0.45, upper),
            (loop_right - 0.03, upper),
            (loop_right + 0.03, middle),
            (loop_right - 0.03, lower),
            (0.45, lower),
        ],
        closed=False,
    )
    bend_left = smooth(
        [(0.5, lower), (loop_left + 0.03, lower), (loop_left - 0.03, middle), (loop_left + 0.03, upper), (0.5, upper)],
        closed=False,
    )
    canvas.pipe(bend_right, pipe, palette.trim)
    canvas.pipe(bend_left, pipe, palette.body)
    canvas.pipe(np.array([(0.04, upper), (0.25, upper), (0.5, upper)]), pipe * 0.85, palette.trim)
    valve, gap = rng.uniform(0.058, 0.068), rng.uniform(0.076, 0.086)
    for index in range(3):
        x = 0.40 + gap * index
        canvas.fill(rectangle(x - 0.009, upper - 0.15, x + 0.009, upper - 0.05), palette.trim)
        canvas.fill(ellipse((x, upper - 0.155), (0.03, 0.02)), palette.accent)
        canvas.fill(rectangle(x - valve / 2, upper - 0.065, x + valve / 2, lower + 0.07), palette.body, rounding=0.02)
        canvas.fill(rectangle(x - valve / 2, upper - 0.065, x + valve / 2, upper - 0.04), palette.accent)
        canvas.fill(rectangle(x - valve / 2, lower + 0.045, x + valve / 2, lower + 0.07), palette.accent)
    bell = np.array([(0.45, upper), (0.65, upper), (0.80, upper), (0.88, upper), (0.93, upper), (0.962, upper)])
    canvas.fill(
        tube(bell, [pipe, pipe * 1.2, pipe * 1.8, flare * 0.42, flare * 0.68, flare]), palette.body, rounding=0.04
    )
    canvas.fill(ellipse((0.962, upper), (0.026, flare / 2)), palette.detail)
    canvas.fill(tube([(0.02, upper), (0.05, upper), (0.08, upper)], [0.062, 0.03, 0.02]), palette.accent)


def horn(canvas: Canvas, palette: Palette, rng: np.random.Generator) -> None:
    """A coil of tubing, the wide bell at the lower side, the mouthpipe leaving at the top."""
    radius, pipe = rng.uniform(0.27, 0.31), rng.uniform(0.05, 0.062)
    centre = np.array([0.46, 0.42])
    flare = rng.uniform(0.19, 0.225)
    inner = radius * rng.uniform(0.50, 0.62)
    lead = smooth([(0.10, 0.05), (0.24, 0.11), (0.36, 0.145), (0.52, 0.14), (0.66, 0.21)], closed=False)
    canvas.pipe(lead, pipe * 0.6, palette.trim)
    canvas.fill(tube([(0.07, 0.035), (0.105, 0.052), (0.14, 0.068)], [0.06, 0.035, 0.02]), palette.accent)
    canvas.pipe(ellipse(centre + [0.01, 0.02], (inner, inner * 0.9)), pipe * 0.7, palette.trim)
    canvas.pipe(ellipse(centre, (radius, radius)), pipe, palette.body)
    slide = rng.uniform(0.30, 0.36)
    for y in (0.36, 0.44):
        canvas.pipe(np.array([(slide, y), (0.45, y + 0.01), (0.60, y + 0.02)]), pipe * 0.55, palette.trim)
    for index in range(3):
        at = centre + np.array([-0.085 + 0.08 * index, 0.04 + 0.012 * index])
        canvas.fill(ellipse(at, (0.036, 0.036)), palette.accent, rounding=0.02)
        canvas.fill(ellipse(at, (0.012, 0.012)), palette.detail, edge=0)
    mouth = np.array([0.66 + rng.uniform(-0.03, 0.03), 0.75])
    throat = smooth(
        [tuple(centre + [-radius * 0.72, radius * 0.70]), (0.40, 0.73), (0.52, 0.72), tuple(mouth)], closed=False
    )
    canvas.fill(tube(throat, [pipe, pipe * 1.2, pipe * 2.2, flare * 1.9]), palette.body, rounding=0.05)
    canvas.fill(ellipse(mouth, (flare * 0.92, flare)), palette.body, rounding=0.05)
    canvas.fill(ellipse(mouth + [0.01, 0.005], (flare * 0.72, flare * 0.79)), palette.detail, rounding=0.06)


def saxophone(canvas: Canvas, palette: Palette, rng: np.random.Generator) -> None:
    """Mouthpiece at the top, a widening tube down to the bow, the bell turned up."""
    top, reach = rng.uniform(0.10, 0.15), rng.uniform(0.18, 0.24)
    bell_x, bell_y, flare = rng.uniform(0.70, 0.76), rng.uniform(0.44, 0.52), rng.uniform(0.23, 0.29)
    body_x = 0.42
    line = smooth(
        [
            (body_x - 0.01, top),
            (body_x, 0.35),
            (body_x + 0.01, 0.60),
            (body_x + 0.04, 0.82),
            (body_x + 0.135, 0.90),
            (bell_x - 0.06, 0.82),
            (bell_x - 0.02, 0.66),
            (bell_x, bell_y),
        ],
        closed=False,
    )
    neck = smooth(
        [
            (body_x - 0.01, top + 0.03),
            (body_x - 0.02, top - 0.02),
            (body_x - 0.09, top - 0.055),
            (body_x - reach, top - 0.01),
        ],
        closed=False,
    )
    canvas.pipe(neck, [0.04, 0.035, 0.03], palette.trim)
    canvas.fill(tube(neck[-7:], [0.03, 0.05, 0.03]), palette.accent)
    canvas.fill(tube(line, [0.045, 0.06, 0.075, 0.10, 0.125, 0.135, 0.15, flare]), palette.body, rounding=0.05)
    canvas.fill(ellipse((bell_x, bell_y), (flare / 2, 0.045)), palette.detail)
    canvas.line(np.array([(body_x + 0.055, 0.24), (body_x + 0.075, 0.72)]), 0.015, palette.trim)
    for y in np.linspace(0.23, 0.76, int(rng.integers(6, 9))):
        canvas.fill(ellipse((body_x + 0.01 + rng.uniform(-0.012, 0.012), y), (0.032, 0.026)), palette.accent)
        canvas.fill(ellipse((body_x + 0.01, y), (0.012, 0.010)), palette.detail, edge=0)
    canvas.fill(rectangle(body_x - 0.035, top + 0.02, body_x + 0.02, top + 0.045), palette.accent)
    canvas.fill(mirrored([(0.045, 0.665), (0.05, 0.70)], bell_x - 0.03), palette.trim)
