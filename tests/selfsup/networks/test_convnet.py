import pytest
import torch

from selfsup.networks.convnet import ConvNet, StandardisedConvNet
from selfsup.networks.per_frame import PerFrameConvNet

WIDTHS = [32, 64, 128, 256]


def test_has_about_four_hundred_thousand_parameters() -> None:
    assert sum(parameter.numel() for parameter in ConvNet(widths=WIDTHS, side=64).parameters()) == 388_896


def test_every_block_halves_the_side() -> None:
    shapes = [tuple(block.shape) for block in ConvNet(widths=WIDTHS, side=64).blocks(torch.zeros(2, 3, 64, 64))]
    assert shapes == [(2, 32, 32, 32), (2, 64, 16, 16), (2, 128, 8, 8), (2, 256, 4, 4)]


def test_a_subclass_may_take_more_channels() -> None:
    class Two(ConvNet):
        IN = 6

    two = Two(widths=WIDTHS, side=64)
    assert two.blocks(torch.zeros(2, 6, 64, 64))[-1].shape == (2, 256, 4, 4)
    with pytest.raises(RuntimeError):
        two.blocks(torch.zeros(2, 3, 64, 64))


def test_prepare_maps_bytes_to_minus_one_and_one() -> None:
    frames = torch.tensor([0, 255], dtype=torch.uint8).view(2, 1, 1, 1, 1).expand(2, 1, 3, 8, 8)
    images = ConvNet(widths=[4], side=8).prepare({"frames": frames})
    assert images.shape == (2, 3, 8, 8)
    assert (images[0] == -1).all()
    assert (images[1] == 1).all()


def test_prepare_leaves_the_pixels_alone_where_the_side_fits() -> None:
    frames = torch.randint(256, (2, 1, 3, 8, 8), dtype=torch.uint8)
    images = ConvNet(widths=[4], side=8).prepare({"frames": frames})
    assert torch.equal(((images + 1) * 127.5).round().to(torch.uint8), frames[:, 0])


def test_prepare_averages_when_it_shrinks() -> None:
    # One-pixel stripes: without antialiasing, every second column would survive alone.
    frames = torch.zeros(1, 1, 3, 64, 64, dtype=torch.uint8)
    frames[..., ::2] = 255
    assert ConvNet(widths=[4], side=16).prepare({"frames": frames}).abs().max() < 0.1


@pytest.mark.parametrize("shape", [(2, 4, 3, 8, 8), (2, 3, 8, 8), (2, 1, 3, 8, 9), (2, 1, 1, 8, 8)])
def test_prepare_refuses_clips_and_odd_shapes(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="an image network takes"):
        ConvNet(widths=[4], side=8).prepare({"frames": torch.zeros(shape, dtype=torch.uint8)})


@pytest.mark.parametrize("stabilised", [False, True])
def test_frames_of_a_clip_must_be_square_too(stabilised: bool) -> None:
    network = PerFrameConvNet(widths=[4], side=8, frames=2, seconds=0.5, contrast=1.0, stabilised=stabilised)
    with pytest.raises(ValueError, match="an image network takes square frames: got 8 x 9"):
        network.prepare({"frames": torch.zeros(2, 2, 3, 8, 9, dtype=torch.uint8)})


def test_a_standardised_picture_has_no_brightness_cast_or_contrast() -> None:
    frames = torch.randint(256, (3, 1, 3, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    frames[1] = (frames[0].float() * torch.tensor([0.3, 0.3, 0.3]).view(1, 3, 1, 1) + 20).to(torch.uint8)
    frames[2] = 77
    images = StandardisedConvNet(widths=[4], side=8).prepare({"frames": frames})
    torch.testing.assert_close(images.mean(dim=(2, 3)), torch.zeros(3, 3), atol=1e-5, rtol=0)
    torch.testing.assert_close(images[0].square().mean(), torch.tensor(1.0))
    torch.testing.assert_close(images[0], images[1], atol=0.03, rtol=0)  # bytes are coarse
    assert images[2].abs().max() < 1e-3


def test_the_rounding_of_a_flat_picture_is_not_enlarged() -> None:
    frames = torch.full((1, 1, 3, 8, 8), 77, dtype=torch.uint8)
    frames[..., ::2] += 1
    images = StandardisedConvNet(widths=[4], side=8).prepare({"frames": frames})
    assert images.std() == pytest.approx(0.5, abs=0.05)
