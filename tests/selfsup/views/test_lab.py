import pytest
import torch
from torch import Tensor

from selfsup.views.lab import as_grey, gamut_bins, lab_to_srgb, nearest_bins, srgb_to_lab

# What skimage.color.rgb2lab gives (D65, 2 degree observer): 8-bit sRGB, L, a, b.
KNOWN = [
    ((0, 0, 0), (0.0, 0.0, 0.0)),
    ((255, 255, 255), (100.0, 0.0, 0.0)),
    ((255, 0, 0), (53.24, 80.09, 67.20)),
    ((0, 255, 0), (87.73, -86.18, 83.18)),
    ((0, 0, 255), (32.30, 79.19, -107.86)),
    ((255, 255, 0), (97.14, -21.55, 94.48)),
    ((0, 255, 255), (91.11, -48.09, -14.13)),
    ((255, 0, 255), (60.32, 98.23, -60.82)),
    ((128, 128, 128), (53.59, 0.0, 0.0)),
    ((5, 5, 5), (1.37, 0.0, 0.0)),
]


def picture(colours: list[tuple[int, int, int]]) -> Tensor:
    """(1, 3, 1, N) in [-1, 1]."""
    return (torch.tensor(colours, dtype=torch.float32) / 127.5 - 1).T[None, :, None]


def test_known_colours_have_their_lab_values() -> None:
    colours, lab = zip(*KNOWN, strict=True)
    found = srgb_to_lab(picture(list(colours)))
    torch.testing.assert_close(found[0, :, 0].T, torch.tensor(lab), atol=0.02, rtol=0)


def test_there_and_back_changes_no_byte() -> None:
    colours = torch.randint(256, (2, 3, 40, 50), generator=torch.Generator().manual_seed(0)).float()
    colours[0, :, 0] = torch.arange(50)  # dark greys: the straight part of both curves
    back = lab_to_srgb(srgb_to_lab(colours / 127.5 - 1))
    assert torch.equal(((back + 1) * 127.5).round(), colours)


def test_colours_that_srgb_lacks_are_cut_off() -> None:
    lab = torch.tensor([[50.0, 120.0, -120.0], [150.0, 0.0, 0.0], [-20.0, 0.0, 0.0]])
    back = lab_to_srgb(lab.T[None, :, None])
    assert back.isfinite().all()
    assert back.abs().max() == 1
    white, black = back[0, :, 0, 1:].T
    torch.testing.assert_close(white, torch.ones(3))
    torch.testing.assert_close(black, -torch.ones(3))


def test_grey_pictures_differ_in_lightness_alone() -> None:
    red_and_grey = as_grey(picture([(255, 0, 0), (128, 128, 128), (255, 255, 255)]))
    assert red_and_grey.shape == (1, 3, 1, 3)
    expected = torch.tensor([53.24, 53.59, 100.0]) / 50 - 1
    torch.testing.assert_close(red_and_grey[0, :, 0], expected.expand(3, 3), atol=1e-3, rtol=0)


def test_every_bin_is_the_nearest_of_some_colour_and_every_colour_has_one() -> None:
    bins = gamut_bins(10)
    # The authors' list of 313 goes one step beyond the gamut: see `gamut_bins`.
    assert bins.shape == (261, 2)
    levels = torch.linspace(-1, 1, 60)
    cube = torch.stack(torch.meshgrid(levels, levels, levels, indexing="ij")).flatten(2)[None]
    ab = srgb_to_lab(cube)[0, 1:].flatten(1).T
    distances, indices = nearest_bins(ab, bins)
    assert distances.max() <= 50**0.5  # half of a cell's diagonal
    assert len(indices.unique()) > 255
    assert [0, 0] in bins.tolist()
    assert [110, 110] not in bins.tolist()


def test_a_coarser_grid_has_fewer_bins() -> None:
    assert len(gamut_bins(30)) < len(gamut_bins(20)) < 100


@pytest.mark.parametrize(
    ("colour", "expected"), [((12.0, -3.0), [[10, 0], [10, -10]]), ((0.0, 6.0), [[0, 10], [0, 0]])]
)
def test_nearest_bins_come_from_near_to_far(colour: tuple[float, float], expected: list[list[int]]) -> None:
    bins = gamut_bins(10)
    distances, indices = nearest_bins(torch.tensor([colour]), bins, neighbours=2)
    assert bins[indices[0]].tolist() == expected
    torch.testing.assert_close(distances[0], (bins[indices[0]] - torch.tensor(colour)).norm(dim=1))
