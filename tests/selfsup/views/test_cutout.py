import torch
from torch import Generator

from selfsup.views.cutout import cutout


def test_a_square_is_grey_and_the_rest_is_as_it_was() -> None:
    images = torch.ones(200, 3, 8, 8)
    cut = cutout(images, Generator().manual_seed(0), 0.5)
    assert set(cut.unique().tolist()) == {0.0, 1.0}
    assert torch.equal(cut[:, 0], cut[:, 2])
    for image in cut[:, 0]:
        # A rectangle: as many grey pixels as its grey rows times its grey columns.
        grey = image == 0
        rows, columns = int(grey.any(dim=1).sum()), int(grey.any(dim=0).sum())
        assert grey.sum() == rows * columns
        assert 2 <= rows <= 4
        assert 2 <= columns <= 4


def test_the_centre_may_be_any_pixel() -> None:
    # With a side of one pixel the square is its centre.
    cut = cutout(torch.ones(400, 1, 4, 4), Generator().manual_seed(0), 0.25)
    assert (cut == 0).sum(dim=(1, 2, 3)).unique().tolist() == [1]
    assert bool((cut == 0).any(dim=0).all())


def test_no_square_leaves_everything_as_it_is() -> None:
    images = torch.rand(4, 3, 8, 8)
    assert torch.equal(cutout(images, Generator(), 0.0), images)
