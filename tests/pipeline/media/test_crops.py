"""A still is exactly what its box shows, and a box beyond the picture is told."""

import numpy as np
import pytest

from pipeline.media.crops import cut
from pipeline.media.unusable import Unusable

PICTURE = np.random.default_rng(0).integers(0, 255, (12, 16, 3), dtype=np.uint8)


@pytest.mark.parametrize("box", [(3, 2, 9, 8), (0, 0, 12, 12), (4, 0, 16, 12)])
def test_a_still_is_what_its_box_shows(box: tuple[int, int, int, int]) -> None:
    left, top, right, bottom = box
    np.testing.assert_array_equal(cut(PICTURE, box), PICTURE[top:bottom, left:right])


@pytest.mark.parametrize("box", [(-1, 2, 5, 8), (10, 6, 17, 13), (0, 0, 13, 13), (3, 3, 3, 3)])
def test_a_box_beyond_the_picture_is_told(box: tuple[int, int, int, int]) -> None:
    with pytest.raises(Unusable, match="is 16 x 12 px, and a still is cut from"):
        cut(PICTURE, box)
