"""PIRL: Misra and van der Maaten, "Self-supervised learning of pretext-invariant representations", CVPR 2020.

Withheld: which picture of the data a bag of shuffled tiles was cut from. Predicted: that, so that features don't change
with the jigsaw transform that the pretext task of jigsaws would have them tell.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from selfsup.methods.contrast import told_apart
from selfsup.methods.memory_bank import MemoryBank, drawn_pictures
from selfsup.methods.method import Method, PretextAnswers, Progress
from selfsup.networks.encoder import Encoder
from selfsup.source import Batch, Source, Table
from selfsup.views.colour import ColourDistortion
from selfsup.views.geometry import RandomCrop
from selfsup.views.tiles import cut, grid_corners, random_shifts


@dataclass(frozen=True)
class PicturesAndTiles:
    """images: (B, 3, side, side). tiles: (B, grid * grid, 3, tile, tile), shuffled. Both in [-1, 1]. indices: (B,),
    which entries they are of. negatives: (B, K), others, or None for all."""

    images: Tensor
    tiles: Tensor
    indices: Tensor
    negatives: Tensor | None


class PIRL(Method):
    """Differs from the paper in these ways.

    - The loss is the cross-entropy of the right entry among it and the negatives, as in the authors' code (vissl,
      pirl_jigsaw configurations), not equation 5.
    - Negatives are drawn from the other entries of the bank, or are all of them.
    - Colours change in one fixed order (see `adjusted`), and the tiles are cut to an encoder's own size: shares of a
      picture's side, rounded to pixels.
    """

    table = "frames"
    streams = ("frames",)
    answers = ("pretext",)
    ranges: ClassVar = {
        "dims": (1, 65536),
        "temperature": (0.001, 100),
        "negatives": (0, 10_000_000),
        "bank_momentum": (0, 0.9999),
        "pictures": (0, 1_000_000_000),
        "weight": (0, 1),
        "tile": (0.1, 1),
    }

    def __init__(
        self,
        *,
        encoder: Encoder,
        dims: int,
        temperature: float,
        negatives: int,
        bank_momentum: float,
        pictures: int,
        weight: float,
        grid: Literal[2, 3],
        tile: float,
        jitter: bool,
        crop: RandomCrop,
        tiles_crop: RandomCrop,
        colours: ColourDistortion,
    ) -> None:
        """dims: of all embeddings; 128. temperature: .07. negatives: 32000 in the paper; 0 for all entries.
        bank_momentum: .5. pictures: see `drawn_pictures`; all, 0, in the paper. weight: of the tiles' loss, lambda in
        equation 6; the picture's has the rest; .5.
        grid: tiles a side; 3. tile: its side, as a share of its cell's; .753 in the paper (64 px of 85). jitter:
        whether it lies anywhere in its cell, or in its middle. Without gaps and jitter, edges could be continued.
        crop: of the picture, scale .08 to 1 in the code. tiles_crop: before tiles are cut, .6 to 1. colours: of the
        picture, and of each tile by itself. Raises ValueError as `MemoryBank` does, and for a weight that is not from 0
        to 1 or a tile that is larger than its cell.
        """
        super().__init__()
        if not 0 <= weight <= 1:
            raise ValueError(f"pirl: weight must be from 0 to 1, not {weight}")
        if not 0 < tile <= 1:
            raise ValueError(f"pirl: tile is a share of its cell's side, above 0 and at most 1, not {tile}")
        self.encoder = encoder
        self.picture_head = nn.Linear(encoder.channels[-1], dims)
        self.tile_head = nn.Linear(encoder.channels[-1], dims)
        self.bag_head = nn.Linear(grid**2 * dims, dims)
        self.bank = MemoryBank(
            dims=dims, temperature=temperature, momentum=bank_momentum, objective="cross_entropy", negatives=negatives
        )
        self.weight = weight
        self.grid, self.tile, self.jitter = grid, tile, jitter
        self.pictures = pictures
        self.crop, self.tiles_crop, self.colours = crop, tiles_crop, colours
        self.latest: Tensor | None = None

    def fit(self, source: Source, generator: Generator) -> Table:
        """Fill the bank, at random, for the pictures that are drawn from."""
        table = drawn_pictures(source.table, self.pictures, generator)
        self.bank.fill(len(table["row"]), generator)
        return table

    def views(self, batch: Batch, generator: Generator, progress: Progress) -> PicturesAndTiles:
        """frames (B, 1, 3, H, H) uint8 -> images (B, 3, side, side), tiles (B, grid * grid, 3, tile, tile)."""
        prepared = self.encoder.prepare(batch.streams)
        images = self.colours(self.crop(prepared, generator), generator)
        tiles = self.shuffled_tiles(self.tiles_crop(prepared, generator), generator)
        coloured = self.colours(tiles.flatten(0, 1), generator).view_as(tiles)
        return PicturesAndTiles(images, coloured, batch.indices, self.bank.drawn(batch.indices, generator))

    def shuffled_tiles(self, images: Tensor, generator: Generator) -> Tensor:
        """images: (B, 3, side, side) -> (B, N, 3, tile, tile), each picture's in an order of its own: any of N!."""
        side = images.shape[-1]
        cell = side // self.grid
        size = max(1, round(self.tile * cell))
        corners = grid_corners(self.grid, cell, images.device) + (side - self.grid * cell) // 2
        if self.jitter:
            corners = corners + random_shifts((len(images), len(corners), 2), 0, cell - size, generator)
        else:
            corners = (corners + (cell - size) // 2).expand(len(images), -1, -1)
        orders = torch.rand(corners.shape[:2], generator=generator, device=images.device).argsort(dim=1)
        return cut(images, corners.gather(1, orders[:, :, None].expand(-1, -1, 2)), size)

    def of_pictures(self, images: Tensor) -> Tensor:
        """images: (B, 3, side, side) -> f(v_I), (B, dims) float32 of length 1."""
        return F.normalize(self.picture_head(self.encoder.blocks(images)[-1].mean(dim=(2, 3))).float(), dim=1)

    def of_tiles(self, tiles: Tensor) -> Tensor:
        """tiles: (B, N, 3, tile, tile) -> g(v_It), (B, dims) float32 of length 1: each tile's own embedding, then
        a linear layer on all of them (section 3.3)."""
        each = self.tile_head(self.encoder.blocks(tiles.flatten(0, 1))[-1].mean(dim=(2, 3)))
        return F.normalize(self.bag_head(each.view(len(tiles), -1)).float(), dim=1)

    def loss(self, views: PicturesAndTiles) -> dict[str, Tensor]:
        """Both against the bank (equation 6): the picture's entry by its tiles, and by the picture itself."""
        tiles = self.of_tiles(views.tiles)
        pictures = self.of_pictures(views.images)
        self.latest = pictures.detach()
        return {
            "tiles": self.weight * self.bank.loss(tiles, views.indices, views.negatives),
            "pictures": (1 - self.weight) * self.bank.loss(pictures, views.indices, views.negatives),
        }

    def after_step(self, views: PicturesAndTiles, progress: Progress) -> None:
        """The entries' vectors follow what was made of the untransformed pictures."""
        assert self.latest is not None
        self.bank.update(views.indices, self.latest)
        self.latest = None

    def pretext(self, views: PicturesAndTiles) -> PretextAnswers:
        """Which of 64 pictures the tiles are of, by the pictures' own embeddings: see `told_apart`. N = B."""
        return told_apart(self.of_tiles(views.tiles), self.of_pictures(views.images))
