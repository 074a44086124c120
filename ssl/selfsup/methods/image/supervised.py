"""The reference that is told the labels: an encoder of pictures trained to predict them."""

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Generator, Tensor

from selfsup.methods.method import Method, Progress
from selfsup.networks.encoder import Encoder
from selfsup.networks.heads import PooledClassifier
from selfsup.source import Batch, Source, Table
from selfsup.views.geometry import RandomCrop


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
    head: PooledClassifier

    def __init__(
        self,
        *,
        encoder: Encoder,
        label: str,
        crop: RandomCrop,
    ) -> None:
        """label: the name of the label to predict."""
        super().__init__()
        self.encoder = encoder
        self.label = label
        self.labels = (label,)
        self.crop = crop

    def fit(self, source: Source, generator: Generator) -> Table:
        """Make the head: how many classes there are is known from the data. Every entry is drawn. Raises ValueError if
        the source does not carry the label.
        """
        if self.label not in source.classes:
            carried = ", ".join(source.classes) or "none"
            raise ValueError(f"supervised: no label {self.label!r} in this dataset; it carries {carried}")
        self.head = self.classifier(len(source.classes[self.label]))
        return source.table

    def classifier(self, classes: int) -> PooledClassifier:
        """Of the averages of the last block: what the head is, for classes that the data have."""
        return PooledClassifier(self.encoder, classes)

    def views(self, batch: Batch, generator: Generator, progress: Progress) -> Labelled:
        """frames (B, 1, 3, H, H) uint8 -> images (B, 3, side, side), labels (B,)."""
        images = self.crop(self.encoder.prepare(batch.streams), generator)
        return Labelled(images, batch.labels[self.label])

    def loss(self, views: Labelled) -> dict[str, Tensor]:
        """Cross-entropy over the label's classes."""
        return {"label": F.cross_entropy(self.head(self.encoder.blocks(views.images)), views.labels)}
