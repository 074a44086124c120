"""Backgrounds: quiet procedural textures between neighbouring colours, turned by any angle so that none shows up."""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.datasets.toyworld.palette import rgb

Field = NDArray[np.float32]


def paint(side: int, labs: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.uint8]:
    """(side, side, 3) uint8. labs: (3, 3) Lab, the colours between which the texture runs."""
    angle = rng.uniform(0, 2 * np.pi)
    columns = (np.arange(side, dtype=np.float32) - side / 2) / side
    rows = columns[:, None]
    along = np.float32(np.cos(angle)) * columns + np.float32(np.sin(angle)) * rows
    across = np.float32(np.cos(angle)) * rows - np.float32(np.sin(angle)) * columns
    family = FAMILIES[rng.integers(len(FAMILIES))]
    # Every texture is bent a little by clouds and has some of them: nothing is ruled with a straight edge.
    bend = 0.05 * _clouds(side, 4, rng)
    first = np.clip(family(along + bend, across - bend, rng), -1, 1) * np.float32(rng.uniform(0.5, 1.0))
    second = _clouds(side, 5, rng)
    base, one, two = rgb(labs)
    ways = np.stack([one - base, two - base, base], axis=1).tolist()
    mixed = [cv2.addWeighted(first, to_one, second, to_two, plain) for to_one, to_two, plain in ways]
    return np.asarray(cv2.merge([cv2.convertScaleAbs(np.maximum(plane, 0)) for plane in mixed]), np.uint8)


def _clouds(side: int, coarsest: int, rng: np.random.Generator) -> Field:
    """Fractal noise, roughly in [-1, 1]."""
    total = np.zeros((side, side), np.float32)
    for octave in range(3):
        seeds = rng.normal(0, 0.5 / 1.8**octave, (coarsest << octave,) * 2).astype(np.float32)
        total += cv2.resize(seeds, (side, side), interpolation=cv2.INTER_CUBIC)
    return total


def _cloudy(along: Field, across: Field, rng: np.random.Generator) -> Field:
    return _clouds(len(along), int(rng.integers(3, 12)), rng)


def _stripes(along: Field, across: Field, rng: np.random.Generator) -> Field:
    waves = np.sin(2 * np.pi * rng.uniform(4, 14) * along + rng.uniform(0, 6))
    return np.asarray(np.tanh(rng.uniform(0.8, 4) * waves), np.float32)


def _checks(along: Field, across: Field, rng: np.random.Generator) -> Field:
    frequency = rng.uniform(3, 8)
    waves = np.sin(2 * np.pi * frequency * along) * np.sin(2 * np.pi * frequency * across)
    return np.asarray(np.tanh(rng.uniform(1.5, 6) * waves), np.float32)


def _weave(along: Field, across: Field, rng: np.random.Generator) -> Field:
    frequency = rng.uniform(8, 16)
    waves = np.sin(2 * np.pi * frequency * along) + np.sin(2 * np.pi * frequency * across)
    return np.asarray(0.5 * waves, np.float32)


def _planks(along: Field, across: Field, rng: np.random.Generator) -> Field:
    """Boards of different shades with streaks along them."""
    boards = (across * rng.uniform(4, 8) + 50).astype(np.int32)
    shades = rng.uniform(-0.9, 0.9, int(boards.max()) + 1).astype(np.float32)
    streaks = np.sin(90 * across + 3 * np.sin(7 * along + boards))
    return np.asarray(shades[boards] + 0.35 * streaks, np.float32)


def _tiles(along: Field, across: Field, rng: np.random.Generator) -> Field:
    """Courses of bricks in thin joints."""
    height, ratio, joint = rng.uniform(5, 9), rng.uniform(1, 2.4), rng.uniform(0.06, 0.12)
    course = np.floor(across * height)
    beside = along * height / ratio + 0.5 * np.mod(course, 2)
    brick = np.mod(np.floor(beside) * 12.9898 + course * 78.233, 7) / 3.5 - 1
    is_joint = (np.mod(beside, 1) < joint / ratio) | (np.mod(across * height, 1) < joint)
    return np.where(is_joint, -1, 0.6 * brick + 0.3).astype(np.float32)


def _terrazzo(along: Field, across: Field, rng: np.random.Generator) -> Field:
    """Patches of the nearest of scattered seeds."""
    seeds = rng.uniform(-0.75, 0.75, (int(rng.integers(25, 70)), 2)).astype(np.float32)
    nearest = ((along[..., None] - seeds[:, 0]) ** 2 + (across[..., None] - seeds[:, 1]) ** 2).argmin(axis=-1)
    return np.asarray(rng.uniform(-1, 1, len(seeds))[nearest], np.float32)


def _lights(along: Field, across: Field, rng: np.random.Generator) -> Field:
    """Round spots out of focus."""
    side = len(along)
    spots = np.zeros((side, side), np.float32)
    for _ in range(int(rng.integers(10, 30))):
        x, y, radius = rng.uniform(0, side, 3) * [1, 1, 0.08] + [0, 0, 0.02 * side]
        disc = np.zeros((side, side), np.float32)
        cv2.circle(disc, (round(x), round(y)), round(radius), float(rng.uniform(0.3, 0.9)), -1, cv2.LINE_AA)
        spots = np.maximum(spots, disc)
    return np.asarray(cv2.blur(spots, (3, 3)) * 1.6 - 0.6, np.float32)


FAMILIES: tuple[Callable[[Field, Field, np.random.Generator], Field], ...] = (
    _cloudy,
    _stripes,
    _checks,
    _weave,
    _planks,
    _tiles,
    _terrazzo,
    _lights,
)
