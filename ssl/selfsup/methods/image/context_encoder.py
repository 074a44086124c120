"""Context encoders: Pathak, Krähenbühl, Donahue, Darrell and Efros, "Context encoders: feature learning by inpainting",
CVPR 2016.

Withheld: a region of random shape. Predicted: its pixels, from what surrounds it.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from selfsup.methods.image.autoencoder import mean_image
from selfsup.methods.method import Method, PretextAnswers, Progress
from selfsup.networks.decoder import Decoder, MapShape, last_map
from selfsup.networks.encoder import Encoder
from selfsup.source import Batch, Source, Table
from selfsup.views.geometry import RandomCrop


@dataclass(frozen=True)
class Holed:
    """pictures: (B, 3, side, side) in [-1, 1], whole. holes: (B, 1, side, side) bool, true where they are withheld."""

    pictures: Tensor
    holes: Tensor


class ContextEncoder(Method):
    """Differs from the paper:

    - The error is that of the hole alone, equation 1; the authors' code for random regions has that of the whole
      picture. It is averaged over the hole's pixels, so that small holes count as much as large ones.
    - The noise that holes are made of is cut at the level that gives an area, drawn evenly; the authors' code cuts at a
      fixed level and draws again until the area fits.
    - The discriminator sees the hole, all around it the mean colour, so that neither the context nor the seam around a
      hole gives a made-up one away. The authors' code for random regions shows it the whole picture.
    - No band around the hole that is predicted with ten times the weight: the paper has it for holes in the centre.
    """

    table = "frames"
    streams = ("frames",)
    ranges: ClassVar = {
        "area": (0.01, 0.9),
        "cells": (1, 256),
        "widths": (1, 65536),
        "adversarial": (0, 0.999),
        "discriminator": (1, 65536),
        "discriminator_rate": (0.0001, 100),
    }
    answers = ("pretext",)
    colour: Tensor

    def __init__(
        self,
        *,
        encoder: Encoder,
        area: tuple[float, float],
        cells: int,
        shared: bool,
        widths: list[int],
        adversarial: float,
        discriminator: list[int],
        discriminator_rate: float,
        crop: RandomCrop,
    ) -> None:
        """area: least and greatest share of the picture that is withheld (authors' code: 0.2 to 0.3). cells: of the
        noise, along a side; fewer make rounder holes (authors' code: 0.06 a pixel, so 8 on 128 px). shared: whether all
        pictures of a batch have the same hole, as in the authors' code, or each its own. widths: channels after each of
        the decoder's up-convolutions but the last.
        adversarial: the weight of the adversarial loss; 1 less it is that of the squared error. 0.001 in section 3.2; 0
        for the transfer experiments of section 5.2, where there is no discriminator and its arguments do nothing.
        discriminator: widths of its stride-2 convolutions. discriminator_rate: what the schedule's learning rate is
        multiplied by for it (section 4: 0.1, ten times less than the decoder's).
        crop: of the pictures, before the hole.
        Raises ValueError for areas out of order, and see `Decoder`.
        """
        super().__init__()
        if not 0 < area[0] <= area[1] < 1:
            raise ValueError(f"context encoder: area must be two shares, 0 < least <= greatest < 1, not {list(area)}")
        shape = last_map(encoder)
        self.encoder = encoder
        self.bottleneck = nn.Sequential(
            ChannelwiseLinear(shape),
            nn.Conv2d(shape.channels, shape.channels, kernel_size=1, bias=False),
            nn.BatchNorm2d(shape.channels),
            nn.ReLU(inplace=True),
        )
        self.decoder = Decoder(shape, widths)
        self.discriminator = Discriminator(discriminator, shape.side) if adversarial > 0 else None
        self.area = area
        self.cells = cells
        self.shared = shared
        self.adversarial = adversarial
        self.discriminator_rate = discriminator_rate
        self.crop = crop
        self.register_buffer("colour", torch.zeros(3, 1, 1))

    def fit(self, source: Source, generator: Generator) -> Table:
        """The mean colour of the data, which holes are filled with. Every entry is drawn."""
        mean = mean_image(self, source, generator, lambda views: views.pictures)
        self.colour.copy_(mean.mean(dim=(1, 2), keepdim=True))
        return source.table

    def views(self, batch: Batch, generator: Generator, progress: Progress) -> Holed:
        """frames (B, 1, 3, H, H) uint8 -> pictures (B, 3, side, side), holes (B, 1, side, side)."""
        pictures = self.crop(self.encoder.prepare(batch.streams), generator)
        count = 1 if self.shared else len(pictures)
        holes = random_regions(count, pictures.shape[-1], generator, cells=self.cells, area=self.area)
        return Holed(pictures, holes.expand(len(pictures), -1, -1, -1))

    def loss(self, views: Holed) -> dict[str, Tensor]:
        """Squared error of the hole (equation 1), and the adversarial losses (equations 2 and 3)."""
        answers = self.predict(views.pictures, views.holes)
        squared = hole_errors(answers, views.pictures, views.holes).mean()
        if self.discriminator is None:
            return {"hole": squared}
        real = self.discriminator(torch.where(views.holes, views.pictures, self.colour))
        made = self.discriminator(torch.where(views.holes, answers, self.colour))
        # Equation 2 as the authors train it: the encoder is to have its holes taken for real ones. Each player's loss
        # reaches its own parameters only, see `groups`, so that both can share one pass through the discriminator.
        fooled = F.binary_cross_entropy_with_logits(made, torch.ones_like(made))
        told_apart = F.binary_cross_entropy_with_logits(
            torch.cat([real, made]), torch.cat([torch.ones_like(real), torch.zeros_like(made)])
        )
        return {
            "inpainting/hole": (1 - self.adversarial) * squared,
            "inpainting/fooled": self.adversarial * fooled,
            "discriminator/told_apart": told_apart,
        }

    def predict(self, pictures: Tensor, holes: Tensor) -> Tensor:
        """pictures: (B, 3, side, side) in [-1, 1]. holes: (B, 1, side, side) bool. -> what the decoder makes of the
        rest, (B, 3, side, side) in [-1, 1]; outside the holes it is asked for nothing."""
        given = torch.where(holes, self.colour, pictures)
        answers: Tensor = self.decoder(self.bottleneck(self.encoder.blocks(given)[-1]))
        return answers

    def reconstruct(self, pictures: Tensor, holes: Tensor) -> Tensor:
        """pictures: (B, 3, side, side) in [-1, 1]. holes: (B, 1, side, side) bool. -> the pictures with their holes
        filled in, in [-1, 1]. What lies in a hole of `pictures` is not looked at."""
        return torch.where(holes, self.predict(pictures, holes), pictures)

    def pretext(self, views: Holed) -> PretextAnswers:
        """Mean squared error of each hole's pixels, of a range of 1, against that of the mean colour of what is visible
        of the picture; N = B."""
        visible = ~views.holes
        colour = (views.pictures * visible).sum(dim=(2, 3), keepdim=True) / visible.sum(dim=(2, 3), keepdim=True)
        return PretextAnswers(
            torch.arange(len(views.pictures)),
            # Half the range, a quarter of the squared error.
            errors=hole_errors(self.predict(views.pictures, views.holes), views.pictures, views.holes) / 4,
            trivial=hole_errors(colour, views.pictures, views.holes) / 4,
        )

    def groups(self) -> dict[str, list[nn.Parameter]]:
        """With a discriminator two players, `inpainting` and `discriminator`; else one."""
        if self.discriminator is None:
            return super().groups()
        inpainting = [*self.encoder.parameters(), *self.bottleneck.parameters(), *self.decoder.parameters()]
        return {"inpainting": inpainting, "discriminator": list(self.discriminator.parameters())}

    def rates(self) -> dict[str, float]:
        """The discriminator's own rate, where there is one."""
        return {} if self.discriminator is None else {"discriminator": self.discriminator_rate}


class ChannelwiseLinear(nn.Module):
    """A fully connected layer within each channel, from all places to all places (section 3.1): m n^4 weights for m
    channels of n x n, where a fully connected one has m^2 n^4."""

    def __init__(self, shape: MapShape) -> None:
        """shape: of the map. Weights are drawn as those of `nn.Linear`."""
        super().__init__()
        places = shape.height * shape.width
        bound = 1 / math.sqrt(places)
        self.weight = nn.Parameter(torch.empty(shape.channels, places, places).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(shape.channels, 1, places).uniform_(-bound, bound))

    def forward(self, last: Tensor) -> Tensor:
        """last: (B, C, h, w) -> (B, C, h, w)."""
        places = last.flatten(2).transpose(0, 1)
        return (torch.bmm(places, self.weight) + self.bias).transpose(0, 1).reshape(last.shape)


class Discriminator(nn.Module):
    """Whether a picture is real: the authors' DCGAN network, 4 x 4 convolutions of stride 2 with batch normalisation,
    but on the pixels, and leaky ReLUs of slope 0.2."""

    def __init__(self, widths: list[int], side: int) -> None:
        """widths: channels of each convolution. side: of the pictures, px. Raises ValueError for more convolutions than
        the side has halves."""
        super().__init__()
        if not widths or side < 2 ** len(widths):
            raise ValueError(
                f"discriminator: {len(widths)} halvings do not fit {side} px: give 1 or more widths, fewer"
            )
        layers: list[nn.Module] = []
        for position, (before, after) in enumerate(zip([3, *widths[:-1]], widths, strict=True)):
            layers.append(nn.Conv2d(before, after, kernel_size=4, stride=2, padding=1))
            if position:
                layers.append(nn.BatchNorm2d(after))
            layers.append(nn.LeakyReLU(0.2, inplace=True))
        last = side // 2 ** len(widths)
        self.layers = nn.Sequential(*layers, nn.Flatten(), nn.Linear(widths[-1] * last * last, 1))

    def forward(self, pictures: Tensor) -> Tensor:
        """pictures: (B, 3, side, side) -> logits (B, 1), greater for real."""
        logits: Tensor = self.layers(pictures.contiguous(memory_format=torch.channels_last))
        return logits


def hole_errors(answers: Tensor, pictures: Tensor, holes: Tensor) -> Tensor:
    """answers, pictures: (B, 3, H, W), or what expands to it. holes: (B, 1, H, W) bool. -> (B,), squared errors of each
    hole, averaged over its pixels and their colours. Equation 1, there a sum."""
    squared = (answers - pictures).square().mean(dim=1, keepdim=True) * holes
    return squared.sum(dim=(1, 2, 3)) / holes.sum(dim=(1, 2, 3))


def random_regions(count: int, side: int, generator: Generator, *, cells: int, area: tuple[float, float]) -> Tensor:
    """(count, 1, side, side) bool on the generator's device, true in a region of random shape. Its share of the picture
    is uniform in `area`, to the nearest pixel. White noise of cells x cells is enlarged smoothly (bicubic) and cut at
    the level that gives the area. Section 3.3, "random region"; the shape is that of the authors' train_random.lua.
    """
    device = generator.device
    noise = torch.rand(count, 1, cells, cells, generator=generator, device=device)
    share = area[0] + (area[1] - area[0]) * torch.rand(count, 1, generator=generator, device=device)
    smooth = F.interpolate(noise, size=(side, side), mode="bicubic").flatten(1)
    # A pixel's place among all in order of brightness: those of the first places are the hole.
    places = smooth.argsort(dim=1, stable=True).argsort(dim=1)
    return (places < (share * side * side).round().clamp(min=1)).view(count, 1, side, side)
