"""A mined tuple over its motion: where its letters stand, what is shaded."""

from pathlib import Path

import numpy as np
from PIL import Image

from pipeline.figures.tuples import MinedTuple, tuples


def test_a_clip_is_called_by_the_name_of_its_file(tmp_path: Path) -> None:
    times, frames = np.arange(25) * 0.08, np.zeros((5, 16, 16, 3), np.uint8)
    letters = dict(zip("abcde", (0.08, 0.48, 0.72, 0.88, 1.52), strict=True))
    drawn = []
    for id in ("mine/train/a b.mp4", "mine/train/a%20b.mp4"):
        tuples([MinedTuple(id, times, times, 0.1, letters, frames)], tmp_path / "a.png")
        drawn.append((tmp_path / "a.png").read_bytes())
    assert drawn[0] == drawn[1]


def test_a_row_a_tuple_with_its_five_frames(tmp_path: Path) -> None:
    times = np.arange(25) * 0.08
    frames = np.zeros((5, 16, 16, 3), np.uint8)
    frames[..., 0] = 250  # as nothing else is drawn
    letters = dict(zip("abcde", (0.08, 0.48, 0.72, 0.88, 1.52), strict=True))
    one = MinedTuple("toyworld/train/$x$", times, np.sin(times) ** 2, 0.1, letters, frames)
    heights = []
    for count in (1, 3):
        path = tmp_path / f"{count}.png"
        tuples([one] * count, path)
        pixels = np.asarray(Image.open(path).convert("RGB")).astype(int)
        red = (np.abs(pixels - (250, 0, 0)).sum(axis=2) < 20).sum()
        assert abs(red - count * 5 * 92**2) < 0.03 * count * 5 * 92**2
        heights.append(len(pixels))
    assert heights[1] - heights[0] == 2 * 118
    tuples([], tmp_path / "none.png")
    assert Image.open(tmp_path / "none.png").size == (400, 60)
