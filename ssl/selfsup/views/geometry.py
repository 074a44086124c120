"""Crops, flips and turns of whole batches, every image with its own parameters."""

import math
from collections.abc import Sequence

import torch
from torch import Generator, Tensor


def random_resized_crop_flip(
    images: Tensor, generator: Generator, *, scale: Sequence[float], ratio: Sequence[float], flip: float
) -> Tensor:
    """images: (B, C, H, W) float -> the same shape, each image cropped, resized back and perhaps mirrored.

    As torchvision's RandomResizedCrop (Szegedy et al., CVPR 2015): an area of `scale` times the image's, a width to
    height ratio drawn log-uniformly from `ratio`, a uniform position; mirrored left to right with probability `flip`.
    Two differences: a box that would stick out is cut to the image instead of drawn again, so that a batch takes one
    pass, and boxes need not end on whole pixels.
    """
    batch, _, height, width = images.shape
    # (5, B) in one draw: area, ratio, vertical and horizontal position, flip.
    area, aspect, down, right, coin = torch.rand(5, batch, generator=generator, device=images.device)
    area = (scale[0] + (scale[1] - scale[0]) * area) * height * width
    aspect = torch.exp(math.log(ratio[0]) + (math.log(ratio[1]) - math.log(ratio[0])) * aspect)
    box_height = (area / aspect).sqrt().clamp(max=height)
    box_width = (area * aspect).sqrt().clamp(max=width)
    boxes = torch.stack([down * (height - box_height), right * (width - box_width), box_height, box_width], dim=1)
    return resized_crop(images, boxes, coin < flip)


def resized_crop(images: Tensor, boxes: Tensor, mirrored: Tensor) -> Tensor:
    """images: (B, C, H, W) float. boxes: (B, 4), top, left, height, width in pixels, inside the image.
    mirrored: (B,) bool. -> (B, C, H, W), each box resized to the whole image, antialiased.

    Resizing is separable and linear, so a batch is two batched matrix products, W_y X W_x^T.
    """
    height, width = images.shape[-2:]
    down = _resampling(boxes[:, 0], boxes[:, 2], height)
    across = _resampling(boxes[:, 1], boxes[:, 3], width)
    across = torch.where(mirrored[:, None, None], across.flip(1), across)
    return down[:, None] @ images @ across[:, None].transpose(-2, -1)


def _resampling(start: Tensor, extent: Tensor, size: int) -> Tensor:
    """start, extent: (B,) of intervals in [0, size], in pixels -> (B, size, size), rows of weights that sum to one.

    The triangle filter of PIL's and torch's antialiased bilinear resizing, widened where the image shrinks; here an
    interval is only ever enlarged, but a filter narrower than a pixel would skip pixels. As in PIL's
    `resize(box=...)`, pixels just outside the interval count at its ends.
    """
    positions = torch.arange(size, device=start.device, dtype=start.dtype) + 0.5
    pace = (extent / size)[:, None, None]
    centres = start[:, None, None] + positions[None, :, None] * pace
    weights = (1 - (positions[None, None, :] - centres).abs() / pace.clamp(min=1)).clamp(min=0)
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
