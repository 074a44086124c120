"""Exemplars by triplets, as in Doersch and Zisserman, "Multi-task self-supervised visual learning", ICCV 2017.

Withheld: which views are of the same picture. Predicted: an embedding in which they are nearer to each other than to
views of other pictures, by a margin.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from selfsup.methods.image.exemplar import recognised
from selfsup.methods.method import Method, PretextAnswers, Progress
from selfsup.networks.encoder import Encoder
from selfsup.source import Batch
from selfsup.views.colour import colour_jitter
from selfsup.views.geometry import RandomCrop


@dataclass(frozen=True)
class SeveralViews:
    """images: (V * B, 3, side, side), the first view of each of the B pictures, then the second, ..."""

    images: Tensor


class ExemplarTriplet(Method):
    """Differs from the paper in these ways.

    - Views and mining are those of Kolesnikov, Zhai and Beyer (CVPR 2019, section 3.1): several views of a picture,
      random crops that may lose their colours, and semi-hard negatives of the batch. `negatives: all` is the plain sum.
    - Their released code normalises embeddings over the batch (exemplar.py, line 134); here it is over their own
      dimensions, so that distances are of cosines, as the paper says.
    - The embedding is one linear layer on the averages of the last block.
    """

    table = "frames"
    streams = ("frames",)
    answers = ("pretext",)
    ranges: ClassVar = {
        "views_each": (2, 64),
        "dims": (2, 65536),
        "margin": (0, 2),
        "brightness": (0, 1),
        "contrast": (0, 1),
        "saturation": (0, 1),
        "hue": (0, 0.5),
        "grayscale": (0, 1),
    }

    def __init__(
        self,
        *,
        encoder: Encoder,
        views_each: int,
        dims: int,
        margin: float,
        negatives: Literal["semi_hard", "all"],
        crop: RandomCrop,
        brightness: float,
        contrast: float,
        saturation: float,
        hue: float,
        grayscale: float,
    ) -> None:
        """views_each: views of a picture in a batch; 8 in Kolesnikov's code. dims: of the embedding; 1000 there.
        margin: of cosine distances; .5. negatives: see `triplet_loss`.
        crop, brightness, contrast, saturation, hue, grayscale: of the views; see `colour_jitter`. Kolesnikov's code has
        the crop of Inception and grayscale .66; the rest, of strength 0 there, stands for the paper's colour changes.
        Raises ValueError for fewer than two views.
        """
        super().__init__()
        if views_each < 2:
            raise ValueError(f"exemplar triplet: views_each must be at least 2, not {views_each}")
        self.encoder = encoder
        self.embedding = nn.Linear(encoder.channels[-1], dims)
        self.views_each = views_each
        self.margin = margin
        self.negatives = negatives
        self.crop = crop
        self.colours = {
            "brightness": brightness,
            "contrast": contrast,
            "saturation": saturation,
            "hue": hue,
            "grayscale": grayscale,
        }

    def views(self, batch: Batch, generator: Generator, progress: Progress) -> SeveralViews:
        """frames (B, 1, 3, H, H) uint8 -> images (V * B, 3, side, side)."""
        images = self.encoder.prepare(batch.streams).repeat(self.views_each, 1, 1, 1)
        return SeveralViews(colour_jitter(self.crop(images, generator), generator, **self.colours))

    def embedded(self, images: Tensor) -> Tensor:
        """images: (N, 3, side, side) -> (N, dims) float32 of length 1."""
        vectors = self.embedding(self.encoder.blocks(images)[-1].mean(dim=(2, 3)))
        return F.normalize(vectors.float(), dim=1)

    def loss(self, views: SeveralViews) -> dict[str, Tensor]:
        """Triplet hinge on cosine distance."""
        return {"triplet": triplet_loss(self.embedded(views.images), self.views_each, self.margin, self.negatives)}

    def pretext(self, views: SeveralViews) -> PretextAnswers:
        """Which picture the first view is of, by the second ones: see `recognised`. N = B."""
        first, second = self.embedded(views.images).chunk(self.views_each)[:2]
        return recognised(first, second)


def triplet_loss(embeddings: Tensor, views_each: int, margin: float, negatives: Literal["semi_hard", "all"]) -> Tensor:
    """embeddings: (V * B, D) of length 1, the first view of each of B pictures, then the second, ... -> the mean hinge,
    max(0, margin + d(a, p) - d(a, n)), of all ordered pairs (a, p) of different views of a picture; d = 1 - cosine.

    negatives: `all` takes the mean over the views n of other pictures. `semi_hard` (Schroff et al., CVPR 2015) takes
    the nearest of those farther from a than p is; where all are nearer, the farthest, as in TensorFlow's
    `triplet_semihard_loss`.
    """
    with torch.autocast(embeddings.device.type, enabled=False):
        distances = 1 - embeddings @ embeddings.T
    pictures = torch.arange(len(embeddings), device=embeddings.device) % (len(embeddings) // views_each)
    same = pictures[:, None] == pictures
    hinges = []
    for step in range(1, views_each):
        # (V * B, 1): to the view that is `step` further on, of the same picture.
        positive = 1 - (embeddings * embeddings.roll(step * len(embeddings) // views_each, dims=0)).sum(dim=1)[:, None]
        if negatives == "all":
            each = (margin + positive - distances).clamp(min=0).masked_fill(same, 0)
            hinges.append(each.sum(dim=1) / (~same).sum(dim=1))
        else:
            nearest = distances.masked_fill(same | (distances <= positive), torch.inf).amin(dim=1)
            farthest = distances.masked_fill(same, -torch.inf).amax(dim=1)
            negative = torch.where(nearest.isinf(), farthest, nearest)
            hinges.append((margin + positive[:, 0] - negative).clamp(min=0))
    return torch.stack(hinges).mean()
