"""BEiT: Bao, Dong, Piao and Wei, "BEiT: BERT pre-training of image transformers", ICLR 2022.

Withheld: blocks of patches. Predicted: the token that a tokeniser, trained before, has for each of them.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from selfsup.methods.method import Method, PretextAnswers, Progress
from selfsup.networks.encoder import Encoder
from selfsup.networks.tokeniser import Tokeniser
from selfsup.networks.vit import ViT
from selfsup.source import Batch, Source, Table
from selfsup.views.colour import colour_jitter
from selfsup.views.geometry import RandomCrop

COUNTED = 2048
"""Over how many entries tokens are counted, at most."""
FAILURES = 10
"""Blocks in a row that do not fit, after which a picture's mask is done (masking_generator.py)."""
ATTEMPTS = 64
"""Blocks that are tried for a picture, at most."""


@dataclass(frozen=True)
class Blocked:
    """images: (B, 3, side, side) in [-1, 1], whole. hidden: (B, N) bool, the withheld patches, row after row. tokens:
    (B, N) int64, of every patch."""

    images: Tensor
    hidden: Tensor
    tokens: Tensor


class BEiT(Method):
    """Differs from the paper:

    - The ViT has fixed positions, as in MAE; neither relative positions, nor layer scale, nor drop path.
    - The tokeniser is a run of its own on the same data, where the paper takes DALL-E's. It sees the picture at its own
      side by bilinear, antialiased resizing, where the paper has Lanczos.
    - At most 64 blocks are tried for a picture; the authors' code tries until ten in a row do not fit.
    """

    table = "frames"
    streams = ("frames",)
    answers = ("pretext",)
    teachers = ("tokeniser",)
    ranges: ClassVar = {
        "masked": (0.01, 0.99),
        "block": (0.001, 0.99),
        "aspect": (0.01, 1),
        "tokens": (2, 65536),
        "tokeniser_widths": (1, 65536),
        "tokeniser_side": (8, 4096),
        "jitter": (0, 1),
    }
    frequencies: Tensor

    def __init__(
        self,
        *,
        encoder: ViT,
        masked: float,
        block: float,
        aspect: float,
        tokens: int,
        tokeniser_widths: list[int],
        tokeniser_side: int,
        crop: RandomCrop,
        jitter: float,
    ) -> None:
        """masked: greatest share of patches that is withheld (authors' code: 75 of 196). block: least share of a block
        (16 of 196). aspect: least height to width of a block; the greatest is its inverse (0.3).
        tokens, tokeniser_widths, tokeniser_side: those of the network of the run that is `init_from.tokeniser`, see
        `Tokeniser`; a cell of it must be a patch. jitter: of brightness, contrast and saturation (authors' code: 0.4).
        crop: of the pictures, which the tokeniser sees as the encoder does.
        Raises ValueError for grids that differ, and for shares that leave no block.
        """
        super().__init__()
        total = encoder.cells**2
        self.most, self.least = round(masked * total), round(block * total)
        if not 0 < self.least <= self.most < total:
            raise ValueError(
                f"beit: of {total} patches, masked {masked} is {self.most} and block {block} is {self.least}: expected "
                f"0 < block <= masked < {total}"
            )
        self.teacher = Teacher(Tokeniser(widths=tokeniser_widths, tokens=tokens, side=tokeniser_side))
        if self.teacher.network.cells != encoder.cells:
            raise ValueError(
                f"beit: the tokeniser has {self.teacher.network.cells} x {self.teacher.network.cells} cells, the "
                f"encoder {encoder.cells} x {encoder.cells} patches: change tokeniser_side"
            )
        self.encoder = encoder
        self.mask_token = nn.Parameter(torch.zeros(1, 1, encoder.dim))
        nn.init.trunc_normal_(self.mask_token, std=0.02)
        self.head = nn.Linear(encoder.dim, tokens)
        self.aspect = aspect
        self.crop = crop
        self.jitter = jitter
        self.begun = False
        self.register_buffer("frequencies", torch.zeros(tokens))

    def begin_with(self, role: str, encoders: Mapping[str, Encoder]) -> None:
        """Take the tokeniser's weights, or those of the encoder, see `Method.begin_with`."""
        if role != "tokeniser":
            super().begin_with(role, encoders)
            return
        fitting = [other for other in encoders.values() if isinstance(other, Tokeniser)]
        if len(fitting) != 1:
            raise ValueError(f"init_from.tokeniser: expected a run with one Tokeniser, found {len(fitting)}")
        given, own = fitting[0], self.teacher.network
        sizes = [(one.tokens, one.widths, one.side) for one in (given, own)]
        if sizes[0] != sizes[1]:
            raise ValueError(f"init_from.tokeniser: expected tokens, widths and side {sizes[1]}, found {sizes[0]}")
        own.load_state_dict(given.state_dict())
        self.begun = True

    def fit(self, source: Source, generator: Generator) -> Table:
        """How often each token is met, which `pretext` is read against. Every entry is drawn. Raises ValueError without
        a tokeniser that was trained."""
        if not self.begun:
            raise ValueError("beit: init_from.tokeniser: missing; name the run of a tokeniser (image.dvae:DVAE)")
        entries = torch.randperm(len(source.table["row"]), generator=generator)[:COUNTED]
        device = self.frequencies.device
        counts = torch.zeros_like(self.frequencies)
        for indices in torch.split(entries, 128):
            batch = source.take(self.draw(source.table, indices, generator, Progress(0, 1)))
            tokens = self.teacher.tokens(self.encoder.prepare(batch.streams).to(device))
            counts += tokens.flatten().bincount(minlength=len(counts))
        self.frequencies.copy_(counts / counts.sum())
        return source.table

    def views(self, batch: Batch, generator: Generator, progress: Progress) -> Blocked:
        """frames (B, 1, 3, H, H) uint8 -> images (B, 3, side, side), the withheld patches and the tokens of all."""
        images = colour_jitter(
            self.crop(self.encoder.prepare(batch.streams), generator),
            generator,
            brightness=self.jitter,
            contrast=self.jitter,
            saturation=self.jitter,
            hue=0.0,
        )
        hidden = block_masks(
            len(images), self.encoder.cells, generator, most=self.most, least=self.least, aspect=self.aspect
        )
        return Blocked(images, hidden.flatten(1), self.teacher.tokens(images))

    def loss(self, views: Blocked) -> dict[str, Tensor]:
        """Cross-entropy over the tokens of the withheld patches (equation 1)."""
        return {"tokens": F.cross_entropy(self.predict(views).float(), views.tokens[views.hidden])}

    def predict(self, views: Blocked) -> Tensor:
        """Scores of the tokens of all withheld patches of the batch, picture after picture, (M, tokens)."""
        embedded = self.encoder.embedded(views.images)
        # The mask token replaces a patch's pixels, not its position.
        masked = torch.where(views.hidden[..., None], self.mask_token + self.encoder.positions, embedded)
        scores: Tensor = self.head(self.encoder.encoded(masked)[:, 1:][views.hidden])
        return scores

    def pretext(self, views: Blocked) -> PretextAnswers:
        """The share of each picture's withheld tokens that the most likely answer misses, against that of the token
        that is met most often; N = B."""
        wrong = torch.zeros_like(views.hidden)
        wrong[views.hidden] = self.predict(views).argmax(dim=1) != views.tokens[views.hidden]
        other = (views.tokens != self.frequencies.argmax()) & views.hidden
        count = views.hidden.sum(dim=1)
        return PretextAnswers(
            torch.arange(len(views.images)),
            errors=wrong.sum(dim=1) / count,
            trivial=other.sum(dim=1) / count,
        )


class Teacher(nn.Module):
    """The tokeniser, which does not train; no encoder of the method's own, so that no probe takes it."""

    def __init__(self, network: Tokeniser) -> None:
        """network: kept as it is."""
        super().__init__()
        self.network = network.requires_grad_(False).eval()

    def train(self, mode: bool = True) -> "Teacher":
        """Stays in evaluation mode: its normalisations have the statistics that they were trained with."""
        return super().train(False)

    @torch.no_grad()
    def tokens(self, images: Tensor) -> Tensor:
        """images: (B, 3, H, H) in [-1, 1] -> the most likely token of each cell, (B, N) int64, row after row."""
        side = self.network.side
        if images.shape[-1] != side:
            images = F.interpolate(images, size=(side, side), mode="bilinear", antialias=True)
        return self.network.logits(images).argmax(dim=1).flatten(1)


def block_masks(count: int, cells: int, generator: Generator, *, most: int, least: int, aspect: float) -> Tensor:
    """-> (count, cells, cells) bool, true where a patch is withheld: blocks of at least `least` patches, up to `most`
    together (algorithm 1, as `masking_generator.py` has it, which ends below `most` where no block fits).

    A block's area is uniform between `least` and what is left to withhold, its height to width log-uniform between
    `aspect` and its inverse, its place uniform. It counts if it lies in the picture, withholds something new, and no
    more than is left.
    """
    device = generator.device
    draws = torch.rand(ATTEMPTS, 4, count, generator=generator, device=device)
    along = torch.arange(cells, device=device)
    masks = torch.zeros(count, cells, cells, dtype=torch.bool, device=device)
    failures = torch.zeros(count, dtype=torch.int64, device=device)
    # A fixed number of attempts, so that a GPU is not asked after each whether all pictures are done.
    for areas, shapes, tops, lefts in draws:
        left_over = most - masks.sum(dim=(1, 2))
        area = least + (left_over - least) * areas
        ratio = torch.exp(math.log(aspect) * (1 - 2 * shapes))
        height, width = (area * ratio).sqrt().round(), (area / ratio).sqrt().round()
        top, left = (tops * (cells - height + 1)).floor(), (lefts * (cells - width + 1)).floor()
        rows = (along >= top[:, None]) & (along < (top + height)[:, None])
        columns = (along >= left[:, None]) & (along < (left + width)[:, None])
        block = rows[:, :, None] & columns[:, None, :]
        new = (block & ~masks).sum(dim=(1, 2))
        # As in the authors' code a block is lower and narrower than the picture.
        fits = (height < cells) & (width < cells) & (new > 0) & (new <= left_over) & (failures < FAILURES)
        masks |= block & fits[:, None, None]
        failures = torch.where(fits, 0, failures + 1).where(failures < FAILURES, FAILURES)
    # A picture none of whose blocks fitted has one patch withheld: a loss of nothing is not a number.
    masks[:, 0, 0] |= ~masks.any(dim=(1, 2))
    return masks
