"""Sobel filtering: figure 4 (j) of SimCLR (Chen et al., ICML 2020)."""

import torch.nn.functional as F
from torch import Tensor

GREATEST = 8.0
"""Of one direction's filter on values in [-1, 1]: 1 + 2 + 1 times a step of 2."""


def sobel(images: Tensor) -> Tensor:
    """images: (B, C, H, W) float in [-1, 1] -> the same shape and range: the length of each channel's gradient, -1
    where the picture is flat, 1 for a step from black to white along an axis or anything steeper.

    Beyond its borders a picture repeats its outermost pixels. The paper doesn't say whether its filter takes colours
    or greys.
    """
    padded = F.pad(images, (1, 1, 1, 1), mode="replicate")
    across = padded[..., 2:] - padded[..., :-2]
    down = padded[..., 2:, :] - padded[..., :-2, :]
    horizontal = across[..., :-2, :] + 2 * across[..., 1:-1, :] + across[..., 2:, :]
    vertical = down[..., :-2] + 2 * down[..., 1:-1] + down[..., 2:]
    return (2 / GREATEST * (horizontal.square() + vertical.square()).sqrt() - 1).clamp(max=1)
