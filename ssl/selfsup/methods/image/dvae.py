"""Discrete variational autoencoder: the first stage of Ramesh et al., "Zero-shot text-to-image generation" (DALL-E),
ICML 2021; BEiT's tokeniser.

Withheld: nothing, but the way from picture to picture leads through one token of a vocabulary in each cell of a grid.
Predicted: the picture.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from selfsup.methods.image.autoencoder import mean_image, picture_errors
from selfsup.methods.method import Method, PretextAnswers, Progress
from selfsup.networks.decoder import Decoder, MapShape
from selfsup.networks.tokeniser import Tokeniser
from selfsup.source import Batch, Source, Table
from selfsup.views.geometry import RandomCrop


@dataclass(frozen=True)
class Relaxed:
    """pictures: (B, 3, side, side) in [-1, 1]. noise: (B, tokens, cells, cells), of the standard Gumbel distribution.
    temperature: of the relaxation. kl: the weight of the divergence."""

    pictures: Tensor
    noise: Tensor
    temperature: float
    kl: float


class DVAE(Method):
    """Differs from the paper:

    - Squared error of the pixels, where the paper has a log-Laplace likelihood of theirs.
    - Temperature and the divergence's weight reach their last values at the same step; in the paper after 150,000 and
      after 5,000 of 3,000,000.
    - Encoder and decoder are small stacks of convolutions with batch normalisation.
    """

    table = "frames"
    streams = ("frames",)
    answers = ("pretext",)
    ranges: ClassVar = {
        "dims": (1, 65536),
        "widths": (1, 65536),
        "temperature": (0.001, 100),
        "annealed": (0.001, 1),
        "kl": (0, 1000),
    }
    mean: Tensor

    def __init__(
        self,
        *,
        encoder: Tokeniser,
        dims: int,
        widths: list[int],
        temperature: tuple[float, float],
        annealed: float,
        kl: float,
        crop: RandomCrop,
    ) -> None:
        """dims: of the vector that stands for a token (authors' code: 128). widths: channels after each of the
        decoder's up-convolutions but the last. temperature: of the Gumbel-softmax, at first and at last (appendix A.2:
        1 and 1/16). annealed: share of the run over which temperature falls, by a half cosine, and the divergence's
        weight rises from 0. kl: that weight at last, of the divergence a cell beside the squared error a number
        (appendix A.2: 6.6 / 192, beside a log likelihood a number). crop: of the pictures.
        Raises ValueError for a temperature that rises, and if the decoder does not lead back to the picture's side,
        see `Decoder`.
        """
        super().__init__()
        if not temperature[0] >= temperature[1] > 0:
            raise ValueError(
                f"dvae: temperature must be two numbers, the first the greater one, not {list(temperature)}"
            )
        self.encoder = encoder
        self.codebook = nn.Conv2d(encoder.tokens, dims, kernel_size=1, bias=False)
        self.decoder = Decoder(MapShape(dims, encoder.cells, encoder.cells, encoder.side), widths)
        self.temperature = temperature
        self.annealed = annealed
        self.kl = kl
        self.crop = crop
        self.register_buffer("mean", torch.zeros(3, encoder.side, encoder.side))

    def fit(self, source: Source, generator: Generator) -> Table:
        """The mean image, which `pretext` is read against. Every entry is drawn."""
        self.mean.copy_(mean_image(self, source, generator, lambda views: views.pictures))
        return source.table

    def views(self, batch: Batch, generator: Generator, progress: Progress) -> Relaxed:
        """frames (B, 1, 3, H, H) uint8 -> pictures (B, 3, side, side), and noise for their tokens."""
        pictures = self.crop(self.encoder.prepare(batch.streams), generator)
        shape = (len(pictures), self.encoder.tokens, self.encoder.cells, self.encoder.cells)
        uniform = torch.rand(shape, generator=generator, device=pictures.device)
        tiny = torch.finfo(uniform.dtype).tiny
        done = (1 - math.cos(math.pi * min(progress.fraction / self.annealed, 1))) / 2
        first, last = self.temperature
        return Relaxed(
            pictures, gumbel(uniform.clamp(min=tiny)), temperature=first + (last - first) * done, kl=self.kl * done
        )

    def loss(self, views: Relaxed) -> dict[str, Tensor]:
        """Mean squared error of the pixels, of a range of 2, and the weighted divergence of the tokens' distribution in
        a cell from a uniform one: the evidence lower bound of equation 1."""
        logits = self.encoder.logits(views.pictures)
        relaxed = ((logits + views.noise) / views.temperature).softmax(dim=1)
        return {
            "reconstruction": F.mse_loss(self.decoded(relaxed), views.pictures),
            "divergence": views.kl * divergence(logits),
        }

    def decoded(self, weights: Tensor) -> Tensor:
        """weights: (B, tokens, cells, cells), which sum to 1 over tokens -> pictures (B, 3, side, side) float32 in
        [-1, 1]."""
        pictures: Tensor = self.decoder(self.codebook(weights))
        return pictures

    def reconstruct(self, pictures: Tensor) -> Tensor:
        """pictures: (B, 3, side, side) in [-1, 1] -> what their most likely tokens keep of them, the same shape and
        range."""
        tokens = self.encoder.logits(pictures).argmax(dim=1)
        one_hot = F.one_hot(tokens, self.encoder.tokens).permute(0, 3, 1, 2)
        return self.decoded(one_hot.to(pictures.dtype))

    def pretext(self, views: Relaxed) -> PretextAnswers:
        """Mean squared error of each picture, of a range of 1, by its most likely tokens, against that of the mean
        image; N = B."""
        return PretextAnswers(
            torch.arange(len(views.pictures)),
            errors=picture_errors(self.reconstruct(views.pictures), views.pictures),
            trivial=picture_errors(self.mean, views.pictures),
        )


def gumbel(uniform: Tensor) -> Tensor:
    """uniform: any shape, in (0, 1) -> the same shape, standard Gumbel: the greatest of logits with such noise is drawn
    with their softmax's probabilities (Jang, Gu and Poole, ICLR 2017, equation 1)."""
    return -(-uniform.log()).log()


def divergence(logits: Tensor) -> Tensor:
    """logits: (B, K, ...) -> nats, the mean over cells of the divergence of their softmax from K equal chances."""
    chances = logits.log_softmax(dim=1)
    return math.log(logits.shape[1]) + (chances.exp() * chances).sum(dim=1).mean()
