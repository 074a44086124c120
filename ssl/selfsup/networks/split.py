"""Encoders of two halves, one for lightness and one for colour: Zhang, Isola and Efros, "Split-brain autoencoders:
unsupervised learning by cross-channel prediction", CVPR 2017.
"""

from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn

from selfsup.networks.encoder import Encoder
from selfsup.networks.preparation import ONE_FRAME, single_image
from selfsup.networks.strided import strided_maps, strided_stages
from selfsup.views.lab import srgb_to_lab

AB_SCALE = 110.0
"""ab is divided by this, so that what the network takes lies in [-1, 1]."""


class SplitEncoder(Encoder):
    """A block is the blocks of both halves, joined by channel: first those of L, then those of ab."""

    streams: ClassVar = ("frames",)
    windows = ONE_FRAME
    side: int
    lightness: nn.ModuleList
    colour: nn.ModuleList

    @property
    @abstractmethod
    def half_channels(self) -> list[int]:
        """Of the blocks of one half."""

    @property
    def channels(self) -> list[int]:
        """Of both halves together."""
        return [2 * width for width in self.half_channels]

    def prepare(self, streams: Mapping[str, Tensor]) -> Tensor:
        """frames: (B, 1, 3, H, H) uint8 -> (B, 3, side, side) in [-1, 1], see `scaled_lab`. Raises ValueError for other
        shapes.
        """
        return scaled_lab(srgb_to_lab(single_image(streams["frames"], self.side)))

    def halves(self, x: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """x: (B, 3, side, side) -> the maps of L and those of ab, each (B, half_channels[i], h, w)."""
        return strided_maps(self.lightness, x[:, :1]), strided_maps(self.colour, x[:, 1:])

    def blocks(self, x: Tensor) -> list[Tensor]:
        """x: (B, 3, side, side) -> maps (B, channels[i], h, w)."""
        return [torch.cat(pair, dim=1) for pair in zip(*self.halves(x), strict=True)]


class SplitConvNet(SplitEncoder):
    """Two of `ConvNet`, each half as wide."""

    streams = ("frames",)
    ranges: ClassVar = {"widths": (2, 65536), "side": (8, 4096)}

    def __init__(self, *, widths: list[int], side: int) -> None:
        """widths: channels of each block of both halves together, from shallow to deep; even numbers. side: of the
        input, in pixels. Raises ValueError for an odd width.
        """
        super().__init__()
        if any(width % 2 for width in widths):
            raise ValueError(f"split network: widths must be even, to be halved; got {widths}")
        self.side = side
        self.halved = [width // 2 for width in widths]
        self.lightness = strided_stages(1, self.halved)
        self.colour = strided_stages(2, self.halved)

    @property
    def half_channels(self) -> list[int]:
        """Half the widths that it was made with."""
        return self.halved


class SplitAlexNet(SplitEncoder):
    """Two of `AlexNet`, each half as wide in every layer (section 4.1)."""

    streams = ("frames",)
    ranges: ClassVar = {"side": (32, 4096)}

    def __init__(self, *, side: int) -> None:
        """side: of the input, in pixels."""
        super().__init__()
        self.side = side
        self.lightness = _half_alexnet(1)
        self.colour = _half_alexnet(2)

    @property
    def half_channels(self) -> list[int]:
        """Of conv1 to conv5."""
        return [32, 96, 192, 128, 128]


def _half_alexnet(channels: int) -> nn.ModuleList:
    """conv1 to conv5, each with its normalisation and ReLU, conv2 and conv3 after a pooling."""
    return nn.ModuleList(
        [
            _convolution(channels, 32, kernel=11, stride=4, padding=2),
            _convolution(32, 96, kernel=5, padding=2, pooled=True),
            _convolution(96, 192, kernel=3, padding=1, pooled=True),
            _convolution(192, 128, kernel=3, padding=1),
            _convolution(128, 128, kernel=3, padding=1),
        ]
    )


def _convolution(
    before: int, after: int, *, kernel: int, padding: int, stride: int = 1, pooled: bool = False
) -> nn.Sequential:
    return nn.Sequential(
        nn.MaxPool2d(kernel_size=3, stride=2) if pooled else nn.Identity(),
        nn.Conv2d(before, after, kernel, stride=stride, padding=padding, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU(inplace=True),
    )


def scaled_lab(lab: Tensor) -> Tensor:
    """lab: (B, 3, H, W), L in 0..100 -> the same shape in [-1, 1]: L / 50 - 1, ab / 110."""
    return torch.cat([lab[:, :1] / 50 - 1, lab[:, 1:] / AB_SCALE], dim=1)
