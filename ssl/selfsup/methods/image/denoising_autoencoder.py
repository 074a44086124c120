"""Denoising autoencoder: Vincent, Larochelle, Bengio and Manzagol, "Extracting and composing robust features with
denoising autoencoders", ICML 2008.

Withheld: a random fraction of the pixels. Predicted: the clean picture.
"""

from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from selfsup.methods.image.autoencoder import Pictures, mean_image, picture_errors
from selfsup.methods.method import Method, PretextAnswers, Progress
from selfsup.networks.decoder import Decoder, last_map
from selfsup.networks.encoder import Encoder
from selfsup.source import Batch, Source, Table
from selfsup.views.geometry import RandomCrop


class DenoisingAutoencoder(Method):
    """Differs from the paper:

    - Convolutions and up-convolutions, where the paper's layers are fully connected, and a bottleneck: a linear code of
      few numbers at each place. The paper's hidden layer is as large as it likes, kept from copying by noise alone.
    - All layers at once, where the paper trains them one by one and stacks them (section 2.4).
    - Squared error, where the paper takes the cross-entropy of grey levels in [0, 1].
    - A pixel loses its three colours together: what one channel lacks could be read from the others. It becomes the
      middle of the range, 0 in [-1, 1], where the paper's 0 is black.
    """

    table = "frames"
    streams = ("frames",)
    ranges: ClassVar = {"fraction": (0, 0.99), "code": (1, 4096), "widths": (1, 65536)}
    answers = ("pretext",)
    mean: Tensor

    def __init__(self, *, encoder: Encoder, fraction: float, code: int, widths: list[int], crop: RandomCrop) -> None:
        """fraction: of the pixels that are zeroed (0.1 to 0.4 in table 1; 0: an autoencoder). code: numbers at each
        place of the encoder's last map. widths: channels after each of the decoder's up-convolutions but the last.
        crop: of the pictures. Raises ValueError if the decoder does not lead back to the picture's side, see `Decoder`.
        """
        super().__init__()
        shape = last_map(encoder)
        self.encoder = encoder
        self.bottleneck = nn.Conv2d(shape.channels, code, kernel_size=1)
        self.decoder = Decoder(shape._replace(channels=code), widths)
        self.fraction = fraction
        self.crop = crop
        self.register_buffer("mean", torch.zeros(3, shape.side, shape.side))

    def fit(self, source: Source, generator: Generator) -> Table:
        """The mean image, which `pretext` is read against. Every entry is drawn."""
        self.mean.copy_(mean_image(self, source, generator, lambda views: views.wanted))
        return source.table

    def views(self, batch: Batch, generator: Generator, progress: Progress) -> Pictures:
        """frames (B, 1, 3, H, H) uint8 -> pictures (B, 3, side, side) with and without noise."""
        pictures = self.crop(self.encoder.prepare(batch.streams), generator)
        return Pictures(masking_noise(pictures, generator, fraction=self.fraction), pictures)

    def loss(self, views: Pictures) -> dict[str, Tensor]:
        """Mean squared error of all pixels, of a range of 2: of those that were seen, too (section 2.3)."""
        return {"reconstruction": F.mse_loss(self.reconstruct(views.given), views.wanted)}

    def reconstruct(self, pictures: Tensor) -> Tensor:
        """pictures: (B, 3, side, side) in [-1, 1], noisy or not -> clean ones, the same shape and range."""
        reconstruction: Tensor = self.decoder(self.bottleneck(self.encoder.blocks(pictures)[-1]))
        return reconstruction

    def pretext(self, views: Pictures) -> PretextAnswers:
        """Mean squared error of each picture, of a range of 1, against that of the mean image; N = B."""
        return PretextAnswers(
            torch.arange(len(views.wanted)),
            errors=picture_errors(self.reconstruct(views.given), views.wanted),
            trivial=picture_errors(self.mean, views.wanted),
        )


def masking_noise(pictures: Tensor, generator: Generator, *, fraction: float) -> Tensor:
    """pictures: (B, C, H, W) -> the same shape, `fraction` of each picture's pixels zero in all channels.

    A fixed number of them, at random places, as in the paper (section 2.3), not each by a coin.
    """
    batch, _, height, width = pictures.shape
    order = torch.rand(batch, height * width, generator=generator, device=pictures.device).argsort(dim=1)
    # A pixel's place in a random order: those of the first places are lost.
    lost = order.argsort(dim=1) < round(fraction * height * width)
    return pictures.masked_fill(lost.view(batch, 1, height, width), 0)
