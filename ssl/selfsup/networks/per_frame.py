"""Image networks on the frames of a clip, one frame at a time, each seen as what it differs in from the others.

What moves is small beside what stands still. O3N (Fernando et al., CVPR 2017) feeds differences too.
"""

from collections.abc import Mapping
from typing import ClassVar

from torch import Tensor

from selfsup.networks.alexnet import AlexNet
from selfsup.networks.convnet import ConvNet
from selfsup.networks.encoder import Encoder, Window
from selfsup.networks.preparation import check_square, single_image
from selfsup.views.stabilisation import camera_shifts, shifted_back


class PerFrame(Encoder):
    """Takes (B, T, 3, H, W) frames, any T; the window is what probes read of a clip."""

    def __init__(
        self, net: ConvNet | AlexNet, *, frames: int, seconds: float, contrast: float, stabilised: bool
    ) -> None:
        """net: on single frames. frames, seconds: of the window. contrast: by which a frame's difference to the mean of
        the frames that it comes with is enlarged (it spans less than the picture does); 0 leaves frames as they are.
        stabilised: whether frames are shifted onto each other first: see `selfsup.views.stabilisation`.
        """
        super().__init__()
        self.net = net
        self.windows = {"frames": Window(steps=frames, seconds=seconds)}
        self.contrast = contrast
        self.stabilised = stabilised

    @property
    def channels(self) -> list[int]:
        """Those of the network on single frames."""
        return self.net.channels

    def prepare(self, streams: Mapping[str, Tensor]) -> Tensor:
        """frames: (B, T, 3, H, H) uint8 -> (B, T, 3, side, side): in [-1, 1], or `contrast` times what differs from
        the mean over T. Raises ValueError for frames that are not square."""
        frames = streams["frames"]
        check_square(frames)
        if self.stabilised:
            images = shifted_back(frames, camera_shifts(frames), self.net.side)
        else:
            images = single_image(frames.flatten(0, 1)[:, None], self.net.side)
            images = images.reshape(*frames.shape[:2], *images.shape[1:])
        return self.contrast * (images - images.mean(dim=1, keepdim=True)) if self.contrast else images

    def blocks(self, x: Tensor) -> list[Tensor]:
        """x: (B, T, 3, side, side) -> maps (B, C, T, h, w), those of the network on each frame."""
        maps = self.net.blocks(x.flatten(0, 1))
        return [one.reshape(*x.shape[:2], *one.shape[1:]).transpose(1, 2) for one in maps]


class PerFrameConvNet(PerFrame):
    """With `ConvNet`."""

    streams = ("frames",)
    moving = True
    ranges: ClassVar = {
        "widths": (1, 65536),
        "side": (8, 4096),
        "frames": (2, 1000),
        "seconds": (0.01, 3600),
        "contrast": (0, 100),
    }

    def __init__(
        self, *, widths: list[int], side: int, frames: int, seconds: float, contrast: float, stabilised: bool
    ) -> None:
        """widths, side: see `ConvNet`. frames, seconds, contrast, stabilised: see `PerFrame`."""
        super().__init__(
            ConvNet(widths=widths, side=side), frames=frames, seconds=seconds, contrast=contrast, stabilised=stabilised
        )


class PerFrameAlexNet(PerFrame):
    """With `AlexNet`, whose side the papers have at 227 px."""

    streams = ("frames",)
    moving = True
    ranges: ClassVar = {"side": (32, 4096), "frames": (2, 1000), "seconds": (0.01, 3600), "contrast": (0, 100)}

    def __init__(self, *, side: int, frames: int, seconds: float, contrast: float, stabilised: bool) -> None:
        """side: see `AlexNet`. frames, seconds, contrast, stabilised: see `PerFrame`."""
        super().__init__(AlexNet(side=side), frames=frames, seconds=seconds, contrast=contrast, stabilised=stabilised)
