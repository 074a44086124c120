import pytest
import torch
from torch import Generator, Tensor

from selfsup.views.tiles import coarsened, coarsening, cut, grid_corners, random_shifts

CPU = torch.device("cpu")


def seeded(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


def pictures(batch: int, side: int) -> Tensor:
    return torch.rand(batch, 3, side, side, generator=seeded())


def test_cells_are_counted_row_after_row() -> None:
    assert grid_corners(2, 5, CPU).tolist() == [[0, 0], [0, 5], [5, 0], [5, 5]]


def test_shifts_reach_both_ends() -> None:
    shifts = random_shifts((1000,), -2, 1, seeded())
    assert shifts.unique().tolist() == [-2, -1, 0, 1]


def test_tiles_worked_by_hand() -> None:
    # A pixel's value is 10 times its row plus its column.
    ramp = (10 * torch.arange(4)[:, None] + torch.arange(4)).expand(1, 1, 4, 4)
    tiles = cut(ramp, torch.tensor([[[0, 0], [1, 2]]]), 2)
    assert tiles.tolist() == [[[[[0, 1], [10, 11]]], [[[12, 13], [22, 23]]]]]


def test_each_picture_and_each_channel_has_its_own_corner() -> None:
    images = pictures(2, 8)
    corners = random_shifts((2, 5, 3, 2), 0, 4, seeded())
    tiles = cut(images, corners, 4)
    assert tiles.shape == (2, 5, 3, 4, 4)
    for image in range(2):
        for tile in range(5):
            for channel in range(3):
                top, left = corners[image, tile, channel].tolist()
                expected = images[image, channel, top : top + 4, left : left + 4]
                assert torch.equal(tiles[image, tile, channel], expected)


def test_down_and_up_again_worked_by_hand() -> None:
    # Two pixels become their mean; that, twice, is what comes back. The last map leaves the tile as it is.
    maps = coarsening(2, 1, CPU)
    torch.testing.assert_close(maps, torch.tensor([[[0.5, 0.5], [0.5, 0.5]], [[1.0, 0.0], [0.0, 1.0]]]))


def test_all_sides_from_the_least_are_there() -> None:
    maps = coarsening(8, 4, CPU)
    assert maps.shape == (5, 8, 8)
    torch.testing.assert_close(maps.sum(dim=2), torch.ones(5, 8))
    # What passed through n pixels has rank n.
    assert [int(torch.linalg.matrix_rank(one)) for one in maps] == [4, 5, 6, 7, 8]


@pytest.mark.parametrize("least", [0, 8])
def test_a_side_that_is_no_smaller_is_refused(least: int) -> None:
    with pytest.raises(ValueError, match=f"tiles of 8 px cannot be made coarse.*not {least} px"):
        coarsening(8, least, CPU)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_none_or_all_are_made_coarse(share: float) -> None:
    tiles = pictures(50, 8)
    changed = (coarsened(tiles, share, 2, seeded()) - tiles).abs().amax(dim=(1, 2, 3)) > 1e-4
    assert changed.float().mean() == share


def test_a_coarse_tile_is_one_of_the_maps_applied_on_both_sides() -> None:
    tiles, maps = pictures(200, 8), coarsening(8, 2, CPU)
    found = coarsened(tiles, 1.0, 2, seeded())
    candidates = torch.einsum("kab,mcbd,ked->kmcae", maps[:-1], tiles, maps[:-1])
    errors = (candidates - found).abs().amax(dim=(2, 3, 4))
    assert errors.amin(dim=0).max() < 1e-5
    # Every side from 2 to 7 occurs, and the larger ones more often: pixels are uniform, not sides.
    times = errors.argmin(dim=0).bincount(minlength=6)
    assert (times > 0).all()
    assert times[-2] > times[0]
