"""Rotation prediction: Gidaris, Singh and Komodakis, "Unsupervised representation learning by predicting image
rotations", ICLR 2018.

Withheld: how far the image was turned. Predicted: which of 0, 90, 180 and 270 degrees.
"""

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from selfsup.methods.method import Method, PretextAnswers, Progress
from selfsup.networks.encoder import Encoder
from selfsup.networks.heads import PooledClassifier
from selfsup.source import Batch
from selfsup.views.geometry import RandomCrop, rotate90


@dataclass(frozen=True)
class Turned:
    """images: (K * B, 3, side, side), the B images turned in the first way, then in the second, ...
    turns: (K * B,) int64, positions in the method's `turns`.
    """

    images: Tensor
    turns: Tensor


class Rotation(Method):
    """Differs from the paper in the head: global average pooling and a linear layer, where the AlexNet of section 4.2
    has two hidden layers of 4096 units, so that no part of the network is thrown away that could do the encoder's work.
    """

    table = "frames"
    streams = ("frames",)
    answers = ("pretext",)

    def __init__(
        self,
        *,
        encoder: Encoder,
        turns: list[Literal[0, 90, 180, 270]],
        crop: RandomCrop,
    ) -> None:
        """turns: the angles to tell apart, multiples of 90 degrees, counter-clockwise. All copies of an image are in
        the same batch (section 4.1: clearly better than one drawn at random); four are best (table 2).
        crop: before turning.
        Raises ValueError for turns that are not distinct multiples of 90, or fewer than two.
        """
        super().__init__()
        quarters = [turn // 90 % 4 for turn in turns]
        if any(turn % 90 for turn in turns) or len(set(quarters)) != len(turns) or len(turns) < 2:
            raise ValueError(f"rotation: turns must be two to four different multiples of 90 degrees, not {turns}")
        self.encoder = encoder
        self.head = PooledClassifier(encoder, classes=len(turns))
        self.quarters = quarters
        self.crop = crop

    def views(self, batch: Batch, generator: Generator, progress: Progress) -> Turned:
        """frames (B, 1, 3, H, H) uint8 -> images (K * B, 3, side, side), turns (K * B,)."""
        images = self.crop(self.encoder.prepare(batch.streams), generator)
        return Turned(
            torch.cat([rotate90(images, quarter) for quarter in self.quarters]),
            torch.arange(len(self.quarters), device=images.device).repeat_interleave(len(images)),
        )

    def loss(self, views: Turned) -> dict[str, Tensor]:
        """Cross-entropy over the turns, averaged over images and turns (equations 2 and 3)."""
        logits = self.head(self.encoder.blocks(views.images))
        return {"rotation": F.cross_entropy(logits, views.turns)}

    def pretext(self, views: Turned) -> PretextAnswers:
        """Which way each copy was turned; N = K * B."""
        logits = self.head(self.encoder.blocks(views.images))
        entries = torch.arange(len(views.turns) // len(self.quarters)).repeat(len(self.quarters))
        return PretextAnswers(entries, labels=views.turns, scores=logits.softmax(dim=1))
