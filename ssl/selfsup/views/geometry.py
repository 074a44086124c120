"""Resized crops, flips and turns of whole batches, every image or clip with its own parameters."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Generator, Tensor

from selfsup.views.blur import blur_matrices
from selfsup.views.separable import separable


@dataclass(frozen=True)
class RandomCrop:
    """The random crop and mirroring that many methods share: see `random_resized_crop_flip`.

    scale: least and greatest share of the image's area. ratio: least and greatest width to height. flip: probability of
    mirroring left to right.
    """

    scale: tuple[float, float]
    ratio: tuple[float, float]
    flip: float
    ranges: ClassVar = {"scale": (0.01, 1), "ratio": (0.1, 10), "flip": (0, 1)}

    def __call__(
        self, images: Tensor, generator: Generator, *, side: int | None = None, sigmas: Tensor | None = None
    ) -> Tensor:
        """images: (B, C, H, W) or (B, T, C, H, W), float or uint8 -> float, cropped and resized back, or to `side`."""
        return random_resized_crop_flip(
            images, generator, scale=self.scale, ratio=self.ratio, flip=self.flip, side=side, sigmas=sigmas
        )


def random_resized_crop_flip(
    images: Tensor,
    generator: Generator,
    *,
    scale: Sequence[float],
    ratio: Sequence[float],
    flip: float,
    side: int | None = None,
    sigmas: Tensor | None = None,
) -> Tensor:
    """images: (B, C, H, W), or clips (B, T, C, H, W), whose frames share crop and flip; float, or uint8, which comes
    out in [-1, 1]. -> float of the same shape, each entry cropped, resized back (or to `side` px in both directions)
    and perhaps mirrored; and blurred, where `sigmas` (B,) px are given (see `random_sigmas`).

    As torchvision's RandomResizedCrop (Szegedy et al., CVPR 2015): an area of `scale` times the image's, a width to
    height ratio drawn log-uniformly from `ratio`, a uniform position; mirrored left to right with probability `flip`.
    SimCLR (Chen et al., ICML 2020, appendix A) has scale .08 to 1, ratio 3/4 to 4/3, flip .5. Two differences: a box
    that would stick out is cut to the image instead of drawn again, so that a batch takes one pass, and boxes need not
    end on whole pixels.
    """
    batch, (height, width) = len(images), images.shape[-2:]
    # (5, B) in one draw: area, ratio, vertical and horizontal position, flip.
    area, aspect, down, right, coin = torch.rand(5, batch, generator=generator, device=images.device)
    area = (scale[0] + (scale[1] - scale[0]) * area) * height * width
    aspect = torch.exp(math.log(ratio[0]) + (math.log(ratio[1]) - math.log(ratio[0])) * aspect)
    box_height = (area / aspect).sqrt().clamp(max=height)
    box_width = (area * aspect).sqrt().clamp(max=width)
    boxes = torch.stack([down * (height - box_height), right * (width - box_width), box_height, box_width], dim=1)
    return resized_crop(images, boxes, coin < flip, side=side, sigmas=sigmas)


def resized_crop(
    images: Tensor, boxes: Tensor, mirrored: Tensor, *, side: int | None = None, sigmas: Tensor | None = None
) -> Tensor:
    """images: (B, ..., H, W), float, or uint8, which comes out in [-1, 1]. boxes: (B, 4), top, left, height, width in
    pixels, inside the image. mirrored: (B,) bool. side: of the result in px, None for that of the images. sigmas: (B,)
    px of the result, 0 for no blur. -> (B, ..., H, W) or (B, ..., side, side), each box resized, antialiased.

    Resizing is separable and linear, and so is blur: all together are two batched matrix products, W_y X W_x^T.

    grid_sample does not antialias and cannot take in a blur. On one AVX2 core a whole SimCLR view (crop, blur, colours)
    takes 1.2 times as long with it at 64 px, 0.85 times at 128 to 96 px; a bare crop at 64 px takes 0.7 times as long.
    """
    height, width = images.shape[-2:]
    down = resampling(boxes[:, 0], boxes[:, 2], height, side or height)
    across = resampling(boxes[:, 1], boxes[:, 3], width, side or width)
    across = torch.where(mirrored[:, None, None], across.flip(1), across)
    if sigmas is not None:
        blur = blur_matrices(sigmas, len(down[0]))
        down = torch.bmm(blur, down)
        across = torch.bmm(blur if len(across[0]) == len(down[0]) else blur_matrices(sigmas, len(across[0])), across)
    return separable(images, down, across)


def resampling(start: Tensor, extent: Tensor, size: int, samples: int) -> Tensor:
    """start, extent: (B,) of intervals, in pixels -> (B, samples, size), rows of weights that sum to one. Where an
    interval reaches beyond [0, size], samples there are read at the border pixel's centre.

    The triangle filter of PIL's and torch's antialiased bilinear resizing, widened where the image shrinks: a filter
    narrower than the way from sample to sample would skip pixels. As in PIL's `resize(box=...)`, pixels just outside
    the interval count at its ends.
    """
    pace = (extent / samples)[:, None, None]
    centres = start[:, None, None] + (torch.arange(samples, device=start.device)[:, None] + 0.5) * pace
    centres = centres.clamp(0.5, size - 0.5)
    pixels = torch.arange(size, device=start.device) + 0.5
    weights = (1 - (pixels - centres).abs() / pace.clamp(min=1)).clamp(min=0)
    return weights / weights.sum(dim=2, keepdim=True)


def rotate90(images: Tensor, turns: int) -> Tensor:
    """images: (..., H, W) -> turned counter-clockwise by `turns` quarters, by transpose and flip only: interpolation
    would leave traces by which a network can tell how far an image was turned (Gidaris et al., section 3.2).
    """
    match turns % 4:
        case 0:
            return images
        case 1:
            return images.transpose(-2, -1).flip(-2)
        case 2:
            return images.flip(-2, -1)
        case _:
            return images.flip(-2).transpose(-2, -1)


def random_turns(images: Tensor, generator: Generator, probability: float) -> Tensor:
    """images: (B, C, H, H) -> the same shape, each image turned with `probability`, by 90, 180 or 270 degrees, all
    equally likely. On squares only. SimCLR's figure 4 (f) (Chen et al., ICML 2020).
    """
    coin, quarter = torch.rand(2, len(images), generator=generator, device=images.device)
    quarters = torch.where(coin < probability, 1 + (3 * quarter).long(), 0)[:, None, None, None]
    result = images
    for turns in (1, 2, 3):
        result = torch.where(quarters == turns, rotate90(images, turns), result)
    return result


def object_crop(frames: Tensor, boxes: Tensor, around: Tensor) -> Tensor:
    """frames: (B, 1, C, H, H) uint8. boxes: (B, 4), left, top, right, bottom as shares of the side. around: (B,).
    -> (B, 1, C, H, H) float32, 0 to 255: the square around each box whose side is `around` times the box's longer one
    (no more than the picture's, and moved into it), enlarged to the picture's size.
    """
    size = frames.shape[-1]
    left, top, right, bottom = (boxes * size).unbind(dim=1)
    side = (torch.maximum(right - left, bottom - top) * around).clamp(min=1, max=size)
    down = torch.minimum(((top + bottom - side) / 2).clamp(min=0), size - side)
    across = torch.minimum(((left + right - side) / 2).clamp(min=0), size - side)
    squares = torch.stack([down, across, side, side], dim=1)
    upright = torch.zeros(len(frames), dtype=torch.bool, device=frames.device)
    return resized_crop(frames[:, 0].float(), squares, upright)[:, None]
