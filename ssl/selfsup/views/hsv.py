"""Hue, saturation and value of whole batches, as in colorsys."""

import torch
from torch import Tensor


def rgb_to_hsv(images: Tensor) -> Tensor:
    """(B, 3, H, W) in [0, 1] -> the same shape: hue in turns, [0, 1), 0 for grey; saturation; value."""
    value, least = images.amax(dim=1), images.amin(dim=1)
    spread = value - least
    red, green, blue = images.unbind(dim=1)
    safe = spread.clamp(min=1e-8)
    hue = torch.where(
        value == red,
        (green - blue) / safe,
        torch.where(value == green, 2 + (blue - red) / safe, 4 + (red - green) / safe),
    )
    return torch.stack([(hue / 6) % 1, spread / value.clamp(min=1e-8), value], dim=1)


def hsv_to_rgb(images: Tensor) -> Tensor:
    """The way back. Hue may lie beyond [0, 1): whole turns change nothing."""
    hue, saturation, value = images[:, :1], images[:, 1:2], images[:, 2:]
    # Each channel falls from `value` by the share of `value * saturation` that its place in the turn says.
    places = torch.stack([hue + 5 / 6, hue + 3 / 6, hue + 1 / 6], dim=2).squeeze(1) % 1 * 6
    return value - value * saturation * torch.minimum(places, 4 - places).clamp(0, 1)
