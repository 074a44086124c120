"""Chromatic aberration, put into pictures and taken out of them.

A lens enlarges colours differently. By how much two channels are apart tells where in the picture a patch was: a
shortcut of tasks that ask for positions (Doersch, Gupta and Efros, ICCV 2015, section 3.1).
"""

import torch
from torch import Tensor

from selfsup.views.geometry import resampling
from selfsup.views.separable import separable

CHANNELS = ("red", "green", "blue")


def aberrated(images: Tensor, channel: str, enlargements: Tensor) -> Tensor:
    """images: (B, 3, H, W) float -> the same shape, with one channel scaled about the picture's centre.

    enlargements: (B,), 0.02 for a channel enlarged by 2 %, negative for one that shrinks. What was r px from the centre
    is at (1 + enlargement) r. Where a smaller channel leaves the border empty, its outermost pixels are repeated.
    Between pixels the channel is interpolated, which also makes it a little softer. Raises ValueError for a channel
    that is not red, green or blue.
    """
    if channel not in CHANNELS:
        raise ValueError(f"a channel is {', '.join(CHANNELS)}, not {channel!r}")
    number = CHANNELS.index(channel)
    matrices = []
    for size in images.shape[-2:]:
        read = size / (1 + enlargements)
        matrices.append(resampling((size - read) / 2, read, size, size))
    result = images.clone()
    result[:, number] = separable(images[:, number : number + 1], *matrices)[:, 0]
    return result


def projected(images: Tensor) -> Tensor:
    """images: (..., 3, H, W) float -> the same shape, without the axis between green and magenta.

    Doersch et al., section 3.1: pixels times B = I - a^T a / (a a^T), a = [-1, 2, -1]. Most aberration lies along it.
    Greys stay as they are.
    """
    red, green, blue = images.unbind(dim=-3)
    along = (2 * green - red - blue) / 6
    return torch.stack([red + along, green - 2 * along, blue + along], dim=-3)
