"""SimCLR: Chen, Kornblith, Norouzi and Hinton, "A simple framework for contrastive learning of visual representations",
ICML 2020.

Withheld: which two of a batch's views are of the same picture. Predicted: for each view, which is its other one.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from selfsup.methods.contrast import told_apart
from selfsup.methods.method import Method, PretextAnswers, Progress
from selfsup.networks.encoder import Encoder
from selfsup.networks.heads import projection_head
from selfsup.source import Batch
from selfsup.views.blur import RandomBlur
from selfsup.views.colour import ColourDistortion
from selfsup.views.cutout import cutout
from selfsup.views.geometry import RandomCrop, random_turns
from selfsup.views.noise import gaussian_noise
from selfsup.views.sobel import sobel


@dataclass(frozen=True)
class TwoViews:
    """first, second: (B, 3, side, side) in [-1, 1], two views of each picture."""

    first: Tensor
    second: Tensor


class SimCLR(Method):
    """Differs from the paper in these ways.

    - Views are made in one order: crop, blur, turn, colours, Sobel, noise, cutout. The paper blurs after the colours,
      and its figure 5 takes pairs in either order.
    - Strengths of cutout, noise, Sobel and turns are not in the paper.
    - The loss is the paper's mean over all 2B views. The authors' code adds the means of both halves: twice as much.
      For the weights of a LARS that makes no difference.
    - Brightness is multiplied, as in the second version's code; the first version's adds it.
    - On several devices batch normalisation would have to be shared. Here there is one.
    """

    table = "frames"
    streams = ("frames",)
    answers = ("pretext",)
    ranges: ClassVar = {
        "temperature": (0.001, 100),
        "layers": (0, 8),
        "hidden": (1, 65536),
        "dims": (1, 65536),
        "rotate": (0, 1),
        "cutout": (0, 1),
        "noise": (0, 2),
        "sobel": (0, 1),
    }

    def __init__(
        self,
        *,
        encoder: Encoder,
        temperature: float,
        layers: int,
        hidden: int,
        dims: int,
        branches: Literal["both", "one"],
        crop: RandomCrop,
        colours: ColourDistortion,
        blur: RandomBlur,
        rotate: float,
        cutout: float,
        noise: float,
        sobel: float,
    ) -> None:
        """temperature: of the loss; .1 on ImageNet, .5 on CIFAR-10. layers, hidden, dims: see `projection_head`; 2,
        2048 and 128 in the paper; layers 0 and 1 are the other heads of its figure 8.
        branches: `one` leaves the first view as it is, for the study of augmentations (section 3.1, figure 5); our
        pictures are all of one size, so that the crop which the paper then puts before both views has nothing to do.

        The slide's augmentations, each of which can be off:
        crop: crop and resize, and flip; off with scale and ratio [1, 1] and flip 0. colours: jitter, and drop
        (`grayscale`), each with its probability. blur: probability and sigma. rotate: probability of a turn by 90, 180
        or 270 degrees. cutout: side of the square, as a share of the picture's. noise: its standard deviation, where
        pictures span [-1, 1]. sobel: probability.
        Raises ValueError for a temperature that is not above 0 and for other branches.
        """
        super().__init__()
        if temperature <= 0:
            raise ValueError(f"simclr: temperature must be above 0, not {temperature}")
        if branches not in ("both", "one"):
            raise ValueError(f"simclr: branches must be both or one, not {branches!r}")
        self.encoder = encoder
        self.head = projection_head(encoder.channels[-1], hidden=hidden, dims=dims, layers=layers, normalised=True)
        self.temperature = temperature
        self.branches = branches
        self.crop, self.colours, self.blur = crop, colours, blur
        self.rotate, self.cutout, self.noise, self.sobel = rotate, cutout, noise, sobel

    def views(self, batch: Batch, generator: Generator, progress: Progress) -> TwoViews:
        """frames (B, 1, 3, H, H) uint8 -> first and second (B, 3, side, side)."""
        images = self.encoder.prepare(batch.streams)
        if self.branches == "one":
            return TwoViews(images, self.augmented(images, generator))
        first, second = self.augmented(images.repeat(2, 1, 1, 1), generator).chunk(2)
        return TwoViews(first, second)

    def augmented(self, images: Tensor, generator: Generator) -> Tensor:
        """images: (B, 3, side, side) in [-1, 1] -> the same shape and range, each with its own random changes."""
        images = self.crop(images, generator, sigmas=self.blur.sigmas(len(images), generator))
        if self.rotate:
            images = random_turns(images, generator, self.rotate)
        images = self.colours(images, generator)
        if self.sobel:
            coin = torch.rand(len(images), 1, 1, 1, generator=generator, device=images.device)
            images = torch.where(coin < self.sobel, sobel(images), images)
        if self.noise:
            images = gaussian_noise(images, generator, self.noise)
        if self.cutout:
            images = cutout(images, generator, self.cutout)
        return images

    def embedded(self, images: Tensor) -> Tensor:
        """images: (N, 3, side, side) -> z (N, dims)."""
        z: Tensor = self.head(self.encoder.blocks(images)[-1].mean(dim=(2, 3)))
        return z

    def loss(self, views: TwoViews) -> dict[str, Tensor]:
        """NT-Xent of all 2B views, which pass through the encoder as one batch."""
        first, second = self.embedded(torch.cat([views.first, views.second])).chunk(2)
        return {"nt_xent": nt_xent(first, second, self.temperature)}

    def pretext(self, views: TwoViews) -> PretextAnswers:
        """Which of 64 pictures the first view is of, by the second ones: see `told_apart`. N = B."""
        return told_apart(self.embedded(views.first), self.embedded(views.second))


def nt_xent(first: Tensor, second: Tensor, temperature: float) -> Tensor:
    """first, second: (B, D), embeddings of two views of each picture, of any length -> the mean of equation 1 over all
    2B views, in fp32: cross-entropy of the other view among the 2B - 1 views that are not itself, by cosines divided by
    the temperature.
    """
    with torch.autocast(first.device.type, enabled=False):
        z = F.normalize(torch.cat([first, second]).float(), dim=1)
        logits = (z @ z.T / temperature).fill_diagonal_(-torch.inf)
    return F.cross_entropy(logits, torch.arange(len(z), device=z.device).roll(len(first)))
