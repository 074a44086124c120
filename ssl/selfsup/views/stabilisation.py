"""Frames of a clip shifted onto each other, so that what stands still in the world stands still in the picture.

Temporal order can be read from a moving camera; Wei, Lim, Zisserman and Freeman (CVPR 2018) stabilise their videos for
that reason. Here by phase correlation (Kuglin and Hines, 1975), which finds one translation a frame: turns and zooms of
the camera stay.
"""

import torch
from torch import Tensor

from selfsup.views.geometry import resampling
from selfsup.views.separable import separable


def camera_shifts(frames: Tensor) -> Tensor:
    """frames: (B, T, C, H, W), float or uint8 -> (B, T, 2): by how many px, down and to the right, each frame's picture
    lies off that of the frame in the middle; to a fraction of a pixel, up to half the picture's side."""
    grey = frames.mean(dim=2, dtype=torch.float32)
    height, width = grey.shape[-2:]
    # Borders would correlate with themselves at a shift of zero.
    window = torch.hann_window(height, device=frames.device)[:, None] * torch.hann_window(width, device=frames.device)
    spectra = torch.fft.rfft2((grey - grey.mean(dim=(-2, -1), keepdim=True)) * window)
    cross = spectra * spectra[:, grey.shape[1] // 2, None].conj()
    peaks = torch.fft.irfft2(cross / cross.abs().clamp(min=1e-9), s=(height, width))
    at = peaks.flatten(2).argmax(dim=2)
    rows, columns = at // width, at % width
    down = _between(peaks, rows, columns, height, axis=2)
    right = _between(peaks, rows, columns, width, axis=3)
    return torch.stack([_signed(rows + down, height), _signed(columns + right, width)], dim=2)


def _between(peaks: Tensor, rows: Tensor, columns: Tensor, size: int, axis: int) -> Tensor:
    """The peak of the parabola through the greatest value and its neighbours along an axis, -0.5 to 0.5."""
    batch, steps = torch.meshgrid(
        *(torch.arange(count, device=peaks.device) for count in peaks.shape[:2]), indexing="ij"
    )
    before, here, after = (
        peaks[
            batch,
            steps,
            (rows + offset) % size if axis == 2 else rows,
            (columns + offset) % size if axis == 3 else columns,
        ]
        for offset in (-1, 0, 1)
    )
    curvature = (2 * here - before - after).clamp(min=1e-9)
    return ((after - before) / (2 * curvature)).clamp(-0.5, 0.5)


def _signed(shift: Tensor, size: int) -> Tensor:
    return torch.where(shift > size / 2, shift - size, shift)


def shifted_back(frames: Tensor, shifts: Tensor, side: int) -> Tensor:
    """frames: (B, T, C, H, W), float, or uint8, which comes out in [-1, 1]. shifts: (B, T, 2) px. -> float (B, T, C,
    side, side), each frame moved against its shift and resized, antialiased, in one; what comes in from beyond the
    picture repeats its border."""
    down, across = (
        resampling(start, torch.full_like(start, size), size, side)
        for start, size in zip(shifts.flatten(0, 1).unbind(dim=1), frames.shape[-2:], strict=True)
    )
    moved = separable(frames.flatten(0, 1), down, across)
    return moved.reshape(*frames.shape[:2], *moved.shape[1:])
