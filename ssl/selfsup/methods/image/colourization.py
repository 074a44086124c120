"""Colourisation: Zhang, Isola and Efros, "Colorful image colorization", ECCV 2016.

Withheld: the colours of a picture; the network sees its lightness. Predicted: in every cell of a grid, a distribution
over quantised colours.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from selfsup.methods.method import Method, PretextAnswers, Progress
from selfsup.networks.alexnet import AlexNet
from selfsup.networks.cell_decoder import CellDecoder
from selfsup.networks.convnet import ConvNet
from selfsup.networks.preparation import single_image
from selfsup.source import Batch, Source, Table
from selfsup.views.geometry import RandomCrop
from selfsup.views.lab import DISTANCE_SCALE, as_grey, gamut_bins, lab_to_srgb, nearest_bins, srgb_to_lab

COUNTED = 256
"""Pictures that the prior is counted on at once."""


@dataclass(frozen=True)
class Greyed:
    """grey: (B, 3, side, side) in [-1, 1]. ab: (B, 2, cells, cells), the colours to predict."""

    grey: Tensor
    ab: Tensor


class Colourization(Method):
    """Differs from the paper:

    - The decoder stands on the deepest block of a strided encoder, where the paper keeps 1/8 of the side by dilation.
    - A cell's colour is the mean of its pixels, where the authors' code takes one pixel of it.
    - The bins are those of `gamut_bins`: 261 at grid 10, not 313.
    - The logged loss is the weighted one; the authors' layer weights the gradient only.
    - No k-means initialisation: batch normalisation is in every layer.

    As in the authors' code, not in the paper: pictures without any colour are left out, and the uniform distribution is
    over the bins that occur.
    """

    table = "frames"
    streams = ("frames",)
    answers = ("pretext",)
    ranges: ClassVar = {
        "grid": (2, 50),
        "neighbours": (1, 100),
        "sigma": (0.1, 100),
        "uniform": (0, 1),
        "temperature": (0.01, 1),
        "least_chroma": (0, 200),
        "prior_images": (1, 100_000_000),
        "cells": (1, 1024),
        "decoder_widths": (1, 65536),
    }
    bins: Tensor
    prior: Tensor
    weights: Tensor

    def __init__(
        self,
        *,
        encoder: ConvNet | AlexNet,
        grid: float,
        neighbours: int,
        sigma: float,
        uniform: float,
        temperature: float,
        least_chroma: float,
        prior_images: int,
        cells: int,
        decoder_widths: list[int],
        crop: RandomCrop,
    ) -> None:
        """encoder: `GreyConvNet` or `GreyAlexNet`; one with colours is shown grey pictures here, coloured ones later.
        grid: between bins, in ab; 10. neighbours: bins that a colour is encoded over: 5 in the paper, 10 in the code.
        sigma: of that encoding and of the prior's smoothing, in ab; 5 (section 2.2).
        uniform: lambda of equation 4, the share of the uniform distribution in the prior that weights are made of; .5.
        At 1 all colours weigh the same. temperature: of the annealed mean; .38 (equation 5).
        least_chroma: a picture where neither a nor b is beyond it is left out of the loss; 5 in the code, 0 for none.
        prior_images: how many pictures the prior is counted on, at most; all of ImageNet in the paper.
        cells: side of the predicted grid; a quarter of the picture's in the paper. decoder_widths: see `CellDecoder`.
        crop: before the colours are taken away.
        Raises ValueError for more neighbours than there are bins.
        """
        super().__init__()
        bins = gamut_bins(grid)
        if neighbours > len(bins):
            raise ValueError(f"colourisation: neighbours must be at most the {len(bins)} bins, not {neighbours}")
        self.encoder = encoder
        self.decoder = CellDecoder(encoder.channels[-1], decoder_widths, len(bins))
        self.neighbours = neighbours
        self.sigma = sigma
        self.uniform = uniform
        self.temperature = temperature
        self.least_chroma = least_chroma
        self.prior_images = prior_images
        self.cells = cells
        self.crop = crop
        self.register_buffer("bins", bins)
        self.register_buffer("prior", torch.full((len(bins),), 1 / len(bins)))
        self.register_buffer("weights", torch.ones(len(bins)))

    @torch.no_grad()
    def fit(self, source: Source, generator: Generator) -> Table:
        """Count the prior and make the weights (section 2.2). Every entry is drawn."""
        entries = torch.randperm(len(source.table["row"]), generator=generator)[: self.prior_images]
        counts = torch.zeros(len(self.bins), device=self.bins.device)
        for start in range(0, len(entries), COUNTED):
            indices = entries[start : start + COUNTED]
            frames = source.take(self.draw(source.table, indices, generator, Progress(0, 1))).streams["frames"]
            ab = self._cell_colours(srgb_to_lab(single_image(frames.to(self.bins.device), self.encoder.side)))
            _, nearest = nearest_bins(_as_rows(ab), self.bins)
            counts += nearest.flatten().bincount(minlength=len(self.bins))
        self.prior.copy_(smoothed(counts / counts.sum(), self.bins, self.sigma))
        self.weights.copy_(rebalancing(self.prior, self.uniform))
        return source.table

    def _cell_colours(self, lab: Tensor) -> Tensor:
        """lab: (B, 3, side, side) -> ab (B, 2, cells, cells)."""
        return F.adaptive_avg_pool2d(lab[:, 1:], self.cells)

    def views(self, batch: Batch, generator: Generator, progress: Progress) -> Greyed:
        """frames (B, 1, 3, H, H) uint8 -> grey (B, 3, side, side), ab (B, 2, cells, cells)."""
        images = self.crop(single_image(batch.streams["frames"], self.encoder.side), generator)
        lab = srgb_to_lab(images)
        return Greyed((lab[:, :1] / 50 - 1).expand_as(images), self._cell_colours(lab))

    def _logits(self, grey: Tensor) -> Tensor:
        """grey: (B, 3, side, side) -> (B, Q, cells, cells)."""
        logits: Tensor = self.decoder(self.encoder.blocks(grey)[-1], self.cells)
        return logits

    def loss(self, views: Greyed) -> dict[str, Tensor]:
        """Cross-entropy with the soft-encoded colours, weighted (equation 2), averaged over cells."""
        shares, indices = soft_encoding(_as_rows(views.ab), self.bins, self.neighbours, self.sigma)
        kept = (views.ab.abs().amax(dim=(1, 2, 3)) > self.least_chroma).float().repeat_interleave(self.cells**2)
        # The nearest bin has the greatest share.
        weights = self.weights[indices[:, 0]] * kept
        entropies = cross_entropies(_as_rows(self._logits(views.grey)), shares, indices)
        return {"colour": (weights * entropies).sum() / kept.sum().clamp(min=1)}

    def pretext(self, views: Greyed) -> PretextAnswers:
        """Errors of the decoded colours: distances in ab, weighted as in the loss, averaged over cells, divided by 150.
        About 0 to 1: with `uniform` 0, 1 less the paper's class-balanced AuC (section 3.2). Trivial: the prior's mean
        colour, weighted too. N = B.
        """
        decoded = self._decoded(self._logits(views.grey))
        shares = self.prior * self.weights
        mean = (shares[:, None] * self.bins).sum(dim=0) / shares.sum()
        _, nearest = nearest_bins(_as_rows(views.ab), self.bins)
        weights = self.weights[nearest].view(len(views.ab), self.cells, self.cells)
        distances = [(views.ab - answer).norm(dim=1) for answer in (decoded, mean[:, None, None])]
        errors, trivial = [(weights * one / DISTANCE_SCALE).mean(dim=(1, 2)) for one in distances]
        return PretextAnswers(torch.arange(len(errors)), errors=errors, trivial=trivial)

    def _decoded(self, logits: Tensor) -> Tensor:
        """logits: (B, Q, cells, cells) -> ab (B, 2, cells, cells)."""
        ab = annealed_mean(_as_rows(logits), self.bins, self.temperature)
        return ab.view(len(logits), self.cells, self.cells, 2).permute(0, 3, 1, 2)

    @torch.no_grad()
    def colourise(self, images: Tensor) -> Tensor:
        """images: (B, 3, side, side) in [-1, 1], whose colours are not looked at -> the same shape, coloured. L keeps
        its resolution; ab is enlarged from the cells."""
        grey = as_grey(images)
        ab = F.interpolate(self._decoded(self._logits(grey)), size=images.shape[-2:], mode="bilinear")
        return lab_to_srgb(torch.cat([(grey[:, :1] + 1) * 50, ab], dim=1))


def _as_rows(maps: Tensor) -> Tensor:
    """maps: (B, C, h, w) -> (B * h * w, C)."""
    return maps.permute(0, 2, 3, 1).reshape(-1, maps.shape[1])


def soft_encoding(ab: Tensor, bins: Tensor, neighbours: int, sigma: float) -> tuple[Tensor, Tensor]:
    """ab: (N, 2). bins: (Q, 2). -> shares (N, neighbours), which sum to one, and their bins (N, neighbours).

    A Gaussian of the distance to each of the nearest bins (section 2.1). The first is the nearest.
    """
    distances, indices = nearest_bins(ab, bins, neighbours)
    # By softmax, which stays finite far from all bins.
    return F.softmax(-distances.square() / (2 * sigma**2), dim=1), indices


def cross_entropies(logits: Tensor, shares: Tensor, indices: Tensor) -> Tensor:
    """logits: (N, Q). shares, indices: (N, k), of `soft_encoding`. -> (N,), equation 2 without its weights."""
    return -(shares * F.log_softmax(logits.float(), dim=1).gather(1, indices)).sum(dim=1)


def smoothed(prior: Tensor, bins: Tensor, sigma: float) -> Tensor:
    """prior: (Q,), sums to one. bins: (Q, 2). -> (Q,), each bin's share spread by a Gaussian (section 2.2)."""
    kernel = torch.exp(-torch.cdist(bins, bins).square() / (2 * sigma**2))
    return prior @ (kernel / kernel.sum(dim=1, keepdim=True))


def rebalancing(prior: Tensor, uniform: float) -> Tensor:
    """prior: (Q,), smoothed. uniform: lambda. -> weights (Q,): the inverse of the prior mixed with a uniform
    distribution over the bins that occur, their mean under the prior being one (equation 4). 0 for bins that do not.
    """
    occurs = prior > 0
    mixed = (1 - uniform) * prior + uniform * occurs / occurs.sum()
    weights = torch.where(occurs, 1 / mixed.clamp(min=torch.finfo(prior.dtype).tiny), 0)
    return weights / (prior * weights).sum()


def annealed_mean(logits: Tensor, bins: Tensor, temperature: float) -> Tensor:
    """logits: (N, Q) -> (N, 2), the mean bin of the distribution sharpened by `temperature` (equation 5)."""
    return F.softmax(logits.float() / temperature, dim=1) @ bins
