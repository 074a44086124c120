"""What light and camera do to a picture: uneven light that flickers, colours that part towards the corners, noise."""

import cv2
import numpy as np
from numpy.typing import NDArray

_AT_ONCE = 25  # frames that are zoomed in one go


def expose(
    picture: NDArray[np.uint8], times: NDArray[np.float64], light: float, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """picture: (T, side, side, 3) uint8, is written over -> likewise, as it was taken; times: (T,) seconds; light: the
    angle in radians from which it comes."""
    side = picture.shape[1]
    gain = _light(light, side, rng)
    # Brightness swings instead of drifting: a drift would tell the direction of time. It flickers more than it swings,
    # each frame for itself, or what lies between two others in brightness would lie between them in time.
    swing = np.sin(2 * np.pi * (times / rng.uniform(0.7, 2.0) + rng.random()))
    flicker = 1 + rng.uniform(0, 0.02) * (swing + 1.5 * rng.standard_normal(len(times)).clip(-2, 2))
    noise = rng.standard_normal((2 * side, 2 * side, 3), np.float32) * np.float32(rng.uniform(0.5, 2))
    corners = rng.integers(0, side, (len(times), 2))
    # Red is a little larger and blue a little smaller, or the other way round: at most a third of a pixel at 96.
    parted = rng.uniform(-0.007, 0.007)
    zooms = {0: _zoom(1 + parted, side), 2: _zoom(1 - parted, side)}
    frames = np.empty(picture.shape, np.uint8)
    for start in range(0, len(picture), _AT_ONCE):
        some = picture[start : start + _AT_ONCE]
        planes = [np.asarray(plane, np.uint8) for plane in cv2.split(some.reshape(-1, side, 3))]
        for channel, zoom in zooms.items():
            planes[channel] = _zoomed(planes[channel], *zoom)
        cv2.merge(planes, dst=some.reshape(-1, side, 3))
        for index, one in enumerate(some, start=start):
            row, column = corners[index]
            # Adds, rounds and keeps to 0..255 in one pass.
            grain = noise[row : row + side, column : column + side]
            lit = cv2.multiply(one, gain, scale=float(flicker[index]), dtype=cv2.CV_32F)
            cv2.add(lit, grain, dst=frames[index], dtype=cv2.CV_8U)
    return frames


def _zoom(factor: float, side: int) -> tuple[NDArray[np.int16], NDArray[np.uint16]]:
    """Maps of a square about its middle, in OpenCV's fixed-point numbers; beyond the edge is what lies at it."""
    middle = (side - 1) / 2
    line = np.clip((np.arange(side) - middle) / factor + middle, 0, side - 1).astype(np.float32)
    return cv2.convertMaps(np.tile(line, (side, 1)), np.tile(line[:, None], (1, side)), cv2.CV_16SC2)  # type: ignore[return-value]


def _zoomed(plane: NDArray[np.uint8], whole: NDArray[np.int16], parts: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """plane: (T * side, side), squares below each other."""
    side = plane.shape[1]
    count = len(plane) // side
    places = np.tile(whole, (count, 1, 1))
    places[..., 1] += np.arange(0, len(plane), side, dtype=np.int16).repeat(side)[:, None]
    return np.asarray(cv2.remap(plane, places, np.tile(parts, (count, 1)), cv2.INTER_LINEAR), np.uint8)


def _light(angle: float, side: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """(side, side, 3) gain: brighter towards the light, which comes from any side, so nothing says where up is."""
    line = np.arange(side, dtype=np.float32) / np.float32(side) - np.float32(0.5)
    slope = np.float32(np.cos(angle)) * line + np.float32(np.sin(angle)) * line[:, None]
    exposure, contrast = rng.uniform(0.8, 1.05), rng.uniform(0.05, 0.35)
    return np.repeat(np.asarray(exposure * (1 + contrast * slope), np.float32)[..., None], 3, axis=2)
