"""Reference rows: what an encoder is worth that learned nothing, and ones that were told the labels."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from selfsup.methods.method import Method, Progress
from selfsup.networks.encoder import Encoder, window_times
from selfsup.networks.heads import PooledClassifier
from selfsup.source import Batch, Draw, Source, Span, Table
from selfsup.views.geometry import RandomCrop


class RandomInitialisation(Method):
    """An encoder with the weights of its initialisation: the floor of every table."""

    table = "clips"
    streams = ()
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


class SupervisedClips(Supervised):
    """A label of the clip predicted from a window of it, as long as the encoder's, that lies anywhere in the clip."""

    table = "clips"

    def draw(self, table: Table, indices: Tensor, generator: Generator, progress: Progress) -> Draw:
        """indices: (B,) into `clips`."""
        return Draw(indices, table["row"][indices], window_draw(self.encoder, table, indices, generator))


class SupervisedVideo(SupervisedClips):
    """A label of the clip predicted from several of its frames in their order: the reference of methods that learn from
    videos."""

    table = "clips"
    streams = ("frames",)
    moving = True

    def classifier(self, classes: int) -> PooledClassifier:
        """Of the averages of the last block, frame after frame."""
        return PooledClassifier(self.encoder, classes, steps=self.encoder.windows["frames"].steps)

    def views(self, batch: Batch, generator: Generator, progress: Progress) -> Labelled:
        """frames (B, T, 3, H, H) uint8 -> images (B, T, 3, side, side), labels (B,)."""
        images = self.encoder.prepare(batch.streams)
        cropped = self.crop(images.flatten(1, 2), generator)
        return Labelled(cropped.reshape(images.shape), batch.labels[self.label])


class SupervisedSound(SupervisedClips):
    """A label of the clip predicted from a stretch of its sound: the reference of methods that learn from sound."""

    table = "clips"
    streams = ("spectrogram",)

    def __init__(self, *, encoder: Encoder, label: str) -> None:
        """label: the name of the label to predict."""
        super().__init__(encoder=encoder, label=label, crop=RandomCrop((1, 1), (1, 1), 0))

    def views(self, batch: Batch, generator: Generator, progress: Progress) -> Labelled:
        """spectrogram (B, T, 257) -> what the encoder takes, labels (B,)."""
        return Labelled(self.encoder.prepare(batch.streams), batch.labels[self.label])


def window_draw(encoder: Encoder, table: Table, indices: Tensor, generator: Generator) -> dict[str, Tensor | Span]:
    """indices: (B,) into `clips` -> by stream the times (B, T) of a window, as long as the encoder's, anywhere in the
    clip; in the middle of one that is shorter."""
    starts, ends = table["start"][indices], table["end"][indices]
    where = torch.rand(len(indices), generator=generator, dtype=torch.float64)
    times: dict[str, Tensor | Span] = {}
    for stream, window in encoder.windows.items():
        room = (ends - starts - window.seconds).clamp(min=0)
        centres = (starts + ends) / 2 + room * (where - 0.5)
        times[stream] = window_times(centres, window)
    return times
