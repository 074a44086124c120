"""MoCo v3: Chen, Xie and He, "An empirical study of training self-supervised vision transformers", ICCV 2021.

Withheld: which two views are of the same picture. Predicted: for each view, which of the batch's pictures the other
view, as a slowly moving copy of the network describes it, is of.
"""

import copy
import math
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from selfsup.methods.image.exemplar import recognised
from selfsup.methods.method import Method, PretextAnswers, Progress
from selfsup.networks.vit import ViT
from selfsup.source import Batch
from selfsup.views.blur import random_sigmas
from selfsup.views.colour import colour_jitter
from selfsup.views.geometry import RandomCrop


@dataclass(frozen=True)
class TwoViews:
    """first, second: (B, 3, side, side) in [-1, 1], two views of each picture."""

    first: Tensor
    second: Tensor


class MoCoV3(Method):
    """Differs from the paper:

    - The encoder starts from MAE's weights, which draw attention's queries, keys and values as one layer; the authors'
      code draws them as three. Frozen patches are those of `ViT`, whose rule is the same.
    - The momentum copy's batch normalisations keep their own statistics, as in the authors' code; nothing is gathered
      over devices.
    - A view is cropped and blurred first, then changed in its colours; hue is turned as `colour_jitter` does it.
    """

    table = "frames"
    streams = ("frames",)
    answers = ("pretext",)
    ranges: ClassVar = {
        "hidden": (1, 65536),
        "dims": (2, 65536),
        "temperature": (0.001, 10),
        "momentum": (0, 1),
        "brightness": (0, 1),
        "contrast": (0, 1),
        "saturation": (0, 1),
        "hue": (0, 0.5),
        "jitter": (0, 1),
        "grayscale": (0, 1),
        "sigma": (0, 100),
        "blur": (0, 1),
        "solarise": (0, 1),
    }

    def __init__(
        self,
        *,
        encoder: ViT,
        pool: Literal["class", "mean"],
        frozen_patches: bool,
        hidden: int,
        dims: int,
        temperature: float,
        momentum: float,
        crop: RandomCrop,
        brightness: float,
        contrast: float,
        saturation: float,
        hue: float,
        jitter: float,
        grayscale: float,
        sigma: tuple[float, float],
        blur: tuple[float, float],
        solarise: tuple[float, float],
    ) -> None:
        """pool: what stands for a picture, the normalised class token, or the mean of the patches' tokens without the
        final normalisation (table 5: 76.5 and 76.3 of ViT-B on ImageNet). Probes read the patches' tokens.
        frozen_patches: whether the patches' embedding stays as it is initialised (section 4: training becomes stable).
        hidden, dims: of the projection head's and the predictor's hidden layers, and of what they are compared by
        (authors' code: 4096, 256). temperature: 0.2 for ViTs. momentum: of the copy at the start; it rises to 1 by a
        half cosine (0.99).
        crop, brightness, contrast, saturation, hue, jitter (the probability of the four), grayscale: of both views, see
        `colour_jitter` (authors' code: area 0.08 to 1; 0.4, 0.4, 0.2, 0.1, 0.8, 0.2). sigma: of the blur, px (0.1 to 2
        at 224 px). blur, solarise: probabilities, of the first and of the second view (1 and 0.1; 0 and 0.2).
        Raises ValueError for a blur's sigmas out of order.
        """
        super().__init__()
        if not 0 < sigma[0] <= sigma[1]:
            raise ValueError(f"moco_v3: sigma must be two widths, 0 < least <= greatest, not {list(sigma)}")
        self.encoder = encoder
        encoder.patch_embed.requires_grad_(not frozen_patches)
        self.projection = head([encoder.dim, hidden, hidden, dims])
        self.predictor = head([dims, hidden, dims])
        self.copy = Copy(encoder, self.projection)
        self.pool = pool
        self.temperature = temperature
        self.momentum = momentum
        self.crop = crop
        self.colours = {
            "brightness": brightness,
            "contrast": contrast,
            "saturation": saturation,
            "hue": hue,
            "probability": jitter,
            "grayscale": grayscale,
        }
        self.sigma = sigma
        self.blur = blur
        self.solarise = solarise

    def views(self, batch: Batch, generator: Generator, progress: Progress) -> TwoViews:
        """frames (B, 1, 3, H, H) uint8 -> two views of each, (B, 3, side, side)."""
        images = self.encoder.prepare(batch.streams)
        first, second = (
            self.view(images, generator, blur, solarise)
            for blur, solarise in zip(self.blur, self.solarise, strict=True)
        )
        return TwoViews(first, second)

    def view(self, images: Tensor, generator: Generator, blur: float, solarise: float) -> Tensor:
        """images: (B, 3, side, side) in [-1, 1] -> the same shape. blur, solarise: probabilities."""
        sigmas = random_sigmas(len(images), generator, sigma=self.sigma, probability=blur)
        coloured = colour_jitter(self.crop(images, generator, sigmas=sigmas), generator, **self.colours)
        coin = torch.rand(len(images), generator=generator, device=images.device)
        return torch.where((coin < solarise)[:, None, None, None], solarised(coloured), coloured)

    def loss(self, views: TwoViews) -> dict[str, Tensor]:
        """Contrastive loss of each view with the other one's key, added (algorithm 1)."""
        with torch.no_grad():
            keys = [self.key(view) for view in (views.first, views.second)]
        queries = [self.query(view) for view in (views.first, views.second)]
        return {
            "contrast": contrastive_loss(queries[0], keys[1], self.temperature)
            + contrastive_loss(queries[1], keys[0], self.temperature)
        }

    def query(self, images: Tensor) -> Tensor:
        """images: (B, 3, side, side) -> (B, dims)."""
        query: Tensor = self.predictor(self.projection(self.pooled(self.encoder, images)))
        return query

    def key(self, images: Tensor) -> Tensor:
        """images: (B, 3, side, side) -> (B, dims), by the copy, which has no predictor."""
        key: Tensor = self.copy.projection(self.pooled(self.copy.encoder, images))
        return key

    def pooled(self, encoder: ViT, images: Tensor) -> Tensor:
        """images: (B, 3, side, side) -> (B, dim), what stands for each picture."""
        last = encoder.through(encoder.embedded(images))[-1]
        if self.pool == "mean":
            return last[:, 1:].mean(dim=1)
        described: Tensor = encoder.norm(last[:, 0])
        return described

    @torch.no_grad()
    def after_step(self, views: TwoViews, progress: Progress) -> None:
        """The copy follows. The authors' code moves it before the next step's keys, which is the same."""
        momentum = 1 - (1 - self.momentum) * (1 + math.cos(math.pi * progress.fraction)) / 2
        for slow, fast in ((self.copy.encoder, self.encoder), (self.copy.projection, self.projection)):
            for kept, moved in zip(slow.parameters(), fast.parameters(), strict=True):
                kept.lerp_(moved, 1 - momentum)

    def pretext(self, views: TwoViews) -> PretextAnswers:
        """Which picture the first view is of, by the keys of the second ones: see `recognised`. N = B."""
        return recognised(self.query(views.first), self.key(views.second))


class Copy(nn.Module):
    """The momentum encoder, with its projection head; not an encoder of the method's own, so that no probe takes it."""

    def __init__(self, encoder: ViT, projection: nn.Module) -> None:
        """encoder, projection: copied as they are."""
        super().__init__()
        self.encoder = copy.deepcopy(encoder).requires_grad_(False)
        self.projection = copy.deepcopy(projection).requires_grad_(False)


def head(widths: list[int]) -> nn.Sequential:
    """Linear layers without bias, each followed by batch normalisation, which after the last one has no scale and
    shift; ReLUs between them (`_build_mlp` of the authors' code). widths: of input, hidden layers and output."""
    stages: list[nn.Module] = []
    for before, after in pairwise(widths[:-1]):
        stages += [nn.Linear(before, after, bias=False), nn.BatchNorm1d(after), nn.ReLU(inplace=True)]
    last = nn.Linear(widths[-2], widths[-1], bias=False)
    return nn.Sequential(*stages, last, nn.BatchNorm1d(widths[-1], affine=False))


def contrastive_loss(queries: Tensor, keys: Tensor, temperature: float) -> Tensor:
    """queries, keys: (B, D); the key of a query's own picture is at its own position, all others are negatives. ->
    cross-entropy of cosines over the temperature, times twice the temperature, as in the authors' code: learning rates
    are meant with it. In fp32."""
    with torch.autocast(queries.device.type, enabled=False):
        cosines = F.normalize(queries.float(), dim=1) @ F.normalize(keys.float(), dim=1).T
        own = torch.arange(len(queries), device=queries.device)
        return 2 * temperature * F.cross_entropy(cosines / temperature, own)


def solarised(images: Tensor) -> Tensor:
    """images: in [-1, 1] -> the same: the brighter half of the range inverted, as in PIL from level 128 on."""
    return torch.where(images > 0, -images, images)
