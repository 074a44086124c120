import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch import Generator, Tensor
from torchvision.transforms import InterpolationMode
from torchvision.transforms.functional import gaussian_blur
from torchvision.transforms.functional import resized_crop as torchvision_resized_crop

from selfsup.views.blur import kernel_radius
from selfsup.views.geometry import RandomCrop, random_resized_crop_flip, random_turns, resized_crop, rotate90

ANY = {"scale": (0.2, 1.0), "ratio": (0.75, 4 / 3), "flip": 0.5}


def boxes(*rows: tuple[float, ...]) -> Tensor:
    return torch.tensor(rows, dtype=torch.float32)


def unmirrored(count: int) -> Tensor:
    return torch.zeros(count, dtype=torch.bool)


def test_a_crop_worked_by_hand() -> None:
    # The left half of four columns 0, 1, 2, 3, resized to four: samples at .25, .75, 1.25, 1.75 pixels from the left,
    # between pixel centres at .5, 1.5, 2.5. The first is beyond the outermost centre, so it takes its value.
    ramp = torch.arange(4.0).expand(1, 1, 4, 4)
    cropped = resized_crop(ramp, boxes((0, 0, 4, 2)), unmirrored(1))
    torch.testing.assert_close(cropped[0, 0], torch.tensor([0, 0.25, 0.75, 1.25]).expand(4, 4))


def test_mirroring_reverses_the_columns() -> None:
    images = torch.rand(1, 3, 8, 8)
    whole = boxes((0, 0, 8, 8))
    torch.testing.assert_close(resized_crop(images, whole, torch.tensor([True])), images.flip(-1))


def test_the_whole_image_comes_back_unchanged() -> None:
    images = torch.rand(2, 3, 8, 8)
    torch.testing.assert_close(resized_crop(images, boxes((0, 0, 8, 8), (0, 0, 8, 8)), unmirrored(2)), images)


def test_agrees_with_torchvision_inside_the_crop() -> None:
    # torchvision cuts first and so cannot see beyond the box: at its border they differ by up to half a pixel.
    images = torch.rand(1, 3, 32, 32)
    ours = resized_crop(images, boxes((5, 8, 16, 20)), unmirrored(1))
    theirs = torchvision_resized_crop(images, 5, 8, 16, 20, [32, 32], InterpolationMode.BILINEAR, antialias=True)
    torch.testing.assert_close(ours[..., 2:-2, 2:-2], theirs[..., 2:-2, 2:-2], rtol=0, atol=1e-5)


@pytest.mark.parametrize("box", [(5.0, 8.0, 16.0, 20.0), (0.0, 0.0, 9.5, 7.25), (3.3, 11.6, 28.7, 20.4)])
def test_agrees_with_pil_everywhere(box: tuple[float, float, float, float]) -> None:
    image = torch.rand(32, 32)
    top, left, height, width = box
    theirs = Image.fromarray(image.numpy()).resize(
        (32, 32), Image.Resampling.BILINEAR, box=(left, top, left + width, top + height)
    )
    ours = resized_crop(image[None, None], boxes(box), unmirrored(1))[0, 0]
    np.testing.assert_allclose(ours.numpy(), np.asarray(theirs), atol=1e-5)


def test_every_image_has_its_own_crop() -> None:
    same = torch.rand(1, 3, 16, 16).expand(8, 3, 16, 16)
    views = random_resized_crop_flip(same, Generator().manual_seed(0), **ANY)
    assert len(torch.unique(views, dim=0)) == 8


def test_the_generator_alone_decides() -> None:
    images = torch.rand(8, 3, 16, 16)
    first, again, other = (random_resized_crop_flip(images, Generator().manual_seed(s), **ANY) for s in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_a_random_crop_is_the_function_with_its_arguments() -> None:
    images = torch.rand(8, 3, 16, 16)
    as_argument = RandomCrop(**ANY)(images, Generator().manual_seed(0), side=8)
    assert torch.equal(as_argument, random_resized_crop_flip(images, Generator().manual_seed(0), side=8, **ANY))


def test_without_crop_and_flip_nothing_happens() -> None:
    images = torch.rand(8, 3, 16, 16)
    views = random_resized_crop_flip(images, Generator(), scale=(1, 1), ratio=(1, 1), flip=0)
    torch.testing.assert_close(views, images)


def test_crops_cover_the_asked_area_and_stay_inside() -> None:
    # On a ramp from 0 to 1, a crop's range is its side: the value at a pixel is its own coordinate.
    side = 64
    ramp = ((torch.arange(side) + 0.5) / side).expand(2000, 1, side, side)
    image = torch.cat([ramp, ramp.transpose(-2, -1)], dim=1)
    views = random_resized_crop_flip(image, Generator().manual_seed(0), scale=(0.3, 0.6), ratio=(0.75, 4 / 3), flip=0)
    across = (views[:, 0, 0, -1] - views[:, 0, 0, 0]) * side / (side - 1)
    down = (views[:, 1, -1, 0] - views[:, 1, 0, 0]) * side / (side - 1)
    area, ratio = across * down, across / down
    # Extrapolated from the outermost samples, which are cut off at the image's outermost pixel centres: 3 %.
    assert area.min() > 0.3 * 0.97
    assert area.max() < 0.6 * 1.03
    assert area.mean() == pytest.approx(0.45, abs=0.01)
    assert ratio.min() > 0.75 * 0.97
    assert ratio.max() < 4 / 3 * 1.03
    assert ratio.log().mean() == pytest.approx(0, abs=0.02)


def test_half_of_the_images_are_mirrored() -> None:
    ramp = torch.arange(8.0).expand(1000, 1, 8, 8)
    views = random_resized_crop_flip(ramp, Generator().manual_seed(0), scale=(1, 1), ratio=(1, 1), flip=0.5)
    assert (views[:, 0, 0, 0] > views[:, 0, 0, -1]).float().mean() == pytest.approx(0.5, abs=0.05)


def test_a_quarter_turn_is_counter_clockwise() -> None:
    assert rotate90(torch.tensor([[1, 2], [3, 4]]), 1).tolist() == [[2, 4], [1, 3]]


@pytest.mark.parametrize("turns", range(-1, 6))
def test_turns_are_those_of_torch(turns: int) -> None:
    images = torch.rand(2, 3, 5, 5)
    assert torch.equal(rotate90(images, turns), torch.rot90(images, turns, dims=(-2, -1)))


@pytest.mark.parametrize(("size", "side"), [(32, 24), (32, 48), (128, 96)])
def test_another_side_agrees_with_pil(size: int, side: int) -> None:
    image = torch.rand(size, size)
    box = (3.3, 1.6, size - 4.0, size - 2.5)
    top, left, height, width = box
    theirs = Image.fromarray(image.numpy()).resize(
        (side, side), Image.Resampling.BILINEAR, box=(left, top, left + width, top + height)
    )
    ours = resized_crop(image[None, None], boxes(box), unmirrored(1), side=side)[0, 0]
    np.testing.assert_allclose(ours.numpy(), np.asarray(theirs), atol=1e-5)


def test_another_side_agrees_with_torchvision_on_whole_images() -> None:
    images = torch.rand(2, 3, 128, 128)
    ours = resized_crop(images, boxes((0, 0, 128, 128)).expand(2, 4), unmirrored(2), side=96)
    theirs = torchvision_resized_crop(images, 0, 0, 128, 128, [96, 96], InterpolationMode.BILINEAR, antialias=True)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-5)


@pytest.mark.parametrize(("size", "side"), [((32, 32), None), ((32, 32), 24), ((24, 40), None)])
def test_a_crop_that_blurs_is_a_crop_and_then_torchvisions_blur(size: tuple[int, int], side: int | None) -> None:
    images = torch.rand(2, 3, *size)
    places, mirrored, sigmas = boxes((3, 2, 15.5, 20), (0, 1, 9, 23)), torch.tensor([True, False]), [0.4, 1.8]
    cropped = resized_crop(images, places, mirrored, side=side)
    kernel = [2 * kernel_radius(length) + 1 for length in (cropped.shape[-1], cropped.shape[-2])]
    theirs = torch.stack([gaussian_blur(image, kernel, [sigma]) for image, sigma in zip(cropped, sigmas, strict=True)])
    ours = resized_crop(images, places, mirrored, side=side, sigmas=torch.tensor(sigmas))
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-5)


def test_frames_of_a_clip_share_crop_flip_and_blur() -> None:
    frame = torch.rand(8, 1, 3, 16, 16)
    views = random_resized_crop_flip(
        frame.expand(8, 5, 3, 16, 16), Generator().manual_seed(0), **ANY, side=12, sigmas=torch.linspace(0, 2, 8)
    )
    assert views.shape == (8, 5, 3, 12, 12)
    torch.testing.assert_close(views, views[:, :1].expand_as(views))


def test_a_clip_of_one_frame_is_an_image() -> None:
    images = torch.rand(8, 3, 16, 16)
    as_images = random_resized_crop_flip(images, Generator().manual_seed(0), **ANY)
    as_clips = random_resized_crop_flip(images[:, None], Generator().manual_seed(0), **ANY)
    torch.testing.assert_close(as_images, as_clips[:, 0])


@pytest.mark.parametrize("channels_last", [False, True])
def test_bytes_come_out_between_minus_one_and_one(channels_last: bool) -> None:
    frames = torch.randint(0, 256, (4, 1, 16, 16, 3), dtype=torch.uint8).movedim(4, 2)
    frames = frames if channels_last else frames.contiguous()
    of_bytes = random_resized_crop_flip(frames, Generator().manual_seed(0), **ANY)
    of_floats = random_resized_crop_flip(frames / 127.5 - 1, Generator().manual_seed(0), **ANY)
    torch.testing.assert_close(of_bytes, of_floats)


@given(
    st.lists(
        st.tuples(st.floats(0, 8), st.floats(0, 8), st.floats(1, 8), st.floats(1, 8), st.booleans(), st.floats(0, 2)),
        min_size=1,
        max_size=5,
    )
)
@settings(deadline=None, max_examples=20)
def test_an_image_comes_out_the_same_alone_and_in_a_batch(parameters: list[tuple[float, ...]]) -> None:
    images = torch.rand(len(parameters), 3, 16, 16)
    places = torch.tensor([row[:4] for row in parameters])
    mirrored = torch.tensor([bool(row[4]) for row in parameters])
    sigmas = torch.tensor([row[5] for row in parameters])
    together = resized_crop(images, places, mirrored, side=12, sigmas=sigmas)
    alone = [
        resized_crop(images[n : n + 1], places[n : n + 1], mirrored[n : n + 1], side=12, sigmas=sigmas[n : n + 1])
        for n in range(len(parameters))
    ]
    torch.testing.assert_close(together, torch.cat(alone))


def test_images_are_turned_by_one_to_three_quarters_with_their_probability() -> None:
    picture = torch.rand(3, 4, 4)
    images = picture.expand(2000, 3, 4, 4)
    turned = random_turns(images, Generator().manual_seed(0), 0.6)
    ways = [torch.rot90(picture, quarter, dims=(-2, -1)) for quarter in range(4)]
    shares = [(turned == way).flatten(1).all(dim=1).float().mean().item() for way in ways]
    assert shares == pytest.approx([0.4, 0.2, 0.2, 0.2], abs=0.04)
    assert sum(shares) == pytest.approx(1)
    assert torch.equal(random_turns(images, Generator(), 0.0), images)
