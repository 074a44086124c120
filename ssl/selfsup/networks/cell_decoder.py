"""From an encoder's deepest block to a prediction in every cell of a grid."""

import torch.nn.functional as F
from torch import Tensor, nn


class CellDecoder(nn.Module):
    """Each stage doubles the block's side, up to the grid's, and is a 3 x 3 convolution, batch normalisation and a
    ReLU. A 1 x 1 convolution follows, as in Zhang et al. (ECCV 2016)."""

    def __init__(self, channels: int, widths: list[int], outputs: int) -> None:
        """channels: of the block. widths: of the stages; empty for the 1 x 1 convolution alone. outputs: a cell."""
        super().__init__()
        self.stages = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(before, after, kernel_size=3, padding=1, bias=False),
                nn.BatchNorm2d(after),
                nn.ReLU(inplace=True),
            )
            for before, after in zip([channels, *widths[:-1]], widths, strict=bool(widths))
        )
        self.last = nn.Conv2d(widths[-1] if widths else channels, outputs, kernel_size=1)

    def forward(self, block: Tensor, cells: int) -> Tensor:
        """block: (B, channels, h, h). cells: the grid's side. -> (B, outputs, cells, cells) float32."""
        x = block
        for stage in self.stages:
            x = stage(_resized(x, min(2 * x.shape[-1], cells)))
        logits: Tensor = self.last(_resized(x, cells))
        return logits.float()


def _resized(x: Tensor, side: int) -> Tensor:
    return x if x.shape[-1] == side else F.interpolate(x, size=(side, side), mode="bilinear")
