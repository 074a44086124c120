"""By how much a picture is off, and the picture moved back."""

import pytest
import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from selfsup.views.stabilisation import camera_shifts, shifted_back

SIDE, WORLD = 64, 128
SHIFTS = [(3.0, -5.0), (-0.5, 1.25), (0.0, 0.0), (7.75, 2.5), (-10.0, -8.4)]


def film(shifts: list[tuple[float, float]]) -> Tensor:
    """(2, T, 3, SIDE, SIDE), 0 to 255: a random texture that a camera passes over; its picture lies off by `shifts`."""
    noise = torch.randn(2, WORLD, WORLD, generator=Generator().manual_seed(0))
    down, right = torch.fft.fftfreq(WORLD)[:, None], torch.fft.rfftfreq(WORLD)[None]
    spectrum = torch.fft.rfft2(noise) * torch.exp(-((down**2 + right**2) / (2 * 0.15**2)))
    margin = (WORLD - SIDE) // 2
    pictures = []
    for by_down, by_right in shifts:
        turned = torch.exp(-2j * torch.pi * (down * by_down + right * by_right))
        moved = torch.fft.irfft2(spectrum * turned, s=(WORLD, WORLD))
        pictures.append(moved[:, margin:-margin, margin:-margin])
    return (127 + 100 * torch.stack(pictures, dim=1)).clamp(0, 255)[:, :, None].expand(-1, -1, 3, -1, -1)


def test_a_shifted_texture_is_found_within_a_third_of_a_pixel() -> None:
    found = camera_shifts(film(SHIFTS))
    assert found.shape == (2, 5, 2)
    torch.testing.assert_close(found, torch.tensor(SHIFTS).expand(2, 5, 2), atol=0.3, rtol=0)


def test_shifts_are_counted_from_the_frame_in_the_middle() -> None:
    found = camera_shifts(film([(1.0, 2.0), (4.0, -3.0), (6.0, 0.0)]))
    expected = torch.tensor([(-3.0, 5.0), (0.0, 0.0), (2.0, 3.0)])
    torch.testing.assert_close(found, expected.expand(2, 3, 2), atol=0.3, rtol=0)


def test_whole_pixels_are_taken_back_to_what_was_there() -> None:
    frames = film([(3.0, -5.0), (0.0, 0.0)])
    back = shifted_back(frames, torch.tensor([(3.0, -5.0), (0.0, 0.0)]).expand(2, 2, 2), SIDE)
    inside = (..., slice(8, -8), slice(8, -8))
    torch.testing.assert_close(back[:, 0][inside], frames[:, 1][inside], atol=0.05, rtol=0)
    torch.testing.assert_close(back[:, 1], frames[:, 1], atol=0.05, rtol=0)


def test_what_stands_still_in_the_world_stands_still_in_the_picture() -> None:
    frames = film(SHIFTS)
    still = shifted_back(frames, camera_shifts(frames), SIDE)[..., 12:-12, 12:-12]
    before = frames[..., 12:-12, 12:-12].std(dim=1).mean()
    assert still.std(dim=1).mean() < 0.25 * before


@pytest.mark.parametrize("value", [0.0, 200.0])
def test_a_picture_without_texture_is_not_moved(value: float) -> None:
    assert torch.equal(camera_shifts(torch.full((1, 3, 3, SIDE, SIDE), value)), torch.zeros(1, 3, 2))


def test_moving_and_resizing_in_one_is_doing_one_after_the_other() -> None:
    frames, shifts = film([(1.0, 2.0), (-2.5, 0.25)]), torch.tensor([(1.0, 2.0), (-2.5, 0.25)]).expand(2, 2, 2)
    apart = shifted_back(frames, shifts, SIDE).flatten(0, 1)
    apart = F.interpolate(apart, size=(SIDE // 2, SIDE // 2), mode="bilinear", antialias=True)
    together = shifted_back(frames, shifts, SIDE // 2).flatten(0, 1)
    # But for the border; and a fraction of a pixel blurs once, not twice.
    inside = (..., slice(4, -4), slice(4, -4))
    torch.testing.assert_close(together[::2][inside], apart[::2][inside], atol=0.05, rtol=0)
    assert (together - apart)[inside].abs().mean() < 2


def test_bytes_come_out_between_minus_one_and_one() -> None:
    frames = film(SHIFTS).to(torch.uint8)
    shifts = torch.tensor(SHIFTS).expand(2, 5, 2)
    expected = shifted_back(frames.float(), shifts, 32) / 127.5 - 1
    torch.testing.assert_close(shifted_back(frames, shifts, 32), expected, atol=1e-5, rtol=0)
