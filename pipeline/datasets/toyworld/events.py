"""What cannot be undone, now and then: smoke that rises and thins out, drops that splash, a small object that falls.

When and where it happens looks at nothing else in the clip.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.datasets.toyworld.motion import similarity
from pipeline.datasets.toyworld.objects import Sprite
from pipeline.datasets.toyworld.palette import random_lab, rgb

Floats = NDArray[np.float64]
Drawn = list[tuple[Sprite, Floats, Floats]]  # sprites, poses (T, 2, 3) to the world's centred pixels, opacities (T,)
EVENTS = ("smoke", "splash", "drop")
_GRAVITY = 2.6  # sides a second squared


def smoke(times: Floats, moment: float, side: int, rng: np.random.Generator) -> Drawn:
    """Puffs from one place, which swell, rise, drift and fade."""
    grey = rgb(random_lab(rng, (25, 95), (0, 10)))
    sprite = _disc(round(0.12 * side), grey, soft=True)
    start = rng.uniform(-0.32, 0.32, 2) * side
    drift = rng.uniform(-0.12, 0.12)
    drawn = []
    for _ in range(int(rng.integers(4, 7))):
        since = times - moment - rng.uniform(0, 0.2)
        age = np.maximum(since, 0)
        way = np.array([drift, -rng.uniform(0.1, 0.25)]) + rng.normal(0, 0.04, 2)
        centres = start + rng.normal(0, 0.02 * side, 2) + side * age[:, None] * way
        opacity = np.where(since > 0, 0.75 * np.exp(-age / rng.uniform(0.35, 0.7)), 0)
        poses = similarity(centres, np.zeros(len(times)), 0.6 + 1.6 * np.sqrt(age))
        drawn.append((sprite, poses, np.where(opacity < 0.05, 0, opacity)))
    return drawn


def splash(times: Floats, moment: float, side: int, rng: np.random.Generator) -> Drawn:
    """Drops that fly up from one place and fall out of the picture."""
    sprite = _disc(max(2, round(0.022 * side)), rgb(random_lab(rng, (30, 90), (10, 45))), soft=False)
    start = np.array([rng.uniform(-0.3, 0.3), rng.uniform(0, 0.4)]) * side
    age = np.maximum(times - moment, 0)
    shown = ((times > moment) & (age < 1)).astype(np.float64)
    drawn = []
    for _ in range(int(rng.integers(7, 12))):
        way = np.array([rng.normal(0, 0.3), -rng.uniform(0.5, 1.1)])
        path = age[:, None] * way + 0.5 * _GRAVITY * age[:, None] ** 2 * [0, 1]
        drawn.append((sprite, similarity(start + side * path, np.zeros_like(age), np.full_like(age, 1.0)), shown))
    return drawn


def drop(times: Floats, moment: float, height: float, side: int) -> Floats:
    """(T,) px by which what stood still has fallen: it lands height px lower, bounces twice, lies still."""
    pull = _GRAVITY * side
    lasts = np.sqrt(2 * height / pull)
    fallen, since, speed = np.zeros_like(times), times - moment, pull * lasts
    first = (since > 0) & (since <= lasts)
    fallen[first] = 0.5 * pull * since[first] ** 2
    fallen[since > lasts] = height
    start = lasts
    for _ in range(2):
        speed *= 0.35
        hop = since - start
        up = (hop > 0) & (hop <= 2 * speed / pull)
        fallen[up] = height - (speed * hop[up] - 0.5 * pull * hop[up] ** 2)
        start += 2 * speed / pull
    return fallen


def _disc(radius: int, colour: Floats, *, soft: bool) -> Sprite:
    size = 2 * radius + 5
    alpha = np.zeros((size, size), np.uint8)
    cv2.circle(alpha, (size // 2, size // 2), round(0.6 * radius) if soft else radius, 255, -1, cv2.LINE_AA)
    if soft:
        alpha = np.asarray(cv2.GaussianBlur(alpha, (0, 0), 0.22 * radius), np.uint8)
    pixels = np.empty((size, size, 4), np.uint8)
    pixels[..., :3] = np.round(alpha[..., None] * (colour / 255))
    pixels[..., 3] = alpha
    reach = (size - 1) / 2
    return Sprite(pixels, np.array([[-reach, -reach], [reach, -reach], [reach, reach], [-reach, reach]]))
