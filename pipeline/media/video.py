"""Frames of a video file, by decord, with their presentation times."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import decord
import numpy as np

# Frames that are decoded at a time: bounds the memory of a file of any length.
FRAMES_AT_ONCE = 64


@dataclass(frozen=True)
class Video:
    """A file that has been opened. times: (N,) seconds at which each frame is shown first."""

    reader: decord.VideoReader
    times: np.ndarray
    width: int
    height: int


def open_video(path: Path) -> Video:
    """Raises whatever decord raises for a file that is damaged or holds no pictures."""
    reader = decord.VideoReader(str(path), num_threads=1)
    times = reader.get_frame_timestamp(np.arange(len(reader)))[:, 0].astype(np.float64)
    height, width = reader[0].shape[:2]
    return Video(reader, times, width, height)


def square_frames(video: Video, numbers: np.ndarray, side: int) -> Iterator[np.ndarray]:
    """(n, side, side, 3) uint8 RGB, some at a time: the shorter side resized to `side`, the middle square kept."""
    for first in range(0, len(numbers), FRAMES_AT_ONCE):
        frames = video.reader.get_batch(numbers[first : first + FRAMES_AT_ONCE]).asnumpy()
        yield np.stack([square(frame, side) for frame in frames])


def square(image: np.ndarray, side: int) -> np.ndarray:
    """(H, W, 3) uint8 -> (side, side, 3): middle square, resized by area when it shrinks (no aliasing)."""
    height, width = image.shape[:2]
    short = min(height, width)
    top, left = (height - short) // 2, (width - short) // 2
    middle = image[top : top + short, left : left + short]
    if short == side:
        return middle
    return cv2.resize(middle, (side, side), interpolation=cv2.INTER_AREA if short > side else cv2.INTER_CUBIC)
