"""From stored frames to what an image network takes."""

from collections.abc import Mapping

import torch.nn.functional as F
from torch import Tensor

from selfsup.networks.encoder import Window

ONE_FRAME: Mapping[str, Window] = {"frames": Window(steps=1, seconds=0.0)}
"""The windows of an image network."""


def single_image(frames: Tensor, side: int) -> Tensor:
    """frames: (B, 1, 3, H, H) uint8 -> (B, 3, side, side) float32 in [-1, 1].

    Resized, antialiased, only if the store's side is another one. Raises ValueError for several frames, which a still
    network would have to choose from, and for frames that are not square, which resizing would distort.
    """
    if frames.ndim != 5 or frames.shape[1:3] != (1, 3):
        raise ValueError(f"an image network takes frames (B, 1, 3, H, W), one frame a row: got {tuple(frames.shape)}")
    check_square(frames)
    images = frames[:, 0].float()
    if images.shape[-1] != side:
        images = F.interpolate(images, size=(side, side), mode="bilinear", antialias=True)
    return images / 127.5 - 1.0


def check_square(frames: Tensor) -> None:
    """frames: (..., H, W). Raises ValueError if they are not square."""
    height, width = frames.shape[-2:]
    if height != width:
        raise ValueError(f"an image network takes square frames: got {height} x {width}; crop them when decoding")


def standardised(pictures: Tensor, least_std: float) -> Tensor:
    """pictures: (B, C, H, W) -> the same shape: of each entry every channel's mean 0, the standard deviation 1.

    So that neither light nor loudness is what most tells entries apart. least_std: a standard deviation below it counts
    as this much, so that the rounding of a picture that is all alike, or of silence, is not enlarged to 1.
    """
    centred = pictures - pictures.mean(dim=(2, 3), keepdim=True)
    return centred / centred.square().mean(dim=(1, 2, 3), keepdim=True).sqrt().clamp(min=least_std)
