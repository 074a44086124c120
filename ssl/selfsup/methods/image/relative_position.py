"""Relative position: Doersch, Gupta and Efros, "Unsupervised visual representation learning by context prediction",
ICCV 2015.

Withheld: where in the picture two neighbouring patches lie. Predicted: in which of eight directions the second one lies
from the first.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from selfsup.methods.method import Method, PretextAnswers, Progress
from selfsup.networks.convnet import LEAST_STD
from selfsup.networks.encoder import Encoder
from selfsup.networks.preparation import standardised
from selfsup.source import Batch
from selfsup.views.aberration import aberrated, projected
from selfsup.views.geometry import RandomCrop
from selfsup.views.tiles import coarsened, cut, grid_corners, random_shifts

DIRECTIONS = ((-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1))
"""Down and right from the first patch to the second, in the order of the answers."""


@dataclass(frozen=True)
class Pairs:
    """patches: (B, N, 3, patch, patch), N = grid * grid, row after row. first, second: (P,) int64, which patches make a
    pair, the same for all images. directions: (P,) int64, positions in `DIRECTIONS`."""

    patches: Tensor
    first: Tensor
    second: Tensor
    directions: Tensor


class RelativePosition(Method):
    """Differs from the paper in these ways.

    - One grid an image and step, where the authors' code takes four. As there, neighbours are pairs both ways round; of
      each direction as many pairs are taken, so that no answer is right more often than another.
    - The heads are smaller (fc6 to fc8 have 4096 units). Here `hidden` is fc6, on the last block averaged to
      `pool` x `pool`; `joint` is fc7; there is no fc8.
    - Batch normalisation has scale and shift, and the usual momentum.
    - A random crop is enlarged or shrunk to the encoder's side, where the paper resizes to 150,000 to 450,000 pixels.
    - The channel that colour dropping keeps is as it was, and the noise is Gaussian, as in the paper; the authors' code
      has uniform noise. Patches are normalised afterwards, as in the code (there by their root mean square).
    """

    table = "frames"
    streams = ("frames",)
    answers = ("pretext",)
    ranges: ClassVar = {
        "grid": (2, 16),
        "patch": (0.01, 0.5),
        "gap": (0, 10),
        "jitter": (0, 1),
        "aberration": (-0.2, 0.2),
        "dropping": (0, 1),
        "noise": (0, 1),
        "coarse": (0, 1),
        "least_side": (0.01, 1),
        "pool": (1, 64),
        "hidden": (1, 65536),
        "joint": (1, 65536),
    }

    def __init__(
        self,
        *,
        encoder: Encoder,
        grid: int,
        patch: float,
        gap: float,
        jitter: float,
        aberration: float,
        projection: bool,
        dropping: float,
        noise: float,
        coarse: float,
        least_side: float,
        normalise: bool,
        pool: int,
        hidden: int,
        joint: int,
        crop: RandomCrop,
    ) -> None:
        """Lengths are shares, rounded to pixels, so that they fit an encoder of any input.

        grid: patches a side. patch: a patch's side, as a share of the picture's. gap: between patches, as a share of a
        patch's side; 0.5 in the paper (48 px of 96). jitter: by how much a patch is moved at most, up or down, left or
        right, but never out of the picture, as a share of its side; 0.073 in the paper (7 px).
        aberration: by how much green is enlarged first, a share: puts the shortcut in, for studies of it; 0 for none.
        projection: whether the axis between green and magenta is taken out of the colours (section 3.1).
        dropping: share of patches that lose two of their three channels; 1 in the paper, where projection is off.
        noise: standard deviation of what stands there instead, in that of the channel which is kept; 0.01.
        coarse: share of patches that are down-sampled and up again; a third in the authors' code. least_side: which
        share of the side is left at least; 0.104 (10 px).
        normalise: whether each patch loses its channels' means and its contrast.
        pool, hidden, joint: see above. crop: before the grid is laid; mirroring gives nothing away.
        Raises ValueError for a grid that is larger than the picture.
        """
        super().__init__()
        taken = grid * patch + (grid - 1) * gap * patch
        if taken > 1:
            raise ValueError(
                f"relative_position: {grid} patches, each {patch} of the picture's side, with gaps of {gap} of a patch "
                f"take {taken:.2f} of it, expected 1 at most; lower grid, patch or gap"
            )
        self.encoder = encoder
        self.grid, self.patch, self.gap, self.jitter = grid, patch, gap, jitter
        self.aberration, self.projection = aberration, projection
        self.dropping, self.noise = dropping, noise
        self.coarse, self.least_side = coarse, least_side
        self.normalise = normalise
        self.crop = crop
        self.patch_head = nn.Sequential(
            nn.AdaptiveAvgPool2d(pool),
            nn.Flatten(),
            nn.Linear(encoder.channels[-1] * pool**2, hidden, bias=False),
            nn.BatchNorm1d(hidden),
            nn.ReLU(),
        )
        self.pair_head = nn.Sequential(
            nn.Linear(2 * hidden, joint, bias=False),
            nn.BatchNorm1d(joint),
            nn.ReLU(),
            nn.Linear(joint, len(DIRECTIONS)),
        )
        neighbours = all_pairs(grid)
        self.per_direction = min(len(pairs) for pairs in neighbours)
        most = max(len(pairs) for pairs in neighbours)
        # -1 where a direction has fewer pairs than another. Not in checkpoints: they follow from the arguments.
        padded = [pairs + [(-1, -1)] * (most - len(pairs)) for pairs in neighbours]
        self.register_buffer("neighbours", torch.tensor(padded), persistent=False)

    neighbours: Tensor
    """(8, most, 2) int64: the first and second patch of all pairs, by direction."""

    def views(self, batch: Batch, generator: Generator, progress: Progress) -> Pairs:
        """frames (B, 1, 3, H, H) uint8 -> patches (B, N, 3, patch, patch), and P = 8 * per_direction pairs of them."""
        images = self.encoder.prepare(batch.streams)
        if self.aberration:
            images = aberrated(images, "green", torch.full((len(images),), self.aberration, device=images.device))
        if self.projection:
            images = projected(images)
        images = self.crop(images, generator)
        side = images.shape[-1]
        patch = round(self.patch * side)
        patches = cut(images, self.corners(len(images), side, generator), patch).flatten(0, 1)
        if self.coarse:
            patches = coarsened(patches, self.coarse, max(1, round(self.least_side * patch)), generator)
        if self.dropping:
            patches = dropped(patches, self.dropping, self.noise, generator)
        if self.normalise:
            patches = standardised(patches, LEAST_STD)
        first, second, directions = self.pairs(generator)
        return Pairs(patches.reshape(len(images), -1, *patches.shape[1:]), first, second, directions)

    def corners(self, batch: int, side: int, generator: Generator) -> Tensor:
        """(B, N, 2), the patches' tops and lefts. The grid lies anywhere in the picture; each patch is jittered."""
        patch = round(self.patch * side)
        # Rounding may have made the patches larger: then the gaps give way.
        gap = min(round(self.gap * patch), (side - self.grid * patch) // (self.grid - 1))
        if gap < 0:
            raise ValueError(
                f"relative_position: {self.grid} patches of {patch} px do not fit into {side} px; lower patch"
            )
        jitter = round(self.jitter * patch)
        regular = grid_corners(self.grid, patch + gap, generator.device)
        span = self.grid * patch + (self.grid - 1) * gap
        placed = regular + random_shifts((batch, 1, 2), 0, side - span, generator)
        jittered = placed + random_shifts((batch, len(regular), 2), -jitter, jitter, generator)
        return jittered.clamp(0, side - patch)

    def pairs(self, generator: Generator) -> tuple[Tensor, Tensor, Tensor]:
        """First and second patch, and direction, (P,) each: of each direction as many, drawn without replacement."""
        order = torch.rand(self.neighbours.shape[:2], generator=generator, device=generator.device)
        order = order.masked_fill(self.neighbours[..., 0] < 0, -1)
        chosen = order.topk(self.per_direction, dim=1).indices
        pairs = self.neighbours.gather(1, chosen[..., None].expand(-1, -1, 2))
        directions = torch.arange(len(DIRECTIONS), device=generator.device).repeat_interleave(self.per_direction)
        return pairs[..., 0].flatten(), pairs[..., 1].flatten(), directions

    def logits(self, views: Pairs) -> Tensor:
        """(B * P, 8). A patch passes through the encoder once, however many pairs it belongs to."""
        each = self.patch_head(self.encoder.blocks(views.patches.flatten(0, 1))[-1])
        each = each.view(*views.patches.shape[:2], -1)
        both = torch.cat([each[:, views.first], each[:, views.second]], dim=2)
        logits: Tensor = self.pair_head(both.flatten(0, 1))
        return logits

    def loss(self, views: Pairs) -> dict[str, Tensor]:
        """Cross-entropy over the eight directions."""
        return {"direction": F.cross_entropy(self.logits(views), views.directions.repeat(len(views.patches)))}

    def pretext(self, views: Pairs) -> PretextAnswers:
        """The direction of each pair; N = B * P."""
        count, pairs = len(views.patches), len(views.directions)
        entries = torch.arange(count).repeat_interleave(pairs)
        return PretextAnswers(entries, labels=views.directions.repeat(count), scores=self.logits(views).softmax(dim=1))


def all_pairs(grid: int) -> list[list[tuple[int, int]]]:
    """By direction, the first and second patch of every pair of neighbours in a grid, patches counted row after row.
    Each two neighbours come both ways round. Raises ValueError for a grid without diagonals."""
    if grid < 2:
        raise ValueError(f"relative_position: grid must be at least 2 for eight directions, not {grid}")
    cells = range(grid)
    return [
        [
            (row * grid + column, (row + down) * grid + column + right)
            for row in cells
            for column in cells
            if row + down in cells and column + right in cells
        ]
        for down, right in DIRECTIONS
    ]


def dropped(patches: Tensor, share: float, noise: float, generator: Generator) -> Tensor:
    """patches: (M, 3, h, w) -> the same shape: with probability `share` a patch keeps one random channel, and the other
    two are Gaussian noise around 0, its standard deviation `noise` times that of the kept one (section 3.1)."""
    coin, which = torch.rand(2, len(patches), generator=generator, device=patches.device)
    kept = F.one_hot((3 * which).long(), 3).bool() | (coin >= share)[:, None]
    spread = patches.std(dim=(2, 3)).gather(1, (3 * which).long()[:, None])[..., None, None]
    drawn = torch.randn(patches.shape, generator=generator, device=patches.device)
    return torch.where(kept[..., None, None], patches, noise * spread * drawn)
