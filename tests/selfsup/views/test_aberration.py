import pytest
import torch
from torch import Generator, Tensor

from selfsup.views.aberration import aberrated, projected


def disc(side: int, radius: float) -> Tensor:
    """(1, 3, side, side): 1 inside a circle about the centre, else -1."""
    along = torch.arange(side) + 0.5 - side / 2
    inside = along[:, None].square() + along.square() < radius**2
    return (2 * inside.float() - 1).expand(1, 3, side, side)


def area(channel: Tensor) -> float:
    return ((channel + 1) / 2).sum().item()


@pytest.mark.parametrize("by", [0.25, -0.2])
def test_a_disc_grows_in_one_channel_about_the_centre(by: float) -> None:
    image = disc(64, 16)
    red, green, blue = aberrated(image, "green", torch.tensor([by]))[0]
    assert torch.equal(red, image[0, 0])
    assert torch.equal(blue, image[0, 2])
    assert area(green) == pytest.approx((1 + by) ** 2 * area(red), rel=0.02)
    torch.testing.assert_close(green, green.flip(0, 1), atol=1e-4, rtol=0)


def test_a_point_moves_away_from_the_centre() -> None:
    # Column 12 of 16 has its centre 4.5 px right of the middle; enlarged by 2/9 it is 5.5 px away, in column 13.
    image = torch.zeros(1, 3, 16, 16)
    image[0, 0, :, 12] = 1
    moved = aberrated(image, "red", torch.tensor([2 / 9]))[0, 0]
    assert moved.argmax(dim=1).tolist() == [13] * 16
    torch.testing.assert_close(moved[:, 13], torch.ones(16))


def test_each_picture_has_its_own_enlargement() -> None:
    images = torch.rand(2, 3, 16, 16, generator=Generator().manual_seed(0))
    together = aberrated(images, "blue", torch.tensor([0.0, 0.1]))
    torch.testing.assert_close(together[0], images[0])
    torch.testing.assert_close(together[1], aberrated(images[1:], "blue", torch.tensor([0.1]))[0])


def test_another_channel_is_refused() -> None:
    with pytest.raises(ValueError, match="a channel is red, green, blue, not 'magenta'"):
        aberrated(torch.zeros(1, 3, 8, 8), "magenta", torch.zeros(1))


def test_projection_is_the_papers_matrix() -> None:
    a = torch.tensor([[-1.0, 2.0, -1.0]])
    matrix = torch.eye(3) - a.T @ a / (a @ a.T)
    images = torch.rand(2, 3, 4, 4, generator=Generator().manual_seed(0))
    torch.testing.assert_close(projected(images), torch.einsum("ij,bjhw->bihw", matrix, images))


def test_projection_takes_aberration_of_grey_pictures_along_green_and_magenta_away() -> None:
    image = disc(32, 8)
    result = projected(aberrated(image, "green", torch.tensor([0.2])))
    # All that is left is grey: no channel tells where the centre is.
    torch.testing.assert_close(result[:, 0], result[:, 1])
    torch.testing.assert_close(result[:, 2], result[:, 1])


def test_projection_leaves_greys() -> None:
    grey = torch.rand(1, 1, 4, 4).expand(1, 3, 4, 4)
    torch.testing.assert_close(projected(grey), grey)
