"""The reference of methods that learn from sound: an encoder of sound that is told the labels."""

from torch import Generator

from selfsup.methods.image.supervised import Labelled
from selfsup.methods.method import Progress
from selfsup.methods.video.supervised import SupervisedClips
from selfsup.networks.encoder import Encoder
from selfsup.source import Batch
from selfsup.views.geometry import RandomCrop


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
