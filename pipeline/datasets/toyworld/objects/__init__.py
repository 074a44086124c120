"""Objects as sprites: a class's drawing, varied by an instance's own random stream, drawn once a clip."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.datasets.toyworld.canvas import Canvas
from pipeline.datasets.toyworld.objects import keys, percussion, strings, winds
from pipeline.datasets.toyworld.palette import Palette

DRAWINGS: dict[str, Callable[[Canvas, Palette, np.random.Generator], None]] = {
    "guitar": strings.guitar,
    "violin": strings.violin,
    "harp": strings.harp,
    "trumpet": winds.trumpet,
    "horn": winds.horn,
    "saxophone": winds.saxophone,
    "drum": percussion.drum,
    "bell": percussion.bell,
    "piano": keys.piano,
    "accordion": keys.accordion,
}

# Drawn larger than shown and shrunk by area: thin lines keep their share of a pixel instead of flickering.
_OVERSAMPLING = 2.4
_LONGEST = 1.3  # longer side, relative to the geometric mean of both
_YAW, _PITCH = 32.0, 18.0  # degrees, about the upright and the level axis
_DISTANCE = 2.5  # of the eye, in sides of the drawing: how strongly what is turned tapers
_SHEAR = 0.14
_BEND = 0.02  # of the side, by which a drawing's points are off, as a standard deviation


@dataclass(frozen=True)
class Sprite:
    """An upright object. pixels: (h, w, 4) uint8 premultiplied RGBA; hull: (K, 2) float64, the convex hull of what is
    visible, in pixels from the sprite's centre."""

    pixels: NDArray[np.uint8]
    hull: NDArray[np.float64]


def draw(name: str, palette: Palette, size: float, light: float, rng: np.random.Generator) -> Sprite:
    """The sprite of one instance of a class.

    size: pixels, the geometric mean of width and height, since a trumpet as wide as a drum would be a third of its
    area and area would tell classes apart; the longer side is at most 1.3 times as long. light: where the light comes
    from, an angle in radians.
    """
    side = max(96, round(_OVERSAMPLING * _LONGEST * size))
    canvas = Canvas(side, light, bool(rng.random() < 0.5), rng)
    DRAWINGS[name](canvas, palette, rng)
    posed = _posed(canvas.pixels, rng)
    left, top, width, height = cv2.boundingRect((posed[..., 3] > 64).astype(np.uint8))
    scale = min(size / np.sqrt(width * height), _LONGEST * size / max(width, height))
    margin = 2  # transparent pixels, so that warping never smears the border
    crop = cv2.copyMakeBorder(posed[top : top + height, left : left + width], *(round(margin / scale),) * 4, 0)
    shape = (max(1, round(crop.shape[1] * scale)), max(1, round(crop.shape[0] * scale)))
    pixels = cv2.resize(crop, shape, interpolation=cv2.INTER_AREA)
    hull = cv2.convexHull(cv2.findNonZero((pixels[..., 3] > 96).view(np.uint8)))[:, 0, :]
    centre = (np.array(shape) - 1) / 2
    return Sprite(np.asarray(pixels, np.uint8), hull - centre)


def _posed(pixels: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """The drawing, turned out of the picture's plane, sheared and smoothly bent: no two instances share an outline."""
    side = len(pixels)
    half = np.float32(side / 2)
    line = np.asarray((np.arange(side) - side / 2) / side, np.float32)
    x, y = _plane(line, line[:, None], rng)
    shift_x, shift_y = (
        cv2.resize(each, (side, side), interpolation=cv2.INTER_CUBIC)
        for each in rng.normal(0, _BEND, (2, 4, 4)).astype(np.float32)
    )
    x += np.float32(rng.uniform(-_SHEAR, _SHEAR)) * y
    x += shift_x
    y += shift_y
    for each in (x, y):
        each *= side
        each += half
    posed = cv2.remap(pixels, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=0)
    return np.asarray(posed, np.uint8)


def _plane(
    x: NDArray[np.float32], y: NDArray[np.float32], rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """x: (W,), y: (H, 1) -> (H, W) each, where the lines of sight through a picture's points meet a sheet that is
    turned about its upright and then about its level axis. All in sides of the square, from its centre."""
    yaw, pitch = np.deg2rad(rng.uniform(-_YAW, _YAW)), np.deg2rad(rng.uniform(-_PITCH, _PITCH))
    upright = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    level = np.array([[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]])
    seen = _DISTANCE * (level @ upright)
    seen[2] /= _DISTANCE
    # The sheet has no depth of its own: the third axis only moves it away from the eye.
    seen[:, 2] = 0, 0, _DISTANCE
    back = np.linalg.inv(seen).astype(np.float32)
    across, down, depth = (row[0] * x + (row[1] * y + row[2]) for row in back)
    return across / depth, down / depth
