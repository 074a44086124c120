"""Squares of pictures of few pixels, by hand."""

import math

import torch
from torch import Tensor

from selfsup.views.squares import turned_squares


def picture(side: int = 8) -> Tensor:
    return torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(0))


def square(images: Tensor, centre: tuple[float, float], extent: float, turn: float, **changes) -> Tensor:
    return turned_squares(images, torch.tensor([centre]), torch.tensor([extent]), torch.tensor([turn]), **changes)


def test_the_whole_square_is_the_picture() -> None:
    torch.testing.assert_close(square(picture(), (0, 0), 1, 0), picture())


def test_a_quarter_is_cut_out_at_its_own_size() -> None:
    # The middle of the right half's lower quarter: a quarter of the side to the right and down.
    torch.testing.assert_close(square(picture(), (0.25, 0.25), 0.5, 0, side=4), picture()[..., 4:, 4:])


def test_what_is_seen_turns_clockwise() -> None:
    turned = square(picture(), (0, 0), 1, math.pi / 2)
    torch.testing.assert_close(turned, torch.rot90(picture(), -1, dims=(2, 3)), atol=1e-5, rtol=0)


def test_beyond_its_borders_a_picture_is_mirrored() -> None:
    shifted = square(picture(), (0.25, 0), 1, 0)
    torch.testing.assert_close(shifted[..., :6], picture()[..., 2:])
    torch.testing.assert_close(shifted[..., 6:], picture()[..., [7, 6]])


def test_each_picture_has_its_own() -> None:
    images = picture().repeat(2, 1, 1, 1)
    both = turned_squares(images, torch.tensor([[0.0, 0.0], [0.25, 0.0]]), torch.ones(2), torch.zeros(2))
    torch.testing.assert_close(both[:1], picture())
    torch.testing.assert_close(both[1:], square(picture(), (0.25, 0), 1, 0))
