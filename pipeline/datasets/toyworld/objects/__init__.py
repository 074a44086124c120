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
    bent = _bend(canvas.pixels, rng)
    left, top, width, height = cv2.boundingRect((bent[..., 3] > 64).astype(np.uint8))
    scale = min(size / np.sqrt(width * height), _LONGEST * size / max(width, height))
    margin = 2  # transparent pixels, so that warping never smears the border
    crop = cv2.copyMakeBorder(bent[top : top + height, left : left + width], *(round(margin / scale),) * 4, 0)
    shape = (max(1, round(crop.shape[1] * scale)), max(1, round(crop.shape[0] * scale)))
    pixels = cv2.resize(crop, shape, interpolation=cv2.INTER_AREA)
    rows, columns = np.nonzero(pixels[..., 3] > 96)
    hull = cv2.convexHull(np.stack([columns, rows], axis=1).astype(np.int32))[:, 0, :]
    centre = (np.array(shape) - 1) / 2
    return Sprite(np.asarray(pixels, np.uint8), hull - centre)


def _bend(pixels: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """A smooth random distortion and a little shear: no two instances share an outline."""
    side = len(pixels)
    shift = rng.normal(0, 0.015, (2, 4, 4)).astype(np.float32)
    shift_x, shift_y = (cv2.resize(each, (side, side), interpolation=cv2.INTER_CUBIC) * side for each in shift)
    rows, columns = np.indices((side, side), np.float32)
    shear, stretch, centre = rng.uniform(-0.12, 0.12), rng.uniform(0.88, 1.16), np.float32(side / 2)
    map_x = centre + (columns - centre) * np.float32(stretch) + np.float32(shear) * (rows - centre) + shift_x
    bent = cv2.remap(pixels, map_x, rows + shift_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=0)
    return np.asarray(bent, np.uint8)
