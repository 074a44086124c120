"""Cutout: DeVries and Taylor, "Improved regularization of convolutional neural networks with cutout", arXiv:1708.04552,
2017.
"""

import torch
from torch import Generator, Tensor


def cutout(images: Tensor, generator: Generator, share: float) -> Tensor:
    """images: (B, C, H, W) float in [-1, 1] -> the same shape, a square of each set to 0, which is mid-grey.

    share: the square's side as a share of the picture's height, rounded to pixels; half a picture's side on CIFAR-10
    (section 4.2). Its centre is uniform over the pixels, so that a part of it may lie outside, as in the paper.
    """
    height, width = images.shape[-2:]
    side = round(share * height)
    draws = torch.rand(2, len(images), 1, generator=generator, device=images.device)
    # How far each row and column lies below the square's first.
    rows = torch.arange(height, device=images.device) - ((draws[0] * height).long() - side // 2)
    columns = torch.arange(width, device=images.device) - ((draws[1] * width).long() - side // 2)
    inside = ((rows >= 0) & (rows < side))[:, :, None] & ((columns >= 0) & (columns < side))[:, None, :]
    return images.masked_fill(inside[:, None], 0.0)
