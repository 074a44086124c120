"""Hue, saturation and value against the standard library's."""

import colorsys

import torch

from selfsup.views.hsv import hsv_to_rgb, rgb_to_hsv

# Among random ones: black, white, grey, and colours two of whose channels are equal.
CORNERS = torch.tensor(
    [[0, 0, 0], [1, 1, 1], [0.4, 0.4, 0.4], [1, 1, 0], [0, 1, 1], [1, 0, 1], [1, 0, 0], [0.2, 0.2, 0.9]]
)
COLOURS = torch.cat([CORNERS, torch.rand(92, 3, generator=torch.Generator().manual_seed(0))])
IMAGES = COLOURS.T.reshape(1, 3, 10, 10)


def test_as_in_colorsys() -> None:
    expected = torch.tensor([colorsys.rgb_to_hsv(*colour) for colour in COLOURS.tolist()])
    torch.testing.assert_close(rgb_to_hsv(IMAGES).reshape(3, 100).T, expected, atol=1e-5, rtol=0)


def test_there_and_back_is_the_same() -> None:
    torch.testing.assert_close(hsv_to_rgb(rgb_to_hsv(IMAGES)), IMAGES, atol=1e-5, rtol=0)


def test_a_hue_beyond_a_turn_is_that_within() -> None:
    hsv = rgb_to_hsv(IMAGES)
    for turns in (-1, 2):
        beyond = torch.cat([hsv[:, :1] + turns, hsv[:, 1:]], dim=1)
        torch.testing.assert_close(hsv_to_rgb(beyond), IMAGES, atol=1e-5, rtol=0)
