"""Jigsaw puzzles: Noroozi and Favaro, "Unsupervised learning of visual representations by solving jigsaw puzzles", ECCV
2016.

Withheld: where in the picture each of nine tiles belongs. Predicted: which permutation, of a fixed set, shuffled them.
"""

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from selfsup.methods.method import Method, PretextAnswers, Progress
from selfsup.networks.convnet import LEAST_STD
from selfsup.networks.encoder import Encoder
from selfsup.networks.preparation import standardised
from selfsup.source import Batch, Source, Table
from selfsup.views.aberration import projected
from selfsup.views.colour import GREY
from selfsup.views.geometry import RandomCrop
from selfsup.views.tiles import cut, grid_corners, random_shifts


@dataclass(frozen=True)
class Puzzles:
    """tiles: (B, N, 3, tile, tile), N = grid * grid, unshuffled, row after row. permutations: (B, K) int64, positions
    in the method's set: each image's tiles are shuffled in K ways."""

    tiles: Tensor
    permutations: Tensor


class Jigsaw(Method):
    """Differs from the paper in these ways.

    - Tiles are shuffled after the encoder, which sees each for itself: the same, and K puzzles of an image cost little
      more than one (`puzzles`; the paper has 1 a step, 69 on average over training).
    - fc6 and fc7 have `hidden` and `joint` units (1024 and 4096), with batch normalisation, and no dropout. Without
      normalisation, loss stays at chance for long (bbrattoli/JigsawPuzzlePytorch, issue 7).
    - Grey and colour-projected images are drawn image by image, not batch by batch. The authors' code is followed in
      their shares, and in the cells, which are larger than in the paper's first version.
    """

    table = "frames"
    streams = ("frames",)
    answers = ("pretext",)
    ranges: ClassVar = {
        "permutations": (2, 362880),
        "tile": (0.1, 1),
        "grey": (0, 1),
        "projection": (0, 1),
        "channel_jitter": (0, 0.5),
        "puzzles": (1, 362880),
        "pool": (1, 64),
        "hidden": (1, 65536),
        "joint": (1, 65536),
    }

    def __init__(
        self,
        *,
        encoder: Encoder,
        grid: Literal[2, 3],
        permutations: int,
        permutation_seed: int,
        tile: float,
        jitter: bool,
        channel_jitter: float,
        grey: float,
        projection: float,
        normalise: bool,
        puzzles: int,
        pool: int,
        hidden: int,
        joint: int,
        crop: RandomCrop,
    ) -> None:
        """Lengths are shares, rounded to pixels, so that they fit an encoder of any input.

        grid: tiles a side. permutations: how many can be told apart (1000 in the paper; 100 to 1000 in its table 4).
        permutation_seed: of the set, so that all runs can share one.
        tile: its side, as a share of its cell's; 0.753 in the authors' code (64 px of 85). A tile as large as its cell
        lets edges be continued.
        jitter: whether a tile lies anywhere in its cell, or in its middle.
        channel_jitter: by how much a channel of a tile is shifted at most, down and right, as a share of the cell's
        side; 0.024 in the paper (2 px).
        grey: share of images that are made grey; 0.3 in the paper, 0.5 in the code. projection: share whose colours
        lose the axis between green and magenta, of those that are not grey; 0 in the paper, 0.5 in the code.
        normalise: whether each tile loses its channels' means and its contrast.
        puzzles: ways in which an image's tiles are shuffled, a step. pool, hidden, joint: of the head; the last block
        is averaged to pool x pool. crop: before tiles are cut.
        Raises ValueError for more permutations than there are, for fewer than two, and for tiles that do not fit into
        their cells when their channels are shifted.
        """
        super().__init__()
        if not 2 <= permutations <= math.factorial(grid**2):
            raise ValueError(
                f"jigsaw: {grid**2} tiles have {math.factorial(grid**2)} permutations; expected 2 or more of them, "
                f"found permutations: {permutations}"
            )
        if tile + channel_jitter > 1:
            raise ValueError(
                f"jigsaw: tile and channel_jitter are shares of a cell: {tile} and {channel_jitter} exceed 1"
            )
        self.encoder = encoder
        self.grid, self.permutation_seed = grid, permutation_seed
        self.tile, self.jitter, self.channel_jitter = tile, jitter, channel_jitter
        self.grey, self.projection, self.normalise = grey, projection, normalise
        self.puzzles = puzzles
        self.crop = crop
        self.register_buffer("permutation_set", torch.zeros(permutations, grid**2, dtype=torch.int64))
        self.tile_head = nn.Sequential(
            nn.AdaptiveAvgPool2d(pool),
            nn.Flatten(),
            nn.Linear(encoder.channels[-1] * pool**2, hidden, bias=False),
            nn.BatchNorm1d(hidden),
            nn.ReLU(),
        )
        self.puzzle_head = nn.Sequential(
            nn.Linear(grid**2 * hidden, joint, bias=False),
            nn.BatchNorm1d(joint),
            nn.ReLU(),
            nn.Linear(joint, permutations),
        )

    permutation_set: Tensor
    """(permutations, N) int64: in each place, the tile that is shown there."""

    def fit(self, source: Source, generator: Generator) -> Table:
        """Choose the set of permutations, from `permutation_seed` alone. All entries are drawn."""
        seeded = Generator().manual_seed(self.permutation_seed)
        self.permutation_set.copy_(distant_permutations(len(self.permutation_set), self.grid**2, seeded))
        return source.table

    def views(self, batch: Batch, generator: Generator, progress: Progress) -> Puzzles:
        """frames (B, 1, 3, H, H) uint8 -> tiles (B, N, 3, tile, tile), permutations (B, puzzles)."""
        images = self.crop(self.encoder.prepare(batch.streams), generator)
        coins = torch.rand(2, len(images), 1, 1, 1, generator=generator, device=images.device)
        if self.projection:
            images = torch.where(coins[0] < self.projection, projected(images), images)
        if self.grey:
            images = torch.where(coins[1] < self.grey, greyscale(images), images)
        side = images.shape[-1]
        tiles = cut(images, self.corners(len(images), side, generator), round(self.tile * (side // self.grid)))
        if self.normalise:
            tiles = standardised(tiles.flatten(0, 1), LEAST_STD).reshape(tiles.shape)
        count = len(self.permutation_set)
        return Puzzles(tiles, random_shifts((len(images), self.puzzles), 0, count - 1, generator))

    def corners(self, batch: int, side: int, generator: Generator) -> Tensor:
        """(B, N, 3, 2), the tops and lefts of the tiles' channels, each inside its cell; the cells are in the middle of
        the picture."""
        cell = side // self.grid
        room = cell - round(self.tile * cell)
        # Never out of the cell; a shift of less than half a pixel is none.
        shift = min(round(self.channel_jitter * cell), room)
        room -= shift
        cells = grid_corners(self.grid, cell, generator.device) + (side - self.grid * cell) // 2
        if self.jitter:
            placed = cells + random_shifts((batch, len(cells), 2), 0, room, generator)
        else:
            placed = (cells + room // 2).expand(batch, -1, -1)
        return placed[:, :, None] + random_shifts((batch, len(cells), 3, 2), 0, shift, generator)

    def logits(self, views: Puzzles) -> Tensor:
        """(B * K, permutations). A tile passes through the encoder once, however many puzzles it is part of."""
        each = self.tile_head(self.encoder.blocks(views.tiles.flatten(0, 1))[-1])
        each = each.view(*views.tiles.shape[:2], -1)
        # (B, K, N): the tile in each place.
        order = self.permutation_set[views.permutations]
        images = torch.arange(len(each), device=each.device)[:, None, None]
        logits: Tensor = self.puzzle_head(each[images, order].flatten(0, 1).flatten(1))
        return logits

    def loss(self, views: Puzzles) -> dict[str, Tensor]:
        """Cross-entropy over the permutations."""
        return {"permutation": F.cross_entropy(self.logits(views), views.permutations.flatten())}

    def pretext(self, views: Puzzles) -> PretextAnswers:
        """The permutation of each puzzle; N = B * K."""
        count, puzzles = views.permutations.shape
        scores = self.logits(views).softmax(dim=1)
        return PretextAnswers(
            torch.arange(count).repeat_interleave(puzzles), labels=views.permutations.flatten(), scores=scores
        )


def distant_permutations(count: int, items: int, generator: Generator) -> Tensor:
    """-> (count, items) int64, no two alike: the first is random, each further one has the greatest mean Hamming
    distance to those before it (algorithm 1), ties broken at random. All items! permutations are looked at: 9 at most.
    """
    candidates = all_permutations(items)
    # In random order, so that of several greatest distances the first is a random one. (items, items!): a place's
    # items side by side in memory, which makes comparing twice as fast.
    candidates = candidates[torch.randperm(len(candidates), generator=generator)].T.contiguous()
    chosen = [0]
    distances = torch.zeros(candidates.shape[1], dtype=torch.int32)
    for _ in range(count - 1):
        last = chosen[-1]
        distances += (candidates != candidates[:, last, None]).sum(dim=0, dtype=torch.int32)
        distances[last] = torch.iinfo(torch.int32).min // 2  # never again
        chosen.append(int(distances.argmax()))
    return candidates[:, chosen].T.long()


def all_permutations(items: int) -> Tensor:
    """-> (items!, items) uint8: those of one item less, with the last item in every place."""
    permutations = torch.zeros(1, 1, dtype=torch.uint8)
    for last in range(1, items):
        new = torch.full((len(permutations), 1), last, dtype=torch.uint8)
        permutations = torch.cat(
            [torch.cat([permutations[:, :place], new, permutations[:, place:]], dim=1) for place in range(last + 1)]
        )
    return permutations


def greyscale(images: Tensor) -> Tensor:
    """images: (B, 3, H, W) -> the same shape, each pixel its grey three times. Values may lie beyond [-1, 1]."""
    red, green, blue = images.unbind(dim=1)
    return (GREY[0] * red + GREY[1] * green + GREY[2] * blue)[:, None].expand_as(images)
