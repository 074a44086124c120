"""From an encoder's last map back to the picture; thrown away afterwards."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from selfsup.networks.encoder import Encoder


class MapShape(NamedTuple):
    """Of an image encoder's last map, and the side in px of the square picture that it comes from."""

    channels: int
    height: int
    width: int
    side: int


@torch.no_grad()
def last_map(encoder: Encoder) -> MapShape:
    """encoder: of one image, on the CPU. Its last map's shape, found by encoding a black picture. Neither its weights
    nor its batch statistics move."""
    training = encoder.training
    encoder.eval()
    picture = encoder.prepare({"frames": torch.zeros(1, 1, 3, 32, 32, dtype=torch.uint8)})
    channels, height, width = encoder.blocks(picture)[-1].shape[1:]
    encoder.train(training)
    return MapShape(channels, height, width, side=picture.shape[-1])


class Decoder(nn.Module):
    """Up-convolutions, each of which doubles the side: 4 x 4 kernels of stride 2, batch normalisation and a ReLU; after
    the last one a tanh instead, because pictures are in [-1, 1].
    """

    def __init__(self, shape: MapShape, widths: list[int]) -> None:
        """shape: of the map that it takes. widths: channels after each up-convolution but the last, which makes the
        three colours. Raises ValueError if so many doublings do not lead to the picture's side, give or take a factor
        of less than two, which is made up by resizing (AlexNet's 13 px become 208, then 224).
        """
        super().__init__()
        reached = shape.height * 2 ** (len(widths) + 1)
        if not shape.side / 2 < reached < shape.side * 2:
            raise ValueError(
                f"decoder: {len(widths) + 1} up-convolutions (its widths {widths}, then the colours) make {reached} px "
                f"of a map of {shape.height} px, and the picture has {shape.side}: change the number of widths"
            )
        self.side = shape.side
        before = [shape.channels, *widths]
        self.stages = nn.Sequential(
            *(
                nn.Sequential(
                    nn.ConvTranspose2d(wide, after, kernel_size=4, stride=2, padding=1, bias=False),
                    nn.BatchNorm2d(after),
                    nn.ReLU(inplace=True),
                )
                for wide, after in zip(before, widths, strict=False)
            ),
            nn.ConvTranspose2d(before[-1], 3, kernel_size=4, stride=2, padding=1),
        )

    def forward(self, x: Tensor) -> Tensor:
        """x: (B, C, h, w) -> pictures (B, 3, side, side) float32 in [-1, 1]."""
        # In fp32 whatever the up-convolutions ran in: bf16 has steps of 1/128 near 1, as coarse as a grey level.
        pictures = self.stages(x.contiguous(memory_format=torch.channels_last)).float().tanh()
        if pictures.shape[-1] != self.side:
            pictures = F.interpolate(pictures, size=(self.side, self.side), mode="bilinear", antialias=True)
        return pictures
