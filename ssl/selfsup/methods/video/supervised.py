"""The reference of methods that learn from videos: an encoder of clips that is told the labels."""

import torch
from torch import Generator, Tensor

from selfsup.methods.image.supervised import Labelled, Supervised
from selfsup.methods.method import Progress
from selfsup.networks.encoder import Encoder, window_times
from selfsup.networks.heads import PooledClassifier
from selfsup.source import Batch, Draw, Span, Table


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
