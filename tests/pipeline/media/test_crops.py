"""A still is exactly what its box shows, mirrored beyond the frame's edge."""

import numpy as np
import pytest

from pipeline.media.crops import cut, mirrored

PICTURE = np.random.default_rng(0).integers(0, 255, (12, 16, 3), dtype=np.uint8)


def test_inside_it_is_the_frame() -> None:
    np.testing.assert_array_equal(cut(PICTURE, (3, 2, 9, 8)), PICTURE[2:8, 3:9])


@pytest.mark.parametrize("box", [(-3, 2, 5, 10), (10, 6, 20, 16), (-4, -5, 20, 19), (-60, -60, 70, 70)])
def test_beyond_the_edge_it_is_mirrored(box: tuple[int, int, int, int]) -> None:
    left, top, right, bottom = box
    padded = np.pad(PICTURE, ((100, 100), (100, 100), (0, 0)), mode="reflect")
    np.testing.assert_array_equal(cut(PICTURE, box), padded[top + 100 : bottom + 100, left + 100 : right + 100])


def test_a_line_of_one_pixel_is_that_pixel() -> None:
    assert mirrored(-3, 4, 1).tolist() == [0] * 7
