"""Stride-2 convolutions, as many as there are widths: what the small backbones of pictures and of sound are made of."""

import torch
from torch import Tensor, nn


def strided_stages(channels: int, widths: list[int]) -> nn.ModuleList:
    """channels: of the input. A stage is a 3 x 3 convolution of stride 2, batch normalisation and a ReLU."""
    return nn.ModuleList(
        nn.Sequential(
            # No bias: the normalisation that follows would subtract it.
            nn.Conv2d(before, after, kernel_size=3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(after),
            nn.ReLU(inplace=True),
        )
        for before, after in zip([channels, *widths[:-1]], widths, strict=True)
    )


def strided_maps(stages: nn.ModuleList, x: Tensor) -> list[Tensor]:
    """x: (B, channels, h, w) -> maps (B, widths[i], h / 2^(i+1), w / 2^(i+1))."""
    # Channels last is the faster layout for convolutions on CPUs and on tensor cores.
    x = x.contiguous(memory_format=torch.channels_last)
    maps = []
    for stage in stages:
        x = stage(x)
        maps.append(x)
    return maps
