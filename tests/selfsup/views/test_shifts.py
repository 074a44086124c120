import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Generator, Tensor
from torchvision.transforms.v2 import functional as twin

from selfsup.views.shifts import random_crop_flip, random_shift, windows


def coordinates(clips: int, frames: int, side: int) -> Tensor:
    """(clips, frames, 2, side, side): of each pixel its row and its column."""
    axis = torch.arange(side)
    return torch.stack(torch.meshgrid(axis, axis, indexing="ij")).expand(clips, frames, 2, side, side)


def window(image: Tensor, top: int, left: int, mirrored: bool, height: int, width: int) -> Tensor:
    return windows(image, torch.tensor([[top]]), torch.tensor([[left]]), torch.tensor([[mirrored]]), height, width)


def test_windows_worked_by_hand() -> None:
    image = torch.tensor([[[[1, 2, 3], [4, 5, 6], [7, 8, 9]]]])
    assert window(image, 1, 0, False, 2, 2)[0, 0].tolist() == [[4, 5], [7, 8]]
    assert window(image, 1, 0, True, 2, 2)[0, 0].tolist() == [[5, 4], [8, 7]]
    assert window(image, -1, 1, False, 3, 3)[0, 0].tolist() == [[2, 3, 3], [2, 3, 3], [5, 6, 6]]


@given(st.integers(0, 12), st.integers(0, 8), st.booleans())
@settings(deadline=None, max_examples=20)
def test_windows_are_torchvisions_crops(top: int, left: int, mirrored: bool) -> None:
    image = torch.randint(0, 256, (1, 3, 16, 16), dtype=torch.uint8)
    theirs = twin.crop(image, top, left, 4, 8)
    assert torch.equal(window(image, top, left, mirrored, 4, 8), twin.horizontal_flip(theirs) if mirrored else theirs)


@given(st.integers(-4, 4), st.integers(-4, 4))
@settings(deadline=None, max_examples=20)
def test_beyond_the_border_windows_are_torchvisions_padded_crops(top: int, left: int) -> None:
    image = torch.rand(1, 3, 16, 16)
    theirs = twin.crop(twin.pad(image, [4], padding_mode="edge"), 4 + top, 4 + left, 16, 16)
    assert torch.equal(window(image, top, left, False, 16, 16), theirs)


def test_frames_of_a_tuple_share_crop_and_flip() -> None:
    clips = coordinates(64, 3, 16)
    cropped = random_crop_flip(clips, Generator().manual_seed(0), side=12, flip=0.5)
    assert cropped.shape == (64, 3, 2, 12, 12)
    assert torch.equal(cropped, cropped[:, :1].expand_as(cropped))
    # 5 x 5 places and two ways round.
    assert len(torch.unique(cropped, dim=0)) > 30
    mirrored = cropped[:, 0, 1, 0, 0] > cropped[:, 0, 1, 0, -1]
    assert 20 < mirrored.sum() < 44


def test_every_place_of_the_window_is_as_likely() -> None:
    cropped = random_crop_flip(coordinates(5000, 1, 16), Generator().manual_seed(0), side=12, flip=0)
    for axis in range(2):
        shares = cropped[:, 0, axis, 0, 0].bincount() / 5000
        assert shares.tolist() == pytest.approx([0.2] * 5, abs=0.03)


def test_jitter_moves_each_frame_of_a_clip_a_little() -> None:
    cropped = random_crop_flip(coordinates(500, 3, 32), Generator().manual_seed(0), side=16, flip=0, jitter=2)
    corners = cropped[..., 0, 0]
    apart = corners.amax(dim=1) - corners.amin(dim=1)
    assert apart.max() == 4
    assert apart.float().mean() > 1
    assert corners.min() == 0
    assert corners.max() == 16
    # Windows are whole: rows follow each other.
    assert torch.equal(cropped[:, :, 0, -1, 0] - cropped[:, :, 0, 0, 0], torch.full((500, 3), 15))


def test_the_whole_image_comes_back_unchanged() -> None:
    images = torch.randint(0, 256, (4, 3, 16, 16), dtype=torch.uint8)
    assert torch.equal(random_crop_flip(images, Generator(), side=16, flip=0, jitter=3), images)
    assert torch.equal(random_shift(images, Generator(), pixels=0, shared=False), images)


def test_a_window_larger_than_the_image_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot cut 17 x 17 px out of 16 x 20"):
        random_crop_flip(torch.zeros(1, 3, 16, 20), Generator(), side=17, flip=0)


@pytest.mark.parametrize("shared", [True, False])
def test_frames_are_shifted_together_or_each_on_its_own(shared: bool) -> None:
    shifted = random_shift(coordinates(200, 4, 16), Generator().manual_seed(0), pixels=3, shared=shared)
    moved = shifted[..., 8, 8] - 8
    assert moved.min() == -3
    assert moved.max() == 3
    assert bool((moved == moved[:, :1]).all()) == shared


def test_images_are_shifted_each_on_its_own() -> None:
    images = torch.rand(1, 3, 16, 16).expand(64, 3, 16, 16)
    shifted = random_shift(images, Generator().manual_seed(0), pixels=2, shared=True)
    assert len(torch.unique(shifted, dim=0)) > 15
    padded = F.pad(images[:1], (2, 2, 2, 2), mode="replicate")
    places = {tuple(padded[0, :, y : y + 16, x : x + 16].flatten().tolist()) for y in range(5) for x in range(5)}
    assert {tuple(image.flatten().tolist()) for image in shifted} <= places


def test_the_generator_alone_decides() -> None:
    clips = torch.rand(8, 3, 3, 16, 16)
    first, again, other = (
        random_crop_flip(clips, Generator().manual_seed(seed), side=12, flip=0.5, jitter=1) for seed in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
