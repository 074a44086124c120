"""Reference rows: what an encoder is worth that learned nothing, and one that was told the labels."""

from dataclasses import dataclass
from typing import ClassVar

import torch.nn.functional as F
from torch import Generator, Tensor

from selfsup.methods.method import Method, Progress
from selfsup.networks.encoder import Encoder
from selfsup.networks.heads import PooledClassifier
from selfsup.source import Batch, Source, Table
from selfsup.views.geometry import random_resized_crop_flip


class RandomInitialisation(Method):
    """An encoder with the weights of its initialisation: the floor of every table."""

    table = "frames"
    streams = ("frames",)
    trains = False

    def __init__(self, *, encoder: Encoder) -> None:
        """encoder: kept as it is."""
        super().__init__()
        self.encoder = encoder


@dataclass(frozen=True)
class Labelled:
    """images: (B, 3, side, side). labels: (B,) int64."""

    images: Tensor
    labels: Tensor


class Supervised(Method):
    """Nothing withheld; a label of the clip predicted from one of its frames. The reference that self-supervision is
    measured against, with the views of `Rotation` less the turns.
    """

    table = "frames"
    streams = ("frames",)
    ranges: ClassVar = {"crop_scale": (0.01, 1), "crop_ratio": (0.1, 10), "flip": (0, 1)}
    head: PooledClassifier

    def __init__(
        self,
        *,
        encoder: Encoder,
        label: str,
        crop_scale: tuple[float, float],
        crop_ratio: tuple[float, float],
        flip: float,
    ) -> None:
        """label: the name of the label to predict. crop_scale, crop_ratio, flip: see `random_resized_crop_flip`."""
        super().__init__()
        self.encoder = encoder
        self.label = label
        self.labels = (label,)
        self.crop_scale, self.crop_ratio, self.flip = crop_scale, crop_ratio, flip

    def fit(self, source: Source, generator: Generator) -> Table:
        """Make the head: how many classes there are is known from the data. Every entry is drawn. Raises ValueError if
        the source does not carry the label.
        """
        if self.label not in source.classes:
            carried = ", ".join(source.classes) or "none"
            raise ValueError(f"supervised: no label {self.label!r} in this dataset; it carries {carried}")
        self.head = PooledClassifier(self.encoder, classes=len(source.classes[self.label]))
        return source.table

    def views(self, batch: Batch, generator: Generator, progress: Progress) -> Labelled:
        """frames (B, 1, 3, H, H) uint8 -> images (B, 3, side, side), labels (B,)."""
        images = random_resized_crop_flip(
            self.encoder.prepare(batch.streams),
            generator,
            scale=self.crop_scale,
            ratio=self.crop_ratio,
            flip=self.flip,
        )
        return Labelled(images, batch.labels[self.label])

    def loss(self, views: Labelled) -> dict[str, Tensor]:
        """Cross-entropy over the label's classes."""
        return {"label": F.cross_entropy(self.head(self.encoder.blocks(views.images)), views.labels)}
