"""Autoencoder: Hinton and Salakhutdinov, "Reducing the dimensionality of data with neural networks", Science 2006.

Withheld: nothing, but the way from picture to picture leads through a code of few numbers. Predicted: the picture.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from selfsup.methods.method import Method, PretextAnswers, Progress
from selfsup.networks.decoder import Decoder, last_map
from selfsup.networks.encoder import Encoder
from selfsup.source import Batch, Source, Table
from selfsup.views.geometry import RandomCrop

MEAN_OF = 2048
"""How many entries the mean image is taken over, at most: its error falls with the root of them."""


@dataclass(frozen=True)
class Pictures:
    """given: (B, 3, side, side) in [-1, 1], what the encoder sees. wanted: (B, 3, side, side) in [-1, 1], what is to be
    reconstructed: for an autoencoder the same.
    """

    given: Tensor
    wanted: Tensor


class Autoencoder(Method):
    """Differs from the paper:

    - Convolutions and up-convolutions, where the paper's layers are fully connected (784-1000-500-250-30). The code is
      linear as there, but a map: a 1 x 1 convolution of the encoder's last block. A code of the whole picture in 64
      numbers had not learned colours after 300 steps of 64 stills.
    - Trained end to end from random weights. There is no stack of RBMs: it was the paper's way to weights from which
      gradient descent gets anywhere, which batch normalisation and ReLUs do here.
    - Squared error of the pixels, where the paper takes the cross-entropy of grey levels in [0, 1].
    """

    table = "frames"
    streams = ("frames",)
    ranges: ClassVar = {"code": (1, 4096), "widths": (1, 65536)}
    answers = ("pretext",)
    mean: Tensor

    def __init__(self, *, encoder: Encoder, code: int, widths: list[int], crop: RandomCrop) -> None:
        """code: numbers at each place of the encoder's last map, 32 of 4 x 4 places for 64 px: all that the decoder
        sees. widths: channels after each of the decoder's up-convolutions but the last. crop: of the pictures.
        Raises ValueError if the decoder does not lead back to the picture's side, see `Decoder`.
        """
        super().__init__()
        shape = last_map(encoder)
        self.encoder = encoder
        self.bottleneck = nn.Conv2d(shape.channels, code, kernel_size=1)
        self.decoder = Decoder(shape._replace(channels=code), widths)
        self.crop = crop
        self.register_buffer("mean", torch.zeros(3, shape.side, shape.side))

    def fit(self, source: Source, generator: Generator) -> Table:
        """The mean image, which `pretext` is read against. Every entry is drawn."""
        self.mean.copy_(mean_image(self, source, generator, lambda views: views.wanted))
        return source.table

    def views(self, batch: Batch, generator: Generator, progress: Progress) -> Pictures:
        """frames (B, 1, 3, H, H) uint8 -> pictures (B, 3, side, side)."""
        pictures = self.crop(self.encoder.prepare(batch.streams), generator)
        return Pictures(pictures, pictures)

    def loss(self, views: Pictures) -> dict[str, Tensor]:
        """Mean squared error of the pixels, of a range of 2."""
        return {"reconstruction": F.mse_loss(self.reconstruct(views.given), views.wanted)}

    def reconstruct(self, pictures: Tensor) -> Tensor:
        """pictures: (B, 3, side, side) in [-1, 1] -> what the code keeps of them, the same shape and range."""
        reconstruction: Tensor = self.decoder(self.bottleneck(self.encoder.blocks(pictures)[-1]))
        return reconstruction

    def pretext(self, views: Pictures) -> PretextAnswers:
        """Mean squared error of each picture, of a range of 1, against that of the mean image; N = B."""
        return PretextAnswers(
            torch.arange(len(views.wanted)),
            errors=picture_errors(self.reconstruct(views.given), views.wanted),
            trivial=picture_errors(self.mean, views.wanted),
        )


def picture_errors(answers: Tensor, wanted: Tensor) -> Tensor:
    """answers: (B, 3, H, W), or (3, H, W) for all, in [-1, 1]. wanted: (B, 3, H, W) in [-1, 1]. -> (B,), mean squared
    errors of pixels in [0, 1]."""
    return ((answers - wanted) / 2).square().mean(dim=(1, 2, 3))


def mean_image(method: Method, source: Source, generator: Generator, of: Callable[..., Tensor]) -> Tensor:
    """The mean (3, side, side) of pictures as `method` makes them in training, over `MEAN_OF` entries or all there are.

    of: which pictures (B, 3, side, side) of its views.
    """
    entries = torch.randperm(len(source.table["row"]), generator=generator)[:MEAN_OF]
    start = Progress(0, 1)
    total = torch.zeros(())
    for indices in torch.split(entries, 128):
        drawn = method.draw(source.table, indices, generator, start)
        total = total + of(method.views(source.take(drawn), generator, start)).sum(dim=0)
    return total / len(entries)
