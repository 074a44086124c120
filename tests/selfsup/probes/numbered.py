"""Clips that a method tells apart by a number, behind the same protocol as the store's."""

import torch
from torch import Tensor

from selfsup.methods.audiovisual.ave_net import AVENet
from selfsup.networks.convnet import ConvNet
from selfsup.networks.spectrogram_net import SpectrogramNet
from selfsup.source import Batch, Draw, Span, Table

COUNT = 12
NETWORKS = {
    "vision": (ConvNet, {"widths": [4], "side": 16}),
    "sound": (SpectrogramNet, {"widths": [4], "seconds": 0.5, "pool": 4}),
}
ARGUMENTS = {
    "dims": COUNT,
    "negatives": "all",
    "grid": 0.1,
    "around": (1.0, 1.0),
    "crop": {"scale": (1.0, 1.0), "ratio": (1.0, 1.0), "flip": 0.0},
}


class Numbered:
    """Clips whose every pixel, and every loudness, is the clip's number; three classes in turn."""

    def __init__(self, count: int) -> None:
        self.table: Table = {
            "row": torch.arange(count) + 50,
            "start": torch.zeros(count).double(),
            "end": torch.full((count,), 1.9).double(),
        }
        self.classes = {"sounding": ["a", "b", "c"]}

    def take(self, draw: Draw) -> Batch:
        sounds = draw.times["spectrogram"]
        assert isinstance(sounds, Span)
        number, count = draw.rows - 50, len(draw.rows)
        streams = {
            "frames": number.to(torch.uint8)[:, None, None, None, None].expand(-1, 1, 3, 16, 16),
            "boxes": torch.tensor([0.0, 0.0, 1.0, 1.0]).expand(count, 1, 4),
            "spectrogram": number.float()[:, None, None].expand(-1, sounds.steps, 257),
        }
        return Batch(draw.indices, draw.rows, draw.rows, streams, {"sounding": number % 3})


class Oracle(AVENet):
    """Knows each clip by its number."""

    def embed_frames(self, frames: Tensor, boxes: Tensor) -> Tensor:
        return torch.eye(COUNT)[frames[:, 0, 0, 0, 0].long()]

    def embed_sounds(self, spectrogram: Tensor) -> Tensor:
        return torch.eye(COUNT)[spectrogram[:, 0, 0].long()]
