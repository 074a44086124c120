"""AlexNet with batch normalisation as in RotNet: Gidaris, Singh and Komodakis, ICLR 2018.

Layer sizes are those of the authors' code (FeatureLearningRotNet, architectures/AlexNet.py): one tower, no local
response normalisation, batch normalisation after every convolution. Its fully connected layers belong to the pretext
task and are not part of the encoder.
"""

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn

from selfsup.networks.encoder import Encoder
from selfsup.networks.preparation import ONE_FRAME, single_image


def _convolution(before: int, after: int, *, kernel: int, stride: int, padding: int) -> nn.Sequential:
    # The authors' convolutions have a bias too, which the normalisation subtracts again.
    return nn.Sequential(
        nn.Conv2d(before, after, kernel, stride=stride, padding=padding, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU(inplace=True),
    )


class AlexNet(Encoder):
    """conv1 to conv5, each taken after its ReLU and before the pooling, as RotNet's linear probes do (section 4.2)."""

    streams: ClassVar = ("frames",)
    ranges: ClassVar = {"side": (32, 4096)}
    windows = ONE_FRAME

    def __init__(self, *, side: int) -> None:
        """side: of the input, in pixels; the paper's is 224."""
        super().__init__()
        self.side = side
        self.conv1 = _convolution(3, 64, kernel=11, stride=4, padding=2)
        self.conv2 = _convolution(64, 192, kernel=5, stride=1, padding=2)
        self.conv3 = _convolution(192, 384, kernel=3, stride=1, padding=1)
        self.conv4 = _convolution(384, 256, kernel=3, stride=1, padding=1)
        self.conv5 = _convolution(256, 256, kernel=3, stride=1, padding=1)
        self.pool = nn.MaxPool2d(kernel_size=3, stride=2)

    @property
    def channels(self) -> list[int]:
        """Of conv1 to conv5."""
        return [64, 192, 384, 256, 256]

    def prepare(self, streams: Mapping[str, Tensor]) -> Tensor:
        """frames: (B, 1, 3, H, H) uint8 -> (B, 3, side, side) in [-1, 1], where the authors' code divides by
        ImageNet's standard deviations. Raises ValueError for other shapes.
        """
        return single_image(streams["frames"], self.side)

    def blocks(self, x: Tensor) -> list[Tensor]:
        """x: (B, 3, 224, 224) -> (B, 64, 55, 55), (B, 192, 27, 27), (B, 384, 13, 13), (B, 256, 13, 13) twice."""
        conv1 = self.conv1(x.contiguous(memory_format=torch.channels_last))
        conv2 = self.conv2(self.pool(conv1))
        conv3 = self.conv3(self.pool(conv2))
        conv4 = self.conv4(conv3)
        return [conv1, conv2, conv3, conv4, self.conv5(conv4)]
