"""The small backbone: as many stride-2 convolutions as `widths` has entries, for experiments on two CPU cores.

Not from a paper. With widths 32, 64, 128, 256 it has 0.39 M parameters, and at 64 px the last map is 4 x 4.
"""

from collections.abc import Mapping
from typing import ClassVar

from torch import Tensor

from selfsup.networks.encoder import Encoder
from selfsup.networks.preparation import ONE_FRAME, single_image, standardised
from selfsup.networks.strided import strided_maps, strided_stages

LEAST_STD = 2 / 255
"""Standard deviation below which a picture counts as flat: one of the store's steps, in [-1, 1]."""


class ConvNet(Encoder):
    """A block is a 3 x 3 convolution of stride 2, batch normalisation and a ReLU."""

    streams: ClassVar = ("frames",)
    IN: ClassVar[int] = 3
    """Channels of the input. A subclass that shows its network more makes that in its own `prepare`, or before it."""
    ranges: ClassVar = {"widths": (1, 65536), "side": (8, 4096)}
    windows = ONE_FRAME

    def __init__(self, *, widths: list[int], side: int) -> None:
        """widths: channels of each block, from shallow to deep. side: of the input, in pixels."""
        super().__init__()
        self.side = side
        self.widths = widths
        self.stages = strided_stages(self.IN, widths)

    @property
    def channels(self) -> list[int]:
        """The widths that it was made with."""
        return self.widths

    def prepare(self, streams: Mapping[str, Tensor]) -> Tensor:
        """frames: (B, 1, 3, H, H) uint8 -> (B, 3, side, side) in [-1, 1]. Raises ValueError for other shapes."""
        return single_image(streams["frames"], self.side)

    def blocks(self, x: Tensor) -> list[Tensor]:
        """x: (B, IN, side, side) -> maps (B, widths[i], side / 2^(i+1), side / 2^(i+1))."""
        return strided_maps(self.stages, x)


class StandardisedConvNet(ConvNet):
    """On pictures without their brightness, cast and contrast. Not in AVE-Net's paper: what tells most pictures, and
    most sounds, apart says nothing of what sounds. On toyworld, seed 0, 4,800 pairs of validation clips, correspondence
    was at 55 % after 600 steps of 128 without, at 60 % after 900 with sounds standardised, at 63 % with pictures too.
    """

    streams = ("frames",)
    ranges: ClassVar = {"widths": (1, 65536), "side": (8, 4096)}

    def __init__(self, *, widths: list[int], side: int) -> None:
        """widths, side: see `ConvNet`."""
        super().__init__(widths=widths, side=side)

    def prepare(self, streams: Mapping[str, Tensor]) -> Tensor:
        """frames: (B, 1, 3, H, H) uint8 -> (B, 3, side, side), see `standardised`."""
        return standardised(super().prepare(streams), LEAST_STD)
