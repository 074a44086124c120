"""What light and camera do to a picture: uneven light that sways, colours that part towards the corners, noise."""

import cv2
import numpy as np
from numpy.typing import NDArray


def expose(
    picture: NDArray[np.uint8], times: NDArray[np.float64], light: float, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """picture: (T, side, side, 3) uint8, is written over -> likewise, as it was taken; times: (T,) seconds; light: the
    angle in radians from which it comes."""
    side = picture.shape[1]
    gain = _light(light, side, rng)
    # Brightness swings instead of drifting: a drift would tell the direction of time.
    flicker = 1 + rng.uniform(0, 0.05) * np.sin(2 * np.pi * (times / rng.uniform(0.7, 2.0) + rng.random()))
    noise = rng.standard_normal((2 * side, 2 * side, 3), np.float32) * np.float32(rng.uniform(0.5, 2))
    corners = rng.integers(0, side, (len(times), 2))
    # Red is a little larger and blue a little smaller, or the other way round: at most a third of a pixel at 96.
    parted = rng.uniform(-0.007, 0.007)
    maps = {0: _zoom(1 + parted, side), 2: _zoom(1 - parted, side)}
    frames = np.empty(picture.shape, np.uint8)
    for index, one in enumerate(picture):
        for channel, matrix in maps.items():
            plane = cv2.extractChannel(one, channel)
            zoomed = cv2.warpAffine(
                plane, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
            )
            cv2.insertChannel(zoomed, one, channel)
        row, column = corners[index]
        # Adds, rounds and keeps to 0..255 in one pass.
        grain = noise[row : row + side, column : column + side]
        lit = cv2.multiply(one, gain, scale=float(flicker[index]), dtype=cv2.CV_32F)
        cv2.add(lit, grain, dst=frames[index], dtype=cv2.CV_8U)
    return frames


def _zoom(factor: float, side: int) -> NDArray[np.float64]:
    middle = (side - 1) / 2
    return np.array([[factor, 0, middle * (1 - factor)], [0, factor, middle * (1 - factor)]])


def _light(angle: float, side: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """(side, side, 3) gain: brighter towards the light, which comes from any side, so nothing says where up is."""
    rows, columns = np.indices((side, side), np.float32) / np.float32(side) - np.float32(0.5)
    slope = np.float32(np.cos(angle)) * columns + np.float32(np.sin(angle)) * rows
    exposure, contrast = rng.uniform(0.8, 1.05), rng.uniform(0.05, 0.35)
    return np.repeat(np.asarray(exposure * (1 + contrast * slope), np.float32)[..., None], 3, axis=2)
