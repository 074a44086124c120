"""Split-brain autoencoders: Zhang, Isola and Efros, "Split-brain autoencoders: unsupervised learning by cross-channel
prediction", CVPR 2017.

Withheld from each half of the network: the channels that the other half sees. Predicted, in every cell of a grid: from
lightness the quantised colour, from colour the quantised lightness.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from selfsup.methods.method import Method, PretextAnswers, Progress
from selfsup.networks.cell_decoder import CellDecoder
from selfsup.networks.preparation import single_image
from selfsup.networks.split import SplitEncoder, scaled_lab
from selfsup.source import Batch
from selfsup.views.geometry import RandomCrop
from selfsup.views.lab import DISTANCE_SCALE, gamut_bins, nearest_bins, srgb_to_lab


@dataclass(frozen=True)
class Split:
    """pictures: (B, 3, side, side), Lab in [-1, 1]. lab: (B, 3, cells, cells), what to predict, L in 0..100."""

    pictures: Tensor
    lab: Tensor


class SplitBrain(Method):
    """Differs from the paper:

    - A head is 3 x 3 convolutions (see `CellDecoder`) where the paper has AlexNet's fully connected layers as
      convolutions; the deepest block is enlarged, if need be, to the grid.
    - A cell's colour and lightness are the means of its pixels.
    - The bins of ab are those of sRGB at `grid` (see `gamut_bins`), not all of 16 x 16.

    The targets are one-hot and not rebalanced, as in the paper (section 3.1): its classification loss, which it found
    better than regression (table 2).
    """

    table = "frames"
    streams = ("frames",)
    answers = ("pretext",)
    ranges: ClassVar = {
        "grid": (2, 50),
        "lightness_bins": (2, 1000),
        "cells": (1, 1024),
        "decoder_widths": (1, 65536),
    }
    bins: Tensor
    levels: Tensor

    def __init__(
        self,
        *,
        encoder: SplitEncoder,
        grid: float,
        lightness_bins: int,
        cells: int,
        decoder_widths: list[int],
        crop: RandomCrop,
    ) -> None:
        """grid: between bins of colour, in ab. lightness_bins: equal parts of L; 100 in the paper. cells: side of the
        predicted grid; 12 in the paper. decoder_widths: see `CellDecoder`. crop: before the channels are parted.
        Raises ValueError for an encoder that is not of two halves.
        """
        super().__init__()
        if not isinstance(encoder, SplitEncoder):
            raise ValueError(
                f"split-brain: encoder must have two halves, as SplitConvNet, not {type(encoder).__name__}"
            )
        bins = gamut_bins(grid)
        self.encoder = encoder
        width = encoder.half_channels[-1]
        self.colour_head = CellDecoder(width, decoder_widths, len(bins))
        self.lightness_head = CellDecoder(width, decoder_widths, lightness_bins)
        self.cells = cells
        self.crop = crop
        self.register_buffer("bins", bins)
        self.register_buffer("levels", (torch.arange(lightness_bins) + 0.5) * (100 / lightness_bins))

    def views(self, batch: Batch, generator: Generator, progress: Progress) -> Split:
        """frames (B, 1, 3, H, H) uint8 -> pictures (B, 3, side, side), lab (B, 3, cells, cells)."""
        lab = srgb_to_lab(self.crop(single_image(batch.streams["frames"], self.encoder.side), generator))
        return Split(scaled_lab(lab), F.adaptive_avg_pool2d(lab, self.cells))

    def _logits(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """pictures: (B, 3, side, side) -> of L (N, levels), of ab (N, Q), for N = B * cells * cells."""
        from_lightness, from_colour = self.encoder.halves(pictures)
        lightness = self.lightness_head(from_colour[-1], self.cells)
        colour = self.colour_head(from_lightness[-1], self.cells)
        return _as_rows(lightness), _as_rows(colour)

    def loss(self, views: Split) -> dict[str, Tensor]:
        """Cross-entropy of each half, averaged over cells (section 3.1); they are summed."""
        lightness, colour = self._logits(views.pictures)
        lab = _as_rows(views.lab)
        _, bins = nearest_bins(lab[:, 1:], self.bins)
        return {
            "lightness": F.cross_entropy(lightness, quantised(lab[:, 0], len(self.levels))),
            "colour": F.cross_entropy(colour, bins[:, 0]),
        }

    def pretext(self, views: Split) -> PretextAnswers:
        """Errors: `distances` of the predicted distributions' means, averaged over cells; 0 to about 1. Trivial: the
        mean Lab colour of the held-out batch. N = B."""
        lightness, colour = self._logits(views.pictures)
        means = [lightness.softmax(dim=1) @ self.levels[:, None], colour.softmax(dim=1) @ self.bins]
        lab = _as_rows(views.lab)
        errors, trivial = [
            distances(lab, answer).view(len(views.lab), -1).mean(dim=1)
            for answer in (torch.cat(means, dim=1), lab.mean(dim=0, keepdim=True))
        ]
        return PretextAnswers(torch.arange(len(errors)), errors=errors, trivial=trivial)


def _as_rows(maps: Tensor) -> Tensor:
    """maps: (B, C, h, w) -> (B * h * w, C)."""
    return maps.permute(0, 2, 3, 1).reshape(-1, maps.shape[1])


def quantised(lightness: Tensor, count: int) -> Tensor:
    """lightness: (N,) in 0..100 -> (N,) int64, which of `count` equal parts it lies in."""
    return (lightness * (count / 100)).long().clamp(0, count - 1)


def distances(lab: Tensor, answers: Tensor) -> Tensor:
    """lab: (N, 3). answers: (N, 3) or (1, 3). -> (N,): the mean of |L - L'| / 100 and the distance in ab / 150."""
    gaps = lab - answers
    return (gaps[:, 0].abs() / 100 + gaps[:, 1:].norm(dim=1) / DISTANCE_SCALE) / 2
