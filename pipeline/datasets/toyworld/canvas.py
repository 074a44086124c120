"""A canvas on which an object is drawn once a clip: premultiplied RGBA, lit from one side, with a grain of its own."""

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.datasets.toyworld.palette import Colour
from pipeline.datasets.toyworld.shapes import Points, tube

_FRACTION_BITS = 4  # of cv2's fixed-point coordinates


class Canvas:
    """Draws outlines given in the unit square. Later parts cover earlier ones."""

    def __init__(self, side: int, light: float, mirror: bool, rng: np.random.Generator) -> None:
        """side: pixels; light: the angle in radians from which the light comes; mirror: draw left as right."""
        self.pixels: NDArray[np.uint8] = np.zeros((side, side, 4), np.uint8)
        self._side = side
        self._light = np.array([np.cos(light), np.sin(light)], np.float32)
        self._mirror = mirror
        self._lit = 1 + _grain(side, rng)

    def fill(self, outline: ArrayLike, colour: Colour, *, rounding: float = 0, edge: float = 0.006) -> None:
        """Fills an outline (K, 2). rounding: how far the light models the edge, in units of the square; edge: width
        of the darker contour."""
        corners = self._fixed(outline)
        left, top, right, bottom = self._bounds(corners)
        if right <= left or bottom <= top:
            return
        mask = np.zeros((bottom - top, right - left), np.uint8)
        offset = np.array([left, top]) << _FRACTION_BITS
        cv2.fillPoly(mask, [corners - offset], 255, lineType=cv2.LINE_AA, shift=_FRACTION_BITS)
        lit = self._lit[top:bottom, left:right]
        if rounding:
            lit = np.maximum(lit + self._relief(mask, rounding), 0)
        # Rounds, and keeps to 255. Colour by colour it takes a sixth of the time of arrays with four of them.
        paint = cv2.merge(
            [*(cv2.convertScaleAbs(lit, alpha=float(value)) for value in colour), np.full_like(mask, 255)]
        )
        region = self.pixels[top:bottom, left:right]
        share = cv2.merge([mask] * 4)
        cv2.multiply(region, cv2.bitwise_not(share), dst=region, scale=1 / 255)
        cv2.add(region, cv2.multiply(paint, share, scale=1 / 255), dst=region)
        if edge:
            self._contour(corners, np.asarray(colour) * 0.55, edge, closed=True)

    def line(self, points: ArrayLike, width: float, colour: Colour) -> None:
        """A thin plain line, for strings and ornaments."""
        self._contour(self._fixed(points), colour, width, closed=False)

    def pipe(self, centreline: Points, widths: float | list[float], colour: Colour) -> None:
        """A round tube: dark rim, lit middle."""
        self.fill(tube(centreline, widths), colour, rounding=0.5 * float(np.max(widths)))

    def cut(self, outline: ArrayLike) -> None:
        """Makes a hole through everything drawn so far."""
        cv2.fillPoly(self.pixels, [self._fixed(outline)], (0, 0, 0, 0), lineType=cv2.LINE_AA, shift=_FRACTION_BITS)

    def _fixed(self, points: ArrayLike) -> NDArray[np.int32]:
        scaled = np.array(points, np.float64)
        if self._mirror:
            scaled[:, 0] = 1 - scaled[:, 0]
        return np.round(scaled * self._side * (1 << _FRACTION_BITS)).astype(np.int32)

    def _bounds(self, corners: NDArray[np.int32]) -> tuple[int, int, int, int]:
        (left, top), (right, bottom) = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
        low = [max((value >> _FRACTION_BITS) - 1, 0) for value in (left, top)]
        high = [min((value >> _FRACTION_BITS) + 2, self._side) for value in (right, bottom)]
        return low[0], low[1], high[0], high[1]

    def _contour(self, corners: NDArray[np.int32], colour: ArrayLike, width: float, *, closed: bool) -> None:
        red, green, blue = (float(value) for value in np.clip(np.asarray(colour), 0, 255))
        thickness = max(1, round(width * self._side))
        cv2.polylines(
            self.pixels, [corners], closed, (red, green, blue, 255.0), thickness, cv2.LINE_AA, shift=_FRACTION_BITS
        )

    def _relief(self, mask: NDArray[np.uint8], rounding: float) -> NDArray[np.float32]:
        """Brightness that falls from the lit edge to the other, as on a rounded body: the slope of a blurred mask."""
        radius = max(1, round(rounding * self._side))
        # The margin keeps the slope at parts that touch the mask's border.
        height = cv2.copyMakeBorder(mask, radius, radius, radius, radius, cv2.BORDER_CONSTANT, value=0)
        height = cv2.blur(cv2.blur(height, (2 * radius + 1,) * 2), (radius | 1,) * 2)
        slope_x = cv2.Sobel(height, cv2.CV_32F, 1, 0, ksize=3)[radius:-radius, radius:-radius]
        slope_y = cv2.Sobel(height, cv2.CV_32F, 0, 1, ksize=3)[radius:-radius, radius:-radius]
        # 8 is Sobel's own gain, 127 half of the mask's range.
        right, down = (self._light * (-radius * 0.45 / 8 / 127)).tolist()
        return np.asarray(cv2.addWeighted(slope_x, right, slope_y, down, 0), np.float32)


def _grain(side: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """(side, side) relative brightness of a material: streaks, specks or clouds, stripes or checks at any angle, or
    nearly nothing. Strong enough to compete with the object's own lines."""
    kind = str(rng.choice(_MATERIALS))
    strength = np.float32(rng.uniform(0.05, 0.3))
    if kind in _CELLS:
        seeds = rng.normal(0, 0.5, _CELLS[kind]).astype(np.float32)
        pattern = cv2.resize(seeds, (side, side), interpolation=cv2.INTER_CUBIC)
    else:
        rows, columns = np.indices((side, side), np.float32) / np.float32(side)
        angle, frequency = rng.uniform(0, np.pi), np.float32(2 * np.pi * rng.uniform(3, 9))
        along = np.sin(frequency * (np.float32(np.cos(angle)) * columns + np.float32(np.sin(angle)) * rows))
        across = np.sin(frequency * (np.float32(np.cos(angle)) * rows - np.float32(np.sin(angle)) * columns))
        pattern = np.tanh(rng.uniform(1, 5) * (along if kind == "stripes" else along * across))
    return np.clip(strength * pattern, -0.5, 0.5).astype(np.float32)


_CELLS = {"wood": (48, 4), "brushed": (3, 60), "specks": (32, 32), "clouds": (8, 8), "plain": (3, 3)}
_MATERIALS = (*_CELLS, "stripes", "checks")
