"""Co-occurrence: Isola, Zoran, Krishnan and Adelson, "Learning visual groups from co-occurrences in space and time",
ICLR workshop 2016 (arXiv 1511.06811).

Withheld: whether two patches lie near each other in one picture or come from two pictures. Predicted: which.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from selfsup.methods.method import Method, PretextAnswers, Progress
from selfsup.networks.encoder import Encoder
from selfsup.source import Batch
from selfsup.views.colour import colour_jitter
from selfsup.views.geometry import resized_crop


@dataclass(frozen=True)
class Pairs:
    """first, second: (B, 3, size, size), patches of the same B pictures. others: (B,) int64, 0 to B - 1, the picture
    whose second patch makes a pair that does not occur together with each first one; its own position where the batch
    has no picture of another file."""

    first: Tensor
    second: Tensor
    others: Tensor


class CoOccurrence(Method):
    """Differs from the paper in these ways.

    - It is the paper's case of space, photographs; frames of films and photographs of places are left out.
    - Each first patch makes two pairs, one that occurs together and one that does not: half of each, and the prior of
      the paper's equation 1 is one half.
    - The pair that does not occur together has a patch of another picture of the batch, never of the same file.
    - Two patches may lie farther apart than next to each other, and colours may be changed in each alone: otherwise the
      light of a picture gives the answer away.
    - The paper turns the answer into an affinity and groups patches by it. Here the encoder is what is used.
    """

    table = "frames"
    streams = ("frames",)
    answers = ("pretext",)
    ranges: ClassVar = {
        "patch": (0.05, 0.5),
        "size": (8, 4096),
        "gap": (0, 0.9),
        "near": (0, 0.95),
        "hidden": (1, 65536),
        "jitter": (0, 1),
        "hue": (0, 0.5),
        "grayscale": (0, 1),
    }

    def __init__(
        self,
        *,
        encoder: Encoder,
        patch: float,
        size: int,
        gap: float,
        near: float,
        hidden: int,
        jitter: float,
        hue: float,
        grayscale: float,
    ) -> None:
        """patch: its side as a share of the picture's. size: px that it is resized to.
        gap, near: least and greatest space between the two, in shares of the picture's side, across or down; 0 and 0 in
        the paper, whose patches are next to each other. hidden: units of the layer on the two embeddings.
        jitter (of brightness, contrast and saturation), hue, grayscale: of each patch for itself, see `colour_jitter`;
        all 0 in the paper.
        Raises ValueError where two patches and the gap do not fit into a picture, or `near` is less than `gap`.
        """
        super().__init__()
        if 2 * patch + gap > 1:
            raise ValueError(f"co-occurrence: two patches of {patch} and a gap of {gap} are more than a picture's side")
        if near < gap:
            raise ValueError(f"co-occurrence: near must be at least the gap, {gap}, not {near}")
        self.encoder = encoder
        self.head = nn.Sequential(nn.Linear(2 * encoder.channels[-1], hidden), nn.ReLU(), nn.Linear(hidden, 2))
        self.patch, self.size = patch, size
        self.gap, self.near = gap, near
        self.jitter, self.hue, self.grayscale = jitter, hue, grayscale

    def views(self, batch: Batch, generator: Generator, progress: Progress) -> Pairs:
        """frames (B, 1, 3, H, H) uint8 -> first, second (B, 3, size, size), others (B,)."""
        images = self.encoder.prepare(batch.streams)
        places = patch_places(len(images), generator, patch=self.patch, gap=self.gap, near=self.near)
        first, second = (self._patches(images, corners, generator) for corners in places)
        return Pairs(first, second, other_files(batch.parents, generator))

    def _patches(self, images: Tensor, corners: Tensor, generator: Generator) -> Tensor:
        """images: (B, 3, side, side); corners: (B, 2) -> (B, 3, size, size), with colours of their own."""
        boxes = torch.cat([corners, torch.full_like(corners, self.patch)], dim=1) * images.shape[-1]
        upright = torch.zeros(len(images), dtype=torch.bool, device=images.device)
        return colour_jitter(
            resized_crop(images, boxes, upright, side=self.size),
            generator,
            brightness=self.jitter,
            contrast=self.jitter,
            saturation=self.jitter,
            hue=self.hue,
            grayscale=self.grayscale,
        )

    def logits(self, views: Pairs) -> tuple[Tensor, Tensor]:
        """(2 * B, 2), not together and together: of each first patch with its own second one, then with another's.
        And (2 * B,), 1 for pairs that count, 0 where there was no other file."""
        maps = self.encoder.blocks(torch.cat([views.first, views.second]))[-1]
        first, second = maps.mean(dim=(2, 3)).chunk(2)
        pairs = torch.cat([torch.cat([first, second], dim=1), torch.cat([first, second[views.others]], dim=1)])
        positions = torch.arange(len(first), device=first.device)
        counts = torch.cat([torch.ones_like(positions), (views.others != positions).long()])
        return self.head(pairs), counts

    def loss(self, views: Pairs) -> dict[str, Tensor]:
        """Cross-entropy of together or not, over as many pairs of each."""
        logits, counts = self.logits(views)
        each = F.cross_entropy(logits.float(), together(len(logits), logits.device), reduction="none")
        return {"co_occurrence": (each * counts).sum() / counts.sum()}

    def pretext(self, views: Pairs) -> PretextAnswers:
        """Whether pairs occur together; N is 2 * B, less the pairs for which there was no other file."""
        logits, counts = self.logits(views)
        entries = torch.arange(len(views.first), device=logits.device).repeat(2)
        kept = counts.bool()
        labels = together(len(logits), logits.device)
        return PretextAnswers(entries[kept], labels=labels[kept], scores=logits.softmax(dim=1)[kept])


def together(count: int, device: torch.device) -> Tensor:
    """(count,) int64: the first half of the pairs occurs together."""
    return (torch.arange(count, device=device) < count // 2).long()


def patch_places(batch: int, generator: Generator, *, patch: float, gap: float, near: float) -> tuple[Tensor, Tensor]:
    """Top left corners (B, 2), down and right, of two patches of a picture, in shares of its side.

    Along one direction, drawn evenly, the space between the two is uniform in [gap, near], as far as the picture
    reaches; in the other one their corners are at most patch + near apart. Which comes first is drawn too.
    """
    draws = torch.rand(6, batch, generator=generator, device=generator.device)
    room = 1 - patch
    distance = patch + gap + (min(near, room - patch) - gap) * draws[0]
    start = draws[1] * (room - distance)
    along = torch.stack([start, start + distance])
    aside = draws[2] * room
    least, greatest = (aside - patch - near).clamp(min=0), (aside + patch + near).clamp(max=room)
    across = torch.stack([aside, least + (greatest - least) * draws[3]])
    along = torch.where(draws[4] < 0.5, along, along.flip(0))
    # (2, B, 2): of each patch, of each picture, down and right.
    corners = torch.stack([along, across], dim=2)
    first, second = torch.where(draws[5, :, None] < 0.5, corners, corners.flip(2))
    return first, second


def other_files(parents: Tensor, generator: Generator) -> Tensor:
    """parents: (B,) int64 -> (B,) int64, for each entry the position of one, drawn evenly, with another parent; its own
    position where all have the same."""
    draws = torch.rand(len(parents), len(parents), generator=generator, device=parents.device)
    apart = parents[:, None] != parents
    positions = torch.arange(len(parents), device=parents.device)
    return torch.where(apart.any(dim=1), draws.masked_fill(~apart, -1).argmax(dim=1), positions)
