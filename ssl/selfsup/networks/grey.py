"""Image networks on lightness alone, as colourisation shows them pictures: Zhang, Isola and Efros, ECCV 2016.

They take the L of CIE Lab three times over instead of once, so that the first layer keeps its shape.
"""

from collections.abc import Mapping
from typing import ClassVar

from torch import Tensor

from selfsup.networks.alexnet import AlexNet
from selfsup.networks.convnet import ConvNet
from selfsup.views.lab import as_grey


class GreyConvNet(ConvNet):
    """`ConvNet` without colours."""

    streams = ("frames",)
    ranges: ClassVar = {"widths": (1, 65536), "side": (8, 4096)}

    def __init__(self, *, widths: list[int], side: int) -> None:
        """widths, side: see `ConvNet`."""
        super().__init__(widths=widths, side=side)

    def prepare(self, streams: Mapping[str, Tensor]) -> Tensor:
        """frames: (B, 1, 3, H, H) uint8 -> (B, 3, side, side) in [-1, 1], see `as_grey`."""
        return as_grey(super().prepare(streams))


class GreyAlexNet(AlexNet):
    """`AlexNet` without colours: what the paper's feature tests are made with (section 3.3)."""

    streams = ("frames",)
    ranges: ClassVar = {"side": (32, 4096)}

    def __init__(self, *, side: int) -> None:
        """side: see `AlexNet`."""
        super().__init__(side=side)

    def prepare(self, streams: Mapping[str, Tensor]) -> Tensor:
        """frames: (B, 1, 3, H, H) uint8 -> (B, 3, side, side) in [-1, 1], see `as_grey`."""
        return as_grey(super().prepare(streams))
